//! The slow answer: each root is run through by hand, in one tree, and everything that it sees is written down.
//!
//! Nothing is shared with the catalog: paths are cleaned as Terraform cleans them (`..` takes off a name before
//! any link is followed), values are those that Terraform would compute, and what is seen is told by the place
//! that sees it, not by the path of what is seen.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Config, Entry, Expr, Item, Tree};

/// The address of the repository itself.
pub const OWN: &str = "git::https://git.example.com/acme/infra.git//";

/// What a variable may be given by the environment, where no variable file gives it a value.
const ENVIRONMENT: [&str; 2] = ["f", "t"];

/// A directory's path, cleaned, from one directory along a relative path. `None` outside the repository.
pub fn clean(from: &str, path: &str) -> Option<String> {
    let mut names: Vec<&str> = from.split('/').filter(|name| !name.is_empty()).collect();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()?),
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

/// Where a cleaned path leads, each link on the way followed.
pub fn follow(tree: &Tree, path: &str) -> Option<String> {
    let mut left: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
    let mut at: Vec<String> = Vec::new();
    let mut hops = 0;
    while let Some(name) = left.pop() {
        match name.as_str() {
            "" | "." => continue,
            ".." => {
                at.pop()?;
                continue;
            }
            _ => at.push(name),
        }
        if let Some(Entry::Link(target)) = tree.0.get(&at.join("/")) {
            hops += 1;
            if hops > 30 || target.starts_with('/') {
                return None;
            }
            at.pop();
            left.extend(target.split('/').rev().map(str::to_owned));
        }
    }
    Some(at.join("/"))
}

/// The file behind a path, with its content.
fn file<'a>(tree: &'a Tree, path: &str) -> Option<(String, &'a Entry)> {
    let path = follow(tree, path)?;
    let entry = tree.0.get(&path)?;
    (!matches!(entry, Entry::Link(_))).then_some((path, entry))
}

fn content(tree: &Tree, path: &str) -> Option<String> {
    file(tree, path).map(|(path, entry)| entry.bytes(&path).1)
}

/// Configuration by its name.
pub fn is_config(name: &str) -> bool {
    !name.starts_with('.') && (name.ends_with(".tf") || name.ends_with(".tf.json"))
}

fn overrides(name: &str) -> bool {
    let base = name.trim_end_matches(".json").trim_end_matches(".tf");
    base == "override" || base.ends_with("_override")
}

/// The directories with configuration of their own.
pub fn configured(tree: &Tree) -> BTreeSet<String> {
    let files = tree.0.keys().filter(|path| is_config(path.rsplit('/').next().unwrap_or_default()));
    let files = files.filter(|path| file(tree, path).is_some());
    files.map(|path| parent(path).to_owned()).collect()
}

/// Everything that a run in a directory sees. `configured` are the directories with configuration in either tree.
pub fn seen_by_root(tree: &Tree, root: &str, configured: &BTreeSet<String>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut values: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut named = vec![None];
    let names = tree.names(root);
    let automatic = |name: &str| {
        let name = name.trim_end_matches(".json");
        name == "terraform.tfvars" || name.ends_with(".auto.tfvars")
    };
    let is_values = |name: &str| name.ends_with(".tfvars") || name.ends_with(".tfvars.json");
    let mut given: Vec<&str> = names.keys().copied().filter(|name| automatic(name)).collect();
    given.sort_by_key(|name| (!name.starts_with("terraform.tfvars"), *name));
    for name in given {
        let path = join(root, name);
        seen.insert(format!("values {name}: {:?}", content(tree, &path)));
        if let Some((_, Entry::Values(own))) = file(tree, &path) {
            values.extend(own.iter().cloned().map(|(name, value)| (name, Some(value))));
        }
    }
    for (path, named_values) in var_files(tree, root, configured) {
        let name = path.rsplit('/').next().unwrap_or_default();
        if is_values(name) && !automatic(name) {
            seen.insert(format!("values {path}: {:?}", content(tree, &path)));
            named.push(Some((path, named_values)));
        }
    }
    seen.insert(format!("lock: {:?}", content(tree, &join(root, ".terraform.lock.hcl"))));
    let version = above(root).find_map(|above| content(tree, &join(above, ".terraform-version")));
    seen.insert(format!("version: {version:?}"));
    let given_by_name: BTreeSet<&str> =
        named.iter().flatten().flat_map(|(_, values)| values.iter().map(|(name, _)| name.as_str())).collect();
    for file in &named {
        for environment in ENVIRONMENT {
            let mut values = values.clone();
            let given = file.iter().flat_map(|(_, values)| values.iter().cloned());
            values.extend(given.map(|(name, value)| (name, Some(value))));
            let named = file.as_ref().map_or("", |(path, _)| path);
            let mut run = Run {
                tree,
                root: Some(root),
                environment: Some(environment),
                named: &given_by_name,
                at: vec![format!("{environment}+{named}")],
                directories: Vec::new(),
                seen: BTreeSet::new(),
            };
            run.module(root, &values);
            seen.append(&mut run.seen);
        }
    }
    seen
}

/// What a module sees wherever it is called from: nothing that depends on the root or on a variable.
pub fn seen_by_module(tree: &Tree, directory: &str) -> BTreeSet<String> {
    let mut run = Run {
        tree,
        root: None,
        environment: None,
        named: &BTreeSet::new(),
        at: Vec::new(),
        directories: Vec::new(),
        seen: BTreeSet::new(),
    };
    run.module(directory, &BTreeMap::new());
    run.seen
}

/// Variable files that can be named to a run: of its directory, of one below that has no configuration, or of
/// one above where none has.
fn var_files<'a>(
    tree: &'a Tree,
    root: &str,
    configured: &BTreeSet<String>,
) -> Vec<(String, &'a Vec<(String, String)>)> {
    let mut found = Vec::new();
    for (path, entry) in &tree.0 {
        let Entry::Values(values) = entry else { continue };
        let directory = parent(path);
        let owner = above(directory).find(|above| configured.contains(*above));
        let counts = match owner {
            Some(owner) => owner == root,
            None => above(root).any(|above| above == directory),
        };
        if counts {
            found.push((path.clone(), values));
        }
    }
    found
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// A directory, and those that it lies in, up to the top.
fn above(directory: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(directory), |at| (!at.is_empty()).then(|| parent(at)))
}

pub fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

struct Run<'a> {
    tree: &'a Tree,
    /// `None` where only what does not depend on it is of interest.
    root: Option<&'a str>,
    environment: Option<&'a str>,
    /// The variables that some variable file gives a value.
    named: &'a BTreeSet<&'a str>,
    /// The address of the module that is being seen.
    at: Vec<String>,
    /// The directories of the modules above it.
    directories: Vec<String>,
    seen: BTreeSet<String>,
}

/// The blocks of a module, those of override files merged over the others.
#[derive(Default)]
struct Merged {
    calls: BTreeMap<String, (String, BTreeMap<String, Expr>)>,
    locals: BTreeMap<String, Expr>,
    maps: BTreeMap<String, BTreeMap<String, Expr>>,
    variables: BTreeMap<String, Option<String>>,
    others: BTreeMap<String, Item>,
}

impl Merged {
    fn add(&mut self, config: &Config) {
        for item in &config.items {
            let name = item.name().to_owned();
            match item {
                Item::Call { source, arguments, .. } => {
                    let call = self.calls.entry(name).or_default();
                    call.0.clone_from(source);
                    call.1.extend(arguments.iter().cloned());
                }
                Item::Local { value, .. } => drop(self.locals.insert(name, value.clone())),
                Item::Map { members, .. } => {
                    self.maps.insert(name, members.iter().cloned().collect());
                }
                Item::Variable { default, .. } => {
                    let variable = self.variables.entry(name).or_default();
                    *variable = default.clone().or(variable.take());
                }
                other => drop(self.others.insert(name, other.clone())),
            }
        }
    }
}

/// What is known of a module's names.
struct Names<'m> {
    merged: &'m Merged,
    directory: String,
    values: BTreeMap<String, String>,
    each: Option<String>,
}

impl Run<'_> {
    fn see(&mut self, what: &str, text: impl std::fmt::Debug) {
        self.seen.insert(format!("{} {what}: {text:?}", self.at.join(".")));
    }

    /// A module in a directory that is no link.
    /// A value of `None` is given, and not known.
    fn module(&mut self, directory: &str, values: &BTreeMap<String, Option<String>>) {
        let mut merged = Merged::default();
        let names = self.tree.names(directory);
        let files: Vec<&str> = names.keys().copied().filter(|name| is_config(name)).collect();
        for last in [false, true] {
            for name in files.iter().copied().filter(|name| overrides(name) == last) {
                let path = join(directory, name);
                self.see(name, content(self.tree, &path));
                if let Some((_, Entry::Config(config))) = file(self.tree, &path)
                    && !config.broken
                {
                    merged.add(config);
                }
            }
        }
        let mut known =
            Names { merged: &merged, directory: directory.to_owned(), values: BTreeMap::new(), each: None };
        for (name, default) in &merged.variables {
            let at_root = self.directories.is_empty() && !self.named.contains(name.as_str());
            let environment = self.environment.filter(|_| at_root);
            let value = match values.get(name) {
                Some(given) => given.clone(),
                None => default.clone().or(environment.map(str::to_owned)),
            };
            known.values.extend(value.filter(|_| self.root.is_some()).map(|value| (name.clone(), value)));
        }
        for (name, item) in &merged.others {
            self.item(name, item, &known);
        }
        self.directories.push(directory.to_owned());
        for (name, (source, arguments)) in &merged.calls {
            self.at.push(name.clone());
            let way = match source.strip_prefix(OWN) {
                Some(own) => clean("", own.split('?').next().unwrap_or_default()),
                None if source.starts_with('.') => clean(directory, source),
                None => None,
            };
            let pinned = source.contains("?ref=v");
            let end = way.filter(|_| !pinned).and_then(|way| follow(self.tree, &way));
            if let Some(end) = end.filter(|end| !self.directories.contains(end) && self.at.len() < 9) {
                let instances = match arguments.get("for_each") {
                    Some(Expr::Object(members)) => members.iter().map(|(_, value)| Some(value)).collect(),
                    _ => vec![None],
                };
                for each in instances {
                    known.each = each.and_then(|each| self.text(each, &known, 0));
                    let given = arguments.iter();
                    let given =
                        given.map(|(name, value)| (name.clone(), self.text(value, &known, 0))).collect();
                    self.module(&end, &given);
                }
                known.each = None;
            }
            self.at.pop();
        }
        self.directories.pop();
    }

    fn item(&mut self, name: &str, item: &Item, known: &Names<'_>) {
        let path_of = |run: &Self, path: &Expr| {
            let text = run.text(path, known, 0)?;
            // A path that begins with the directory of a module or of the root stands from the top.
            match text.strip_prefix('\u{1}') {
                Some(from_top) => clean("", from_top),
                None => clean(run.root?, &text),
            }
        };
        match item {
            Item::Read { function, path, .. } => {
                if let Some(path) = path_of(self, path) {
                    let content = content(self.tree, &path);
                    match *function {
                        "fileexists" => self.see(name, content.is_some()),
                        _ => self.see(name, content),
                    }
                }
            }
            Item::Set { directory, glob, content: read, .. } => {
                let Some(directory) = path_of(self, directory) else { return };
                let Some(end) = follow(self.tree, &directory) else { return };
                for (below, path) in listed(self.tree, &end, glob.contains("**")) {
                    if matches(glob.as_bytes(), below.as_bytes()) {
                        let content = content(self.tree, &path).filter(|_| *read);
                        self.see(name, (below, content));
                    }
                }
            }
            Item::Named { path, .. } => {
                let Some(path) = path_of(self, path) else { return };
                let Some(end) = follow(self.tree, &path) else { return };
                self.see(name, content(self.tree, &end));
                for path in files_below(self.tree, &end) {
                    self.see(name, (&path[end.len()..], content(self.tree, &path)));
                }
            }
            _ => {}
        }
    }

    /// The value of an expression; `\u{1}` before a path stands for the top of the repository.
    fn text(&self, expression: &Expr, known: &Names<'_>, depth: usize) -> Option<String> {
        if depth > 12 {
            return None;
        }
        match expression {
            Expr::Text(text) => Some(text.clone()),
            Expr::Module => Some(format!("\u{1}{}", known.directory)),
            Expr::Root | Expr::Cwd => Some(format!("\u{1}{}", self.root?)),
            Expr::Local(name) => self.text(known.merged.locals.get(name)?, known, depth + 1),
            Expr::Var(name) => known.values.get(name).cloned(),
            Expr::If(name, one, other) => {
                let taken = if known.values.get(name)? == "f" { one } else { other };
                self.text(taken, known, depth + 1)
            }
            Expr::Each => known.each.clone(),
            Expr::Object(_) => None,
            Expr::Pick(map, key) => {
                let member = known.merged.maps.get(map)?.get(known.values.get(key)?)?;
                self.text(member, known, depth + 1)
            }
            Expr::Join(parts) | Expr::Format(parts) => {
                parts.iter().map(|part| self.text(part, known, depth + 1)).collect()
            }
        }
    }
}

/// The files below a directory.
fn files_below(tree: &Tree, directory: &str) -> Vec<String> {
    let below = |path: &str| {
        directory.is_empty() || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
    };
    let files = tree.0.iter().filter(|(path, entry)| below(path) && !matches!(entry, Entry::Link(_)));
    files.map(|(path, _)| path.clone()).collect()
}

/// What `fileset` goes through below a directory: names, and where they lead. Links to files count as files; through
/// links to directories only single names go (`*/x`), `**` does not.
fn listed(tree: &Tree, directory: &str, any_depth: bool) -> Vec<(String, String)> {
    let from = if directory.is_empty() { 0 } else { directory.len() + 1 };
    let mut found: Vec<(String, String)> =
        files_below(tree, directory).into_iter().map(|path| (path[from..].to_owned(), path)).collect();
    for (path, entry) in &tree.0 {
        let inside =
            directory.is_empty() || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
        if !inside || !matches!(entry, Entry::Link(_)) {
            continue;
        }
        let Some(end) = follow(tree, path) else { continue };
        if file(tree, path).is_some() {
            found.push((path[from..].to_owned(), path.clone()));
        } else if !any_depth {
            let below = files_below(tree, &end).into_iter();
            found.extend(below.map(|to| (format!("{}{}", &path[from..], &to[end.len()..]), to)));
        }
    }
    found
}

/// A glob of `fileset`: `*` and `?` within a name, `**/` any number of names, `{a,b}` either.
pub fn matches(glob: &[u8], text: &[u8]) -> bool {
    match glob {
        [] => text.is_empty(),
        [b'*', b'*', b'/', rest @ ..] => {
            matches(rest, text)
                || text.iter().position(|&b| b == b'/').is_some_and(|at| matches(glob, &text[at + 1..]))
        }
        [b'*', b'*'] => true,
        [b'*', rest @ ..] => {
            let end = text.iter().position(|&b| b == b'/').unwrap_or(text.len());
            (0..=end).any(|at| matches(rest, &text[at..]))
        }
        [b'?', rest @ ..] => matches!(text, [first, ..] if *first != b'/') && matches(rest, &text[1..]),
        [b'{', rest @ ..] => {
            let end = rest.iter().position(|&b| b == b'}').unwrap();
            rest[..end]
                .split(|&b| b == b',')
                .any(|either| text.strip_prefix(either).is_some_and(|left| matches(&rest[end + 1..], left)))
        }
        [byte, rest @ ..] => text.first() == Some(byte) && matches(rest, &text[1..]),
    }
}
