use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::{PathPattern, PolicyError};
use crate::proof::RepoPath;

/// Many patterns, asked in one pass: what each of 10,000 changed files meets costs no more for fifty
/// patterns than for one.
#[derive(Clone, Debug, Default)]
pub struct PathPatternSet(GlobSet);

impl PathPatternSet {
    /// A set of patterns; a pattern's place in it is its place in the order given.
    ///
    /// # Errors
    /// [`PolicyError::Glob`] where they are too large together.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a PathPattern>) -> Result<Self, PolicyError> {
        let mut set = GlobSetBuilder::new();
        let too_large = |error: &globset::Error| PolicyError::Glob {
            text: error.glob().unwrap_or("all patterns together").to_owned(),
            why: error.kind().to_string(),
        };
        for pattern in patterns {
            let glob =
                GlobBuilder::new(pattern.as_str()).literal_separator(true).backslash_escape(true).build();
            set.add(glob.map_err(|error| too_large(&error))?);
        }
        set.build().map(Self).map_err(|error| too_large(&error))
    }

    /// The places of the patterns that mean a path, in their order.
    pub fn matching(&self, path: &RepoPath) -> Vec<usize> {
        self.0.matches(Path::new(OsStr::from_bytes(path.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_set_means_what_its_patterns_mean_one_by_one(
            patterns in prop::collection::vec("[ab*?/{,}]{1,6}", 0..5), path in "[ab]{1,2}(/[ab]{1,2}){0,2}",
        ) {
            let patterns: Vec<PathPattern> =
                patterns.iter().filter_map(|text| PathPattern::parse(text).ok()).collect();
            let path = RepoPath::parse(path).unwrap();
            let alone: Vec<usize> =
                (0..patterns.len()).filter(|&at| patterns[at].matches(&path)).collect();
            prop_assert_eq!(PathPatternSet::new(&patterns).unwrap().matching(&path), alone);
        }
    }
}
