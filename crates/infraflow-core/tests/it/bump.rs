//! Tests of bump: references reach another version, and no other byte changes.

use std::sync::Arc;

use infraflow_core::{
    bump::{
        BumpCommit, BumpError, BumpPlan, BumpRequest, BumpTarget, RangeStrategy, RefBumper as _, Scaffold,
        TerraformBumper,
    },
    catalog::{Catalog, CatalogRules, TerraformDialect},
    git::{BranchName, FileEdit, Identity, RemoteName, Repository, Revision, Tree},
    interface::Interface,
    observe::Silent,
    policy::{Configuration, EnvironmentName},
    proof::{Document as _, RepoPath, Timestamp},
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    address::cases,
    fixture::{Repo, git_in, has},
};

const UNIT: &str = "# a comment, and\ttabs\r\nmodule \"network\" {\r\n  source = \"git::https://example.com/m.git//modules/network?ref=network/v1.0.0&depth=1\" # pinned\r\n}\r\n";

fn trunk(repo: &Repo) -> (Repository, Tree, Catalog) {
    let repository = Repository::open(&repo.path).unwrap();
    let tree = repository.tree(&Revision::Commit(repository.resolve("main").unwrap())).unwrap();
    let rules: CatalogRules = Configuration::defaults().section().unwrap();
    let live = Catalog::build(&tree, &[Arc::new(TerraformDialect)], &rules).unwrap();
    let live = live.with_environments(|unit| {
        EnvironmentName::parse(std::str::from_utf8(unit.path().names().next()?).ok()?).ok()
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
    let request = BumpRequest::promotion(&live, &dev).unwrap().in_environment(stage);
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

/// Each mistake of another tool, as a file before and after: nothing but the version changes.
#[tokio::test]
async fn only_the_version_changes_wherever_the_same_text_stands() {
    let network = "git::https://example.com/m.git//modules/network";
    let to = "network/v1.1.0";
    let from = "network/v1.0.0";
    let call = |source: &str| format!("module \"n\" {{\n  source = \"{source}\"\n}}\n");
    for (name, before) in [
        // The text of the ref stands in the repository's name, in the subdirectory, in a comment, in an input.
        ("dev/a/main.tf", format!("# {from}\n{}", call(&format!("{network}?ref={from}")))),
        ("dev/b/main.tf", call(&format!("{network}?ref={from}&sshkey=a2V5&depth=1"))),
        ("dev/c/main.tf", call(&format!("{network}?sshkey=network&ref={from}"))),
        (
            "dev/d/main.tf",
            format!(
                "module \"n\" {{\n  tag=\"{from}\"\n  source   =    \"{network}?ref={from}\" // kept\n}}"
            ),
        ),
        // Other spellings of the same repository.
        ("dev/e/main.tf", call(&format!("git::ssh://git@example.com:22/m//modules/network?ref={from}"))),
        ("dev/f/main.tf", call(&format!("git@example.com:m.git//modules/network/?ref={from}"))),
        // Other files: JSON with Go's escapes, a byte-order mark with Windows' line ends, Terragrunt.
        (
            "dev/g/main.tf.json",
            format!("{{\"module\":{{\"n\":{{\"source\":\"{network}?depth=1\\u0026ref={from}\"}}}}}}"),
        ),
        (
            "dev/h/main.tf",
            format!("\u{feff}{}", call(&format!("{network}?ref={from}")).replace('\n', "\r\n")),
        ),
        ("dev/i/main.tofu", call(&format!("{network}?ref={from}"))),
        ("dev/ünï/with space/main.tf", call(&format!("{network}?ref={from}"))),
        ("dev/j/terragrunt.hcl", format!("terraform {{\n  source = \"{network}?ref={from}\"\n}}\n")),
        (
            "_envcommon/network.hcl",
            format!(
                "locals {{\n  base = \"git::https://example.com/m.git\"\n}}\n\nterraform {{\n  source = \"${{local.base}}//modules/network?ref={from}\"\n}}\n"
            ),
        ),
        (
            "_envcommon/other.hcl",
            format!(
                "locals {{\n  tag = \"{from}\"\n}}\n\nterraform {{\n  source = \"{network}?ref=${{local.tag}}\"\n}}\n"
            ),
        ),
        (
            "dev/terragrunt.stack.hcl",
            format!("unit \"network\" {{\n  source = \"{network}?ref={from}\"\n  path = \"network\"\n}}\n"),
        ),
    ] {
        let (_folder, repository, tree, live) = bare(&[(name.to_owned(), before.clone())]);
        let plan = TerraformBumper.plan(&BumpRequest::new([self::to(to)]), &tree, &live).unwrap();
        assert_eq!(plan.edits.len(), 1, "{name}: {:#?}", plan.skipped);
        assert_eq!(plan.edits[0].from.as_deref(), Some(from));
        let commit = execute(&plan, &repository).await.unwrap();
        let after = repository.tree(&repository.revision(&commit).unwrap()).unwrap();
        let after = after.read(&RepoPath::parse(name).unwrap()).unwrap().unwrap();
        let at = before.rfind(&format!("ref={from}")).map_or_else(|| before.find(from).unwrap(), |at| at + 4);
        let mut expected = before.clone();
        expected.replace_range(at..at + from.len(), to);
        assert_eq!(String::from_utf8(after).unwrap(), expected, "{name}");
    }
}

#[test]
fn what_cannot_be_moved_says_why() {
    let network = "git::https://example.com/m.git//modules/network";
    let call = |source: &str| format!("module \"n\" {{\n  source = \"{source}\"\n}}\n");
    let registry =
        |version: &str| format!("module \"n\" {{\n  source  = \"a/b/c\"\n  version = \"{version}\"\n}}\n");
    let terragrunt = |locals: &str, source: &str| {
        format!("locals {{\n{locals}\n}}\nterraform {{\n  source = \"{source}\"\n}}\n")
    };
    for (file, text, rule) in [
        ("main.tf", call(&format!("{network}?ref=v0.3.0")), "other_tags"),
        ("main.tf", call(&format!("{network}?ref=feature/x")), "not_a_version"),
        ("main.tf", call(&format!("{network}?ref=")), "unpinned"),
        ("main.tf", call("git::https://example.com/m.git//modules/../.."), "bad_source"),
        ("main.tf", "module \"n\" {\n  source = [\n".to_owned(), "unparsable"),
        ("main.tf", registry("~> 1.0"), "allowed"),
        ("main.tf", registry("2.0.0"), "newer"),
        ("main.tf", registry("~> 2.0"), "newer"),
        ("main.tf", registry("!= 1.1.0"), "constraint"),
        ("main.tf", registry("1.1.0"), "current"),
        ("main.tf", registry("x").replace("\"x\"", "var.x"), "computed"),
        (
            "main.tf",
            format!(
                "locals {{\n  v = \"1.0.0\"\n}}\noutput \"v\" {{\n  value = local.v\n}}\n{}",
                registry("x").replace("\"x\"", "local.v")
            ),
            "computed",
        ),
        (
            "terragrunt.hcl",
            terragrunt("  v = \"network/v1.0.0\"\n  w = local.v", &format!("{network}?ref=${{local.v}}")),
            "computed",
        ),
        ("terragrunt.hcl", terragrunt("", "${get_env(\"BASE\")}//modules/network?ref=v1"), "computed"),
    ] {
        let (_folder, _, tree, live) = bare(&[(format!("dev/n/{file}"), text.clone())]);
        let targets = [to("network/v1.1.0"), BumpTarget::new("a/b/c", "1.1.0").unwrap()];
        let plan = TerraformBumper.plan(&BumpRequest::new(targets), &tree, &live).unwrap();
        assert_eq!(plan.edits, [], "{text}");
        let rules: Vec<_> = plan.skipped.iter().flat_map(|s| &s.reasons).map(|r| r.rule.as_str()).collect();
        assert_eq!(rules, [rule], "{text}\n{:#?}", plan.skipped);
        assert!(plan.skipped[0].reasons[0].chain[0].path.to_string().starts_with("dev/n/"));
    }
}

#[test]
fn a_version_that_could_not_be_one_is_refused() {
    for bad in ["", "-d", "v1\"", "v1\n", "${x}", "v1\\"] {
        let error = BumpTarget::new("git::https://example.com/m.git", bad).unwrap_err();
        assert!(matches!(error, BumpError::BadReference { .. }), "{bad:?}: {error}");
    }
    assert!(BumpTarget::new("git::https://example.com/m.git//..", "v1").is_err());
    assert!(BumpRequest::default().required_version(">= 1.x", "1.0").is_err());
}

#[tokio::test]
async fn a_file_keeps_its_mode_and_one_behind_a_link_is_edited_where_it_stands() {
    let repo = Repo::with(&[("shared/main.tf", &unit("network/v1.0.0"))]);
    std::fs::create_dir_all(repo.path.join("dev/network")).unwrap();
    std::os::unix::fs::symlink("../../shared/main.tf", repo.path.join("dev/network/main.tf")).unwrap();
    repo.git(&["update-index", "--chmod=+x", "shared/main.tf"]);
    repo.git(&["add", "dev"]);
    repo.git(&["commit", "-q", "-m", "feat: linked"]);
    let (repository, tree, live) = trunk(&repo);
    let plan = TerraformBumper.plan(&BumpRequest::new([to("network/v1.1.0")]), &tree, &live).unwrap();
    let edited: Vec<String> = plan.edits.iter().map(|edit| edit.path.to_string()).collect();
    assert_eq!(edited, ["shared/main.tf"]);
    let commit = execute(&plan, &repository).await.unwrap();
    assert!(repo.git(&["ls-tree", &commit, "shared/main.tf"]).starts_with("100755"));
    assert!(repo.git(&["ls-tree", &commit, "dev/network/main.tf"]).starts_with("120000"));
}

#[tokio::test]
async fn a_bump_is_pushed_once_and_a_cancelled_one_not_at_all() {
    let repo = Repo::with(&[("dev/network/main.tf", UNIT)]).with_origin();
    let (repository, tree, live) = trunk(&repo);
    let plan = TerraformBumper.plan(&BumpRequest::new([to("network/v1.1.0")]), &tree, &live).unwrap();
    let wanted = BumpCommit { push: Some(RemoteName::origin()), ..commit(&repository) };
    let cancel = CancellationToken::new();
    let first = TerraformBumper.execute(&plan, &repository, &wanted, &cancel, &Silent).await.unwrap();
    let again = TerraformBumper.execute(&plan, &repository, &wanted, &cancel, &Silent).await.unwrap();
    assert_eq!(first, again);
    let there = git_in(&repo.origin(), &["rev-parse", "bump/dev"]);
    assert_eq!(there, first.commit.to_string());
    cancel.cancel();
    let other = BumpCommit { branch: BranchName::parse("bump/other").unwrap(), ..wanted };
    let error = TerraformBumper.execute(&plan, &repository, &other, &cancel, &Silent).await.unwrap_err();
    assert!(matches!(error, BumpError::Cancelled), "{error}");
}

#[tokio::test]
async fn a_plan_that_was_altered_is_refused_and_nothing_is_written() {
    let repo = Repo::with(&[("dev/network/main.tf", UNIT)]);
    let (repository, tree, live) = trunk(&repo);
    let plan = TerraformBumper.plan(&BumpRequest::new([to("network/v1.1.0")]), &tree, &live).unwrap();
    let text = plan.to_json().unwrap();
    assert!(BumpPlan::from_json(&text.replace("network/v1.1.0", "network/v9.9.9")).is_err());
    type Alter = fn(&mut BumpPlan);
    let altered: [Alter; 4] = [
        |plan| plan.edits[0].start += 1,
        |plan| plan.edits[0].before = "network/v1.0.1".into(),
        |plan| plan.edits[0].end = 1 << 40,
        |plan| plan.edits.push(plan.edits[0].clone()),
    ];
    for alter in altered {
        let mut plan = plan.clone();
        alter(&mut plan);
        let error = execute(&plan, &repository).await.unwrap_err();
        assert!(matches!(error, BumpError::Stale { .. } | BumpError::Overlap { .. }), "{error}");
    }
    assert_eq!(repo.git(&["branch", "--list", "bump/dev"]), "");
}

#[test]
fn a_promotion_says_what_it_cannot_decide() {
    let repo = Repo::with(&[
        ("dev/a/main.tf", &unit("network/v1.1.0")),
        ("dev/b/main.tf", &unit("network/v1.2.0")),
        ("stage/a/main.tf", &unit("network/v1.0.0")),
    ]);
    let (_, tree, live) = trunk(&repo);
    let [dev, stage] = ["dev", "stage"].map(|name| EnvironmentName::parse(name).unwrap());
    let request = BumpRequest::promotion(&live, &dev).unwrap().in_environment(stage);
    let plan = TerraformBumper.plan(&request, &tree, &live).unwrap();
    assert_eq!(plan.edits, []);
    let reasons: Vec<_> =
        plan.skipped.iter().map(|s| (s.path.to_string(), s.reasons[0].rule.as_str())).collect();
    assert_eq!(reasons, [("stage/a/main.tf".to_owned(), "several_versions")]);
}

#[test]
fn a_scaffold_is_what_terraform_fmt_would_write_whatever_the_module_says() {
    let modules = Repo::with(&[(
        "modules/3 tier/variables.tf",
        "variable \"a\" {\n  type = object({\n    x = string\n  })\n  description = \"A.\\n}\\nresource \\\"x\\\" \\\"y\\\" {}\"\n}\nvariable \"b\" {\n  default = {\n    k = \"v\"\n  }\n}\nvariable \"c\" {}\n",
    )]);
    let (_, modules_tree, _) = trunk(&modules);
    let repo = Repo::with(&[("README.md", "live")]);
    let (_, tree, live) = trunk(&repo);
    let path = |text: &str| RepoPath::parse(text).unwrap();
    let interface = Interface::read(&modules_tree, &path("modules/3 tier")).unwrap();
    let text = |source: &str, version: &str, module: &str| {
        let scaffold = Scaffold::new(path("dev/x"), path(module), interface.clone())
            .value("c", "{ k = \"v\" }")
            .settings("terraform {\n  backend \"local\" {}\n}");
        let request = BumpRequest::new([BumpTarget::new(source, version).unwrap()]).scaffold(scaffold);
        TerraformBumper.plan(&request, &tree, &live).unwrap().edits.remove(0).after
    };
    let git = text("git::https://example.com/m.git//modules/3 tier", "v1.0.0", "modules/3 tier");
    assert!(git.contains("module \"_3_tier\" {"), "{git}");
    let root = text("git::https://example.com/terraform-vpc.git", "v1.0.0", ".");
    assert!(root.contains("module \"terraform-vpc\" {"), "{root}");
    let registry = text("a/vpc/aws", "1.2.0", ".");
    assert!(registry.contains("  source  = \"a/vpc/aws\"\n  version = \"1.2.0\"\n"), "{registry}");
    if has("terraform", "the format of a scaffold") {
        for text in [git, root, registry] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("main.tf"), &text).unwrap();
            let output = std::process::Command::new("terraform")
                .args(["fmt", "-check", "-diff"])
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stdout));
        }
    }
    let scaffold = Scaffold::new(path("dev/x"), path("."), interface).value("c", "}\nresource \"x\" \"y\" {");
    let request = BumpRequest::new([BumpTarget::new("a/vpc/aws", "1.2.0").unwrap()]).scaffold(scaffold);
    let error = TerraformBumper.plan(&request, &tree, &live).unwrap_err().to_string();
    assert!(error.contains("the value of \"c\" is no expression"), "{error}");
}
