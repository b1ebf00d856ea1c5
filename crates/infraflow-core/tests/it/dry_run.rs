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
async fn a_fingerprint_is_the_same_again_elsewhere_and_differs_with_what_was_planned() {
    if !fixture::has(
        "terraform",
        "a_fingerprint_is_the_same_again_elsewhere_and_differs_with_what_was_planned",
    ) {
        return;
    }
    let mut live = Live::new();
    let text = |provisioner: &str| {
        format!(
            "variable \"size\" {{ default = 1 }}\nvariable \"pw\" {{\n  default = \"{SECRET}\"\n  sensitive = true\n}}\n\
             module \"m\" {{ source = \"../../modules/m\" }}\n\
             resource \"terraform_data\" \"a\" {{\n  input = [var.size, var.pw, abspath(path.root), file(\"../../shared.txt\")]\n  provisioner \"local-exec\" {{ command = \"{provisioner}\" }}\n}}\n"
        )
    };
    live.unit("dev/a", &text("true"));
    live.repo.write("modules/m/main.tf", "resource \"terraform_data\" \"m\" {}\n");
    live.repo.write("shared.txt", "shared");
    live.repo.write("other/file.txt", "other");
    live.repo.commit("feat: a unit");
    let first = live.dry_run(&["dev/a"]).await;
    let fingerprint = |outcome: &DryRunOutcome| {
        assert_eq!(outcome.dry_run.units[0].outcome, UnitOutcome::Changes, "{:?}", outcome.dry_run);
        outcome.dry_run.fingerprint().unwrap()
    };
    let original = fingerprint(&first);
    assert_eq!(fingerprint(&live.dry_run(&["dev/a"]).await), original, "another folder, another time");
    assert_ne!(
        live.dry_run(&["dev/a"]).await.dry_run.digest().unwrap(),
        first.dry_run.digest().unwrap(),
        "another file"
    );

    live.repo.write("other/file.txt", "changed");
    live.repo.commit("docs: elsewhere");
    assert_eq!(fingerprint(&live.dry_run(&["dev/a"]).await), original, "nothing of the unit's closure");

    live.repo.write("dev/a/main.tf", text("false"));
    live.repo.commit("fix: a provisioner");
    let other = live.dry_run(&["dev/a"]).await;
    assert_eq!(unit(&other, "dev/a").plan, unit(&first, "dev/a").plan);
    assert_ne!(fingerprint(&other), original, "a provisioner, which no resource change shows");
    live.repo.write("dev/a/main.tf", text("true"));

    live.repo.write("dev/a/terraform.tfvars", "size = 2\n");
    live.repo.commit("feat: larger");
    assert_ne!(fingerprint(&live.dry_run(&["dev/a"]).await), original, "a variable");
    live.repo.remove("dev/a/terraform.tfvars");

    live.repo.write("modules/m/main.tf", "# another\nresource \"terraform_data\" \"m\" {}\n");
    live.repo.commit("feat: a module");
    assert_ne!(fingerprint(&live.dry_run(&["dev/a"]).await), original, "a module's file");
    live.repo.write("modules/m/main.tf", "resource \"terraform_data\" \"m\" {}\n");

    live.repo.commit("revert: all of it");
    assert_eq!(fingerprint(&live.dry_run(&["dev/a"]).await), original, "the same files again");
    let hmac = std::mem::replace(&mut live.hmac, Hmac::new(b"another key"));
    assert_ne!(fingerprint(&live.dry_run(&["dev/a"]).await), original, "another store's key");
    live.hmac = hmac;

    let text = text("true").replace(SECRET, "hunter2-hunter2");
    live.repo.write("dev/a/main.tf", &text);
    live.repo.commit("fix: another secret");
    assert_ne!(fingerprint(&live.dry_run(&["dev/a"]).await), original, "a secret");
}

#[tokio::test]
async fn the_fingerprint_of_an_update_or_replacement_does_not_hang_on_random_ids() {
    if !fixture::has("terraform", "the_fingerprint_of_an_update_or_replacement_does_not_hang_on_random_ids") {
        return;
    }
    let text = |value: &str| {
        format!(
            "resource \"terraform_data\" \"replaced\" {{ triggers_replace = \"{value}\" }}\n\
             resource \"terraform_data\" \"deleted\" {{ count = \"{value}\" == \"one\" ? 1 : 0 }}\n\
             resource \"terraform_data\" \"updated\" {{ input = [\"{value}\", \"of ${{terraform_data.replaced.id}}\"] }}\n\
             output \"id\" {{ value = terraform_data.replaced.id }}\n"
        )
    };
    let mut fingerprints = Vec::new();
    for _ in 0..2 {
        let live = Live::new();
        // Where the state lies is part of the configuration; it is told here instead.
        let state = live.repo.folder.path().join("state.tfstate");
        live.repo
            .write("dev/a/main.tf", format!("terraform {{\n  backend \"local\" {{}}\n}}\n{}", text("one")));
        live.repo.commit("feat: one");
        let clone = live.repo.path.join("dev/a");
        let driver = tool().driver(&clone).environment(live.environment.clone());
        let setting = format!("path={}", state.display());
        let init = InitOptions::default().with_backend(&setting);
        driver.init(&init, &live.cancel, &Discard).await.unwrap();
        driver.apply(&live.cancel, &Discard).await.unwrap();
        live.repo
            .write("dev/a/main.tf", format!("terraform {{\n  backend \"local\" {{}}\n}}\n{}", text("two")));
        live.repo.git(&["add", "dev/a/main.tf"]);
        live.repo.git(&["commit", "-q", "-m", "feat: two"]);
        let mut plan = live.plan("HEAD", &["dev/a"]);
        plan.units[0].id = UnitId::parse(&format!("dev/a#backend={setting}")).unwrap();
        let outcome = live.run(&plan).await;
        let unit = &outcome.dry_run.units[0];
        assert_eq!(unit.counts, Counts { replace: 1, delete: 1, update: 1, ..Counts::default() });
        fingerprints.push(unit.fingerprint.clone().unwrap());
    }
    assert_eq!(fingerprints[0], fingerprints[1]);
}

#[tokio::test]
async fn a_module_at_a_tag_is_part_of_the_fingerprint() {
    if !fixture::has("terraform", "a_module_at_a_tag_is_part_of_the_fingerprint") {
        return;
    }
    let modules = Repo::with(&[("modules/network/main.tf", "resource \"terraform_data\" \"n\" {}\n")]);
    modules.git(&["tag", "network/v1.0.0"]);
    modules.write("modules/network/main.tf", "# changed\nresource \"terraform_data\" \"n\" {}\n");
    modules.commit("fix: network");
    modules.git(&["tag", "network/v1.0.1"]);
    let live = Live::new();
    let source = |version: &str| {
        format!(
            "module \"network\" {{\n  source = \"git::file://{}//modules/network?ref=network/v{version}\"\n}}\n",
            modules.path.display()
        )
    };
    live.unit("dev/a", &source("1.0.0"));
    live.repo.commit("feat: network 1.0.0");
    let first = live.dry_run(&["dev/a"]).await;
    assert_eq!(first.dry_run.units[0].outcome, UnitOutcome::Changes, "{:?}", first.dry_run);
    assert_eq!(live.dry_run(&["dev/a"]).await.dry_run.fingerprint(), first.dry_run.fingerprint());
    // A tag that was moved: the unit's own files are the same.
    modules.git(&["tag", "-f", "network/v1.0.0", "network/v1.0.1"]);
    let moved = live.dry_run(&["dev/a"]).await;
    assert_ne!(moved.dry_run.fingerprint(), first.dry_run.fingerprint());
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

fn disagreements(report: &DriftReport, id: &str) -> Vec<(String, String, SeenIn)> {
    let unit = report.units.iter().find(|unit| unit.id.to_string() == id).unwrap();
    unit.disagreements.iter().map(|d| (d.address.clone(), d.path.to_string(), d.seen_in)).collect()
}

#[tokio::test]
async fn what_was_applied_past_the_pipeline_is_named_by_unit_and_attribute_without_its_value() {
    let name = "what_was_applied_past_the_pipeline_is_named_by_unit_and_attribute_without_its_value";
    if !fixture::has("terraform", name) {
        return;
    }
    let live = Live::new();
    let text = |size: &str| {
        format!(
            "resource \"terraform_data\" \"db\" {{\n  input = {{ size = \"{size}\", name = \"db\" }}\n}}\n"
        )
    };
    live.unit("dev/database", &text("small-size"));
    live.unit("dev/network", "resource \"terraform_data\" \"n\" {}");
    live.repo.commit("feat: units");
    live.apply("dev/database").await;
    live.apply("dev/network").await;
    let units = ["dev/database", "dev/network"];
    let plan = live.plan("main", &units);
    let report = DriftReport::of(plan.revision, &live.run(&plan).await.dry_run);
    assert!(report.is_clean(), "{report:?}");

    // Somebody changes a value in another checkout, and applies that.
    let clone = tempfile::tempdir().unwrap();
    git_in(clone.path(), &["clone", "-q", live.repo.path.to_str().unwrap(), "."]);
    std::fs::write(clone.path().join("dev/database/main.tf"), text("large-size")).unwrap();
    let driver = tool().driver(clone.path().join("dev/database")).environment(live.environment.clone());
    driver.init(&InitOptions::default(), &live.cancel, &Discard).await.unwrap();
    driver.apply(&live.cancel, &Discard).await.unwrap();

    let report = DriftReport::of(plan.revision, &live.run(&plan).await.dry_run);
    let disagreeing: Vec<String> = report.disagreeing().map(|unit| unit.id.to_string()).collect();
    assert_eq!(disagreeing, ["dev/database"]);
    let expected = [("input.size", SeenIn::Plan), ("output", SeenIn::Plan)];
    let expected = expected.map(|(path, seen)| ("terraform_data.db".to_owned(), path.to_owned(), seen));
    assert_eq!(disagreements(&report, "dev/database"), expected);
    let json = report.to_json().unwrap();
    assert!(!json.contains("large-size") && !json.contains("small-size"));
    assert_eq!(DriftReport::from_json(&json).unwrap(), report);

    let note = Reason::new("deployment_failed", "run 7 stopped half-way");
    let noted = report.with_reason(&UnitId::parse("dev/database").unwrap(), note);
    assert_eq!(noted.units[0].reasons[0].rule, "deployment_failed");
}

#[tokio::test]
async fn what_changed_in_the_world_is_told_from_what_differs_in_the_plan() {
    let name = "what_changed_in_the_world_is_told_from_what_differs_in_the_plan";
    if !fixture::has("terraform", name) {
        return;
    }
    let Some(mirror) = provider_mirror(name) else { return };
    let mut live = Live::new();
    live.environment = live.environment.clone().with("TF_CLI_CONFIG_FILE", &mirror.configuration);
    let folder = live.repo.folder.path().join("world");
    let file = |name: &str| folder.join(name).display().to_string();
    live.unit(
        "dev/files",
        &format!(
            "resource \"local_file\" \"gone\" {{\n  filename = \"{}\"\n  content = \"x\"\n}}\n\
             resource \"local_file\" \"kept\" {{\n  filename = \"{}\"\n  content = \"y\"\n}}\n",
            file("gone"),
            file("kept")
        ),
    );
    live.repo.commit("feat: files");
    live.apply("dev/files").await;
    let plan = live.plan("main", &["dev/files"]);
    assert!(DriftReport::of(plan.revision, &live.run(&plan).await.dry_run).is_clean());

    std::fs::remove_file(file("gone")).unwrap();
    let outcome = live.run(&plan).await;
    let report = DriftReport::of(plan.revision, &outcome.dry_run);
    let gone = |seen| ("local_file.gone".to_owned(), String::new(), seen);
    assert_eq!(disagreements(&report, "dev/files"), [gone(SeenIn::Plan), gone(SeenIn::World)]);
    let unit = &outcome.dry_run.units[0];
    assert_eq!((unit.counts.create, unit.drift.len(), unit.drift[0].actions.destroys()), (1, 1, true));
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

#[test]
fn a_plan_has_each_unit_with_its_environment_and_what_it_reads_elsewhere() {
    if !fixture::has("terraform", "a_plan_has_each_unit_with_its_environment_and_what_it_reads_elsewhere") {
        return;
    }
    let module = format!(
        "{BACKEND}module \"m\" {{ source = \"../../modules/m\" }}\nlocals {{ p = file(\"${{path.module}}/../../policies/a.json\") }}\n"
    );
    let repo = Repo::with(&[
        ("dev/a/main.tf", &module),
        ("dev/a/nested/main.tf", BACKEND),
        ("prod/a/main.tf", BACKEND),
        ("lab/a/main.tf", BACKEND),
        ("modules/m/main.tf", "locals { t = file(\"${path.module}/../shared/t.txt\") }\n"),
        ("modules/shared/t.txt", "t"),
        ("policies/a.json", "{}"),
    ]);
    let (_, revision, catalog) = catalog(&repo);
    let runner = TerraformDryRunner::new(tool());
    let plan = runner.plan(&revision, &catalog, Scope::All, &policy()).unwrap();
    let units: Vec<_> = plan
        .units
        .iter()
        .map(|unit| (unit.id.to_string(), unit.environment.as_ref().map(ToString::to_string)))
        .collect();
    let environment = |name: &str| Some(name.to_owned());
    let expected = [
        ("dev/a", environment("dev")),
        ("dev/a/nested", environment("dev")),
        ("lab/a", None),
        ("prod/a", environment("prod")),
    ];
    assert_eq!(units, expected.map(|(id, environment)| (id.to_owned(), environment)));
    let paths = |paths: &[RepoPath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(paths(&plan.units[0].others), ["dev/a/nested"]);
    let reads = paths(&plan.units[0].reads);
    assert!(reads.contains(&"policies/a.json".to_owned()), "{reads:?}");
    assert!(reads.contains(&"modules/shared/t.txt".to_owned()), "{reads:?}");
    assert_eq!(plan, runner.plan(&revision, &catalog, Scope::All, &policy()).unwrap());

    let id = UnitId::parse("prod/a").unwrap();
    let one = runner.plan(&revision, &catalog, Scope::Units(std::slice::from_ref(&id)), &policy()).unwrap();
    assert_eq!((one.units.len(), &one.units[0].id), (1, &id));
    let wrong = [UnitId::parse("prod/b").unwrap()];
    let refused = runner.plan(&revision, &catalog, Scope::Units(&wrong), &policy()).unwrap_err();
    assert!(matches!(refused, DryRunError::UnknownUnit { .. }));
    assert!(refused.to_string().contains("the nearest one is prod/a"), "{refused}");
}

#[tokio::test]
async fn trunk_is_clean_where_it_mirrors_what_is_deployed() {
    if !fixture::has("terraform", "trunk_is_clean_where_it_mirrors_what_is_deployed") {
        return;
    }
    let live = Live::new();
    live.unit("dev/a", "resource \"terraform_data\" \"a\" {}");
    live.unit("prod/a", "resource \"terraform_data\" \"a\" {}");
    live.repo.commit("feat: units");
    live.apply("dev/a").await;
    let (repository, revision, catalog) = catalog(&live.repo);
    let credentials = Provider(live.environment.clone());
    let context = DryRunContext {
        repository: &repository,
        credentials: &credentials,
        hmac: &live.hmac,
        cancel: &live.cancel,
        observer: &live.observer,
    };
    let runner: &dyn DryRunner = &live.runner;
    let (report, _) = check_drift(runner, &revision, &catalog, &policy(), &context).await.unwrap();
    let disagreeing: Vec<String> = report.disagreeing().map(|unit| unit.id.to_string()).collect();
    assert_eq!(disagreeing, ["prod/a"], "not applied yet");
    live.apply("prod/a").await;
    let (report, _) = check_drift(runner, &revision, &catalog, &policy(), &context).await.unwrap();
    assert!(report.is_clean() && report.units.len() == 2, "{report:?}");
}

#[test]
fn a_change_dry_runs_what_it_touches_and_says_that_nothing_plans_what_it_removes() {
    let name = "a_change_dry_runs_what_it_touches_and_says_that_nothing_plans_what_it_removes";
    if !fixture::has("terraform", name) {
        return;
    }
    let repo = Repo::with(&[
        ("dev/touched/main.tf", BACKEND),
        ("dev/left/main.tf", BACKEND),
        ("dev/removed/main.tf", BACKEND),
    ]);
    let (repository, base, before) = catalog(&repo);
    repo.branch("change");
    repo.write("dev/touched/more.tf", "resource \"terraform_data\" \"a\" {}\n");
    repo.remove("dev/removed/main.tf");
    repo.commit("feat: a change");
    let (_, head, after) = catalog(&repo);
    let changes = GitDetector::default().detect(&repository, &base, &head).unwrap();
    let impact = assess(&changes, &before, &after).unwrap();
    let runner = TerraformDryRunner::new(tool());
    let plan = runner.plan(&head, &after, Scope::Impact(&impact), &policy()).unwrap();
    let units: Vec<String> = plan.units.iter().map(|unit| unit.id.to_string()).collect();
    assert_eq!(units, ["dev/touched"]);
    assert_eq!(plan.units[0].reasons[0].chain[0].path.to_string(), "dev/touched/more.tf");
    assert_eq!(plan.skipped[0].id.to_string(), "dev/removed");
    assert_eq!(plan.skipped[0].reasons[0].rule, "removed");
}

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
