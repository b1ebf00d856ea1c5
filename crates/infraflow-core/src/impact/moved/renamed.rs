//! Where a directory went, told from the files that were renamed.

use std::collections::BTreeMap;

use crate::{detect::Change, git::ChangeKind, proof::RepoPath};

/// The directory to which more than half of a directory's own lost files went; of equal ones that of the same
/// name, and then the first. `None` where there is no such directory.
pub(super) fn destination(directory: &RepoPath, changes: &[Change]) -> Option<RepoPath> {
    let own = |path: &RepoPath| path.parent().as_ref() == Some(directory);
    let mut lost = 0_usize;
    let mut went: BTreeMap<RepoPath, usize> = BTreeMap::new();
    for change in changes {
        match change.left() {
            Some(old) if own(old) => {
                lost += 1;
                let to = change.path.parent().filter(|to| to != directory);
                to.into_iter().for_each(|to| *went.entry(to).or_default() += 1);
            }
            None if change.kind == ChangeKind::Deleted && own(&change.path) => lost += 1,
            _ => {}
        }
    }
    let same_name = |to: &RepoPath| to.file_name() == directory.file_name();
    let best = went.into_iter().max_by(|(one, count), (two, other)| {
        (count, same_name(one)).cmp(&(other, same_name(two))).then_with(|| two.cmp(one))
    });
    best.filter(|(_, count)| 2 * count > lost).map(|(to, _)| to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    fn to(directory: &str, renames: &[(&str, &str)]) -> Option<String> {
        let changes = renames.iter().map(|(old, new)| match *new {
            "" => Change { path: path(old), kind: ChangeKind::Deleted, old_path: None },
            new => Change { path: path(new), kind: ChangeKind::Renamed, old_path: Some(path(old)) },
        });
        destination(&path(directory), &changes.collect::<Vec<_>>()).map(|to| to.to_string())
    }

    #[test]
    fn a_directory_went_where_more_than_half_of_its_own_files_went() {
        assert_eq!(to("a", &[("a/x.tf", "b/x.tf"), ("a/y.tf", "b/y.tf"), ("a/z.tf", "")]), Some("b".into()));
        assert_eq!(to("a", &[("a/x.tf", "b/x.tf"), ("a/y.tf", "c/y.tf")]), None);
        assert_eq!(to("a", &[("a/x.tf", "b/x.tf"), ("a/y.tf", "")]), None);
        assert_eq!(to("a", &[("a/x.tf", "a/y.tf")]), None);
        assert_eq!(to("a", &[("a/sub/x.tf", "b/sub/x.tf")]), None);
        assert_eq!(to("a", &[]), None);
    }

    #[test]
    fn a_file_that_was_paired_with_another_unit_by_chance_decides_nothing() {
        let renames = [("l/a/1.tf", "p/a/1.tf"), ("l/a/2.tf", "p/a/2.tf"), ("l/a/3.tf", "p/b/3.tf")];
        assert_eq!(to("l/a", &renames), Some("p/a".into()));
    }
}
