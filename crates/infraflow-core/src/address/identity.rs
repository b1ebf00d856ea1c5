use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AddressRules, SourceAddress, SourceKind};

/// What package an address names, however it is written: two addresses with equal identities fetch from the
/// same place. Protocol, user, port of SSH, `.git`, letter case of hosts and parameters do not matter.
///
/// ```
/// use infraflow_core::address::{PackageIdentity, SourceAddress};
/// let of = |text| SourceAddress::parse(text).map(|address| PackageIdentity::of(&address));
/// assert_eq!(of("git@github.com:acme/infra.git")?, of("git::https://token@GitHub.com/acme/infra?ref=v1")?);
/// assert_ne!(of("github.com/acme/infra")?, of("github.com/acme/infra-v1")?);
/// # Ok::<(), infraflow_core::address::AddressError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PackageIdentity(String);

/// Hosts whose repository names are the same in any letter case.
const CASELESS_HOSTS: [&str; 3] = ["github.com", "gitlab.com", "bitbucket.org"];

/// Where hosts take SSH on the port of HTTPS.
const SSH_HOSTS: [(&str, &str); 3] = [
    ("ssh.github.com", "github.com"),
    ("altssh.gitlab.com", "gitlab.com"),
    ("altssh.bitbucket.org", "bitbucket.org"),
];

impl PackageIdentity {
    /// The identity of an address's package. That of a local address is its path, and says nothing beyond
    /// the directory of its caller.
    pub fn of(address: &SourceAddress) -> Self {
        if let Some(registry) = address.registry() {
            // Terragrunt asks Terraform's or OpenTofu's registry by default, whichever it runs.
            let terragrunt = address.rules() == AddressRules::Terragrunt;
            let defaults =
                [AddressRules::Terraform, AddressRules::OpenTofu].map(AddressRules::default_registry);
            let default = match &registry.host {
                Some(host) if terragrunt && defaults.contains(&host.as_str()) => host,
                _ => address.rules().default_registry(),
            };
            return Self(format!("registry:{}", registry.package(default)));
        }
        match address.kind() {
            SourceKind::Git => Self(format!("git:{}", repository(address.url()))),
            SourceKind::Mercurial => Self(format!("mercurial:{}", repository(address.url()))),
            SourceKind::Other if address.scheme() == Some("ssh") => {
                Self(format!("git:{}", repository(address.url())))
            }
            SourceKind::S3 => Self(format!("s3:{}", path_style(address.url()))),
            kind => Self(format!("{}:{}", kind.as_str(), address.url().trim_end_matches('/'))),
        }
    }

    /// The identity of a git remote, as `git remote get-url` writes it: any URL, `USER@HOST:PATH`, or a
    /// path.
    pub fn of_remote(url: &str) -> Self {
        Self(format!("git:{}", repository(url)))
    }

    /// The text by which identities are compared; stable between runs, not between versions.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PackageIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.split_once(':').map_or(&*self.0, |(_, rest)| rest))
    }
}

impl fmt::Debug for PackageIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `HOST/PATH` of a repository's URL; a path of the file system is its own host.
fn repository(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (scheme, rest.to_owned()),
        // USER@HOST:PATH, unless a slash comes before the colon (gitcli(7), "GIT URLS").
        None => match url.split_once(':') {
            Some((host, path)) if !host.contains('/') && !host.is_empty() => {
                ("ssh", format!("{host}/{}", path.trim_start_matches('/')))
            }
            _ => ("file", url.to_owned()),
        },
    };
    if scheme == "file" {
        let path = if rest.starts_with('/') {
            rest
        } else {
            // file://HOST/PATH: the host is this machine.
            rest.split_once('/').map_or(rest.clone(), |(_, path)| format!("/{path}"))
        };
        return without_suffix(&super::source::clean_path(&path)).to_owned();
    }
    let (authority, path) = rest.split_once('/').unwrap_or((&rest, ""));
    let host = authority.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let (name, port) = host.split_once(':').unwrap_or((&host, ""));
    // SSH runs on a port of its own beside the same server's HTTPS, so it tells nothing apart.
    let keep = match (scheme, port) {
        ("https", "443") | ("http", "80") | ("git", "9418") | (_, "") => false,
        (scheme, _) => !scheme.contains("ssh"),
    };
    let mut path = without_suffix(path.trim_matches('/')).to_owned();
    let mut host = if keep { format!("{name}:{port}") } else { name.to_owned() };
    if let Some((_, real)) = SSH_HOSTS.iter().find(|(alias, _)| *alias == host) {
        host = (*real).to_owned();
    }
    // Azure DevOps: git@ssh.dev.azure.com:v3/ORG/PROJECT/REPO is https://dev.azure.com/ORG/PROJECT/_git/REPO.
    if host == "ssh.dev.azure.com" {
        host = "dev.azure.com".to_owned();
        path = path.strip_prefix("v3/").unwrap_or(&path).to_owned();
    } else if host == "dev.azure.com" {
        path = path.replacen("/_git/", "/", 1);
    }
    if CASELESS_HOSTS.contains(&host.as_str()) {
        path.make_ascii_lowercase();
    }
    format!("{host}/{path}")
}

fn without_suffix(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.strip_suffix(".git").unwrap_or(path)
}

/// The one form of the several that name an S3 object: `https://s3-REGION.amazonaws.com/BUCKET/KEY`.
fn path_style(url: &str) -> String {
    let Some((host, path)) = url.strip_prefix("https://").and_then(|rest| rest.split_once(".amazonaws.com/"))
    else {
        return url.to_owned();
    };
    let labels: Vec<&str> = host.split('.').collect();
    let (bucket, region) = match labels.as_slice() {
        ["s3"] => (None, None),
        ["s3", region] => (None, Some(*region)),
        [one] => (None, one.strip_prefix("s3-")),
        [bucket @ .., "s3", region] => (Some(bucket.join(".")), Some(*region)),
        [bucket @ .., "s3"] => (Some(bucket.join(".")), None),
        [bucket @ .., last] => (Some(bucket.join(".")), last.strip_prefix("s3-")),
        [] => return url.to_owned(),
    };
    let region = region.map(|region| format!("-{region}")).unwrap_or_default();
    let bucket = bucket.map(|bucket| format!("{bucket}/")).unwrap_or_default();
    format!("https://s3{region}.amazonaws.com/{bucket}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        PackageIdentity::of_remote(a) == PackageIdentity::of_remote(b)
    }

    #[test]
    fn a_repository_is_the_same_by_every_protocol() {
        for other in [
            "git@github.com:acme/infra.git",
            "ssh://git@github.com:22/acme/infra",
            "https://user:token@github.com/Acme/infra.git/",
            "git://github.com/acme/infra.git",
            "ssh://git@ssh.github.com:443/acme/infra.git",
        ] {
            assert!(same("https://github.com/acme/infra", other), "{other}");
        }
        assert!(same("git@ssh.dev.azure.com:v3/o/p/r", "https://me@dev.azure.com/o/p/_git/r"));
        assert!(same("/srv/git/modules.git", "file:///srv/git//modules"));
        assert!(same("file://localhost/srv/m", "/srv/m"));
    }

    #[test]
    fn another_host_path_or_port_is_another_repository() {
        let base = "https://git.example.com/acme/infra";
        for other in [
            "https://git.example.com/acme/infra-v1",
            "https://git.example.com/Acme/infra",
            "https://git.example.org/acme/infra",
            "https://git.example.com:8443/acme/infra",
            "https://git.example.com/acme/infra/net",
        ] {
            assert!(!same(base, other), "{other}");
        }
    }
}
