//! Tests of the catalog: modules, units and cases told apart, and the references between them.

use std::sync::Arc;

use infraflow_core::{
    catalog::{
        CaseKind, Catalog, CatalogError, CatalogRules, Dialect, Node, Reference, ReferenceKind,
        TerraformDialect,
    },
    git::Repository,
    policy::{Configuration, PathPattern},
    proof::RepoPath,
};

use crate::fixture::Repo;

pub fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

pub fn dialects() -> Vec<Arc<dyn Dialect>> {
    infraflow_core::catalog::standard_dialects()
}

pub fn rules(live: &[&str]) -> CatalogRules {
    CatalogRules::default().with_live(live.iter().map(|text| PathPattern::parse(text).unwrap()))
}

/// All that a catalog says of itself.
pub fn told(catalog: &Catalog) -> String {
    format!(
        "{:#?}",
        (
            catalog.modules(),
            catalog.units(),
            catalog.cases(),
            catalog.calls(),
            catalog.references(),
            catalog.unparsable(),
            catalog.warnings()
        )
    )
}

pub fn catalog_at(repo: &Repo, revision: &str, rules: &CatalogRules) -> Catalog {
    let repository = Repository::open(&repo.path).unwrap();
    let tree = repository.tree(&repository.revision(revision).unwrap()).unwrap();
    Catalog::build(&tree, &dialects(), rules).unwrap()
}

/// A catalog, and the repository that it is read from.
struct Held {
    catalog: Catalog,
    _repo: Repo,
}

impl std::ops::Deref for Held {
    type Target = Catalog;
    fn deref(&self) -> &Catalog {
        &self.catalog
    }
}

fn catalog(files: &[(&str, &str)]) -> Held {
    let repo = Repo::with(files);
    Held { catalog: catalog_at(&repo, "HEAD", &CatalogRules::default()), _repo: repo }
}

fn modules(catalog: &Catalog) -> Vec<String> {
    catalog.modules().unwrap().iter().map(|module| module.path.to_string()).collect()
}

fn units(catalog: &Catalog) -> Vec<String> {
    catalog.units().unwrap().iter().map(|unit| unit.id.to_string()).collect()
}

fn cases(catalog: &Catalog) -> Vec<(String, String)> {
    catalog.cases().unwrap().iter().map(|case| (case.id.to_string(), case.module.to_string())).collect()
}

fn references_to(catalog: &Catalog, file: &str) -> Vec<Reference> {
    let node = Node::File(path(file));
    catalog.references().unwrap().into_iter().filter(|reference| reference.to == node).collect()
}

const BACKEND: &str = "terraform {\n  backend \"local\" {}\n}\n";

#[test]
fn modules_units_and_examples_are_told_apart_by_what_they_have() {
    let catalog = catalog(&[
        ("modules/network/main.tf", "output \"id\" { value = 1 }\n"),
        (
            "modules/network/examples/basic/main.tf",
            "module \"n\" {\n  source = \"../..\"\n}\nprovider \"x\" {}\n",
        ),
        ("modules/network/tests/all.tftest.hcl", "run \"a\" {}\n"),
        ("stacks/lonely/main.tf", "output \"x\" { value = 1 }\n"),
        ("live/backend/main.tf", BACKEND),
        ("live/cloud/main.tf", "terraform {\n  cloud {}\n}\n"),
        ("live/values/main.tf", ""),
        ("live/values/terraform.tfvars", "a = 1\n"),
        ("live/locked/main.tf", ""),
        ("live/locked/.terraform.lock.hcl", "# lock\n"),
        ("live/provider/main.tf", "provider \"aws\" {}\n"),
        ("helper/main.tf", "provider \"aws\" {}\n"),
        ("live/backend/call.tf", "module \"h\" {\n  source = \"../../helper\"\n}\n"),
        ("docs/README.md", ""),
    ]);
    assert_eq!(modules(&catalog), ["helper", "modules/network", "stacks/lonely"]);
    assert_eq!(
        units(&catalog),
        ["live/backend", "live/cloud", "live/locked", "live/provider", "live/values"]
    );
    assert_eq!(
        cases(&catalog),
        [
            ("modules/network/examples/basic".into(), "modules/network".into()),
            ("modules/network/tests/all.tftest.hcl".into(), "modules/network".into())
        ]
    );
    assert_eq!(catalog.cases().unwrap()[0].kind, CaseKind::Example);
    assert_eq!(catalog.cases().unwrap()[1].kind, CaseKind::TestFile);
}

#[test]
fn live_patterns_win_over_every_other_rule_and_the_configuration_gives_them() {
    let files = [("modules/x/main.tf", ""), ("a/examples/y/main.tf", ""), ("z/main.tf", BACKEND)];
    let repo = Repo::with(&files);
    let text = "[catalog]\nlive = [\"modules/x\", \"**/examples/*\"]\nmodules = [\"z\"]\n";
    let rules = Configuration::parse(text, "infraflow.toml").unwrap().section::<CatalogRules>().unwrap();
    let catalog = catalog_at(&repo, "HEAD", &rules);
    assert_eq!(units(&catalog), ["a/examples/y", "modules/x"]);
    assert_eq!(modules(&catalog), ["z"]);
}

#[test]
fn an_example_belongs_to_the_module_above_unless_it_calls_only_others() {
    let catalog = catalog(&[
        ("main.tf", "module \"k\" {\n  source = \"./modules/k\"\n}\n"),
        ("modules/k/main.tf", ""),
        (
            "examples/both/main.tf",
            "module \"r\" {\n  source = \"../..\"\n}\nmodule \"k\" {\n  source = \"../../modules/k\"\n}\n",
        ),
        ("examples/k/main.tf", "module \"k\" {\n  source = \"../../modules/k\"\n}\n"),
        ("examples/registry/main.tf", "module \"r\" {\n  source = \"acme/root/aws\"\n}\n"),
        ("examples/both/helper/main.tf", ""),
        ("examples/registry/call.tf", "module \"h\" {\n  source = \"../both/helper\"\n}\n"),
    ]);
    let found = cases(&catalog);
    assert!(found.contains(&("examples/both".into(), ".".into())), "{found:?}");
    assert!(found.contains(&("examples/k".into(), "modules/k".into())), "{found:?}");
    // What another directory calls is no example of its own.
    assert!(modules(&catalog).contains(&"examples/both/helper".to_string()));
}

#[test]
fn a_call_is_proved_by_its_place() {
    let text = "# é\nmodule \"n\" {\n  source = \"../../modules/n\"\n}\n";
    let catalog = catalog(&[("modules/n/main.tf", ""), ("live/a/main.tf", text), ("live/a/b.tf", BACKEND)]);
    let references = catalog.references().unwrap();
    let call = references.iter().find(|reference| reference.kind == ReferenceKind::ModuleCall).unwrap();
    assert_eq!(call.to, Node::Module(path("modules/n")));
    assert_eq!(&text[call.link.start..call.link.end], "module \"n\"");
    assert_eq!((call.link.line, call.link.column, call.link.reference.as_str()), (2, 1, "module.n"));
    let call = &catalog.calls().unwrap()[0];
    assert_eq!(&text[call.source_span()], "../../modules/n");
    assert_eq!(call.units[0].path(), &path("live/a"));
    assert_eq!(call.target, Some(path("modules/n")));
}

#[test]
fn an_override_replaces_the_source_and_a_json_file_calls_too() {
    let catalog = catalog(&[
        ("a/main.tf", "module \"x\" {\n  source = \"../first\"\n}\n"),
        ("a/main_override.tf", "module \"x\" {\n  source = \"../second\"\n}\n"),
        ("a/j.tf.json", "{\"module\": {\"j\": {\"source\": \"../third\"}}}"),
        ("first/main.tf", ""),
        ("second/main.tf", ""),
        ("third/main.tf", ""),
    ]);
    let targets: Vec<_> =
        catalog.calls().unwrap().iter().map(|call| call.target.clone().unwrap().to_string()).collect();
    assert_eq!(targets, ["third", "second"]);
}

#[test]
fn a_git_source_that_means_this_repository_is_followed_and_a_pinned_one_is_not() {
    let repo = Repo::with(&[
        ("modules/x/main.tf", ""),
        ("a/main.tf", "module \"x\" {\n  source = \"git@github.com:acme/infra.git//modules/x\"\n}\n"),
        ("b/main.tf", "module \"x\" {\n  source = \"github.com/acme/infra//modules/x?ref=v1\"\n}\n"),
        (
            "c/main.tf",
            "module \"x\" {\n  source = \"git::https://github.com/acme/infra//modules/x?ref=main\"\n}\n",
        ),
        ("d/main.tf", "module \"x\" {\n  source = \"github.com/other/infra//modules/x\"\n}\n"),
        ("e/main.tf", "module \"x\" {\n  source = \"modules/x/aws\"\n}\n"),
    ]);
    repo.git(&["remote", "add", "origin", "https://github.com/acme/infra.git"]);
    let called = |catalog: &Catalog| -> Vec<String> {
        let calls = catalog.calls().unwrap().into_iter().filter(|call| call.target.is_some());
        calls.map(|call| call.in_file.to_string()).collect()
    };
    assert_eq!(called(&catalog_at(&repo, "HEAD", &CatalogRules::default())), ["a/main.tf", "c/main.tf"]);
    repo.git(&["remote", "remove", "origin"]);
    let rules = CatalogRules::default().with_address("github.com/acme/infra");
    assert_eq!(called(&catalog_at(&repo, "HEAD", &rules)), ["a/main.tf", "c/main.tf"]);
}

#[test]
fn a_path_is_followed_through_locals_variables_and_callers_to_the_unit_that_gives_it() {
    let catalog = catalog(&[
        (
            "modules/inner/main.tf",
            "variable \"file\" {}\nlocals {\n  f = var.file\n}\noutput \"o\" { value = file(local.f) }\n",
        ),
        (
            "modules/outer/main.tf",
            "variable \"name\" {}\nmodule \"i\" {\n  source = \"../inner\"\n  file = \"${path.root}/files/${var.name}.json\"\n}\n",
        ),
        ("live/a/main.tf", "module \"o\" {\n  source = \"../../modules/outer\"\n  name = \"x\"\n}\n"),
        ("live/a/backend.tf", BACKEND),
        (
            "live/b/main.tf",
            "variable \"n\" { default = \"d\" }\nmodule \"o\" {\n  source = \"../../modules/outer\"\n  name = var.n\n}\n",
        ),
        ("live/b/terraform.tfvars", "n = \"y\"\n"),
    ]);
    let from = |file: &str| -> Vec<Node> {
        let reads = references_to(&catalog, file).into_iter();
        // The argument names the file too; the read is what is asked for.
        let reads = reads.filter(|reference| reference.kind == ReferenceKind::FileRead);
        reads.map(|reference| reference.from).collect()
    };
    let unit = |id: &str| Node::Unit(infraflow_core::catalog::UnitId::parse(id).unwrap());
    assert_eq!(from("live/a/files/x.json"), [unit("live/a")]);
    assert_eq!(from("live/b/files/y.json"), [unit("live/b")]);
    // The values that are read by default leave none to the default.
    assert!(from("live/b/files/d.json").is_empty());
    assert!(from("live/a/files/y.json").is_empty());
    assert!(catalog.warnings().unwrap().is_empty(), "{:?}", catalog.warnings().unwrap());
}

#[test]
fn cycles_of_calls_locals_and_links_end() {
    let repo = Repo::with(&[
        (
            "a/main.tf",
            "variable \"p\" { default = \"x\" }\nmodule \"b\" {\n  source = \"../b\"\n  p = \"${var.p}/y\"\n}\noutput \"o\" { value = file(var.p) }\n",
        ),
        (
            "b/main.tf",
            "variable \"p\" {}\nmodule \"a\" {\n  source = \"../a\"\n  p = \"${var.p}/z\"\n}\nmodule \"me\" {\n  source = \"./\"\n}\n",
        ),
        (
            "c/main.tf",
            "locals {\n  x = local.y\n  y = local.x\n  z = file(local.x)\n}\nmodule \"l\" {\n  source = \"./loop\"\n}\n",
        ),
    ]);
    std::os::unix::fs::symlink("loop", repo.path.join("c/loop")).unwrap();
    repo.commit("links");
    let catalog = catalog_at(&repo, "HEAD", &rules(&["a"]));
    assert_eq!(units(&catalog), ["a"]);
    assert!(
        catalog.warnings().unwrap().iter().any(|text| text.contains("c/main.tf:4")),
        "{:?}",
        catalog.warnings().unwrap()
    );
}

#[test]
fn a_link_out_of_the_repository_is_told_and_never_followed() {
    let repo = Repo::with(&[("live/a/main.tf", "module \"x\" {\n  source = \"../../../../etc\"\n}\n")]);
    std::os::unix::fs::symlink("/etc/passwd", repo.path.join("live/a/secret.tf")).unwrap();
    std::os::unix::fs::symlink("../../../outside.tf", repo.path.join("live/a/up.tf")).unwrap();
    repo.commit("links");
    let catalog = catalog_at(&repo, "HEAD", &CatalogRules::default());
    let told: Vec<_> =
        catalog.unparsable().unwrap().into_iter().map(|file| (file.path.to_string(), file.why)).collect();
    let why = "the link leads out of the repository, or in a circle".to_owned();
    assert_eq!(told, [("live/a/secret.tf".to_owned(), why.clone()), ("live/a/up.tf".to_owned(), why)]);
    assert!(catalog.warnings().unwrap().iter().any(|text| text.contains("outside the repository")));
}

#[test]
fn a_file_that_cannot_be_understood_is_listed_and_its_neighbours_still_count() {
    let repo = Repo::with(&[
        ("m/broken.tf", "variable \"a\" {\n"),
        ("m/main.tf", "module \"n\" {\n  source = \"../n\"\n}\n"),
        ("n/main.tf", ""),
        ("live/x.tfvars", "a = [\n"),
    ]);
    let catalog = catalog_at(&repo, "HEAD", &CatalogRules::default());
    let listed: Vec<_> =
        catalog.unparsable().unwrap().iter().map(|file| (file.path.to_string(), file.line)).collect();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[1].0, "m/broken.tf");
    assert_eq!(catalog.calls().unwrap()[0].target, Some(path("n")));
}

#[test]
fn paths_with_spaces_quotes_and_other_letters_are_followed() {
    let catalog = catalog(&[
        ("modules/größe \"1\"/main.tf", "locals {\n  x = file(\"${path.module}/täst datei.json\")\n}\n"),
        ("live/é a/main.tf", "module \"x\" {\n  source = \"../../modules/größe \\\"1\\\"\"\n}\n"),
    ]);
    assert_eq!(catalog.calls().unwrap()[0].target, Some(path("modules/größe \"1\"")));
    assert_eq!(references_to(&catalog, "modules/größe \"1\"/täst datei.json").len(), 1);
}

#[test]
fn the_working_tree_is_catalogued_as_it_stands() {
    let repo = Repo::with(&[("a/main.tf", BACKEND), (".gitignore", "ignored/\n")]);
    repo.write("b/main.tf", BACKEND);
    repo.write("ignored/main.tf", BACKEND);
    repo.write("c/.terraform/modules/x/main.tf", BACKEND);
    assert_eq!(units(&catalog_at(&repo, "WORKTREE", &CatalogRules::default())), ["a", "b"]);
    assert_eq!(units(&catalog_at(&repo, "HEAD", &CatalogRules::default())), ["a"]);
}

#[test]
fn two_dialects_of_one_name_are_refused() {
    let repo = Repo::with(&[("a/main.tf", "")]);
    let repository = Repository::open(&repo.path).unwrap();
    let tree = repository.tree(&repository.revision("HEAD").unwrap()).unwrap();
    let twice: [Arc<dyn Dialect>; 2] = [Arc::new(TerraformDialect), Arc::new(TerraformDialect)];
    let error = Catalog::build(&tree, &twice, &CatalogRules::default()).unwrap_err();
    assert!(matches!(error, CatalogError::TwoDialects { .. }), "{error}");
}
