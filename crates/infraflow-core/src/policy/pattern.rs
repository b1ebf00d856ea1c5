use std::{ffi::OsStr, fmt, os::unix::ffi::OsStrExt, path::Path, sync::OnceLock};

use globset::{Glob, GlobBuilder, GlobMatcher};
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
    whole: Lazy,
    /// What stands before `#` and after it, for ids of units.
    id: Option<(Lazy, NamePattern)>,
}

/// The longest pattern, in bytes.
const LONGEST: usize = 4_096;

/// A glob, compiled when it is first asked; those of a plain form never are.
#[derive(Clone)]
struct Lazy {
    text: String,
    form: Form,
}

#[derive(Clone)]
enum Form {
    Plain(Plain),
    Glob(Glob, OnceLock<GlobMatcher>),
}

/// What most patterns are. The bytes mean no more than themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// `**/NAME`: the only name it stands for, in whatever directory.
    Name(Box<[u8]>),
    /// `**/*REST`: how the name ends.
    Ending(Box<[u8]>),
    /// `PATH/**`: what lies below, with its slash.
    Below(Box<[u8]>),
    /// `PATH`
    Path(Box<[u8]>),
}

impl Plain {
    fn of(text: &str) -> Option<Self> {
        let is_plain = |text: &str| !text.is_empty() && !text.contains(['*', '?', '[', ']', '{', '}', '\\']);
        let is_name = |text: &str| is_plain(text) && !text.contains('/');
        let bytes = |text: &str| text.as_bytes().into();
        Some(match (text.strip_prefix("**/"), text.strip_suffix("**")) {
            (Some(name), _) if is_name(name) => Self::Name(bytes(name)),
            (Some(rest), _) => Self::Ending(bytes(rest.strip_prefix('*').filter(|rest| is_name(rest))?)),
            (None, Some(path)) if is_plain(path) && path.ends_with('/') => Self::Below(bytes(path)),
            _ if is_plain(text) => Self::Path(bytes(text)),
            _ => return None,
        })
    }

    pub(super) fn matches(&self, path: &[u8]) -> bool {
        let name = || path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        match self {
            Self::Name(of) => name() == &**of,
            Self::Ending(of) => name().ends_with(of),
            Self::Below(of) => path.starts_with(of),
            Self::Path(of) => path == &**of,
        }
    }
}

impl Lazy {
    fn new(text: &str) -> Result<Self, globset::Error> {
        let form = match Plain::of(text) {
            Some(plain) => Form::Plain(plain),
            None => {
                let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build()?;
                Form::Glob(glob, OnceLock::new())
            }
        };
        Ok(Self { text: text.to_owned(), form })
    }

    fn matches(&self, path: &[u8]) -> bool {
        match &self.form {
            Form::Plain(plain) => plain.matches(path),
            Form::Glob(glob, matcher) => {
                let matcher = matcher.get_or_init(|| glob.compile_matcher());
                matcher.is_match(Path::new(OsStr::from_bytes(path)))
            }
        }
    }
}

impl PathPattern {
    /// Checks a text of up to 4,096 bytes and takes it for a pattern.
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
        if text.len() > LONGEST {
            let why = format!("it has {} bytes, more than the limit of {LONGEST}", text.len());
            return Err(PolicyError::Glob { text: text.chars().take(40).chain(['…']).collect(), why });
        }
        let glob = |text: &str| Lazy::new(text).map_err(|error| bad(error.kind().to_string()));
        let id = match text.split_once('#') {
            Some((path, parts)) if !path.is_empty() => Some((glob(path)?, NamePattern::new(parts))),
            _ => None,
        };
        Ok(Self { whole: glob(text)?, id })
    }

    /// What it is, of a plain form; else its glob.
    pub(super) fn form(&self) -> Result<&Plain, &Glob> {
        match &self.whole.form {
            Form::Plain(plain) => Ok(plain),
            Form::Glob(glob, _) => Err(glob),
        }
    }

    /// Whether a path is meant.
    pub fn matches(&self, path: &RepoPath) -> bool {
        self.whole.matches(path.as_bytes())
    }

    /// Whether the id of a unit is meant. In a pattern with `#`, what follows it means one part of an id, or all
    /// of them, and `*` in it stands for any run of characters: `live/**#workspace=prod`,
    /// `live/**#var_file=*/prod.tfvars`.
    pub fn matches_text(&self, text: &str) -> bool {
        if self.whole.matches(text.as_bytes()) {
            return true;
        }
        let (Some((path, parts)), Some((unit, given))) = (&self.id, text.split_once('#')) else {
            return false;
        };
        let means = || parts.matches(given) || given.split('&').any(|part| parts.matches(part));
        path.matches(unit.as_bytes()) && means()
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.whole.text
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
    fn a_pattern_of_a_plain_form_means_what_the_glob_means() {
        let patterns = [
            "**/.terraform",
            "**/a b",
            "**/",
            "**/a*",
            "**/a/b",
            "**/[a]",
            "**/é",
            "**/*.md",
            "**/*",
            "**/*a*",
            "**/**",
            "**",
            "a/**",
            "a/b/**",
            "a**",
            "a/",
            "a",
            "a/b",
            "**/a/**",
            "a#b",
            "**/**/a",
            "a/***",
            "**a",
            "a/**/",
            "x.*/**",
        ];
        let paths = [
            "",
            "a",
            "a/",
            "b",
            ".md",
            "a.md",
            "x/a.md",
            "a.md/b",
            ".terraform",
            "x/.terraform",
            "x/y/.terraform",
            "x.terraform",
            ".terraform/x",
            "x/a b",
            "é",
            "a/b",
            "a/b/c",
            "x/a/b",
            "ab",
            "ab/c",
            "a#b",
            "x/a",
            "a\nb",
            "a/x\ny.md",
            "x.y/z",
        ];
        for pattern in patterns {
            let Ok(pattern) = PathPattern::parse(pattern) else { continue };
            for path in paths {
                let mut glob = GlobBuilder::new(pattern.as_str());
                let glob = glob.literal_separator(true).backslash_escape(true).build().unwrap();
                let meant = glob.compile_matcher().is_match(Path::new(path));
                assert_eq!(pattern.whole.matches(path.as_bytes()), meant, "{pattern} and {path:?}");
            }
        }
        assert_eq!(Plain::of("**/*.md"), Some(Plain::Ending(b".md"[..].into())));
        assert_eq!(Plain::of("live/**"), Some(Plain::Below(b"live/"[..].into())));
    }

    #[test]
    fn a_pattern_without_end_is_refused() {
        let why = PathPattern::parse(&"*".repeat(1 << 20)).unwrap_err().to_string();
        assert!(why.contains("limit of 4096") && why.len() < 300, "{why}");
        assert!(PathPattern::parse(&"?*".repeat(LONGEST / 2)).unwrap().matches(&path(&"a".repeat(5_000))));
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
