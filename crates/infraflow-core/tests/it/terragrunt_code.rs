//! Tests of the Terragrunt dialect: the Terraform code that a unit runs beside its module, and what it depends on.

use crate::{
    fixture::Repo,
    terragrunt::{dependents, impact, impact_of, units},
};

const TF: &str = "variable \"v\" { default = \"\" }\n";
const ROOT: &str = "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\n";

/// What each file touches when it changes; where it is not there, when it appears.
fn check(fact: &str, files: &[(&str, &str)], expected: &[(&str, &[&str])]) {
    let mut wrong = Vec::new();
    for (changed, expected) in expected {
        let before = files.iter().find(|(path, _)| path == changed).map_or("", |(_, text)| text);
        let found = impact(files, |repo| repo.write(changed, format!("{before}# changed\n")));
        if units(&found) != *expected {
            wrong.push(format!("{fact}: {changed} touches {:?} and not {expected:?}", units(&found)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn modules_that_generated_code_calls_touch_the_unit() {
    let call = |source: &str| {
        format!(
            "generate \"main\" {{\n  path      = \"main.tf\"\n  if_exists = \"overwrite\"\n  contents  = <<EOF\nmodule \"m\" {{\n  source = \"{source}\"\n}}\nEOF\n}}\n"
        )
    };
    check(
        "beside the unit that runs its own directory",
        &[
            ("m/x/main.tf", "module \"y\" {\n  source = \"../y\"\n}\n"),
            ("m/y/main.tf", TF),
            ("m/z/main.tf", TF),
            ("live/a/terragrunt.hcl", &call("../../m/x")),
            ("live/b/terragrunt.hcl", &call("${get_repo_root()}/m/x")),
            ("root.hcl", &call("${get_parent_terragrunt_dir()}/m/z")),
            ("live/c/terragrunt.hcl", ROOT),
        ],
        &[
            ("m/x/main.tf", &["live/a", "live/b"]),
            ("m/y/main.tf", &["live/a", "live/b"]),
            ("m/z/main.tf", &["live/c"]),
        ],
    );
    check(
        "beside the module that is run from elsewhere",
        &[
            ("m/x/main.tf", TF),
            ("m/y/main.tf", TF),
            (
                "live/a/terragrunt.hcl",
                &format!("terraform {{\n  source = \"../../m//x\"\n}}\n{}", call("../y")),
            ),
        ],
        &[("m/y/main.tf", &["live/a"]), ("m/x/main.tf", &["live/a"])],
    );
    let unit = "locals {\n  common = read_terragrunt_config(find_in_parent_folders(\"common.hcl\"))\n}\ngenerate = local.common.generate\n";
    check(
        "by an attribute that another file gives, of several blocks",
        &[
            ("m/x/main.tf", TF),
            (
                "common.hcl",
                &format!(
                    "generate \"other\" {{\n  path = \"o.tf\"\n  if_exists = \"skip\"\n  contents = \"\"\n}}\n{}",
                    call("../m/x")
                ),
            ),
            ("a/terragrunt.hcl", unit),
        ],
        &[("m/x/main.tf", &["a"]), ("common.hcl", &["a"])],
    );
    check(
        "from a file, and from a template with its names filled in",
        &[
            ("m/x/main.tf", TF),
            ("m/y/main.tf", TF),
            ("t/plain.tf.txt", "module \"x\" {\n  source = \"../m/x\"\n}\n"),
            ("t/named.tftpl", "module \"y\" {\n  source = \"../m/${name}\"\n  count  = ${count}\n}\n"),
            (
                "a/terragrunt.hcl",
                "generate \"a\" {\n  path      = \"a.tf\"\n  if_exists = \"skip\"\n  contents  = file(\"../t/plain.tf.txt\")\n}\n",
            ),
            (
                "b/terragrunt.hcl",
                "generate \"b\" {\n  path      = \"b.tf\"\n  if_exists = \"skip\"\n  contents  = templatefile(\"../t/named.tftpl\", { name = \"y\", count = run_cmd(\"nproc\") })\n}\n",
            ),
        ],
        &[
            ("m/x/main.tf", &["a"]),
            ("m/y/main.tf", &["b"]),
            ("t/plain.tf.txt", &["a"]),
            ("t/named.tftpl", &["b"]),
        ],
    );
    check(
        "of the one that wins, and only where it is written",
        &[
            ("m/x/main.tf", TF),
            ("m/y/main.tf", TF),
            ("root.hcl", &call("../m/x")),
            ("a/terragrunt.hcl", &format!("{ROOT}{}", call("../m/y"))),
            (
                "b/terragrunt.hcl",
                &format!(
                    "{ROOT}generate \"main\" {{\n  path = \"main.tf\"\n  if_exists = \"skip\"\n  disable = true\n  contents = \"\"\n}}\n"
                ),
            ),
            ("c/terragrunt.hcl", &call("../m/x").replace("\"main.tf\"", "\"notes.md\"")),
        ],
        &[("m/x/main.tf", &[]), ("m/y/main.tf", &["a"])],
    );
    check(
        "and files that it reads",
        &[
            ("m/x/main.tf", TF),
            ("live/a/policy.json", "{}"),
            (
                "live/a/terragrunt.hcl",
                "generate \"o\" {\n  path      = \"o.tf\"\n  if_exists = \"skip\"\n  contents  = <<EOF\noutput \"o\" {\n  value = file(\"$${path.module}/policy.json\")\n}\nEOF\n}\n",
            ),
        ],
        &[("live/a/policy.json", &["live/a"])],
    );
}

#[test]
fn generated_code_that_calls_this_very_repository_touches_the_unit() {
    let unit = "generate \"m\" {\n  path      = \"m.tf\"\n  if_exists = \"skip\"\n  contents  = \"module \\\"m\\\" {\\n  source = \\\"git::https://github.com/acme/infra.git//m/x\\\"\\n}\\n\"\n}\n";
    let repo = Repo::with(&[("m/x/main.tf", TF), ("a/terragrunt.hcl", unit)]);
    repo.git(&["remote", "add", "origin", "https://github.com/acme/infra.git"]);
    repo.branch("feature");
    repo.write("m/x/main.tf", "# changed\n");
    repo.commit("feat: change");
    assert_eq!(units(&impact_of(&repo).0), ["a"]);
}

#[test]
fn files_beside_a_unit_are_laid_over_the_module_that_it_runs() {
    const READS: &str = "output \"o\" { value = file(\"${path.module}/conf/policy.json\") }\noutput \"p\" { value = fileset(path.module, \"*.yaml\") }\noutput \"q\" { value = file(\"${path.module}/../q.json\") }\n";
    check(
        "what the module reads in its own directory",
        &[
            ("m/x/main.tf", READS),
            ("m/x/conf/policy.json", "{}"),
            ("m/q.json", "{}"),
            ("a/terragrunt.hcl", "terraform {\n  source = \"../m//x\"\n}\n"),
            ("b/terragrunt.hcl", ""),
        ],
        &[
            ("a/conf/policy.json", &["a"]),
            ("a/new.yaml", &["a"]),
            ("a/conf/other.json", &[]),
            ("b/conf/policy.json", &[]),
            ("q.json", &[]),
            ("m/x/conf/policy.json", &["a"]),
            ("a/extra.tf", &["a"]),
        ],
    );
    check(
        "what generated code reads in the directory of the module",
        &[
            ("m/x/main.tf", TF),
            ("m/x/g.txt", ""),
            (
                "a/terragrunt.hcl",
                "terraform {\n  source = \"../m//x\"\n}\ngenerate \"g\" {\n  path      = \"g.tf\"\n  if_exists = \"overwrite\"\n  contents  = <<EOF\noutput \"g\" { value = file(\"$${path.module}/g.txt\") }\nEOF\n}\n",
            ),
        ],
        &[("m/x/g.txt", &["a"]), ("a/g.txt", &["a"]), ("a/h.txt", &[])],
    );
}

/// As terragrunt 1.1.3 copies: internal/util/file.go.
#[test]
fn what_is_left_out_of_the_copy_is_laid_over_nothing() {
    const READS: &str = "output \"o\" { value = [for f in fileset(path.module, \"**/*.json\") : file(\"${path.module}/${f}\")] }\n";
    let unit = |more: &str| format!("terraform {{\n  source = \"../m\"\n{more}}}\n");
    let excludes = "  exclude_from_copy = [\"skip\", \"**/*.tmp.json\", \"docs/*.json\", \"{x,y}.json\"]\n";
    let reads = "locals {\n  f = file(\"skip/read.json\")\n}\n";
    let files = [
        ("m/main.tf", READS.to_owned()),
        ("a/terragrunt.hcl", unit(excludes)),
        ("b/terragrunt.hcl", unit("  include_in_copy = [\".hid\"]\n")),
        ("c/terragrunt.hcl", unit(excludes) + reads),
        ("c/skip/read.json", "1".to_owned()),
        ("root.hcl", format!("terraform {{\n{excludes}}}\n")),
        ("d/terragrunt.hcl", format!("include \"root\" {{\n  path = \"../root.hcl\"\n}}\n{}", unit(""))),
        ("plain.hcl", "terraform {\n}\n".to_owned()),
        (
            "e/terragrunt.hcl",
            format!("include \"root\" {{\n  path = \"../plain.hcl\"\n}}\n{}", unit(excludes)),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    check(
        "what is excluded, and what is hidden",
        &files,
        &[
            ("a/skip/x.json", &[]),
            ("a/skip/deep/x.json", &[]),
            ("a/sub/x.tmp.json", &[]),
            ("a/docs/x.json", &[]),
            ("a/.hid/x.json", &[]),
            ("a/sub/.x.json", &[]),
            ("a/.terragrunt-cache/x.json", &[]),
            ("c/skip/x.json", &[]),
            ("d/skip/x.json", &[]),
            // One of the ways to match takes it for the same, the other does not.
            ("a/x.tmp.json", &["a"]),
            ("a/docs/deep/x.json", &["a"]),
            ("a/x.json", &["a"]),
            ("a/other/x.json", &["a"]),
            ("b/.hid/x.json", &["b"]),
            ("b/skip/x.json", &["b"]),
            // Merged shallowly, what the unit itself excludes is lost.
            ("e/skip/x.json", &["e"]),
            // A function reads it where it stands.
            ("c/skip/read.json", &["c"]),
        ],
    );
}

#[test]
fn a_broken_file_that_is_included_is_told_and_touches_all_who_include_it() {
    let files = [
        ("root.hcl", ""),
        ("other.hcl", ""),
        ("a/terragrunt.hcl", ROOT),
        ("b/terragrunt.hcl", ROOT),
        ("c/terragrunt.hcl", ""),
    ];
    let found = impact(&files, |repo| repo.write("root.hcl", "locals {\n  x = \n}\n"));
    assert_eq!(units(&found), ["a", "b"]);
    let told: Vec<String> = found.unparsable.iter().map(|file| file.path.to_string()).collect();
    assert_eq!(told, ["root.hcl"]);
    assert!(found.warnings.iter().any(|text| text.contains("root.hcl")), "{:?}", found.warnings);
}

#[test]
fn a_dependency_is_found_through_an_exposed_include_and_through_links() {
    let files = [
        ("vpc/terragrunt.hcl", ""),
        ("base.hcl", "dependency \"vpc\" {\n  config_path = \"../vpc\"\n}\n"),
        (
            "a/terragrunt.hcl",
            "include \"base\" {\n  path           = \"../base.hcl\"\n  expose         = true\n  merge_strategy = \"no_merge\"\n}\ndependency \"vpc\" {\n  config_path = include.base.dependency.vpc.config_path\n}\n",
        ),
        ("b/terragrunt.hcl", "dependency \"vpc\" {\n  config_path = \"../linked\"\n}\n"),
    ];
    let repo = Repo::with(&files);
    std::os::unix::fs::symlink("vpc", repo.path.join("linked")).unwrap();
    repo.commit("feat: link");
    repo.branch("feature");
    repo.write("vpc/terragrunt.hcl", "# changed\n");
    repo.commit("feat: change");
    let found = impact_of(&repo).0;
    assert_eq!(
        (units(&found), dependents(&found)),
        (vec!["vpc".to_owned()], vec!["a".to_owned(), "b".to_owned()])
    );
}

#[test]
fn what_calls_a_directory_with_a_unit_in_it_reads_its_terraform_files_alone() {
    check(
        "the unit's own configuration is the unit's",
        &[
            ("a/main.tf", TF),
            ("a/terragrunt.hcl", ""),
            ("b/terragrunt.hcl", "terraform {\n  source = \"../a\"\n}\n"),
        ],
        &[("a/terragrunt.hcl", &["a"]), ("a/main.tf", &["a", "b"])],
    );
}
