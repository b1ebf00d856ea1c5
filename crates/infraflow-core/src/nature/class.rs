use std::{collections::BTreeSet, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NatureRules;
use crate::{
    impact::Impact,
    policy::PathPattern,
    proof::{Document, Link, Reason, RepoPath},
};

/// The class of a change. The table in [the module's documentation](crate::nature) says when it is which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Nature {
    /// Documentation only: no step follows.
    DocsOnly,
    /// Nothing that is tested or planned, but not documentation alone.
    Tooling,
    /// Modules or their tests.
    Module,
    /// Units.
    Live,
    /// Modules and units.
    Both,
    /// Everything.
    Global,
}

/// As in JSON: `docs_only`.
impl fmt::Display for Nature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DocsOnly => "docs_only",
            Self::Tooling => "tooling",
            Self::Module => "module",
            Self::Live => "live",
            Self::Both => "both",
            Self::Global => "global",
        })
    }
}

/// The nature of one change, and why.
///
/// ```json
/// {"kind": "nature", "schema_version": 1, "nature": "docs_only",
///  "reasons": [{"rule": "docs", "text": "every changed file is documentation, and nothing reads it",
///               "chain": [{"path": "README.md", "start": 0, "end": 0, "line": 1, "column": 1,
///                          "reference": "README.md"}]}]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NatureOfChange {
    /// The class.
    pub nature: Nature,
    /// Why it is that one.
    pub reasons: Vec<Reason>,
}

impl Document for NatureOfChange {
    const KIND: &'static str = "nature";
    const SCHEMA_VERSION: u32 = 1;
}

/// The nature of a change. This is *plan*: it looks at nothing but its arguments.
pub fn of(impact: &Impact, rules: &NatureRules) -> NatureOfChange {
    let is = |patterns: &[PathPattern], path: &RepoPath| patterns.iter().any(|pattern| pattern.matches(path));
    let changed = || impact.changed_paths();
    let link = |path: &RepoPath| Link::whole(path.clone(), path.to_string());

    let global: Vec<Link> = changed().filter(|path| is(&rules.global, path)).map(link).collect();
    if !global.is_empty() {
        let text = "a file changed that decides about everything";
        return because(Nature::Global, vec![Reason::new("global", text).with_chain(global)]);
    }
    let of_all = impact.ruled.iter().filter(|ruled| ruled.of_all);
    let by_rule: Vec<Reason> = of_all
        .map(|ruled| {
            let text = format!("{} touches everything: {} ({})", ruled.path, ruled.reason, ruled.rule);
            Reason::new("everything", text).with_chain(vec![link(&ruled.path)])
        })
        .collect();
    if !by_rule.is_empty() {
        return because(Nature::Global, by_rule);
    }
    let mut reasons = Vec::new();
    let modules = impact.modules.len() + impact.removed_modules.len();
    let (units, cases) = (impact.units.len() + impact.removed_units.len(), impact.cases.len());
    if modules == 0 && cases > 0 {
        let of: BTreeSet<&RepoPath> = impact.cases.iter().map(|case| &case.module).collect();
        let text = format!("it touches {} of {}, and no module", count(cases, "test case"), some(&of));
        reasons.push(Reason::new("test_cases", text));
    } else if modules > 0 {
        let text = format!("it touches {} and {}", count(modules, "module"), count(cases, "test case"));
        reasons.push(Reason::new("modules", text));
    }
    if units > 0 {
        reasons.push(Reason::new("units", format!("it touches {}", count(units, "unit"))));
    }
    match (modules + cases > 0, units > 0) {
        (true, true) => return because(Nature::Both, reasons),
        (true, false) => return because(Nature::Module, reasons),
        (false, true) => return because(Nature::Live, reasons),
        (false, false) => {}
    }
    let others: Vec<Link> = changed().filter(|path| !is(&rules.docs, path)).map(link).collect();
    if others.is_empty() {
        let text = "every changed file is documentation, and nothing reads it";
        because(Nature::DocsOnly, vec![Reason::new("docs", text).with_chain(changed().map(link).collect())])
    } else {
        let text = "no module, unit or test case reads what changed";
        because(Nature::Tooling, vec![Reason::new("tooling", text).with_chain(others)])
    }
}

fn because(nature: Nature, reasons: Vec<Reason>) -> NatureOfChange {
    NatureOfChange { nature, reasons }
}

/// The first two, and how many more.
fn some(paths: &BTreeSet<&RepoPath>) -> String {
    let named: Vec<String> = paths.iter().take(2).map(ToString::to_string).collect();
    match paths.len().saturating_sub(2) {
        0 => named.join(" and "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
