//! What a catalog reads: each file once, and no more than that for what nobody leaves open.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use infraflow_core::{
    catalog::{
        Catalog, CatalogRules, Claim, Definition, Dialect, DialectName, Facts, Lookup, Parsed, Unparsable,
        standard_dialects,
    },
    git::{Repository, Revision},
    policy::PathPattern,
    proof::RepoPath,
};

use crate::fixture::Repo;

/// A dialect that counts the files it is asked about.
struct Counting {
    dialect: Arc<dyn Dialect>,
    asked: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Dialect for Counting {
    fn name(&self) -> DialectName {
        self.dialect.name()
    }

    fn version(&self) -> u32 {
        self.dialect.version()
    }

    fn claims(&self, path: &RepoPath) -> Option<Claim> {
        self.dialect.claims(path)
    }

    fn runs(&self, other: &DialectName) -> bool {
        self.dialect.runs(other)
    }

    fn inherits(&self) -> bool {
        self.dialect.inherits()
    }

    fn facts(&self, path: &RepoPath, content: &[u8]) -> Facts {
        self.facts_and_parsed(path, content).0
    }

    fn facts_and_parsed(&self, path: &RepoPath, content: &[u8]) -> (Facts, Option<Parsed>) {
        *self.asked.lock().unwrap().entry(path.to_string()).or_default() += 1;
        self.dialect.facts_and_parsed(path, content)
    }

    fn definitions(&self, path: &RepoPath, content: &[u8], wanted: &dyn Fn(&str) -> bool) -> Vec<Definition> {
        self.dialect.definitions(path, content, wanted)
    }

    fn check(&self, path: &RepoPath, content: &[u8]) -> Option<Unparsable> {
        self.dialect.check(path, content)
    }

    fn resolve(&self, directory: &RepoPath, files: &[RepoPath], lookup: &mut dyn Lookup) -> Facts {
        self.dialect.resolve(directory, files, lookup)
    }
}

/// The catalog of a repository, and how often each file was asked for what it states.
fn counted(repo: &Repo) -> (Catalog, BTreeMap<String, usize>) {
    let asked = Arc::new(Mutex::new(BTreeMap::new()));
    let counting = |dialect| Arc::new(Counting { dialect, asked: Arc::clone(&asked) }) as Arc<dyn Dialect>;
    let dialects: Vec<_> = standard_dialects().into_iter().map(counting).collect();
    let repository = Repository::open(&repo.path).unwrap();
    let head = Revision::Commit(repository.resolve("HEAD").unwrap());
    let tree = repository.tree(&head).unwrap();
    let rules = CatalogRules::default().with_live([PathPattern::parse("live/**").unwrap()]);
    let catalog = Catalog::build(&tree, &dialects, &rules).unwrap();
    let asked = asked.lock().unwrap().clone();
    (catalog, asked)
}

#[test]
fn every_file_of_a_unit_is_parsed_once() {
    let mut files = vec![("root.hcl".to_owned(), "inputs = {}\n".to_owned())];
    for unit in 0..20 {
        let include = "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\n";
        files.push((format!("live/u{unit}/terragrunt.hcl"), include.to_owned()));
        files.push((format!("live/u{unit}/stack.tm.hcl"), "stack {\n  name = \"u\"\n}\n".to_owned()));
        files.push((format!("live/u{unit}/main.tf"), "resource \"a\" \"b\" {}\n".to_owned()));
    }
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let (catalog, asked) = counted(&Repo::with(&files));
    // Each directory is a unit of Terragrunt, and a stack of Terramate.
    assert_eq!(catalog.units().unwrap().len(), 40);
    assert_eq!(asked.len(), 60, "{asked:?}");
    assert!(asked.values().all(|&times| times == 1), "{asked:?}");
}

#[test]
fn only_those_that_call_what_leaves_a_path_open_are_read_again() {
    let call = |module: &str| format!("module \"m\" {{\n  source = \"{module}\"\n  at = \"a.txt\"\n}}\n");
    let reads = "variable \"at\" {}\nlocals {\n  a = file(var.at)\n}\n";
    let passes = "variable \"at\" {}\nmodule \"m\" {\n  source = \"../open\"\n  at = var.at\n}\n";
    let repo = Repo::with(&[
        ("modules/open/main.tf", reads),
        ("modules/between/main.tf", passes),
        ("modules/closed/main.tf", "locals {\n  a = file(\"${path.module}/a.txt\")\n}\n"),
        ("live/open/main.tf", &call("../../modules/between")),
        ("live/open/a.txt", ""),
        ("live/closed/main.tf", &call("../../modules/closed")),
    ]);
    let (catalog, asked) = counted(&repo);
    let again: Vec<_> =
        asked.iter().filter(|(_, times)| **times > 1).map(|(path, _)| path.as_str()).collect();
    assert_eq!(again, ["live/open/main.tf", "modules/between/main.tf"]);
    let references = catalog.references().unwrap();
    let arrives = |reference: &infraflow_core::catalog::Reference| {
        format!("{:?} {:?}", reference.from, reference.to).contains("live/open/a.txt")
    };
    assert!(references.iter().any(arrives), "{references:?}");
}
