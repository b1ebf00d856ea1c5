//! What impact must never miss, held against an oracle over generated repositories.
//!
//! The oracle ([`expand`]) runs each root through by hand in both trees and writes down all that it sees. Where
//! that differs, the unit must be named. `INFRAFLOW_ORACLE_REPOSITORIES` says how many repositories are tried,
//! `INFRAFLOW_ORACLE_SEED` tries a single one and prints it.

mod expand;
pub mod generate;
pub mod model;
mod warm;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use infraflow_core::{
    catalog::Catalog,
    detect::{ChangeDetector, GitDetector},
    git::{CommitId, Repository, Revision},
    impact::{Impact, assess},
    proof::{Reason, RepoPath},
};
use rayon::prelude::*;

use crate::catalog::{dialects, rules};
use expand::{configured, is_config, join, seen_by_module, seen_by_root};
use generate::Lot;
use model::{Entry, Op, Tree, apply};
pub use write::Scratch;

/// A repository, and what its branch does.
#[derive(Clone)]
pub struct Sample {
    pub seed: u64,
    pub base: Tree,
    pub ops: Vec<Op>,
}

impl Sample {
    fn of(seed: u64) -> Self {
        let mut lot = Lot(seed);
        let base = generate::repository(&mut lot);
        let ops = generate::change(&mut lot, &base);
        Self { seed, base, ops }
    }

    pub fn head(&self) -> Tree {
        apply(&self.base, &self.ops)
    }
}

/// What was named, and how much of it the oracle does not see.
#[derive(Default)]
struct Count {
    units: usize,
    named: usize,
    needed: usize,
    /// Named without need, by the references of the reason, with a seed.
    over: BTreeMap<String, (usize, u64)>,
}

impl Count {
    fn plus(mut self, other: Self) -> Self {
        self.units += other.units;
        self.named += other.named;
        self.needed += other.needed;
        for (rule, (count, seed)) in other.over {
            self.over.entry(rule).or_insert((0, seed)).0 += count;
        }
        self
    }
}

/// What the change from one commit to another touches; everything below `live` is a unit.
pub fn impact_of(repository: &Repository, base: CommitId, head: CommitId) -> Impact {
    let (base, head) = (Revision::Commit(base), Revision::Commit(head));
    let changes = GitDetector::new().detect(repository, &base, &head).unwrap();
    let build = |revision: &Revision| {
        let tree = repository.tree(revision).unwrap();
        Catalog::build(&tree, &dialects(), &rules(&["live/**"])).unwrap()
    };
    assess(&changes, &build(&base), &build(&head)).unwrap()
}

/// What is wrong with the answer, if anything.
fn judge(sample: &Sample, impact: &Impact) -> Result<Count, String> {
    let (base, head) = (&sample.base, &sample.head());
    let paths =
        |found: Vec<&RepoPath>| -> BTreeSet<String> { found.into_iter().map(ToString::to_string).collect() };
    let units = paths(impact.units.iter().map(|unit| &unit.path).collect());
    let removed = paths(impact.removed_units.iter().map(|unit| &unit.path).collect());
    let modules =
        paths(impact.modules.iter().chain(&impact.removed_modules).map(|module| &module.path).collect());
    let cases = paths(impact.cases.iter().map(|case| &case.path).collect());
    let (before, after) = (configured(base), configured(head));
    let mut count = Count::default();
    let all: BTreeSet<String> = before.union(&after).cloned().collect();
    for directory in &all {
        let here = after.contains(directory);
        let new = !before.contains(directory);
        let spelled = spelled(directory);
        let is_case = ["examples", "tests"].iter().any(|name| directory.split('/').any(|part| part == *name));
        if directory.starts_with("live/") {
            let (was, is) = (seen_by_root(base, directory, &all), seen_by_root(head, directory, &all));
            let differs = was != is || new || !here;
            let (list, name) = if here { (&units, "units") } else { (&removed, "removed_units") };
            // A link to nowhere may still count as configuration.
            let dangling = !here && head.names(directory).keys().any(|name| is_config(name));
            if differs && !list.contains(&spelled) && !(dangling && units.contains(&spelled)) {
                return Err(format!("{directory} is not in {name}: {}", difference(&was, &is)));
            }
            count.units += 1;
            count.needed += usize::from(differs);
            count.named += usize::from(list.contains(&spelled));
            if let Some(unit) = impact.units.iter().find(|unit| !differs && unit.path.to_string() == spelled)
            {
                let what = unit.reasons[0].chain.iter().skip(1).map(|link| kind(&link.reference));
                let what = what.collect::<Vec<_>>().join(" < ");
                let rule = format!("{} {what}", unit.reasons[0].rule);
                count.over.entry(rule).or_insert((0, sample.seed)).0 += 1;
            }
        } else if is_case && !directory.ends_with("/tests/setup") {
            let (was, is) = (seen_by_root(base, directory, &all), seen_by_root(head, directory, &all));
            let named = cases.contains(&spelled) || modules.contains(&spelled);
            if here && (was != is || new) && !named {
                return Err(format!("{directory} is not in cases: {}", difference(&was, &is)));
            }
        } else {
            let (was, is) = (seen_by_module(base, directory), seen_by_module(head, directory));
            if (was != is || new || !here)
                && ![&modules, &units, &cases].iter().any(|list| list.contains(&spelled))
            {
                return Err(format!("{directory} is not in modules: {}", difference(&was, &is)));
            }
        }
    }
    for (path, entry) in &head.0 {
        let Entry::Test(_, setup) = entry else { continue };
        let Some((module, _)) = path.rsplit_once("/tests/") else { continue };
        let see = |tree: &Tree| {
            let mut seen = seen_by_root(tree, module, &all);
            seen.extend(tree.0.get(path).map(|entry| entry.bytes(path).1));
            seen.extend(setup.iter().flat_map(|_| seen_by_root(tree, &join(module, "tests/setup"), &all)));
            seen
        };
        let (was, is) = (see(base), see(head));
        if was != is && !cases.contains(&spelled(path)) && after.contains(module) {
            return Err(format!("{path} is not in cases: {}", difference(&was, &is)));
        }
    }
    reasons_lead_back(impact)?;
    Ok(count)
}

/// What a reference is, in a word.
fn kind(reference: &str) -> &str {
    reference.split(['(', '.', ' ']).next().unwrap_or_default()
}

/// A path as JSON has it.
fn spelled(path: &str) -> String {
    RepoPath::parse(path).unwrap().to_string()
}

fn difference(was: &BTreeSet<String>, is: &BTreeSet<String>) -> String {
    let gone = was.difference(is).take(2).map(|line| format!("\n  was {line}"));
    gone.chain(is.difference(was).take(2).map(|line| format!("\n  is  {line}"))).collect()
}

/// Every reason begins at a file that changed.
fn reasons_lead_back(impact: &Impact) -> Result<(), String> {
    let changed: BTreeSet<&RepoPath> =
        impact.changes.iter().flat_map(|change| change.old_path.iter().chain([&change.path])).collect();
    let reasons: Vec<(&RepoPath, &Vec<Reason>)> = (impact.units.iter().chain(&impact.removed_units))
        .map(|unit| (&unit.path, &unit.reasons))
        .chain(
            impact
                .modules
                .iter()
                .chain(&impact.removed_modules)
                .map(|module| (&module.path, &module.reasons)),
        )
        .chain(impact.cases.iter().map(|case| (&case.path, &case.reasons)))
        .collect();
    for (path, reasons) in reasons {
        let begins = |reason: &Reason| reason.chain.first().is_some_and(|link| changed.contains(&link.path));
        if reasons.is_empty() || !reasons.iter().all(begins) {
            return Err(format!("the reasons of {path} begin at no changed file: {reasons:?}"));
        }
    }
    Ok(())
}

/// The smallest sample that is still wrong.
fn shrunk(scratch: &Scratch, sample: &Sample) -> (Sample, String) {
    let wrong = |sample: &Sample| -> Option<String> {
        let (base, head) = scratch.commits(std::slice::from_ref(sample))[0];
        let attempt =
            std::panic::AssertUnwindSafe(|| judge(sample, &impact_of(&scratch.repository, base, head)));
        match std::panic::catch_unwind(attempt) {
            Ok(judged) => judged.err(),
            Err(_) => Some("it panics".to_owned()),
        }
    };
    let (mut best, mut why) = (sample.clone(), wrong(sample).unwrap_or_default());
    loop {
        let mut smaller = Vec::new();
        for at in 0..best.ops.len() {
            let mut less = best.clone();
            less.ops.remove(at);
            smaller.push(less);
        }
        for (path, entry) in &best.base.0 {
            let mut less = best.clone();
            less.base.0.remove(path);
            smaller.push(less);
            if let Entry::Config(config) = entry {
                for at in 0..config.items.len() {
                    let mut config = config.clone();
                    config.items.remove(at);
                    let mut less = best.clone();
                    less.base.0.insert(path.clone(), Entry::Config(config));
                    smaller.push(less);
                }
            }
        }
        match smaller.into_iter().find_map(|less| Some((wrong(&less)?, less))) {
            Some((found, less)) => (best, why) = (less, found),
            None => return (best, why),
        }
    }
}

pub fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

#[test]
fn impact_contains_whatever_a_run_of_each_root_in_both_trees_sees_differently() {
    let scratch = Scratch::new();
    let seeds: Vec<u64> = match number("INFRAFLOW_ORACLE_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("INFRAFLOW_ORACLE_REPOSITORIES").unwrap_or(1_000)).collect(),
    };
    let mut count = Count::default();
    let mut failures: Vec<(Sample, String)> = Vec::new();
    for seeds in seeds.chunks(500) {
        let samples: Vec<Sample> = seeds.iter().map(|&seed| Sample::of(seed)).collect();
        let commits = scratch.commits(&samples);
        let judged: Vec<Result<Count, (Sample, String)>> = samples
            .into_par_iter()
            .zip(commits)
            .map(|(sample, (base, head))| {
                judge(&sample, &impact_of(&scratch.repository, base, head)).map_err(|why| (sample, why))
            })
            .collect();
        for judged in judged {
            match judged {
                Ok(one) => count = count.plus(one),
                Err(failure) => failures.push(failure),
            }
        }
    }
    let over = count.named - count.needed;
    eprintln!(
        "{} repositories, {} units: {} named, {} of them without need ({:.1} %)",
        seeds.len(),
        count.units,
        count.named,
        over,
        100.0 * over as f64 / count.named.max(1) as f64
    );
    let mut rules: Vec<_> = count.over.into_iter().collect();
    rules.sort_by_key(|(rule, (count, _))| (std::cmp::Reverse(*count), rule.clone()));
    for (rule, (count, seed)) in rules.into_iter().take(12) {
        eprintln!("  {count:>5} by {rule}, as in {seed}");
    }
    if let [seed] = seeds[..] {
        let sample = Sample::of(seed);
        eprintln!("{}\nthen {:#?}", sample.base, sample.ops);
    }
    if let Some((sample, _)) = failures.first() {
        for (sample, why) in failures.iter().take(40) {
            eprintln!("seed {}: {}", sample.seed, why.lines().next().unwrap_or_default());
        }
        let (sample, why) = shrunk(&scratch, sample);
        panic!(
            "{} of {} are wrong; the smallest of seed {}: {why}\n{}\nthen {:#?}",
            failures.len(),
            seeds.len(),
            sample.seed,
            sample.base,
            sample.ops
        );
    }
}
