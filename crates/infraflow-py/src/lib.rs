//! The Python extension: `infraflow._infraflow`, re-exported by the typed package `infraflow`.
//!
//! One file per topic. What they share: [`error`] turns the core's errors into one hierarchy of exceptions.

mod error;

use pyo3::prelude::*;

/// The private half of the package `infraflow`.
#[pymodule]
mod _infraflow {
    #[pymodule_export]
    use crate::error::InfraflowError;

    /// The version of the package, and of the core inside it.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
