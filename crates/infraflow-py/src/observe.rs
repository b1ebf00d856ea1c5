//! What happens, as it happens, told to a Python callable.

use std::sync::Arc;

use infraflow_core::observe::{self as core, Happening, Observer, Silent};
use pyo3::prelude::*;

use crate::{
    data::{record, wrap},
    value::as_json,
};

as_json!(Happening);

record! {
    /// One thing that happened, to one subject, in one stage. `happening` is a word (`"started"`), or a word
    /// with what belongs to it (`{"note": "…"}`).
    Event(core::Event) { stage, subject, happening }
}

/// The observer that Python code gave: a callable that takes an [`Event`]. It is called from the extension's
/// threads; what it raises is reported as Python reports what nobody can catch, and stops nothing.
pub(crate) fn observer_of(given: Option<Bound<'_, PyAny>>) -> Arc<dyn Observer> {
    match given {
        Some(callable) => Arc::new(PythonObserver(callable.unbind())),
        None => Arc::new(Silent),
    }
}

struct PythonObserver(Py<PyAny>);

impl Observer for PythonObserver {
    fn event(&self, event: &core::Event) {
        // Nobody is left to be told once the interpreter is gone.
        Python::try_attach(|py| {
            let told = wrap::<Event>(py, event.clone()).and_then(|event| self.0.call1(py, (event,)));
            if let Err(error) = told {
                error.write_unraisable(py, Some(self.0.bind(py)));
            }
        });
    }
}
