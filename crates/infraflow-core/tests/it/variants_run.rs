//! Units that share a directory, dry-run with real terraform: each with its own variables, backend and working
//! folder.

use infraflow_core::{
    catalog::UnitId,
    dry_run::{DryRun, DryRunContext, DryRunner as _, Scope, TerraformDryRunner, UnitDryRun, UnitOutcome},
    git::Repository,
    observe::Collected,
    policy::{Configuration, Policy},
    process::{Discard, Environment, Preset},
    proof::Hmac,
    terraform::{InitOptions, Tool},
};
use tokio_util::sync::CancellationToken;

use crate::{
    dry_run::Provider,
    fixture::{Repo, git_in, has},
    variants::{Asked, asked_of},
};

const APP: &str = "terraform {\n  backend \"local\" {}\n}\nvariable \"n\" {}\nresource \"terraform_data\" \"a\" { count = var.n }\n";

fn id(name: &str) -> UnitId {
    let text = format!("live/app#var_file=live/app/envs/{name}.tfvars&backend=live/app/backend/{name}.hcl");
    UnitId::parse(&text).unwrap()
}

fn environment() -> Environment {
    Environment::preset(&[Preset::Base]).with("GIT_CONFIG_GLOBAL", "/dev/null")
}

fn tool() -> Tool {
    Tool::find_on(&std::env::var_os("PATH").unwrap()).unwrap()
}

/// Dry-runs what a scope means of the head.
async fn dry_run(repo: &Repo, asked: &Asked, scope: Scope<'_>) -> DryRun {
    let repository = Repository::open(&repo.path).unwrap();
    let policy = Policy::of(&Configuration::parse("", "infraflow.toml").unwrap(), "").unwrap();
    let runner = TerraformDryRunner::new(tool());
    let revision = repository.revision("feature").unwrap();
    let plan = runner.plan(&revision, &asked.head, scope, &policy).unwrap();
    let (cancel, observer, hmac) = (CancellationToken::new(), Collected::default(), Hmac::new(b"a key"));
    let credentials = Provider(environment());
    let context = DryRunContext {
        repository: &repository,
        credentials: &credentials,
        hmac: &hmac,
        cancel: &cancel,
        observer: &observer,
    };
    runner.observe(&plan, &context).await.unwrap().dry_run
}

fn of<'a>(dry_run: &'a DryRun, name: &str) -> &'a UnitDryRun {
    dry_run.unit(&id(name)).unwrap()
}

#[tokio::test]
async fn each_unit_of_a_directory_is_planned_against_its_own_state_and_only_where_it_is_touched() {
    if !has(
        "terraform",
        "each_unit_of_a_directory_is_planned_against_its_own_state_and_only_where_it_is_touched",
    ) {
        return;
    }
    let states = tempfile::tempdir().unwrap();
    let backend = |name: &str| format!("path = \"{}/{name}.tfstate\"\n", states.path().display());
    let (dev, prod) = (backend("dev"), backend("prod"));
    let files = [
        ("live/app/main.tf", APP),
        ("live/app/envs/dev.tfvars", "n = 1\n"),
        ("live/app/envs/prod.tfvars", "n = 2\n"),
        ("live/app/backend/dev.hcl", dev.as_str()),
        ("live/app/backend/prod.hcl", prod.as_str()),
    ];
    let repo = Repo::with(&files);
    let nothing = asked_of(&repo, "", |_| {});
    let both = dry_run(&repo, &nothing, Scope::All).await;
    assert_eq!((of(&both, "dev").counts.create, of(&both, "prod").counts.create), (1, 2), "{both:?}");

    for name in ["dev", "prod"] {
        let clone = tempfile::tempdir().unwrap();
        git_in(clone.path(), &["clone", "-q", repo.path.to_str().unwrap(), "."]);
        let app = clone.path().join("live/app");
        let driver =
            tool().driver(&app).environment(environment()).var_file(app.join(format!("envs/{name}.tfvars")));
        let init =
            InitOptions::default().with_backend(app.join(format!("backend/{name}.hcl")).to_str().unwrap());
        driver.init(&init, &CancellationToken::new(), &Discard).await.unwrap();
        driver.apply(&CancellationToken::new(), &Discard).await.unwrap();
    }
    let before = dry_run(&repo, &nothing, Scope::All).await;
    assert!(before.units.iter().all(|unit| unit.outcome == UnitOutcome::NoChanges), "{before:?}");

    let changed = asked_of(&repo, "", |repo| repo.write("live/app/envs/dev.tfvars", "n = 3\n"));
    let touched = dry_run(&repo, &changed, Scope::Impact(&changed.impact)).await;
    assert_eq!(touched.units.len(), 1, "{touched:?}");
    assert_eq!(of(&touched, "dev").counts.create, 2);
    let after = dry_run(&repo, &changed, Scope::All).await;
    assert_eq!(of(&after, "prod").outcome, UnitOutcome::NoChanges);
    // What another unit of the directory is given is no part of what was approved.
    assert_eq!(of(&after, "prod").fingerprint, of(&before, "prod").fingerprint);
    assert_ne!(of(&after, "dev").fingerprint, of(&before, "dev").fingerprint);
}
