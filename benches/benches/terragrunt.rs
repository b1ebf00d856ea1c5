//! What it costs to evaluate Terragrunt units: 1,000 of them, each with an included root that reads two files it finds
//! above the unit.
//!
//! `cargo bench -p infraflow-benches --bench terragrunt` builds such a repository, catalogs it with the Terragrunt
//! dialect and, beside it, with none that evaluates anything, in one run, and prints the time for each unit.
#![allow(clippy::print_stdout, missing_docs)]

use std::{
    fs,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use infraflow_benches::Failure;
use infraflow_core::{
    catalog::{Catalog, CatalogRules, Dialect, TerraformDialect, TerragruntDialect},
    git::{Repository, Revision},
};

const REGIONS: usize = 10;
const UNITS: usize = 100;

const ROOT: &str = r#"
locals {
  account = read_terragrunt_config(find_in_parent_folders("account.hcl"))
  region  = read_terragrunt_config(find_in_parent_folders("region.hcl"))
  name    = "${local.account.locals.name}-${local.region.locals.name}"
}
generate "provider" {
  path      = "provider.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<EOF
provider "aws" {
  region = "${local.region.locals.name}"
}
EOF
}
remote_state {
  backend = "s3"
  config = {
    bucket = "state-${local.name}"
    key    = "${path_relative_to_include()}/terraform.tfstate"
  }
}
inputs = merge(local.account.locals, local.region.locals)
"#;

const UNIT: &str = r#"
include "root" {
  path   = find_in_parent_folders("root.hcl")
  expose = true
}
terraform {
  source = "${get_repo_root()}/modules//app"
}
dependency "first" {
  config_path = "../unit-000"
  enabled     = false
}
inputs = {
  name   = "${include.root.locals.name}-${basename(get_terragrunt_dir())}"
  policy = file("policy.json")
}
"#;

fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    write_all(folder.path())?;
    for arguments in
        [&["init", "-q", "-b", "main"][..], &["add", "-A"], &["commit", "-q", "-m", "feat: begin"]]
    {
        let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
        let status =
            Command::new("git").current_dir(folder.path()).args(identity).args(arguments).status()?;
        assert!(status.success(), "git {arguments:?}");
    }
    let repository = Repository::open(folder.path())?;
    let head = Revision::Commit(repository.resolve("HEAD")?);
    let tree = repository.tree(&head)?;
    let terraform: [Arc<dyn Dialect>; 1] = [Arc::new(TerraformDialect)];
    let both: [Arc<dyn Dialect>; 2] = [Arc::new(TerraformDialect), Arc::new(TerragruntDialect)];
    let mut best = [Duration::MAX; 2];
    for _ in 0..5 {
        for (dialects, at) in [(&terraform[..], 0), (&both[..], 1)] {
            let begun = Instant::now();
            Catalog::build(&tree, dialects, &CatalogRules::default())?;
            best[at] = begun.elapsed().min(best[at]);
        }
    }
    let catalog = Catalog::build(&tree, &both, &CatalogRules::default())?;
    let units = catalog.units()?.len();
    assert_eq!(units, REGIONS * UNITS);
    let [without, with] = best.map(|time| time.as_secs_f64() * 1e3);
    println!("{units} units, best of 5, all cores");
    println!("catalog without Terragrunt {without:>9.1} ms");
    println!("catalog with it            {with:>9.1} ms");
    println!("for each unit              {:>9.1} µs", (with - without) * 1e3 / units as f64);
    Ok(())
}

fn write_all(folder: &Path) -> Result<(), Failure> {
    let write = |path: String, text: &str| -> Result<(), Failure> {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        Ok(fs::write(path, text)?)
    };
    write("live/root.hcl".to_owned(), ROOT)?;
    write("live/account.hcl".to_owned(), "locals {\n  name = \"acme\"\n}\n")?;
    write("modules/app/main.tf".to_owned(), "variable \"name\" {}\nvariable \"policy\" {}\n")?;
    for region in 0..REGIONS {
        let at = format!("live/region-{region}");
        write(format!("{at}/region.hcl"), &format!("locals {{\n  name = \"region-{region}\"\n}}\n"))?;
        for unit in 0..UNITS {
            write(format!("{at}/unit-{unit:03}/terragrunt.hcl"), UNIT)?;
            write(format!("{at}/unit-{unit:03}/policy.json"), "{}")?;
        }
    }
    Ok(())
}
