//! Where ledgers, journals, approvals and sealed logs are kept.

use std::path::PathBuf;

use infraflow_core::store::{self, Created, Key};
use pyo3::{prelude::*, types::PyBytes};

use crate::{
    error::Result,
    job::{Job, none, plain},
};

/// Objects under keys, in a folder or in memory.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct Store(pub(crate) store::Store);

#[pymethods]
impl Store {
    /// A folder, made with mode 0700 where it is missing. With `CI` set it is taken for one that goes with its
    /// runner, unless `durable` says that it stays.
    #[staticmethod]
    #[pyo3(signature = (path, *, durable = false))]
    fn folder(path: PathBuf, durable: bool) -> Result<Self> {
        let store = store::Store::folder(&path)?;
        Ok(Self(if durable { store.declared_durable() } else { store }))
    }

    /// Memory, gone with this process.
    #[staticmethod]
    fn memory() -> Self {
        Self(store::Store::memory())
    }

    /// What stands under a key; `None` where nothing does.
    fn get(&self, py: Python<'_>, key: &str) -> Result<Py<PyAny>> {
        self.getting(key)?.wait(py)
    }

    /// As `get`, to be awaited.
    fn get_async<'py>(&self, py: Python<'py>, key: &str) -> Result<Bound<'py, PyAny>> {
        self.getting(key)?.awaitable(py)
    }

    /// Puts an object, over what stands there.
    fn put(&self, py: Python<'_>, key: &str, value: Vec<u8>) -> Result<Py<PyAny>> {
        self.putting(key, value)?.wait(py)
    }

    /// As `put`, to be awaited.
    fn put_async<'py>(&self, py: Python<'py>, key: &str, value: Vec<u8>) -> Result<Bound<'py, PyAny>> {
        self.putting(key, value)?.awaitable(py)
    }

    /// Puts an object where none stands; gives back `None`, or what stands there already.
    fn create(&self, py: Python<'_>, key: &str, value: Vec<u8>) -> Result<Py<PyAny>> {
        self.creating(key, value)?.wait(py)
    }

    /// As `create`, to be awaited.
    fn create_async<'py>(&self, py: Python<'py>, key: &str, value: Vec<u8>) -> Result<Bound<'py, PyAny>> {
        self.creating(key, value)?.awaitable(py)
    }

    /// The keys below a prefix, sorted.
    fn list(&self, py: Python<'_>, prefix: &str) -> Result<Py<PyAny>> {
        self.listing(prefix)?.wait(py)
    }

    /// As `list`, to be awaited.
    fn list_async<'py>(&self, py: Python<'py>, prefix: &str) -> Result<Bound<'py, PyAny>> {
        self.listing(prefix)?.awaitable(py)
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}

impl Store {
    fn getting(&self, key: &str) -> Result<Job<Option<Vec<u8>>>> {
        let (store, key) = (self.0.clone(), Key::parse(key)?);
        Ok(Job::waiting(|_| async move { Ok(store.get(&key).await?.map(Vec::from)) }, bytes))
    }

    fn putting(&self, key: &str, value: Vec<u8>) -> Result<Job<()>> {
        let (store, key) = (self.0.clone(), Key::parse(key)?);
        Ok(Job::waiting(|_| async move { Ok(store.put(&key, value).await?) }, none))
    }

    fn creating(&self, key: &str, value: Vec<u8>) -> Result<Job<Option<Vec<u8>>>> {
        let (store, key) = (self.0.clone(), Key::parse(key)?);
        let work = |_| async move {
            Ok(match store.create(&key, value).await? {
                Created::New => None,
                Created::Exists(standing) => Some(Vec::from(standing)),
            })
        };
        Ok(Job::waiting(work, bytes))
    }

    fn listing(&self, prefix: &str) -> Result<Job<Vec<String>>> {
        let (store, prefix) = (self.0.clone(), Key::parse(prefix)?);
        let work = |_| async move {
            Ok(store.list(&prefix).await?.into_iter().map(|key| key.as_str().to_owned()).collect())
        };
        Ok(Job::waiting(work, plain))
    }
}

fn bytes(py: Python<'_>, value: Option<Vec<u8>>) -> PyResult<Py<PyAny>> {
    Ok(value.map_or_else(|| py.None(), |value| PyBytes::new(py, &value).into_any().unbind()))
}
