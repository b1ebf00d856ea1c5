//! The content of one part of a closure, as a digest.

use super::{SelectRules, closure::Closure, closure::Part, closure::unproven};
use crate::{
    git::{Entry, Followed, GitError, Mode, Tree},
    proof::{Digester, Link, Reason, RepoPath},
    terraform::facts::{FileKind, TerraformFile},
};

/// The files of a tree, as parts of closures are made of them.
pub(super) struct Files<'a> {
    pub(super) tree: &'a Tree,
    pub(super) closure: &'a Closure,
    pub(super) rules: &'a SelectRules,
}

/// A digest, or why there is none.
pub(super) type Told = Result<[u8; 32], Reason>;

impl Files<'_> {
    /// The digest of one part: over the path, the mode and the object id of everything that counts, in the order
    /// of paths.
    pub(super) fn told(&self, part: &Part) -> Told {
        let mut digester = Digester::new();
        match part {
            Part::Directory(path) => self.directory(path, &mut digester)?,
            Part::Path(path) => self.path(path, &mut digester)?,
            Part::Names(path) => self.names(path, &mut digester)?,
        }
        Ok(digester.finish_bytes())
    }

    fn directory(&self, path: &RepoPath, into: &mut Digester) -> Result<(), Reason> {
        for entry in self.tree.list(path).map_err(|error| unreadable(path, &error))? {
            let counts = !matches!(entry.mode, Mode::Directory | Mode::Submodule);
            if !counts || self.closure.tests.contains(&entry.path) || self.rules.ignores(&entry.path) {
                continue;
            }
            add(into, &entry);
            let file = match entry.mode {
                Mode::Link => self.behind(&entry, into)?,
                _ => Some(entry),
            };
            if let Some(file) = file {
                self.calls_are_constant(&file)?;
            }
        }
        Ok(())
    }

    /// A part that is there but for its own name.
    fn path(&self, path: &RepoPath, into: &mut Digester) -> Result<(), Reason> {
        let failed = |error| unreadable(path, &error);
        let found = match self.tree.entry(path).map_err(failed)? {
            Some(entry) => Some(entry),
            None => match self.tree.follow(path).map_err(failed)? {
                Followed::To(entry) => Some(entry),
                Followed::Nothing(_) => None,
                Followed::Outside | Followed::Circle => return Err(leads_out(path)),
            },
        };
        let Some(entry) = found else {
            into.update(b"nothing\0");
            return Ok(());
        };
        match entry.mode {
            Mode::Submodule => return Err(submodule(&entry.path)),
            Mode::Directory => self.below(&entry, into)?,
            Mode::Link => {
                self.behind(&entry, into)?;
            }
            Mode::File | Mode::Executable => self.calls_are_constant(&entry)?,
        }
        add(into, &entry);
        Ok(())
    }

    fn names(&self, path: &RepoPath, into: &mut Digester) -> Result<(), Reason> {
        let failed = |error| unreadable(path, &error);
        match self.tree.entry(path).map_err(failed)? {
            None => into.update(b"nothing\0"),
            Some(entry) => into.update([kind(entry.mode), 0]),
        }
        for entry in self.tree.list(path).map_err(failed)? {
            into.update([kind(entry.mode)]);
            into.update(entry.path.file_name());
            into.update(b"\0");
        }
        Ok(())
    }

    /// The id of a directory stands for all files below it, but not for what its links lead to.
    fn below(&self, directory: &Entry, into: &mut Digester) -> Result<(), Reason> {
        let failed = |error| unreadable(&directory.path, &error);
        for entry in self.tree.walk(&directory.path).map_err(failed)? {
            match entry.mode {
                Mode::Submodule => return Err(submodule(&entry.path)),
                Mode::Link => match self.tree.follow(&entry.path).map_err(failed)? {
                    Followed::To(end) if end.path.is_within(&directory.path) => {}
                    Followed::To(end) if end.mode.is_file() => add(into, &end),
                    Followed::Nothing(_) => {}
                    _ => return Err(leads_out(&entry.path)),
                },
                _ => {}
            }
        }
        Ok(())
    }

    /// Adds the file that a link leads to. A directory behind a link is a part of its own where anything is read
    /// there.
    fn behind(&self, link: &Entry, into: &mut Digester) -> Result<Option<Entry>, Reason> {
        match self.tree.follow(&link.path).map_err(|error| unreadable(&link.path, &error))? {
            Followed::To(end) if end.mode.is_file() => {
                add(into, &end);
                Ok(Some(Entry { path: link.path.clone(), ..end }))
            }
            Followed::To(end) if end.mode == Mode::Submodule => Err(submodule(&end.path)),
            Followed::To(_) | Followed::Nothing(_) => Ok(None),
            Followed::Outside | Followed::Circle => Err(leads_out(&link.path)),
        }
    }

    /// Refuses a file with a module call whose source is no constant: the catalog does not know where it leads.
    fn calls_are_constant(&self, file: &Entry) -> Result<(), Reason> {
        let json = match FileKind::of(file.path.file_name()) {
            // An override changes a call that stands elsewhere, and need not repeat its source.
            Some(FileKind::Configuration { json, overrides: false, .. } | FileKind::Test { json, .. }) => {
                json
            }
            _ => return Ok(()),
        };
        // Read by the object's own path: that of a link has no content of its own.
        let content = match self.tree.follow(&file.path) {
            Ok(Followed::To(end)) => self.tree.read_entry(&end),
            Ok(_) => return Ok(()),
            Err(error) => Err(error),
        };
        let content = content.map_err(|error| unreadable(&file.path, &error))?;
        let known = self.closure.calls.get(&file.path).copied().unwrap_or(0);
        let suspicious =
            if json { content.windows(8).any(|word| word == b"\"module\"") } else { calls(&content) > known };
        if !suspicious {
            return Ok(());
        }
        let Ok(facts) = TerraformFile::parse(&file.path, &content) else { return Ok(()) };
        match facts.calls.iter().find(|call| call.source.is_none()) {
            Some(call) => {
                let text = format!(
                    "{}:{} calls a module whose source only a plan knows",
                    file.path, call.place.line
                );
                Err(unproven(text, [call.place.link(file.path.clone(), format!("module.{}", call.name))]))
            }
            None => Ok(()),
        }
    }
}

/// How many lines begin with `module`, as every module block does.
fn calls(content: &[u8]) -> usize {
    let lines =
        content.split(|&byte| byte == b'\n').map(|line| line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line));
    lines.filter(|line| line.trim_ascii_start().starts_with(b"module")).count()
}

fn add(into: &mut Digester, entry: &Entry) {
    into.update([kind(entry.mode)]);
    into.update(entry.id.as_bytes());
    into.update(entry.path.as_bytes());
    into.update(b"\0");
}

fn kind(mode: Mode) -> u8 {
    match mode {
        Mode::File => b'f',
        Mode::Executable => b'x',
        Mode::Link => b'l',
        Mode::Directory => b'd',
        Mode::Submodule => b's',
    }
}

fn unreadable(path: &RepoPath, error: &GitError) -> Reason {
    unproven(format!("{path} cannot be read: {error}"), [Link::whole(path.clone(), "cannot be read")])
}

fn leads_out(path: &RepoPath) -> Reason {
    unproven(
        format!("the link {path} leads out of the repository, or nowhere"),
        [Link::whole(path.clone(), "a symbolic link")],
    )
}

fn submodule(path: &RepoPath) -> Reason {
    unproven(
        format!("{path} is a submodule, whose files are not read here"),
        [Link::whole(path.clone(), "a submodule")],
    )
}
