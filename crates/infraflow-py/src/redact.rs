//! Secrets out of logs.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use infraflow_core::redact::{self, Redactor, Secrets, WhyLeftAlone};
use pyo3::{exceptions::PyValueError, prelude::*, pybacked::PyBackedBytes, types::PyBytes};

use crate::{
    data::{record, wrap},
    error::Result,
    value::as_json,
};

as_json!(WhyLeftAlone);

record! {
    /// Which secrets were found, how often, and which were not looked for. It names them, without values.
    RedactionReport(redact::RedactionReport) { redacted, left_alone }
}

record! {
    /// A secret that was found.
    Redacted(redact::Redacted) { name, count }
}

record! {
    /// A secret that was not looked for, and why.
    LeftAlone(redact::LeftAlone) { name, why }
}

/// Takes secrets, given as `{name: value}`, out of what is shown. Names may be shown, values never are.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct SecretRedactor(redact::SecretRedactor);

#[pymethods]
impl SecretRedactor {
    #[new]
    fn new(secrets: BTreeMap<String, String>) -> Result<Self> {
        let mut known = Secrets::new();
        for (name, value) in secrets {
            known.add(name, value);
        }
        Ok(Self(redact::SecretRedactor::new(&known)?))
    }

    /// Redacts bytes that are there as a whole; gives them back, and what was found.
    fn redact<'py>(
        &self,
        py: Python<'py>,
        log: PyBackedBytes,
    ) -> Result<(Bound<'py, PyBytes>, Py<RedactionReport>)> {
        let redactor: &dyn Redactor = &self.0;
        let (bytes, report) = py.detach(|| redactor.redact(&log));
        Ok((PyBytes::new(py, &bytes), wrap(py, report)?))
    }

    /// Begins the redaction of a log that comes in chunks.
    fn start(&self) -> Redaction {
        Redaction(Mutex::new(Some(self.0.start())))
    }

    fn __repr__(&self) -> &'static str {
        "SecretRedactor(…)"
    }
}

/// The redaction of one log, under way.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct Redaction(Mutex<Option<Box<dyn redact::Redaction>>>);

#[pymethods]
impl Redaction {
    /// Takes the next bytes of the log, and gives back what can be shown by now.
    fn push<'py>(&self, py: Python<'py>, chunk: PyBackedBytes) -> Result<Bound<'py, PyBytes>> {
        let shown = py.detach(|| {
            let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let mut out = Vec::with_capacity(chunk.len());
            under_way.as_mut().map(|redaction| redaction.push(&chunk, &mut out)).map(|()| out)
        });
        Ok(PyBytes::new(py, &shown.ok_or_else(finished)?))
    }

    /// Ends the log: gives back what was held back, and what was found.
    fn finish<'py>(&self, py: Python<'py>) -> Result<(Bound<'py, PyBytes>, Py<RedactionReport>)> {
        let under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut out = Vec::new();
        let report = under_way.ok_or_else(finished)?.finish(&mut out);
        Ok((PyBytes::new(py, &out), wrap(py, report)?))
    }
}

fn finished() -> PyErr {
    PyValueError::new_err("this log is finished; begin another with SecretRedactor.start()")
}
