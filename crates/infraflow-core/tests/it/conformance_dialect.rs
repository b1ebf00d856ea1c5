//! The suite for dialects: those of the crate and the one outside of it hold the contract, a careless one does not.
#![cfg(feature = "conformance")]

use std::sync::atomic::{AtomicU32, Ordering};

use infraflow_core::{
    catalog::{Claim, Dialect, DialectName, FactReference, Facts, ReferenceKind, Target, standard_dialects},
    conformance,
    proof::{Place, RepoPath},
    terraform::facts::StaticValue,
};

use crate::own_dialect::{FILES, compose::Compose};

type Files = Vec<(RepoPath, Vec<u8>)>;

fn files(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(path, text)| (RepoPath::parse(path).unwrap(), text.as_bytes().to_vec())).collect()
}

/// A tree in which each dialect of the crate finds something, with references of many kinds.
const TREE: [(&str, &str); 26] = [
    (
        "modules/net/main.tf",
        "locals {\n  n\u{e4}me = \"x\"\n  files = { for f in fileset(path.module, \"*.json\") : f => file(\"${path.module}/${f}\") }\n}\n\
         resource \"x\" \"y\" {\n  a = templatefile(\"${path.module}/t.tpl\", { a = local.n\u{e4}me })\n  b = <<-EOT\n    ${file(\"a.txt\")}\n  EOT\n}\n",
    ),
    (
        "modules/net/variables.tf",
        "variable \"path\" {\n  type    = string\n  default = \"./d\u{e9}faut.json\"\n}\n",
    ),
    ("modules/net/a.tf.json", "{\"module\": {\"m\": {\"source\": \"./sub\", \"version\": \"~> 1.0\"}}}\n"),
    ("modules/net/x_override.tf", "module \"m\" {\n  source = \"../other\"\n}\n"),
    (
        "modules/net/tests/a.tftest.hcl",
        "run \"a\" {\n  command = plan\n  variables {\n    path = \"./x\"\n  }\n}\n",
    ),
    (
        "live/a/main.tf",
        "terraform {\n  backend \"s3\" {}\n}\nmodule \"net\" {\n  source = \"../../modules/net\"\n  path = var.p\n}\n",
    ),
    ("live/a/terraform.tfvars", "p = \"../shared/x.json\"\n"),
    ("live/a/prod.tfvars.json", "{\"p\": \"y\"}\n"),
    ("live/a/.terraform.lock.hcl", "provider \"x\" {\n  version = \"1.0\"\n}\n"),
    (".terraform-version", "1.11.4\n"),
    ("live/root.hcl", "locals {\n  region = read_terragrunt_config(\"region.hcl\", {})\n}\n"),
    (
        "live/b/terragrunt.hcl",
        "include \"root\" {\n  path   = find_in_parent_folders(\"root.hcl\")\n  expose = true\n}\n\
         locals {\n  common = yamldecode(file(\"common.yaml\"))\n}\n\
         terraform {\n  source = \"../../modules//net\"\n  extra_arguments \"v\" {\n    commands = [\"plan\"]\n    optional_var_files = [\"${get_terragrunt_dir()}/x.tfvars\"]\n  }\n}\n\
         dependency \"c\" {\n  config_path = \"../c\"\n}\ninputs = {\n  path = dependency.c.outputs.p\u{e4}th\n}\n",
    ),
    ("live/b/common.yaml", "a: &a\n  b: c\nd: *a\n"),
    ("live/c/terragrunt.hcl", "terraform {\n  source = \"git::https://example.com/m.git//net?ref=v1\"\n}\n"),
    (
        "live/s/terragrunt.stack.hcl",
        "unit \"u\" {\n  source = \"../../units/u\"\n  path   = \"u\"\n  values = { a = 1 }\n}\n",
    ),
    ("units/u/terragrunt.hcl", "terraform {\n  source = values.a\n}\n"),
    (
        "stacks/one/stack.tm.hcl",
        "stack {\n  id    = \"one\"\n  watch = [\"/modules/net/t.tpl\", tm_fileset(\".\", \"*.json\")]\n  after = [\"/stacks/two\"]\n}\nimport {\n  source = \"/imports/*.tm\"\n}\n",
    ),
    (
        "stacks/one/gen.tm",
        "generate_hcl \"_gen.tf\" {\n  content {\n    a = global.n\u{e4}me\n  }\n}\ninput \"i\" {\n  from_stack_id = \"two\"\n  backend = \"b\"\n  value = outputs.x\n}\n",
    ),
    ("stacks/two/stack.tm", "stack {\n  id = \"two\"\n}\n"),
    ("imports/a.tm", "globals {\n  a = tm_file(\"x\")\n}\n"),
    ("globals.tm", "globals {\n  n\u{e4}me = \"\u{20ac}\"\n}\nterramate {\n  config {}\n}\n"),
    (
        "k8s/kustomization.yaml",
        "resources:\n  - ../base\n  - d\u{e9}ploiement.yaml\nconfigMapGenerator:\n  - name: a\n    files: [a=x.conf]\n",
    ),
    ("base/kustomization.yml", "resources: [svc.yaml]\npatches:\n  - path: p.yaml\n"),
    (
        "charts/app/Chart.yaml",
        "apiVersion: v2\nname: \u{e4}pp\nversion: 1.0.0\ndependencies:\n  - name: db\n    version: 1.0.0\n    repository: file://../db\n",
    ),
    ("charts/app/.helmignore", "*.md\n"),
    ("README.md", "# read me\n"),
];

#[test]
fn every_dialect_of_the_crate_holds_the_contract() {
    for dialect in standard_dialects() {
        assert_eq!(conformance::dialect(&*dialect, &files(&TREE)), [], "{}", dialect.name());
    }
}

#[test]
fn the_dialect_outside_of_the_crate_holds_the_contract() {
    assert_eq!(conformance::dialect(&Compose, &files(&FILES)), []);
    let nothing = conformance::dialect(&Compose, &files(&TREE));
    assert_eq!(nothing.iter().map(|it| it.contract).collect::<Vec<_>>(), [3], "none of these is its own");
}

/// A dialect that does everything wrong.
struct Careless(AtomicU32);

impl Dialect for Careless {
    fn name(&self) -> DialectName {
        const { DialectName::constant("careless") }
    }
    fn version(&self) -> u32 {
        1
    }
    fn claims(&self, path: &RepoPath) -> Option<Claim> {
        path.file_name().ends_with(b".yaml").then(Claim::configuration)
    }
    fn facts(&self, path: &RepoPath, content: &[u8]) -> Facts {
        assert!(!content.contains(&0), "a NUL");
        let mut facts = Facts::default();
        let target = Target::Path(StaticValue::Literal(path.to_string()));
        let place = Place { start: 1, end: content.len() + 1, line: 1, column: 1 };
        let text = self.0.fetch_add(1, Ordering::Relaxed).to_string();
        facts.references.push(FactReference::new(ReferenceKind::FileRead, target, place, text));
        facts
    }
    fn resolve(&self, _: &RepoPath, _: &[RepoPath], _: &mut dyn infraflow_core::catalog::Lookup) -> Facts {
        self.facts(&RepoPath::root(), b"")
    }
}

#[test]
fn one_that_does_not_hold_it_is_told_by_number() {
    let violations = conformance::dialect(&Careless(0.into()), &files(&FILES));
    for number in [1, 3, 4, 5, 6, 7, 8, 9] {
        assert!(violations.iter().any(|it| it.contract == number), "{number}: {violations:?}");
    }
    assert!(violations[0].to_string().starts_with("Dialect, contract "), "{}", violations[0]);
}
