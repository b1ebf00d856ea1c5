use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{GitError, Repository};

/// How long somebody waits for what is read of a repository. Who must stay responsive asks with little patience first,
/// where it stands, and where that runs out asks again from another thread without any.
///
/// Once it has run out, every read is refused with [`GitError::OutOfPatience`]. What can take long by itself is refused
/// at once: a catalog of which no index is kept, a working tree, files above 256 KiB, renames among more than a hundred
/// pairs of files, merge bases that are neither of both ends or further away than 64 commits, and revisions that are
/// more than a name.
///
/// ```
/// use std::time::Duration;
/// use infraflow_core::git::{BranchName, Patience, Repository};
/// # let folder = tempfile::tempdir()?;
/// # let repository = Repository::init(folder.path(), &BranchName::parse("main")?)?;
/// let patience = Patience::of(Duration::from_millis(10));
/// let tip = repository.with_patience(&patience).trunk_tip();
/// // An answer counts only where nothing was refused on the way, whatever became of that.
/// let tip = if patience.ran_out() { repository.trunk_tip() } else { tip };
/// # assert!(tip.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Patience(Arc<State>);

#[derive(Debug)]
struct State {
    until: Instant,
    has_refused: AtomicBool,
    is_over: AtomicBool,
}

/// Larger files take long to understand.
const LARGE: usize = 256 << 10;

/// More pairs of files take long to compare.
const MANY_PAIRS: usize = 100;

impl Patience {
    /// For so long from now on.
    pub fn of(time: Duration) -> Self {
        let until = Instant::now() + time;
        Self(Arc::new(State { until, has_refused: AtomicBool::new(false), is_over: AtomicBool::new(false) }))
    }

    /// Whether something was refused: then what came of the question is no answer, even where it looks like one.
    pub fn ran_out(&self) -> bool {
        self.0.has_refused.load(Ordering::Acquire)
    }

    /// From now on nothing is refused: what was made in the meantime (trees, catalogs) is read on as anything else.
    pub fn end(&self) {
        self.0.is_over.store(true, Ordering::Release);
    }
}

impl Repository {
    /// The same repository, read with so much patience; trees and catalogs that are made of it too.
    #[must_use]
    pub fn with_patience(&self, patience: &Patience) -> Self {
        let mut repository = self.clone();
        repository.patience = Some(patience.clone());
        repository
    }

    /// Whether there is little patience.
    pub(super) fn is_hurried(&self) -> bool {
        self.patience.as_ref().is_some_and(|patience| !patience.0.is_over.load(Ordering::Acquire))
    }

    /// That there is patience left; for what can take `long` there is none where there is little.
    pub(crate) fn patient(&self, long: bool) -> Result<(), GitError> {
        let Some(patience) = self.patience.as_ref().filter(|_| self.is_hurried()) else { return Ok(()) };
        if long || patience.ran_out() || Instant::now() >= patience.0.until {
            patience.0.has_refused.store(true, Ordering::Release);
            return Err(GitError::OutOfPatience { path: self.root().to_owned() });
        }
        Ok(())
    }

    /// As [`Repository::patient`], for a file of this size.
    pub(super) fn patient_with(&self, file: usize) -> Result<(), GitError> {
        if file > LARGE { self.patient(true) } else { Ok(()) }
    }

    /// As [`Repository::patient`], for the comparison of so many files with so many.
    pub(super) fn patient_among(&self, gone: usize, come: usize) -> Result<(), GitError> {
        self.patient(gone.saturating_mul(come) > MANY_PAIRS)
    }
}
