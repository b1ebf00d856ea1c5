use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{super::Published, AlsoRule, Judged, PathRule, References, RuleAction, RuleName, Then, Verdict};
use crate::{
    policy::{Configuration, PathPatternSet, PolicyError, Section},
    proof::RepoPath,
};

/// The section `[impact]` of `infraflow.toml`: [path rules and further dependencies](crate::impact::rules).
/// Cheap to clone.
///
/// ```
/// use infraflow_core::{impact::{References, RuleAction, Rules}, policy::Configuration, proof::RepoPath};
/// let text = "[[impact.rules]]\npaths = ['**/*.md']\ndo = 'ignore'\nreason = 'documentation'\n";
/// let rules: Rules = Configuration::parse(text, "infraflow.toml")?.section()?;
/// let judged = rules.judge(&RepoPath::parse("live/a/README.md")?);
/// assert_eq!(judged.references, References::Stated);
/// assert_eq!(judged.verdicts[0].rule.action, RuleAction::Ignore);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rules(Arc<Compiled>);

#[derive(Clone, Debug)]
struct Compiled {
    rules: Vec<PathRule>,
    defaults: Vec<PathRule>,
    depends_also: Vec<AlsoRule>,
    published: Vec<Published>,
    /// The patterns of all rules, in order.
    patterns: PathPatternSet,
    /// For each of them, the place of its rule, those of `defaults` after those of `rules`.
    places: Vec<usize>,
}

impl Rules {
    /// Rules in code: `rules` are held against a path first, then `defaults`.
    ///
    /// # Errors
    /// [`PolicyError::Glob`] where their patterns are too large together, and [`PolicyError::BadValue`] for
    /// a rule whose parts do not go together.
    pub fn new(
        rules: Vec<PathRule>,
        defaults: Vec<PathRule>,
        depends_also: Vec<AlsoRule>,
    ) -> Result<Self, PolicyError> {
        let faults = rules.iter().chain(&defaults).map(PathRule::fault);
        if let Some(fault) = faults.chain(depends_also.iter().map(AlsoRule::fault)).flatten().next() {
            let (why, help) =
                fault.split_once("\n  help: ").unwrap_or((&fault, "see [impact] in the defaults"));
            return Err(PolicyError::BadValue {
                place: "the rules of [impact]".to_owned(),
                why: why.to_owned(),
                help: help.to_owned(),
            });
        }
        let all = || rules.iter().chain(&defaults).enumerate();
        let patterns = PathPatternSet::new(all().flat_map(|(_, rule)| &rule.paths))?;
        let places = all().flat_map(|(place, rule)| rule.paths.iter().map(move |_| place)).collect();
        let published = Vec::new();
        Ok(Self(Arc::new(Compiled { rules, defaults, depends_also, published, patterns, places })))
    }

    /// No rules: only references count.
    pub fn none() -> Self {
        let nothing = Compiled {
            rules: Vec::new(),
            defaults: Vec::new(),
            depends_also: Vec::new(),
            published: Vec::new(),
            patterns: PathPatternSet::default(),
            places: Vec::new(),
        };
        Self(Arc::new(nothing))
    }

    /// The same with these path rules before all others.
    ///
    /// # Errors
    /// As [`Rules::new`].
    pub fn with_rules(&self, rules: impl IntoIterator<Item = PathRule>) -> Result<Self, PolicyError> {
        let rules = rules.into_iter().chain(self.0.rules.iter().cloned()).collect();
        let rules = Self::new(rules, self.0.defaults.clone(), self.0.depends_also.clone())?;
        Ok(rules.with_published(self.0.published.iter().cloned()))
    }

    /// The same with these dependencies too.
    ///
    /// # Errors
    /// As [`Rules::new`].
    pub fn with_depends_also(&self, also: impl IntoIterator<Item = AlsoRule>) -> Result<Self, PolicyError> {
        let also = self.0.depends_also.iter().cloned().chain(also).collect();
        let rules = Self::new(self.0.rules.clone(), self.0.defaults.clone(), also)?;
        Ok(rules.with_published(self.0.published.iter().cloned()))
    }

    /// The same with these addresses of published modules too.
    #[must_use]
    pub fn with_published(mut self, published: impl IntoIterator<Item = Published>) -> Self {
        let compiled = Arc::make_mut(&mut self.0);
        compiled.published.extend(published);
        self
    }

    /// Under which addresses modules of this repository are published.
    pub fn published(&self) -> &[Published] {
        &self.0.published
    }

    /// What the rules say of a changed path. Takes one pass over the path for all patterns.
    pub fn judge(&self, path: &RepoPath) -> Judged<'_> {
        let mut judged = Judged { references: References::All, verdicts: Vec::new() };
        let mut last = None;
        for pattern in self.0.patterns.matching(path) {
            let place = self.0.places[pattern];
            if last.replace(place) == Some(place) {
                continue;
            }
            let (name, rule) = self.rule(place);
            judged.verdicts.push(Verdict { name, rule });
            match (rule.action, rule.then) {
                (RuleAction::Ignore, _) => judged.references = References::Stated,
                (RuleAction::IgnoreAlways, _) | (_, Then::Stop) => judged.references = References::None,
                (_, Then::GoOn) => continue,
                (_, Then::References) => {}
            }
            break;
        }
        judged
    }

    /// By which rules a module or unit depends also on something, by its directory.
    pub fn also(&self, directory: &RepoPath) -> impl Iterator<Item = (RuleName, &AlsoRule)> {
        let directory = directory.clone();
        self.depends_also().filter(move |(_, rule)| {
            let means = |pattern| super::also_rule::means(pattern, &directory);
            rule.units.iter().chain(&rule.modules).any(means)
        })
    }

    /// The rules by which something depends also on this path: a file, or the directory of a module or unit.
    pub fn depending_on(&self, path: &RepoPath) -> impl Iterator<Item = (RuleName, &AlsoRule)> {
        let path = path.clone();
        self.depends_also().filter(move |(_, rule)| rule.is_on(&path))
    }

    /// Whether any rule says that something depends also on something.
    pub fn has_depends_also(&self) -> bool {
        !self.0.depends_also.is_empty()
    }

    fn depends_also(&self) -> impl Iterator<Item = (RuleName, &AlsoRule)> {
        let named = self.0.depends_also.iter().enumerate();
        named.map(|(at, rule)| (RuleName::new("depends_also", at), rule))
    }

    fn rule(&self, place: usize) -> (RuleName, &PathRule) {
        match place.checked_sub(self.0.rules.len()) {
            None => (RuleName::new("rules", place), &self.0.rules[place]),
            Some(place) => (RuleName::new("defaults", place), &self.0.defaults[place]),
        }
    }
}

impl Section for Rules {
    const NAME: &'static str = "impact";
}

impl Default for Rules {
    /// The crate's defaults, as they stand in
    /// [`Configuration::defaults_text`](crate::policy::Configuration::defaults_text).
    fn default() -> Self {
        static DEFAULTS: OnceLock<Rules> = OnceLock::new();
        // The file is part of this crate, and a test reads it.
        #[allow(clippy::expect_used)]
        DEFAULTS
            .get_or_init(|| Configuration::defaults().section().expect("the crate's defaults are rules"))
            .clone()
    }
}

impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        let parts = |rules: &Self| {
            let Compiled { rules, defaults, depends_also, published, .. } = &*rules.0;
            (rules.clone(), defaults.clone(), depends_also.clone(), published.clone())
        };
        Arc::ptr_eq(&self.0, &other.0) || parts(self) == parts(other)
    }
}

impl Eq for Rules {}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    rules: Vec<PathRule>,
    depends_also: Vec<AlsoRule>,
    published: Vec<Published>,
    defaults: Vec<PathRule>,
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { rules, depends_also, published, defaults } = Written::deserialize(deserializer)?;
        let rules = Self::new(rules, defaults, depends_also).map_err(de::Error::custom)?;
        Ok(rules.with_published(published))
    }
}

impl Serialize for Rules {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Compiled { rules, defaults, depends_also, published, .. } = &*self.0;
        let written = Written {
            rules: rules.clone(),
            depends_also: depends_also.clone(),
            published: published.clone(),
            defaults: defaults.clone(),
        };
        written.serialize(serializer)
    }
}
