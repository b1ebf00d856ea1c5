use std::collections::BTreeMap;

use super::{ReleaseError, ReleaseRules};
use crate::{address::Version, git::TagName, proof::RepoPath};

/// Which tags belong to which module: each has a prefix of its own, and a tag is that prefix and a version.
#[derive(Clone, Debug)]
pub(super) struct Naming {
    prefixes: BTreeMap<RepoPath, String>,
    modules: BTreeMap<String, RepoPath>,
}

impl Naming {
    /// The prefixes of these modules. Those whose path cannot stand in a tag are given back.
    ///
    /// # Errors
    /// [`ReleaseError::BadPattern`]; [`ReleaseError::SameName`] where two modules would share their tags.
    pub(super) fn of<'a>(
        rules: &ReleaseRules,
        modules: impl IntoIterator<Item = &'a RepoPath>,
    ) -> Result<(Self, Vec<(RepoPath, String)>), ReleaseError> {
        let mut naming = Self { prefixes: BTreeMap::new(), modules: BTreeMap::new() };
        let mut unfit = Vec::new();
        for module in modules {
            let name = rules.names.get(module).cloned().unwrap_or_else(|| name_of(rules, module));
            let prefix = prefix_of(rules, &name)?;
            // A tag a/v1.0.0 and one of a module called "a/v1.0.0" could not stand beside one another.
            let hides = prefix.split('/').rev().skip(1).any(|part| {
                part.strip_prefix('v').unwrap_or(part).starts_with(|c: char| c.is_ascii_digit())
                    && Version::parse(part).is_ok()
            });
            let fault = if hides {
                Some("a part of its name reads as a version".to_owned())
            } else {
                TagName::parse(&format!("{prefix}1.0.0")).err().map(|error| error.to_string())
            };
            if let Some(why) = fault {
                unfit.push((module.clone(), why));
                continue;
            }
            if let Some(other) = naming.modules.insert(prefix.clone(), module.clone()) {
                return Err(ReleaseError::SameName { name, one: other, other: module.clone() });
            }
            naming.prefixes.insert(module.clone(), prefix);
        }
        Ok((naming, unfit))
    }

    /// The tag of a version.
    ///
    /// # Errors
    /// [`ReleaseError::Git`] for a name that git does not take, which was checked for every module here.
    pub(super) fn tag(&self, module: &RepoPath, version: &Version) -> Result<TagName, ReleaseError> {
        let prefix = self.prefixes.get(module).map_or("", String::as_str);
        Ok(TagName::parse(&format!("{prefix}{version}"))?)
    }

    /// The module and version that a tag names.
    pub(super) fn read(&self, tag: &TagName) -> Option<(&RepoPath, Version)> {
        let text = tag.as_str();
        // The version has no slash, so that only the last part of a tag can hold it; a prefix may end within
        // that part, and the longest one that fits is meant.
        let from = text.rfind('/').map_or(0, |at| at + 1);
        let candidates = (from..=text.len()).rev().filter(|at| text.is_char_boundary(*at));
        for at in candidates {
            let (prefix, version) = text.split_at(at);
            if let Some(module) = self.modules.get(prefix)
                && let Ok(version) = Version::parse(version)
                && version.to_string() == text[at..]
            {
                return Some((module, version));
            }
        }
        None
    }
}

/// The module's path without the directory that the rules leave out.
fn name_of(rules: &ReleaseRules, module: &RepoPath) -> String {
    let stripped = rules
        .strip
        .iter()
        .filter(|prefix| module.is_within(prefix) && module != *prefix && !prefix.is_root())
        .max_by_key(|prefix| prefix.as_bytes().len());
    let rest = match stripped {
        Some(prefix) => &module.as_bytes()[prefix.as_bytes().len() + 1..],
        None => module.as_bytes(),
    };
    String::from_utf8_lossy(rest).into_owned()
}

fn prefix_of(rules: &ReleaseRules, name: &str) -> Result<String, ReleaseError> {
    let bad = |why| ReleaseError::BadPattern { pattern: rules.tag.clone(), why };
    let prefix = rules.tag.strip_suffix("{version}").ok_or_else(|| bad("it does not end in {version}"))?;
    let (before, after) = prefix.split_once("{module}").ok_or_else(|| bad("it has no {module}"))?;
    if after.contains("{module}") || before.contains("{version}") || after.contains("{version}") {
        return Err(bad("it names a part twice"));
    }
    if after.is_empty() || after.starts_with(|c: char| c.is_alphanumeric()) {
        return Err(bad("nothing parts {module} from {version}"));
    }
    if name.is_empty() {
        let after = after.trim_start_matches(['/', '-', '_', '.', '@']);
        return Ok(format!("{before}{after}"));
    }
    Ok(format!("{before}{name}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Configuration;

    fn paths(texts: &[&str]) -> Vec<RepoPath> {
        texts.iter().map(|text| RepoPath::parse(text).unwrap()).collect()
    }

    fn naming(config: &str, modules: &[&str]) -> Result<(Naming, Vec<(RepoPath, String)>), ReleaseError> {
        let rules: ReleaseRules = Configuration::parse(config, "t").unwrap().section().unwrap();
        Naming::of(&rules, &paths(modules))
    }

    fn tag(naming: &Naming, module: &str) -> String {
        let module = RepoPath::parse(module).unwrap();
        let tag = naming.tag(&module, &Version::release(1, 2, 3)).unwrap();
        assert_eq!(naming.read(&tag), Some((&module, Version::release(1, 2, 3))));
        tag.to_string()
    }

    #[test]
    fn each_module_has_tags_of_its_own() {
        let modules = ["modules/a/b-c", "modules/a-b/c", "modules/a", "infra/a", "modules/a/b", "."];
        let (naming, unfit) = naming("", &modules).unwrap();
        assert!(unfit.is_empty());
        let tags: Vec<_> = modules.iter().map(|module| tag(&naming, module)).collect();
        assert_eq!(
            tags,
            ["a/b-c/v1.2.3", "a-b/c/v1.2.3", "a/v1.2.3", "infra/a/v1.2.3", "a/b/v1.2.3", "v1.2.3"]
        );
        assert!(naming.read(&TagName::parse("a/b/c/v1.0.0").unwrap()).is_none());
        assert!(naming.read(&TagName::parse("a/v1.0").unwrap()).is_none());
    }

    #[test]
    fn another_pattern_is_read_back_too() {
        let (naming, _) =
            naming("release.tag = \"{module}-v{version}\"", &["modules/a", "modules/a-v1", "."]).unwrap();
        assert_eq!(tag(&naming, "modules/a"), "a-v1.2.3");
        assert_eq!(tag(&naming, "modules/a-v1"), "a-v1-v1.2.3");
        assert_eq!(tag(&naming, "."), "v1.2.3");
    }

    #[test]
    fn modules_that_would_share_their_tags_are_refused() {
        let error = naming("", &["modules/a", "a"]).unwrap_err();
        assert!(matches!(error, ReleaseError::SameName { .. }), "{error}");
        let named = "[release.names]\n\"a\" = \"other-a\"\n";
        assert!(naming(named, &["modules/a", "a"]).is_ok());
        for bad in ["{module}{version}", "v{version}", "{module}/v", "{module}/{module}/{version}"] {
            let config = format!("release.tag = {bad:?}");
            assert!(matches!(naming(&config, &["a"]), Err(ReleaseError::BadPattern { .. })), "{bad}");
        }
    }

    #[test]
    fn a_path_that_git_does_not_take_in_a_tag_is_named() {
        let (_, unfit) = naming("", &["modules/my net", "modules/ünï", "modules/v1.2.3/x"]).unwrap();
        let named: Vec<_> = unfit.iter().map(|(module, _)| module.to_string()).collect();
        assert_eq!(named, ["modules/my net", "modules/v1.2.3/x"]);
    }
}
