//! Repositories as data: what a file says is known without reading its text.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

/// A tree: paths from the top, and what stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<String, Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A file that is no configuration.
    Text(String),
    /// A symbolic link, with its target.
    Link(String),
    Config(Config),
    /// Values of variables.
    Values(Vec<(String, String)>),
    /// A test file: a note, and a module that one of its runs loads in place of the tested one.
    Test(u32, Option<String>),
}

/// A configuration file. Whether it is JSON, and whether it overrides, is in its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// A number in a comment: another text with the same meaning.
    pub note: u32,
    /// It ends in the middle.
    pub broken: bool,
    pub items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Call {
        name: String,
        source: String,
        arguments: Vec<(String, Expr)>,
    },
    /// An output with what a function makes of a file.
    Read {
        name: String,
        function: &'static str,
        path: Expr,
    },
    /// An output with the names of files, or with the content of each of them.
    Set {
        name: String,
        directory: Expr,
        glob: String,
        content: bool,
    },
    /// A resource with an argument that names a file or a directory.
    Named {
        name: String,
        argument: &'static str,
        path: Expr,
    },
    Local {
        name: String,
        value: Expr,
    },
    /// A local that maps names to paths.
    Map {
        name: String,
        members: Vec<(String, Expr)>,
    },
    Variable {
        name: String,
        default: Option<String>,
    },
    Backend,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    Text(String),
    Module,
    Root,
    Cwd,
    Local(String),
    Var(String),
    /// A member of a map of paths, by the value of a variable.
    Pick(String, String),
    /// One path where a variable is `f`, another one where it is not.
    If(String, Box<Expr>, Box<Expr>),
    /// `each.value` of the call that it stands in.
    Each,
    /// A map, for the `for_each` of a call.
    Object(Vec<(String, Expr)>),
    Join(Vec<Expr>),
    /// The same, spelled `format("%s%s", …)`.
    Format(Vec<Expr>),
}

impl Tree {
    /// Sets an entry; what is in the way goes.
    pub fn set(&mut self, path: &str, entry: Entry) {
        self.remove_below(path);
        let mut above = path;
        while let Some((directory, _)) = above.rsplit_once('/') {
            self.0.remove(directory);
            above = directory;
        }
        self.0.insert(path.to_owned(), entry);
    }

    pub fn remove_below(&mut self, path: &str) -> Vec<(String, Entry)> {
        let below =
            |key: &str| key == path || key.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        let paths: Vec<String> = self.0.keys().filter(|key| below(key)).cloned().collect();
        paths.into_iter().map(|path| (path.clone(), self.0.remove(&path).unwrap())).collect()
    }

    /// The names directly in a directory that is no link, and whether each is a directory.
    pub fn names(&self, directory: &str) -> BTreeMap<&str, bool> {
        let inside = |path: &'_ str| -> Option<usize> {
            if directory.is_empty() {
                return Some(0);
            }
            let rest = path.strip_prefix(directory)?;
            rest.starts_with('/').then_some(directory.len() + 1)
        };
        let mut names = BTreeMap::new();
        for path in self.0.keys() {
            let Some(from) = inside(path) else { continue };
            let rest = &path[from..];
            match rest.split_once('/') {
                Some((name, _)) => names.insert(name, true),
                None => names.insert(rest, false),
            };
        }
        names
    }
}

/// One step from the base to the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    Write(String, Entry),
    Remove(String),
    /// A file, or a directory with what is below it.
    Move(String, String),
}

pub fn apply(base: &Tree, ops: &[Op]) -> Tree {
    let mut tree = base.clone();
    for op in ops {
        match op {
            Op::Write(path, entry) => tree.set(path, entry.clone()),
            Op::Remove(path) => drop(tree.remove_below(path)),
            Op::Move(from, to) => {
                for (path, entry) in tree.remove_below(from) {
                    tree.set(&format!("{to}{}", &path[from.len()..]), entry);
                }
            }
        }
    }
    tree
}

impl Entry {
    /// The bytes that git keeps, and the mode.
    pub fn bytes(&self, path: &str) -> (&'static str, String) {
        let json = path.ends_with(".json");
        match self {
            Self::Text(text) => ("100644", text.clone()),
            Self::Link(target) => ("120000", target.clone()),
            Self::Config(config) => ("100644", if json { config.json() } else { config.hcl() }),
            Self::Values(values) if json => {
                let members =
                    values.iter().map(|(name, value)| format!("{}: {}", quoted(name), quoted(value)));
                ("100644", format!("{{{}}}", members.collect::<Vec<_>>().join(", ")))
            }
            Self::Values(values) => (
                "100644",
                values.iter().map(|(name, value)| format!("{name} = {}\n", quoted(value))).collect(),
            ),
            Self::Test(note, module) => {
                let module = module.as_ref().map(|m| format!("  module {{\n    source = \"{m}\"\n  }}\n"));
                ("100644", format!("# {note}\nrun \"one\" {{\n{}}}\n", module.unwrap_or_default()))
            }
        }
    }
}

impl Config {
    fn hcl(&self) -> String {
        let mut text = format!("# {}\n", self.note);
        for item in &self.items {
            let _ = match item {
                Item::Call { name, source, arguments } => {
                    let arguments: String = arguments
                        .iter()
                        .map(|(name, value)| format!("  {name} = {}\n", value.hcl()))
                        .collect();
                    write!(text, "module \"{name}\" {{\n  source = \"{source}\"\n{arguments}}}\n")
                }
                Item::Read { .. } | Item::Set { .. } => {
                    write!(text, "output \"{}\" {{\n  value = {}\n}}\n", item.name(), item.value())
                }
                Item::Named { name, argument, path } => write!(
                    text,
                    "resource \"aws_s3_object\" \"{name}\" {{\n  bucket = \"b\"\n  {argument} = {}\n}}\n",
                    path.hcl()
                ),
                Item::Local { name, value } => write!(text, "locals {{\n  {name} = {}\n}}\n", value.hcl()),
                Item::Map { name, .. } => write!(text, "locals {{\n  {name} = {}\n}}\n", item.value()),
                Item::Variable { name, default: Some(default) } => {
                    write!(text, "variable \"{name}\" {{\n  default = {}\n}}\n", quoted(default))
                }
                Item::Variable { name, default: None } => {
                    write!(text, "variable \"{name}\" {{\n  type = string\n}}\n")
                }
                Item::Backend => write!(text, "terraform {{\n  backend \"local\" {{}}\n}}\n"),
            };
        }
        if self.broken {
            text.push_str("locals {\n  unfinished = [\n");
        }
        text
    }

    fn json(&self) -> String {
        let mut blocks: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for item in &self.items {
            let value = |text: String| quoted(&format!("${{{text}}}"));
            let members = |members: &[(String, Expr)]| -> String {
                let members =
                    members.iter().map(|(name, value)| format!("{}: {}", quoted(name), value.json()));
                members.collect::<Vec<_>>().join(", ")
            };
            let (kind, block) = match item {
                Item::Call { name, source, arguments } => {
                    let source = [("source".to_owned(), Expr::Text(source.clone()))];
                    let all = [&source[..], arguments].concat();
                    ("module", format!("{{\"{name}\": {{{}}}}}", members(&all)))
                }
                Item::Read { name, .. } | Item::Set { name, .. } => {
                    ("output", format!("{{\"{name}\": {{\"value\": {}}}}}", value(item.value())))
                }
                Item::Named { name, argument, path } => {
                    let own = format!("\"bucket\": \"b\", \"{argument}\": {}", path.json());
                    ("resource", format!("{{\"aws_s3_object\": {{\"{name}\": {{{own}}}}}}}"))
                }
                Item::Local { name, value } => ("locals", format!("{{\"{name}\": {}}}", value.json())),
                Item::Map { name, members: map } => {
                    ("locals", format!("{{\"{name}\": {{{}}}}}", members(map)))
                }
                Item::Variable { name, default } => {
                    let default = default.as_ref().map(|text| format!("\"default\": {}", quoted(text)));
                    ("variable", format!("{{\"{name}\": {{{}}}}}", default.unwrap_or_default()))
                }
                Item::Backend => ("terraform", "{\"backend\": {\"local\": {}}}".to_owned()),
            };
            blocks.entry(kind).or_default().push(block);
        }
        let mut text = format!("{{\n  \"//\": \"{}\"", self.note);
        for (kind, blocks) in blocks {
            let _ = write!(text, ",\n  \"{kind}\": [{}]", blocks.join(", "));
        }
        text.push_str(if self.broken { ",\n" } else { "\n}\n" });
        text
    }
}

impl Item {
    pub fn name(&self) -> &str {
        match self {
            Self::Call { name, .. }
            | Self::Read { name, .. }
            | Self::Set { name, .. }
            | Self::Named { name, .. }
            | Self::Local { name, .. }
            | Self::Map { name, .. }
            | Self::Variable { name, .. } => name,
            Self::Backend => "backend",
        }
    }

    /// The expression of an output, or of a map.
    fn value(&self) -> String {
        match self {
            Self::Read { function: "templatefile", path, .. } => {
                format!("templatefile({}, {{}})", path.hcl())
            }
            Self::Read { function, path, .. } => format!("{function}({})", path.hcl()),
            Self::Set { directory, glob, content: false, .. } => {
                format!("fileset({}, \"{glob}\")", directory.hcl())
            }
            Self::Set { directory, glob, .. } => {
                let (set, base) = (directory.hcl(), directory.template());
                format!("[for f in fileset({set}, \"{glob}\") : file(\"{base}/${{f}}\")]")
            }
            Self::Map { members, .. } => {
                let members: Vec<String> =
                    members.iter().map(|(name, value)| format!("{name} = {}", value.hcl())).collect();
                format!("{{ {} }}", members.join(", "))
            }
            _ => String::new(),
        }
    }
}

impl Expr {
    fn hcl(&self) -> String {
        match self {
            Self::Join(_) | Self::Text(_) => format!("\"{}\"", self.template()),
            Self::Format(parts) => {
                let words: String = parts.iter().map(|part| format!(", {}", part.hcl())).collect();
                format!("format(\"{}\"{words})", "%s".repeat(parts.len()))
            }
            Self::Object(members) => {
                let members = members.iter().map(|(name, value)| format!("{name} = {}", value.hcl()));
                format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
            }
            other => other.word(),
        }
    }

    fn json(&self) -> String {
        match self {
            Self::Object(members) => {
                let members =
                    members.iter().map(|(name, value)| format!("{}: {}", quoted(name), value.json()));
                format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
            }
            other => quoted(&other.template()),
        }
    }

    /// Within quotes.
    fn template(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Join(parts) => parts.iter().map(Self::template).collect(),
            Self::Format(_) => format!("${{{}}}", self.hcl()),
            other => format!("${{{}}}", other.word()),
        }
    }

    fn word(&self) -> String {
        match self {
            Self::Module => "path.module".to_owned(),
            Self::Root => "path.root".to_owned(),
            Self::Cwd => "path.cwd".to_owned(),
            Self::Local(name) => format!("local.{name}"),
            Self::Var(name) => format!("var.{name}"),
            Self::Pick(map, key) => format!("local.{map}[var.{key}]"),
            Self::If(name, one, other) => format!("var.{name} == \"f\" ? {} : {}", one.hcl(), other.hcl()),
            Self::Each => "each.value".to_owned(),
            Self::Text(_) | Self::Join(_) | Self::Format(_) | Self::Object(_) => String::new(),
        }
    }
}

/// A JSON or HCL string; what is quoted here has no quotes, backslashes or control characters of its own but
/// those of expressions.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, entry) in &self.0 {
            let (mode, text) = entry.bytes(path);
            match mode {
                "120000" => writeln!(f, "--- {path} -> {text}")?,
                _ => writeln!(f, "--- {path}\n{}", text.trim_end())?,
            }
        }
        Ok(())
    }
}
