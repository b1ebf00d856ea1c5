//! Patterns of paths: those of rules, and those of `fileset`.

use infraflow_core::{
    policy::{NamePattern, PathPattern, PathPatternSet},
    proof::RepoPath,
};

use crate::parts;

/// The first part is a pattern, each further one a path.
///
/// # Panics
/// Where a set of one pattern says something else than the pattern.
pub fn run(data: &[u8]) {
    let parts = parts(data);
    let Some((pattern, paths)) = parts.split_first() else { return };
    let Ok(pattern) = std::str::from_utf8(pattern) else { return };
    let name = NamePattern::new(pattern);
    let pattern = PathPattern::parse(pattern);
    let set = pattern.as_ref().ok().and_then(|pattern| PathPatternSet::new([pattern]).ok());
    for path in paths {
        name.matches(&String::from_utf8_lossy(path));
        let Ok(path) = RepoPath::parse(path) else { continue };
        if let (Ok(pattern), Some(set)) = (&pattern, &set) {
            assert_eq!(pattern.matches(&path), !set.matching(&path).is_empty(), "{pattern:?} {path}");
        }
    }
}
