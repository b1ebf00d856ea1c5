//! One hierarchy of exceptions, from the core's error enums.

use pyo3::{create_exception, exceptions::PyException};

create_exception!(
    infraflow,
    InfraflowError,
    PyException,
    "Something could not be done. The message says what, to what, why, and what to do about it."
);
