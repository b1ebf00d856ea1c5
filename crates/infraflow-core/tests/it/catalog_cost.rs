//! What a catalog reads: each file once, and no more than that for what nobody leaves open.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use infraflow_core::{
    catalog::{
        Catalog, CatalogCache, CatalogRules, Claim, Definition, Dialect, DialectName, Facts, Lookup, Parsed,
        Unparsable, standard_dialects,
    },
    detect::{ChangeDetector as _, GitDetector},
    git::{Repository, Revision},
    impact::assess,
    policy::PathPattern,
    proof::{Document as _, RepoPath},
};

use crate::{catalog::told, fixture::Repo};

/// A dialect that counts the files it is asked about.
struct Counting {
    dialect: Arc<dyn Dialect>,
    asked: Asked,
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

/// How often each file was asked for what it states.
type Asked = Arc<Mutex<BTreeMap<String, usize>>>;

fn counting(asked: &Asked) -> Vec<Arc<dyn Dialect>> {
    let counting = |dialect| Arc::new(Counting { dialect, asked: Arc::clone(asked) }) as Arc<dyn Dialect>;
    standard_dialects().into_iter().map(counting).collect()
}

/// The catalog of a repository, and how often each file was asked for what it states.
fn counted(repo: &Repo) -> (Catalog, BTreeMap<String, usize>) {
    let asked = Asked::default();
    let dialects = counting(&asked);
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

#[test]
fn an_index_that_trunk_has_left_behind_is_written_anew_and_little_is_read_for_it() {
    let reads = "variable \"at\" {}\nlocals {\n  a = file(var.at)\n}\n";
    let mut files = Vec::new();
    for number in 0..30 {
        let call = "module \"m\" {\n  source = \"../../modules/m\"\n  at = \"a.txt\"\n}\n";
        files.push((format!("modules/m{number}/main.tf"), reads.to_owned()));
        files.push((
            format!("live/u{number}/main.tf"),
            call.replace("modules/m", &format!("modules/m{number}")),
        ));
    }
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let repo = Repo::with(&files);
    for number in 0..10 {
        repo.write(&format!("modules/m{number}/main.tf"), format!("\n{reads}"));
    }
    repo.remove("modules/m20/main.tf");
    repo.write(
        "live/new/main.tf",
        "module \"m\" {\n  source = \"../../modules/m1\"\n  at = \"../u3/a.txt\"\n}\n",
    );
    repo.write("modules/m25/version.tf", "terraform {\n  required_version = \"1.0\"\n}\n");
    std::os::unix::fs::symlink("m3", repo.path.join("modules/link")).unwrap();
    repo.commit("much at once");
    repo.write("live/u3/a.txt", "more");
    repo.write("modules/m21/main.tf", "");
    repo.commit("little");
    let repository = Repository::open(&repo.path).unwrap();
    let at = |name: &str| Revision::Commit(repository.resolve(name).unwrap());
    let tree = |name: &str| repository.tree(&at(name)).unwrap();
    let rules = CatalogRules::default().with_live([PathPattern::parse("live/**").unwrap()]);
    let folder = tempfile::tempdir().unwrap();
    let cache = CatalogCache::in_folder(folder.path());
    let asked = Asked::default();
    let dialects = counting(&asked);
    cache.catalog(&tree("HEAD~2"), &dialects, &rules).unwrap();
    let kept = || {
        let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        std::fs::read(file).unwrap()
    };
    let first = kept();
    asked.lock().unwrap().clear();
    let moved = cache.catalog(&tree("HEAD~1"), &dialects, &rules).unwrap();
    assert_ne!(kept(), first);
    let unread = ["modules/m12/main.tf", "live/u12/main.tf", "live/u29/main.tf"];
    assert!(unread.iter().all(|path| !asked.lock().unwrap().contains_key(*path)), "{asked:?}");
    asked.lock().unwrap().clear();
    let (base, head) = cache.ends(&tree("HEAD~1"), &tree("HEAD"), &dialects, &rules).unwrap();
    let again: Vec<String> = asked.lock().unwrap().keys().cloned().collect();
    assert_eq!(again, ["live/u21/main.tf", "modules/m21/main.tf"]);
    let anew = |name: &str| Catalog::build(&tree(name), &standard_dialects(), &rules).unwrap();
    let (old, new) = (anew("HEAD~1"), anew("HEAD"));
    assert_eq!(told(&moved), told(&old));
    assert_eq!(told(&base), told(&old));
    assert_eq!(told(&head), told(&new));
    let changes = GitDetector::new().detect(&repository, &at("HEAD~1"), &at("HEAD")).unwrap();
    let [kept, read] = [(base, head), (old, new)].map(|(base, head)| assess(&changes, &base, &head).unwrap());
    assert!(kept.units.iter().any(|unit| unit.path.to_string() == "live/u3"), "{kept:?}");
    assert_eq!(kept.to_json().unwrap(), read.to_json().unwrap());
}
