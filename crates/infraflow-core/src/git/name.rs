use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::GitError;

/// Why git would not take `name` below `prefix`, or a command line would take it for an option.
fn fault(prefix: &str, name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("it is empty")
    } else if name.starts_with('-') {
        Some("it starts with -, which a command line takes for an option")
    } else if name == "HEAD" || name == "@" {
        Some("git keeps this name for itself")
    } else if !git2::Reference::is_valid_name(&format!("{prefix}{name}")) {
        Some("git-check-ref-format(1) forbids it")
    } else {
        None
    }
}

macro_rules! reference_name {
    ($(#[$documentation:meta])* $name:ident, $what:literal, $prefix:literal) => {
        $(#[$documentation])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks a name by git's rules, and that no command line takes it for an option.
            ///
            /// # Errors
            /// [`GitError::BadName`] with the rule it breaks.
            pub fn parse(name: &str) -> Result<Self, GitError> {
                match fault($prefix, name) {
                    None => Ok(Self(name.to_owned())),
                    Some(why) => Err(GitError::BadName { kind: $what, name: name.to_owned(), why }),
                }
            }

            /// The name alone.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The name in full, from `refs/` on.
            pub fn reference(&self) -> String {
                format!("{}{}", $prefix, self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = GitError;
            fn try_from(name: String) -> Result<Self, GitError> {
                Self::parse(&name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

reference_name! {
    /// A branch, without `refs/heads/`.
    BranchName, "branch", "refs/heads/"
}
reference_name! {
    /// A tag, without `refs/tags/`.
    TagName, "tag", "refs/tags/"
}
reference_name! {
    /// A remote of a repository's configuration, for example `origin`.
    RemoteName, "remote", "refs/remotes/"
}

impl RemoteName {
    /// `origin`, the remote that a clone makes.
    pub fn origin() -> Self {
        Self("origin".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_gits_rules_and_are_never_options() {
        for good in ["main", "feature/ünï", "network/v1.2.3", "a-b"] {
            assert_eq!(BranchName::parse(good).unwrap().reference(), format!("refs/heads/{good}"));
            assert!(TagName::parse(good).is_ok());
        }
        for bad in
            ["", "-d", "--force", "a..b", "a b", "a~1", "a:b", "a^", "x.lock", "/a", "a/", "@{u}", "HEAD"]
        {
            assert!(matches!(BranchName::parse(bad), Err(GitError::BadName { .. })), "{bad}");
            assert!(serde_json::from_value::<TagName>(bad.into()).is_err(), "{bad}");
        }
    }
}
