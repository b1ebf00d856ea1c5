use std::{
    collections::{BTreeSet, HashSet},
    ffi::OsStr,
    fs, io,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Component, Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::proof::RepoPath;

use super::{SandboxError, files::OVERRIDE};

/// Larger files than these are no configuration, and left out.
const LARGEST_FILE: u64 = 8 << 20;
const LARGEST_BUNDLE: u64 = 64 << 20;
const DEEPEST: usize = 64;

/// The configuration of a deployment: the root module, the modules of the same tree that it calls, directly or
/// not, and its lock file. With it a deployment can be destroyed on a machine that has no clone. Modules from
/// elsewhere are installed again by `init`.
#[derive(Serialize, Deserialize)]
pub(super) struct Bundle {
    files: Vec<File>,
}

#[derive(Serialize, Deserialize)]
struct File {
    path: RepoPath,
    executable: bool,
    content: String,
}

#[derive(Deserialize)]
struct Installed {
    #[serde(rename = "Modules")]
    modules: Vec<InstalledModule>,
}

#[derive(Deserialize)]
struct InstalledModule {
    #[serde(rename = "Dir")]
    folder: String,
}

impl Bundle {
    /// Packs what `init` found: the root module in a tree on the disk, and the local modules that are listed in
    /// the tool's data folder.
    pub(super) fn pack(tree: &Path, module: &Path, data: &Path) -> Result<Self, SandboxError> {
        let canonical =
            |path: &Path| path.canonicalize().map_err(|source| SandboxError::io("read", path, source));
        let tree = canonical(tree)?;
        let mut folders = BTreeSet::from([canonical(module)?]);
        for folder in installed(data)? {
            // A module outside the tree, or one that `init` fetched, is not part of the tree's files.
            let folder = module.join(folder);
            if let Ok(folder) = folder.canonicalize()
                && folder.starts_with(&tree)
                && !folder.starts_with(data)
            {
                folders.insert(folder);
            }
        }
        let mut found = Found { tree, seen: HashSet::new(), files: BTreeSet::new() };
        for folder in &folders {
            found.walk(folder, DEEPEST).map_err(|source| SandboxError::io("read", folder, source))?;
        }
        found.pack()
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, SandboxError> {
        serde_json::to_vec(self).map_err(|error| SandboxError::stopped("keep the configuration", error))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, SandboxError> {
        serde_json::from_slice(bytes)
            .map_err(|error| SandboxError::stopped("read the kept configuration", error))
    }

    /// Writes the files below an empty folder.
    pub(super) fn unpack(&self, tree: &Path) -> Result<(), SandboxError> {
        for file in &self.files {
            let path = file.path.below(tree);
            let failed = |source| SandboxError::io("write", &path, source);
            let content = STANDARD.decode(&file.content).map_err(|error| failed(io::Error::other(error)))?;
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(failed)?;
            }
            fs::write(&path, content).map_err(failed)?;
            if file.executable {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(failed)?;
            }
        }
        Ok(())
    }
}

fn installed(data: &Path) -> Result<Vec<PathBuf>, SandboxError> {
    let list = data.join("modules").join("modules.json");
    match fs::read(&list) {
        Ok(text) => {
            let installed: Installed = serde_json::from_slice(&text)
                .map_err(|error| SandboxError::io("read", &list, io::Error::other(error)))?;
            Ok(installed.modules.into_iter().map(|module| module.folder.into()).collect())
        }
        // A root module that calls no other has no list.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(SandboxError::io("read", list, source)),
    }
}

/// Files of the tree, each by the path by which it was reached: a link's target is packed in its place.
struct Found {
    tree: PathBuf,
    seen: HashSet<PathBuf>,
    files: BTreeSet<(bool, PathBuf)>,
}

impl Found {
    fn walk(&mut self, folder: &Path, depth: usize) -> io::Result<()> {
        if depth == 0 || !self.seen.insert(folder.to_owned()) {
            return Ok(());
        }
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (name, path) = (entry.file_name(), entry.path());
            if [".git", ".terraform", OVERRIDE].iter().any(|skipped| name == OsStr::new(skipped)) {
                continue;
            }
            // A dangling link, or one that leaves the tree, is nothing that a module can read.
            let Ok(target) = path.canonicalize() else { continue };
            if !target.starts_with(&self.tree) {
                continue;
            }
            if target.is_dir() {
                self.walk(&path, depth - 1)?;
            } else if target.is_file() {
                self.files.insert((!is_configuration(&name), path));
            }
        }
        Ok(())
    }

    /// Configuration comes first: should the rest be too much, it can be done without.
    fn pack(self) -> Result<Bundle, SandboxError> {
        let (mut files, mut total) = (Vec::new(), 0);
        for (_, path) in &self.files {
            let failed = |source| SandboxError::io("read", path, source);
            let found = fs::metadata(path).map_err(failed)?;
            if found.len() > LARGEST_FILE || total + found.len() > LARGEST_BUNDLE {
                continue;
            }
            let Some(relative) = self.relative(path) else { continue };
            total += found.len();
            files.push(File {
                path: relative,
                executable: found.permissions().mode() & 0o111 != 0,
                content: STANDARD.encode(fs::read(path).map_err(failed)?),
            });
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Bundle { files })
    }

    fn relative(&self, path: &Path) -> Option<RepoPath> {
        let relative = path.strip_prefix(&self.tree).ok()?;
        debug_assert!(relative.components().all(|part| matches!(part, Component::Normal(_))));
        RepoPath::parse(relative.as_os_str().as_bytes()).ok()
    }
}

fn is_configuration(name: &OsStr) -> bool {
    [".tf", ".tofu", ".json", ".hcl", ".tfvars"].iter().any(|end| name.as_bytes().ends_with(end.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_module_and_the_modules_it_calls_are_packed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        let write = |path: &str, text: &str| {
            let path = tree.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("m/examples/a b/main.tf", "module \"m\" {}");
        write("m/examples/a b/.terraform/big", "");
        write("m/examples/a b/zzz_infraflow_sandbox_override.tf", "");
        write("m/main.tf", "");
        write("m/files/é.json", "{}");
        write("other/main.tf", "");
        fs::set_permissions(tree.join("m/main.tf"), fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink("../other/main.tf", tree.join("m/linked.tf")).unwrap();
        std::os::unix::fs::symlink("/etc", tree.join("m/outside")).unwrap();
        std::os::unix::fs::symlink("..", tree.join("m/loop")).unwrap();
        let data = folder.path().join("data");
        fs::create_dir_all(data.join("modules")).unwrap();
        let list = r#"{"Modules":[{"Key":"","Dir":"."},{"Key":"m","Dir":"../.."},{"Key":"x","Dir":"gone"}]}"#;
        fs::write(data.join("modules/modules.json"), list).unwrap();

        let bundle = Bundle::pack(&tree, &tree.join("m/examples/a b"), &data).unwrap();
        let bundle = Bundle::from_bytes(&bundle.to_bytes().unwrap()).unwrap();
        let back = folder.path().join("back");
        bundle.unpack(&back).unwrap();
        for path in ["m/examples/a b/main.tf", "m/main.tf", "m/files/é.json", "m/linked.tf"] {
            assert_eq!(fs::read(back.join(path)).unwrap(), fs::read(tree.join(path)).unwrap(), "{path}");
        }
        assert!(back.join("m/main.tf").metadata().unwrap().permissions().mode() & 0o100 != 0);
        assert!(!back.join("m/examples/a b/.terraform").exists() && !back.join("m/outside").exists());
        assert!(!back.join("m/examples/a b").join(OVERRIDE).exists());
    }
}
