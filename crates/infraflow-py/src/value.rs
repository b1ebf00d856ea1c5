//! Values on their way between the core and Python. What is a word, a path or a digest there is a `str` here;
//! a list is a `tuple`, so that everything stays frozen and can be hashed.

use std::{collections::BTreeMap, sync::Arc};

use infraflow_core::proof::{Digest, Principal, RepoPath, Timestamp};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple},
};
use serde::Serialize;
use serde_json::Value;

/// What a value of the core is in Python.
pub(crate) trait ToPython {
    fn to_python(&self, py: Python<'_>) -> PyResult<Py<PyAny>>;
}

/// Types that Python has as well.
macro_rules! plain {
    ($($type:ty),*) => {
        $(impl ToPython for $type {
            fn to_python(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
                Ok(self.into_pyobject(py).map(|value| value.to_owned().into_any().unbind())?)
            }
        })*
    };
}
plain!(bool, u32, u64, usize, i64, f64, String);

/// Types that are in Python what they are in JSON: checked texts, enums of plain words, and lists of these.
macro_rules! as_json {
    ($($type:ty),* $(,)?) => {
        $(impl $crate::value::ToPython for $type {
            fn to_python(&self, py: pyo3::Python<'_>) -> pyo3::PyResult<pyo3::Py<pyo3::PyAny>> {
                $crate::value::json_to_python(py, &$crate::value::to_value(self)?)
            }
        })*
    };
}
pub(crate) use as_json;
as_json!(Digest, Timestamp, Principal);

impl ToPython for RepoPath {
    fn to_python(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.to_string().to_python(py)
    }
}

impl<T: ToPython> ToPython for Option<T> {
    fn to_python(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.as_ref().map_or_else(|| Ok(py.None()), |value| value.to_python(py))
    }
}

impl<T: ToPython + ?Sized> ToPython for Arc<T> {
    fn to_python(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        (**self).to_python(py)
    }
}

impl<T: ToPython> ToPython for Vec<T> {
    fn to_python(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let items: Vec<_> = self.iter().map(|item| item.to_python(py)).collect::<PyResult<_>>()?;
        Ok(PyTuple::new(py, items)?.into_any().unbind())
    }
}

impl<K: ToPython, V: ToPython> ToPython for BTreeMap<K, V> {
    fn to_python(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let members = PyDict::new(py);
        for (key, value) in self {
            members.set_item(key.to_python(py)?, value.to_python(py)?)?;
        }
        Ok(members.into_any().unbind())
    }
}

/// A value as JSON data.
pub(crate) fn to_value(value: &impl Serialize) -> PyResult<Value> {
    serde_json::to_value(value).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// JSON data as Python has it.
pub(crate) fn json_to_python(py: Python<'_>, value: &Value) -> PyResult<Py<PyAny>> {
    Ok(match value {
        Value::Null => py.None(),
        Value::Bool(value) => value.to_python(py)?,
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => number.to_python(py)?,
            (_, Some(number), _) => number.to_python(py)?,
            (.., number) => number.unwrap_or(f64::NAN).to_python(py)?,
        },
        Value::String(text) => text.to_python(py)?,
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| json_to_python(py, item)).collect::<PyResult<_>>()?;
            PyTuple::new(py, items)?.into_any().unbind()
        }
        Value::Object(members) => {
            let dict = PyDict::new(py);
            for (key, value) in members {
                dict.set_item(key, json_to_python(py, value)?)?;
            }
            dict.into_any().unbind()
        }
    })
}

/// What Python code gave, as JSON data: plain values, lists, dictionaries, paths, and this package's own
/// classes.
pub(crate) fn python_to_json(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(value) = value.cast::<PyBool>() {
        return Ok(Value::Bool(value.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        let signed = value.extract::<i64>().map(Value::from);
        return signed.or_else(|_| value.extract::<u64>().map(Value::from));
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(Value::from(value.extract::<f64>()?));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Value::String(text.extract()?));
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        return Ok(Value::Array(
            value.try_iter()?.map(|item| python_to_json(&item?)).collect::<PyResult<_>>()?,
        ));
    }
    if let Ok(members) = value.cast::<PyDict>() {
        let members = members.iter().map(|(key, value)| Ok((key.extract()?, python_to_json(&value)?)));
        return Ok(Value::Object(members.collect::<PyResult<_>>()?));
    }
    if let Ok(to_json) = value.getattr("to_json") {
        let text: String = to_json.call0()?.extract()?;
        return serde_json::from_str(&text).map_err(|error| PyValueError::new_err(error.to_string()));
    }
    if let Ok(path) = value.call_method0("__fspath__") {
        return python_to_json(&path);
    }
    Err(PyTypeError::new_err(format!("{} cannot stand in a document", value.get_type().name()?)))
}
