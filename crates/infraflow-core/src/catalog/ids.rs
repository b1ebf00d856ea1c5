use std::{borrow::Cow, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CatalogError;
use crate::proof::RepoPath;

/// The name of a dialect, for example `terraform`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct DialectName(Cow<'static, str>);

impl DialectName {
    /// Checks a name: lower-case letters, digits, `_` and `-`, beginning with a letter.
    ///
    /// # Errors
    /// [`CatalogError::BadName`].
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        if is_name(text.as_bytes()) {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(CatalogError::BadName {
                what: "the name of a dialect",
                text: text.to_owned(),
                help: "use lower-case letters, digits, _ and -, and begin with a letter",
            })
        }
    }

    /// The name of a dialect that is known when it is compiled: `const { DialectName::constant("compose") }` is
    /// checked there.
    ///
    /// # Panics
    /// Where [`DialectName::parse`] would refuse the name; in a `const`, compiling fails.
    pub const fn constant(name: &'static str) -> Self {
        assert!(is_name(name.as_bytes()), "a dialect's name has lower-case letters, digits, _ and - only");
        Self(Cow::Borrowed(name))
    }

    /// Terraform and OpenTofu.
    pub fn terraform() -> Self {
        const { Self::constant("terraform") }
    }

    /// Terragrunt.
    pub fn terragrunt() -> Self {
        const { Self::constant("terragrunt") }
    }

    /// Terramate.
    pub fn terramate() -> Self {
        const { Self::constant("terramate") }
    }

    /// Kustomizations.
    pub fn kustomize() -> Self {
        Self(Cow::Borrowed("kustomize"))
    }

    /// Helm charts.
    pub fn helm() -> Self {
        Self(Cow::Borrowed("helm"))
    }

    /// Whether it is one of those of Kubernetes, which no tool of Terraform's runs.
    pub(super) fn is_of_kubernetes(&self) -> bool {
        matches!(&*self.0, "kustomize" | "helm")
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn is_name(text: &[u8]) -> bool {
    let mut at = 0;
    while at < text.len() {
        let good = text[at].is_ascii_lowercase()
            || (at > 0 && (text[at].is_ascii_digit() || text[at] == b'_' || text[at] == b'-'));
        if !good {
            return false;
        }
        at += 1;
    }
    at > 0
}

/// The name of a workspace of Terraform's CLI.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct WorkspaceName(String);

impl WorkspaceName {
    /// Checks a name as Terraform does: it must need no escaping in a URL's path.
    ///
    /// # Errors
    /// [`CatalogError::BadName`].
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        // internal/command/workspace_command.go, validWorkspaceName: name == url.PathEscape(name)
        let good = !text.is_empty()
            && !text.starts_with('-')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~$&+=:@".contains(&b));
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(CatalogError::BadName {
                what: "the name of a workspace",
                text: text.to_owned(),
                help: "use letters, digits and -_.~$&+=:@, and do not begin with -",
            })
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One setting of a unit's backend, as it is given to `-backend-config`: `key=value`, or the path of a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct BackendSetting(String);

impl BackendSetting {
    /// Checks a setting: one line, not empty, without NUL.
    ///
    /// # Errors
    /// [`CatalogError::BadName`].
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        if text.is_empty() || text.contains(['\0', '\n', '\r']) {
            return Err(CatalogError::BadName {
                what: "a backend setting",
                text: text.to_owned(),
                help: "write key=value, or the path of a file, on one line",
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The setting.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What tells one unit from another: its directory and, where teams use them, a workspace, variable files
/// and backend settings. Two units may share a directory. Where the units of two dialects do, that of the
/// later one in the catalog's list says its dialect too.
///
/// Written `path`, or `path#workspace=…&var_file=…&backend=…&dialect=…`; in each part `%`, `#` and `&` are
/// written `%XX`.
///
/// ```
/// use infraflow_core::{catalog::{UnitId, WorkspaceName}, proof::RepoPath};
/// let unit = UnitId::new(RepoPath::parse("live/network")?)
///     .with_workspace(WorkspaceName::parse("prod")?)
///     .with_var_file(RepoPath::parse("live/env/prod.tfvars")?);
/// assert_eq!(unit.to_string(), "live/network#workspace=prod&var_file=live/env/prod.tfvars");
/// assert_eq!(UnitId::parse(&unit.to_string())?, unit);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct UnitId {
    path: RepoPath,
    workspace: Option<WorkspaceName>,
    var_files: Vec<RepoPath>,
    backend: Vec<BackendSetting>,
    /// Seldom there: an id is part of many results and errors, and stays small.
    dialect: Option<Box<DialectName>>,
}

impl UnitId {
    /// The unit that is a directory and nothing else.
    pub fn new(path: RepoPath) -> Self {
        Self { path, workspace: None, var_files: Vec::new(), backend: Vec::new(), dialect: None }
    }

    /// The same, told from a unit of another dialect in its directory.
    #[must_use]
    pub fn with_dialect(mut self, dialect: DialectName) -> Self {
        self.dialect = Some(Box::new(dialect));
        self
    }

    /// The same in a workspace.
    #[must_use]
    pub fn with_workspace(mut self, workspace: WorkspaceName) -> Self {
        self.workspace = Some(workspace);
        self
    }

    /// The same with one more variable file (`-var-file`), by its path in the repository; order counts.
    #[must_use]
    pub fn with_var_file(mut self, file: RepoPath) -> Self {
        self.var_files.push(file);
        self
    }

    /// The same with one more backend setting (`-backend-config`); order counts.
    #[must_use]
    pub fn with_backend(mut self, setting: BackendSetting) -> Self {
        self.backend.push(setting);
        self
    }

    /// Reads an id back from its text.
    ///
    /// # Errors
    /// [`CatalogError::BadName`] for an unknown part or a part that is not well-formed.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        let bad = || CatalogError::BadName {
            what: "the id of a unit",
            text: text.to_owned(),
            help: "write path or path#workspace=NAME&var_file=PATH&backend=KEY=VALUE, with %XX for % # & in each part",
        };
        let path = |text: &str| RepoPath::try_from(text.to_owned()).map_err(|_| bad());
        let (directory, rest) = text.split_once('#').unwrap_or((text, ""));
        let mut id = Self::new(path(directory)?);
        for part in rest.split('&').filter(|part| !part.is_empty()) {
            match part.split_once('=').ok_or_else(bad)? {
                ("workspace", name) if id.workspace.is_none() => {
                    id.workspace = Some(WorkspaceName::parse(&unescape(name).ok_or_else(bad)?)?);
                }
                ("dialect", name) if id.dialect.is_none() => {
                    id.dialect = Some(Box::new(DialectName::parse(name)?))
                }
                ("var_file", file) => id.var_files.push(path(file)?),
                ("backend", setting) => {
                    id.backend.push(BackendSetting::parse(&unescape(setting).ok_or_else(bad)?)?);
                }
                _ => return Err(bad()),
            }
        }
        Ok(id)
    }

    /// The directory.
    pub fn path(&self) -> &RepoPath {
        &self.path
    }

    /// The dialect, where a unit of another one shares the directory.
    pub fn dialect(&self) -> Option<&DialectName> {
        self.dialect.as_deref()
    }

    /// The workspace; `None` where the unit does not select one.
    pub fn workspace(&self) -> Option<&WorkspaceName> {
        self.workspace.as_ref()
    }

    /// The variable files that are named to the tool, in order.
    pub fn var_files(&self) -> &[RepoPath] {
        &self.var_files
    }

    /// The backend settings that are named to the tool, in order.
    pub fn backend(&self) -> &[BackendSetting] {
        &self.backend
    }
}

/// `#` and `&` part an id; `%` is escaped by [`RepoPath`] already.
fn escape(text: &str) -> String {
    text.replace('#', "%23").replace('&', "%26")
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape(&self.path.to_string()))?;
        let workspace = self.workspace.iter().map(|name| ("workspace", name.0.replace('%', "%25")));
        let files = self.var_files.iter().map(|file| ("var_file", file.to_string()));
        let backend = self.backend.iter().map(|setting| ("backend", setting.0.replace('%', "%25")));
        let dialect = self.dialect.iter().map(|name| ("dialect", name.0.to_string()));
        for (i, (key, value)) in workspace.chain(files).chain(backend).chain(dialect).enumerate() {
            write!(f, "{}{key}={}", if i == 0 { '#' } else { '&' }, escape(&value))?;
        }
        Ok(())
    }
}

/// What tells one test case from another: the path of the example's directory, or of the test file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CaseId(RepoPath);

impl CaseId {
    /// The case at a path.
    pub fn new(path: RepoPath) -> Self {
        Self(path)
    }

    /// The path.
    pub fn path(&self) -> &RepoPath {
        &self.0
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<UnitId> for String {
    fn from(id: UnitId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for UnitId {
    type Error = CatalogError;
    fn try_from(text: String) -> Result<Self, CatalogError> {
        Self::parse(&text)
    }
}

macro_rules! checked_text {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.into()
            }
        }
        impl TryFrom<String> for $name {
            type Error = CatalogError;
            fn try_from(text: String) -> Result<Self, CatalogError> {
                Self::parse(&text)
            }
        }
    )+};
}
checked_text!(DialectName, WorkspaceName, BackendSetting);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_id_reads_back_from_its_text_whatever_stands_in_it() {
        let odd = RepoPath::parse(b"live/a#b&c%=\xff/\xc3\xa9").unwrap();
        let id = UnitId::new(odd.clone())
            .with_workspace(WorkspaceName::parse("a&b=c").unwrap())
            .with_var_file(odd)
            .with_var_file(RepoPath::parse("x.tfvars").unwrap())
            .with_backend(BackendSetting::parse("key=a&b#c%20").unwrap())
            .with_dialect(DialectName::kustomize());
        assert_eq!(UnitId::parse(&id.to_string()).unwrap(), id, "{id}");
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<UnitId>(&json).unwrap(), id);
    }

    #[test]
    fn a_part_nobody_knows_is_refused() {
        for bad in
            ["a#x=1", "a#workspace", "a#workspace=a&workspace=b", "a#workspace=%zz", "../a", "a#var_file=/x"]
        {
            assert!(UnitId::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(UnitId::parse(".").unwrap().path(), &RepoPath::root());
    }
}
