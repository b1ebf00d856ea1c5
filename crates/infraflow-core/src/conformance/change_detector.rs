use super::{Violation, violation::Held};
use crate::{
    detect::ChangeDetector,
    git::{ChangeKind, Repository, Revision},
};

/// Holds a [`ChangeDetector`] against its contract, numbers 2 to 4, on a repository and two of its commits
/// that the caller chooses; a trunk that has moved on since the branch began shows the most. Number 1, that
/// nothing is run and no network used, is for the reader, and so is 5.
pub fn change_detector(
    detector: &dyn ChangeDetector,
    repository: &Repository,
    base: &Revision,
    head: &Revision,
) -> Vec<Violation> {
    let mut held = Held::against("ChangeDetector");
    let answers = [(); 2].map(|()| detector.detect(repository, base, head));
    let [Ok(found), Ok(again)] = answers else {
        held.check(5, false, || "it gives no answer for these two commits".into());
        return held.violations();
    };
    held.check(2, found == again, || "asked twice, it answers differently".into());
    let merge_base = repository.merge_base(&base.commit(), &head.commit());
    held.check(3, merge_base.is_ok_and(|commit| commit == found.merge_base), || {
        format!("it compares from {}, which is not the merge base", found.merge_base)
    });
    let paths: Vec<_> = found.changes.iter().map(|change| &change.path).collect();
    held.check(4, paths.is_sorted(), || "the changes are not sorted by path".into());
    held.check(4, paths.windows(2).all(|pair| pair[0] != pair[1]), || "a path stands twice".into());
    let renamed = found.changes.iter().filter(|change| change.kind == ChangeKind::Renamed);
    held.check(4, renamed.into_iter().all(|change| change.old_path.is_some()), || {
        "a renamed file does not say what it was called before".into()
    });
    held.violations()
}
