use super::ApproveError;
use crate::{
    detect::ChangeSet,
    git::{Commit, Repository},
    proof::Principal,
};

/// Who made a change: the authors and committers of its commits and whom they name in `Co-authored-by`,
/// each by mail address and by name, since an allowed-signers file may use either; sorted.
///
/// Whoever merged the change into trunk did not make it: the head itself is left out where it is a merge on
/// top of the base.
///
/// Git vouches for none of these: whoever pushes can write any name. Add whoever opened the change request,
/// whom the forge does vouch for, so that a forged author gains nothing.
///
/// # Errors
/// [`ApproveError::Git`] where the history cannot be read, for example in a shallow clone.
pub fn authors(repository: &Repository, change: &ChangeSet) -> Result<Vec<Principal>, ApproveError> {
    let head = change.head.commit();
    let history = repository.history(Some(&change.merge_base), &head)?;
    let merged = |it: &Commit| it.id == head && it.parents.len() > 1 && it.parents[0] == change.base;
    let made = history.iter().filter(|commit| !merged(commit));
    let mut found: Vec<_> = made.flat_map(of_commit).map(Principal).collect();
    found.sort();
    found.dedup();
    Ok(found)
}

fn of_commit(commit: &Commit) -> Vec<String> {
    let identities = [&commit.author, &commit.committer];
    let mut names: Vec<_> = identities.iter().flat_map(|who| [who.email.clone(), who.name.clone()]).collect();
    for line in commit.message.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        if key.trim().eq_ignore_ascii_case("co-authored-by") {
            let (name, address) = value.split_once('<').unwrap_or((value, ""));
            names.push(name.trim().to_owned());
            names.push(address.trim().trim_end_matches('>').trim().to_owned());
        }
    }
    names.retain(|name| !name.is_empty());
    names
}
