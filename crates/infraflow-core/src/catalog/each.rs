use rayon::prelude::*;

/// So many scopes are worked on in less time than it takes to wake another core.
pub(super) const FEW_SCOPES: usize = 4;

/// So many are looked at.
pub(super) const FEW_LOOKS: usize = 32;

/// What comes of each of some things, in their order; of more than a few on all cores (rayon's).
pub(super) fn each<T: Send, R: Send>(
    few: usize,
    things: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let things: Vec<T> = things.into_iter().collect();
    if things.len() <= few {
        return things.into_iter().map(&work).collect();
    }
    things.into_par_iter().map(&work).collect()
}
