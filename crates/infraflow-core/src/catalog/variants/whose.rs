//! From a file to the directories whose units it may tell.

use super::{Template, VariantRule, found, template::Words};
use crate::{policy::PathPattern, proof::RepoPath};

/// Where directories lie whose units depend on what stands at a path: a superset, told without looking at the
/// tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::catalog) enum Whose {
    /// This directory.
    In(RepoPath),
    /// The directories that lie so many names below one.
    Deep(RepoPath, usize),
    /// The directories below one, itself included.
    Below(RepoPath),
}

/// Whose units may be others because of a path. `find` says that units are found where nothing is declared.
pub(in crate::catalog) fn whose(path: &RepoPath, rules: &[VariantRule], find: bool) -> Vec<Whose> {
    let mut places = Vec::new();
    if find {
        places.extend(found::beside(path).map(Whose::In));
    }
    for rule in rules {
        for template in rule.paths() {
            let (ups, rest) = flat(template);
            let Some(base) = cut(path, &rest) else { continue };
            match (template.is_absolute(), ups) {
                (true, 0) if base.is_root() => places.extend(rule.directories.iter().map(meant)),
                (true, _) => {}
                (false, 0) => places.push(Whose::In(base)),
                (false, ups) => places.push(Whose::Deep(base, ups)),
            }
        }
    }
    places.sort();
    places.dedup();
    places
}

/// How many directories a template climbs, and the names that it goes down from there.
fn flat(template: &Template) -> (usize, Vec<Template>) {
    let (mut ups, mut rest) = (0, Vec::new());
    for name in template.names() {
        if name.constant() != Some("..") {
            rest.push(name);
        } else if rest.pop().is_none() {
            ups += 1;
        }
    }
    (ups, rest)
}

/// The directory from which these names lead to a path, if they can.
fn cut(path: &RepoPath, names: &[Template]) -> Option<RepoPath> {
    let mut at = path.clone();
    for name in names.iter().rev() {
        let text = std::str::from_utf8(at.file_name()).ok()?;
        if name.matches(text, &Words::new()).is_empty() {
            return None;
        }
        at = at.parent()?;
    }
    (!names.is_empty()).then_some(at)
}

/// Where the directories lie that a pattern means.
fn meant(pattern: &PathPattern) -> Whose {
    let plain = |name: &&str| !name.contains(['*', '?', '[', '{', '\\']);
    let names: Vec<&str> = pattern.as_str().split('/').collect();
    let beginning: Vec<&str> = names.iter().copied().take_while(plain).filter(|name| *name != ".").collect();
    let directory = RepoPath::parse(beginning.join("/")).unwrap_or_else(|_| RepoPath::root());
    if names.iter().all(plain) { Whose::In(directory) } else { Whose::Below(directory) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, rule: &str, find: bool) -> Vec<Whose> {
        let rules: Vec<VariantRule> = match rule {
            "" => Vec::new(),
            text => vec![toml::from_str(text).unwrap()],
        };
        whose(&RepoPath::parse(path).unwrap(), &rules, find)
    }

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    #[test]
    fn what_is_found_lies_at_most_two_known_folders_above() {
        assert_eq!(of("live/app/dev.tfvars", "", true), [Whose::In(path("live/app"))]);
        assert_eq!(
            of("live/app/envs/dev.tfvars", "", true),
            [Whose::In(path("live/app")), Whose::In(path("live/app/envs"))]
        );
        assert_eq!(
            of("live/app/envs/dev/backend.hcl", "", true),
            [Whose::In(path("live/app")), Whose::In(path("live/app/envs/dev"))]
        );
        assert!(of("live/app/dev.tfvars", "", false).is_empty());
    }

    #[test]
    fn what_is_declared_is_found_from_its_files() {
        let rule = "directories = ['live/*', 'one']\nworkspace = '{env}'\nvar_files = ['/envs/{env}.tfvars', '../../{env}/x.tfvars', 'a/../b/{env}.tfvars']";
        assert_eq!(of("envs/dev.tfvars", rule, false), [Whose::In(path("one")), Whose::Below(path("live"))]);
        assert_eq!(of("dev/x.tfvars", rule, false), [Whose::Deep(RepoPath::root(), 2)]);
        assert_eq!(of("live/app/b/dev.tfvars", rule, false), [Whose::In(path("live/app"))]);
        assert!(of("live/app/a/dev.tfvars", rule, false).is_empty());
    }
}
