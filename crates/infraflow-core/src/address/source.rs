use std::{fmt, ops::Range};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AddressError, AddressRules, Param, RegistryAddress, SourceKind, oci, params,
    shorthand::{self, Detected},
};

/// What stands in `source = "…"`, taken apart, each part with its place in the text.
///
/// ```
/// use infraflow_core::address::{SourceAddress, SourceKind};
/// let source = "git::https://example.com/infra-v1.git//net?depth=1&ref=v1&sshkey=k";
/// let address = SourceAddress::parse(source)?;
/// assert_eq!(address.kind(), SourceKind::Git);
/// assert_eq!(address.url(), "https://example.com/infra-v1.git");
/// assert_eq!(address.subdir(), Some("net"));
/// assert_eq!(address.reference().as_deref(), Some("v1"));
/// // Nothing but the ref changes, wherever else the same text stands.
/// assert_eq!(address.with_ref("v2")?, source.replace("ref=v1", "ref=v2"));
/// # Ok::<(), infraflow_core::address::AddressError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub struct SourceAddress {
    text: String,
    rules: AddressRules,
    kind: SourceKind,
    forced: Option<String>,
    url: String,
    location: Range<usize>,
    subdir: Option<String>,
    subdir_span: Option<Range<usize>>,
    pub(super) query: Option<Range<usize>>,
    pub(super) params: Vec<ParamSpans>,
    registry: Option<RegistryAddress>,
}

/// An address as JSON: its text, and by whose rules it is read.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Written {
    source: String,
    #[serde(default)]
    rules: AddressRules,
}

// `Range` is no `Hash` within `Param`'s derives that JSON needs, so the spans are kept apart.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct ParamSpans {
    pub(super) piece: Range<usize>,
    pub(super) value: Option<Range<usize>>,
}

impl SourceAddress {
    /// Reads an address by Terraform's rules.
    ///
    /// # Errors
    /// [`AddressError::Source`] where Terraform would not know how to fetch it,
    /// [`AddressError::Escapes`] where its subdirectory leaves the package.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        Self::parse_as(text, AddressRules::Terraform)
    }

    /// Reads an address by a tool's rules.
    ///
    /// # Errors
    /// As [`SourceAddress::parse`]; for Terragrunt's `tfr://` also [`AddressError::Registry`].
    pub fn parse_as(text: &str, rules: AddressRules) -> Result<Self, AddressError> {
        let blank = Self {
            text: text.to_owned(),
            rules,
            kind: SourceKind::Local,
            forced: None,
            url: text.to_owned(),
            location: 0..text.len(),
            subdir: None,
            subdir_span: None,
            query: None,
            params: Vec::new(),
            registry: None,
        };
        if rules != AddressRules::Terragrunt {
            if is_local(text) {
                let clean = clean_path(&text.replace('\\', "/"));
                let url =
                    if clean == ".." || clean.starts_with("../") { clean } else { format!("./{clean}") };
                return Ok(Self { url, ..blank });
            }
            if let Ok(registry) = RegistryAddress::parse(text) {
                return Ok(blank.with_registry(registry));
            }
        }
        blank.split()?.detect()
    }

    /// The address of a registry module, its subdirectory and its place filled in.
    fn with_registry(mut self, registry: RegistryAddress) -> Self {
        self.kind = SourceKind::Registry;
        if let Some(at) = self.text.find("//") {
            self.location = 0..at;
            self.subdir_span = Some(at + 2..self.text.len());
        }
        self.url = self.text[self.location.clone()].to_owned();
        self.subdir = registry.subdir.clone();
        self.registry = Some(registry);
        self
    }

    /// Finds subdirectory and query, as go-getter's `SourceDirSubdir` does.
    fn split(mut self) -> Result<Self, AddressError> {
        let text = self.text.as_str();
        let query_at = text.find('?');
        let stop = query_at.unwrap_or(text.len());
        if let Some(at) = query_at {
            // A fragment ends the query; the tools read it and do nothing with it.
            let end = text[at..].find('#').map_or(text.len(), |length| at + length);
            self.query = Some(at + 1..end);
            self.params = params::split(text, at + 1..end)
                .into_iter()
                .map(|param| ParamSpans {
                    piece: param.span,
                    value: param.value.is_some().then_some(param.value_span),
                })
                .collect();
        }
        let offset = text[..stop].find("://").map_or(0, |at| at + 3);
        let mut location = 0..stop;
        if let Some(at) = text[offset..stop].find("//") {
            location.end = offset + at;
            let span = offset + at + 2..stop;
            let subdir = clean_path(text[span.clone()].trim_start_matches('/'));
            if subdir == ".." || subdir.starts_with("../") {
                return Err(AddressError::Escapes { address: self.text, subdir });
            }
            self.subdir = (!subdir.is_empty()).then_some(subdir);
            self.subdir_span = Some(span);
        }
        if let Some((forced, _)) = split_forced(&text[location.clone()]) {
            location.start = forced.len() + 2;
            self.forced = Some(forced.to_owned());
        }
        self.url = text[location.clone()].to_owned();
        self.location = location;
        Ok(self)
    }

    /// Finds the kind, and for shorthands the address they stand for.
    fn detect(mut self) -> Result<Self, AddressError> {
        let written = self.url.clone();
        if let (None, AddressRules::Terragrunt, Some(rest)) =
            (&self.forced, self.rules, written.strip_prefix("tfr://"))
        {
            return self.detect_tfr(rest);
        }
        let known_host = self.rules == AddressRules::Terragrunt
            && self.forced.is_none()
            && shorthand::is_known_host(&written);
        let scheme = scheme_of(&written).filter(|_| !known_host).map(str::to_owned);
        let Some(scheme) = scheme else {
            let bare = if known_host { shorthand::without_scheme(&written) } else { &written };
            let Detected { kind, url, subdir } = shorthand::detect(bare, self.rules)
                .map_err(|(why, help)| AddressError::Source { address: self.text.clone(), why, help })?;
            self.url = url;
            self.kind = self.forced.as_deref().map_or(kind, SourceKind::of_scheme);
            if let Some(first) = subdir {
                self.subdir = Some(match self.subdir.take() {
                    Some(rest) => clean_path(&format!("{first}/{rest}")),
                    None => clean_path(&first),
                });
            }
            return Ok(self);
        };
        self.kind = SourceKind::of_scheme(self.forced.as_deref().unwrap_or(&scheme));
        if self.kind == SourceKind::Oci {
            if self.rules == AddressRules::Terraform {
                self.kind = SourceKind::Other;
            } else {
                oci::check(&self).map_err(|(why, help)| AddressError::Source {
                    address: self.text.clone(),
                    why,
                    help,
                })?;
            }
        }
        Ok(self)
    }

    /// `tfr://HOST/NAMESPACE/NAME/PROVIDER?version=…`, where the host may be empty.
    fn detect_tfr(mut self, rest: &str) -> Result<Self, AddressError> {
        let bad = |why: &str| AddressError::Registry { address: self.text.clone(), why: why.to_owned() };
        let versions: Vec<Param> = self.params().into_iter().filter(|p| p.name == "version").collect();
        if versions.len() > 1 {
            return Err(bad("it has more than one version"));
        }
        if versions.first().is_some_and(|version| version.decoded().is_empty()) {
            return Err(bad("its version is empty"));
        }
        let mut registry = RegistryAddress::parse(rest.strip_prefix('/').unwrap_or(rest))
            .map_err(|error| AddressError::Registry { address: self.text.clone(), why: error.to_string() })?;
        registry.subdir.clone_from(&self.subdir);
        self.kind = SourceKind::Registry;
        self.registry = Some(registry);
        Ok(self)
    }

    /// The address as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// By whose rules it was read.
    pub fn rules(&self) -> AddressRules {
        self.rules
    }

    /// How the package is fetched.
    pub fn kind(&self) -> SourceKind {
        self.kind
    }

    /// The prefix before `::` that forces a way of fetching, for example `git`.
    pub fn forced(&self) -> Option<&str> {
        self.forced.as_deref()
    }

    /// The scheme of the URL, where it has one.
    pub fn scheme(&self) -> Option<&str> {
        scheme_of(&self.url)
    }

    /// The package's URL without prefix, subdirectory and query; shorthands are written out. For a local
    /// address its cleaned path; for a registry module what was written.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The text that names the package, as written: no forced prefix, no subdirectory, no query.
    pub fn location(&self) -> &str {
        &self.text[self.location.clone()]
    }

    /// The directory within the package, cleaned. Shorthands can bring one (`github.com/org/repo/dir`).
    pub fn subdir(&self) -> Option<&str> {
        self.subdir.as_deref()
    }

    /// Where the subdirectory was written, after the `//`.
    pub fn subdir_span(&self) -> Option<Range<usize>> {
        self.subdir_span.clone()
    }

    /// The registry module this names.
    pub fn registry(&self) -> Option<&RegistryAddress> {
        self.registry.as_ref()
    }

    /// The query's parameters, in order, as written.
    pub fn params(&self) -> Vec<Param> {
        self.params.iter().map(|spans| self.param_at(spans)).collect()
    }

    /// The first parameter of a name: the one that go-getter takes where there are several.
    pub fn param(&self, name: &str) -> Option<Param> {
        self.params.iter().map(|spans| self.param_at(spans)).find(|param| param.name == name)
    }

    pub(super) fn param_at(&self, spans: &ParamSpans) -> Param {
        let piece = &self.text[spans.piece.clone()];
        let name_end = spans.value.as_ref().map_or(piece.len(), |value| value.start - 1 - spans.piece.start);
        Param {
            name: piece[..name_end].to_owned(),
            value: spans.value.clone().map(|value| self.text[value].to_owned()),
            span: spans.piece.clone(),
            value_span: spans.value.clone().unwrap_or(spans.piece.end..spans.piece.end),
        }
    }

    /// The package's URL with its query, but for the parameters of these names.
    pub fn without_params(&self, names: &[&str]) -> String {
        let mut out = self.url.clone();
        for (i, param) in self.params().iter().filter(|p| !names.contains(&p.name.as_str())).enumerate() {
            out.push(if i == 0 { '?' } else { '&' });
            out.push_str(&param.raw());
        }
        out
    }

    /// The address written out: forced prefix, URL, `//` subdirectory, query as written.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        if let Some(registry) = &self.registry
            && !self.text.starts_with("tfr://")
        {
            return format!(
                "{}/{}",
                registry.host_or(self.rules.default_registry()),
                registry.clone().hostless()
            );
        }
        if let Some(prefix) = self.prefix() {
            out.push_str(prefix);
            out.push_str("::");
        }
        out.push_str(&self.url);
        if let Some(subdir) = &self.subdir {
            out.push_str("//");
            out.push_str(subdir);
        }
        out.push_str(&self.written_query());
        out
    }

    /// The package written out: as [`SourceAddress::canonical`], without the subdirectory.
    pub fn package(&self) -> String {
        let prefix = self.prefix().map(|prefix| format!("{prefix}::")).unwrap_or_default();
        format!("{prefix}{}{}", self.url, self.written_query())
    }

    /// The way of fetching that must be named for the URL to be read as this kind.
    fn prefix(&self) -> Option<&str> {
        match (&self.forced, self.kind) {
            (Some(forced), _) => Some(forced),
            (None, SourceKind::Git) if self.scheme() != Some("git") => Some("git"),
            (None, SourceKind::S3) => Some("s3"),
            (None, SourceKind::Gcs) => Some("gcs"),
            _ => None,
        }
    }

    fn written_query(&self) -> String {
        match &self.query {
            Some(query) if !query.is_empty() => format!("?{}", &self.text[query.clone()]),
            _ => String::new(),
        }
    }

    /// Where a relative path leads that Terragrunt takes for local: a `file` URL below an absolute folder,
    /// with the query as written. `None` for everything that is no path.
    pub fn file_url(&self, folder: &str) -> Option<String> {
        let scheme = self.scheme();
        let relative = scheme.is_none() && !self.url.starts_with('/');
        if !folder.starts_with('/') || !relative || self.registry.is_some() {
            return None;
        }
        Some(format!("file://{}", clean_path(&format!("{folder}/{}", self.url))))
    }
}

impl RegistryAddress {
    fn hostless(mut self) -> Self {
        self.host = None;
        self
    }
}

impl fmt::Display for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?})", self.kind.as_str(), self.text)
    }
}

impl TryFrom<Written> for SourceAddress {
    type Error = AddressError;
    fn try_from(written: Written) -> Result<Self, AddressError> {
        Self::parse_as(&written.source, written.rules)
    }
}

impl From<SourceAddress> for Written {
    fn from(address: SourceAddress) -> Self {
        Self { source: address.text, rules: address.rules }
    }
}

/// Whether Terraform takes a text for a path within the same package.
pub(super) fn is_local(text: &str) -> bool {
    ["./", "../", ".\\", "..\\"].iter().any(|prefix| text.starts_with(prefix))
}

/// `FORCED::REST`, as go-getter splits it.
fn split_forced(text: &str) -> Option<(&str, &str)> {
    let (forced, rest) = text.split_once("::")?;
    let good = !forced.is_empty() && forced.bytes().all(|b| b.is_ascii_alphanumeric()) && !rest.is_empty();
    good.then_some((forced, rest))
}

/// The scheme of a URL that Go's `net/url` accepts; `None` where it would refuse it, since go-getter then
/// goes on to its shorthands.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let mut bytes = scheme.bytes();
    let good = bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && !text.bytes().any(|b| b.is_ascii_control());
    if !good || shorthand::is_drive_path(text) {
        return None;
    }
    if let Some(rest) = rest.strip_prefix("//") {
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let port = if host.starts_with('[') { host.split_once("]:") } else { host.split_once(':') };
        if port.is_some_and(|(_, port)| !port.bytes().all(|b| b.is_ascii_digit())) {
            return None;
        }
    }
    Some(scheme)
}

/// `path.Clean` of Go: `.`, `..` and empty names resolved by their text; the empty text where nothing is
/// left.
pub(super) fn clean_path(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            ".." if absolute => {}
            name => names.push(name),
        }
    }
    let joined = names.join("/");
    if absolute { format!("/{joined}") } else { joined }
}
