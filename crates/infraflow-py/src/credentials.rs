//! Who hands out credentials: the core's allow-list, or a provider that is written in Python.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use infraflow_core::{
    policy::{
        AllowListed, Configuration as CoreConfiguration, CredentialProvider, EnvironmentName, PolicyError,
        Purpose,
    },
    process::Environment,
};
use pyo3::{exceptions::PyTypeError, prelude::*};

use crate::{error::Result, policy::Configuration, value::as_json};

as_json!(Purpose);

/// The provider that Python code gave, or the allow-list that the section `[credentials]` of a configuration
/// (of the defaults, where none is given) describes.
pub(crate) fn provider_of(
    given: Option<&Bound<'_, PyAny>>,
    configuration: Option<&Bound<'_, Configuration>>,
    caller: Option<Bound<'_, PyAny>>,
) -> Result<Arc<dyn CredentialProvider>> {
    let Some(given) = given else {
        let rules = match configuration {
            Some(configuration) => configuration.get().0.section()?,
            None => CoreConfiguration::defaults().section()?,
        };
        return Ok(Arc::new(AllowListed::new(rules)));
    };
    if !given.hasattr("credentials")? {
        let name = given.get_type().name()?;
        let message =
            format!("{name} is no credential provider: it has no method credentials(environment, purpose)");
        return Err(PyTypeError::new_err(message).into());
    }
    let provider = Provider { object: given.clone().unbind(), caller: caller.map(Bound::unbind) };
    Ok(Arc::new(PythonProvider(Arc::new(provider))))
}

/// A credential provider that is written in Python.
struct PythonProvider(Arc<Provider>);

struct Provider {
    object: Py<PyAny>,
    /// The event loop that awaits the call, if one does.
    caller: Option<Py<PyAny>>,
}

impl Provider {
    fn ask(&self, environment: &EnvironmentName, purpose: Purpose) -> PyResult<Environment> {
        Python::attach(|py| {
            let arguments = (environment.to_string(), crate::value::ToPython::to_python(&purpose, py)?);
            let answer = self.object.bind(py).call_method1("credentials", arguments)?;
            let caller = self.caller.as_ref().map(|caller| caller.bind(py));
            let answer = py.import("infraflow._bridge")?.call_method1("answer_of", (answer, caller))?;
            let variables: BTreeMap<String, String> = answer.extract()?;
            Ok(variables.into_iter().fold(Environment::empty(), |seen, (name, value)| seen.with(name, value)))
        })
    }
}

#[async_trait]
impl CredentialProvider for PythonProvider {
    async fn credentials(
        &self,
        environment: &EnvironmentName,
        purpose: Purpose,
    ) -> Result<Environment, PolicyError> {
        let failed =
            |why: String| PolicyError::Credentials { environment: environment.clone(), purpose, why };
        let (provider, name) = (self.0.clone(), environment.clone());
        // The loop that the answer may need must not wait for this thread.
        let answer = tokio::task::spawn_blocking(move || provider.ask(&name, purpose)).await;
        answer.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
    }
}
