use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AddressError, source::clean_path};

/// A module in a registry: `[HOST/]NAMESPACE/NAME/PROVIDER[//SUBDIR]`.
///
/// The rules are those of `hashicorp/terraform-registry-address`: names keep their case, hosts do not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct RegistryAddress {
    /// The registry's host, in lower case, with its port where that is not 443; `None` for the tool's
    /// default registry.
    pub host: Option<String>,
    /// The namespace.
    pub namespace: String,
    /// The module's name.
    pub name: String,
    /// The target system, which is mostly a provider's name.
    pub provider: String,
    /// The directory within the package, cleaned.
    pub subdir: Option<String>,
}

impl RegistryAddress {
    /// Reads a registry address, and nothing else.
    ///
    /// # Errors
    /// [`AddressError::Registry`] with what is wrong, [`AddressError::Escapes`] for a subdirectory that
    /// leaves the package.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let bad = |why: String| AddressError::Registry { address: text.to_owned(), why };
        if super::source::is_local(text) {
            return Err(bad("it is a local directory".into()));
        }
        let offset = text.find("://").map_or(0, |at| at + 3);
        let (package, subdir) = match text[offset..].find("//") {
            Some(at) => (&text[..offset + at], Some(&text[offset + at + 2..])),
            None => (text, None),
        };
        if text.contains('?') {
            return Err(bad("it may not include a query".into()));
        }
        let subdir = match subdir.map(clean_path).filter(|dir| !dir.is_empty()) {
            Some(dir) if dir == ".." || dir.starts_with("../") => {
                return Err(AddressError::Escapes { address: text.to_owned(), subdir: dir });
            }
            other => other,
        };
        let parts: Vec<&str> = package.split('/').collect();
        let (host, names) = match parts.as_slice() {
            [_, _, _] => (None, parts.as_slice()),
            [host, names @ ..] if names.len() == 3 => (Some(parse_host(host).map_err(bad)?), names),
            _ => {
                return Err(bad(format!("it has {} parts between slashes, not three or four", parts.len())));
            }
        };
        if let Some(host @ ("github.com" | "bitbucket.org")) = host.as_deref() {
            return Err(bad(format!("{host} is reserved for installing directly from version control")));
        }
        for (what, name) in [("namespace", names[0]), ("name", names[1])] {
            if !is_name(name) {
                let why = if what == "namespace" && name.contains('.') {
                    format!("after the host {name} there must be three more parts")
                } else {
                    format!(
                        "its {what} {name:?} is not 1 to 64 ASCII letters, digits, dashes and underscores, \
                         the last two not at either end"
                    )
                };
                return Err(bad(why));
            }
        }
        let lower = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase();
        if names[2].is_empty() || names[2].len() > 64 || !names[2].bytes().all(lower) {
            return Err(bad(format!(
                "its target system {:?} is not 1 to 64 lower-case ASCII letters and digits",
                names[2]
            )));
        }
        Ok(Self {
            host,
            namespace: names[0].to_owned(),
            name: names[1].to_owned(),
            provider: names[2].to_owned(),
            subdir,
        })
    }

    /// The host, or `default` where the address names none.
    pub fn host_or<'a>(&'a self, default: &'a str) -> &'a str {
        self.host.as_deref().unwrap_or(default)
    }

    /// The package without its subdirectory, as short as it can be written for a tool whose default
    /// registry is `default`.
    pub fn package(&self, default: &str) -> String {
        let short = format!("{}/{}/{}", self.namespace, self.name, self.provider);
        match &self.host {
            Some(host) if host != default => format!("{host}/{short}"),
            _ => short,
        }
    }
}

impl fmt::Display for RegistryAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(f, "{host}/")?;
        }
        write!(f, "{}/{}/{}", self.namespace, self.name, self.provider)?;
        match &self.subdir {
            Some(subdir) => write!(f, "//{subdir}"),
            None => Ok(()),
        }
    }
}

fn is_name(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    name.len() <= 64 && name.bytes().all(inner) && edge(name.bytes().next()) && edge(name.bytes().next_back())
}

/// A service host, as `terraform-svchost` reads it: lower case, no punycode, port 443 left out. Of IDNA
/// only what decides about letters and hyphens is checked here.
pub(super) fn parse_host(text: &str) -> Result<String, String> {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    if !name.contains('.') {
        return Err(format!("its host {name:?} has no dot"));
    }
    let name = name.to_lowercase();
    for label in name.split('.') {
        let good = !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.get(2..4) != Some("--")
            && label.chars().all(|c| c == '-' || c.is_alphanumeric());
        if !good {
            return Err(format!("its host {name:?} is no host name (in Unicode letters, not in punycode)"));
        }
    }
    match port {
        None | Some("443") => Ok(name),
        Some(port) => match port.parse::<u16>() {
            Ok(number) => Ok(format!("{name}:{number}")),
            Err(_) => Err(format!("its port {port:?} is no port number")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_registry_is_left_out_of_a_package() {
        let address =
            RegistryAddress::parse("Registry.Terraform.io:443/hashicorp/consul/aws//a/./b").unwrap();
        assert_eq!(address.package("registry.terraform.io"), "hashicorp/consul/aws");
        assert_eq!(address.to_string(), "registry.terraform.io/hashicorp/consul/aws//a/b");
    }

    #[test]
    fn what_is_no_registry_address_is_refused() {
        for bad in [
            "a/b",
            "a/b/c/d/e",
            "github.com/a/b/c",
            "xn--e1afmkfd.com/a/b/c",
            "a.com:x/a/b/c",
            "a/b/c//../d",
            "a/b/c?ref=1",
            "./a/b",
            "",
            "a/-b/c",
        ] {
            assert!(RegistryAddress::parse(bad).is_err(), "{bad}");
        }
    }
}
