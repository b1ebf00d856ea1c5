//! Tests of bump: references reach another version, and no other byte changes.

use std::sync::Arc;

use infraflow_core::{
    bump::{
        BumpCommit, BumpError, BumpPlan, BumpRequest, BumpTarget, RefBumper as _, Scaffold, TerraformBumper,
    },
    catalog::{Catalog, CatalogRules, TerraformDialect},
    git::{BranchName, Identity, Repository, Revision, Tree},
    interface::Interface,
    observe::Silent,
    policy::{Configuration, EnvironmentName},
    proof::{Document as _, RepoPath, Timestamp},
};
use tokio_util::sync::CancellationToken;

use crate::fixture::Repo;

const UNIT: &str = "# a comment, and\ttabs\r\nmodule \"network\" {\r\n  source = \"git::https://example.com/m.git//modules/network?ref=network/v1.0.0&depth=1\" # pinned\r\n}\r\n";

fn trunk(repo: &Repo) -> (Repository, Tree, Catalog) {
    let repository = Repository::open(&repo.path).unwrap();
    let tree = repository.tree(&Revision::Commit(repository.resolve("main").unwrap())).unwrap();
    let rules: CatalogRules = Configuration::defaults().section().unwrap();
    let live = Catalog::build(&tree, &[Arc::new(TerraformDialect)], &rules).unwrap();
    let live = live.with_environments(|unit| {
        EnvironmentName::parse(std::str::from_utf8(unit.names().next()?).ok()?).ok()
    });
    (repository, tree, live)
}

fn unit(reference: &str) -> String {
    format!(
        "terraform {{\n  backend \"local\" {{}}\n}}\nmodule \"network\" {{\n  source = \"git::https://example.com/m.git//modules/network?ref={reference}\"\n}}\n"
    )
}

fn to(version: &str) -> BumpTarget {
    BumpTarget::new("git::https://example.com/m.git//modules/network", version).unwrap()
}

fn commit(repository: &Repository) -> BumpCommit {
    BumpCommit {
        base: repository.resolve("main").unwrap(),
        branch: BranchName::parse("bump/dev").unwrap(),
        message: "bump".into(),
        author: Identity::new("Bot", "bot@example.com", Timestamp::from_unix(1_770_000_000)),
        push: None,
    }
}

async fn execute(plan: &BumpPlan, repository: &Repository) -> Result<String, BumpError> {
    let (wanted, cancel) = (commit(repository), CancellationToken::new());
    let bumped = TerraformBumper.execute(plan, repository, &wanted, &cancel, &Silent).await?;
    Ok(bumped.commit.to_string())
}

#[tokio::test]
async fn the_ref_changes_in_any_position_and_no_other_byte_does() {
    let repo = Repo::with(&[("dev/network/main.tf", UNIT)]);
    let (repository, tree, live) = trunk(&repo);
    let plan = TerraformBumper.plan(&BumpRequest::new([to("network/v1.1.0")]), &tree, &live).unwrap();
    assert_eq!(
        (plan.edits[0].before.as_str(), plan.edits[0].after.as_str()),
        ("network/v1.0.0", "network/v1.1.0")
    );
    let plan = BumpPlan::from_json(&plan.to_json().unwrap()).unwrap(); // it travels
    let commit = execute(&plan, &repository).await.unwrap();
    let shown = repo.git(&["cat-file", "blob", &format!("{commit}:dev/network/main.tf")]);
    assert_eq!(shown.trim_end(), UNIT.replace("v1.0.0", "v1.1.0").trim_end());
    assert_eq!(
        execute(&plan, &repository).await.unwrap(),
        commit,
        "a second try finds the first one's commit"
    );
}

#[test]
fn every_reference_that_stays_says_why() {
    let source = |reference: &str| unit(reference);
    let repo = Repo::with(&[
        ("dev/a/main.tf", &source("network/v1.1.0")),
        ("dev/b/main.tf", &source("network/v2.0.0")),
        ("dev/c/main.tf", &source("main")),
        ("dev/d/main.tf", &unit("x").replace("?ref=x", "")),
        ("prod/e/main.tf", &source("network/v1.0.0")),
        ("dev/f/main.tf", &source("9f3c1d2")),
        ("dev/g/main.tf", &source("network/v1.0.0").replace("/network?", "/other?")),
        ("dev/h/main.tf", &source("network/v1.0.0").replace("example.com", "other.example.com")),
    ]);
    let (_, tree, live) = trunk(&repo);
    let dev = EnvironmentName::parse("dev").unwrap();
    let request = BumpRequest::new([to("network/v1.1.0")]).in_environment(dev);
    let plan = TerraformBumper.plan(&request, &tree, &live).unwrap();
    let edited: Vec<String> = plan.edits.iter().map(|edit| edit.path.to_string()).collect();
    assert_eq!(edited, ["dev/f/main.tf"], "a commit is a pin like any other");
    let skipped: Vec<(String, &str)> =
        plan.skipped.iter().map(|it| (it.path.to_string(), it.reasons[0].rule.as_str())).collect();
    let expected = [
        ("dev/a", "current"),
        ("dev/b", "newer"),
        ("dev/c", "not_a_version"),
        ("dev/d", "unpinned"),
        ("prod/e", "other_environment"),
    ];
    assert_eq!(skipped, expected.map(|(unit, rule)| (format!("{unit}/main.tf"), rule)));
}

#[test]
fn an_environment_gets_what_the_one_before_it_carries() {
    let repo = Repo::with(&[
        ("dev/network/main.tf", &unit("network/v1.1.0")),
        ("stage/network/main.tf", &unit("network/v1.0.0")),
    ]);
    let (_, tree, live) = trunk(&repo);
    let [dev, stage] = ["dev", "stage"].map(|name| EnvironmentName::parse(name).unwrap());
    let request = BumpRequest::promotion(&live, &dev).in_environment(stage);
    let plan = TerraformBumper.plan(&request, &tree, &live).unwrap();
    assert_eq!(plan.edits.len(), 1);
    assert_eq!(
        (plan.edits[0].path.to_string().as_str(), plan.edits[0].to.as_str()),
        ("stage/network/main.tf", "network/v1.1.0")
    );
}

#[tokio::test]
async fn a_plan_whose_file_changed_meanwhile_is_refused_and_nothing_is_written() {
    let repo = Repo::with(&[("dev/network/main.tf", UNIT)]);
    let (repository, tree, live) = trunk(&repo);
    let plan = TerraformBumper.plan(&BumpRequest::new([to("network/v1.1.0")]), &tree, &live).unwrap();
    repo.write("dev/network/main.tf", format!("# new\n{UNIT}"));
    repo.commit("chore: meanwhile");
    let error = execute(&plan, &repository).await.unwrap_err();
    assert!(matches!(error, BumpError::Stale { .. }), "{error}");
    assert_eq!(repo.git(&["branch", "--list", "bump/dev"]), "");
}

#[tokio::test]
async fn a_branch_with_other_content_is_left_alone() {
    let repo = Repo::with(&[("dev/network/main.tf", UNIT)]);
    let (repository, tree, live) = trunk(&repo);
    let plan = TerraformBumper.plan(&BumpRequest::new([to("network/v1.1.0")]), &tree, &live).unwrap();
    repo.git(&["branch", "bump/dev"]);
    let error = execute(&plan, &repository).await.unwrap_err();
    assert!(matches!(error, BumpError::BranchTaken { .. }), "{error}");
}

#[tokio::test]
async fn a_first_deployment_is_written_from_the_modules_variables_as_terraform_formats_it() {
    let modules = Repo::with(&[(
        "modules/network/variables.tf",
        "variable \"name\" {\n  type = string\n  description = \"Its name.\"\n}\nvariable \"token\" {\n  type = string\n  sensitive = true\n}\nvariable \"size\" {\n  default = 3\n}\n",
    )]);
    let repo = Repo::with(&[("README.md", "live")]);
    let (of_modules, modules_tree, _) = trunk(&modules);
    drop(of_modules);
    let (repository, tree, live) = trunk(&repo);
    let path = |text| RepoPath::parse(text).unwrap();
    let interface = Interface::read(&modules_tree, &path("modules/network")).unwrap();
    let scaffold = || Scaffold::new(path("dev/network"), path("modules/network"), interface.clone());
    let request = BumpRequest::new([to("network/v1.0.0")]).scaffold(scaffold().value("name", "\"dev\""));
    let plan = TerraformBumper.plan(&request, &tree, &live).unwrap();
    insta::assert_snapshot!(plan.edits[0].after, @r#"
    variable "token" {
      type      = string
      sensitive = true
    }

    module "network" {
      source = "git::https://example.com/m.git//modules/network?ref=network/v1.0.0"

      # Its name.
      name = "dev"

      # size = 3

      token = var.token
    }
    "#);
    let commit = execute(&plan, &repository).await.unwrap();
    assert!(repo.git(&["ls-tree", "-r", "--name-only", &commit]).contains("dev/network/main.tf"));

    let unknown = BumpRequest::new([to("network/v1.0.0")]).scaffold(scaffold().value("nmae", "1"));
    let error = TerraformBumper.plan(&unknown, &tree, &live).unwrap_err();
    assert!(error.to_string().contains("no variable \"nmae\""), "{error}");
}
