//! What it costs to know what Terramate generates for each stack: globals at three levels, blocks with
//! conditions, imports, nothing of the generated code committed.
//!
//! `cargo bench -p infraflow-benches --bench terramate` builds the catalog of 250, 500, 1,000 and 2,000 stacks and
//! prints what one stack costs in each: it should be the same.
#![allow(clippy::print_stdout, missing_docs)]

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use infraflow_benches::Failure;
use infraflow_core::{
    catalog::{Catalog, CatalogRules, standard_dialects},
    git::Repository,
};

/// Numbers of stacks.
const SIZES: [usize; 4] = [250, 500, 1_000, 2_000];

/// Stacks of one group.
const IN_A_GROUP: usize = 25;

fn main() -> Result<(), Failure> {
    println!("{:>8} {:>12} {:>14}", "stacks", "catalog", "a stack");
    let mut each = Vec::new();
    for stacks in SIZES {
        let folder = tempfile::tempdir()?;
        lay(folder.path(), stacks)?;
        let time = best(folder.path(), stacks)?;
        let one = time.as_secs_f64() * 1e6 / stacks as f64;
        println!("{stacks:>8} {:>9.1} ms {one:>11.1} µs", time.as_secs_f64() * 1e3);
        each.push(one);
    }
    if let (Some(first), Some(last)) = (each.first(), each.last()) {
        println!("eight times the stacks: a stack costs {:.2} times as much", last / first);
    }
    Ok(())
}

/// The best of some tries. Each opens the repository anew, so that nothing is kept.
fn best(folder: &Path, stacks: usize) -> Result<Duration, Failure> {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let repository = Repository::open(folder)?;
        let tree = repository.tree(&repository.revision("HEAD")?)?;
        let begin = Instant::now();
        let catalog = Catalog::build(&tree, &standard_dialects(), &CatalogRules::default())?;
        best = best.min(begin.elapsed());
        assert_eq!(catalog.units()?.len(), stacks, "each stack is a unit");
    }
    Ok(best)
}

fn lay(folder: &Path, stacks: usize) -> Result<(), Failure> {
    let write = |path: String, text: String| -> Result<(), Failure> {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        Ok(fs::write(path, text)?)
    };
    let mut globals =
        String::from("globals {\n  region = \"r\"\n  name = \"${global.region}-${global.group}\"\n");
    for number in 0..50 {
        globals += &format!("  value_{number} = [for n in [1, 2, 3] : \"${{global.region}}-${{n}}\"]\n");
    }
    write("globals.tm.hcl".into(), format!("{globals}}}\n"))?;
    write(
        "generate.tm.hcl".into(),
        "generate_hcl \"_backend.tf\" {\n  condition = tm_contains(terramate.stack.tags, \"live\")\n  content {\n    terraform {\n      backend \"s3\" {\n        key = \"${global.name}/${global.value_3[0]}\"\n      }\n    }\n  }\n}\n".into(),
    )?;
    write(
        "mixins/provider.tm.hcl".into(),
        "generate_hcl \"_provider.tf\" {\n  content {\n    provider \"aws\" {\n      region = global.region\n    }\n  }\n}\n".into(),
    )?;
    for number in 0..stacks {
        let group = format!("live/g{}", number / IN_A_GROUP);
        if number % IN_A_GROUP == 0 {
            let text = "import {\n  source = \"/mixins/*.tm.hcl\"\n}\nglobals {\n  group = \"g\"\n}\n";
            write(format!("{group}/globals.tm.hcl"), text.into())?;
        }
        let stack = format!("{group}/s{number}");
        write(format!("{stack}/stack.tm.hcl"), "stack {\n  tags = [\"live\"]\n}\n".into())?;
        write(format!("{stack}/globals.tm.hcl"), format!("globals {{\n  own = {number}\n}}\n"))?;
        write(format!("{stack}/main.tf"), "output \"v\" {\n  value = 1\n}\n".into())?;
    }
    for arguments in [
        &["init", "-q"][..],
        &["add", "-A"],
        &["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "a"],
    ] {
        let status = Command::new("git").args(arguments).current_dir(folder).status()?;
        assert!(status.success(), "git {arguments:?}");
    }
    Ok(())
}
