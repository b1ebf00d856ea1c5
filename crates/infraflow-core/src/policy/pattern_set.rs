use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

use globset::{GlobSet, GlobSetBuilder};

use super::{PathPattern, PolicyError, pattern::Plain};
use crate::proof::RepoPath;

/// Many patterns, asked in one pass: what each of 10,000 changed files meets costs hardly more for fifty
/// patterns than for one.
#[derive(Clone, Debug, Default)]
pub struct PathPatternSet {
    /// Those of a plain form, with their places; few enough to be compared one by one.
    plain: Vec<(usize, Plain)>,
    /// The others, and the place of each.
    globs: GlobSet,
    places: Vec<usize>,
}

impl PathPatternSet {
    /// A set of patterns; a pattern's place in it is its place in the order given.
    ///
    /// # Errors
    /// [`PolicyError::Glob`] where they are too large together.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a PathPattern>) -> Result<Self, PolicyError> {
        let mut set = Self::default();
        let mut globs = GlobSetBuilder::new();
        for (place, pattern) in patterns.into_iter().enumerate() {
            match pattern.form() {
                Ok(plain) => set.plain.push((place, plain.clone())),
                Err(glob) => {
                    globs.add(glob.clone());
                    set.places.push(place);
                }
            }
        }
        if !set.places.is_empty() {
            set.globs = globs.build().map_err(|error| PolicyError::Glob {
                text: error.glob().unwrap_or("all patterns together").to_owned(),
                why: error.kind().to_string(),
            })?;
        }
        Ok(set)
    }

    /// The places of the patterns that mean a path, in their order.
    pub fn matching(&self, path: &RepoPath) -> Vec<usize> {
        let means = |(place, plain): &(usize, Plain)| plain.matches(path.as_bytes()).then_some(*place);
        let mut found: Vec<usize> = self.plain.iter().filter_map(means).collect();
        if !self.places.is_empty() {
            let globs = self.globs.matches(Path::new(OsStr::from_bytes(path.as_bytes())));
            found.extend(globs.into_iter().map(|at| self.places[at]));
            found.sort_unstable();
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_set_means_what_its_patterns_mean_one_by_one(
            patterns in prop::collection::vec("[ab*?/{,}]{1,6}|[*][*]/[*]?[ab]|[ab]/[*][*]", 0..5), path in "[ab]{1,2}(/[ab]{1,2}){0,2}",
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
