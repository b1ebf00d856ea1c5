use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Mutex,
};

use crate::{
    process::{LogStream, OutputFiles, Source},
    proof::{RepoPath, RunId},
};

use super::{Mark, SandboxError};

/// The file that gives a root module its backend: a local one, whatever the module says. An override file wins
/// over a `backend` and over a `cloud` block, and among override files the last one in the alphabet does.
pub(super) const OVERRIDE: &str = "zzz_infraflow_sandbox_override.tf";

/// Where a run works on this machine: a private folder, with the files of the tree, and a folder per case.
#[derive(Clone, Debug)]
pub(super) struct WorkFolder {
    root: PathBuf,
}

impl WorkFolder {
    pub(super) fn of(work: &Path, run: &RunId) -> Self {
        Self { root: work.join(run.as_str()) }
    }

    /// Makes room for the files of the tree, in private.
    pub(super) fn begin(&self, free: u64) -> Result<(), SandboxError> {
        remove(&self.tree())?;
        make_private(&self.root)?;
        room(&self.root, free)
    }

    /// Removes everything but the logs, states included: for when all of them are closed, or kept elsewhere.
    pub(super) fn clear(&self) -> Result<(), SandboxError> {
        remove(&self.tree())?;
        remove(&self.root.join("cases"))
    }

    /// The files of the tree.
    pub(super) fn tree(&self) -> PathBuf {
        self.root.join("tree")
    }

    pub(super) fn log(&self, mark: &Mark) -> PathBuf {
        self.root.join("logs").join(format!("{mark}.log"))
    }

    /// A case's own folder, private and empty. What an earlier attempt left there was reaped before.
    pub(super) fn case(&self, mark: &Mark, module: &RepoPath) -> Result<CaseFolder, SandboxError> {
        remove(&self.root.join("cases").join(mark.as_str()))?;
        let folder = CaseFolder {
            folder: self.root.join("cases").join(mark.as_str()),
            module: module.below(&self.tree()),
        };
        folder.begin()?;
        Ok(folder)
    }
}

/// Where one case works: state, installed modules and saved plan in a folder of its own, beside the root module
/// that is deployed.
#[derive(Clone, Debug)]
pub(super) struct CaseFolder {
    pub(super) folder: PathBuf,
    pub(super) module: PathBuf,
}

impl CaseFolder {
    fn begin(&self) -> Result<(), SandboxError> {
        make_private(&self.folder)?;
        make_private(&self.folder.join("state"))
    }

    pub(super) fn new(folder: PathBuf, module: PathBuf) -> Result<Self, SandboxError> {
        let folder = Self { folder, module };
        folder.begin()?;
        Ok(folder)
    }

    pub(super) fn state(&self) -> PathBuf {
        state_in(&self.folder)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(super) fn saved_plan(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where tools write, so that they can go on, and save what they know, when this process dies.
    pub(super) fn output(&self) -> OutputFiles {
        OutputFiles { stdout: self.folder.join("stdout"), stderr: self.folder.join("stderr") }
    }

    /// Gives the root module a local backend with our state.
    pub(super) fn write_override(&self) -> Result<(), SandboxError> {
        let path = self.module.join(OVERRIDE);
        // In a quoted HCL string the backslash, the quote and the template markers are escaped.
        let state = self.state().to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
        let state = state.replace("${", "$${").replace("%{", "%%{");
        let text = format!("terraform {{\n  backend \"local\" {{\n    path = \"{state}\"\n  }}\n}}\n");
        fs::write(&path, text).map_err(|source| SandboxError::io("write", path, source))
    }
}

impl CaseFolder {
    /// Makes sure, after `init`, that the backend is the one of our override: an override file of the example's
    /// own that comes later in the alphabet would send the state elsewhere, where nobody reaps it.
    pub(super) fn check_backend(&self) -> Result<(), SandboxError> {
        let path = self.data().join("terraform.tfstate");
        let text = fs::read(&path).map_err(|source| SandboxError::io("read", &path, source))?;
        let chosen: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        let ours = chosen.pointer("/backend/type").and_then(|kind| kind.as_str()) == Some("local")
            && chosen.pointer("/backend/config/path").and_then(|path| path.as_str()) == self.state().to_str();
        if ours { Ok(()) } else { Err(SandboxError::Backend { file: OVERRIDE }) }
    }
}

/// Where the state stands in a case's folder.
pub(super) fn state_in(folder: &Path) -> PathBuf {
    folder.join("state").join("terraform.tfstate")
}

fn remove(folder: &Path) -> Result<(), SandboxError> {
    match fs::remove_dir_all(folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(SandboxError::io("remove", folder, source)),
    }
}

/// Makes a folder that nobody else can read: states and logs hold secrets.
pub(super) fn make_private(folder: &Path) -> Result<(), SandboxError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| SandboxError::io("make", folder, source))
}

/// Makes sure that a disk has room: a state that cannot be written is lost.
pub(super) fn room(folder: &Path, needed: u64) -> Result<(), SandboxError> {
    let disk = rustix::fs::statvfs(folder)
        .map_err(|errno| SandboxError::io("find room in", folder, errno.into()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < needed {
        let why = format!("{} MiB are free, {} MiB are needed", free >> 20, needed >> 20);
        let source = io::Error::new(io::ErrorKind::StorageFull, why);
        return Err(SandboxError::io("work in", folder, source));
    }
    Ok(())
}

/// A case's log, with everything that its tools say; private, since that may hold secrets.
#[derive(Debug)]
pub(super) struct LogFile(Mutex<fs::File>);

impl LogFile {
    pub(super) fn create(path: &Path) -> Result<Self, SandboxError> {
        if let Some(folder) = path.parent() {
            make_private(folder)?;
        }
        let open = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        open.map(|file| Self(Mutex::new(file))).map_err(|source| SandboxError::io("write", path, source))
    }
}

impl LogStream for LogFile {
    fn chunk(&self, _: Source, bytes: &[u8]) {
        // A full disk must not keep a destroy from going on; the log then lacks its end.
        let mut file = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = io::Write::write_all(&mut *file, bytes);
    }
}
