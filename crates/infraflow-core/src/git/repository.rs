use std::{
    cell::RefCell,
    collections::HashSet,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use git2::{ErrorCode, ObjectType};

use crate::process::Finished;

use super::{
    BranchName, Commit, CommitId, GitError, GitProgram, ObjectId, Patience, RemoteName, Revision, Tree,
    listing::Listing,
    objects::Listings,
    packs::{Packs, Reader},
    program::Words,
};

/// A git repository: its path, with handles behind it. Cheap to clone, and usable from every thread:
/// each call borrows a handle of libgit2 for itself, and gives owned data out.
#[derive(Clone)]
pub struct Repository {
    inner: Arc<Inner>,
    program: GitProgram,
    pub(super) patience: Option<Patience>,
}

struct Inner {
    root: PathBuf,
    git_dir: PathBuf,
    common_dir: PathBuf,
    bare: bool,
    handles: Mutex<Handles>,
    listings: Mutex<Listings>,
    /// Objects that were looked at, and lie in no file of their own that cannot be unpacked.
    whole: Mutex<HashSet<ObjectId>>,
    packs: OnceLock<Packs>,
}

/// Free handles. Those of an older generation are dropped when they come back: they remember what has
/// changed since.
struct Handles {
    generation: u64,
    /// The list of cut-off commits that they were opened with.
    shallow: String,
    free: Vec<Handle>,
}

/// What one thread at a time reads with.
pub(super) struct Handle {
    pub(super) git: git2::Repository,
    pub(super) reader: RefCell<Reader>,
}

impl Handle {
    fn new(git: git2::Repository) -> Self {
        Self { git, reader: RefCell::default() }
    }
}

/// Where `HEAD` points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// To a branch.
    Branch {
        /// The branch.
        name: BranchName,
        /// Its last commit.
        commit: CommitId,
    },
    /// To a commit, without a branch: what most CI systems check out.
    Detached(CommitId),
    /// To a branch without a commit: the repository is empty, or was given a new root.
    Unborn,
}

impl Head {
    /// The commit, where there is one.
    pub fn commit(&self) -> Option<CommitId> {
        match self {
            Self::Branch { commit, .. } | Self::Detached(commit) => Some(*commit),
            Self::Unborn => None,
        }
    }
}

impl Repository {
    pub(super) fn from_handle(handle: git2::Repository) -> Self {
        // Without the slash that libgit2 puts at the end.
        let plain = |path: &Path| path.components().collect::<PathBuf>();
        let git_dir = plain(handle.path());
        let inner = Inner {
            root: handle.workdir().map_or_else(|| git_dir.clone(), plain),
            common_dir: plain(handle.commondir()),
            bare: handle.workdir().is_none(),
            git_dir,
            handles: Mutex::new(Handles {
                generation: 0,
                shallow: String::new(),
                free: vec![Handle::new(handle)],
            }),
            listings: Mutex::default(),
            whole: Mutex::default(),
            packs: OnceLock::new(),
        };
        Self { inner: Arc::new(inner), program: GitProgram::default(), patience: None }
    }

    /// The same repository, reaching its remotes in another way.
    #[must_use]
    pub fn with_program(mut self, program: GitProgram) -> Self {
        self.program = program;
        self
    }

    /// The folder of the working tree; of a bare repository, the repository itself.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Where the repository keeps its own files: `.git`, or the folder of a bare repository.
    pub fn git_dir(&self) -> &Path {
        &self.inner.git_dir
    }

    /// Where objects and references are kept: [`Repository::git_dir`], but in a linked worktree that of
    /// the repository it belongs to.
    pub(super) fn common_dir(&self) -> &Path {
        &self.inner.common_dir
    }

    /// Whether there is no working tree.
    pub fn is_bare(&self) -> bool {
        self.inner.bare
    }

    /// Lends a handle of libgit2 to a piece of work.
    pub(super) fn with<T, E: From<GitError>>(
        &self,
        work: impl FnOnce(&git2::Repository) -> Result<T, E>,
    ) -> Result<T, E> {
        self.with_handle(|handle| work(&handle.git))
    }

    /// Lends a handle to a piece of work.
    pub(super) fn with_handle<T, E: From<GitError>>(
        &self,
        work: impl FnOnce(&Handle) -> Result<T, E>,
    ) -> Result<T, E> {
        let (generation, free) = {
            let mut handles = lock(&self.inner.handles);
            (handles.generation, handles.free.pop())
        };
        let handle =
            match free {
                Some(handle) => handle,
                None => Handle::new(git2::Repository::open(&self.inner.git_dir).map_err(|error| {
                    GitError::libgit2(format!("open {}", self.inner.root.display()), error)
                })?),
            };
        let result = work(&handle);
        let mut handles = lock(&self.inner.handles);
        if handles.generation == generation {
            handles.free.push(handle);
        }
        result
    }

    /// Drops all handles where the list of cut-off commits is another than the one they were opened with:
    /// libgit2 reads it once.
    pub(super) fn note_shallow(&self, text: &str) {
        let mut handles = lock(&self.inner.handles);
        if handles.shallow != text {
            handles.shallow = text.to_owned();
            handles.generation += 1;
            handles.free.clear();
        }
    }

    /// Runs the git program here, to its end, whatever that is.
    pub(super) fn run_git(&self, words: &Words) -> Result<Finished, GitError> {
        self.program.run(Some(self.root()), words)
    }

    /// Runs the git program here, and returns what it wrote.
    pub(super) fn git(&self, what: &str, words: &Words) -> Result<Vec<u8>, GitError> {
        self.program.output(&format!("{what} in {}", self.root().display()), Some(self.root()), words)
    }

    /// The packs that were there when one of them was first asked.
    pub(super) fn packs(&self) -> &Packs {
        self.inner.packs.get_or_init(|| Packs::open(&self.inner.common_dir.join("objects")))
    }

    pub(super) fn known_listing(&self, id: ObjectId) -> Option<Arc<Listing>> {
        lock(&self.inner.listings).get(id)
    }

    pub(super) fn keep_listing(&self, id: ObjectId, listing: &Arc<Listing>) {
        lock(&self.inner.listings).keep(id, listing);
    }

    pub(super) fn is_known_whole(&self, id: ObjectId) -> bool {
        lock(&self.inner.whole).contains(&id)
    }

    pub(super) fn know_whole(&self, id: ObjectId) {
        lock(&self.inner.whole).insert(id);
    }

    pub(super) fn failed(&self, what: &str, error: git2::Error) -> GitError {
        GitError::libgit2(format!("{what} of {}", self.inner.root.display()), error)
    }

    pub(super) fn unreadable(&self, id: ObjectId, error: git2::Error) -> GitError {
        match error.code() {
            ErrorCode::NotFound => GitError::MissingObjects { path: self.inner.root.clone(), ids: vec![id] },
            _ => self.failed(&format!("read the object {id}"), error),
        }
    }

    /// Where `HEAD` points to.
    ///
    /// # Errors
    /// [`GitError::Libgit2`] where the reference cannot be read.
    pub fn head(&self) -> Result<Head, GitError> {
        self.with(|handle| {
            let head = match handle.head() {
                Ok(head) => head,
                Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
                    return Ok(Head::Unborn);
                }
                Err(error) => return Err(self.failed("read HEAD", error)),
            };
            let commit = head.peel_to_commit().map_err(|error| self.failed("read HEAD", error))?;
            let commit = CommitId::from_git2(commit.id());
            let name = head.name().ok().and_then(|name| name.strip_prefix("refs/heads/"));
            match name.map(BranchName::parse) {
                Some(Ok(name)) => Ok(Head::Branch { name, commit }),
                _ => Ok(Head::Detached(commit)),
            }
        })
    }

    /// The commit that a name means: an id, also abbreviated, a branch, a tag, `HEAD`, or whatever else
    /// gitrevisions(7) has.
    ///
    /// # Errors
    /// [`GitError::UnknownRevision`], [`GitError::AmbiguousRevision`], [`GitError::EmptyRepository`], or
    /// [`GitError::CorruptObject`].
    pub fn resolve(&self, revision: &str) -> Result<CommitId, GitError> {
        self.patient(revision.contains(['~', '^', ':', '@', '{']))?;
        let unknown = |why: String| GitError::UnknownRevision {
            path: self.inner.root.clone(),
            revision: revision.to_owned(),
            why,
        };
        self.with(|handle| {
            let named = || handle.resolve_reference_from_short_name(revision).ok()?.resolve().ok()?.target();
            if let Some(id) = git2::Oid::from_str(revision).ok().or_else(named) {
                self.whole(ObjectId::from_git2(id))?;
            }
            let error = match handle.revparse_single(revision) {
                Ok(object) => {
                    return match object.peel(ObjectType::Commit) {
                        Ok(commit) => Ok(CommitId::from_git2(commit.id())),
                        Err(_) => {
                            let kind =
                                object.kind().map_or("no commit".to_owned(), |kind| format!("a {kind}"));
                            Err(unknown(format!("it is {kind}, not a commit")))
                        }
                    };
                }
                Err(error) => error,
            };
            // Not libgit2's `is_empty`, which is false where the first branch has another name than the
            // user's default.
            let empty = handle.references().is_ok_and(|references| {
                references.flatten().all(|reference| !reference.name_bytes().starts_with(b"refs/"))
            });
            if empty || (revision == "HEAD" && handle.head().is_err()) {
                return Err(GitError::EmptyRepository {
                    path: self.inner.root.clone(),
                    revision: revision.to_owned(),
                });
            }
            match error.code() {
                ErrorCode::Ambiguous => Err(GitError::AmbiguousRevision {
                    path: self.inner.root.clone(),
                    revision: revision.to_owned(),
                }),
                ErrorCode::NotFound => Err(unknown("no commit, branch or tag goes by that name".to_owned())),
                _ => Err(unknown(error.message().to_owned())),
            }
        })
    }

    /// As [`Repository::resolve`]; `WORKTREE` is the working tree on top of `HEAD`.
    ///
    /// # Errors
    /// As [`Repository::resolve`], and [`GitError::NoWorkingTree`] in a bare repository.
    pub fn revision(&self, revision: &str) -> Result<Revision, GitError> {
        if revision != Revision::WORKING_TREE {
            return match Revision::parse(revision) {
                Ok(working_tree @ Revision::WorkingTree(_)) => Ok(working_tree),
                _ => self.resolve(revision).map(Revision::Commit),
            };
        }
        if self.inner.bare {
            return Err(GitError::NoWorkingTree { path: self.inner.root.clone() });
        }
        self.resolve("HEAD").map(Revision::WorkingTree)
    }

    /// The name of the trunk: what `origin/HEAD` points to, or else `main` or `master`, whichever is
    /// there.
    ///
    /// # Errors
    /// [`GitError::NoTrunk`].
    pub fn trunk(&self) -> Result<BranchName, GitError> {
        self.with(|handle| {
            let head = handle.find_reference("refs/remotes/origin/HEAD").ok();
            let target = head.as_ref().and_then(|head| head.symbolic_target().ok().flatten());
            if let Some(name) = target.and_then(|target| target.strip_prefix("refs/remotes/origin/")) {
                return BranchName::parse(name);
            }
            for name in ["main", "master"] {
                let remote = format!("refs/remotes/origin/{name}");
                if [remote, format!("refs/heads/{name}")]
                    .iter()
                    .any(|name| handle.refname_to_id(name).is_ok())
                {
                    return BranchName::parse(name);
                }
            }
            Err(GitError::NoTrunk { path: self.inner.root.clone() })
        })
    }

    /// The last commit of the trunk as far as this clone knows: of `origin/<trunk>`, or, where there is no
    /// such remote-tracking branch, of the local one.
    ///
    /// # Errors
    /// [`GitError::NoTrunk`], or [`GitError::UnknownRevision`] where the trunk is in neither place.
    pub fn trunk_tip(&self) -> Result<CommitId, GitError> {
        let trunk = self.trunk()?;
        if let Some(tip) = self.remote_tip(&RemoteName::origin(), &trunk)? {
            return Ok(tip);
        }
        self.resolve(&trunk.reference())
    }

    /// The last commit of a local branch; `None` where there is no such branch.
    ///
    /// # Errors
    /// [`GitError::Libgit2`] where the reference cannot be read.
    pub fn branch_tip(&self, branch: &BranchName) -> Result<Option<CommitId>, GitError> {
        self.reference_tip(&branch.reference())
    }

    /// The last commit that a branch had on a remote when it was last fetched.
    ///
    /// # Errors
    /// As [`Repository::branch_tip`].
    pub fn remote_tip(&self, remote: &RemoteName, branch: &BranchName) -> Result<Option<CommitId>, GitError> {
        self.reference_tip(&format!("{}/{branch}", remote.reference()))
    }

    pub(super) fn reference_tip(&self, name: &str) -> Result<Option<CommitId>, GitError> {
        self.with(|handle| {
            let failed = |error| self.failed(&format!("read {name}"), error);
            match handle.find_reference(name) {
                Ok(found) => found
                    .peel_to_commit()
                    .map(|commit| Some(CommitId::from_git2(commit.id())))
                    .map_err(failed),
                Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
                Err(error) => Err(failed(error)),
            }
        })
    }

    /// Reads a commit.
    ///
    /// # Errors
    /// [`GitError::MissingObjects`] where it is not in this clone; [`GitError::CorruptObject`].
    pub fn commit(&self, id: &CommitId) -> Result<Commit, GitError> {
        self.patient(false)?;
        self.whole(id.object())?;
        self.with(|handle| {
            let commit =
                handle.find_commit(id.to_git2()?).map_err(|error| self.unreadable(id.object(), error))?;
            Ok(Commit::from_git2(&commit))
        })
    }

    /// The files of a revision. Those of the working tree are looked at now: later changes of the working
    /// directory do not alter the tree, and reading a file that was changed since is an error.
    ///
    /// # Errors
    /// [`GitError::MissingObjects`] for a commit that is not in this clone; for a working tree also
    /// [`GitError::NoWorkingTree`], [`GitError::HeadMoved`], and whatever the file system refuses.
    pub fn tree(&self, revision: &Revision) -> Result<Tree, GitError> {
        let root = self.commit(&revision.commit())?.tree;
        match revision {
            Revision::Commit(_) => Ok(Tree::of_commit(self.clone(), *revision, root)),
            Revision::WorkingTree(on) => {
                self.patient(true)?;
                self.working_tree(*on, root)
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is done under these locks can leave their content half-changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Repository").field(&self.inner.root).finish()
    }
}
