//! Answers that are wanted at once: what is given is what patience would give, and what would take long is refused.

use std::{path::Path, time::Duration};

use infraflow_core::{
    catalog::{CatalogCache, CatalogRules, standard_dialects},
    detect::{ChangeDetector as _, GitDetector},
    git::{GitError, Patience, Repository, Revision},
    impact::assess,
    proof::{Document as _, RepoPath},
};

use crate::fixture::Repo;

/// Long enough for whatever is not refused.
const A_WHILE: Duration = Duration::from_secs(600);

fn answer(repository: &Repository, cache: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let (base, head) = (repository.revision("main")?, repository.revision("feature")?);
    let changes = GitDetector::new().detect(repository, &base, &head)?;
    let (old, new) = (repository.tree(&changes.merge_base.into())?, repository.tree(&head)?);
    let cache = CatalogCache::in_folder(cache);
    let (before, after) = cache.ends(&old, &new, &standard_dialects(), &CatalogRules::default())?;
    Ok(assess(&changes, &before, &after)?.to_json()?)
}

/// A unit that calls a module, which `feature` changes.
fn repo() -> Repo {
    let repo = Repo::with(&[
        (
            "live/a/main.tf",
            "terraform {\n  backend \"s3\" {}\n}\nmodule \"m\" {\n  source = \"../../modules/m\"\n}\n",
        ),
        ("modules/m/main.tf", "variable \"x\" {}\n"),
    ]);
    repo.branch("feature");
    repo.write("modules/m/main.tf", "variable \"y\" {}\n");
    repo.commit("feature");
    repo
}

fn refused<T: std::fmt::Debug>(
    repository: &Repository,
    ask: impl FnOnce(&Repository) -> Result<T, GitError>,
) {
    let patience = Patience::of(A_WHILE);
    let error = ask(&repository.with_patience(&patience)).unwrap_err();
    assert!(matches!(error, GitError::OutOfPatience { .. }), "{error}");
    assert!(patience.ran_out());
}

#[test]
fn a_warm_answer_is_given_at_once_and_is_the_same() {
    let (repo, cache) = (repo(), tempfile::tempdir().unwrap());
    let repository = Repository::open(&repo.path).unwrap();
    let patience = Patience::of(A_WHILE);
    // Nothing is kept yet: to read everything would take long.
    assert!(answer(&repository.with_patience(&patience), cache.path()).is_err());
    assert!(patience.ran_out() && cache.path().read_dir().unwrap().next().is_none());
    let patient = answer(&repository, cache.path()).unwrap();
    assert!(patient.contains("live/a"));
    let patience = Patience::of(A_WHILE);
    assert_eq!(answer(&repository.with_patience(&patience), cache.path()).unwrap(), patient);
    assert!(!patience.ran_out());
}

#[test]
fn when_patience_has_run_out_nothing_is_read_and_when_it_is_over_everything() {
    let repo = repo();
    let repository = Repository::open(&repo.path).unwrap();
    let head = repository.revision("feature").unwrap();
    let (none, some) = (Patience::of(Duration::ZERO), Patience::of(A_WHILE));
    let error = repository.with_patience(&none).tree(&head).unwrap_err();
    assert!(error.to_string().contains("no patience left\n  help: ask again"), "{error}");
    let tree = repository.with_patience(&some).tree(&head).unwrap();
    refused(&repository, |repository| repository.tree(&Revision::WorkingTree(head.commit())));
    some.end();
    let file = RepoPath::parse("modules/m/main.tf").unwrap();
    assert_eq!(tree.read(&file).unwrap().unwrap(), b"variable \"y\" {}\n");
    tree.repository().tree(&Revision::WorkingTree(head.commit())).unwrap();
}

#[test]
fn what_can_take_long_by_itself_is_refused() {
    let repo = repo();
    repo.write("large", "x".repeat(300 << 10));
    for n in 0..20 {
        repo.write(&format!("one/{n}"), format!("{n} {}", "line\n".repeat(20)));
    }
    repo.commit("many");
    for n in 0..20 {
        repo.remove(&format!("one/{n}"));
        repo.write(&format!("two/{n}"), format!("{n}! {}", "line\n".repeat(20)));
    }
    repo.commit("moved");
    let repository = Repository::open(&repo.path).unwrap();
    let head = repository.revision("HEAD").unwrap();
    refused(&repository, |repository| repository.revision("HEAD~1"));
    let before = repository.revision("HEAD~1").unwrap();
    refused(&repository, |repository| repository.tree(&head)?.read(&RepoPath::parse("large").unwrap()));
    refused(&repository, |repository| {
        repository.compare(&repository.tree(&before)?, &repository.tree(&head)?)
    });
}

#[test]
fn merge_bases_are_those_that_are_near_and_no_others() {
    let repo = repo();
    let repository = Repository::open(&repo.path).unwrap();
    let commit = |name: &str| repository.revision(name).unwrap().commit();
    let (main, feature) = (commit("main"), commit("feature"));
    let hurried = || repository.with_patience(&Patience::of(A_WHILE));
    for (one, other) in [(main, feature), (feature, main), (main, main)] {
        assert_eq!(hurried().merge_bases(&one, &other).unwrap(), [main]);
        assert_eq!(repository.merge_bases(&one, &other).unwrap(), [main]);
    }
    for n in 0..70 {
        repo.write("n", n.to_string());
        repo.commit("one more");
    }
    let far = commit("feature");
    refused(&repository, |repository| repository.merge_bases(&main, &far));
    repo.checkout("main");
    repo.write("here", "1");
    repo.commit("meanwhile");
    let parted = commit("main");
    refused(&repository, |repository| repository.merge_bases(&parted, &feature));
    assert_eq!(repository.merge_bases(&parted, &feature).unwrap(), [main]);
}
