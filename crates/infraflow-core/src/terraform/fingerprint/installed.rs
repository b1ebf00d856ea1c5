use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::closure::FILES;
use crate::{
    git::Repository,
    proof::{Digest, RepoPath},
    terraform::TerraformError,
};

/// The modules that `init` found, as `.terraform/modules/modules.json` lists them.
#[derive(Deserialize)]
pub(super) struct Installed {
    #[serde(rename = "Modules")]
    modules: Vec<InstalledModule>,
}

#[derive(Deserialize)]
pub(super) struct InstalledModule {
    /// The names of the calls that lead to it, joined by dots; empty for the root module.
    #[serde(rename = "Key")]
    pub(super) key: String,
    /// Where it is, seen from the root module's folder.
    #[serde(rename = "Dir")]
    pub(super) folder: String,
}

impl InstalledModule {
    /// Whether it was brought by `init`, and is not a folder of the repository.
    pub(super) fn was_brought(&self) -> bool {
        Path::new(&self.folder).starts_with(".terraform")
    }
}

impl Installed {
    /// Reads the list below the root module's folder; empty where nothing calls a module.
    pub(super) fn read(unit: &Path) -> Result<Vec<InstalledModule>, TerraformError> {
        let path = unit.join(".terraform/modules/modules.json");
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(TerraformError::Files { path, source }),
        };
        let installed: Self = serde_json::from_slice(&bytes)
            .map_err(|error| TerraformError::Files { path, source: error.into() })?;
        Ok(installed.modules.into_iter().filter(|module| !module.key.is_empty()).collect())
    }
}

/// The installed package that a module's folder lies in: the first folder below `.terraform/modules`.
pub(super) fn package(unit: &Path, module: &InstalledModule) -> Option<PathBuf> {
    let below = Path::new(&module.folder).strip_prefix(".terraform/modules").ok()?;
    Some(unit.join(".terraform/modules").join(below.components().next()?))
}

/// The id of the tree that is checked out in a clone; `None` where the package is none.
pub(super) fn tree_of(package: &Path) -> Option<String> {
    if !package.join(".git").exists() {
        return None;
    }
    let repository = Repository::open(package).ok()?;
    let commit = repository.head().ok()?.commit()?;
    Some(repository.commit(&commit).ok()?.tree.to_string())
}

/// The digests of all files below a folder of the file system, named `PREFIX/path`. What tools keep for
/// themselves (`.terraform`, `.git`) is left out. Links are followed, since the tools do.
pub(super) fn folder(prefix: &str, folder: &Path) -> Result<BTreeMap<String, Digest>, TerraformError> {
    let mut walk = Walk { found: BTreeMap::new(), entered: BTreeSet::new() };
    walk.folder(prefix, folder)?;
    Ok(walk.found)
}

struct Walk {
    found: BTreeMap<String, Digest>,
    /// Folders that were entered, by their real path: links may lead in circles.
    entered: BTreeSet<PathBuf>,
}

impl Walk {
    fn folder(&mut self, prefix: &str, folder: &Path) -> Result<(), TerraformError> {
        let failed = |source| TerraformError::Files { path: folder.to_owned(), source };
        if !self.entered.insert(folder.canonicalize().map_err(failed)?) {
            return Ok(());
        }
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            names.push(entry.map_err(failed)?.file_name());
        }
        names.sort();
        for name in names.iter().filter(|name| *name != ".terraform" && *name != ".git") {
            // Names are bytes; as a path of a repository is written, no two of them look alike.
            let shown = RepoPath::parse(name.as_bytes())?;
            self.visit(&format!("{prefix}/{shown}"), &folder.join(name))?;
        }
        Ok(())
    }

    fn visit(&mut self, name: &str, path: &Path) -> Result<(), TerraformError> {
        let failed = |source| TerraformError::Files { path: path.to_owned(), source };
        if let Ok(target) = std::fs::read_link(path) {
            self.keep(format!("link:{name}"), target.as_os_str().as_bytes(), path)?;
        }
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.folder(name, path),
            Ok(metadata) if metadata.is_file() => {
                let bytes = std::fs::read(path).map_err(failed)?;
                self.keep(name.to_owned(), &bytes, path)
            }
            // Sockets and the like are nothing that a module can read.
            Ok(_) => Ok(()),
            // A link that leads nowhere.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    fn keep(&mut self, name: String, bytes: &[u8], path: &Path) -> Result<(), TerraformError> {
        if self.found.len() >= FILES {
            let source = io::Error::other(format!("it has more than {FILES} files"));
            return Err(TerraformError::Files { path: path.to_owned(), source });
        }
        self.found.insert(name, Digest::of_bytes(bytes));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_once_and_what_tools_keep_is_left_out() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        };
        write("a/main.tf");
        write("shared/s.tf");
        write("a/.git/config");
        write("a/.terraform/x");
        std::os::unix::fs::symlink("../shared", root.path().join("a/s")).unwrap();
        std::os::unix::fs::symlink("..", root.path().join("shared/up")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.path().join("a/broken")).unwrap();
        let found = folder("m", &root.path().join("a")).unwrap();
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(names, ["link:m/broken", "link:m/s", "link:m/s/up", "m/main.tf", "m/s/s.tf"]);
    }
}
