//! A tree laid over the index of another says what reading it anew says, where that is easily missed: each change is
//! asked in both directions.

use std::{os::unix::fs::symlink, path::PathBuf};

use infraflow_core::{
    catalog::{Catalog, CatalogCache, CatalogRules, ToolChoice},
    git::{Repository, Revision},
    policy::PathPattern,
};

use crate::{
    catalog::{dialects, rules, told},
    fixture::Repo,
};

/// What becomes of a path.
enum Edit {
    Write(&'static str, &'static str),
    Remove(&'static str),
    Link(&'static str, &'static str),
}
use Edit::{Link, Remove, Write};

/// Asks each of several edits in both directions.
fn each_laid_over(files: &[(&str, &str)], all: &[&[Edit]]) {
    for edits in all {
        let path = |edit: &Edit| match edit {
            Write(path, _) | Remove(path) | Link(path, _) => *path,
        };
        let what: Vec<&str> = edits.iter().map(path).collect();
        laid_over(&CatalogRules::default(), files, edits).unwrap_or_else(|why| panic!("{what:?}: {why}"));
    }
}

/// Asks in both directions; what differs.
fn laid_over(rules: &CatalogRules, files: &[(&str, &str)], edits: &[Edit]) -> Result<(), String> {
    let repo = Repo::with(files);
    repo.branch("feature");
    for edit in edits {
        match edit {
            Write(path, text) => repo.write(path, text),
            Remove(path) => {
                repo.remove(path);
                // Folders that become empty are gone, as git has them.
                let above =
                    repo.path.join(path).ancestors().skip(1).map(Into::into).collect::<Vec<PathBuf>>();
                above.iter().take_while(|folder| std::fs::remove_dir(folder).is_ok()).count();
            }
            Link(path, to) => {
                let path = repo.path.join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                symlink(to, path).unwrap();
            }
        }
    }
    repo.commit("feature");
    let repository = Repository::open(&repo.path).unwrap();
    let tree = |name: &str| repository.tree(&Revision::Commit(repository.resolve(name).unwrap())).unwrap();
    for [from, to] in [["main", "feature"], ["feature", "main"]] {
        let folder = tempfile::tempdir().unwrap();
        let cache = CatalogCache::in_folder(folder.path());
        cache.catalog(&tree(from), &dialects(), rules).unwrap();
        let (_, laid) = cache.ends(&tree(from), &tree(to), &dialects(), rules).unwrap();
        let anew = Catalog::build(&tree(to), &dialects(), rules).unwrap();
        let (anew, laid) = (told(&anew), told(&laid));
        if anew != laid {
            let at = anew.lines().zip(laid.lines()).position(|(one, two)| one != two);
            let at = at.unwrap_or_else(|| anew.lines().count().min(laid.lines().count())).saturating_sub(3);
            let around = |text: &str| text.lines().skip(at).take(12).collect::<Vec<_>>().join("\n");
            return Err(format!("{to} over {from}\nanew:\n{}\nlaid over:\n{}", around(&anew), around(&laid)));
        }
    }
    Ok(())
}

const CALL: &str = "module \"m\" {\n  source = \"../../modules/m\"\n}\n";

#[test]
fn a_file_that_another_is_read_in_place_of() {
    for (tf, tofu) in [
        ("modules/m/a.tf", "modules/m/a.tofu"),
        ("modules/m/a.tf.json", "modules/m/a.tofu.json"),
        ("modules/m/a.tftest.hcl", "modules/m/a.tofutest.hcl"),
        ("modules/m/tests/a.tftest.json", "modules/m/tests/a.tofutest.json"),
    ] {
        let text = if tf.ends_with("json") { "{}" } else { "variables {}\n" };
        for tool in [ToolChoice::Either, ToolChoice::Terraform, ToolChoice::Opentofu] {
            let rules = rules(&["live/**"]).with_tool(tool);
            let files = [("modules/m/main.tf", ""), ("live/a/main.tf", CALL), (tf, text)];
            laid_over(&rules, &files, &[Write(tofu, text)])
                .unwrap_or_else(|why| panic!("{tool:?} {tofu}: {why}"));
        }
    }
}

#[test]
fn what_stands_there_is_of_another_kind() {
    let rules = rules(&["live/**"]);
    let files = [
        ("modules/m/main.tf", "locals {\n  a = file(\"${path.module}/x/a\")\n}\n"),
        ("modules/m/x/a", "1"),
        ("modules/n/main.tf", "variable \"a\" {}\n"),
        ("live/a/main.tf", CALL),
        ("live/a/dev.tfvars", "a = 1\n"),
    ];
    let changes: &[(&str, &[Edit])] = &[
        (
            "a directory is a file",
            &[Remove("modules/m/x/a"), Remove("modules/m/main.tf"), Write("modules/m2", "")],
        ),
        (
            "a directory is a link",
            &[Remove("modules/m/x/a"), Remove("modules/m/main.tf"), Link("modules/m3", "n")],
        ),
        ("a link to a file", &[Remove("modules/m/main.tf"), Link("modules/m/main.tf", "../n/main.tf")]),
        ("a link to nothing", &[Remove("modules/m/main.tf"), Link("modules/m/main.tf", "../n/nothing.tf")]),
        ("a link to itself", &[Remove("modules/m/main.tf"), Link("modules/m/main.tf", "main.tf")]),
        (
            "links in a circle",
            &[
                Link("modules/o", "p"),
                Link("modules/p", "o"),
                Write("live/a/main.tf", "module \"m\" {\n  source = \"../../modules/o\"\n}\n"),
            ],
        ),
        ("a link out of the repository", &[Remove("modules/m/x/a"), Link("modules/m/x/a", "/etc/passwd")]),
        (
            "values behind a link",
            &[
                Remove("live/a/dev.tfvars"),
                Link("live/a/dev.auto.tfvars", "../../modules/n/v"),
                Write("modules/n/v", "a = 2\n"),
            ],
        ),
        ("a directory behind a link", &[Link("live/b", "a")]),
        (
            "a link over what was called",
            &[Remove("modules/m/x/a"), Remove("modules/m/main.tf"), Link("modules/m", "n")],
        ),
    ];
    for (what, edits) in changes {
        laid_over(&rules, &files, edits).unwrap_or_else(|why| panic!("{what}: {why}"));
    }
}

#[test]
fn everything_stands_at_the_root() {
    let rules = CatalogRules::default();
    let files = [
        ("main.tf", "module \"m\" {\n  source = \"./m\"\n  p = \"${path.root}/a\"\n}\n"),
        ("m/main.tf", "variable \"p\" {}\nlocals {\n  a = file(var.p)\n}\n"),
        ("a", "1"),
    ];
    laid_over(&rules, &files, &[Remove("main.tf")]).unwrap();
    laid_over(&rules, &files, &[Write("terraform.tfvars", "")]).unwrap();
    laid_over(
        &rules,
        &files,
        &[Write("m/main.tf", "variable \"p\" {}\nlocals {\n  a = file(\"${var.p}.x\")\n}\n")],
    )
    .unwrap();
    laid_over(&rules, &files, &[Write("a.tftest.hcl", "run \"a\" {}\n")]).unwrap();
    laid_over(&rules, &files, &[Write("tests/a.tftest.hcl", "run \"a\" {}\n"), Remove("main.tf")]).unwrap();
}

#[test]
fn a_tree_has_nothing() {
    let rules = CatalogRules::default();
    laid_over(&rules, &[], &[Write("live/a/main.tf", CALL)]).unwrap();
    laid_over(&rules, &[("README.md", "")], &[Write("modules/m/main.tf", "")]).unwrap();
    laid_over(&rules, &[("modules/m/main.tf", "")], &[Remove("modules/m/main.tf")]).unwrap();
}

#[test]
fn modules_call_each_other_in_a_circle() {
    let rules = rules(&["live/**"]);
    let a = "variable \"x\" {}\nmodule \"b\" {\n  source = \"../b\"\n  x = var.x\n}\n";
    let b = "variable \"x\" {}\nmodule \"a\" {\n  source = \"../a\"\n  x = \"${var.x}/y\"\n}\nlocals {\n  f = file(var.x)\n}\n";
    let files = [
        ("modules/a/main.tf", a),
        ("modules/b/main.tf", b),
        ("modules/c/main.tf", ""),
        ("live/a/main.tf", "module \"a\" {\n  source = \"../../modules/a\"\n  x = \"${path.module}/f\"\n}\n"),
    ];
    laid_over(
        &rules,
        &files,
        &[Write(
            "modules/b/main.tf",
            "variable \"x\" {}\nmodule \"a\" {\n  source = \"../a\"\n  x = var.x\n}\n",
        )],
    )
    .unwrap();
    laid_over(
        &rules,
        &files,
        &[Write(
            "modules/b/main.tf",
            "variable \"x\" {}\nmodule \"a\" {\n  source = \"../c\"\n}\nlocals {\n  f = file(var.x)\n}\n",
        )],
    )
    .unwrap();
    laid_over(&rules, &files, &[Write("modules/c/main.tf", b)]).unwrap();
}

#[test]
fn names_that_begin_alike() {
    let rules = rules(&["live/**"]);
    let files = [
        ("live/a/main.tf", CALL),
        ("live/a-b/main.tf", CALL),
        ("live/a.b/main.tf", CALL),
        ("live/a0/main.tf", CALL),
        ("live/a/b/main.tf", CALL),
        ("modules/m/main.tf", ""),
        ("modules/m/tests/x.tftest.hcl", ""),
        ("modules/m-x/tests/x.tftest.hcl", ""),
    ];
    for path in [
        "live/a/terraform.tfvars",
        "live/a/b/x.auto.tfvars",
        "modules/m-x/main.tf",
        "live/a.tf",
        "live/root.tf",
    ] {
        laid_over(&rules, &files, &[Write(path, "")]).unwrap_or_else(|why| panic!("{path}: {why}"));
    }
    laid_over(&rules, &files, &[Remove("modules/m/main.tf")]).unwrap();
    laid_over(&rules, &files, &[Remove("live/a/main.tf")]).unwrap();
}

#[test]
fn what_a_terragrunt_unit_looks_for_above_it_comes_and_goes() {
    let unit = "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\nlocals {\n  env = read_terragrunt_config(find_in_parent_folders(\"env.hcl\", \"none.hcl\"))\n}\nterraform {\n  source = \"../../modules//m\"\n}\n";
    let files = [
        ("root.hcl", "inputs = {}\n"),
        ("live/dev/a/terragrunt.hcl", unit),
        ("live/dev/b/terragrunt.hcl", "dependency \"a\" {\n  config_path = \"../a\"\n}\n"),
        ("modules/m/main.tf", "variable \"f\" {}\nlocals {\n  x = file(var.f)\n}\n"),
    ];
    let all: &[&[Edit]] = &[
        &[Write("live/env.hcl", "locals {\n  a = 1\n}\n")],
        &[Write("live/root.hcl", "terraform {\n  source = \"../../../modules//n\"\n}\n")],
        &[Remove("root.hcl")],
        &[Write("root.hcl", "inputs = {\n  f = \"${get_terragrunt_dir()}/f\"\n}\n")],
        &[Write("live/dev/a/main.tf", "")],
        &[Remove("live/dev/a/terragrunt.hcl")],
        &[Write("live/dev/terragrunt.stack.hcl", "unit \"u\" {\n  source = \"../a\"\n  path = \"u\"\n}\n")],
        &[
            Remove("root.hcl"),
            Link("root.hcl", "live/other.hcl"),
            Write("live/other.hcl", "inputs = {\n  f = 1\n}\n"),
        ],
    ];
    each_laid_over(&files, all);
}

#[test]
fn what_terramate_stacks_inherit_comes_and_goes() {
    let files = [
        ("terramate.tm.hcl", "terramate {}\n"),
        ("live/stack.tm.hcl", "globals {\n  a = \"x\"\n}\n"),
        ("live/a/stack.tm.hcl", "stack {\n  name = \"a\"\n  after = [\"tag:b\"]\n}\n"),
        ("live/a/main.tf", ""),
        ("live/b/stack.tm.hcl", "stack {\n  tags = [\"b\"]\n}\n"),
        ("live/a/sub/main.tf", ""),
    ];
    let all: &[&[Edit]] = &[
        &[Write(
            "live/gen.tm.hcl",
            "generate_hcl \"g.tf\" {\n  content {\n    module \"m\" {\n      source = \"../../modules/${global.a}\"\n    }\n  }\n}\n",
        )],
        &[Write("live/stack.tm.hcl", "globals {\n  a = \"y\"\n}\n")],
        &[Write("live/a/sub/stack.tm.hcl", "stack {}\n")],
        &[Remove("live/a/stack.tm.hcl")],
        &[Write("live/b/stack.tm.hcl", "stack {}\n")],
        &[
            Write("imported.hcl", "globals {\n  b = 1\n}\n"),
            Write("live/i.tm.hcl", "import {\n  source = \"/imported.hcl\"\n}\n"),
        ],
        &[Write("live/.tmskip", "")],
        &[Write("live/a/.tmskip", "")],
    ];
    each_laid_over(&files, all);
}

#[test]
fn what_kustomizations_and_charts_name_comes_and_goes() {
    let files = [
        ("base/kustomization.yaml", "resources:\n- a.yaml\n"),
        ("base/a.yaml", ""),
        ("over/kustomization.yaml", "resources:\n- ../base\nhelmCharts:\n- name: c\n"),
        ("over/charts/c/Chart.yaml", "name: c\n"),
        ("chart/Chart.yaml", "name: x\ndependencies:\n- name: y\n  repository: file://../y\n"),
        ("y/values.yaml", ""),
    ];
    let all: &[&[Edit]] = &[
        &[Write("base/kustomization.yml", "resources: []\n")],
        &[Remove("base/kustomization.yaml"), Write("base/Kustomization", "resources:\n- a.yaml\n")],
        &[Write("y/Chart.yaml", "name: y\n")],
        &[Remove("over/charts/c/Chart.yaml")],
        &[Write("chart/charts/z/Chart.yaml", "name: z\n"), Write("chart/.helmignore", "charts\n")],
        &[Write("over/main.tf", "terraform {\n  backend \"local\" {}\n}\n")],
        &[Remove("base/kustomization.yaml")],
    ];
    each_laid_over(&files, all);
}

#[test]
fn a_directory_is_left_out() {
    let mut rules = rules(&["live/**"]);
    rules.ignore.push(PathPattern::parse("old/**").unwrap());
    let files = [
        ("modules/m/main.tf", ""),
        ("old/m/main.tf", ""),
        ("live/a/main.tf", "module \"m\" {\n  source = \"../../old/m\"\n}\n"),
    ];
    laid_over(&rules, &files, &[Write("old/m/x.tf", "variable \"p\" {}\nlocals {\n  a = file(var.p)\n}\n")])
        .unwrap();
    laid_over(&rules, &files, &[Write("old/n/main.tf", ""), Write("live/a/terraform.tfvars", "")]).unwrap();
}

#[test]
fn more_paths_are_handed_through_a_module_than_are_followed() {
    let reads = |name: &str| {
        let each =
            (0..300).map(|n| format!("  f{n} = file(\"${{var.at}}/{name}{n}\")\n")).collect::<String>();
        format!("variable \"at\" {{}}\nlocals {{\n{each}}}\n")
    };
    let passes = |name: &str, at: &str| {
        format!("module \"{name}\" {{\n  source = \"../../modules/{name}\"\n  at = {at}\n}}\n")
    };
    let (a, b) = (reads("a"), reads("b"));
    let both = format!("variable \"at\" {{}}\n{}{}", passes("a", "var.at"), passes("b", "var.at"));
    let unit = passes("both", "\"data\"");
    let files = [
        ("modules/a/main.tf", a.as_str()),
        ("modules/b/main.tf", b.as_str()),
        ("modules/both/main.tf", both.as_str()),
        ("live/a/main.tf", unit.as_str()),
    ];
    // Which are followed is the same whatever else is read anew.
    let moved = |text: &str| &*format!("\n{text}").leak();
    let all: &[&[Edit]] = &[
        &[Write("modules/a/main.tf", moved(&a))],
        &[Write("modules/b/main.tf", moved(&b))],
        &[Write("modules/both/main.tf", moved(&both))],
        &[Write("live/a/main.tf", moved(&unit))],
    ];
    each_laid_over(&files, all);
}
