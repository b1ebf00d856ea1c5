//! Terragrunt's functions that look at where the configuration stands, or at other files.

use std::sync::Arc;

use super::{
    What,
    evaluate::Evaluation,
    files::Purpose,
    frame::Frame,
    functions, hcl,
    path::{self, Meaning, REPOSITORY, absolute, meanings, relative},
    syntax::Span,
    value::Value,
};
use crate::{
    proof::RepoPath,
    terraform::facts::{Base, READS, StaticValue},
};

/// The most bytes of a template that is filled in.
const MAX_TEMPLATE: usize = 1 << 18;

/// The most folders that are gone up.
const MAX_FOLDERS: usize = 100;

const NEED_VARIABLES: [&str; 7] = ["apply", "console", "destroy", "import", "plan", "push", "refresh"];

impl Evaluation<'_> {
    /// The result of a function that is no pure one; `None` for all others.
    pub(super) fn builtin(
        &mut self,
        frame: usize,
        name: &str,
        arguments: &[Value],
        span: Span,
    ) -> Option<Value> {
        let here = Arc::clone(&self.frames[frame].directory);
        let first = arguments.first();
        Some(match name {
            "find_in_parent_folders" => self.find_in_parent_folders(frame, arguments, span),
            "get_terragrunt_dir" => Value::Text(here),
            "get_original_terragrunt_dir" => Value::Text(Arc::clone(&self.frames[frame].origin)),
            "get_repo_root" => Value::text(REPOSITORY),
            "get_path_from_repo_root" => Value::text(relative(&here, REPOSITORY)),
            "get_path_to_repo_root" => Value::text(relative(REPOSITORY, &here)),
            "get_parent_terragrunt_dir" => Value::text(self.include_directory(frame, first)),
            "path_relative_to_include" => Value::text(relative(&here, &self.include_directory(frame, first))),
            "path_relative_from_include" => {
                Value::text(relative(&self.include_directory(frame, first), &here))
            }
            "get_working_dir" => self.working_directory(frame),
            "get_env" => match arguments.get(1) {
                Some(default) => Value::usually(default.clone()),
                None => Value::Unknown,
            },
            // What the command line gives in place of the source; usually nothing.
            "get_terragrunt_source_cli_flag" => Value::usually(Value::text("")),
            "get_platform" => Value::usually(Value::text("linux")),
            "get_terraform_commands_that_need_vars" => {
                Value::list(NEED_VARIABLES.iter().map(|name| Value::text(*name)).collect())
            }
            "get_terraform_commands_that_need_locking"
            | "get_terraform_commands_that_need_input"
            | "get_terraform_commands_that_need_parallelism"
            | "get_default_retryable_errors"
            | "get_terraform_cli_args" => Value::each(Value::Unknown),
            "abspath" => functions::abspath(first?, &here),
            "read_terragrunt_config" => self.read_config(frame, arguments, span),
            "read_tfvars_file" => self.read_variables(frame, first?, span),
            "sops_decrypt_file" => {
                self.read_only(frame, first?, &here, span);
                Value::Unknown
            }
            "mark_as_read" => {
                self.read_only(frame, first?, &here, span);
                first?.clone()
            }
            "mark_glob_as_read" => self.mark_glob(frame, arguments, span),
            "run_cmd" => {
                for argument in arguments {
                    self.name_word(frame, argument, &here, span);
                }
                Value::Unknown
            }
            "file" => self.read_file(frame, first?, span),
            "templatefile" => self.template_file(frame, first?, arguments.get(1), span),
            "fileexists" => self.file_exists(frame, first?, span),
            "fileset" => self.file_set(frame, arguments, span),
            // Relative to the file in which it stands.
            name if READS.contains(&name) => {
                let base = Arc::clone(&self.frames[frame].base);
                self.read_only(frame, first?, &base, span);
                Value::Unknown
            }
            _ => return None,
        })
    }

    fn find_in_parent_folders(&mut self, frame: usize, arguments: &[Value], span: Span) -> Value {
        let fallback = arguments.get(1).cloned().unwrap_or(Value::Failed);
        let names = match arguments.first() {
            Some(name) => name.alternatives(),
            None => vec![Value::text("")],
        };
        let mut found = Vec::new();
        for name in names {
            match name.as_text() {
                Some(name) => match self.seek(frame, &name, span) {
                    Some(path) => found.push(Value::Text(path)),
                    None => found.push(fallback.clone()),
                },
                // Whatever is called so in any folder above.
                None if matches!(name, Value::Failed) => found.push(Value::Failed),
                None => {
                    self.seek_unknown(frame, &name, span);
                    found.push(Value::Unknown);
                }
            }
        }
        Value::one_of(found)
    }

    /// The file or folder of that name in the nearest folder above.
    pub(super) fn seek(&mut self, frame: usize, name: &Arc<str>, span: Span) -> Option<Arc<str>> {
        let begin = Arc::clone(&self.frames[frame].directory);
        let key = (Arc::clone(&begin), Arc::clone(name));
        if let Some(known) = self.sought.get(&key) {
            return known.clone();
        }
        let why = self.why(frame, Purpose::Read, span, None);
        let names: &[&str] =
            if name.is_empty() { &["terragrunt.hcl", "terragrunt.hcl.json"] } else { &[name] };
        // A name with an ending is a file's.
        let file_only = name.rsplit('/').next().is_none_or(|last| last.is_empty() || last.contains('.'));
        let mut at = path::parent(&begin);
        let mut found = None;
        'folders: for _ in 0..MAX_FOLDERS {
            if !path::is_in_repository(&at) {
                break;
            }
            for name in names {
                let candidate = absolute(name, &at);
                let Some(actual) = self.actual(&candidate) else { continue };
                if self.files.is_file(&actual, &why) || (!file_only && self.files.is_directory(&actual, &why))
                {
                    found = Some(candidate.into());
                    break 'folders;
                }
            }
            at = path::parent(&at);
        }
        self.sought.insert(key, found.clone());
        found
    }

    fn seek_unknown(&mut self, frame: usize, name: &Value, span: Span) {
        let mut at = path::parent(&self.frames[frame].directory);
        for _ in 0..MAX_FOLDERS {
            if path::repo_path(&at).is_none() {
                break;
            }
            let below = Value::concat(vec![Value::text(format!("{at}/")), name.clone()]);
            for meaning in meanings(&below, &at) {
                if let Meaning::Partly(path) = meaning {
                    self.find(frame, What::Reads(path), span, None);
                }
            }
            at = path::parent(&at);
        }
    }

    /// The directory of the included file that is meant: in an included file, its own.
    fn include_directory(&mut self, frame: usize, name: Option<&Value>) -> String {
        if self.frames[frame].included {
            return self.frames[frame].base.to_string();
        }
        let includes = self.includes(frame);
        let name = name.and_then(Value::as_text);
        let selected = match includes.as_slice() {
            [only] => Some(only),
            all => name.and_then(|name| all.iter().find(|include| include.name == name)),
        };
        match selected {
            Some(include) => path::parent(&include.path),
            None => self.frames[frame].directory.to_string(),
        }
    }

    /// Where the module is run: a copy of it, so what is read there is read from the module.
    fn working_directory(&mut self, frame: usize) -> Value {
        let here = Arc::clone(&self.frames[frame].directory);
        let file = Arc::clone(&self.frames[frame].file);
        let source = file.body.blocks("terraform").find_map(|block| block.body.attribute("source"));
        match source.map(|source| self.eval(frame, &source.value)) {
            Some(Value::Text(source)) if source.starts_with(['.', '/']) => {
                Value::text(absolute(&source.replace("//", "/"), &here))
            }
            _ => Value::Text(here),
        }
    }

    fn read_config(&mut self, frame: usize, arguments: &[Value], span: Span) -> Value {
        let Some(target) = arguments.first() else { return Value::Failed };
        if matches!(target, Value::Failed) {
            return Value::Failed;
        }
        let here = Arc::clone(&self.frames[frame].directory);
        let default = arguments.get(1).cloned().unwrap_or(Value::Failed);
        let mut found = Vec::new();
        for alternative in target.alternatives() {
            let Value::Text(text) = &alternative else {
                for meaning in meanings(&alternative, &here) {
                    if let Meaning::Partly(path) = meaning {
                        self.find(frame, What::Reads(path), span, None);
                    }
                }
                found.push(Value::Unknown);
                continue;
            };
            let path: Arc<str> = absolute(text, &here).into();
            found.push(self.config_at(frame, &path, span).unwrap_or_else(|| default.clone()));
        }
        Value::one_of(found)
    }

    /// A configuration file that is read on its own; `None` where there is no file.
    fn config_at(&mut self, frame: usize, path: &Arc<str>, span: Span) -> Option<Value> {
        if let Some(known) = self.read.get(path) {
            return Some(Value::Config(*known));
        }
        let mut path = Arc::clone(path);
        let mut source = None;
        let why = self.why(frame, Purpose::Include, span, None);
        // A directory means the configuration in it.
        let named = path.rsplit('/').next().is_some_and(|name| name.contains('.') && name != "..");
        let candidates = if named { &[""][..] } else { &["/terragrunt.hcl", "/terragrunt.hcl.json", ""][..] };
        for ending in candidates {
            let candidate = format!("{path}{ending}");
            let Some(actual) = self.actual(&candidate) else { continue };
            source = self.files.source(&actual, &why);
            if source.is_some() {
                path = candidate.into();
                break;
            }
        }
        let file = source?.config();
        let directory = functions::directory_of(&path);
        let origin = Arc::clone(&self.frames[frame].origin);
        let mut inner = Frame::new(file, Arc::clone(&directory), Arc::clone(&directory), origin);
        inner.chain = self.frames[frame].chain + 1;
        if inner.file.wants_values {
            let values = self.values_beside(frame, &directory, span);
            inner.values = Some(values.unwrap_or_else(Value::nothing));
        }
        let Some(inner) = self.enter(inner) else { return Some(Value::Unknown) };
        self.read.insert(path, inner);
        self.apart(|this| this.evaluate_all(inner));
        self.outputs_consumed(inner);
        Some(Value::Config(inner))
    }

    /// The values in the file that a generated directory has.
    pub(super) fn values_beside(&mut self, frame: usize, directory: &str, span: Span) -> Option<Value> {
        let actual = self.actual(&format!("{directory}/terragrunt.values.hcl"))?;
        let why = self.why(frame, Purpose::Include, span, None);
        Some(self.files.source(&actual, &why)?.variables())
    }

    fn read_variables(&mut self, frame: usize, file: &Value, span: Span) -> Value {
        let here = Arc::clone(&self.frames[frame].directory);
        self.read_source(frame, file, &here, span, |source| source.variables())
    }

    fn read_file(&mut self, frame: usize, file: &Value, span: Span) -> Value {
        let base = Arc::clone(&self.frames[frame].base);
        self.read_source(frame, file, &base, span, |source| Value::Content(Arc::clone(source)))
    }

    /// `templatefile`: the text of the file, filled in as far as that is known.
    fn template_file(&mut self, frame: usize, file: &Value, names: Option<&Value>, span: Span) -> Value {
        let content = self.read_file(frame, file, span);
        let mut names: Vec<(Arc<str>, Value)> = match names {
            Some(Value::Object(members)) => {
                members.iter().map(|(name, value)| (Arc::clone(name), value.clone())).collect()
            }
            _ => Vec::new(),
        };
        names.retain(|(name, _)| !name.is_empty());
        let mut found = Vec::new();
        for alternative in content.alternatives() {
            let template = match &alternative {
                Value::Content(file) => file.text().filter(|text| text.len() <= MAX_TEMPLATE),
                _ => None,
            };
            found.push(match template.map(hcl_edit::parser::parse_template) {
                Some(Ok(template)) => {
                    let template = hcl::template_at(&template, span);
                    self.with_names(names.clone(), |this| this.eval(frame, &template))
                }
                _ if matches!(alternative, Value::Failed) => Value::Failed,
                _ => Value::Unknown,
            });
        }
        Value::one_of(found)
    }

    fn read_source(
        &mut self,
        frame: usize,
        file: &Value,
        base: &str,
        span: Span,
        content: fn(&Arc<super::SourceFile>) -> Value,
    ) -> Value {
        let mut found = Vec::new();
        for meaning in meanings(file, base) {
            found.push(match meaning {
                Meaning::Path(path) => match self.actual(&path::text_of(&path)) {
                    Some(actual) => {
                        let why = self.why(frame, Purpose::Read, span, None);
                        self.files.source(&actual, &why).map_or(Value::Failed, |source| content(&source))
                    }
                    None => Value::Unknown,
                },
                Meaning::Partly(path) => {
                    self.find(frame, What::Reads(path), span, None);
                    Value::Unknown
                }
                // Outside the repository nobody can tell.
                Meaning::Nothing if matches!(file, Value::Failed) => Value::Failed,
                Meaning::Nothing => Value::Unknown,
            });
        }
        Value::one_of(found)
    }

    /// A file of which only counts that it is read.
    pub(super) fn read_only(&mut self, frame: usize, file: &Value, base: &str, span: Span) {
        for meaning in meanings(file, base) {
            if let Some(path) = self.settled(meaning) {
                self.find(frame, What::Reads(path), span, None);
            }
        }
    }

    /// A path in the words of the facts, in the directory that a generated one is a copy of.
    pub(super) fn settled(&mut self, meaning: Meaning) -> Option<StaticValue> {
        let at = |path: RepoPath| StaticValue::Base(Base::Directory(path));
        match meaning {
            Meaning::Path(path) => Some(at(self.actual(&path::text_of(&path))?)),
            Meaning::Partly(StaticValue::Concat(parts)) => {
                let parts = parts.into_iter().map(|part| match part {
                    StaticValue::Base(Base::Directory(path)) => {
                        at(self.actual(&path::text_of(&path)).unwrap_or(path))
                    }
                    other => other,
                });
                Some(StaticValue::Concat(parts.collect()))
            }
            Meaning::Partly(path) => Some(path),
            Meaning::Nothing => None,
        }
    }

    fn file_exists(&mut self, frame: usize, file: &Value, span: Span) -> Value {
        let base = Arc::clone(&self.frames[frame].base);
        let mut found = Vec::new();
        for meaning in meanings(file, &base) {
            found.push(match meaning {
                Meaning::Path(path) => match self.actual(&path::text_of(&path)) {
                    Some(actual) => {
                        let why = self.why(frame, Purpose::Read, span, None);
                        Value::Bool(self.files.is_file(&actual, &why))
                    }
                    None => Value::Unknown,
                },
                Meaning::Partly(path) => {
                    self.find(frame, What::Reads(path), span, None);
                    Value::Unknown
                }
                Meaning::Nothing => Value::Unknown,
            });
        }
        Value::one_of(found)
    }

    fn file_set(&mut self, frame: usize, arguments: &[Value], span: Span) -> Value {
        let (Some(directory), Some(glob)) = (arguments.first(), arguments.get(1)) else {
            return Value::Failed;
        };
        let base = Arc::clone(&self.frames[frame].base);
        let mut names = Vec::new();
        for glob in glob.alternatives() {
            let glob = glob.as_text();
            for directory in directory.alternatives() {
                let set = match &glob {
                    Some(glob) => Value::Name(Arc::new((directory.clone(), Arc::clone(glob)))),
                    None => Value::Unknown,
                };
                let below = Value::concat(vec![directory, Value::text("/"), set.clone()]);
                for meaning in meanings(&below, &base) {
                    if let Some(path) = self.settled(meaning) {
                        self.find(frame, What::Lists(path), span, None);
                    }
                }
                names.push(set);
            }
        }
        Value::each(Value::one_of(names))
    }

    fn mark_glob(&mut self, frame: usize, arguments: &[Value], span: Span) -> Value {
        let here = Arc::clone(&self.frames[frame].directory);
        let Some(pattern) = arguments.last() else { return Value::Failed };
        let mut found = Vec::new();
        for pattern in pattern.alternatives() {
            let Value::Text(text) = &pattern else {
                self.read_only(frame, &pattern, &here, span);
                found.push(Value::Unknown);
                continue;
            };
            // The directory before the first name with something to match.
            let special = text.find(['*', '?', '[', '{', '\\']).unwrap_or(text.len());
            let cut = text[..special].rfind('/').map_or(0, |at| at + 1);
            let (directory, glob) = text.split_at(cut);
            let directory = absolute(if directory.is_empty() { "." } else { directory }, &here);
            let set = Value::Name(Arc::new((Value::text(directory.as_str()), glob.into())));
            let below = Value::concat(vec![Value::text(format!("{directory}/")), set]);
            for meaning in meanings(&below, &here) {
                if let Some(path) = self.settled(meaning) {
                    self.find(frame, What::Reads(path), span, None);
                }
            }
            found.push(below);
        }
        Value::each(Value::one_of(found))
    }

    /// A word of a command that may be a file.
    pub(super) fn name_word(&mut self, frame: usize, word: &Value, base: &str, span: Span) {
        for word in word.alternatives() {
            let text = match &word {
                Value::Text(text) => text,
                Value::Parts(_) => {
                    for meaning in meanings(&word, base) {
                        // A beginning that is known is needed to tell a path from any other text.
                        if matches!(&meaning, Meaning::Partly(StaticValue::Concat(parts))
                            if matches!(parts.first(), Some(StaticValue::Base(_))) && parts.len() > 1)
                            && starts_as_path(&word)
                            && let Some(path) = self.settled(meaning)
                        {
                            self.find(frame, What::Names(path), span, None);
                        }
                    }
                    continue;
                }
                _ => continue,
            };
            for piece in text.split(|c: char| c.is_whitespace() || "\"'`;,|&<>()=".contains(c)).take(64) {
                if !is_path(piece) {
                    continue;
                }
                for meaning in meanings(&Value::text(piece), base) {
                    if let Some(path) = self.settled(meaning) {
                        self.find(frame, What::Names(path), span, None);
                    }
                }
            }
        }
    }
}

fn starts_as_path(word: &Value) -> bool {
    let Value::Parts(parts) = word else { return false };
    matches!(parts.first(), Some(Value::Text(text)) if is_path(text))
}

/// Whether a word of a command can be a file: it has a slash, or an ending.
fn is_path(word: &str) -> bool {
    if word.is_empty() || word.starts_with('-') || word.contains("://") {
        return false;
    }
    let ending = word.rsplit_once('.').is_some_and(|(name, ending)| {
        !name.is_empty()
            && (1..=5).contains(&ending.len())
            && ending.starts_with(|c: char| c.is_ascii_alphabetic())
            && ending.chars().all(|c| c.is_ascii_alphanumeric())
    });
    word.starts_with(['.', '/']) && word.len() > 2 || word.contains('/') || ending
}
