use std::collections::BTreeMap;

use serde::Deserialize;

use super::Bump;
use crate::{
    address::Version,
    policy::{PathPattern, Section},
    proof::RepoPath,
};

/// The section `[release]` of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReleaseRules {
    /// How a tag is written: a text with `{module}` and, at its end, `{version}`. For a module that is the
    /// whole repository, `{module}` and the separators around it are left out.
    pub tag: String,
    /// Directories that are left out of a module's name where they are its first.
    pub strip: Vec<RepoPath>,
    /// Names of modules that shall not be made of their path.
    pub names: BTreeMap<RepoPath, String>,
    /// The first version of a module.
    pub initial: Version,
    /// What a breaking change asks for while the version is 0.x.
    pub breaking_below_one: BreakingBelowOne,
    /// Files of a module that nobody gets who calls it: patterns relative to the module.
    pub ignore: Vec<PathPattern>,
    /// What each type of conventional commit asks for.
    pub types: BTreeMap<String, Asks>,
    /// What a commit of another type, or without one, asks for.
    pub other: Asks,
}

impl Section for ReleaseRules {
    const NAME: &'static str = "release";
}

/// What a breaking change asks for while the version is 0.x.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakingBelowOne {
    /// 1.0.0.
    Major,
    /// The next 0.x.
    Minor,
}

/// What a commit asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// No version.
    None,
    /// A patch version.
    Patch,
    /// A minor version.
    Minor,
    /// A major version.
    Major,
}

impl From<Asks> for Option<Bump> {
    fn from(asks: Asks) -> Self {
        match asks {
            Asks::None => None,
            Asks::Patch => Some(Bump::Patch),
            Asks::Minor => Some(Bump::Minor),
            Asks::Major => Some(Bump::Major),
        }
    }
}

impl ReleaseRules {
    /// What a commit of a type asks for.
    pub(super) fn asks(&self, kind: Option<&str>) -> Option<Bump> {
        kind.and_then(|kind| self.types.get(kind)).copied().unwrap_or(self.other).into()
    }

    /// The version after `previous`.
    pub(super) fn next(&self, previous: &Version, bump: Bump) -> Version {
        let (major, minor, patch) = (previous.major(), previous.minor(), previous.patch());
        let bump = match (bump, self.breaking_below_one) {
            (Bump::Major, BreakingBelowOne::Minor) if major == 0 => Bump::Minor,
            (bump, _) => bump,
        };
        match bump {
            // The release that a pre-release was for.
            Bump::Patch if previous.is_prerelease() => Version::release(major, minor, patch),
            Bump::Patch => Version::release(major, minor, patch.saturating_add(1)),
            Bump::Minor if previous.is_prerelease() && patch == 0 => Version::release(major, minor, 0),
            Bump::Minor => Version::release(major, minor.saturating_add(1), 0),
            Bump::Major | Bump::Initial if previous.is_prerelease() && minor == 0 && patch == 0 => {
                Version::release(major, 0, 0)
            }
            Bump::Major | Bump::Initial => Version::release(major.saturating_add(1), 0, 0),
        }
    }

    /// Whether callers of a module get a file of it.
    pub(super) fn ships(&self, module: &RepoPath, file: &RepoPath) -> bool {
        let relative = RepoPath::parse(file.relative_to(module)).unwrap_or_else(|_| file.clone());
        !self.ignore.iter().any(|pattern| pattern.matches(&relative))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Configuration;

    fn rules(text: &str) -> ReleaseRules {
        Configuration::parse(text, "infraflow.toml").unwrap().section().unwrap()
    }

    #[test]
    fn the_defaults_are_what_the_documentation_says() {
        let rules = rules("");
        assert_eq!(
            (rules.initial.to_string().as_str(), rules.tag.as_str()),
            ("1.0.0", "{module}/v{version}")
        );
        assert_eq!(rules.asks(Some("feat")), Some(Bump::Minor));
        assert_eq!(rules.asks(Some("chore")), None);
        assert_eq!(rules.asks(None), Some(Bump::Patch));
        let module = RepoPath::parse("modules/net").unwrap();
        let ships = |path: &str| rules.ships(&module, &RepoPath::parse(path).unwrap());
        assert!(ships("modules/net/main.tf") && ships("modules/net/templates/x.md.tftpl"));
        assert!(!ships("modules/net/README.md") && !ships("modules/net/examples/a/main.tf"));
        assert!(!ships("modules/net/tests/a.tftest.hcl") && !ships("modules/net/x.tftest.hcl"));
    }

    #[test]
    fn the_next_version_is_counted_by_semantic_versioning() {
        let (rules, careful) = (rules(""), rules("release.breaking_below_one = \"minor\""));
        let next = |rules: &ReleaseRules, from: &str, bump| {
            rules.next(&Version::parse(from).unwrap(), bump).to_string()
        };
        for (from, bump, expected) in [
            ("1.2.3", Bump::Patch, "1.2.4"),
            ("1.2.3", Bump::Minor, "1.3.0"),
            ("1.2.3", Bump::Major, "2.0.0"),
            ("0.4.2", Bump::Major, "1.0.0"),
            ("2.0.0-rc.1", Bump::Patch, "2.0.0"),
            ("2.0.0-rc.1", Bump::Major, "2.0.0"),
            ("2.1.0-rc.1", Bump::Major, "3.0.0"),
            ("2.0.1-rc.1", Bump::Minor, "2.1.0"),
        ] {
            assert_eq!(next(&rules, from, bump), expected, "{from} {bump:?}");
        }
        assert_eq!(next(&careful, "0.4.2", Bump::Major), "0.5.0");
        assert_eq!(next(&careful, "1.4.2", Bump::Major), "2.0.0");
    }
}
