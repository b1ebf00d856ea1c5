//! What terraform itself plans differently is in `units`, over generated repositories.
//!
//! The base is applied for real, the change is laid over it, and `terraform plan -detailed-exitcode` says which
//! units come out differently. A plan that fails at the head where the base could be applied differs too.
//! `INFRAFLOW_PLANS` says how many repositories are tried, `INFRAFLOW_PLANS_SEED` tries a single one.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::{
    fixture,
    oracle::{
        Sample, Scratch,
        generate::Lot,
        impact_of,
        model::{Entry, Op, Tree},
        number,
    },
};

const UNITS: [&str; 2] = ["live/dev/u", "live/v"];

/// What a module may say about files. `var.n` is `f` or `t`, `var.p` a path that its caller gives.
const EXPRESSIONS: [&str; 30] = [
    "file(\"${path.module}/f.txt\")",
    "file(\"${path.module}/${var.n}.txt\")",
    "templatefile(\"${path.module}/x.tpl\", { n = var.n })",
    "join(\",\", sort(fileset(path.module, \"d/*.txt\")))",
    "[for f in sort(fileset(\"${path.module}/d\", \"*.txt\")) : file(\"${path.module}/d/${f}\")]",
    "file(\"${path.root}/r.txt\")",
    "file(var.p)",
    "filemd5(\"r.txt\")",
    "file(local.t[var.n])",
    "jsondecode(file(\"${path.module}/data.json\")).key",
    "fileexists(\"${path.module}/maybe.txt\")",
    "file(\"${path.cwd}/r.txt\")",
    "file(join(\"/\", [path.module, \"d\", \"one.txt\"]))",
    "file(format(\"%s/%s.txt\", path.module, var.n))",
    "{ for f in fileset(path.root, \"*.txt\") : f => filesha256(f) }",
    "file(\"${path.module}/../shared/s.txt\")",
    "[for k, v in yamldecode(file(\"${path.module}/names.yaml\")) : file(\"${path.module}/${v}\")]",
    "try(file(\"${path.module}/maybe.txt\"), \"none\")",
    "file(abspath(\"${path.module}/f.txt\"))",
    "file(pathexpand(\"r.txt\"))",
    "file(\"${dirname(\"${path.module}/d/one.txt\")}/two.txt\")",
    "file(lookup(local.t, var.n, \"r.txt\"))",
    "file(replace(\"${path.module}/F.txt\", \"F\", \"f\"))",
    "sort(fileset(\"${path.module}\", \"{d,e}/*.txt\"))",
    "[for f in fileset(\"${path.module}/d\", \"**\") : filebase64(\"${path.module}/d/${f}\")]",
    "file(coalesce(null, \"${path.module}/t.txt\"))",
    "var.n == \"f\" ? file(\"${path.module}/f.txt\") : file(\"${path.module}/t.txt\")",
    "{ for name, path in local.t : name => file(path) }",
    "file(\"${path.module}/linked.txt\")",
    "file(one(values({ a = \"${path.module}/d/two.txt\" })))",
];

/// A module that reads, one that calls it, and two units.
fn repository(lot: &mut Lot) -> Tree {
    let mut tree = Tree::default();
    let mut text = |path: &str, text: String| tree.set(path, Entry::Text(text));
    text("modules/shared/s.txt", "1".into());
    text("modules/leaf/README.md", "1".into());
    text(".terraform-version", "1.11.4\n".into());
    for (file, content) in [
        ("f.txt", "1"),
        ("t.txt", "1"),
        ("d/one.txt", "1"),
        ("d/two.txt", "1"),
        ("x.tpl", "hello ${n}"),
        ("data.json", "{\"key\": 1}"),
        ("names.yaml", "a: f.txt\n"),
    ] {
        text(&format!("modules/leaf/{file}"), content.to_owned());
    }
    let outputs: Vec<(String, &str)> =
        (0..3).map(|nth| (format!("o{nth}"), EXPRESSIONS[lot.below(EXPRESSIONS.len())])).collect();
    let mut leaf = String::from(
        "variable \"n\" {\n  default = \"f\"\n}\nvariable \"p\" {\n  default = \"r.txt\"\n}\nlocals {\n  base = path.module\n  t = { f = \"${local.base}/f.txt\", t = \"${local.base}/t.txt\" }\n}\n",
    );
    let json = lot.percent(25);
    if json {
        let members = outputs.iter().map(|(name, value)| {
            let value = format!("${{{value}}}").replace('"', "\\\"");
            format!("\"{name}\": {{\"value\": \"{value}\"}}")
        });
        let members = members.collect::<Vec<_>>().join(", ");
        text("modules/leaf/outputs.tf.json", format!("{{\"output\": {{{members}}}}}"));
    } else {
        for (name, value) in &outputs {
            leaf.push_str(&format!("output \"{name}\" {{\n  value = {value}\n}}\n"));
        }
    }
    if lot.percent(40) {
        leaf.push_str("resource \"terraform_data\" \"each\" {\n  for_each = fileset(path.module, \"d/*.txt\")\n  input    = file(\"${path.module}/${each.value}\")\n}\n");
    }
    text("modules/leaf/main.tf", leaf);
    if lot.percent(25) {
        text("modules/leaf/n_override.tf", "variable \"n\" {\n  default = \"t\"\n}\n".into());
    }
    let way = if lot.percent(30) { "../../links/leaf" } else { "../leaf" };
    text(
        "modules/mid/main.tf",
        format!(
            "variable \"n\" {{\n  default = \"f\"\n}}\nmodule \"leaf\" {{\n  source = \"{way}\"\n  n = var.n\n  p = \"${{path.module}}/m.txt\"\n}}\noutput \"all\" {{\n  value = module.leaf\n}}\n"
        ),
    );
    text("modules/mid/m.txt", "1".into());
    let given = if lot.percent(50) { "  n = var.n\n" } else { "" };
    for (unit, module) in [(UNITS[0], "mid"), (UNITS[1], "leaf")] {
        let up = "../".repeat(unit.matches('/').count() + 1);
        text(
            &format!("{unit}/main.tf"),
            format!(
                "variable \"n\" {{\n  default = \"f\"\n}}\nmodule \"m\" {{\n  source = \"{up}modules/{module}\"\n{given}}}\noutput \"v\" {{\n  value = module.m\n}}\noutput \"own\" {{\n  value = file(\"r.txt\")\n}}\n"
            ),
        );
        text(&format!("{unit}/r.txt"), "1".into());
        text(&format!("{unit}/README.md"), "1".into());
        if lot.percent(40) {
            let name = ["terraform.tfvars", "a.auto.tfvars"][lot.below(2)];
            text(&format!("{unit}/{name}"), "n = \"t\"\n".into());
        }
    }
    tree.set("modules/leaf/linked.txt", Entry::Link("../shared/s.txt".into()));
    tree.set("links/leaf", Entry::Link("../modules/leaf".into()));
    tree
}

/// Changes after which most configurations are still valid.
fn change(lot: &mut Lot, base: &Tree) -> Vec<Op> {
    let text = |text: &str| Entry::Text(text.to_owned());
    let write = |path: &str, content: &str| Op::Write(path.to_owned(), text(content));
    let shifted = |from: &str, to: &str| Op::Move(from.to_owned(), to.to_owned());
    let replaced = |path: &str, from: &str, to: &str| match base.0.get(path) {
        Some(Entry::Text(content)) => vec![write(path, &content.replace(from, to))],
        _ => Vec::new(),
    };
    let unit = UNITS[lot.below(2)];
    match lot.below(24) {
        0..=4 => {
            let files: Vec<&String> = base
                .0
                .keys()
                .filter(|path| [".txt", ".md"].iter().any(|ending| path.ends_with(ending)))
                .filter(|path| matches!(base.0[*path], Entry::Text(_)))
                .collect();
            vec![write(files[lot.below(files.len())], "2")]
        }
        5 => vec![write("modules/leaf/d/three.txt", "1")],
        6 => vec![write("modules/leaf/e/one.txt", "1")],
        7 => vec![write("modules/leaf/d/no.md", "1")],
        8 => vec![write("modules/leaf/maybe.txt", "1")],
        9 => vec![shifted("modules/leaf/d/two.txt", "modules/leaf/d/zwei.txt")],
        10 => vec![write("modules/leaf/x.tpl", "bye ${n}")],
        11 => vec![write("modules/leaf/data.json", "{\"key\": 1, \"other\": 2}")],
        12 => vec![write("modules/leaf/data.json", "{\"key\": 2}")],
        13 => vec![write("modules/leaf/names.yaml", "a: t.txt\n"), write("modules/leaf/t.txt", "2")],
        14 => vec![write(&format!("{unit}/b.auto.tfvars"), "n = \"t\"\n"), write("modules/leaf/t.txt", "2")],
        15 => vec![write("modules/leaf/z_override.tf", "output \"o0\" {\n  value = \"over\"\n}\n")],
        16 => {
            let mut ops = vec![shifted("modules/leaf", "modules/blatt"), write("modules/blatt/f.txt", "2")];
            ops.extend(replaced("modules/mid/main.tf", "../leaf", "../blatt"));
            ops.extend(replaced("live/v/main.tf", "modules/leaf", "modules/blatt"));
            ops
        }
        17 => vec![
            write("modules/other/s.txt", "2"),
            Op::Write("modules/leaf/linked.txt".to_owned(), Entry::Link("../other/s.txt".to_owned())),
        ],
        18 => vec![
            write(
                "modules/other/main.tf",
                "variable \"n\" {\n  default = 1\n}\nvariable \"p\" {\n  default = 1\n}\noutput \"o0\" {\n  value = 1\n}\n",
            ),
            Op::Write("links/leaf".to_owned(), Entry::Link("../modules/other".to_owned())),
        ],
        19 => vec![write(&format!("{unit}/extra.tf"), "resource \"terraform_data\" \"new\" {}\n")],
        20 => vec![write(&format!("{unit}/r.md"), "1"), write(&format!("{unit}/q.txt"), "1")],
        21 => replaced(&format!("{unit}/main.tf"), "value = file(\"r.txt\")", "value = \"2\""),
        22 => vec![Op::Remove("modules/leaf/f.txt".to_owned())],
        _ => replaced("modules/leaf/main.tf", "default = \"f\"", "default = \"t\"")
            .into_iter()
            .chain([write("modules/leaf/t.txt", "2")])
            .collect(),
    }
}

/// A folder with the files of a tree; what terraform itself left there stays.
fn lay_out(folder: &Path, gone: &Tree, tree: &Tree) {
    for path in gone.0.keys() {
        std::fs::remove_file(folder.join(path)).unwrap();
    }
    for (path, entry) in &tree.0 {
        let to = folder.join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        match entry {
            Entry::Link(target) => std::os::unix::fs::symlink(target, to).unwrap(),
            entry => std::fs::write(to, entry.bytes(path).1).unwrap(),
        }
    }
}

fn terraform(unit: &Path, args: &[&str]) -> Output {
    Command::new("terraform")
        .args(args)
        .args(["-input=false", "-no-color"])
        .current_dir(unit)
        .env("CHECKPOINT_DISABLE", "1")
        .output()
        .unwrap()
}

/// The units whose plan differs, or fails; `None` where the base itself cannot be applied.
fn planned(base: &Tree, head: &Tree) -> Option<BTreeSet<String>> {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &Tree::default(), base);
    let unit = |unit: &str| -> PathBuf { folder.path().join(unit) };
    for path in UNITS {
        let init = terraform(&unit(path), &["init"]);
        let apply = terraform(&unit(path), &["apply", "-auto-approve"]);
        if !init.status.success() || !apply.status.success() {
            eprintln!("{path} cannot be applied: {}", String::from_utf8_lossy(&apply.stderr));
            return None;
        }
    }
    lay_out(folder.path(), base, head);
    let differs = |path: &&str| {
        !terraform(&unit(path), &["init"]).status.success()
            || terraform(&unit(path), &["plan", "-detailed-exitcode", "-lock=false"]).status.code() != Some(0)
    };
    Some(UNITS.into_iter().filter(differs).map(str::to_owned).collect())
}

#[test]
fn what_terraform_plans_differently_is_in_units_over_generated_repositories() {
    let test = "what_terraform_plans_differently_is_in_units_over_generated_repositories";
    if !fixture::has("terraform", test) {
        return;
    }
    let seeds: Vec<u64> = match number("INFRAFLOW_PLANS_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("INFRAFLOW_PLANS").unwrap_or(40)).collect(),
    };
    let samples: Vec<Sample> = seeds
        .iter()
        .map(|&seed| {
            let mut lot = Lot(seed);
            let base = repository(&mut lot);
            let ops = change(&mut lot, &base);
            Sample { seed, base, ops }
        })
        .collect();
    let scratch = Scratch::new();
    let commits = scratch.commits(&samples);
    let pairs: Vec<_> = samples.iter().zip(commits).collect();
    // Two at a time: terraform itself uses more than one core.
    let planned: Vec<Option<BTreeSet<String>>> = std::thread::scope(|scope| {
        let halves = samples.chunks(samples.len().div_ceil(2));
        let run = |half: &[Sample]| half.iter().map(|sample| planned(&sample.base, &sample.head())).collect();
        let threads: Vec<_> = halves.map(|half| scope.spawn(move || -> Vec<_> { run(half) })).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let (mut tried, mut differing, mut named, mut wrong) = (0, 0, 0, Vec::new());
    for ((sample, (base, head)), planned) in pairs.into_iter().zip(planned) {
        let Some(planned) = planned else { continue };
        let impact = impact_of(&scratch.repository, base, head);
        let units: BTreeSet<String> = impact.units.iter().map(|unit| unit.path.to_string()).collect();
        tried += 1;
        differing += planned.len();
        named += units.len();
        for missed in planned.difference(&units) {
            wrong.push(format!(
                "seed {}: terraform plans {missed} anew, after {:#?}",
                sample.seed, sample.ops
            ));
        }
        if seeds.len() == 1 {
            eprintln!("{}\nthen {:#?}\nterraform: {planned:?}, named: {units:?}", sample.base, sample.ops);
        }
    }
    eprintln!(
        "{tried} repositories, {} units: terraform plans {differing} anew, {named} are named",
        tried * UNITS.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried * 10 >= seeds.len() * 9, "{tried} of {} bases can be applied", seeds.len());
}
