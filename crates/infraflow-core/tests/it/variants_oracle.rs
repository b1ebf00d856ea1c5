//! Units that share a directory against a slow oracle: whatever a unit reads, put together by brute force in both
//! trees, and differs, touches it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use infraflow_core::{
    catalog::{CatalogRules, Listed, variants},
    policy::Configuration,
    proof::RepoPath,
};
use proptest::prelude::*;

use crate::variants::{Asked, asked};

const MAIN: &str = "terraform {\n  backend \"s3\" {}\n}\nvariable \"env\" {\n  default = \"none\"\n}\nlocals {\n  text = file(\"${path.module}/data/${var.env}.json\")\n}\n";

/// Files of a layout; those with values set `env`, backend files anything.
const FILES: [&str; 12] = [
    "live/app/envs/dev.tfvars",
    "live/app/envs/prod.tfvars",
    "live/app/prod.tfvars",
    "live/app/envs/common.tfvars",
    "live/app/terraform.tfvars",
    "live/app/backend/dev.hcl",
    "live/app/backend/prod.hcl",
    "live/app/dev.tfbackend",
    "live/app/data/dev.json",
    "live/app/data/prod.json",
    "live/app/data/none.json",
    "envs/dev.tfvars",
];

const DECLARED: &str = "[[catalog.variants]]\ndirectories = ['live/*']\nworkspace = '{name}'\nvar_files = ['envs/common.tfvars', '../../envs/{name}.tfvars', 'envs/{name}.tfvars']\nbackend = ['backend/{name}.hcl']\n";

/// What a tree has: the content of each file that is there.
type Files = BTreeMap<&'static str, String>;

/// A layout: for each file 0 where it is not there, else which of its contents it has.
fn files(which: &[u8]) -> Files {
    let mut files = Files::from([("live/app/main.tf", MAIN.to_owned())]);
    for (path, &content) in FILES.iter().zip(which).filter(|(_, content)| **content > 0) {
        let env = ["dev", "prod", "none"][usize::from(content) % 3];
        let text = match Path::new(path).extension().is_some_and(|end| end == "tfvars") {
            true => format!("env = \"{env}\"\n"),
            false => format!("# {content}\n"),
        };
        files.insert(path, text);
    }
    files
}

fn list(files: &Files, directory: &RepoPath) -> Vec<Listed> {
    let mut names: BTreeSet<(Vec<u8>, bool)> = BTreeSet::new();
    for path in files.keys() {
        let path = RepoPath::parse(path).unwrap();
        if path != *directory && path.is_within(directory) {
            let below: Vec<&[u8]> = path.names().skip(directory.names().count()).collect();
            names.insert((below[0].to_vec(), below.len() > 1));
        }
    }
    names.into_iter().map(|(name, is_directory)| Listed::new(name, is_directory)).collect()
}

/// For each unit of the directory all that it reads.
fn read(files: &Files, rules: &CatalogRules) -> BTreeMap<String, Files> {
    let app = RepoPath::parse("live/app").unwrap();
    let found = variants(&app, &rules.variants, rules.find_variants, &mut |at| list(files, at));
    let take = |read: &mut Files, path: &str| {
        if let Some((path, text)) = files.get_key_value(path) {
            read.insert(path, text.clone());
        }
    };
    let run = |var_files: &[RepoPath], backend: &[RepoPath]| {
        let mut read = Files::new();
        for path in ["live/app/main.tf", "live/app/terraform.tfvars"] {
            take(&mut read, path);
        }
        var_files.iter().chain(backend).for_each(|path| take(&mut read, &path.to_string()));
        let automatic = RepoPath::parse("live/app/terraform.tfvars").unwrap();
        let last = var_files.iter().rev().chain([&automatic]);
        let env = last.filter_map(|path| files.get(path.to_string().as_str())).next();
        let env = env.map_or("none", |text| text.trim().trim_start_matches("env = ").trim_matches('"'));
        take(&mut read, &format!("live/app/data/{env}.json"));
        // Which data file it is counts too.
        read.insert("env", env.to_owned());
        read
    };
    if found.is_one() {
        return BTreeMap::from([("live/app".to_owned(), run(&[], &[]))]);
    }
    let all = found.all.iter();
    all.map(|it| (it.id(&app).to_string(), run(&it.var_files, &it.backend_files))).collect()
}

fn answer(before: &Files, after: &Files, rules: &str) -> Asked {
    let base: Vec<(&str, &str)> = before.iter().map(|(path, text)| (*path, text.as_str())).collect();
    asked(&base, rules, |repo| {
        for path in before.keys().filter(|path| !after.contains_key(*path)) {
            repo.remove(path);
        }
        for (path, text) in after {
            repo.write(path, text);
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn no_unit_is_missed_and_none_is_named_for_what_only_others_are_given(
        mut which in prop::collection::vec(0_u8..4, FILES.len()),
        edits in prop::collection::vec((0..FILES.len(), 0_u8..4), 1..3),
        declared in any::<bool>(),
    ) {
        let rules = if declared { DECLARED } else { "" };
        let before = files(&which);
        for (at, content) in edits {
            which[at] = content;
        }
        let after = files(&which);
        let of: CatalogRules = Configuration::parse(rules, "infraflow.toml").unwrap().section().unwrap();
        let (old, new) = (read(&before, &of), read(&after, &of));
        let asked = answer(&before, &after, rules);
        let named = |units: &[infraflow_core::impact::AffectedUnit]| -> BTreeSet<String> {
            units.iter().map(|unit| unit.id.to_string()).collect()
        };
        let (units, removed) = (named(&asked.impact.units), named(&asked.impact.removed_units));
        let told = || format!("{before:?}\n{after:?}\n{:?}", asked.impact);
        for (id, files) in &new {
            if old.get(id) != Some(files) {
                prop_assert!(units.contains(id), "{id} is missed\n{}", told());
            }
        }
        let gone: BTreeSet<String> = old.keys().filter(|id| !new.contains_key(*id)).cloned().collect();
        prop_assert_eq!(&removed, &gone, "{}", told());
        // A change of what is named to other units alone names nobody else.
        let changed: BTreeSet<&str> = FILES
            .into_iter()
            .filter(|path| before.get(path) != after.get(path))
            .collect();
        let given = |all: &BTreeMap<String, Files>, but: &str, path: &str| {
            all.iter().any(|(id, files)| id != but && id != "live/app" && files.contains_key(path))
        };
        for id in new.keys().filter(|id| old.get(*id) == new.get(*id)) {
            let own = |path: &&str| new[id].contains_key(path) || path.ends_with(".json");
            let others = |path: &&str| !own(path)
                && (!before.contains_key(path) || given(&old, id, path))
                && (!after.contains_key(path) || given(&new, id, path));
            if changed.iter().all(others) {
                prop_assert!(!units.contains(id), "{id} is named without need\n{}", told());
            }
        }
    }
}
