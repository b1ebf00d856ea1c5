//! A dialect written outside of the crate: the one that the documentation of `Dialect` shows.

use std::sync::Arc;

use infraflow_core::{
    catalog::{
        Because, Catalog, CatalogCache, CatalogRules, Claim, Dialect, DialectName, Facts, Lookup, Mark,
        MarkKind, ReferenceKind, standard_dialects,
    },
    detect::{ChangeDetector, GitDetector},
    git::{Repository, Revision},
    impact::{Impact, assess},
    proof::{Document, Place, RepoPath},
};

use crate::fixture::Repo;

#[path = "../../../../examples/own_dialect/compose.rs"]
pub mod compose;

use compose::Compose;

/// Files of Compose: one includes and extends others, of its own names and of none.
pub const FILES: [(&str, &str); 10] = [
    (
        "shop/compose.yaml",
        "# the shop\ninclude:\n  - ../base/compose.yaml\n  - path: [../queue/mq.yml]\n\
         x-logs: &logs\n  env_file: ${ENV:-dev}/log.env\n\
         services:\n  web:\n    <<: *logs\n    build: {context: ./web, additional_contexts: {lib: ../lib}}\n    \
         extends: {file: common.yml, service: x}\n    volumes: [\"./conf:/etc/x:ro\", \"data:/data\"]\n",
    ),
    (
        "shop/common.yml",
        "services:\n  x:\n    env_file:\n      - path: ../shared/x.env\n        required: false\n",
    ),
    ("shop/web/Dockerfile", "FROM scratch\n"),
    ("shop/conf/x.ini", "a\n"),
    ("base/compose.yaml", "include: [../shop/compose.yaml]\nsecrets:\n  key:\n    file: ./key.txt\n"),
    ("base/key.txt", "k\n"),
    (
        "queue/mq.yml",
        "services:\n  mq:\n    build: https://example.com/mq.git\n    env_file: m\u{fc}ll.env\n",
    ),
    ("lone/docker-compose.prod.yml", "services:\n  one:\n    image: x\n"),
    ("lib/a.txt", "a\n"),
    ("README.md", "# read me\n"),
];

fn repo() -> Repo {
    Repo::with(&FILES)
}

fn dialects() -> Vec<Arc<dyn Dialect>> {
    let mut all = standard_dialects();
    all.push(Arc::new(Compose));
    all
}

/// What a change of one file touches: through a cache that knows main, and with everything read anew.
fn touched(repo: &Repo, file: &str, text: &str) -> Impact {
    touched_by(repo, &dialects(), file, text)
}

fn touched_by(repo: &Repo, dialects: &[Arc<dyn Dialect>], file: &str, text: &str) -> Impact {
    let branch = format!("change-{}", repo.git(&["rev-list", "--all", "--count"]).trim());
    repo.git(&["checkout", "-q", "-b", &branch, "main"]);
    repo.write(file, text);
    repo.commit("change");
    let repository = Repository::open(&repo.path).unwrap();
    let base = Revision::Commit(repository.resolve("main").unwrap());
    let head = repository.revision(&branch).unwrap();
    let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
    let (old, new) = (repository.tree(&base).unwrap(), repository.tree(&head).unwrap());
    let rules = CatalogRules::default();
    let (before, after) = CatalogCache::none().ends(&old, &new, dialects, &rules).unwrap();
    let impact = assess(&changes, &before, &after).unwrap();
    let anew = Catalog::build(&new, dialects, &rules).unwrap();
    assert_eq!(assess(&changes, &before, &anew).unwrap().to_json().unwrap(), impact.to_json().unwrap());
    impact
}

fn units(impact: &Impact) -> Vec<String> {
    impact.units.iter().map(|unit| unit.id.to_string()).collect()
}

#[test]
fn a_unit_of_a_dialect_outside_the_crate_is_affected_by_what_it_reaches() {
    let repo = repo();
    let all = ["base", "shop"];
    for (file, expected) in [
        ("shop/compose.yaml", &all[..]),
        ("shop/common.yml", &all),
        ("shop/web/Dockerfile", &all),
        ("shop/conf/x.ini", &all),
        ("shop/.env", &all),
        ("shop/dev/log.env", &all),
        ("base/key.txt", &all),
        ("base/.env", &all),
        ("queue/mq.yml", &all),
        ("queue/m\u{fc}ll.env", &all),
        ("queue/other.env", &[]),
        ("shared/x.env", &all),
        ("lib/a.txt", &all),
        ("lone/docker-compose.prod.yml", &["lone"]),
        ("README.md", &[]),
        ("data/x", &[]),
    ] {
        let impact = touched(&repo, file, "# changed\n");
        assert_eq!(units(&impact), expected, "{file}: {:?}", impact.units);
        assert!(impact.units.iter().all(|unit| unit.dialect.as_str() == "compose"));
    }
}

#[test]
fn its_reasons_lead_to_the_bytes_that_name_the_file() {
    let impact = touched(&repo(), "shared/x.env", "A=1\n");
    let shop = impact.units.iter().find(|unit| unit.id.to_string() == "shop").unwrap();
    let link = shop.reasons[0].chain.last().unwrap();
    assert_eq!(
        (link.path.to_string().as_str(), link.line, link.column),
        ("shop/common.yml", 4, 15),
        "{shop:?}"
    );
    let (_, text) = FILES[1];
    assert_eq!(&text[link.start..link.end], "../shared/x.env");
}

#[test]
fn a_file_that_it_cannot_understand_is_told_and_taken_as_changed() {
    let repo = repo();
    let impact = touched(&repo, "queue/mq.yml", "services: [\n");
    assert_eq!(units(&impact), ["base", "shop"]);
    let broken: Vec<String> = impact.unparsable.iter().map(|file| file.path.to_string()).collect();
    assert_eq!(broken, ["queue/mq.yml"]);
}

#[test]
fn includes_in_a_circle_and_very_many_of_them_come_to_an_end() {
    let mut files: Vec<(String, String)> = (0..400)
        .map(|at| (format!("many/part-{at}.yml"), format!("include: part-{}.yml\n", (at + 1) % 400)))
        .collect();
    files.push(("many/compose.yml".into(), "include: part-0.yml\n".into()));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let repo = Repo::with(&files);
    for (file, text) in [
        ("many/part-7.yml", "# changed\ninclude: part-8.yml\n"),
        ("many/part-399.yml", "# changed\ninclude: part-0.yml\n"),
    ] {
        let impact = touched(&repo, file, text);
        assert_eq!(units(&impact), ["many"], "{file}");
        assert!(impact.unparsable.iter().any(|file| file.why.contains("more than 256 files")), "{impact:?}");
    }
}

/// A directory with `menu.txt` is a unit, of the recipes that stand in the folders above it.
struct Menus;

impl Dialect for Menus {
    fn name(&self) -> DialectName {
        const { DialectName::constant("menus") }
    }
    fn version(&self) -> u32 {
        1
    }
    fn claims(&self, path: &RepoPath) -> Option<Claim> {
        (path.file_name() == b"menu.txt").then(Claim::configuration)
    }
    fn facts(&self, _: &RepoPath, _: &[u8]) -> Facts {
        let mut facts = Facts::default();
        facts.marks.push(Mark::new(MarkKind::Unit, Place::beginning()));
        facts
    }
    fn resolve(&self, directory: &RepoPath, files: &[RepoPath], lookup: &mut dyn Lookup) -> Facts {
        let because =
            Because::new(ReferenceKind::Include, files[0].clone(), Place::beginning(), "recipes above");
        let mut above = directory.parent();
        while let Some(at) = above {
            for listed in lookup.list_ending(&at, b".recipe", &because) {
                assert!(!listed.is_directory && listed.name.ends_with(b".recipe"));
                lookup.read(&at.join(&listed.name), &because);
            }
            above = at.parent();
        }
        Facts::default()
    }
}

#[test]
fn folders_above_can_be_listed_without_counting_every_new_name() {
    let repo = Repo::with(&[
        ("a/b/menu.txt", ""),
        ("a/soup.recipe", ""),
        ("a/c.recipe/x", ""),
        ("other/z.recipe", ""),
        ("a/notes.txt", ""),
    ]);
    for (file, units) in [
        ("a/soup.recipe", &["a/b"][..]),
        ("a/new.recipe", &["a/b"]),
        ("top.recipe", &["a/b"]),
        ("a/new.txt", &[]),
        ("a/notes.txt", &[]),
        ("a/c.recipe/y", &[]),
        ("a/c.recipe/y.recipe", &[]),
        ("other/z.recipe", &[]),
    ] {
        let impact = touched_by(&repo, &[Arc::new(Menus)], file, "# changed\n");
        let found: Vec<String> = impact.units.iter().map(|unit| unit.id.to_string()).collect();
        assert_eq!(found, units, "{file}");
    }
}

#[test]
fn a_directory_that_two_dialects_read_is_one_unit_with_what_either_reads() {
    let repo = Repo::with(&[
        ("app/compose.yaml", "services: {a: {env_file: ../shared/a.env}}\n"),
        ("app/main.tf", "terraform {\n  backend \"local\" {}\n}\n"),
    ]);
    let impact = touched(&repo, "shared/a.env", "A=1\n");
    let units: Vec<String> =
        impact.units.iter().map(|unit| format!("{} {}", unit.path, unit.dialect)).collect();
    assert_eq!(units, ["app terraform"], "a backend is surer than a file of Compose");
}
