//! Tests of the Terragrunt dialect: what a change of one file of a real repository touches.

use infraflow_core::{
    catalog::{Catalog, CatalogRules, standard_dialects},
    detect::{ChangeDetector, GitDetector},
    git::{Repository, Revision},
    impact::{Impact, assess},
};

use crate::fixture::Repo;

const TF: &str = "variable \"v\" { default = \"\" }\n";
const ROOT: &str = "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\n";

pub(crate) fn impact_of(repo: &Repo) -> (Impact, Catalog) {
    let repository = Repository::open(&repo.path).unwrap();
    let base = Revision::Commit(repository.resolve("main").unwrap());
    let head = repository.revision("HEAD").unwrap();
    let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
    let build = |revision: &Revision| {
        let tree = repository.tree(revision).unwrap();
        Catalog::build(&tree, &standard_dialects(), &CatalogRules::default()).unwrap()
    };
    let head = build(&head);
    (assess(&changes, &build(&Revision::Commit(changes.merge_base)), &head).unwrap(), head)
}

pub(crate) fn impact(files: &[(&str, &str)], change: impl FnOnce(&Repo)) -> Impact {
    let repo = Repo::with(files);
    repo.branch("feature");
    change(&repo);
    repo.commit("feat: change");
    impact_of(&repo).0
}

pub(crate) fn units(impact: &Impact) -> Vec<String> {
    impact.units.iter().map(|unit| unit.path.to_string()).collect()
}

pub(crate) fn dependents(impact: &Impact) -> Vec<String> {
    impact.dependents.iter().map(|unit| unit.path.to_string()).collect()
}

/// A change of one file, and the units that it touches.
struct Case {
    fact: &'static str,
    files: &'static [(&'static str, &'static str)],
    changed: &'static str,
    units: &'static [&'static str],
}

fn check(cases: &[Case]) {
    let mut wrong = Vec::new();
    for case in cases {
        let found = impact(case.files, |repo| repo.write(case.changed, "# changed\nchanged = 1\n"));
        if units(&found) != case.units {
            wrong.push(format!("{}: {:?} instead of {:?}", case.fact, units(&found), case.units));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

macro_rules! case {
    ($fact:expr, [$(($path:expr, $text:expr)),* $(,)?], $changed:expr => [$($unit:expr),*]) => {
        Case { fact: $fact, files: &[$(($path, $text)),*], changed: $changed, units: &[$($unit),*] }
    };
}

#[test]
fn what_is_included_or_read_as_configuration_touches_all_who_do() {
    check(&[
        case!("a root by its name", [("root.hcl", ""), ("a/b/terragrunt.hcl", ROOT), ("c/terragrunt.hcl", "")],
            "root.hcl" => ["a/b"]),
        case!("the nearest one counts", [("root.hcl", ""), ("a/root.hcl", ""), ("a/b/terragrunt.hcl", ROOT)],
            "root.hcl" => []),
        case!("a bare include of terragrunt.hcl above",
            [("terragrunt.hcl", ""), ("a/terragrunt.hcl", "include {\n  path = find_in_parent_folders()\n}\n")],
            "terragrunt.hcl" => [".", "a"]),
        case!("a fallback is read where nothing is found",
            [("x/d.hcl", ""), ("a/terragrunt.hcl", "locals {\n  c = read_terragrunt_config(find_in_parent_folders(\"no.hcl\", \"../x/d.hcl\"))\n}\n")],
            "x/d.hcl" => ["a"]),
        case!("every merge strategy",
            [("s.hcl", ""), ("n.hcl", ""), ("d.hcl", ""), ("m.hcl", ""),
             ("a/terragrunt.hcl", "include \"n\" {\n  path = \"../n.hcl\"\n  merge_strategy = \"no_merge\"\n}\ninclude \"d\" {\n  path = \"../d.hcl\"\n  merge_strategy = \"deep\"\n}\n"),
             ("b/terragrunt.hcl", "include \"n\" {\n  path = \"../n.hcl\"\n  merge_strategy = \"no_merge\"\n  expose = true\n}\n")],
            "n.hcl" => ["a", "b"]),
        case!("what an exposed include names",
            [("root.hcl", "locals {\n  module = \"../../modules/x\"\n}\n"), ("modules/x/main.tf", TF), ("modules/y/main.tf", TF),
             ("a/b/terragrunt.hcl", "include \"root\" {\n  path   = find_in_parent_folders(\"root.hcl\")\n  expose = true\n}\nterraform {\n  source = include.root.locals.module\n}\n")],
            "modules/x/main.tf" => ["a/b"]),
        case!("the region's file, read by the root for each unit",
            [("root.hcl", "locals {\n  r = read_terragrunt_config(find_in_parent_folders(\"region.hcl\"))\n}\n"),
             ("eu/region.hcl", ""), ("us/region.hcl", ""), ("eu/a/terragrunt.hcl", ROOT), ("us/a/terragrunt.hcl", ROOT)],
            "eu/region.hcl" => ["eu/a"]),
        case!("what a read configuration includes",
            [("root.hcl", ""), ("b/terragrunt.hcl", ROOT), ("a/terragrunt.hcl", "locals {\n  b = read_terragrunt_config(\"../b/terragrunt.hcl\")\n}\n")],
            "root.hcl" => ["a", "b"]),
        case!("JSON configuration",
            [("root.hcl", ""), ("a/terragrunt.hcl.json", "{\"include\": {\"root\": {\"path\": \"${find_in_parent_folders(\\\"root.hcl\\\")}\"}}}")],
            "root.hcl" => ["a"]),
        case!("an unknown name of an include takes all it could be",
            [("envs/x.hcl", ""), ("envs/y.json", ""), ("a/terragrunt.hcl", "include \"e\" {\n  path = \"../envs/${get_env(\"ENV\")}.hcl\"\n}\n")],
            "envs/x.hcl" => ["a"]),
        case!("a file above that appears nearer is found", [("root.hcl", ""), ("a/b/terragrunt.hcl", ROOT)],
            "a/root.hcl" => ["a/b"]),
    ]);
}

#[test]
fn files_that_functions_read_touch_the_unit_and_begin_where_terragrunt_has_them_begin() {
    check(&[
        case!("file begins at the file in which it stands",
            [("root.hcl", "locals {\n  f = file(\"x.txt\")\n}\n"), ("x.txt", ""), ("a/x.txt", ""), ("a/terragrunt.hcl", ROOT)],
            "x.txt" => ["a"]),
        case!("and nowhere else",
            [("root.hcl", "locals {\n  f = file(\"x.txt\")\n}\n"), ("x.txt", ""), ("a/x.txt", ""), ("a/terragrunt.hcl", ROOT)],
            "a/x.txt" => []),
        case!("read_tfvars_file begins at the unit",
            [("root.hcl", "locals {\n  f = read_tfvars_file(\"v.tfvars\")\n}\n"), ("a/v.tfvars", ""), ("a/terragrunt.hcl", ROOT)],
            "a/v.tfvars" => ["a"]),
        case!("templatefile in inputs",
            [("a/terragrunt.hcl", "inputs = {\n  t = templatefile(\"${get_terragrunt_dir()}/../t.tpl\", {})\n}\n"), ("t.tpl", "")],
            "t.tpl" => ["a"]),
        case!("fileset", [("a/terragrunt.hcl", "locals {\n  c = { for f in fileset(\"${get_terragrunt_dir()}/c\", \"*.yaml\") : f => yamldecode(file(\"c/${f}\")) }\n}\n"), ("a/c/x.yaml", "")],
            "a/c/x.yaml" => ["a"]),
        case!("what a fileset does not match", [("a/terragrunt.hcl", "locals {\n  c = fileset(\"c\", \"*.yaml\")\n}\n"), ("a/c/x.json", "")],
            "a/c/x.json" => []),
        case!("sops, never decrypted", [("s.yaml", ""), ("a/terragrunt.hcl", "locals {\n  s = yamldecode(sops_decrypt_file(find_in_parent_folders(\"s.yaml\")))\n}\n")],
            "s.yaml" => ["a"]),
        case!("mark_as_read", [("a/terragrunt.hcl", "locals {\n  s = mark_as_read(\"../m.bin\")\n}\n"), ("m.bin", "")],
            "m.bin" => ["a"]),
        case!("mark_glob_as_read", [("a/terragrunt.hcl", "locals {\n  s = mark_glob_as_read(\"${get_repo_root()}/d/{*.yaml,**/*.yaml}\")\n}\n"), ("d/e/f.yaml", "")],
            "d/e/f.yaml" => ["a"]),
        case!("what YAML says becomes a path",
            [("c.yaml", "module: net # said\n"), ("modules/net/main.tf", TF), ("modules/db/main.tf", TF),
             ("a/terragrunt.hcl", "locals {\n  c = yamldecode(file(find_in_parent_folders(\"c.yaml\")))\n}\nterraform {\n  source = \"../modules//${local.c.module}\"\n}\n")],
            "modules/net/main.tf" => ["a"]),
        case!("and JSON",
            [("c.json", "{\"m\": [\"db\"]}"), ("modules/net/main.tf", TF), ("modules/db/main.tf", TF),
             ("a/terragrunt.hcl", "locals {\n  c = jsondecode(file(\"../c.json\"))\n}\nterraform {\n  source = \"../modules//${local.c.m[0]}\"\n}\n")],
            "modules/net/main.tf" => []),
        case!("a command that is not run counts by the script it names",
            [("x.sh", ""), ("a/terragrunt.hcl", "locals {\n  x = run_cmd(\"--terragrunt-quiet\", \"${get_repo_root()}/x.sh\", \"y\")\n}\n")],
            "x.sh" => ["a"]),
        case!("hooks name files",
            [("hooks/h.sh", ""), ("a/terragrunt.hcl", "terraform {\n  before_hook \"h\" {\n    commands = [\"plan\"]\n    execute  = [\"bash\", \"-c\", \"../hooks/h.sh --all\"]\n  }\n}\n")],
            "hooks/h.sh" => ["a"]),
        case!("generate reads a file",
            [("p.tf.tpl", ""), ("root.hcl", "generate \"p\" {\n  path      = \"p.tf\"\n  if_exists = \"overwrite\"\n  contents  = file(\"p.tf.tpl\")\n}\n"), ("a/terragrunt.hcl", ROOT)],
            "p.tf.tpl" => ["a"]),
        case!("try looks until something is there",
            [("y.txt", ""), ("a/terragrunt.hcl", "locals {\n  x = try(file(\"../no.txt\"), file(\"../y.txt\"))\n}\n")],
            "y.txt" => ["a"]),
        case!("a branch that is not taken is not read",
            [("y.txt", ""), ("n.txt", ""), ("a/terragrunt.hcl", "locals {\n  x = path_relative_to_include() == \".\" ? file(\"../y.txt\") : file(\"../n.txt\")\n}\n")],
            "n.txt" => []),
        case!("both count where the environment decides",
            [("y.txt", ""), ("n.txt", ""), ("a/terragrunt.hcl", "locals {\n  x = get_env(\"E\", \"p\") == \"p\" ? file(\"../y.txt\") : file(\"../n.txt\")\n}\n")],
            "n.txt" => ["a"]),
        case!("paths made of where the unit stands",
            [("conf/live/a.json", ""), ("conf/live/b.json", ""), ("root.hcl", "locals {\n  f = file(\"conf/${path_relative_to_include()}.json\")\n}\n"), ("live/a/terragrunt.hcl", ROOT), ("live/b/terragrunt.hcl", ROOT)],
            "conf/live/a.json" => ["live/a"]),
        case!("and of its names",
            [("conf/eu.json", ""), ("conf/us.json", ""), ("eu/x/terragrunt.hcl", "locals {\n  p = split(\"/\", get_path_from_repo_root())\n  f = file(\"${get_path_to_repo_root()}/conf/${local.p[0]}.json\")\n}\n")],
            "conf/us.json" => []),
        case!("an absolute path outside counts for nothing", [("etc/x", ""), ("a/terragrunt.hcl", "locals {\n  x = file(\"/etc/x\")\n}\n")],
            "etc/x" => []),
    ]);
}

#[test]
fn the_module_that_is_run_touches_the_unit() {
    check(&[
        case!("a relative source begins at the unit, in an included file too",
            [("root.hcl", "terraform {\n  source = \"../m//x\"\n}\n"), ("m/x/main.tf", TF), ("a/terragrunt.hcl", ROOT)],
            "m/x/main.tf" => ["a"]),
        case!("modules that it calls",
            [("m/x/main.tf", "module \"y\" {\n  source = \"../y\"\n}\n"), ("m/y/main.tf", TF), ("a/terragrunt.hcl", "terraform {\n  source = \"${get_repo_root()}/m//x?depth=1\"\n}\n")],
            "m/y/main.tf" => ["a"]),
        case!("the unit's source wins over the included one",
            [("root.hcl", "terraform {\n  source = \"../m/x\"\n}\n"), ("m/x/main.tf", TF), ("m/y/main.tf", TF), ("a/terragrunt.hcl", "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\nterraform {\n  source = \"../m/y\"\n}\n")],
            "m/x/main.tf" => []),
        case!("of several includes the last wins",
            [("one.hcl", "terraform {\n  source = \"../m/x\"\n}\n"), ("two.hcl", "terraform {\n  source = \"../m/y\"\n}\n"), ("m/x/main.tf", TF), ("m/y/main.tf", TF),
             ("a/terragrunt.hcl", "include \"one\" {\n  path = \"../one.hcl\"\n}\ninclude \"two\" {\n  path = \"../two.hcl\"\n}\n")],
            "m/y/main.tf" => ["a"]),
        case!("what is not merged is not run",
            [("one.hcl", "terraform {\n  source = \"../m/x\"\n}\n"), ("m/x/main.tf", TF), ("a/terragrunt.hcl", "include \"one\" {\n  path = \"../one.hcl\"\n  merge_strategy = \"no_merge\"\n}\n")],
            "m/x/main.tf" => []),
        case!("a registry is outside", [("m/x/main.tf", TF), ("a/terragrunt.hcl", "terraform {\n  source = \"tfr:///m/x/aws?version=1.0.0\"\n}\n")],
            "m/x/main.tf" => []),
        case!("an unknown part means any module there",
            [("m/x/main.tf", TF), ("n/x/main.tf", TF), ("a/terragrunt.hcl", "terraform {\n  source = \"../m/${run_cmd(\"which\")}\"\n}\n")],
            "m/x/main.tf" => ["a"]),
        case!("and none elsewhere",
            [("m/x/main.tf", TF), ("n/x/main.tf", TF), ("a/terragrunt.hcl", "terraform {\n  source = \"../m/${run_cmd(\"which\")}\"\n}\n")],
            "n/x/main.tf" => []),
        case!("a default of the environment is what is run",
            [("m/x/main.tf", TF), ("a/terragrunt.hcl", "terraform {\n  source = \"${get_env(\"MODULES\", \"../m\")}/x\"\n}\n")],
            "m/x/main.tf" => ["a"]),
        case!("terraform files beside the unit", [("a/main.tf", TF), ("a/terragrunt.hcl", "")], "a/main.tf" => ["a"]),
        case!("a file that its module reads at a path from inputs",
            [("m/x/main.tf", "variable \"f\" {}\noutput \"o\" { value = file(var.f) }\n"), ("d/x.json", ""), ("a/terragrunt.hcl", "terraform {\n  source = \"../m/x\"\n}\ninputs = {\n  f = \"${get_repo_root()}/d/x.json\"\n}\n")],
            "d/x.json" => ["a"]),
        case!("variable files by extra_arguments",
            [("c.tfvars", ""), ("root.hcl", "terraform {\n  extra_arguments \"c\" {\n    commands = get_terraform_commands_that_need_vars()\n    required_var_files = [\"${get_parent_terragrunt_dir()}/c.tfvars\"]\n  }\n}\n"), ("a/terragrunt.hcl", ROOT)],
            "c.tfvars" => ["a"]),
        case!("optional ones that appear",
            [("a/terragrunt.hcl", "terraform {\n  extra_arguments \"c\" {\n    commands = [\"plan\"]\n    optional_var_files = [\"${get_terragrunt_dir()}/../opt/x.tfvars\"]\n  }\n}\n")],
            "opt/x.tfvars" => ["a"]),
        case!("and by -var-file",
            [("e/c.tfvars.json", "{}"), ("a/terragrunt.hcl", "terraform {\n  extra_arguments \"c\" {\n    commands = [\"plan\"]\n    arguments = [\"-lock=false\", \"-var-file=${get_repo_root()}/e/c.tfvars.json\"]\n  }\n}\n")],
            "e/c.tfvars.json" => ["a"]),
        case!("arguments of one name are the unit's",
            [("c.txt", ""), ("root.hcl", "terraform {\n  extra_arguments \"c\" {\n    commands = [\"plan\"]\n    required_var_files = [\"../c.txt\"]\n  }\n}\n"), ("a/terragrunt.hcl", "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\nterraform {\n  extra_arguments \"c\" {\n    commands = [\"plan\"]\n  }\n}\n")],
            "c.txt" => []),
        case!("the version file of terragrunt", [("a/terragrunt.hcl", ""), ("b/x.txt", "")], ".terragrunt-version" => ["a"]),
    ]);
}

#[test]
fn an_address_of_this_repository_is_run_from_it_unless_it_is_pinned() {
    let unit = |query: &str| {
        format!("terraform {{\n  source = \"git::https://github.com/acme/infra.git//m/x{query}\"\n}}\n")
    };
    let repo = Repo::with(&[
        ("m/x/main.tf", TF),
        ("a/terragrunt.hcl", &unit("")),
        ("b/terragrunt.hcl", &unit("?ref=v1")),
        ("c/terragrunt.hcl", &unit("?ref=main")),
    ]);
    repo.git(&["remote", "add", "origin", "https://github.com/acme/infra.git"]);
    repo.branch("feature");
    repo.write("m/x/main.tf", "# changed\n");
    repo.commit("feat: change");
    assert_eq!(units(&impact_of(&repo).0), ["a", "c"]);
}

#[test]
fn dependents_are_those_who_consume_outputs_or_come_later() {
    let files = [
        ("vpc/terragrunt.hcl", ""),
        ("env.hcl", "dependency \"vpc\" {\n  config_path = \"../vpc\"\n}\n"),
        ("db/terragrunt.hcl", "include \"env\" {\n  path = \"../env.hcl\"\n}\n"),
        (
            "off/terragrunt.hcl",
            "dependency \"vpc\" {\n  config_path = \"../vpc\"\n  enabled     = false\n}\n",
        ),
        (
            "no_merge/terragrunt.hcl",
            "include \"env\" {\n  path = \"../env.hcl\"\n  merge_strategy = \"no_merge\"\n}\n",
        ),
        ("order/terragrunt.hcl", "dependencies {\n  paths = [\"../vpc/terragrunt.hcl\"]\n}\n"),
        (
            "skip/terragrunt.hcl",
            "dependency \"vpc\" {\n  config_path  = find_in_parent_folders(\"vpc\")\n  skip_outputs = true\n}\n",
        ),
        ("reads/terragrunt.hcl", "locals {\n  db = read_terragrunt_config(\"../db/terragrunt.hcl\")\n}\n"),
        ("any/terragrunt.hcl", "dependency \"x\" {\n  config_path = \"../${get_env(\"NET\")}c\"\n}\n"),
    ];
    let found = impact(&files, |repo| repo.write("vpc/terragrunt.hcl", "# changed\n"));
    assert_eq!(units(&found), ["vpc"]);
    assert_eq!(dependents(&found), ["any", "db", "order", "reads", "skip"]);
}

const STACK: &str = "locals {\n  size = read_terragrunt_config(\"size.hcl\")\n}\nunit \"vpc\" {\n  source = \"../catalog/units/vpc\"\n  path   = \"vpc\"\n  values = {\n    conf = \"conf.json\"\n  }\n}\nstack \"inner\" {\n  source = \"${get_repo_root()}/catalog/stacks/inner\"\n  path   = \"inner\"\n}\n";

#[test]
fn a_stack_is_touched_by_whatever_its_units_would_be() {
    const FILES: [(&str, &str); 12] = [
        ("root.hcl", ""),
        ("live/terragrunt.stack.hcl", STACK),
        ("live/size.hcl", ""),
        ("live/conf.json", ""),
        (
            "catalog/units/vpc/terragrunt.hcl",
            "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\nlocals {\n  c = file(find_in_parent_folders(values.conf))\n}\nterraform {\n  source = \"${get_repo_root()}/modules//vpc\"\n}\n",
        ),
        ("catalog/units/vpc/unread.json", ""),
        (
            "catalog/units/db/terragrunt.hcl",
            "locals {\n  f = file(\"beside.txt\")\n}\ndependency \"vpc\" {\n  config_path = \"../../../vpc\"\n}\n",
        ),
        ("catalog/units/db/beside.txt", ""),
        ("catalog/units/db/main.tf", TF),
        (
            "catalog/stacks/inner/terragrunt.stack.hcl",
            "unit \"db\" {\n  source = \"${get_repo_root()}/catalog/units/db\"\n  path   = \"db\"\n}\n",
        ),
        ("modules/vpc/main.tf", TF),
        (
            "after/terragrunt.hcl",
            "dependency \"vpc\" {\n  config_path = \"../live/.terragrunt-stack/vpc\"\n}\n",
        ),
    ];
    for (changed, expected) in [
        ("live/size.hcl", &["live"][..]),
        ("live/conf.json", &["live"]),
        ("root.hcl", &["live"]),
        ("modules/vpc/main.tf", &["live"]),
        ("catalog/units/vpc/terragrunt.hcl", &["live"]),
        ("catalog/units/vpc/unread.json", &[]),
        ("catalog/units/db/beside.txt", &["catalog/stacks/inner", "catalog/units/db", "live"]),
        ("catalog/units/db/main.tf", &["catalog/stacks/inner", "catalog/units/db", "live"]),
        ("catalog/stacks/inner/terragrunt.stack.hcl", &["catalog/stacks/inner", "live"]),
    ] {
        let before = FILES.iter().find(|(path, _)| *path == changed).unwrap().1;
        let found = impact(&FILES, |repo| repo.write(changed, format!("{before}# changed\n")));
        assert_eq!(
            units(&found).iter().filter(|unit| *unit != "after").collect::<Vec<_>>(),
            expected,
            "{changed}"
        );
    }
    let found = impact(&FILES, |repo| repo.write("live/size.hcl", "# changed\n"));
    assert_eq!(dependents(&found), ["after"]);
}

#[test]
fn values_beside_a_unit_make_it_one_and_without_them_it_is_a_module() {
    let unit = "inputs = {\n  v = values.v\n}\n";
    let repo = Repo::with(&[
        ("a/terragrunt.hcl", unit),
        ("b/terragrunt.hcl", unit),
        ("b/terragrunt.values.hcl", "v = \"x\"\n"),
        ("c/terragrunt.hcl", "inputs = {\n  v = try(values.v, \"\")\n}\n"),
    ]);
    let catalog = impact_of(&repo).1;
    let units: Vec<String> = catalog.units().unwrap().iter().map(|unit| unit.path.to_string()).collect();
    assert_eq!(units, ["b", "c"]);
}

#[test]
fn a_reason_leads_to_the_include_that_brings_the_file() {
    let found =
        impact(&[("root.hcl", "# root\n"), ("a/terragrunt.hcl", &format!("# unit\n{ROOT}"))], |repo| {
            repo.write("root.hcl", "# changed\n");
        });
    let link = found.units[0].reasons[0].chain.iter().find(|link| link.reference == "include.root").unwrap();
    assert_eq!((link.path.to_string().as_str(), link.line, link.column), ("a/terragrunt.hcl", 2, 1));
}

#[test]
fn what_does_not_parse_is_told_and_what_it_names_still_counts() {
    let broken = "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\nlocals {\n  x = file(\"../x.json\"\n}\n";
    let files = [("root.hcl", ""), ("x.json", ""), ("a/terragrunt.hcl", broken), ("b/terragrunt.hcl", ROOT)];
    for changed in ["root.hcl", "x.json"] {
        let found = impact(&files, |repo| repo.write(changed, "# changed\n"));
        assert!(units(&found).contains(&"a".to_owned()), "{changed}: {:?}", units(&found));
    }
    let found = impact(&files, |repo| repo.write("root.hcl", "locals {\n"));
    assert_eq!(units(&found), ["a", "b"]);
    let told: Vec<String> = found.unparsable.iter().map(|file| file.path.to_string()).collect();
    assert!(
        told.contains(&"root.hcl".to_owned()) || told.contains(&"a/terragrunt.hcl".to_owned()),
        "{told:?}"
    );
}

#[test]
fn each_broken_file_that_a_unit_includes_or_reads_is_told() {
    let unit = "include \"root\" {\n  path = \"../root.hcl\"\n}\ninclude \"net\" {\n  path = \"../net.hcl\"\n}\nlocals {\n  more = read_terragrunt_config(\"../more.hcl\")\n}\n";
    let broken = [("root.hcl", "locals {\n"), ("net.hcl", "\ninputs = [\n"), ("more.hcl", "x = }\n")];
    let files = [&broken[..], &[("a/terragrunt.hcl", unit), ("a/x.txt", "")]].concat();
    let found = impact(&files, |repo| repo.write("a/terragrunt.hcl", format!("{unit}# changed\n")));
    assert_eq!(units(&found), ["a"]);
    let told: Vec<(String, bool)> =
        found.unparsable.iter().map(|file| (file.path.to_string(), file.line.is_some())).collect();
    assert_eq!(told, ["more.hcl", "net.hcl", "root.hcl"].map(|path| (path.to_owned(), true)));
    for (path, _) in broken {
        let told = |warning: &&String| warning.starts_with(&format!("{path}:"));
        assert_eq!(found.warnings.iter().filter(told).count(), 1, "{path}: {:?}", found.warnings);
    }
}

#[test]
fn circles_of_includes_reads_and_locals_end() {
    let repo = Repo::with(&[
        (
            "a/terragrunt.hcl",
            "include \"b\" {\n  path = \"../b/terragrunt.hcl\"\n}\nlocals {\n  x = local.y\n  y = local.x\n  me = read_terragrunt_config(\"terragrunt.hcl\")\n}\n",
        ),
        (
            "b/terragrunt.hcl",
            "include \"a\" {\n  path = \"../a/terragrunt.hcl\"\n}\ndependency \"a\" {\n  config_path = \"../a\"\n}\n",
        ),
        ("c/terragrunt.stack.hcl", "stack \"c\" {\n  source = \".\"\n  path   = \"c\"\n}\n"),
    ]);
    let catalog = impact_of(&repo).1;
    assert_eq!(catalog.units().unwrap().len(), 3);
}

#[test]
fn hostile_configuration_is_bounded() {
    let nested = format!("locals {{\n  x = {}1{}\n}}\n", "[".repeat(60), "]".repeat(60));
    let doubled: String =
        (0..40).map(|i| format!("  l{} = \"${{local.l{i}}}${{local.l{i}}}\"\n", i + 1)).collect();
    let doubled =
        format!("locals {{\n  l0 = \"xxxxxxxx\"\n{doubled}}}\nterraform {{\n  source = local.l40\n}}\n");
    let listed: String =
        (0..20).map(|i| format!("  l{} = concat(local.l{i}, local.l{i})\n", i + 1)).collect();
    let listed =
        format!("locals {{\n  l0 = [\"a\", \"b\"]\n{listed}  f = [for x in local.l20 : file(x)]\n}}\n");
    let long: String = (0..5_000).map(|i| format!("  l{i} = local.l{}\n", i + 1)).collect();
    let long = format!("locals {{\n{long}}}\n");
    let dotted = format!("locals {{\n  x = file(\"{}x\")\n}}\n", "../".repeat(10_000));
    let garbage = String::from_utf8(vec![b'{'; 100_000]).unwrap();
    let repo = Repo::with(&[
        ("a/terragrunt.hcl", &nested),
        ("b/terragrunt.hcl", &doubled),
        ("c/terragrunt.hcl", &listed),
        ("d/terragrunt.hcl", &long),
        ("e/terragrunt.hcl", &dotted),
        ("f/terragrunt.hcl", &garbage),
        ("g/terragrunt.hcl.json", &"[".repeat(100_000)),
    ]);
    let begun = std::time::Instant::now();
    let catalog = impact_of(&repo).1;
    assert_eq!(catalog.units().unwrap().len(), 7);
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

/// The mistakes of terragrunt 1.1.3 when it is asked what a change touches.
mod mistakes_of_terragrunt {
    use super::*;

    #[test]
    fn what_the_trunk_gained_after_branching_is_not_deleted() {
        let repo = Repo::with(&[("a/terragrunt.hcl", "")]);
        repo.branch("feature");
        repo.write("a/terragrunt.hcl", "# changed\n");
        repo.commit("feat: change");
        repo.checkout("main");
        repo.write("new/terragrunt.hcl", "");
        repo.commit("feat: new");
        repo.checkout("feature");
        let found = impact_of(&repo).0;
        assert_eq!((units(&found), found.removed_units.len()), (vec!["a".to_owned()], 0));
    }

    #[test]
    fn a_changed_terragrunt_hcl_selects_those_who_include_or_read_it() {
        let files = [
            ("common/terragrunt.hcl", ""),
            ("a/terragrunt.hcl", "include \"c\" {\n  path = \"../common/terragrunt.hcl\"\n}\n"),
            ("b/terragrunt.hcl", "locals {\n  c = read_terragrunt_config(\"../common\")\n}\n"),
        ];
        let found = impact(&files, |repo| repo.write("common/terragrunt.hcl", "# changed\n"));
        assert_eq!(units(&found), ["a", "b", "common"]);
    }

    #[test]
    fn module_calls_are_followed_to_any_depth_and_to_any_file_they_read() {
        let files = [
            ("m/one/main.tf", "module \"two\" {\n  source = \"../two\"\n}\n"),
            ("m/two/main.tf", "module \"three\" {\n  source = \"../three\"\n}\n"),
            ("m/three/main.tf", "output \"o\" { value = file(\"${path.module}/policy.json\") }\n"),
            ("m/three/policy.json", "{}"),
            ("a/terragrunt.hcl", "terraform {\n  source = \"../m//one\"\n}\n"),
        ];
        for changed in ["m/three/main.tf", "m/three/policy.json"] {
            assert_eq!(units(&impact(&files, |repo| repo.write(changed, "# changed\n"))), ["a"], "{changed}");
        }
    }

    #[test]
    fn files_that_functions_read_and_variable_files_are_seen() {
        let unit = "locals {\n  f = file(\"../f.txt\")\n  s = fileset(\"../set\", \"*.json\")\n}\nterraform {\n  extra_arguments \"v\" {\n    commands           = [\"plan\"]\n    required_var_files = [\"${get_terragrunt_dir()}/../r.tfvars\"]\n    optional_var_files = [\"${get_terragrunt_dir()}/../o.tfvars\"]\n    arguments          = [\"-var-file=${get_terragrunt_dir()}/../a.tfvars\"]\n  }\n}\ninputs = {\n  t = templatefile(\"../t.tpl\", {})\n  i = file(\"../i.txt\")\n}\n";
        let files = [("a/terragrunt.hcl", unit), ("b/terragrunt.hcl", ""), ("a/main.tf", TF)];
        let read = ["f.txt", "set/new.json", "r.tfvars", "o.tfvars", "a.tfvars", "t.tpl", "i.txt"];
        for changed in read.into_iter().chain(["a/terraform.tfvars", "a/x.auto.tfvars"]) {
            let found = impact(&files, |repo| repo.write(changed, "changed = 1\n"));
            assert_eq!(units(&found), ["a"], "{changed}");
        }
    }

    #[test]
    fn no_worktree_is_left_behind() {
        let repo = Repo::with(&[("a/terragrunt.hcl", "")]);
        repo.branch("feature");
        repo.write("a/terragrunt.hcl", "# changed\n");
        repo.commit("feat: change");
        impact_of(&repo);
        assert_eq!(repo.git(&["worktree", "list"]).lines().count(), 1);
        assert_eq!(repo.git(&["status", "--porcelain"]), "");
    }

    #[test]
    fn symlinked_configuration_and_type_changes_are_seen() {
        let repo = Repo::with(&[("shared/terragrunt.hcl", ""), ("a/keep", ""), ("b/terragrunt.hcl", "")]);
        std::os::unix::fs::symlink("../shared/terragrunt.hcl", repo.path.join("a/terragrunt.hcl")).unwrap();
        repo.commit("feat: link");
        repo.branch("feature");
        repo.write("shared/terragrunt.hcl", "# changed\n");
        repo.remove("b/terragrunt.hcl");
        std::os::unix::fs::symlink("../shared/terragrunt.hcl", repo.path.join("b/terragrunt.hcl")).unwrap();
        repo.commit("feat: change");
        assert_eq!(units(&impact_of(&repo).0), ["a", "b", "shared"]);
    }

    #[test]
    fn paths_of_any_letters_and_wildcards_are_followed() {
        let files = [
            ("größe [1]/root.hcl", ""),
            ("größe [1]/a*b/terragrunt.hcl", ROOT),
            ("größe [1]/a*b/x?.txt", ""),
            (
                "größe [1]/c/terragrunt.hcl",
                "locals {\n  x = file(\"${get_terragrunt_dir()}/../a*b/x?.txt\")\n}\n",
            ),
        ];
        let found = impact(&files, |repo| repo.write("größe [1]/root.hcl", "# changed\n"));
        assert_eq!(units(&found), ["größe [1]/a*b"]);
        let found = impact(&files, |repo| repo.write("größe [1]/a*b/x?.txt", "changed\n"));
        assert_eq!(units(&found), ["größe [1]/c"]);
    }

    #[test]
    fn a_circle_of_dependencies_gives_the_same_answer_each_time() {
        let files = [
            ("a/terragrunt.hcl", "dependency \"b\" {\n  config_path = \"../b\"\n}\n"),
            ("b/terragrunt.hcl", "dependency \"c\" {\n  config_path = \"../c\"\n}\n"),
            ("c/terragrunt.hcl", "dependency \"a\" {\n  config_path = \"../a\"\n}\n"),
        ];
        for _ in 0..3 {
            let found = impact(&files, |repo| {
                repo.write("a/terragrunt.hcl", "dependency \"b\" {\n  config_path = \"../b\"\n}\n# changed\n")
            });
            assert_eq!(
                (units(&found), dependents(&found)),
                (vec!["a".to_owned()], vec!["b".to_owned(), "c".to_owned()])
            );
        }
    }

    #[test]
    fn run_cmd_is_never_run() {
        let mark = tempfile::tempdir().unwrap();
        let file = mark.path().join("ran");
        let unit = format!("locals {{\n  x = run_cmd(\"touch\", \"{}\")\n}}\n", file.display());
        impact(&[("a/terragrunt.hcl", &unit)], |repo| repo.write("b", "changed"));
        assert!(!file.exists());
    }

    #[test]
    fn a_catalog_unit_behind_a_stack_touches_the_stack() {
        let files = [
            ("units/x/terragrunt.hcl", "terraform {\n  source = \"${get_repo_root()}/m/x\"\n}\n"),
            ("m/x/main.tf", TF),
            ("live/terragrunt.stack.hcl", "unit \"x\" {\n  source = \"../units/x\"\n  path   = \"x\"\n}\n"),
        ];
        for changed in ["units/x/terragrunt.hcl", "m/x/main.tf"] {
            let found = impact(&files, |repo| repo.write(changed, "# changed\n"));
            assert_eq!(units(&found), ["live", "units/x"], "{changed}");
        }
    }
}
