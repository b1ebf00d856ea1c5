//! Seal logs, and open them.

use std::{path::PathBuf, sync::Arc};

use infraflow_core::seal::{self, KeyId, Sealer};
use pyo3::{prelude::*, pybacked::PyBackedBytes, types::PyBytes};

use crate::{
    data::record,
    error::Result,
    job::{Job, plain},
    value::as_json,
};

as_json!(KeyId);

record! {
    /// What came of sealing a file. It says nothing about the plain text but its length.
    Sealed(seal::Sealed) { key, digest, length }
}

record! {
    /// What came of opening a file.
    Opened(seal::Opened) { key, digest, length }
}

/// The key that an environment's logs are sealed with. It is never shown and cannot be pickled.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct SealingKey(seal::SealingKey);

#[pymethods]
impl SealingKey {
    /// A new key from the operating system's random numbers.
    #[staticmethod]
    fn generate() -> Result<Self> {
        Ok(Self(seal::SealingKey::generate()?))
    }

    /// Reads a key from its text: base64 of 32 bytes.
    #[staticmethod]
    fn parse(text: &str) -> Result<Self> {
        Ok(Self(seal::SealingKey::parse(text)?))
    }

    /// Reads a key file that its owner, and at most a group, can read.
    #[staticmethod]
    fn read(path: PathBuf) -> Result<Self> {
        Ok(Self(seal::SealingKey::read(&path)?))
    }

    /// Writes the key to a new file that only its owner reads.
    fn write(&self, path: PathBuf) -> Result<()> {
        Ok(self.0.write(&path)?)
    }

    /// The key as `parse` reads it, for whoever keeps keys in a secret store.
    fn to_base64(&self) -> String {
        self.0.to_base64().to_string()
    }

    /// Which key this is; may be shown.
    #[getter]
    fn id(&self) -> String {
        self.0.id().to_string()
    }

    fn __repr__(&self) -> String {
        format!("SealingKey(id='{}')", self.0.id())
    }
}

/// Seals with one key, and opens what was sealed with it or with one of the older keys.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct SharedKeySealer(pub(crate) Arc<dyn Sealer>);

#[pymethods]
impl SharedKeySealer {
    #[new]
    #[pyo3(signature = (key, *, also_opens = Vec::new()))]
    fn new(key: &Bound<'_, SealingKey>, also_opens: Vec<Bound<'_, SealingKey>>) -> Self {
        let sealer = seal::SharedKeySealer::new(key.get().0.clone());
        let sealer = also_opens.iter().fold(sealer, |sealer, key| sealer.also_opens(key.get().0.clone()));
        Self(Arc::new(sealer))
    }

    /// Seals bytes.
    fn seal(&self, py: Python<'_>, plain: PyBackedBytes) -> Result<Py<PyAny>> {
        let sealer = self.0.clone();
        Job::computing(move || Ok(sealer.seal_bytes(&plain)?), bytes).wait(py)
    }

    /// Opens bytes; gives nothing out before all of it is verified.
    fn open(&self, py: Python<'_>, sealed: PyBackedBytes) -> Result<Py<PyAny>> {
        let sealer = self.0.clone();
        Job::computing(move || Ok(sealer.open_bytes(&sealed)?), bytes).wait(py)
    }

    /// Seals a file into a new one that only its owner reads, which appears when it is whole.
    fn seal_file(&self, py: Python<'_>, source: PathBuf, destination: PathBuf) -> Result<Py<PyAny>> {
        let sealer = self.0.clone();
        Job::writing(move || Ok(sealer.seal_file(&source, &destination)?), plain).wait(py)
    }

    /// Opens a file into a new one that only its owner reads, which appears when all of it is verified.
    fn open_file(&self, py: Python<'_>, source: PathBuf, destination: PathBuf) -> Result<Py<PyAny>> {
        let sealer = self.0.clone();
        Job::writing(move || Ok(sealer.open_file(&source, &destination)?), plain).wait(py)
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}

fn bytes(py: Python<'_>, value: Vec<u8>) -> PyResult<Py<PyAny>> {
    Ok(PyBytes::new(py, &value).into_any().unbind())
}
