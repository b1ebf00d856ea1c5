use std::{collections::BTreeMap, fmt::Write as _};

use hcl_edit::expr::Expression;

use super::{BumpError, BumpTarget};
use crate::{interface::Interface, proof::RepoPath};

/// A unit that is deployed for the first time: one call of a module, written from the module's variables.
///
/// A variable with a value given gets it. A required variable without one becomes a variable of the unit, of
/// the same type and sensitivity, to be set where the team sets such things. An optional one stands as a
/// comment with its default.
#[derive(Clone, Debug)]
#[must_use]
pub struct Scaffold {
    pub(super) unit: RepoPath,
    pub(super) module: RepoPath,
    pub(super) interface: Interface,
    values: BTreeMap<String, String>,
    settings: String,
}

impl Scaffold {
    /// A unit in the directory `unit`, calling the module that stands in `module` of its package, whose
    /// interface this is.
    pub fn new(unit: RepoPath, module: RepoPath, interface: Interface) -> Self {
        Self { unit, module, interface, values: BTreeMap::new(), settings: String::new() }
    }

    /// The value of a variable, as an HCL expression: a text has its quotes.
    pub fn value(mut self, variable: impl Into<String>, expression: impl Into<String>) -> Self {
        self.values.insert(variable.into(), expression.into());
        self
    }

    /// What stands before the call, as HCL: the backend, providers.
    pub fn settings(mut self, text: impl Into<String>) -> Self {
        self.settings = text.into();
        self
    }

    /// The unit's file.
    pub(super) fn file(&self) -> RepoPath {
        self.unit.join("main.tf")
    }

    /// The file's text, calling the module of a target at its version.
    pub(super) fn text(&self, target: &BumpTarget) -> Result<String, BumpError> {
        let fail = |why: String| BumpError::Scaffold { unit: self.unit.clone(), why };
        if let Some(unknown) = self.values.keys().find(|name| !self.interface.variables().contains_key(*name))
        {
            return Err(fail(format!("the module {} has no variable {unknown:?}", self.module)));
        }
        for (variable, expression) in &self.values {
            if let Err(error) = expression.parse::<Expression>() {
                return Err(fail(format!("the value of {variable:?} is no expression: {error}")));
            }
        }
        let name = self.label(target);
        // Of a registry module the version stands beside the source.
        let (source, version) = match target.source.pin() {
            Some(_) => (target.source.with_ref(&target.to)?, None),
            None => (target.source.as_str().to_owned(), Some(&target.to)),
        };
        let pins = match version {
            Some(version) => {
                format!("  source  = {}\n  version = {}\n", quoted(&source), quoted(version))
            }
            None => format!("  source = {}\n", quoted(&source)),
        };
        let (mut variables, mut call) = (String::new(), String::new());
        for (variable, declared) in self.interface.variables() {
            let item = &declared.item;
            let about = one_line(item.description.as_deref().unwrap_or_default());
            let comment = if about.is_empty() { String::new() } else { format!("  # {about}\n") };
            match (self.values.get(variable), &item.default) {
                (Some(value), _) => {
                    let _ = write!(call, "\n{comment}  {variable} = {value}\n");
                }
                (None, Some(default)) => {
                    let default = default.value.replace('\r', "").replace('\n', "\n  # ");
                    let _ = write!(call, "\n{comment}  # {variable} = {default}\n");
                }
                (None, None) => {
                    let _ = write!(call, "\n{comment}  {variable} = var.{variable}\n");
                    let mut lines =
                        vec![("type", item.type_text.as_ref().map_or("any", |text| text.value.as_str()))];
                    if item.sensitive == Some(true) {
                        lines.push(("sensitive", "true"));
                    }
                    let width = lines.iter().map(|(key, _)| key.len()).max().unwrap_or_default();
                    let _ = writeln!(variables, "variable \"{variable}\" {{");
                    for (key, value) in lines {
                        let _ = writeln!(variables, "  {key:width$} = {value}");
                    }
                    let _ = writeln!(variables, "}}\n");
                }
            }
        }
        let mut settings = self.settings.trim().to_owned();
        if !settings.is_empty() {
            settings.push_str("\n\n");
        }
        Ok(format!("{settings}{variables}module \"{name}\" {{\n{pins}{call}}}\n"))
    }

    /// The name of the call: the module's directory, or of a module that is its whole package the package's
    /// last name; as an identifier of HCL.
    fn label(&self, target: &BumpTarget) -> String {
        let directory = String::from_utf8_lossy(self.module.file_name()).into_owned();
        let url = target.source.url().trim_end_matches('/');
        let package = match target.source.registry() {
            Some(registry) => registry.name.as_str(),
            None => url.rsplit(['/', ':']).next().unwrap_or_default().trim_end_matches(".git"),
        };
        let name = if directory.is_empty() { package } else { &directory };
        let name = name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_");
        if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            name
        } else {
            format!("_{name}")
        }
    }
}

/// A text of the module's author, which goes behind a comment sign and must not leave its line.
fn one_line(text: &str) -> String {
    text.replace(|c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}', " ").trim().to_owned()
}

/// A text as an HCL string, with nothing in it evaluated.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "$${").replace("%{", "%%{");
    format!("\"{escaped}\"")
}
