//! What Terraform and OpenTofu read, as data: a repository, what a branch does to it, and what that touches.
//!
//! The tables stand in `semantics/*.toml`; each case says whose documentation or source has the rule. Everything
//! below `live` is a unit. `INFRAFLOW_SEMANTICS` names the cases to look at, by a part of their names.

use std::collections::{BTreeMap, BTreeSet};

use infraflow_core::{
    catalog::{Catalog, CatalogRules, ToolChoice},
    detect::{ChangeDetector, GitDetector},
    git::{CommitId, Repository, Revision},
    impact::{Impact, assess},
};
use serde::Deserialize;

use crate::{
    catalog::{dialects, rules},
    oracle::{
        Sample, Scratch,
        model::{Entry, Op, Tree},
    },
};

const TABLES: [&str; 10] = [
    include_str!("semantics/arguments.toml"),
    include_str!("semantics/computed.toml"),
    include_str!("semantics/files.toml"),
    include_str!("semantics/lists.toml"),
    include_str!("semantics/named_paths.toml"),
    include_str!("semantics/overrides.toml"),
    include_str!("semantics/reads.toml"),
    include_str!("semantics/sources.toml"),
    include_str!("semantics/state.toml"),
    include_str!("semantics/tests.toml"),
];

#[derive(Deserialize)]
struct Table {
    case: Vec<Case>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Where the rule comes from.
    #[allow(dead_code)]
    why: String,
    #[serde(default)]
    tool: ToolChoice,
    before: BTreeMap<String, String>,
    /// The same at both ends.
    #[serde(default)]
    links: BTreeMap<String, String>,
    #[serde(default)]
    after: BTreeMap<String, After>,
    /// Several changes, each by itself, with the same answer.
    #[serde(default)]
    afters: Vec<BTreeMap<String, After>>,
    #[serde(default)]
    units: BTreeSet<String>,
    #[serde(default)]
    modules: BTreeSet<String>,
    #[serde(default)]
    cases: BTreeSet<String>,
    #[serde(default)]
    dependents: BTreeSet<String>,
    #[serde(default)]
    removed_modules: BTreeSet<String>,
}

/// A file's new text, or `false` for one that goes.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum After {
    Text(String),
    Gone(#[allow(dead_code)] bool),
}

impl Case {
    fn samples(&self) -> Vec<Sample> {
        let mut base = Tree::default();
        for (path, text) in &self.before {
            base.set(path, Entry::Text(text.clone()));
        }
        for (path, target) in &self.links {
            base.set(path, Entry::Link(target.clone()));
        }
        let changes = if self.afters.is_empty() { std::slice::from_ref(&self.after) } else { &self.afters };
        let ops = changes.iter().map(|change| {
            let op = change.iter().map(|(path, after)| match after {
                After::Text(text) => Op::Write(path.clone(), Entry::Text(text.clone())),
                After::Gone(_) => Op::Remove(path.clone()),
            });
            op.collect()
        });
        ops.map(|ops| Sample { seed: 0, base: base.clone(), ops }).collect()
    }

    fn impact(&self, repository: &Repository, base: CommitId, head: CommitId) -> Impact {
        let (base, head) = (Revision::Commit(base), Revision::Commit(head));
        let changes = GitDetector::new().detect(repository, &base, &head).unwrap();
        let rules: CatalogRules = rules(&["live/**"]).with_tool(self.tool);
        let build = |revision: &Revision| {
            Catalog::build(&repository.tree(revision).unwrap(), &dialects(), &rules).unwrap()
        };
        assess(&changes, &build(&base), &build(&head)).unwrap()
    }

    fn wrong(&self, impact: &Impact) -> Vec<String> {
        let set = |paths: Vec<String>| -> BTreeSet<String> { paths.into_iter().collect() };
        let answers = [
            ("units", &self.units, set(impact.units.iter().map(|unit| unit.path.to_string()).collect())),
            ("modules", &self.modules, set(impact.modules.iter().map(|it| it.path.to_string()).collect())),
            ("cases", &self.cases, set(impact.cases.iter().map(|it| it.path.to_string()).collect())),
            (
                "dependents",
                &self.dependents,
                set(impact.dependents.iter().map(|it| it.path.to_string()).collect()),
            ),
            (
                "removed_modules",
                &self.removed_modules,
                set(impact.removed_modules.iter().map(|it| it.path.to_string()).collect()),
            ),
        ];
        let mut wrong = Vec::new();
        for (list, expected, found) in answers {
            wrong.extend(expected.difference(&found).map(|path| format!("{list}: {path} is missed")));
            wrong
                .extend(found.difference(expected).map(|path| format!("{list}: {path} should not be there")));
        }
        wrong
    }
}

#[test]
fn what_the_tools_read_is_what_counts() {
    let only = std::env::var("INFRAFLOW_SEMANTICS").unwrap_or_default();
    let tables = TABLES.iter().flat_map(|text| toml::from_str::<Table>(text).unwrap().case);
    let cases: Vec<Case> = tables.filter(|case| case.name.contains(&only)).collect();
    let pairs: Vec<(&Case, Sample)> =
        cases.iter().flat_map(|case| case.samples().into_iter().map(move |sample| (case, sample))).collect();
    let scratch = Scratch::new();
    let samples: Vec<Sample> = pairs.iter().map(|(_, sample)| sample.clone()).collect();
    let mut wrong = Vec::new();
    for ((case, sample), (base, head)) in pairs.iter().zip(scratch.commits(&samples)) {
        let found = case.wrong(&case.impact(&scratch.repository, base, head));
        let changed: Vec<String> = sample
            .ops
            .iter()
            .map(|op| match op {
                Op::Write(path, _) | Op::Remove(path) | Op::Move(path, _) => path.clone(),
            })
            .collect();
        wrong.extend(found.into_iter().map(|text| format!("{}, {}: {text}", case.name, changed.join(" "))));
    }
    eprintln!("{} cases, {} changes, {} wrong answers", cases.len(), pairs.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
