//! A repository of the user, or a clone of it for a rehearsal.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use infraflow_core::{
    address::PackageIdentity,
    git::{BranchName, CloneOptions, ClonedFiles, CommitId, RemoteName, Repository},
    process::{Command, Environment, Preset},
};
use infraflow_examples::Failure;

/// A repository of the user: itself, or a clone of it where nothing may be written.
pub(super) struct Side {
    pub(super) own: Repository,
    pub(super) repository: Repository,
    /// Where its origin is; `None` where it has none.
    pub(super) remote: Option<String>,
    pub(super) trunk: BranchName,
    pub(super) tip: CommitId,
    /// The commits that were asked for.
    pub(super) commits: Vec<CommitId>,
}

impl Side {
    pub(super) fn open(
        path: &Path,
        revisions: &[&str],
        clone: Option<(PathBuf, ClonedFiles)>,
    ) -> Result<Self, Failure> {
        let own = Repository::open(path)?;
        let (trunk, origin) = (own.trunk()?, RemoteName::origin());
        let remote = own.remote_url(&origin)?.map(|url| absolute(own.root(), url.as_str()));
        let commits = revisions.iter().map(|it| own.resolve(it)).collect::<Result<Vec<_>, _>>()?;
        let repository = match clone {
            None => own.clone(),
            Some((folder, files)) => {
                let path = own.root().to_string_lossy();
                let clone = Repository::clone_from(&path, &folder, &CloneOptions::new().files(files))?;
                for commit in commits.iter().filter(|commit| clone.commit(commit).is_err()) {
                    clone.fetch(&origin, &[&commit.to_string()])?;
                }
                git(&folder, &["symbolic-ref", "HEAD", &trunk.reference()])?;
                if let Some(remote) = &remote {
                    git(&folder, &["remote", "set-url", "origin", remote])?;
                    // Terraform fetches from a bare clone, so that it has what the remote has.
                    let all = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
                    clone.fetch(&origin, if files == ClonedFiles::Bare { &all } else { &all[1..] })?;
                }
                clone
            }
        };
        let tip = if remote.is_some() {
            repository.fetch(&origin, &["+refs/heads/*:refs/remotes/origin/*"])?;
            repository.remote_tip(&origin, &trunk)?.ok_or_else(|| {
                format!(
                    "cannot plan on {}: its origin has no branch {trunk}\n  help: push the trunk first",
                    path.display()
                )
            })?
        } else {
            own.trunk_tip()?
        };
        Ok(Self { own, repository, remote, trunk, tip, commits })
    }

    /// The addresses by which others may fetch it.
    pub(super) fn identities(&self) -> BTreeSet<PackageIdentity> {
        let path = self.own.root().to_string_lossy();
        let addresses = self.remote.as_deref().into_iter().chain([&*path]);
        addresses.map(PackageIdentity::of_remote).collect()
    }
}

/// A remote that is a relative path is one from its repository.
fn absolute(root: &Path, url: &str) -> String {
    let below = root.join(url);
    if !url.contains("://") && below.is_dir() { below.to_string_lossy().into_owned() } else { url.to_owned() }
}

/// Runs git in a clone of ours.
pub(super) fn git(folder: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let environment = Environment::preset(&[Preset::Base, Preset::Git]);
    let command = Command::new("git").args(arguments).current_dir(folder).environment(environment);
    let finished = command.run_blocking()?;
    if finished.success() {
        return Ok(());
    }
    Err(format!("cannot rehearse: git {} failed: {}", arguments[0], finished.message()).into())
}
