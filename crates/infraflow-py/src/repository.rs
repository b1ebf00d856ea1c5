//! Repositories: what is in them, and where their branches stand.

use std::{collections::BTreeMap, path::PathBuf};

use infraflow_core::{
    git::{self, BranchName, ChangeKind, CloneOptions, CommitId, Patience, RemoteName, Revision, TagName},
    proof::{ProofError, RepoPath},
};
use pyo3::{prelude::*, types::PyBytes};

use crate::{
    error::{Failure, Result},
    job::{Job, none, plain},
    value::as_json,
};

/// A repository, read with so much patience.
pub(crate) fn hurried(repository: &git::Repository, patience: Option<&Patience>) -> git::Repository {
    patience.map_or_else(|| repository.clone(), |patience| repository.with_patience(patience))
}

as_json!(BranchName, ChangeKind, CommitId, Revision, TagName);

/// A git repository. Commits are their forty digits; a revision is a commit, or the working tree on top of
/// one, written `…+WORKTREE`.
#[pyclass(frozen, module = "infraflow")]
pub(crate) struct Repository(pub(crate) git::Repository);

#[pymethods]
impl Repository {
    /// Opens the repository that a path lies in.
    #[new]
    #[pyo3(signature = (path = PathBuf::from(".")), text_signature = "(path='.')")]
    fn new(path: PathBuf) -> Result<Self> {
        Ok(Self(git::Repository::open(path)?))
    }

    /// Clones a repository into a folder that is not there, or empty; it appears when the clone is whole. A
    /// second Ctrl-C stops waiting for git.
    #[staticmethod]
    #[pyo3(signature = (url, path, *, branch = None))]
    fn clone(py: Python<'_>, url: String, path: PathBuf, branch: Option<&str>) -> Result<Py<PyAny>> {
        let mut options = CloneOptions::new();
        if let Some(branch) = branch {
            options = options.branch(BranchName::parse(branch)?);
        }
        Job::writing(
            move || Ok(git::Repository::clone_from(&url, path, &options)?),
            |py, clone| Ok(Py::new(py, Self(clone))?.into_any()),
        )
        .wait(py)
    }

    /// Its root: of a bare repository its git directory.
    #[getter]
    fn root(&self) -> PathBuf {
        self.0.root().to_owned()
    }

    /// The name of the trunk.
    fn trunk(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        let repository = self.0.clone();
        Job::asking(move |patience| Ok(hurried(&repository, patience).trunk()?), plain).wait(py)
    }

    /// The commit at the end of the trunk: the remote's, where there is a remote.
    fn trunk_tip(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        let repository = self.0.clone();
        Job::asking(move |patience| Ok(hurried(&repository, patience).trunk_tip()?), plain).wait(py)
    }

    /// Fetches what the configuration of a remote says.
    #[pyo3(signature = (remote = "origin"))]
    fn fetch(&self, py: Python<'_>, remote: &str) -> Result<Py<PyAny>> {
        let (repository, remote) = (self.0.clone(), RemoteName::parse(remote)?);
        Job::writing(move || Ok(repository.fetch(&remote, &[])?), none).wait(py)
    }

    /// The local branches, each with its last commit.
    fn branches(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        let repository = self.0.clone();
        let work = move || Ok(repository.branches()?.into_iter().map(|it| (it.name, it.commit)).collect());
        Job::computing(work, plain::<BTreeMap<_, _>>).wait(py)
    }

    /// The tags that name a commit, each with that commit.
    fn tags(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        let repository = self.0.clone();
        let work = move || Ok(repository.tags()?.into_iter().map(|it| (it.name, it.target)).collect());
        Job::computing(work, plain::<BTreeMap<_, _>>).wait(py)
    }

    /// The commit that a branch, a tag, `HEAD` or an abbreviated id stands for.
    fn resolve(&self, py: Python<'_>, revision: String) -> Result<Py<PyAny>> {
        let repository = self.0.clone();
        Job::asking(move |patience| Ok(hurried(&repository, patience).resolve(&revision)?), plain).wait(py)
    }

    /// As `resolve`; the word `WORKTREE` stands for the working tree.
    fn revision(&self, py: Python<'_>, revision: String) -> Result<Py<PyAny>> {
        let repository = self.0.clone();
        Job::asking(move |patience| Ok(hurried(&repository, patience).revision(&revision)?), plain).wait(py)
    }

    /// Where the histories of two revisions parted. A clone that is too shallow to tell is refused; with `deepen`,
    /// git fetches as much history from `remote` as it takes to be certain, and whoever asks afterwards finds it. A
    /// second Ctrl-C stops waiting for git.
    #[pyo3(signature = (one, other, *, deepen = false, remote = "origin"))]
    fn merge_base(
        &self,
        py: Python<'_>,
        one: String,
        other: String,
        deepen: bool,
        remote: &str,
    ) -> Result<Py<PyAny>> {
        let (repository, remote) = (self.0.clone(), RemoteName::parse(remote)?);
        let work = move || {
            let (one, other) = (repository.revision(&one)?.commit(), repository.revision(&other)?.commit());
            Ok(match deepen {
                true => repository.merge_base_deepening(&remote, &one, &other)?,
                false => repository.merge_base(&one, &other)?,
            })
        };
        if deepen { Job::writing(work, plain) } else { Job::computing(work, plain) }.wait(py)
    }

    /// The paths of all files of a revision, sorted; with `below`, of those in that directory.
    #[pyo3(signature = (revision, *, below = "."))]
    fn files(&self, py: Python<'_>, revision: String, below: &str) -> Result<Py<PyAny>> {
        let (repository, below) = (self.0.clone(), repo_path(below)?);
        let work = move || {
            let tree = repository.tree(&repository.revision(&revision)?)?;
            let entries = tree.walk(&below)?;
            Ok(entries.into_iter().map(|entry| entry.path).collect::<Vec<_>>())
        };
        Job::computing(work, plain).wait(py)
    }

    /// The bytes of a file in a revision; `None` where no file stands there. Links are not followed.
    fn read(&self, py: Python<'_>, revision: String, path: String) -> Result<Py<PyAny>> {
        let repository = self.0.clone();
        let work = move || {
            let tree = repository.tree(&repository.revision(&revision)?)?;
            Ok(tree.read(&repo_path(&path)?)?)
        };
        Job::computing(work, |py, bytes: Option<Vec<u8>>| {
            Ok(bytes.map_or_else(|| py.None(), |bytes| PyBytes::new(py, &bytes).into_any().unbind()))
        })
        .wait(py)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0.git_dir() == self.0.git_dir())
    }

    fn __hash__(&self) -> Result<isize> {
        Python::attach(|py| Ok(self.0.git_dir().into_pyobject(py)?.hash()?))
    }

    fn __repr__(&self) -> String {
        format!("Repository({:?})", self.0.root())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyAny>, (PathBuf,)) {
        (slf.get_type().into_any(), (slf.get().0.root().to_owned(),))
    }
}

/// A path inside a repository, as people write it: bytes that are no UTF-8, and `%` itself, stand as `%XX`.
pub(crate) fn repo_path(text: &str) -> Result<RepoPath> {
    RepoPath::try_from(text.to_owned()).map_err(|error: ProofError| Failure::from(error))
}
