//! Variants by a rule of the configuration.

use super::{
    Variant, VariantRule, Variants,
    template::{Template, Words},
    variant::backend_file,
};
use crate::{
    catalog::{BackendSetting, Listed, WorkspaceName},
    proof::RepoPath,
    terraform::facts::FileKind,
};

type List<'a> = &'a mut dyn FnMut(&RepoPath) -> Vec<Listed>;

pub(super) fn declared(directory: &RepoPath, rule: &VariantRule, list: List<'_>) -> Variants {
    let words = rule.words();
    let mut found = Variants::default();
    if words.is_empty() && rule.names.is_empty() {
        let fixed = rule.workspace.is_some() || !rule.var_files.is_empty() || !rule.backend.is_empty();
        if fixed {
            found.add(directory, rule, Words::new(), list);
        }
        return found;
    }
    let mut ways: Vec<Words> = if rule.names.is_empty() {
        let whole = rule.paths().filter(|path| words.iter().all(|word| path.words().any(|own| own == *word)));
        whole.flat_map(|path| files(directory, path, &Words::new(), list)).map(|(_, words)| words).collect()
    } else {
        rule.names.iter().map(|name| Words::from([("name".to_owned(), name.clone())])).collect()
    };
    ways.sort();
    ways.dedup();
    if ways.is_empty() {
        found.warnings.push(format!(
            "no file tells which units share {directory} by [[catalog.variants]], so it counts as one unit"
        ));
    }
    for words in ways {
        found.add(directory, rule, words, list);
    }
    found
}

impl Variants {
    fn add(&mut self, directory: &RepoPath, rule: &VariantRule, words: Words, list: List<'_>) {
        let name = words.values().map(String::as_str).collect::<Vec<_>>().join("/");
        let workspace = match rule.workspace.as_ref().map(|workspace| workspace.fill(&words)) {
            None => None,
            Some(text) => match WorkspaceName::parse(&text) {
                Ok(workspace) => Some(workspace),
                Err(error) => {
                    self.warnings.push(format!("{name} is no unit of {directory}: {error}"));
                    return;
                }
            },
        };
        let mut variant = Variant {
            name,
            workspace,
            var_files: Vec::new(),
            backend: Vec::new(),
            backend_files: Vec::new(),
        };
        for path in &rule.var_files {
            variant.var_files.extend(files(directory, path, &words, list).into_iter().map(|(file, _)| file));
        }
        for setting in &rule.backend {
            if setting.is_setting() {
                variant.backend.extend(BackendSetting::parse(&setting.fill(&words)));
                continue;
            }
            for (file, _) in files(directory, setting, &words, list) {
                if let Some(setting) = backend_file(&file) {
                    variant.backend.push(setting);
                    variant.backend_files.push(file);
                }
            }
        }
        self.all.push(variant);
    }
}

/// The files at which a path leads, by the words that are given, each with all words filled in.
fn files(directory: &RepoPath, path: &Template, known: &Words, list: List<'_>) -> Vec<(RepoPath, Words)> {
    let start = if path.is_absolute() { RepoPath::root() } else { directory.clone() };
    let names = path.names();
    let mut at = vec![(start, known.clone())];
    for (place, name) in names.iter().enumerate() {
        let last = place + 1 == names.len();
        let mut next = Vec::new();
        for (directory, words) in at {
            match name.constant() {
                Some("..") => next.extend(directory.parent().map(|parent| (parent, words))),
                // What lies on the way is found by its end.
                Some(constant) if !last => next.push((directory.join(constant), words)),
                _ => {
                    for entry in list(&directory) {
                        let Ok(text) = std::str::from_utf8(&entry.name) else { continue };
                        let fills = name.words().any(|word| !words.contains_key(word));
                        if entry.is_directory == last || (fills && !may_fill(&entry.name)) {
                            continue;
                        }
                        let ways = name.matches(text, &words);
                        next.extend(ways.into_iter().map(|words| (directory.join(&entry.name), words)));
                    }
                }
            }
        }
        at = next;
    }
    at
}

/// Whether the name of a file can tell what a word stands for.
fn may_fill(name: &[u8]) -> bool {
    !name.starts_with(b".")
        && !matches!(FileKind::of(name), Some(FileKind::Variables { automatic: true, .. }))
}
