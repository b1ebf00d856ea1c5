//! Whose key signs, and whose signatures count.

use std::path::PathBuf;

use infraflow_core::proof;
use pyo3::prelude::*;

use crate::{error::Result, value::ToPython as _};

/// A private SSH key. It is never shown and cannot be pickled.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct SigningKey(pub(crate) proof::SigningKey);

#[pymethods]
impl SigningKey {
    /// A new Ed25519 key from the operating system's random numbers.
    #[staticmethod]
    #[pyo3(signature = (comment = ""))]
    fn generate(comment: &str) -> Result<Self> {
        Ok(Self(proof::SigningKey::generate(comment)?))
    }

    /// Reads an unencrypted OpenSSH private key file.
    #[staticmethod]
    fn read(path: PathBuf) -> Result<Self> {
        Ok(Self(proof::SigningKey::read(&path)?))
    }

    /// The public half, as it stands in an allowed-signers file after the principal.
    #[getter]
    fn verifying_key(&self) -> String {
        self.0.verifying_key().to_string()
    }

    fn __repr__(&self) -> String {
        format!("SigningKey({})", self.0.verifying_key().fingerprint())
    }
}

/// An allowed-signers file: which key signs for whom.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct AllowedSigners(pub(crate) proof::AllowedSigners);

#[pymethods]
impl AllowedSigners {
    /// Reads the text of an allowed-signers file, as ssh-keygen(1) has it.
    #[new]
    fn new(text: &str) -> Result<Self> {
        Ok(Self(proof::AllowedSigners::parse(text)?))
    }

    /// Everybody with a key here, sorted.
    #[getter]
    fn principals(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.0.all().to_python(py)
    }
}
