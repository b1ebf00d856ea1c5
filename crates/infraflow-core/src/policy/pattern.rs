use std::{ffi::OsStr, fmt, os::unix::ffi::OsStrExt, path::Path};

use globset::{GlobBuilder, GlobMatcher};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PolicyError;
use crate::proof::RepoPath;

/// A pattern for paths in a repository: `*` stands for part of one name, `**` for any number of
/// directories, `?` for one character, `{a,b}` for either. `dev/**` matches what lies below `dev`, not `dev`
/// itself.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct PathPattern {
    whole: GlobMatcher,
    /// What stands before `#` and after it, for ids of units.
    id: Option<(GlobMatcher, NamePattern)>,
    /// The only name it stands for, in whatever directory: `**/NAME`.
    name: Option<Vec<u8>>,
}

impl PathPattern {
    /// Checks a text and takes it for a pattern.
    ///
    /// # Errors
    /// [`PolicyError::Glob`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let bad = |why: String| PolicyError::Glob { text: text.to_owned(), why };
        if text.is_empty() || text.starts_with('/') || text.starts_with("./") {
            return Err(bad(
                "it has to begin with a name, since paths here begin at the repository's root".into()
            ));
        }
        let glob = |text: &str| {
            let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
            glob.map(|glob| glob.compile_matcher()).map_err(|error| bad(error.kind().to_string()))
        };
        let id = match text.split_once('#') {
            Some((path, parts)) if !path.is_empty() => Some((glob(path)?, NamePattern::new(parts))),
            _ => None,
        };
        let is_plain = |name: &&str| !name.contains(['*', '?', '[', ']', '{', '}', '\\', '/', '#']);
        let name = text
            .strip_prefix("**/")
            .filter(|name| !name.is_empty())
            .filter(is_plain)
            .map(|name| name.as_bytes().to_vec());
        Ok(Self { whole: glob(text)?, id, name })
    }

    /// Whether a path is meant.
    pub fn matches(&self, path: &RepoPath) -> bool {
        match &self.name {
            Some(name) => path.file_name() == name.as_slice(),
            None => self.whole.is_match(Path::new(OsStr::from_bytes(path.as_bytes()))),
        }
    }

    /// Whether the id of a unit is meant. In a pattern with `#`, what follows it means one part of an id, or all
    /// of them, and `*` in it stands for any run of characters: `live/**#workspace=prod`,
    /// `live/**#var_file=*/prod.tfvars`.
    pub fn matches_text(&self, text: &str) -> bool {
        if self.whole.is_match(Path::new(text)) {
            return true;
        }
        let (Some((path, parts)), Some((unit, given))) = (&self.id, text.split_once('#')) else {
            return false;
        };
        let means = || parts.matches(given) || given.split('&').any(|part| parts.matches(part));
        path.is_match(Path::new(unit)) && means()
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        self.whole.glob().glob()
    }
}

/// A pattern for names that are no paths, such as resource types and addresses: `*` stands for any run of
/// characters, everything else (brackets and quotes too) for itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct NamePattern(String);

impl NamePattern {
    /// Takes a text for a pattern; every text is one.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether a name is meant, the whole of it. Takes time in proportion to pattern times name.
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.as_bytes());
        let (mut p, mut n) = (0, 0);
        // Where the last `*` stands, and up to where it has eaten: it is given one byte more at each failure.
        let mut star: Option<(usize, usize)> = None;
        while n < name.len() {
            match (pattern.get(p), star) {
                (Some(b'*'), _) => {
                    star = Some((p, n));
                    p += 1;
                }
                (Some(byte), _) if *byte == name[n] => {
                    p += 1;
                    n += 1;
                }
                (_, Some((at, eaten))) => {
                    star = Some((at, eaten + 1));
                    p = at + 1;
                    n = eaten + 1;
                }
                _ => return false,
            }
        }
        pattern[p..].iter().all(|&byte| byte == b'*')
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for PathPattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for PathPattern {}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        pattern.as_str().to_owned()
    }
}

impl TryFrom<String> for PathPattern {
    type Error = PolicyError;
    fn try_from(text: String) -> Result<Self, PolicyError> {
        Self::parse(&text)
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    #[test]
    fn a_star_stays_in_one_name_and_two_cross_directories() {
        let one = PathPattern::parse("live/*/db").unwrap();
        assert!(one.matches(&path("live/prod/db")) && !one.matches(&path("live/prod/eu/db")));
        let all = PathPattern::parse("prod/**").unwrap();
        assert!(
            all.matches(&path("prod/eu/db"))
                && !all.matches(&path("prod"))
                && !all.matches(&path("production/db"))
        );
        assert!(PathPattern::parse("a/**").unwrap().matches(&path("a/b c/é")));
        assert!(PathPattern::parse("/etc/**").is_err() && PathPattern::parse("a/[").is_err());
    }

    #[test]
    fn a_name_in_whatever_directory_means_what_the_glob_means() {
        for pattern in ["**/.terraform", "**/a b", "**/", "**/a*", "**/a/b", "**/[a]", "**/é"] {
            let Ok(pattern) = PathPattern::parse(pattern) else { continue };
            for of in [
                "a",
                ".terraform",
                "x/.terraform",
                "x/y/.terraform",
                "x.terraform",
                ".terraform/x",
                "x/a b",
                "é",
                "a/b",
            ] {
                let meant = pattern.whole.is_match(Path::new(of));
                assert_eq!(pattern.matches(&path(of)), meant, "{pattern} and {of}");
            }
            assert_eq!(
                pattern.matches(&RepoPath::root()),
                pattern.whole.is_match(Path::new("")),
                "{pattern}"
            );
        }
    }

    #[test]
    fn brackets_of_an_address_stand_for_themselves() {
        let pattern = NamePattern::new("module.db[*].aws_db_instance.*");
        assert!(pattern.matches("module.db[\"a\"].aws_db_instance.this"));
        assert!(!pattern.matches("module.dba.aws_db_instance.this"));
    }

    /// What the pattern means, slowly.
    fn oracle(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|n| oracle(rest, &name[n..])),
            Some((byte, rest)) => name.first() == Some(byte) && oracle(rest, &name[1..]),
        }
    }

    proptest! {
        #[test]
        fn names_match_as_the_slow_oracle_says(pattern in "[ab*]{0,8}", name in "[ab]{0,10}") {
            prop_assert_eq!(NamePattern::new(pattern.clone()).matches(&name), oracle(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
