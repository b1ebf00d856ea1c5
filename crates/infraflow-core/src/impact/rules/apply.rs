//! The rules applied to a change set: what a search begins with.

use std::collections::{BTreeMap, HashMap};

use super::{
    PathRule, References, RuleAction, RuleName, Ruled, Rules,
    also_rule::{AlsoRule, means},
};
use crate::{catalog::DialectName, detect::Change, policy::PathPattern, proof::RepoPath};

/// What the rules make of a change set.
#[derive(Debug, Default)]
pub(crate) struct Applied<'a> {
    /// Things that a path touches by a rule, whatever refers to it.
    pub(crate) marks: Vec<Mark<'a>>,
    /// The paths that not all references count for; those that are not here count as ever.
    less: HashMap<RepoPath, References>,
    /// Every path that a rule speaks of, for the impact.
    pub(crate) ruled: Vec<Ruled>,
    /// The paths that a rule warns of.
    warned: BTreeMap<RuleName, (&'a str, Vec<RepoPath>)>,
}

/// Things that are touched by a changed path, by a rule.
#[derive(Clone, Debug)]
pub(crate) struct Mark<'a> {
    pub(crate) change: &'a Change,
    /// Which of the change's paths it is.
    pub(crate) path: RepoPath,
    /// Who is touched.
    pub(crate) wanted: Wanted<'a>,
    /// How: the rule's name in reasons, `everything`, `part_of` or `depends_also`.
    pub(crate) kind: &'static str,
    /// The rule, with its author's reason: `impact.rules[0]: because`.
    pub(crate) because: String,
}

/// What sort of thing it is that a rule may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThingKind {
    Module,
    Unit,
    Case,
}

/// The things that a rule means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted<'a> {
    /// All, or where something is named, what that names.
    Named {
        units: Option<&'a [PathPattern]>,
        modules: Option<&'a [PathPattern]>,
        dialects: Option<&'a [DialectName]>,
    },
    /// What stands in the directories that these mean.
    In(&'a [PathPattern]),
    /// What stands in this directory, or in the nearest above it that has anything.
    NearestTo(RepoPath),
}

impl<'a> Wanted<'a> {
    fn of(rule: &'a PathRule, path: &RepoPath) -> Self {
        match (rule.action, &rule.of) {
            (RuleAction::PartOf, Some(of)) => Self::In(of),
            (RuleAction::PartOf, None) => Self::NearestTo(path.parent().unwrap_or_else(RepoPath::root)),
            _ => Self::Named {
                units: rule.units.as_deref(),
                modules: rule.modules.as_deref(),
                dialects: rule.dialects.as_deref(),
            },
        }
    }

    pub(crate) fn also(rule: &'a AlsoRule) -> Self {
        Self::Named { units: Some(&rule.units), modules: Some(&rule.modules), dialects: None }
    }

    /// Whether a thing is meant. `directory` is its own, of a case that of its module with
    /// [`Wanted::Named`]; `id` is a unit's id. [`Wanted::NearestTo`] means only what stands in that very
    /// directory: the caller climbs.
    pub(crate) fn means(
        &self,
        kind: ThingKind,
        directory: &RepoPath,
        id: impl FnOnce() -> String,
        dialect: Option<&DialectName>,
    ) -> bool {
        match self {
            Self::NearestTo(nearest) => nearest == directory,
            Self::In(patterns) => patterns.iter().any(|pattern| means(pattern, directory)),
            Self::Named { units, modules, dialects } => {
                let spoken = dialects.is_none_or(|names| dialect.is_some_and(|name| names.contains(name)));
                let all = units.is_none() && modules.is_none();
                let named = match kind {
                    _ if all => true,
                    ThingKind::Unit => units.is_some_and(|patterns| {
                        patterns.iter().any(|pattern| means(pattern, directory))
                            || (patterns.iter().any(|pattern| pattern.as_str().contains('#'))
                                && any_means_text(patterns, &id()))
                    }),
                    ThingKind::Module | ThingKind::Case => {
                        modules.is_some_and(|patterns| patterns.iter().any(|p| means(p, directory)))
                    }
                };
                spoken && named
            }
        }
    }

    /// Whether all things are meant, without exception.
    fn is_all(&self) -> bool {
        matches!(self, Self::Named { units: None, modules: None, dialects: None })
    }
}

fn any_means_text(patterns: &[PathPattern], id: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches_text(id))
}

/// Applies the rules to the paths of a change set; of a renamed file to both.
pub(crate) fn apply<'a>(rules: &'a Rules, changes: &'a [Change]) -> Applied<'a> {
    let mut applied = Applied::default();
    for change in changes {
        for path in change.paths() {
            applied.path(rules, change, path);
        }
    }
    applied
}

impl<'a> Applied<'a> {
    fn path(&mut self, rules: &'a Rules, change: &'a Change, path: &RepoPath) {
        let judged = rules.judge(path);
        for verdict in &judged.verdicts {
            let rule = verdict.rule;
            let wanted = Wanted::of(rule, path);
            self.ruled.push(Ruled {
                path: path.clone(),
                action: rule.action,
                rule: verdict.name.to_string(),
                reason: rule.reason.clone(),
                of_all: rule.action == RuleAction::Everything && wanted.is_all(),
            });
            match rule.action {
                RuleAction::Everything | RuleAction::PartOf => self.marks.push(Mark {
                    change,
                    path: path.clone(),
                    wanted,
                    kind: rule.action.as_str(),
                    because: format!("{}: {}", verdict.name, rule.reason),
                }),
                RuleAction::Warn => {
                    let (_, paths) =
                        self.warned.entry(verdict.name).or_insert_with(|| (&rule.reason, Vec::new()));
                    paths.push(path.clone());
                }
                RuleAction::Ignore | RuleAction::IgnoreAlways => {}
            }
        }
        if judged.references != References::All {
            self.less.insert(path.clone(), judged.references);
        }
        if judged.references == References::None {
            return;
        }
        for (name, rule) in rules.depending_on(path) {
            self.marks.push(Mark {
                change,
                path: path.clone(),
                wanted: Wanted::also(rule),
                kind: "depends_also",
                because: format!("{name}: {}", rule.reason),
            });
        }
    }

    /// Which references to a path count.
    pub(crate) fn references(&self, path: &RepoPath) -> References {
        self.less.get(path).copied().unwrap_or(References::All)
    }

    /// The paths that are ignored altogether.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = &RepoPath> {
        let paths = self.ruled.iter().map(|ruled| &ruled.path);
        paths.filter(|path| self.references(path) == References::None)
    }

    /// What a person should know. `readers` names, for a path that is ignored altogether, whom it would
    /// touch otherwise.
    pub(crate) fn warnings(&self, readers: impl Fn(&RepoPath) -> Vec<String>) -> Vec<String> {
        let warned = self.warned.iter().map(|(rule, (reason, paths))| {
            let names = paths.iter().map(ToString::to_string).collect::<Vec<_>>();
            format!("{} changed: {reason} ({rule})", first_of(&names))
        });
        let ignored = self.ruled.iter().filter(|ruled| self.references(&ruled.path) == References::None);
        let ignored = ignored.filter_map(|ruled| {
            let names = readers(&ruled.path);
            (!names.is_empty()).then(|| {
                format!(
                    "{} is ignored, though it would touch {}: {} ({})",
                    ruled.path,
                    first_of(&names),
                    ruled.reason,
                    ruled.rule
                )
            })
        });
        warned.chain(ignored).collect()
    }
}

/// `a`, or `a and 2 more`.
fn first_of(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first, more @ ..] => format!("{first} and {} more", more.len()),
    }
}
