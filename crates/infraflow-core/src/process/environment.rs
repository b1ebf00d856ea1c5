use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt,
    os::unix::ffi::OsStrExt,
};

/// A documented group of environment variables that may be passed on to a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// What nearly every program needs: `PATH`, `HOME`, `USER`, `LOGNAME`, `LANG`, `LANGUAGE`, `LC_*`,
    /// `TZ`, `TMPDIR`, `TERM`, `XDG_*`.
    Base,
    /// Proxies and certificate authorities: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, `ALL_PROXY` in both
    /// cases, `SSL_CERT_FILE`, `SSL_CERT_DIR`, `CURL_CA_BUNDLE`, `REQUESTS_CA_BUNDLE`, `AWS_CA_BUNDLE`.
    Proxies,
    /// Where terraform and tofu find their configuration and plugins: `TF_CLI_CONFIG_FILE`,
    /// `TERRAFORM_CONFIG`, `TF_PLUGIN_CACHE_DIR`, `TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE`,
    /// `TF_REGISTRY_DISCOVERY_RETRY`, `TF_REGISTRY_CLIENT_TIMEOUT`. Never `TF_VAR_*`, `TF_LOG*`,
    /// `TF_CLI_ARGS*` or `TF_DATA_DIR`, which change what a plan says.
    CliConfig,
    /// Tokens for module and provider registries: `TF_TOKEN_*`.
    RegistryTokens,
    /// How git reaches its remotes: `GIT_SSH`, `GIT_SSH_COMMAND`, `GIT_ASKPASS`, `SSH_ASKPASS`,
    /// `GIT_SSL_*`, `GIT_CONFIG_GLOBAL`, `GIT_CONFIG_SYSTEM`, `GIT_CONFIG_NOSYSTEM`, `GIT_CONFIG_COUNT`,
    /// `GIT_CONFIG_KEY_*`, `GIT_CONFIG_VALUE_*`, `GCM_*`.
    Git,
    /// The SSH agent: `SSH_AUTH_SOCK`, `SSH_AGENT_PID`.
    SshAgent,
    /// Amazon Web Services: `AWS_*`.
    Aws,
    /// Google Cloud: `GOOGLE_*`, `GCLOUD_*`, `CLOUDSDK_*`, `GCE_METADATA_HOST`.
    Google,
    /// Azure: `ARM_*`, `AZURE_*`, but never `ARM_OIDC_REQUEST_*`, which is the CI system's token service.
    Azure,
    /// Kubernetes: `KUBECONFIG`, `KUBE_*`, `KUBERNETES_SERVICE_*`.
    Kubernetes,
}

impl Preset {
    /// Names, where a trailing `*` stands for any rest.
    fn patterns(self) -> &'static [&'static str] {
        match self {
            Self::Base => &[
                "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "TERM",
                "XDG_*",
            ],
            Self::Proxies => &[
                "HTTP_PROXY",
                "http_proxy",
                "HTTPS_PROXY",
                "https_proxy",
                "NO_PROXY",
                "no_proxy",
                "ALL_PROXY",
                "all_proxy",
                "SSL_CERT_FILE",
                "SSL_CERT_DIR",
                "CURL_CA_BUNDLE",
                "REQUESTS_CA_BUNDLE",
                "AWS_CA_BUNDLE",
            ],
            Self::CliConfig => &[
                "TF_CLI_CONFIG_FILE",
                "TERRAFORM_CONFIG",
                "TF_PLUGIN_CACHE_DIR",
                "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE",
                "TF_REGISTRY_DISCOVERY_RETRY",
                "TF_REGISTRY_CLIENT_TIMEOUT",
            ],
            Self::RegistryTokens => &["TF_TOKEN_*"],
            Self::Git => &[
                "GIT_SSH",
                "GIT_SSH_COMMAND",
                "GIT_ASKPASS",
                "SSH_ASKPASS",
                "GIT_SSL_*",
                "GIT_CONFIG_GLOBAL",
                "GIT_CONFIG_SYSTEM",
                "GIT_CONFIG_NOSYSTEM",
                "GIT_CONFIG_COUNT",
                "GIT_CONFIG_KEY_*",
                "GIT_CONFIG_VALUE_*",
                "GCM_*",
            ],
            Self::SshAgent => &["SSH_AUTH_SOCK", "SSH_AGENT_PID"],
            Self::Aws => &["AWS_*"],
            Self::Google => &["GOOGLE_*", "GCLOUD_*", "CLOUDSDK_*", "GCE_METADATA_HOST"],
            Self::Azure => &["ARM_*", "AZURE_*"],
            Self::Kubernetes => &["KUBECONFIG", "KUBE_*", "KUBERNETES_SERVICE_*"],
        }
    }

    fn allows(self, name: &OsStr) -> bool {
        let name = name.as_bytes();
        if name.starts_with(b"ARM_OIDC_REQUEST_") {
            return false;
        }
        self.patterns().iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start.as_bytes()),
            None => name == pattern.as_bytes(),
        })
    }
}

/// The environment that a program sees: an allow-list, never this process' own by default. Sealing keys
/// and the CI system's token service are in no preset.
///
/// `Debug` shows names and hides values.
///
/// ```
/// use infraflow_core::process::{Environment, Preset};
/// let environment = Environment::preset(&[Preset::Base]).with("TF_VAR_region", "eu");
/// assert!(format!("{environment:?}").contains("TF_VAR_region"));
/// assert!(!format!("{environment:?}").contains("eu\""));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Preset {
    /// What terraform and tofu are given where nothing else is said: all that is of no cloud.
    pub const OF_TERRAFORM: [Self; 6] =
        [Self::Base, Self::Proxies, Self::CliConfig, Self::RegistryTokens, Self::Git, Self::SshAgent];
}

impl Environment {
    /// No variable at all; not even `PATH`.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The variables of this process that one of the presets allows.
    pub fn preset(presets: &[Preset]) -> Self {
        Self::select(presets, std::env::vars_os())
    }

    /// The given variables that one of the presets allows.
    pub fn select(presets: &[Preset], variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(
            variables
                .into_iter()
                .filter(|(name, _)| presets.iter().any(|preset| preset.allows(name)))
                .collect(),
        )
    }

    /// The same and one variable more, or with another value.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The same without a variable.
    #[must_use]
    pub fn without(mut self, name: impl AsRef<OsStr>) -> Self {
        self.0.remove(name.as_ref());
        self
    }

    /// The same with everything of another one; where both have a variable, the other one's value holds.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().map(|(name, value)| (name.clone(), value.clone())));
        self
    }

    /// The value of a variable.
    pub fn get(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.0.get(name.as_ref()).map(OsString::as_os_str)
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")?;
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(presets: &[Preset], names: &[&str]) -> Vec<String> {
        let variables = names.iter().map(|name| (OsString::from(name), OsString::from("v")));
        let environment = Environment::select(presets, variables);
        environment.iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn only_what_a_preset_names_is_passed_on() {
        let names = ["PATH", "LC_ALL", "INFRAFLOW_SEALING_KEY", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "PATHS"];
        assert_eq!(chosen(&[Preset::Base], &names), ["LC_ALL", "PATH"]);
        assert!(chosen(&[], &names).is_empty());
    }

    #[test]
    fn the_ci_systems_token_service_is_in_no_preset() {
        let all = [
            Preset::Base,
            Preset::Proxies,
            Preset::CliConfig,
            Preset::RegistryTokens,
            Preset::Git,
            Preset::SshAgent,
            Preset::Aws,
            Preset::Google,
            Preset::Azure,
            Preset::Kubernetes,
        ];
        let names = [
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "ACTIONS_RUNTIME_TOKEN",
            "ARM_OIDC_REQUEST_TOKEN",
            "ARM_OIDC_REQUEST_URL",
            "CI_JOB_TOKEN",
            "SYSTEM_ACCESSTOKEN",
            "BUILDKITE_AGENT_ACCESS_TOKEN",
            "GITHUB_TOKEN",
            "TF_VAR_password",
            "TF_CLI_ARGS_apply",
        ];
        assert!(chosen(&all, &names).is_empty());
    }

    #[test]
    fn debug_hides_values() {
        let environment = Environment::empty().with("TOKEN", "hunter2");
        let shown = format!("{environment:?}");
        assert!(shown.contains("TOKEN") && !shown.contains("hunter2"));
    }
}
