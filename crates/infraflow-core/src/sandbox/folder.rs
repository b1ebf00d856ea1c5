use std::{
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::process::{Environment, Preset};

use super::{Mark, Sandbox, SandboxError, Swept};

/// A folder of this machine as a sandbox: deployments make files and folders below it, with their mark in the
/// name. They learn its path as the variable `sandbox_folder` (`TF_VAR_sandbox_folder`) and as
/// `INFRAFLOW_SANDBOX_FOLDER` in the environment. It needs no cloud and has a sweeper, so it is what
/// demonstrations and tests use.
///
/// A sweep removes every file, link and folder whose name carries the mark, wherever it stands below the root.
/// Links are not followed.
#[derive(Clone, Debug)]
pub struct FolderSandbox {
    root: PathBuf,
    environment: Environment,
}

impl FolderSandbox {
    /// The folder, made where it is missing. Tools see the presets base, proxies and CLI configuration of this
    /// process' environment.
    ///
    /// # Errors
    /// [`SandboxError::Io`] or [`SandboxError::Full`] where it cannot be made.
    pub fn new(root: impl AsRef<Path>) -> Result<Self, SandboxError> {
        let root = root.as_ref();
        let made = fs::create_dir_all(root).and_then(|()| root.canonicalize());
        let root = made.map_err(|source| SandboxError::io("make the sandbox", root, source))?;
        let environment = Environment::preset(&[Preset::Base, Preset::Proxies, Preset::CliConfig]);
        Ok(Self { root, environment })
    }

    /// The same with this environment for the tools, to which the mark and the folder are added.
    #[must_use]
    pub fn with_environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

#[async_trait]
impl Sandbox for FolderSandbox {
    fn name(&self) -> &str {
        "folder"
    }

    async fn environment(&self, mark: &Mark) -> Result<Environment, SandboxError> {
        Ok(self
            .environment
            .clone()
            .and(&mark.environment())
            .with("TF_VAR_sandbox_folder", &self.root)
            .with("INFRAFLOW_SANDBOX_FOLDER", &self.root))
    }

    async fn sweep(&self, mark: &Mark, cancel: &CancellationToken) -> Result<Swept, SandboxError> {
        let (root, mark, cancel) = (self.root.clone(), mark.clone(), cancel.clone());
        let sweep = move || {
            let mut removed = Vec::new();
            sweep_folder(&root, &root, &mark, &cancel, &mut removed)?;
            removed.sort();
            Ok(if removed.is_empty() { Swept::Clean } else { Swept::Removed(removed) })
        };
        tokio::task::spawn_blocking(sweep)
            .await
            .unwrap_or_else(|error| Err(SandboxError::stopped("sweep", error)))
    }
}

fn sweep_folder(
    root: &Path,
    folder: &Path,
    mark: &Mark,
    cancel: &CancellationToken,
    removed: &mut Vec<String>,
) -> Result<(), SandboxError> {
    let failed = |path: &Path, source: io::Error| SandboxError::Sweep {
        sandbox: "folder".to_owned(),
        mark: mark.clone(),
        source: Box::new(SandboxError::io("remove", path, source)),
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // Swept by somebody else meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound && folder != root => return Ok(()),
        Err(source) => return Err(failed(folder, source)),
    };
    for entry in entries {
        if cancel.is_cancelled() {
            return Err(failed(folder, io::Error::other("cancelled")));
        }
        let entry = entry.map_err(|source| failed(folder, source))?;
        let path = entry.path();
        let is_folder = entry.file_type().map_err(|source| failed(&path, source))?.is_dir();
        if mark.is_in(entry.file_name().as_bytes()) {
            let gone = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            match gone {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(failed(&path, source)),
            }
            removed.push(path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned());
        } else if is_folder {
            sweep_folder(root, &path, mark, cancel, removed)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::CaseId,
        proof::{RepoPath, RunId},
    };

    #[tokio::test]
    async fn a_sweep_removes_what_carries_the_mark_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let sandbox = FolderSandbox::new(folder.path().join("root")).unwrap();
        let case = |path: &str| CaseId::new(RepoPath::parse(path).unwrap());
        let run = RunId::parse("r1").unwrap();
        let (mark, other) = (Mark::of(&run, &case("a")), Mark::of(&run, &case("b")));
        let cancel = CancellationToken::new();
        assert_eq!(sandbox.sweep(&mark, &cancel).await.unwrap(), Swept::Clean);
        let root = sandbox.root();
        fs::create_dir_all(root.join(format!("deep/{mark}-dir/full"))).unwrap();
        fs::create_dir_all(root.join("kept")).unwrap();
        fs::write(root.join(format!("kept/net-{mark}.txt")), "").unwrap();
        fs::write(root.join(format!("kept/net-{other}.txt")), "").unwrap();
        fs::write(outside.path().join("precious"), "").unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join(format!("link-{mark}"))).unwrap();
        let swept = sandbox.sweep(&mark, &cancel).await.unwrap();
        assert_eq!(
            swept,
            Swept::Removed(vec![
                format!("deep/{mark}-dir"),
                format!("kept/net-{mark}.txt"),
                format!("link-{mark}")
            ])
        );
        assert!(root.join(format!("kept/net-{other}.txt")).exists());
        assert!(outside.path().join("precious").exists());
        assert_eq!(sandbox.sweep(&mark, &cancel).await.unwrap(), Swept::Clean);
        cancel.cancel();
        assert!(sandbox.sweep(&mark, &cancel).await.is_err());
    }
}
