//! Data of the core as frozen Python classes. A class is one line of [`record!`] or [`document!`]: the core's
//! type, and the members that Python sees, which the compiler checks against it. All of them compare, hash,
//! pickle, travel as JSON and show themselves in the same way.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use pyo3::{
    PyClass,
    exceptions::PyValueError,
    prelude::*,
    pyclass_init::PyClassInitializer,
    types::{PyDict, PyTuple},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::value::python_to_json;

/// A class of this package that holds a value of the core.
pub(crate) trait Holds: PyClass + Sized {
    type Value;
    fn hold(value: Arc<Self::Value>) -> Self;
    fn held(&self) -> &Arc<Self::Value>;
}

/// A value of the core as an object of its class.
pub(crate) fn wrap<C>(py: Python<'_>, value: C::Value) -> PyResult<Py<C>>
where
    C: Holds + Into<PyClassInitializer<C>>,
{
    Py::new(py, C::hold(Arc::new(value)))
}

/// The JSON that equality, hashes and pickles stand on: one line, members in the order of the type.
pub(crate) fn line(value: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| PyValueError::new_err(error.to_string()))
}

pub(crate) fn hash(value: &impl Serialize) -> PyResult<u64> {
    let mut hasher = DefaultHasher::new();
    line(value)?.hash(&mut hasher);
    Ok(hasher.finish())
}

pub(crate) fn same(one: &impl Serialize, other: &impl Serialize) -> PyResult<bool> {
    Ok(line(one)? == line(other)?)
}

/// A value from the members that Python code gave by name, checked as if they had come as JSON.
pub(crate) fn from_members<T: DeserializeOwned>(
    class: &str,
    members: Option<&Bound<'_, PyDict>>,
) -> PyResult<T> {
    let mut value = match members {
        Some(members) => python_to_json(members)?,
        None => Value::Object(Default::default()),
    };
    if let Value::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
        // `import_` is how Python writes a member called `import`.
        let keywords: Vec<_> = members.keys().filter(|name| name.ends_with('_')).cloned().collect();
        for name in keywords {
            if let Some(member) = members.remove(&name) {
                members.insert(name.trim_end_matches('_').to_owned(), member);
            }
        }
    }
    serde_json::from_value(value).map_err(|error| PyValueError::new_err(format!("{class}: {error}")))
}

/// `Name(member=…, …)`; with `short`, tuples show only how many items they have.
pub(crate) fn repr(this: &Bound<'_, PyAny>, members: &[&str], short: bool) -> PyResult<String> {
    let mut parts = Vec::with_capacity(members.len());
    for name in members {
        let name = name.trim_start_matches("r#"); // a word that Rust keeps for itself
        let member = this.getattr(name)?;
        parts.push(match member.cast::<PyTuple>() {
            Ok(items) if short => format!("{name}=<{} items>", items.len()),
            _ => format!("{name}={}", member.repr()?),
        });
    }
    Ok(format!("{}({})", this.get_type().name()?, parts.join(", ")))
}

/// A frozen class over a plain value of the core: `record!(Name(core::path::Name) { member, … })`. A member
/// whose name is a keyword of Python gets another there: `import = "import_"`. Methods of its own follow the
/// members: `record!(Name(…) { … } fn …)`.
macro_rules! record {
    (
        $(#[$doc:meta])* $name:ident($value:ty) { $($member:ident $(= $python:literal)?),* $(,)? }
        $($method:tt)*
    ) => {
        $crate::data::frozen! {
            $(#[$doc])* $name($value) { $($member $(= $python)?),* }
            long {
                /// As JSON, in one line.
                fn to_json(&self) -> pyo3::PyResult<String> {
                    $crate::data::line(&*self.value)
                }

                /// Reads it back.
                #[classmethod]
                fn from_json(_: &pyo3::Bound<'_, pyo3::types::PyType>, text: &str) -> pyo3::PyResult<Self> {
                    let value = serde_json::from_str(text).map_err(|error| {
                        pyo3::exceptions::PyValueError::new_err(error.to_string())
                    })?;
                    Ok($crate::data::Holds::hold(std::sync::Arc::new(value)))
                }

                $($method)*
            }
        }
    };
}
pub(crate) use record;

/// A frozen class over a document of the core, which also has a kind, a schema version and a digest.
macro_rules! document {
    ($(#[$doc:meta])* $name:ident($value:ty) { $($member:ident $(= $python:literal)?),* $(,)? }) => {
        $crate::data::frozen! {
            $(#[$doc])* $name($value) { $($member $(= $python)?),* }
            short {
                #[classattr]
                #[allow(non_upper_case_globals)]
                const kind: &'static str = <$value as infraflow_core::proof::Document>::KIND;

                #[classattr]
                #[allow(non_upper_case_globals)]
                const schema_version: u32 = <$value as infraflow_core::proof::Document>::SCHEMA_VERSION;

                /// The digest over everything in it that is a decision.
                #[getter]
                fn digest(&self) -> $crate::error::Result<String> {
                    Ok(infraflow_core::proof::Document::digest(&*self.value)?.to_string())
                }

                /// As JSON, with kind, schema version and digest; what another process reads and executes.
                fn to_json(&self) -> $crate::error::Result<String> {
                    Ok(infraflow_core::proof::Document::to_json(&*self.value)?)
                }

                /// Reads a document, and checks its kind, its schema version and its digest.
                #[classmethod]
                fn from_json(
                    _: &pyo3::Bound<'_, pyo3::types::PyType>,
                    text: &str,
                ) -> $crate::error::Result<Self> {
                    let value = <$value as infraflow_core::proof::Document>::from_json(text)?;
                    Ok($crate::data::Holds::hold(std::sync::Arc::new(value)))
                }
            }
        }
    };
}
pub(crate) use document;

/// What records and documents share.
macro_rules! frozen {
    (
        $(#[$doc:meta])* $name:ident($value:ty) { $($member:ident $(= $python:literal)?),* }
        $length:ident { $($own:tt)* }
    ) => {
        $(#[$doc])*
        #[pyo3::pyclass(frozen, module = "infraflow")]
        pub(crate) struct $name {
            value: std::sync::Arc<$value>,
            members: [pyo3::sync::PyOnceLock<pyo3::Py<pyo3::PyAny>>; [$(stringify!($member)),*].len()],
        }

        impl $crate::data::Holds for $name {
            type Value = $value;

            fn hold(value: std::sync::Arc<$value>) -> Self {
                Self { value, members: [$({ let _ = stringify!($member); pyo3::sync::PyOnceLock::new() }),*] }
            }

            fn held(&self) -> &std::sync::Arc<$value> {
                &self.value
            }
        }

        impl $crate::value::ToPython for $value {
            fn to_python(&self, py: pyo3::Python<'_>) -> pyo3::PyResult<pyo3::Py<pyo3::PyAny>> {
                Ok($crate::data::wrap::<$name>(py, self.clone())?.into_any())
            }
        }

        impl $name {
            const MEMBERS: &'static [&'static str] =
                &[$($crate::data::python_name!($member $($python)?)),*];

            /// A member as Python sees it, made once.
            fn member(
                &self,
                py: pyo3::Python<'_>,
                name: &str,
                make: impl FnOnce(&$value) -> pyo3::PyResult<pyo3::Py<pyo3::PyAny>>,
            ) -> pyo3::PyResult<pyo3::Py<pyo3::PyAny>> {
                match Self::MEMBERS.iter().position(|member| *member == name) {
                    Some(at) => Ok(self.members[at].get_or_try_init(py, || make(&self.value))?.clone_ref(py)),
                    None => make(&self.value),
                }
            }
        }

        #[pyo3::pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = (**members))]
            fn new(members: Option<&pyo3::Bound<'_, pyo3::types::PyDict>>) -> pyo3::PyResult<Self> {
                let value = $crate::data::from_members(stringify!($name), members)?;
                Ok($crate::data::Holds::hold(std::sync::Arc::new(value)))
            }

            $(
                #[getter]
                $(#[pyo3(name = $python)])?
                fn $member(&self, py: pyo3::Python<'_>) -> pyo3::PyResult<pyo3::Py<pyo3::PyAny>> {
                    self.member(py, $crate::data::python_name!($member $($python)?), |value| {
                        $crate::value::ToPython::to_python(&value.$member, py)
                    })
                }
            )*

            $($own)*

            fn __eq__(&self, py: pyo3::Python<'_>, other: &pyo3::Bound<'_, pyo3::PyAny>) -> pyo3::PyResult<pyo3::Py<pyo3::PyAny>> {
                match other.cast::<Self>() {
                    Ok(other) => {
                        $crate::value::ToPython::to_python(&$crate::data::same(&*self.value, &*other.get().value)?, py)
                    }
                    Err(_) => Ok(py.NotImplemented()),
                }
            }

            fn __hash__(&self) -> pyo3::PyResult<u64> {
                $crate::data::hash(&*self.value)
            }

            fn __repr__(slf: &pyo3::Bound<'_, Self>) -> pyo3::PyResult<String> {
                $crate::data::repr(slf.as_any(), Self::MEMBERS, stringify!($length) == "short")
            }

            fn __reduce__<'py>(
                slf: &pyo3::Bound<'py, Self>,
            ) -> pyo3::PyResult<(pyo3::Bound<'py, pyo3::PyAny>, (pyo3::Bound<'py, pyo3::PyAny>,))> {
                use pyo3::types::PyAnyMethods as _;
                Ok((slf.get_type().getattr("from_json")?, (slf.call_method0("to_json")?,)))
            }
        }
    };
}
pub(crate) use frozen;

/// A member's name in Python: its own, unless Python keeps that word for itself.
macro_rules! python_name {
    ($member:ident) => {
        stringify!($member)
    };
    ($member:ident $python:literal) => {
        $python
    };
}
pub(crate) use python_name;
