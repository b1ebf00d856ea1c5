use std::fmt;

use super::Version;

/// A ref that ends in a version: `v1.2.3`, `tags/0.3.7`, `network/v1.2.3`, `tfmodule_one-v0.0.9`.
///
/// Refs with equal prefixes are versions of the same thing; whatever comes before the version, a `v` of its
/// own included, is the prefix.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VersionedRef {
    /// What comes before the version, for example `network/v`.
    pub prefix: String,
    /// The version.
    pub version: Version,
}

impl VersionedRef {
    /// Reads a ref; `None` for one that ends in no version, such as a branch, and for commit ids.
    pub fn parse(reference: &str) -> Option<Self> {
        let is_commit = reference.len() >= 7 && reference.bytes().all(|b| b.is_ascii_hexdigit());
        if is_commit {
            return None;
        }
        // The version begins at the first digit from which the rest is one, at the start of a word.
        let starts = reference.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at);
        for start in starts {
            let (prefix, rest) = reference.split_at(start);
            let word = prefix.strip_suffix('v').unwrap_or(prefix);
            let begins = word.is_empty() || word.ends_with(['/', '-', '_', '.', '@']);
            // In the middle of a number whose beginning was none: `~> 1.2.0`.
            let within =
                word.strip_suffix('.').is_some_and(|word| word.ends_with(|c: char| c.is_ascii_digit()));
            if !begins || within {
                continue;
            }
            if let Ok(version) = Version::parse(rest) {
                return Some(Self { prefix: prefix.to_owned(), version });
            }
        }
        None
    }

    /// The ref of another version of the same thing.
    #[must_use]
    pub fn at(&self, version: Version) -> Self {
        Self { prefix: self.prefix.clone(), version }
    }
}

impl fmt::Display for VersionedRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.prefix, self.version.as_written())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_told_from_what_comes_before_it() {
        for (reference, prefix, version) in [
            ("v1.2.3", "v", "1.2.3"),
            ("1.2.3", "", "1.2.3"),
            ("tags/0.3.7", "tags/", "0.3.7"),
            ("network/v1.2.3", "network/v", "1.2.3"),
            ("tfmodule_one-v0.0.9", "tfmodule_one-v", "0.0.9"),
            ("bar-v1.0.0-rc.1", "bar-v", "1.0.0-rc.1"),
            ("eks-1.29/v2.0.0", "eks-1.29/v", "2.0.0"),
            ("s3-bucket/v1.0.0", "s3-bucket/v", "1.0.0"),
            ("release_1.7rc2", "release_", "1.7rc2"),
        ] {
            let read = VersionedRef::parse(reference).unwrap_or_else(|| panic!("{reference}"));
            assert_eq!((read.prefix.as_str(), read.version.as_written()), (prefix, version));
            assert_eq!(read.to_string(), reference);
        }
        for other in [
            "~> 1.2.0",
            ">= 1.2, < 2.0",
            "main",
            "next",
            "0123456789abcdef0123456789abcdef01234567",
            "1234567",
            "feature/x",
            "",
        ] {
            assert_eq!(VersionedRef::parse(other), None, "{other}");
        }
    }
}
