//! One conversion from the core's error enums to one hierarchy of exceptions.
//!
//! The classes are Python's (`infraflow/_errors.py`), one per folder of the core, all below
//! `InfraflowError`. An exception carries the whole message, the name of the enum's variant in snake_case as
//! `kind`, so that programs need not read messages, and the `help` line of the message.

use std::{error::Error, fmt, sync::Arc};

use pyo3::{prelude::*, types::PyDict};

/// What a call of the extension can end with: an error of the core, or one that Python raised.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error of the core, as data: it may cross threads before it becomes an exception.
    Core { class: &'static str, kind: String, message: String },
    /// An exception that Python code raised below the core.
    Python(PyErr),
}

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// The failure that an error of the core stands for; `class` is the exception's name.
    pub(crate) fn of(class: &'static str, error: &(dyn Error + 'static), kind: &impl fmt::Debug) -> Self {
        // A detector, a sealer … written in Python raises its own exceptions through the core: what was
        // raised comes out again.
        let mut below = Some(error);
        while let Some(error) = below {
            let shared = error.downcast_ref::<Arc<dyn Error + Send + Sync>>();
            let raised = match shared {
                Some(shared) => shared.downcast_ref::<PyErr>(),
                None => error.downcast_ref::<PyErr>(),
            };
            if let Some(raised) = raised {
                return Self::Python(Python::attach(|py| raised.clone_ref(py)));
            }
            below = error.source();
        }
        Self::Core { class, kind: variant(kind), message: error.to_string() }
    }

    /// A failure of the extension itself.
    pub(crate) fn own(kind: &str, message: impl Into<String>) -> Self {
        Self::Core { class: "InfraflowError", kind: kind.to_owned(), message: message.into() }
    }
}

/// The name of an enum's variant in snake_case, from its derived `Debug`.
fn variant(value: &impl fmt::Debug) -> String {
    let text = format!("{value:?}");
    let name = text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Python(error) => error,
            Failure::Core { class, kind, message } => {
                Python::attach(|py| exception(py, class, &kind, &message).unwrap_or_else(|error| error))
            }
        }
    }
}

fn exception(py: Python<'_>, class: &str, kind: &str, message: &str) -> PyResult<PyErr> {
    let help = message.lines().find_map(|line| line.trim_start().strip_prefix("help: "));
    let arguments = PyDict::new(py);
    arguments.set_item("kind", kind)?;
    arguments.set_item("help", help)?;
    let class = py.import("infraflow._errors")?.getattr(class)?;
    Ok(PyErr::from_value(class.call((message,), Some(&arguments))?))
}

impl<E> From<Box<E>> for Failure
where
    Self: From<E>,
{
    fn from(error: Box<E>) -> Self {
        (*error).into()
    }
}

/// Says which exception each error enum of the core becomes. A variant that only passes on another enum's
/// error (`unless`) becomes that one's exception.
macro_rules! exceptions {
    ($($folder:ident::$error:ident => $class:literal $(unless $($variant:ident),+)?;)*) => {
        $(impl From<infraflow_core::$folder::$error> for Failure {
            fn from(error: infraflow_core::$folder::$error) -> Self {
                match error {
                    $($(infraflow_core::$folder::$error::$variant(inner) => inner.into(),)+)?
                    error => Self::of($class, &error, &error),
                }
            }
        })*
    };
}

exceptions! {
    address::AddressError => "AddressError";
    bump::BumpError => "BumpError" unless Git, Address, Interface, Proof;
    catalog::CatalogError => "CatalogError";
    detect::DetectError => "DetectError" unless Git;
    dry_run::DryRunError => "DryRunError" unless Git, Proof;
    git::GitError => "GitError" unless Path, Process;
    interface::InterfaceError => "InterfaceError";
    pipeline::PipelineError => "PipelineError";
    policy::PolicyError => "PolicyError" unless Git;
    process::ProcessError => "ProcessError";
    proof::ProofError => "ProofError";
    publish::PublishError => "PublishError" unless Proof, Store;
    redact::RedactError => "RedactError";
    release::ReleaseError => "ReleaseError" unless Git, Interface, Policy;
    seal::SealError => "SealError";
    select::SelectError => "SelectError" unless Proof, Store;
    store::StoreError => "StoreError";
    terraform::TerraformError => "TerraformError" unless Process;
}
