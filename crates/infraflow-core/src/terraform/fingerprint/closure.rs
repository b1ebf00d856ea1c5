use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
};

use serde::Serialize;

use super::installed::{Installed, folder, package, tree_of};
use crate::{
    git::{Entry, GitError, Mode, Tree},
    proof::{Digest, Hmac, RepoPath},
    terraform::{TerraformError, ToolVersion, facts::FileKind},
};

/// How many files a closure may have: more is a mistake, or made to exhaust us.
pub(super) const FILES: usize = 200_000;

/// Everything that brought a plan about and does not stand in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Closure {
    /// Files by a name that does not depend on where they lie: `unit/main.tf`, `module/network/main.tf`,
    /// `package/network` (the whole repository that a module came from), `read/policies/a.json`.
    files: BTreeMap<String, Digest>,
    tool: ToolVersion,
    providers: BTreeMap<String, String>,
    workspace: Option<String>,
    mocked: bool,
    /// The files of the repository among them, to be compared with what lies on the disk.
    #[serde(skip)]
    tracked: BTreeSet<RepoPath>,
    /// The directories of the repository that the tool reads configuration from.
    #[serde(skip)]
    directories: BTreeSet<RepoPath>,
}

/// What makes up a unit, as far as its closure goes.
#[derive(Clone, Copy, Debug)]
pub struct ClosureOf<'a> {
    /// The files of the revision that was planned.
    pub tree: &'a Tree,
    /// The unit's directory in it.
    pub unit: &'a RepoPath,
    /// The units below it, which are not its own.
    pub others: &'a [RepoPath],
    /// Files and directories elsewhere that its configuration is known to read.
    pub reads: &'a [RepoPath],
    /// The unit's folder on the disk, initialized.
    pub folder: &'a Path,
    /// The key for variable files, which may hold weak secrets.
    pub hmac: &'a Hmac,
}

impl Closure {
    /// The closure of a unit that `init` has prepared.
    ///
    /// Files of the repository are taken from its tree, not from the disk, where what runs while planning
    /// may have written; [`Closure::altered`] tells whether it did. A module that was cloned can read anything of its
    /// repository, so the tree of that is in it.
    ///
    /// # Errors
    /// [`TerraformError::Files`] and [`TerraformError::Git`] where a file cannot be read, or there are too many.
    pub fn of(
        of: &ClosureOf<'_>,
        tool: ToolVersion,
        providers: BTreeMap<String, String>,
    ) -> Result<Self, TerraformError> {
        let mut closure = Self::without_files(tool, providers);
        closure.directory(of, "unit", of.unit, of.others)?;
        let mut packages = BTreeSet::new();
        for module in Installed::read(of.folder)? {
            let name = format!("module/{}", module.key);
            match of.unit.resolve(&module.folder) {
                Some(directory) if !module.was_brought() => closure.directory(of, &name, &directory, &[])?,
                _ => closure.files.extend(folder(&name, &of.folder.join(&module.folder))?),
            }
            packages.extend(package(of.folder, &module));
        }
        for package in packages {
            let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let name = format!("package/{name}");
            match tree_of(&package) {
                Some(tree) => drop(closure.files.insert(name, Digest::of_bytes(tree))),
                None => closure.files.extend(folder(&name, &package)?),
            }
        }
        for read in of.reads {
            closure.path(of, &format!("read/{read}"), read, &mut BTreeSet::new())?;
        }
        Ok(closure)
    }

    pub(super) fn without_files(tool: ToolVersion, providers: BTreeMap<String, String>) -> Self {
        Self {
            files: BTreeMap::new(),
            tool,
            providers,
            workspace: None,
            mocked: false,
            tracked: BTreeSet::new(),
            directories: BTreeSet::new(),
        }
    }

    /// The same in a workspace.
    #[must_use]
    pub fn in_workspace(mut self, workspace: Option<&str>) -> Self {
        self.workspace = workspace.map(str::to_owned);
        self
    }

    /// The same, with mocked inputs.
    #[must_use]
    pub fn with_mocks(mut self) -> Self {
        self.mocked = true;
        self
    }

    /// The files whose content on the disk is not that of the tree, or that the tool reads and the tree does
    /// not have: something that ran while planning wrote them. `export` is where the tree was written.
    ///
    /// # Errors
    /// [`TerraformError::Files`] and [`TerraformError::Git`] where a file cannot be read.
    pub fn altered(&self, tree: &Tree, export: &Path) -> Result<Vec<RepoPath>, TerraformError> {
        let mut found = Vec::new();
        for path in &self.tracked {
            let Some(entry) = tree.entry(path)? else { continue };
            let (expected, place) = (tree.read_entry(&entry)?, path.below(export));
            let on_disk = match entry.mode {
                Mode::Link => {
                    use std::os::unix::ffi::OsStringExt;
                    std::fs::read_link(&place).map(|target| target.into_os_string().into_vec())
                }
                _ if place.is_symlink() => Err(io::Error::other("it is a link")),
                _ => std::fs::read(&place),
            };
            if on_disk.ok() != Some(expected) {
                found.push(path.clone());
            }
        }
        for directory in &self.directories {
            let place = directory.below(export);
            let failed = |source| TerraformError::Files { path: place.clone(), source };
            for entry in std::fs::read_dir(&place).map_err(failed)? {
                use std::os::unix::ffi::OsStrExt;
                let name = entry.map_err(failed)?.file_name();
                // init writes the lock file where there is none.
                let read = matches!(
                    FileKind::of(name.as_bytes()),
                    Some(FileKind::Configuration { .. } | FileKind::Variables { automatic: true, .. })
                );
                let path = directory.join(name.as_bytes());
                if read && tree.entry(&path)?.is_none() {
                    found.push(path);
                }
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// All files of a directory of the tree, but for those of the directories `others`.
    fn directory(
        &mut self,
        of: &ClosureOf<'_>,
        name: &str,
        directory: &RepoPath,
        others: &[RepoPath],
    ) -> Result<(), TerraformError> {
        self.directories.insert(directory.clone());
        let mut followed = BTreeSet::from([directory.clone()]);
        for entry in of.tree.walk(directory)? {
            if others.iter().any(|other| entry.path.is_within(other)) {
                continue;
            }
            let name = format!("{name}/{}", shown_below(&entry.path, directory)?);
            self.entry(of, name, &entry, &mut followed)?;
        }
        Ok(())
    }

    /// Whatever stands at a path: nothing, a file, a directory, or a link and where it leads.
    fn path(
        &mut self,
        of: &ClosureOf<'_>,
        name: &str,
        path: &RepoPath,
        followed: &mut BTreeSet<RepoPath>,
    ) -> Result<(), TerraformError> {
        if !followed.insert(path.clone()) {
            return Ok(());
        }
        match of.tree.entry(path)? {
            // A file that is read and is not there: its appearing changes the closure.
            None => Ok(()),
            Some(entry) if entry.mode == Mode::Directory => {
                for entry in of.tree.walk(path)? {
                    let name = format!("{name}/{}", shown_below(&entry.path, path)?);
                    self.entry(of, name, &entry, followed)?;
                }
                Ok(())
            }
            Some(entry) => self.entry(of, name.to_owned(), &entry, followed),
        }
    }

    fn entry(
        &mut self,
        of: &ClosureOf<'_>,
        name: String,
        entry: &Entry,
        followed: &mut BTreeSet<RepoPath>,
    ) -> Result<(), TerraformError> {
        if self.files.len() >= FILES {
            let path = entry.path.below(of.folder);
            let source = io::Error::other(format!("there are more than {FILES} files"));
            return Err(TerraformError::Files { path, source });
        }
        let digest = match entry.mode {
            Mode::Submodule => Digest::of_bytes(entry.id.to_string()),
            Mode::File | Mode::Executable => {
                self.tracked.insert(entry.path.clone());
                let bytes = of.tree.read_entry(entry)?;
                let keyed = FileKind::of(entry.path.file_name())
                    .is_some_and(|kind| matches!(kind, FileKind::Variables { .. }));
                if keyed { Digest::of_bytes(of.hmac.of(bytes)) } else { Digest::of_bytes(bytes) }
            }
            Mode::Link => {
                self.tracked.insert(entry.path.clone());
                let target = of.tree.read_entry(entry)?;
                let leads_to = entry.path.parent().and_then(|parent| parent.resolve(&target));
                if let Some(leads_to) = leads_to {
                    self.path(of, &name, &leads_to, followed)?;
                }
                self.files.insert(format!("link:{name}"), Digest::of_bytes(target));
                return Ok(());
            }
            Mode::Directory => return Ok(()),
        };
        self.files.insert(name, digest);
        Ok(())
    }
}

fn shown_below(path: &RepoPath, directory: &RepoPath) -> Result<RepoPath, TerraformError> {
    Ok(RepoPath::parse(path.relative_to(directory))?)
}

impl From<GitError> for TerraformError {
    fn from(source: GitError) -> Self {
        Self::Git(Box::new(source))
    }
}
