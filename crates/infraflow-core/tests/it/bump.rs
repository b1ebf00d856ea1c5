//! Tests of bump: references reach another version, and no other byte changes.

use std::sync::Arc;

use infraflow_core::{
    bump::{
        BumpCommit, BumpError, BumpPlan, BumpRequest, BumpTarget, RangeStrategy, RefBumper as _, Scaffold,
        TerraformBumper,
    },
    catalog::{Catalog, CatalogRules, TerraformDialect},
    git::{BranchName, FileEdit, Identity, Repository, Revision, Tree},
    interface::Interface,
    observe::Silent,
    policy::{Configuration, EnvironmentName},
    proof::{Document as _, RepoPath, Timestamp},
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{address::cases, fixture::Repo};

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

/// A repository without a working tree that has these files, and its tree and catalog.
fn bare(files: &[(String, String)]) -> (tempfile::TempDir, Repository, Tree, Catalog) {
    let folder = tempfile::tempdir().unwrap();
    let main = BranchName::parse("main").unwrap();
    let repository = Repository::init_bare(folder.path().join("live.git"), &main).unwrap();
    let edits: Vec<FileEdit> = files
        .iter()
        .map(|(path, text)| FileEdit::write(RepoPath::parse(path).unwrap(), text.as_bytes()))
        .collect();
    let author = Identity::new("Bot", "bot@example.com", Timestamp::from_unix(1_770_000_000));
    let commit = repository.commit_first(&edits, "begin", &author, &author).unwrap();
    repository.set_branch(&main, &commit, None).unwrap();
    let tree = repository.tree(&Revision::Commit(commit)).unwrap();
    let rules: CatalogRules = Configuration::defaults().section().unwrap();
    let live = Catalog::build(&tree, &[Arc::new(TerraformDialect)], &rules).unwrap();
    (folder, repository, tree, live)
}

fn texts(value: &Value) -> Vec<(String, String)> {
    let files = value.as_object().unwrap();
    files.iter().map(|(path, text)| (path.clone(), text.as_str().unwrap().to_owned())).collect()
}

/// What a case asks for.
fn request_of(bump: &Value) -> Result<BumpRequest, BumpError> {
    let text = |key: &str| bump.get(key).and_then(Value::as_str);
    let to = text("to").unwrap();
    if bump["kind"] == "required_version" {
        return BumpRequest::default().required_version(text("from").unwrap(), to);
    }
    let subdir = text("subdir").filter(|dir| !dir.is_empty()).map(|dir| format!("//{dir}"));
    let mut target =
        BumpTarget::new(&format!("{}{}", text("source").unwrap(), subdir.unwrap_or_default()), to)?;
    target = match text("from") {
        Some(from) => target.only_from(from),
        None => target.pin_unpinned(),
    };
    if bump["scope"] == "repository" {
        target = target.in_any_directory();
    }
    target = target.ranges(match text("strategy") {
        Some("replace") => RangeStrategy::Replace,
        Some("bump") => RangeStrategy::Raise,
        _ => RangeStrategy::Admit,
    });
    Ok(BumpRequest::new([target]))
}

async fn check_case(case: &Value) -> Result<(), String> {
    let before = texts(&case["files"]);
    let expected = ["expect", "right"].iter().find_map(|key| case.get(*key)).unwrap();
    let (_folder, repository, tree, live) = bare(&before);
    let request = request_of(&case["bump"]).map_err(|error| error.to_string())?;
    let plan = TerraformBumper.plan(&request, &tree, &live).map_err(|error| error.to_string())?;
    let after = match execute(&plan, &repository).await {
        Ok(commit) => repository.tree(&repository.revision(&commit).unwrap()).unwrap(),
        Err(BumpError::Nothing) => tree,
        Err(error) => return Err(error.to_string()),
    };
    for (path, text) in texts(expected) {
        let got = after.read(&RepoPath::parse(&path).unwrap()).unwrap().unwrap_or_default();
        if got != text.as_bytes() {
            let got = String::from_utf8_lossy(&got).into_owned();
            return Err(format!("{path}: {:#?}\n{:#?}\ngot\n{got}", plan.edits, plan.skipped));
        }
    }
    Ok(())
}

async fn check_cases(file: &str) {
    let Some(cases) = cases(file, file) else { return };
    let mut wrong = Vec::new();
    for case in &cases {
        if let Err(why) = check_case(case).await {
            wrong.push(format!("{} {}\n{why}", case["name"], case["bump"]));
        }
    }
    eprintln!("{file}: {} of {} right", cases.len() - wrong.len(), cases.len());
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n\n"));
}

#[tokio::test]
async fn bumps_of_public_tools_come_out_byte_for_byte() {
    check_cases("bump_cases.jsonl").await;
}

#[tokio::test]
async fn bumps_that_public_tools_get_wrong_come_out_right() {
    check_cases("bump_wrong.jsonl").await;
}
