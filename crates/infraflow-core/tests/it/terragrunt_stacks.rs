//! Tests of the Terragrunt dialect: the units that explicit stacks generate.

use infraflow_core::impact::{AffectedStackUnit, Impact};

use crate::{
    fixture::Repo,
    terragrunt::{dependents, impact, impact_of, units},
};

const TF: &str = "variable \"v\" { default = \"\" }\n";

fn paths(units: &[AffectedStackUnit]) -> Vec<String> {
    units.iter().map(|unit| unit.path.to_string()).collect()
}

fn stack_units(impact: &Impact) -> (Vec<String>, Vec<String>) {
    (paths(&impact.stack_units), paths(&impact.removed_stack_units))
}

fn owned(affected: &[&str], gone: &[&str]) -> (Vec<String>, Vec<String>) {
    let all = |list: &[&str]| list.iter().map(|path| format!("live/.terragrunt-stack/{path}")).collect();
    (all(affected), all(gone))
}

const STACK: &str = "locals {\n  size = read_terragrunt_config(\"size.hcl\").locals.size\n}\nunit \"vpc\" {\n  source = \"../catalog/units/vpc\"\n  path   = \"vpc\"\n  values = {\n    conf = \"conf.json\"\n  }\n}\nunit \"db\" {\n  source = \"../catalog/units/db\"\n  path   = \"data/db\"\n  values = {\n    size = local.size\n  }\n}\nstack \"inner\" {\n  source = \"${get_repo_root()}/catalog/stacks/inner\"\n  path   = \"inner\"\n  values = {\n    conf = \"inner.json\"\n  }\n}\n";

const FILES: [(&str, &str); 12] = [
    ("root.hcl", ""),
    ("live/terragrunt.stack.hcl", STACK),
    ("live/size.hcl", "locals {\n  size = 1\n  unused = 1\n}\n"),
    ("live/conf.json", ""),
    ("live/inner.json", ""),
    (
        "catalog/units/vpc/terragrunt.hcl",
        "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\nlocals {\n  c = file(find_in_parent_folders(values.conf))\n}\nterraform {\n  source = \"${get_repo_root()}/modules//vpc\"\n}\n",
    ),
    ("catalog/units/db/terragrunt.hcl", "inputs = {\n  size = values.size\n}\n"),
    ("catalog/units/db/main.tf", TF),
    (
        "catalog/stacks/inner/terragrunt.stack.hcl",
        "unit \"net\" {\n  source = \"${get_repo_root()}/catalog/units/vpc\"\n  path   = \"net\"\n  values = {\n    conf = values.conf\n  }\n}\n",
    ),
    ("modules/vpc/main.tf", "module \"base\" {\n  source = \"../base\"\n}\n"),
    ("modules/base/main.tf", TF),
    ("catalog/root.hcl", ""),
];

/// A file, what stands there and what takes its place; the units of the stack that are told, and those that are gone.
type Told<'a> = (&'a str, &'a str, &'a str, &'a [&'a str], &'a [&'a str]);

#[test]
fn of_an_affected_stack_the_units_are_told_that_come_out_differently() {
    const INNER: &str = "inner/.terragrunt-stack/net";
    let changes: [Told<'_>; 10] = [
        ("live/conf.json", "", "x", &["vpc"], &[]),
        ("live/inner.json", "", "x", &[INNER], &[]),
        ("root.hcl", "", "# x\n", &[INNER, "vpc"], &[]),
        ("modules/base/main.tf", "", "# x\n", &[INNER, "vpc"], &[]),
        ("catalog/units/db/main.tf", "", "# x\n", &["data/db"], &[]),
        ("live/size.hcl", "size = 1", "size = 2", &["data/db"], &[]),
        ("live/size.hcl", "unused = 1", "unused = 2", &[], &[]),
        ("live/terragrunt.stack.hcl", "path   = \"data/db\"", "path   = \"db\"", &["db"], &["data/db"]),
        ("live/terragrunt.stack.hcl", "inner.json", "conf.json", &[INNER], &[]),
        ("catalog/stacks/inner/terragrunt.stack.hcl", "values.conf", "\"conf.json\"", &[INNER], &[]),
    ];
    let mut wrong = Vec::new();
    for (changed, from, to, affected, gone) in changes {
        let before = FILES.iter().find(|(path, _)| *path == changed).unwrap().1;
        let after = if from.is_empty() { format!("{before}{to}") } else { before.replace(from, to) };
        let found = impact(&FILES, |repo| repo.write(changed, after));
        let of_live = |list: Vec<String>| -> Vec<String> {
            list.into_iter().filter(|path| path.starts_with("live/")).collect()
        };
        let told = (of_live(paths(&found.stack_units)), of_live(paths(&found.removed_stack_units)));
        if told != owned(affected, gone) || !units(&found).contains(&"live".to_owned()) {
            wrong.push(format!("{changed} {from:?}: {told:?}, units {:?}", units(&found)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_catalog_is_judged_where_its_units_are_generated() {
    // catalog/root.hcl is what the unit would find from its own place.
    let found = impact(&FILES, |repo| repo.write("catalog/root.hcl", "# changed\n"));
    assert!(!units(&found).contains(&"live".to_owned()), "{:?}", units(&found));
}

#[test]
fn units_of_a_stack_come_and_go_with_it() {
    let stack = "unit \"a\" {\n  source = \"../u\"\n  path   = \"a\"\n}\nunit \"flat\" {\n  source = \"../u\"\n  path   = \"flat\"\n  no_dot_terragrunt_stack = true\n}\n";
    let files = [("u/terragrunt.hcl", ""), ("u/main.tf", TF), ("old/terragrunt.stack.hcl", stack)];
    let found = impact(&files, |repo| {
        repo.remove("old/terragrunt.stack.hcl");
        repo.write("new/terragrunt.stack.hcl", stack.replace("\"a\"", "\"b\""));
    });
    let all =
        |stack: &str, name: &str| vec![format!("{stack}/.terragrunt-stack/{name}"), format!("{stack}/flat")];
    assert_eq!(stack_units(&found), (all("new", "b"), all("old", "a")));
    let unit = &found.stack_units[0];
    assert_eq!((unit.id.to_string(), unit.stack.to_string()), (unit.path.to_string(), "new".to_owned()));
    assert!(unit.reasons[0].text.contains("new generates it"), "{:?}", unit.reasons);
    assert_eq!(unit.reasons[0].chain[0].line, 1);
}

#[test]
fn what_is_not_known_of_a_unit_counts_as_changed_with_its_stack() {
    let stack = "unit \"a\" {\n  source = \"../u\"\n  path   = \"a\"\n  values = {\n    v = run_cmd(\"date\")\n  }\n}\nunit \"b\" {\n  source = \"../u\"\n  path   = \"b\"\n}\n";
    let files = [("u/terragrunt.hcl", ""), ("live/terragrunt.stack.hcl", stack)];
    let found = impact(&files, |repo| repo.write("live/terragrunt.stack.hcl", format!("{stack}# changed\n")));
    assert_eq!(stack_units(&found), owned(&["a"], &[]));
}

#[test]
fn configuration_that_a_stack_lays_over_a_unit_counts_for_that_unit() {
    let stack = "locals {\n  module = \"x\"\n}\nunit \"vpc\" {\n  source = \"../u\"\n  path   = \"vpc\"\n}\nunit \"app\" {\n  source = \"../u\"\n  path   = \"app\"\n  autoinclude {\n    terraform {\n      source = \"${get_repo_root()}/m/${local.module}\"\n    }\n    dependency \"vpc\" {\n      config_path = unit.vpc.path\n    }\n    dependency \"dns\" {\n      config_path = \"../../../dns\"\n    }\n    inputs = {\n      id   = dependency.vpc.outputs.id\n      more = file(\"more.txt\")\n    }\n  }\n}\nstack \"s\" {\n  source = \"../s\"\n  path   = \"s\"\n  autoinclude {\n    unit \"one\" {\n      source = \"${get_repo_root()}/v\"\n      path   = \"one\"\n    }\n    unit \"two\" {\n      source = \"${get_repo_root()}/v\"\n      path   = \"two\"\n    }\n  }\n}\n";
    let files = [
        ("u/terragrunt.hcl", "terraform {\n  source = \"${get_repo_root()}/m/y\"\n}\n"),
        ("v/terragrunt.hcl", ""),
        ("v/main.tf", TF),
        ("s/terragrunt.stack.hcl", "unit \"one\" {\n  source = \"../u\"\n  path   = \"one\"\n}\n"),
        ("m/x/main.tf", TF),
        ("m/y/main.tf", TF),
        ("dns/terragrunt.hcl", ""),
        ("live/more.txt", ""),
        ("live/terragrunt.stack.hcl", stack),
    ];
    const NESTED: [&str; 2] = ["s/.terragrunt-stack/one", "s/.terragrunt-stack/two"];
    for (changed, affected) in [
        ("m/x/main.tf", &["app"][..]),
        ("m/y/main.tf", &["vpc"]),
        ("live/more.txt", &["app"]),
        ("v/main.tf", &NESTED),
    ] {
        let found = impact(&files, |repo| repo.write(changed, "# changed\n"));
        let told: Vec<String> =
            paths(&found.stack_units).into_iter().filter(|path| path.starts_with("live/")).collect();
        assert_eq!(told, owned(affected, &[]).0, "{changed}");
    }
    let found = impact(&files, |repo| repo.write("dns/terragrunt.hcl", "# changed\n"));
    assert_eq!((units(&found), dependents(&found)), (vec!["dns".to_owned()], vec!["live".to_owned()]));
    let later = stack.replace("dependency.vpc.outputs.id\n", "dependency.vpc.outputs.name\n");
    let found = impact(&files, |repo| repo.write("live/terragrunt.stack.hcl", later));
    assert_eq!(stack_units(&found), owned(&["app"], &[]));
}

#[test]
fn a_stack_that_is_fetched_from_this_very_repository_is_judged_by_its_files() {
    let source = |query: &str| {
        format!(
            "unit \"a\" {{\n  source = \"git::https://github.com/acme/infra.git//u{query}\"\n  path   = \"a\"\n}}\n"
        )
    };
    let repo = Repo::with(&[
        ("u/terragrunt.hcl", "locals {\n  f = file(\"beside.txt\")\n}\n"),
        ("u/beside.txt", ""),
        ("live/terragrunt.stack.hcl", &source("")),
        ("pinned/terragrunt.stack.hcl", &source("?ref=v1.0.0")),
    ]);
    repo.git(&["remote", "add", "origin", "https://github.com/acme/infra.git"]);
    repo.branch("feature");
    repo.write("u/beside.txt", "changed\n");
    repo.commit("feat: change");
    let found = impact_of(&repo).0;
    assert_eq!(units(&found), ["live", "u"]);
    assert_eq!(stack_units(&found), owned(&["a"], &[]));
}

#[test]
fn generated_units_that_are_committed_are_units_of_their_own() {
    let files = [
        ("u/terragrunt.hcl", ""),
        ("live/terragrunt.stack.hcl", "unit \"a\" {\n  source = \"../u\"\n  path   = \"a\"\n}\n"),
        ("live/.terragrunt-stack/a/terragrunt.hcl", ""),
        ("after/terragrunt.hcl", "dependency \"a\" {\n  config_path = \"../live/.terragrunt-stack/a\"\n}\n"),
    ];
    let found = impact(&files, |repo| repo.write("live/.terragrunt-stack/a/terragrunt.hcl", "# changed\n"));
    assert_eq!(units(&found), ["live/.terragrunt-stack/a"]);
    assert_eq!(dependents(&found), ["after"]);
}

#[test]
fn of_a_unit_from_elsewhere_the_configuration_above_it_counts() {
    let stack = "locals {\n  name = \"${get_env(\"PREFIX\", \"\")}app\"\n}\nunit \"a\" {\n  source = \"github.com/acme/catalog//units/a?ref=v1.0.0\"\n  path   = \"a\"\n  values = {\n    name = \"${local.name}-a\"\n  }\n}\n";
    let files = [
        ("root.hcl", ""),
        ("prod/region.hcl", ""),
        ("prod/notes.md", ""),
        ("prod/live/terragrunt.stack.hcl", stack),
        ("stage/region.hcl", ""),
    ];
    for (changed, expected) in
        [("root.hcl", true), ("prod/region.hcl", true), ("prod/notes.md", false), ("stage/region.hcl", false)]
    {
        let found = impact(&files, |repo| repo.write(changed, "# changed\n"));
        assert_eq!(paths(&found.stack_units) == ["prod/live/.terragrunt-stack/a"], expected, "{changed}");
        assert_eq!(units(&found) == ["prod/live"], expected, "{changed}");
    }
    let found =
        impact(&files, |repo| repo.write("prod/live/terragrunt.stack.hcl", format!("{stack}# changed\n")));
    assert_eq!((units(&found), found.stack_units), (vec!["prod/live".to_owned()], vec![]));
    let found = impact(&files, |repo| {
        repo.write("prod/live/terragrunt.stack.hcl", stack.replace("v1.0.0", "v1.1.0"));
    });
    assert_eq!(paths(&found.stack_units), ["prod/live/.terragrunt-stack/a"]);
}

#[test]
fn a_directory_without_configuration_makes_no_unit() {
    let stack =
        "unit \"a\" {\n  source        = \"../data\"\n  path          = \"a\"\n  no_validation = true\n}\n";
    let files = [("data/x.json", ""), ("old/terragrunt.stack.hcl", stack)];
    let found = impact(&files, |repo| repo.remove("old/terragrunt.stack.hcl"));
    assert_eq!(found.removed_stack_units, []);
}

#[test]
fn a_committed_autoinclude_sees_the_names_of_its_stack() {
    let files = [
        ("u/terragrunt.hcl", ""),
        ("u/main.tf", TF),
        ("live/terragrunt.stack.hcl", "locals {\n  region = \"eu\"\n}\n"),
        (
            "live/terragrunt.autoinclude.stack.hcl",
            "unit \"extra\" {\n  source = \"../u\"\n  path   = \"extra-${local.region}\"\n}\n",
        ),
    ];
    let found = impact(&files, |repo| repo.write("u/main.tf", "# changed\n"));
    assert_eq!(stack_units(&found), owned(&["extra-eu"], &[]));
}
