//! The module that a unit runs, and where in this repository it may stand.

use std::sync::Arc;

use super::{
    What,
    evaluate::Evaluation,
    files::Purpose,
    path::{self, absolute},
    syntax::{Attribute, Expr, Kind, Span},
    value::Value,
};
use crate::{
    proof::RepoPath,
    terraform::facts::{Base, StaticValue, Text},
};

/// The most directories that a path with an unknown part is taken for.
const MAX_EXPANDED: usize = 256;

/// A part of a path that nobody knows.
const ANY: char = '\u{10fffc}';

/// What terraform reads of a module's own directory, where that is run as the root.
const BESIDE_A_ROOT: &str =
    "{terraform.tfvars,terraform.tfvars.json,*.auto.tfvars,*.auto.tfvars.json,.terraform.lock.hcl}";

impl Evaluation<'_> {
    /// What is run, and where in this repository it may stand.
    pub(super) fn source(&mut self, frames: &[usize], here: &Arc<str>, copied: bool) -> Vec<Arc<str>> {
        if copied && let Some(directory) = self.actual(here) {
            // What stands beside the unit is laid over the module that it runs.
            let what = What::Root { source: None, directory: Some(directory.clone()), left_out: Vec::new() };
            self.find(frames[0], what, Span::default(), Some("the directory of the unit".to_owned()));
            self.beside_root(frames[0], directory, Span::default());
        }
        for &frame in frames {
            let file = Arc::clone(&self.frames[frame].file);
            let source = file.body.blocks("terraform").find_map(|block| block.body.attribute("source"));
            let Some(attribute) = source else { continue };
            let value = self.apart(|this| this.eval(frame, &attribute.value));
            let left_out = self.left_out(frames);
            let mut modules = Vec::new();
            for value in value.alternatives() {
                modules.extend(self.run(frame, &value, attribute, here, &left_out));
            }
            return modules;
        }
        Vec::new()
    }

    fn run(
        &mut self,
        frame: usize,
        value: &Value,
        attribute: &Attribute,
        here: &Arc<str>,
        left_out: &[String],
    ) -> Vec<Arc<str>> {
        if let Value::Text(source) = value
            && !is_local(source)
        {
            let address = self.source_text(frame, source, &attribute.value);
            let what = What::Root { source: address, directory: None, left_out: left_out.to_vec() };
            self.find(frame, what, attribute.span, Some("terraform.source".to_owned()));
            return self.files.own_directory(source).iter().map(path::text_of).collect();
        }
        if let Value::Parts(parts) = value
            && !matches!(parts.first(), Some(Value::Text(text)) if is_local(text))
        {
            // Of an address elsewhere the file that computes it is all that counts; of what is wholly unknown
            // nobody can say that it is elsewhere.
            if !matches!(parts.first(), Some(Value::Text(_))) {
                self.read_only(frame, value, here, attribute.span);
            }
            return Vec::new();
        }
        let constant = match value {
            Value::Text(source) => self.source_text(frame, source, &attribute.value),
            _ => None,
        };
        if constant.is_none() {
            self.read_only(frame, value, here, attribute.span);
        }
        let mut modules = Vec::new();
        for directory in self.expand(frame, value, here, attribute.span) {
            let Some(actual) = self.actual(&directory) else { continue };
            // A unit's own directory is joined to it.
            if *directory != **here {
                let what = What::Root {
                    source: constant.clone(),
                    directory: Some(actual.clone()),
                    left_out: left_out.to_vec(),
                };
                self.find(frame, what, attribute.span, Some("terraform.source".to_owned()));
                self.beside_root(frame, actual, attribute.span);
            }
            modules.push(directory);
        }
        modules
    }

    /// Files that terraform reads by their names where a module is run as the root.
    fn beside_root(&mut self, frame: usize, directory: RepoPath, span: Span) {
        let beside = vec![
            StaticValue::Base(Base::Directory(directory)),
            StaticValue::Literal("/".to_owned()),
            StaticValue::FileSet(
                Box::new(StaticValue::Unknown),
                Box::new(StaticValue::Literal(BESIDE_A_ROOT.to_owned())),
            ),
        ];
        let text = "variable and lock files of the module that is run";
        self.find(frame, What::Variables(StaticValue::Concat(beside)), span, Some(text.to_owned()));
    }

    /// A source as a text with its place: what is between the quotes where it is a constant.
    fn source_text(&self, frame: usize, source: &str, expr: &Expr) -> Option<Text> {
        let file = &self.frames[frame].file;
        if source.contains(path::REPOSITORY) {
            return None;
        }
        let whole = file.place(expr.span);
        let constant = matches!(expr.kind, Kind::Constant(_)) && whole.end > whole.start + 1;
        let mut place = whole;
        if constant {
            let inner = Span { start: expr.span.start + 1, end: expr.span.end - 1 };
            place = file.place(inner);
        }
        let verbatim = constant && file.bytes(place.range()) == source.as_bytes();
        Some(Text { value: source.to_owned(), place, verbatim })
    }

    /// The directories that a value can mean, absolute: where a part is not known, all that are there.
    pub(super) fn expand(&mut self, frame: usize, value: &Value, base: &str, span: Span) -> Vec<Arc<str>> {
        let pattern: String = match value {
            Value::Text(text) => text.to_string(),
            Value::Parts(parts) => parts
                .iter()
                .map(|part| part.as_text().unwrap_or_else(|| ANY.to_string().into()).to_string())
                .collect(),
            _ => return Vec::new(),
        };
        let pattern = pattern.split('?').next().unwrap_or_default();
        let pattern = pattern.strip_prefix("file://").unwrap_or(pattern);
        let pattern = absolute(pattern, base);
        let mut found = vec![String::new()];
        for name in pattern.split('/').filter(|name| !name.is_empty()) {
            let mut next = Vec::new();
            for before in found {
                if !name.contains(ANY) {
                    next.push(format!("{before}/{name}"));
                    continue;
                }
                let Some(actual) = self.actual(&before) else { continue };
                let why = self.why(frame, Purpose::Read, span, None);
                for directory in self.files.directories(&actual, &why) {
                    let directory = path::text_of_bytes(&directory);
                    if matches(name, &directory) && next.len() < MAX_EXPANDED {
                        next.push(format!("{before}/{directory}"));
                    }
                }
            }
            found = next;
        }
        found.into_iter().map(Into::into).collect()
    }
}

/// Whether a source leads to a directory beside the configuration. What has no scheme and no host is a path,
/// as go-getter takes it.
pub(super) fn is_local(source: &str) -> bool {
    if source.starts_with(['.', '/']) || source.starts_with("file://") {
        return true;
    }
    if source.is_empty() || source.contains("::") || source.contains("://") || source.starts_with("git@") {
        return false;
    }
    !source.split('/').next().unwrap_or_default().contains(['.', ANY])
}

/// Whether a name matches a pattern with unknown parts.
fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split(ANY);
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut last = None;
    for piece in pieces {
        if let Some(before) = last.replace(piece) {
            match rest.find(before) {
                Some(at) => rest = &rest[at + before.len()..],
                None => return false,
            }
        }
    }
    last.is_none_or(|last| rest.ends_with(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_neither_scheme_nor_host_is_a_path() {
        for local in ["../x", "./x", ".", "/a/b", "modules/x", "file:///a"] {
            assert!(is_local(local), "{local}");
        }
        for remote in
            ["git::https://h/x", "tfr:///a/b/c?version=1", "git@h:x/y.git", "github.com/a/b", "s3::x"]
        {
            assert!(!is_local(remote), "{remote}");
        }
    }

    #[test]
    fn an_unknown_part_of_a_name_matches_anything() {
        for (pattern, name, holds) in [
            (format!("a{ANY}"), "abc", true),
            (format!("{ANY}c"), "abc", true),
            (format!("a{ANY}b{ANY}c"), "a1b2c", true),
            (format!("a{ANY}b{ANY}c"), "a1c", false),
            (format!("x{ANY}"), "abc", false),
        ] {
            assert_eq!(matches(&pattern, name), holds, "{pattern:?} {name}");
        }
    }
}
