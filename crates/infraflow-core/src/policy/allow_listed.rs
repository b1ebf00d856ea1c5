use async_trait::async_trait;
use serde::Deserialize;

use super::{CredentialProvider, EnvironmentName, PolicyError, Purpose, Section};
use crate::process::{Environment, Preset};

/// The section `[credentials]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialRules {
    /// What a sandbox's tools see.
    pub test: Vec<PresetName>,
    /// What a dry run's tools see.
    pub plan: Vec<PresetName>,
    /// What a deployment's tools see.
    pub apply: Vec<PresetName>,
    /// Variables that are handed out for every purpose, beside the presets.
    pub variables: Vec<VariableName>,
}

impl Section for CredentialRules {
    const NAME: &'static str = "credentials";
}

/// A [`Preset`] by its name in `infraflow.toml`: `base`, `proxies`, `cli_config`, `registry_tokens`, `git`,
/// `ssh_agent`, `aws`, `google`, `azure`, `kubernetes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PresetName(pub Preset);

impl TryFrom<String> for PresetName {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        let known = [
            ("base", Preset::Base),
            ("proxies", Preset::Proxies),
            ("cli_config", Preset::CliConfig),
            ("registry_tokens", Preset::RegistryTokens),
            ("git", Preset::Git),
            ("ssh_agent", Preset::SshAgent),
            ("aws", Preset::Aws),
            ("google", Preset::Google),
            ("azure", Preset::Azure),
            ("kubernetes", Preset::Kubernetes),
        ];
        known.iter().find(|(text, _)| *text == name).map(|(_, preset)| Self(*preset)).ok_or_else(|| {
            let nearest = super::located::nearest(&name, known.iter().map(|(text, _)| *text));
            format!("nobody knows a preset \"{name}\"\n  help: {nearest}")
        })
    }
}

/// The name of an environment variable that may be handed to a tool.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct VariableName(String);

/// Names that are never handed out: our own keys, and what lets a CI job mint tokens for itself.
const NEVER: [&str; 9] = [
    "INFRAFLOW_",
    "ACTIONS_",
    "ARM_OIDC_REQUEST_",
    "CI_JOB_TOKEN",
    "CI_JOB_JWT",
    "GITHUB_TOKEN",
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_OIDCREQUESTURI",
    "BUILDKITE_AGENT_ACCESS_TOKEN",
];

impl TryFrom<String> for VariableName {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(format!("{name:?} cannot be the name of a variable\n  help: write its bare name"));
        }
        if NEVER.iter().any(|never| name.starts_with(never)) {
            return Err(format!(
                "{name} is never handed to a tool\n  help: sealing keys and the CI system's token service stay with the pipeline; hand out what they mint"
            ));
        }
        Ok(Self(name))
    }
}

/// Hands out an allow-list of this process' own environment: what a job was given, and no more of it than
/// `[credentials]` names. It is the same for every environment: where each has an account or role of its own,
/// each is deployed by a job of its own, or by a provider that mints tokens.
#[derive(Clone, Debug)]
pub struct AllowListed(CredentialRules);

impl AllowListed {
    /// Hands out what the rules name.
    pub fn new(rules: CredentialRules) -> Self {
        Self(rules)
    }
}

#[async_trait]
impl CredentialProvider for AllowListed {
    async fn credentials(&self, _: &EnvironmentName, purpose: Purpose) -> Result<Environment, PolicyError> {
        let presets = match purpose {
            Purpose::Test => &self.0.test,
            Purpose::Plan => &self.0.plan,
            Purpose::Apply => &self.0.apply,
        };
        let presets: Vec<_> = presets.iter().map(|name| name.0).collect();
        let named = self.0.variables.iter();
        Ok(named.fold(
            Environment::preset(&presets),
            |environment, VariableName(name)| match std::env::var_os(name) {
                Some(value) => environment.with(name, value),
                None => environment,
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Configuration;

    fn rules(text: &str) -> Result<CredentialRules, PolicyError> {
        Configuration::parse(text, Configuration::FILE)?.section()
    }

    #[tokio::test]
    async fn a_tool_sees_what_the_rules_name_and_nothing_else() {
        // Cargo sets CARGO_PKG_NAME and CARGO_MANIFEST_DIR for every test it runs.
        let rules =
            rules("[credentials]\nplan = ['base']\napply = []\nvariables = ['CARGO_PKG_NAME']").unwrap();
        let provider = AllowListed::new(rules);
        let prod = EnvironmentName::parse("prod").unwrap();
        let plan = provider.credentials(&prod, Purpose::Plan).await.unwrap();
        assert!(plan.get("PATH").is_some() && plan.get("CARGO_PKG_NAME").is_some());
        assert!(plan.get("CARGO_MANIFEST_DIR").is_none());
        let apply = provider.credentials(&prod, Purpose::Apply).await.unwrap();
        assert!(apply.get("PATH").is_none());
    }

    #[test]
    fn our_keys_and_the_ci_systems_tokens_are_never_handed_out() {
        for name in ["INFRAFLOW_SEALING_KEY", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GITHUB_TOKEN"] {
            let error = rules(&format!("credentials.variables = ['{name}']")).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("infraflow.toml:1:"), "{error}");
        }
    }

    #[test]
    fn a_misspelt_preset_names_the_nearest_one() {
        let error = rules("credentials.plan = ['bsae']").unwrap_err().to_string();
        assert!(error.contains("did you mean \"base\"?"), "{error}");
    }
}
