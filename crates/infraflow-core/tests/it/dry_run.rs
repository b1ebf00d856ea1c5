//! Dry runs of real repositories with real terraform.

use std::{num::NonZeroUsize, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use infraflow_core::{
    catalog::{Catalog, CatalogRules, Dialect, DialectName, TerraformDialect, UnitId},
    detect::{ChangeDetector, GitDetector},
    dry_run::{
        DriftReport, DryRun, DryRunContext, DryRunError, DryRunOutcome, DryRunPlan, DryRunner, PlannedUnit,
        Scope, SeenIn, SkippedUnit, TerraformDryRunner, UnitDryRun, UnitOutcome, check_drift,
    },
    git::{Repository, Revision},
    impact::assess,
    observe::{Collected, Happening, Outcome},
    policy::{Configuration, CredentialProvider, EnvironmentName, Policy, PolicyError, Purpose},
    process::{Discard, Environment, Preset},
    proof::{Document, Hmac, Reason, RepoPath},
    terraform::{InitOptions, TerraformError, Tool, plan::Counts},
};
use tokio_util::sync::CancellationToken;

use crate::{
    fixture::{self, Repo, git_in},
    terraform::provider_mirror,
};

mod drift;
mod fingerprint;
mod plan;

const SECRET: &str = "correct-horse-battery-staple";

/// Hands out the same to everybody, but for `locked`, which gets nothing.
pub struct Provider(pub Environment);

#[async_trait]
impl CredentialProvider for Provider {
    async fn credentials(
        &self,
        environment: &EnvironmentName,
        purpose: Purpose,
    ) -> Result<Environment, PolicyError> {
        assert_eq!(purpose, Purpose::Plan);
        if environment.as_str() == "locked" {
            let why = "nobody may".to_owned();
            return Err(PolicyError::Credentials { environment: environment.clone(), purpose, why });
        }
        Ok(self.0.clone())
    }
}

/// A live repository whose units keep their state in a folder beside it.
struct Live {
    repo: Repo,
    environment: Environment,
    cancel: CancellationToken,
    observer: Collected,
    hmac: Hmac,
    runner: TerraformDryRunner,
}

fn tool() -> Tool {
    Tool::find_on(&std::env::var_os("PATH").unwrap()).unwrap()
}

impl Live {
    fn new() -> Self {
        Self {
            repo: Repo::empty(),
            environment: Environment::preset(&[Preset::Base]).with("GIT_CONFIG_GLOBAL", "/dev/null"),
            cancel: CancellationToken::new(),
            observer: Collected::default(),
            hmac: Hmac::new(b"a key"),
            runner: TerraformDryRunner::new(tool()).parallel(NonZeroUsize::new(2).unwrap()),
        }
    }

    /// A file with a backend whose state lies outside of the repository, and what else is given.
    fn unit(&self, path: &str, text: &str) {
        let state = self.repo.folder.path().join("state").join(path.replace('/', "-"));
        let backend =
            format!("terraform {{\n  backend \"local\" {{ path = \"{}.tfstate\" }}\n}}\n", state.display());
        self.repo.write(&format!("{path}/backend.tf"), backend);
        self.repo.write(&format!("{path}/main.tf"), text);
    }

    fn planned(&self, path: &str) -> PlannedUnit {
        let id = UnitId::parse(path).unwrap();
        let environment = EnvironmentName::parse(path.split(['/', '#']).next().unwrap()).ok();
        let reasons = vec![Reason::new("asked", "somebody asked")];
        PlannedUnit { environment, ..PlannedUnit::new(id, DialectName::terraform(), reasons) }
    }

    fn plan(&self, revision: &str, units: &[&str]) -> DryRunPlan {
        let repository = Repository::open(&self.repo.path).unwrap();
        let revision = repository.revision(revision).unwrap();
        let units = units.iter().map(|path| self.planned(path)).collect();
        DryRunPlan { revision, units, skipped: Vec::new() }
    }

    async fn run(&self, plan: &DryRunPlan) -> DryRunOutcome {
        let repository = Repository::open(&self.repo.path).unwrap();
        let credentials = Provider(self.environment.clone());
        let context = DryRunContext {
            repository: &repository,
            credentials: &credentials,
            hmac: &self.hmac,
            cancel: &self.cancel,
            observer: &self.observer,
        };
        self.runner.observe(plan, &context).await.unwrap()
    }

    async fn dry_run(&self, units: &[&str]) -> DryRunOutcome {
        self.run(&self.plan("HEAD", units)).await
    }

    /// Applies a unit from a clone of its own.
    async fn apply(&self, unit: &str) {
        let clone = tempfile::tempdir().unwrap();
        git_in(clone.path(), &["clone", "-q", self.repo.path.to_str().unwrap(), "."]);
        let driver = tool().driver(clone.path().join(unit)).environment(self.environment.clone());
        driver.init(&InitOptions::default(), &self.cancel, &Discard).await.unwrap();
        driver.apply(&self.cancel, &Discard).await.unwrap();
    }
}

fn unit<'a>(outcome: &'a DryRunOutcome, id: &str) -> &'a UnitDryRun {
    outcome.dry_run.unit(&UnitId::parse(id).unwrap()).unwrap()
}

fn rules(unit: &UnitDryRun) -> Vec<&str> {
    unit.reasons.iter().map(|reason| reason.rule.as_str()).collect()
}

#[tokio::test]
async fn each_unit_comes_out_as_it_is_and_a_broken_one_stops_no_other() {
    if !fixture::has("terraform", "each_unit_comes_out_as_it_is_and_a_broken_one_stops_no_other") {
        return;
    }
    let live = Live::new();
    live.unit("dev/network", "resource \"terraform_data\" \"a\" { input = 1 }");
    live.unit("dev/cluster", "resource \"terraform_data\" \"a\" { count = 3 }");
    live.unit("dev/broken", "resource \"terraform_data\" \"a\" {\n  nope = 1\n}\n");
    live.repo.write("dev/empty/README.md", "nothing");
    live.repo.commit("feat: units");
    live.apply("dev/network").await;

    let outcome = live.dry_run(&["dev/broken", "dev/cluster", "dev/empty", "dev/network"]).await;
    let [broken, cluster, empty, network] =
        ["dev/broken", "dev/cluster", "dev/empty", "dev/network"].map(|id| unit(&outcome, id));
    assert_eq!(network.outcome, UnitOutcome::NoChanges);
    assert_eq!(network.state.as_ref().unwrap().serial, 1);
    assert_eq!(
        (cluster.outcome, cluster.counts),
        (UnitOutcome::Changes, Counts { create: 3, ..Counts::default() })
    );
    assert_eq!((cluster.state.as_ref(), rules(cluster)), (None, vec!["asked"]));
    assert_eq!(cluster.plan.as_ref().unwrap().changes.len(), 3);
    assert_eq!((broken.outcome, rules(broken)), (UnitOutcome::Error, vec!["asked", "plan_failed"]));
    let why = &broken.reasons[1];
    assert!(why.text.contains("Unsupported argument (main.tf:2)"), "{}", why.text);
    assert_eq!((why.chain[0].path.to_string(), why.chain[0].line), ("dev/broken/main.tf".into(), 2));
    assert_eq!((empty.outcome, rules(empty)), (UnitOutcome::Error, vec!["asked", "no_configuration"]));
    assert!(!outcome.dry_run.is_clean() && outcome.dry_run.fingerprint().is_none());

    let again = DryRun::from_json(&outcome.dry_run.to_json().unwrap()).unwrap();
    assert_eq!(again, outcome.dry_run);
    let events = live.observer.events();
    let of = |subject: &str| -> Vec<Happening> {
        events.iter().filter(|e| e.subject == subject).map(|e| e.happening.clone()).collect()
    };
    assert_eq!(of("dev/network"), [Happening::Started, Happening::Finished(Outcome::Nothing)]);
    assert_eq!(of("dev/broken"), [Happening::Started, Happening::Finished(Outcome::Failed)]);
}

#[tokio::test]
async fn what_holds_values_lies_in_a_private_folder_and_the_working_tree_is_left_alone() {
    if !fixture::has(
        "terraform",
        "what_holds_values_lies_in_a_private_folder_and_the_working_tree_is_left_alone",
    ) {
        return;
    }
    let live = Live::new();
    live.unit("dev/a", "resource \"terraform_data\" \"a\" {}");
    live.repo.commit("feat: a unit");
    let before = live.repo.git(&["status", "--porcelain", "--ignored"]);
    let outcome = live.dry_run(&["dev/a"]).await;
    assert_eq!(live.repo.git(&["status", "--porcelain", "--ignored"]), before);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let folder = outcome.folder.path().to_owned();
    assert_eq!(mode(&folder), 0o700);
    let artefacts = outcome.artefacts_of(&UnitId::parse("dev/a").unwrap()).unwrap();
    let log = std::fs::read_to_string(&artefacts.log).unwrap();
    assert!(log.contains("$ terraform init") && log.contains("1 to add"), "{log}");
    assert_eq!(mode(artefacts.plan_json.as_ref().unwrap()), 0o600);
    assert!(artefacts.plan_file.as_ref().unwrap().is_file());
    drop(outcome);
    assert!(!folder.exists());
}

#[tokio::test]
async fn no_secret_stands_in_the_document_and_all_are_known() {
    if !fixture::has("terraform", "no_secret_stands_in_the_document_and_all_are_known") {
        return;
    }
    let mut live = Live::new();
    live.environment = live.environment.clone().with("TF_VAR_pw", SECRET);
    let text = "variable \"pw\" {\n  type = string\n  sensitive = true\n  validation {\n    condition = length(var.pw) < LIMIT\n    error_message = \"${nonsensitive(var.pw)} is too long\"\n  }\n}\n\
         resource \"terraform_data\" \"a\" { input = var.pw }\noutput \"pw\" {\n  value = var.pw\n  sensitive = true\n}\n";
    live.unit("dev/good", &text.replace("LIMIT", "99"));
    live.unit("dev/bad", &text.replace("LIMIT", "9"));
    live.repo.commit("feat: units");
    let outcome = live.dry_run(&["dev/bad", "dev/good"]).await;
    assert_eq!(unit(&outcome, "dev/good").outcome, UnitOutcome::Changes);
    assert_eq!(unit(&outcome, "dev/bad").outcome, UnitOutcome::Error);
    assert!(!outcome.dry_run.to_json().unwrap().contains(SECRET));
    assert!(!format!("{outcome:?}").contains(SECRET));
    for artefacts in &outcome.artefacts {
        assert!(artefacts.sensitive.iter().any(|s| s.value == SECRET), "{artefacts:?}");
    }
}

#[tokio::test]
async fn a_held_state_missing_credentials_and_a_full_time_are_told_apart() {
    if !fixture::has("terraform", "a_held_state_missing_credentials_and_a_full_time_are_told_apart") {
        return;
    }
    let mut live = Live::new();
    let slow = "resource \"terraform_data\" \"a\" {\n  provisioner \"local-exec\" { command = \"touch started; sleep 30\" }\n}\n";
    live.unit("dev/held", slow);
    live.unit("locked/a", "");
    live.repo.commit("feat: units");
    let clone = tempfile::tempdir().unwrap();
    git_in(clone.path(), &["clone", "-q", live.repo.path.to_str().unwrap(), "."]);
    let driver = tool().driver(clone.path().join("dev/held")).environment(live.environment.clone());
    driver.init(&InitOptions::default(), &live.cancel, &Discard).await.unwrap();
    let holding = CancellationToken::new();
    let token = holding.clone();
    let holder = tokio::spawn(async move { driver.apply(&token, &Discard).await });
    while !clone.path().join("dev/held/started").exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let outcome = live.dry_run(&["dev/held", "locked/a"]).await;
    holding.cancel();
    assert!(holder.await.unwrap().is_err());
    assert_eq!(rules(unit(&outcome, "dev/held")), ["asked", "state_locked"]);
    assert!(unit(&outcome, "dev/held").reasons[1].text.contains("OperationTypeApply"));
    assert_eq!(rules(unit(&outcome, "locked/a")), ["asked", "no_credentials"]);

    live.runner = live.runner.clone().time_limit(Duration::from_millis(1));
    let outcome = live.dry_run(&["dev/held"]).await;
    assert_eq!(rules(unit(&outcome, "dev/held")), ["asked", "timed_out"]);
}

#[tokio::test]
async fn a_cancelled_dry_run_skips_what_it_did_not_finish() {
    if !fixture::has("terraform", "a_cancelled_dry_run_skips_what_it_did_not_finish") {
        return;
    }
    let live = Live::new();
    live.unit("dev/a", "resource \"terraform_data\" \"a\" {}");
    live.repo.commit("feat: a unit");
    live.cancel.cancel();
    let outcome = live.dry_run(&["dev/a"]).await;
    let unit = &outcome.dry_run.units[0];
    assert_eq!((unit.outcome, rules(unit)), (UnitOutcome::Skipped, vec!["asked", "cancelled"]));
    assert!(!outcome.dry_run.is_clean());
}

#[tokio::test]
async fn units_that_share_a_directory_are_planned_apart() {
    if !fixture::has("terraform", "units_that_share_a_directory_are_planned_apart") {
        return;
    }
    let live = Live::new();
    let text = "terraform {\n  backend \"local\" {}\n}\nvariable \"n\" {}\nresource \"terraform_data\" \"a\" { count = var.n }\n";
    live.repo.write("dev/a/main.tf", text);
    live.repo.write("dev/vars/one.tfvars", "n = 1\n");
    live.repo.write("dev/vars/two.tfvars", "n = 2\n");
    live.repo.commit("feat: units");
    let state = live.repo.folder.path().display();
    let ids = ["one", "two"]
        .map(|n| format!("dev/a#var_file=dev/vars/{n}.tfvars&backend=path={state}/{n}.tfstate"));
    let ids = [ids[0].as_str(), ids[1].as_str()];
    let outcome = live.dry_run(&ids).await;
    let created: Vec<u64> = ids.iter().map(|id| unit(&outcome, id).counts.create).collect();
    assert_eq!(created, [1, 2], "{:?}", outcome.dry_run);
}

#[tokio::test]
async fn the_working_tree_is_planned_as_it_stands() {
    if !fixture::has("terraform", "the_working_tree_is_planned_as_it_stands") {
        return;
    }
    let live = Live::new();
    live.unit("dev/a", "");
    live.repo.commit("feat: a unit");
    live.repo.write("dev/a/more.tf", "resource \"terraform_data\" \"a\" {}\n");
    let outcome = live.run(&live.plan("WORKTREE", &["dev/a"])).await;
    let unit = &outcome.dry_run.units[0];
    assert_eq!(unit.counts.create, 1);
    assert!(unit.commit.is_working_tree());
}

#[tokio::test]
async fn a_unit_without_a_backend_is_planned_against_the_checkouts_state_and_says_so() {
    if !fixture::has(
        "terraform",
        "a_unit_without_a_backend_is_planned_against_the_checkouts_state_and_says_so",
    ) {
        return;
    }
    let live = Live::new();
    live.repo.write(".gitignore", "*.tfstate*\n.terraform\n");
    live.repo.write("dev/a/main.tf", "resource \"terraform_data\" \"a\" {}\n");
    live.repo.commit("feat: a unit");
    let outcome = live.dry_run(&["dev/a"]).await;
    assert_eq!(rules(&outcome.dry_run.units[0]), ["asked", "local_state"]);
    assert_eq!(outcome.dry_run.units[0].counts.create, 1);
    let driver = tool().driver(live.repo.path.join("dev/a")).environment(live.environment.clone());
    driver.init(&InitOptions::default(), &live.cancel, &Discard).await.unwrap();
    driver.apply(&live.cancel, &Discard).await.unwrap();
    let outcome = live.dry_run(&["dev/a"]).await;
    assert_eq!(outcome.dry_run.units[0].outcome, UnitOutcome::NoChanges);
    assert_eq!(rules(&outcome.dry_run.units[0]), ["asked", "local_state"]);
}

#[tokio::test]
async fn paths_with_spaces_and_other_alphabets_are_planned() {
    if !fixture::has("terraform", "paths_with_spaces_and_other_alphabets_are_planned") {
        return;
    }
    let live = Live::new();
    live.unit("dev/größe eins", "resource \"terraform_data\" \"a\" {}");
    live.repo.commit("feat: a unit");
    let outcome = live.dry_run(&["dev/größe eins"]).await;
    assert_eq!(outcome.dry_run.units[0].outcome, UnitOutcome::Changes, "{:?}", outcome.dry_run);
}

#[tokio::test]
async fn what_a_plan_skips_stands_in_the_result_with_its_reason() {
    if !fixture::has("terraform", "what_a_plan_skips_stands_in_the_result_with_its_reason") {
        return;
    }
    let live = Live::new();
    live.unit("dev/a", "");
    live.repo.commit("feat: a unit");
    let mut plan = live.plan("HEAD", &["dev/a"]);
    let reasons = vec![Reason::new("removed", "it is gone")];
    plan.skipped.push(SkippedUnit { id: UnitId::new(RepoPath::parse("dev/gone").unwrap()), reasons });
    let outcome = live.run(&plan).await;
    let gone = unit(&outcome, "dev/gone");
    assert_eq!((gone.outcome, rules(gone)), (UnitOutcome::Skipped, vec!["removed"]));
    assert_eq!(DryRunPlan::from_json(&plan.to_json().unwrap()).unwrap(), plan);
}

const POLICY: &str = "[environments.dev]\nunits = [\"dev/**\"]\norder = 1\n[environments.prod]\nunits = [\"prod/**\"]\norder = 2\n";

fn policy() -> Policy {
    Policy::of(&Configuration::parse(POLICY, Configuration::FILE).unwrap(), "").unwrap()
}

fn catalog(repo: &Repo) -> (Repository, Revision, Catalog) {
    let repository = Repository::open(&repo.path).unwrap();
    let revision = repository.revision("HEAD").unwrap();
    let dialects: [Arc<dyn Dialect>; 1] = [Arc::new(TerraformDialect)];
    let catalog =
        Catalog::build(&repository.tree(&revision).unwrap(), &dialects, &CatalogRules::default()).unwrap();
    (repository, revision, catalog)
}

const BACKEND: &str = "terraform {\n  backend \"local\" {}\n}\n";

#[tokio::test]
async fn a_saved_plan_is_applied_from_another_export_of_the_same_commit() {
    if !fixture::has("terraform", "a_saved_plan_is_applied_from_another_export_of_the_same_commit") {
        return;
    }
    let modules = Repo::with(&[("m/main.tf", "resource \"terraform_data\" \"m\" { input = path.module }\n")]);
    modules.git(&["tag", "m/v1.0.0"]);
    let live = Live::new();
    let source = format!("git::file://{}//m?ref=m/v1.0.0", modules.path.display());
    live.unit("dev/a", &format!("module \"m\" {{\n  source = \"{source}\"\n}}\n"));
    live.repo.commit("feat: a unit");
    let outcome = live.dry_run(&["dev/a"]).await;
    let artefacts = &outcome.artefacts[0];
    let clone = tempfile::tempdir().unwrap();
    git_in(clone.path(), &["clone", "-q", live.repo.path.to_str().unwrap(), "."]);
    let driver = tool().driver(clone.path().join("dev/a")).environment(live.environment.clone());
    driver.init(&InitOptions::default(), &live.cancel, &Discard).await.unwrap();
    driver.apply_plan(artefacts.plan_file.as_ref().unwrap(), &live.cancel, &Discard).await.unwrap();
    let after = live.dry_run(&["dev/a"]).await;
    assert!(after.dry_run.is_clean(), "{:?}", after.dry_run);
    let state = after.dry_run.units[0].state.clone().unwrap();
    let again = driver.apply_plan(artefacts.plan_file.as_ref().unwrap(), &live.cancel, &Discard).await;
    assert!(matches!(again, Err(TerraformError::PlanStale { .. })), "{again:?}");
    assert_eq!(driver.state_pull(&live.cancel, &Discard).await.unwrap().unwrap().version(), &state);
}

#[tokio::test]
async fn a_link_out_of_the_tree_and_a_folder_that_cannot_be_used_are_refused_before_anything_runs() {
    let name = "a_link_out_of_the_tree_and_a_folder_that_cannot_be_used_are_refused_before_anything_runs";
    if !fixture::has("terraform", name) {
        return;
    }
    let mut live = Live::new();
    live.unit("dev/a", "");
    live.repo.commit("feat: a unit");
    let good = live.plan("HEAD", &["dev/a"]);
    std::os::unix::fs::symlink("../../../../etc/passwd", live.repo.path.join("dev/a/secrets.txt")).unwrap();
    live.repo.commit("feat: a link out of here");
    let hostile = live.plan("HEAD", &["dev/a"]);
    let repository = Repository::open(&live.repo.path).unwrap();
    let credentials = Provider(live.environment.clone());
    let context = DryRunContext {
        repository: &repository,
        credentials: &credentials,
        hmac: &live.hmac,
        cancel: &live.cancel,
        observer: &live.observer,
    };
    let refused = live.runner.observe(&hostile, &context).await.unwrap_err();
    assert!(
        matches!(refused, DryRunError::Git(_)) && refused.to_string().contains("secrets.txt"),
        "{refused}"
    );
    live.runner = live.runner.clone().below(live.repo.path.join("dev/a/main.tf"));
    let refused = live.runner.observe(&good, &context).await.unwrap_err();
    assert!(matches!(refused, DryRunError::Folder { .. }), "{refused}");
    assert!(refused.to_string().contains("help: give it a folder"), "{refused}");
    assert!(live.observer.events().is_empty());
}

#[tokio::test]
async fn keys_of_a_sensitive_map_are_named_nowhere() {
    if !fixture::has("terraform", "keys_of_a_sensitive_map_are_named_nowhere") {
        return;
    }
    let live = Live::new();
    let text = |value: &str| {
        format!(
            "variable \"m\" {{\n  sensitive = true\n  default = {{ {SECRET} = \"{value}\" }}\n}}\nresource \"terraform_data\" \"a\" {{ input = var.m }}\n"
        )
    };
    live.unit("dev/a", &text("one"));
    live.repo.commit("feat: a unit");
    live.apply("dev/a").await;
    live.repo.write("dev/a/main.tf", text("two"));
    live.repo.commit("feat: another value");
    let outcome = live.dry_run(&["dev/a"]).await;
    assert_eq!(outcome.dry_run.units[0].counts.update, 1);
    let json = outcome.dry_run.to_json().unwrap();
    assert!(json.contains("\"input\"") && !json.contains(SECRET), "{json}");
}

#[tokio::test]
async fn variables_that_change_what_a_tool_does_are_not_passed_on() {
    if !fixture::has("terraform", "variables_that_change_what_a_tool_does_are_not_passed_on") {
        return;
    }
    let mut live = Live::new();
    live.environment = live
        .environment
        .clone()
        .with("TF_CLI_ARGS_plan", "-destroy")
        .with("TF_CLI_ARGS", "-nonsense")
        .with("TF_DATA_DIR", "/nonexistent/x")
        .with("TF_WORKSPACE", "nobodys")
        .with("TF_LOG", "trace");
    live.unit("dev/a", "resource \"terraform_data\" \"a\" {}");
    live.repo.commit("feat: a unit");
    let outcome = live.dry_run(&["dev/a"]).await;
    assert_eq!(
        outcome.dry_run.units[0].counts,
        Counts { create: 1, ..Counts::default() },
        "{:?}",
        outcome.dry_run
    );
    assert!(!std::fs::read_to_string(&outcome.artefacts[0].log).unwrap().contains("[TRACE]"));
}

#[tokio::test]
async fn opentofu_dry_runs_as_terraform_does() {
    let name = "opentofu_dry_runs_as_terraform_does";
    let Some(tofu) = std::env::var_os("INFRAFLOW_TOFU") else {
        fixture::has("tofu (named by INFRAFLOW_TOFU)", name);
        return;
    };
    let mut live = Live::new();
    let tofu = Tool::at(tofu).unwrap();
    live.runner = TerraformDryRunner::new(tofu.clone());
    live.environment = live.environment.clone().with("TF_VAR_pw", SECRET);
    live.unit(
        "dev/a",
        "variable \"pw\" { sensitive = true }\nresource \"terraform_data\" \"a\" { input = var.pw }\n",
    );
    live.repo.commit("feat: a unit");
    let outcome = live.dry_run(&["dev/a"]).await;
    let unit = &outcome.dry_run.units[0];
    assert_eq!((unit.counts.create, &unit.tool), (1, tofu.version()), "{:?}", outcome.dry_run);
    assert_eq!(live.dry_run(&["dev/a"]).await.dry_run.fingerprint(), outcome.dry_run.fingerprint());
    assert!(!outcome.dry_run.to_json().unwrap().contains(SECRET));
    assert!(outcome.artefacts[0].sensitive.iter().any(|s| s.value == SECRET));

    let clone = tempfile::tempdir().unwrap();
    git_in(clone.path(), &["clone", "-q", live.repo.path.to_str().unwrap(), "."]);
    let driver = tofu.driver(clone.path().join("dev/a")).environment(live.environment.clone());
    driver.init(&InitOptions::default(), &live.cancel, &Discard).await.unwrap();
    let plan = outcome.artefacts[0].plan_file.as_ref().unwrap();
    driver.apply_plan(plan, &live.cancel, &Discard).await.unwrap();
    assert!(live.dry_run(&["dev/a"]).await.dry_run.is_clean());
}
