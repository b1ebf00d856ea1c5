//! The driver, and plans that real terraform writes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use infraflow_core::{
    git::Repository,
    process::{Discard, Environment, Kept, Preset},
    proof::{Hmac, RepoPath},
    terraform::{
        Driver, InitOptions, LockFile, PlanMode, PlanOptions, Planned, Product, TerraformError, Tool,
        ToolVersion,
        fingerprint::{Closure, ClosureOf},
        plan::{Counts, Plan, Replacement},
    },
};
use tokio_util::sync::CancellationToken;

use crate::fixture;

/// A root module in a temporary folder, and the tool at work in it.
pub struct Root {
    pub folder: tempfile::TempDir,
    pub driver: Driver,
    pub cancel: CancellationToken,
}

impl Root {
    pub fn new(tool: &Tool, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let driver = tool.driver(folder.path()).environment(Environment::preset(&[Preset::Base]));
        let root = Self { folder, driver, cancel: CancellationToken::new() };
        root.write("main.tf", text);
        root
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    pub async fn init(&self) {
        self.driver.init(&InitOptions::default(), &self.cancel, &Discard).await.unwrap();
    }

    pub async fn apply(&self) {
        self.driver.apply(&self.cancel, &Discard).await.unwrap();
    }

    pub async fn planned(&self) -> (Planned, Plan) {
        let options = PlanOptions::saved_to("plan.bin");
        let planned = self.driver.plan(&options, &self.cancel, &Discard).await.unwrap();
        let json = self.driver.show_json(Path::new("plan.bin"), &self.cancel, &Discard).await.unwrap();
        (planned, Plan::parse(json).unwrap())
    }
}

/// The tools that are here: terraform, and tofu where INFRAFLOW_TOFU names one.
fn tools(test: &str) -> Vec<Tool> {
    let mut tools = Vec::new();
    if fixture::has("terraform", test) {
        tools.push(Tool::find_on(&std::env::var_os("PATH").unwrap()).unwrap());
    }
    match std::env::var_os("INFRAFLOW_TOFU") {
        Some(tofu) => tools.push(Tool::at(tofu).unwrap()),
        None => drop(fixture::has("tofu (named by INFRAFLOW_TOFU)", test)),
    }
    tools
}

/// A CLI configuration for a folder of providers: `hashicorp/local` can drift, which nothing built in can.
pub struct ProviderMirror {
    _folder: tempfile::TempDir,
    pub configuration: PathBuf,
}

/// The mirror that INFRAFLOW_PROVIDER_MIRROR names; it has `hashicorp/local` 1.4.0.
pub fn provider_mirror(test: &str) -> Option<ProviderMirror> {
    let Some(mirror) = std::env::var_os("INFRAFLOW_PROVIDER_MIRROR") else {
        fixture::has("hashicorp/local (in the folder that INFRAFLOW_PROVIDER_MIRROR names)", test);
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("terraformrc");
    let path = mirror.to_str().unwrap();
    let text = format!("provider_installation {{\n  filesystem_mirror {{\n    path = \"{path}\"\n  }}\n}}\n");
    std::fs::write(&configuration, text).unwrap();
    Some(ProviderMirror { _folder: folder, configuration })
}

#[tokio::test]
async fn every_kind_of_action_is_counted_as_the_tool_plans_it() {
    for tool in tools("every_kind_of_action_is_counted_as_the_tool_plans_it") {
        let before = r#"
            resource "terraform_data" "updated" { input = "before" }
            resource "terraform_data" "deleted" {}
            resource "terraform_data" "replaced" { triggers_replace = "before" }
            resource "terraform_data" "replaced_create_first" {
              triggers_replace = "before"
              lifecycle { create_before_destroy = true }
            }
            resource "terraform_data" "forgotten" {}
            resource "terraform_data" "old_name" {}
            resource "terraform_data" "moved_and_updated" { input = "before" }
            resource "terraform_data" "left_alone" {}
            output "left_alone" { value = "x" }
        "#;
        let after = r#"
            resource "terraform_data" "created" { count = 2 }
            resource "terraform_data" "updated" { input = "after" }
            resource "terraform_data" "replaced" { triggers_replace = "after" }
            resource "terraform_data" "replaced_create_first" {
              triggers_replace = "after"
              lifecycle { create_before_destroy = true }
            }
            removed {
              from = terraform_data.forgotten
              lifecycle { destroy = false }
            }
            moved {
              from = terraform_data.old_name
              to   = terraform_data.new_name
            }
            resource "terraform_data" "new_name" {}
            moved {
              from = terraform_data.moved_and_updated
              to   = terraform_data.there
            }
            resource "terraform_data" "there" { input = "after" }
            import {
              to = terraform_data.imported
              id = "an-id"
            }
            resource "terraform_data" "imported" {}
            data "terraform_remote_state" "read_late" {
              backend    = "local"
              config     = { path = "copy.tfstate" }
              depends_on = [terraform_data.created]
            }
            resource "terraform_data" "left_alone" {}
            output "left_alone" { value = "x" }
            output "added" { value = "y" }
        "#;
        let root = Root::new(&tool, before);
        root.init().await;
        root.apply().await;
        let (planned, plan) = root.planned().await;
        assert_eq!((planned, plan.counts()), (Planned::NoChanges, Counts::default()));
        assert!(plan.is_no_change());

        // The state itself is half-written at times while an apply reads it.
        let state = |name| root.folder.path().join(name);
        std::fs::copy(state("terraform.tfstate"), state("copy.tfstate")).unwrap();
        root.write("main.tf", after);
        let (planned, plan) = root.planned().await;
        assert_eq!(planned, Planned::Changes);
        let expected =
            Counts { create: 2, update: 2, delete: 1, replace: 2, read: 1, import: 1, forget: 1, r#move: 2 };
        assert_eq!(plan.counts(), expected, "{tool:?}");
        let replacement = |address: &str| {
            let change = plan.resource_changes.iter().find(|change| change.address == address).unwrap();
            change.change.actions.replacement()
        };
        assert_eq!(replacement("terraform_data.replaced"), Some(Replacement::DeleteFirst));
        assert_eq!(replacement("terraform_data.replaced_create_first"), Some(Replacement::CreateFirst));

        let summary = plan.summary();
        assert_eq!(summary.counts, expected);
        let updated = summary.changes.iter().find(|c| c.address == "terraform_data.updated").unwrap();
        let paths: Vec<String> = updated.attributes.iter().map(ToString::to_string).collect();
        assert_eq!(paths, ["input", "output"]);
        let replaced = summary.changes.iter().find(|c| c.address == "terraform_data.replaced").unwrap();
        assert_eq!(replaced.reason.as_deref(), Some("replace_because_cannot_update"));
        assert_eq!(replaced.forced_by[0].to_string(), "triggers_replace");
        assert!(summary.changes.iter().all(|c| c.address != "terraform_data.left_alone"));
        let outputs: Vec<&str> = summary.outputs.iter().map(|output| output.name.as_str()).collect();
        assert_eq!(outputs, ["added"]);

        root.driver.apply_plan(Path::new("plan.bin"), &root.cancel, &Discard).await.unwrap();
        // The data source depends on nothing that changes any more, and is read while planning.
        assert!(root.planned().await.1.is_no_change());
    }
}

#[tokio::test]
async fn a_plan_is_read_whole_and_written_back_as_it_was() {
    for tool in tools("a_plan_is_read_whole_and_written_back_as_it_was") {
        let root = Root::new(
            &tool,
            "resource \"terraform_data\" \"a\" { input = { n = 1.10, big = 12345678901234567890123 } }",
        );
        root.init().await;
        root.planned().await;
        let json = root.driver.show_json(Path::new("plan.bin"), &root.cancel, &Discard).await.unwrap();
        let plan = Plan::parse(&json).unwrap();
        let again = serde_json::to_string(&plan).unwrap();
        let mut written: serde_json::Value = serde_json::from_str(&again).unwrap();
        let mut original: serde_json::Value = serde_json::from_slice(&json).unwrap();
        // What is absent and what is null or false say the same; they are left out.
        for value in [&mut written, &mut original] {
            without_empty(value);
        }
        assert_eq!(written, original);
    }
}

fn without_empty(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(members) => {
            members.values_mut().for_each(without_empty);
            members.retain(|_, value| {
                !(value.is_null() || *value == false || value.as_object().is_some_and(|m| m.is_empty()))
            });
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_empty),
        _ => {}
    }
}

const SECRET: &str = "correct-horse-battery-staple";

#[tokio::test]
async fn every_secret_that_a_log_or_plan_prints_is_among_the_sensitive_values() {
    for tool in tools("every_secret_that_a_log_or_plan_prints_is_among_the_sensitive_values") {
        let text = |name: &str| {
            format!(
                r#"variable "pw" {{
                     type      = string
                     sensitive = true
                   }}
                   resource "terraform_data" "{name}" {{
                     input            = {{ user = "ada", pw = "pre-${{var.pw}}" }}
                     triggers_replace = "{name}"
                   }}
                   output "pw" {{
                     value     = var.pw
                     sensitive = true
                   }}"#
            )
        };
        let mut root = Root::new(&tool, &text("a"));
        root.driver = root.driver.variable("pw", SECRET);
        root.init().await;
        root.apply().await;
        // The resource under another name is destroyed, and its plan prints the unmarked `output`.
        root.write("main.tf", &text("b"));
        let log = Kept::default();
        root.driver.plan(&PlanOptions::saved_to("plan.bin"), &root.cancel, &log).await.unwrap();
        let log = String::from_utf8(log.bytes()).unwrap();
        let json = root.driver.show_json(Path::new("plan.bin"), &root.cancel, &Discard).await.unwrap();
        assert!(log.contains(SECRET), "terraform hides it now, so the special case can go");

        let mut log = log;
        let mut json = String::from_utf8(json).unwrap();
        let mut values = Plan::parse(&json).unwrap().sensitive_values().unwrap();
        assert!(values.iter().any(|v| v.address == "var.pw"));
        assert!(values.iter().any(|v| v.address == "terraform_data.a" && v.path.to_string() == "output.pw"));
        values.sort_by_key(|value| std::cmp::Reverse(value.value.len()));
        for value in &values {
            log = log.replace(&value.value, "(hidden)");
            json = json.replace(&value.value, "(hidden)");
        }
        assert!(!log.contains(SECRET) && !json.contains(SECRET));
        assert!(log.contains("ada"));
    }
}

#[tokio::test]
async fn a_failure_names_the_fault_and_its_place_and_no_secret() {
    for tool in tools("a_failure_names_the_fault_and_its_place_and_no_secret") {
        let mut root = Root::new(
            &tool,
            r#"variable "pw" {
                 type      = string
                 sensitive = true
                 validation {
                   condition     = length(var.pw) > 99
                   error_message = "Too short."
                 }
               }"#,
        );
        root.driver = root.driver.variable("pw", SECRET);
        root.init().await;
        let log = Kept::default();
        let failed = root.driver.plan(&PlanOptions::saved_to("p"), &root.cancel, &log).await.unwrap_err();
        let message = failed.to_string();
        assert!(message.contains("Invalid value for variable (main.tf:1)"), "{message}");
        assert!(message.contains("exit code 1") && message.contains("help:"), "{message}");
        assert!(!message.contains(SECRET) && !format!("{failed:?}").contains(SECRET));
        assert!(String::from_utf8(log.bytes()).unwrap().contains("Too short."));
    }
}

#[tokio::test]
async fn broken_hcl_is_a_failure_of_init_with_its_line() {
    for tool in tools("broken_hcl_is_a_failure_of_init_with_its_line") {
        let root = Root::new(&tool, "\nresource \"terraform_data\" {\n");
        let failed = root.driver.init(&InitOptions::default(), &root.cancel, &Discard).await.unwrap_err();
        assert!(
            matches!(&failed, TerraformError::Failed { command: "init", diagnostics, .. }
            if diagnostics.iter().any(|d| d.file.as_deref() == Some("main.tf"))),
            "{failed}"
        );
    }
}

#[tokio::test]
async fn outputs_and_state_are_read_and_a_new_unit_has_no_state() {
    for tool in tools("outputs_and_state_are_read_and_a_new_unit_has_no_state") {
        let root = Root::new(
            &tool,
            r#"resource "terraform_data" "a" { count = 2 }
               output "n" { value = 7 }
               output "s" {
                 value     = "x"
                 sensitive = true
               }"#,
        );
        root.init().await;
        assert_eq!(root.driver.state_pull(&root.cancel, &Discard).await.unwrap(), None);
        root.driver.validate(&root.cancel, &Discard).await.unwrap();
        root.apply().await;
        let outputs = root.driver.outputs(&root.cancel, &Discard).await.unwrap();
        assert_eq!((outputs["n"].value.text(), outputs["s"].sensitive), ("7", true));
        let state = root.driver.state_pull(&root.cancel, &Discard).await.unwrap().unwrap();
        assert_eq!(state.managed(), ["terraform_data.a[0]", "terraform_data.a[1]"]);
        assert!(root.driver.providers(&root.cancel, &Discard).await.unwrap().is_empty());
        root.driver.destroy(&root.cancel, &Discard).await.unwrap();
        let after = root.driver.state_pull(&root.cancel, &Discard).await.unwrap().unwrap();
        assert!(after.managed().is_empty());
        assert_eq!(after.version().lineage, state.version().lineage);
        assert!(after.version().serial > state.version().serial);
    }
}

#[tokio::test]
async fn a_saved_plan_is_stale_once_the_state_moved() {
    for tool in tools("a_saved_plan_is_stale_once_the_state_moved") {
        let root = Root::new(&tool, "resource \"terraform_data\" \"a\" {}");
        root.init().await;
        root.planned().await;
        root.apply().await;
        let stale = root.driver.apply_plan(Path::new("plan.bin"), &root.cancel, &Discard).await;
        assert!(matches!(stale, Err(TerraformError::PlanStale { .. })), "{stale:?}");
    }
}

#[tokio::test]
async fn a_locked_state_names_who_holds_it() {
    for tool in tools("a_locked_state_names_who_holds_it") {
        let root = Root::new(
            &tool,
            "resource \"terraform_data\" \"a\" {\n provisioner \"local-exec\" { command = \"touch started; sleep 20\" }\n}",
        );
        root.init().await;
        let started = root.folder.path().join("started");
        let (driver, cancel) = (root.driver.clone(), root.cancel.clone());
        let holder = tokio::spawn(async move { driver.apply(&cancel, &Discard).await });
        while !started.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let token = CancellationToken::new();
        let refused = root.driver.plan(&PlanOptions::saved_to("p"), &token, &Discard).await.unwrap_err();
        let TerraformError::StateLocked { lock, .. } = &refused else { panic!("{refused}") };
        assert_eq!(lock.operation.as_deref(), Some("OperationTypeApply"));
        assert!(lock.id.is_some());
        root.cancel.cancel();
        let cancelled = holder.await.unwrap();
        assert!(
            matches!(cancelled, Err(TerraformError::Cancelled { command: "apply", .. })),
            "{cancelled:?}"
        );
    }
}

#[tokio::test]
async fn a_lock_file_that_lacks_a_provider_is_not_written_behind_ones_back() {
    // No provider is installed, for the lock file is looked at first where the plugin folder is empty.
    for tool in tools("a_lock_file_that_lacks_a_provider_is_not_written_behind_ones_back") {
        let Some(mirror) =
            provider_mirror("a_lock_file_that_lacks_a_provider_is_not_written_behind_ones_back")
        else {
            return;
        };
        if tool.version().product == Product::OpenTofu {
            continue;
        }
        let root = Root::new(
            &tool,
            "terraform {\n required_providers {\n local = { source = \"hashicorp/local\" }\n }\n}\nresource \"local_file\" \"a\" {\n filename = \"f\"\n content = \"x\"\n}",
        );
        let environment =
            Environment::preset(&[Preset::Base]).with("TF_CLI_CONFIG_FILE", &mirror.configuration);
        let driver = root.driver.clone().environment(environment);
        root.write(".terraform.lock.hcl", "");
        let held = InitOptions::default().with_lock_file(LockFile::HeldTo);
        let stale = driver.init(&held, &root.cancel, &Discard).await.unwrap_err();
        assert!(matches!(stale, TerraformError::LockFileStale { .. }), "{stale}");
        driver.init(&InitOptions::default(), &root.cancel, &Discard).await.unwrap();
        let providers = driver.providers(&root.cancel, &Discard).await.unwrap();
        assert_eq!(providers["registry.terraform.io/hashicorp/local"], "1.4.0");
        driver.init(&held, &root.cancel, &Discard).await.unwrap();
    }
}

#[tokio::test]
async fn inits_that_share_a_plugin_cache_do_not_break_each_other() {
    let name = "inits_that_share_a_plugin_cache_do_not_break_each_other";
    let Some(mirror) = provider_mirror(name) else { return };
    for tool in tools(name) {
        if tool.version().product == Product::OpenTofu {
            continue;
        }
        let cache = tempfile::tempdir().unwrap();
        let text = "terraform {\n required_providers {\n local = { source = \"hashicorp/local\" }\n }\n}\n";
        let roots: Vec<Root> = (0..6).map(|_| Root::new(&tool, text)).collect();
        let environment = Environment::preset(&[Preset::Base])
            .with("TF_CLI_CONFIG_FILE", &mirror.configuration)
            .with("TF_PLUGIN_CACHE_DIR", cache.path());
        let inits = roots.iter().map(|root| {
            let driver = root.driver.clone().environment(environment.clone());
            async move { driver.init(&InitOptions::default(), &root.cancel, &Discard).await }
        });
        for init in futures_util::future::join_all(inits).await {
            init.unwrap();
        }
    }
}

#[tokio::test]
async fn a_time_limit_ends_a_command() {
    for tool in tools("a_time_limit_ends_a_command") {
        let mut root = Root::new(
            &tool,
            "resource \"terraform_data\" \"a\" {\n provisioner \"local-exec\" { command = \"sleep 30\" }\n}",
        );
        root.init().await;
        root.driver = root.driver.time_limit(Duration::from_millis(700)).grace(Duration::from_secs(5));
        let late = root.driver.apply(&root.cancel, &Discard).await.unwrap_err();
        assert!(matches!(late, TerraformError::TimedOut { command: "apply", .. }), "{late}");
    }
}

#[tokio::test]
async fn each_start_is_recorded_before_it_happens() {
    for tool in tools("each_start_is_recorded_before_it_happens") {
        let mut root = Root::new(&tool, "");
        root.driver = root.driver.on_start(Arc::new(|_| Err("the ledger is full".into())));
        let refused = root.driver.init(&InitOptions::default(), &root.cancel, &Discard).await;
        assert!(matches!(refused, Err(TerraformError::Process(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_destroy_plan_deletes_everything() {
    for tool in tools("a_destroy_plan_deletes_everything") {
        let root = Root::new(&tool, "resource \"terraform_data\" \"a\" { count = 3 }");
        root.init().await;
        root.apply().await;
        let options = PlanOptions::saved_to("plan.bin").with_mode(PlanMode::Destroy);
        root.driver.plan(&options, &root.cancel, &Discard).await.unwrap();
        let json = root.driver.show_json(Path::new("plan.bin"), &root.cancel, &Discard).await.unwrap();
        assert_eq!(Plan::parse(json).unwrap().counts(), Counts { delete: 3, ..Counts::default() });
    }
}

#[test]
fn a_missing_tool_says_how_to_get_one() {
    let empty = tempfile::tempdir().unwrap();
    let missing = Tool::find_on(empty.path().as_os_str()).unwrap_err();
    assert!(matches!(missing, TerraformError::NotFound { .. }));
    let message = missing.to_string();
    assert!(
        message.starts_with("cannot find terraform or tofu") && message.contains("help: install"),
        "{message}"
    );
    assert!(matches!(Tool::at(empty.path().join("terraform")), Err(TerraformError::Process(_))));
}

#[test]
fn a_program_that_is_no_terraform_is_refused() {
    assert!(matches!(Tool::at("/bin/true"), Err(TerraformError::NotATool { .. })));
}

#[test]
fn tofu_serves_where_there_is_no_terraform() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("tofu");
    std::fs::write(&program, "#!/bin/sh\necho 'OpenTofu v1.12.6'\necho 'on linux_amd64'\n").unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let tool = Tool::find_on(folder.path().as_os_str()).unwrap();
    assert_eq!(tool.version().to_string(), "tofu 1.12.6");
    assert_eq!(tool.program(), program);
}

#[test]
fn the_drivers_debug_shows_no_value_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    if let Ok(tool) = Tool::find() {
        let driver = tool.driver(folder.path()).variable("pw", SECRET);
        let shown = format!("{driver:?}");
        assert!(shown.contains("TF_VAR_pw") && !shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn a_file_that_was_written_while_planning_is_noticed() {
    let repo = fixture::Repo::with(&[
        ("live/a/main.tf", "module \"m\" { source = \"../../modules/m\" }\n"),
        ("live/a/run.sh", "true\n"),
        ("live/a/b/main.tf", ""),
        ("modules/m/main.tf", ""),
        ("shared/policy.json", "{}"),
    ]);
    std::os::unix::fs::symlink("../../shared/policy.json", repo.path.join("live/a/policy.json")).unwrap();
    repo.commit("feat: a link");
    let repository = Repository::open(&repo.path).unwrap();
    let tree = repository.tree(&repository.revision("HEAD").unwrap()).unwrap();
    let hmac = Hmac::new(b"key");
    let unit = RepoPath::parse("live/a").unwrap();
    let others = [RepoPath::parse("live/a/b").unwrap()];
    let alter = |change: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        let export = folder.path().join("tree");
        repository.materialise(&tree, &export).unwrap();
        let installed = export.join("live/a/.terraform/modules");
        std::fs::create_dir_all(&installed).unwrap();
        let list = r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"m","Source":"x","Dir":"../../modules/m"}]}"#;
        std::fs::write(installed.join("modules.json"), list).unwrap();
        let folder = export.join("live/a");
        let of =
            ClosureOf { tree: &tree, unit: &unit, others: &others, reads: &[], folder: &folder, hmac: &hmac };
        let tool = ToolVersion::parse("terraform 1.11.4").unwrap();
        let closure = Closure::of(&of, tool, BTreeMap::new()).unwrap();
        change(&export);
        let altered = closure.altered(&tree, &export).unwrap();
        altered.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let write =
        |path: &'static str| move |export: &Path| std::fs::write(export.join(path), "changed").unwrap();
    assert!(alter(&|_| {}).is_empty());
    assert_eq!(alter(&write("live/a/run.sh")), ["live/a/run.sh"]);
    assert_eq!(alter(&write("modules/m/main.tf")), ["modules/m/main.tf"]);
    assert_eq!(alter(&write("live/a/sneaked_override.tf")), ["live/a/sneaked_override.tf"]);
    assert_eq!(alter(&write("live/a/x.auto.tfvars")), ["live/a/x.auto.tfvars"]);
    assert_eq!(alter(&write("shared/policy.json")), ["shared/policy.json"]);
    assert!(alter(&write("live/a/output.zip")).is_empty(), "what is only made is nothing that is read");
    assert!(alter(&write("live/a/b/main.tf")).is_empty(), "another unit's");
    assert_eq!(
        alter(&|export| {
            std::fs::remove_file(export.join("live/a/run.sh")).unwrap();
            std::os::unix::fs::symlink("/etc/hostname", export.join("live/a/run.sh")).unwrap();
        }),
        ["live/a/run.sh"]
    );
}
