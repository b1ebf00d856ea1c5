//! What terraform itself plans differently is in `units`, over generated repositories.
//!
//! The base is applied for real, the change is laid over it, and `terraform plan -detailed-exitcode` says which
//! units come out differently. A plan that fails at the head where the base could be applied differs too.
//! `INFRAFLOW_PLANS` says how many repositories are tried, from `INFRAFLOW_PLANS_FROM` on, `INFRAFLOW_PLANS_SEED` tries
//! a single one; `INFRAFLOW_PLANS_TOOL` names another program than terraform, for example tofu.

use std::{
    collections::{BTreeMap, BTreeSet},
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
const EXPRESSIONS: [&str; 74] = [
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
    "file(\"${trimsuffix(\"${path.module}/f.txt.tpl\", \".tpl\")}\")",
    "file(\"${path.module}/${lower(\"F\")}.txt\")",
    "file(\"${path.module}/${title(\"f\") == \"F\" ? \"f\" : \"t\"}.txt\")",
    "file(\"${path.module}/${split(\",\", \"f,t\")[1]}.txt\")",
    "file(merge(local.t, { x = \"r.txt\" })[var.n])",
    "file(element([\"${path.module}/f.txt\", \"${path.module}/t.txt\"], 1))",
    "file(\"${path.module}/${yamldecode(file(\"${path.module}/names.yaml\")).a}\")",
    "file(\"${path.module}/${local.names.a}\")",
    "[for f in local.listed.files : file(\"${path.module}/${f}\")]",
    "file(\"${path.module}/${jsondecode(file(\"${path.module}/listed.json\")).files[0]}\")",
    "file(chomp(file(\"${path.module}/pointer.txt\")))",
    "templatefile(\"${path.module}/own.tpl\", { dir = path.module })",
    "templatefile(\"${path.module}/${var.n == \"f\" ? \"x\" : \"y\"}.tpl\", { n = 1 })",
    "sort(fileset(\"${path.module}/l\", \"*\"))",
    "[for f in sort(fileset(\"${path.module}/l\", \"**\")) : file(\"${path.module}/l/${f}\")]",
    "[for f in sort(fileset(\"${path.module}/via\", \"*.txt\")) : file(\"${path.module}/via/${f}\")]",
    "sort(fileset(path.module, \"*/one.txt\"))",
    "sort(fileset(path.module, \"**/one.txt\"))",
    "[for f in sort(fileset(path.module, \"{d,l}/[a-o]*\")) : filesha256(\"${path.module}/${f}\")]",
    "core::file(\"${path.module}/f.txt\")",
    "try(file(\"${path.module}/none-${var.n}.txt\"), file(\"${path.module}/t.txt\"))",
    "can(file(\"${path.module}/maybe.txt\"))",
    "filebase64sha512(\"${path.module}/./d/../f.txt\")",
    "file(\"${path.module}//f.txt\")",
    "file(join(\"\", [path.module, \"/\", var.n, \".txt\"]))",
    "file(format(\"%s/%s\", path.module, [for x in [\"f\", \"t\"] : \"${x}.txt\"][0]))",
    "file(coalesce(var.q, \"${path.module}/t.txt\"))",
    "file(\"${path.module}/${basename(\"x/y/f.txt\")}\")",
    "file(\"${path.module}/${replace(\"f-txt\", \"-\", \".\")}\")",
    "file(values({ b = \"${path.module}/t.txt\" })[0])",
    "{ for k, v in { a = \"f\", b = \"t\" } : k => file(\"${path.module}/${v}.txt\") }",
    "[for k in keys({ f = 1, t = 2 }) : file(\"${path.module}/${k}.txt\")]",
    "file([for f in sort(fileset(path.module, \"d/*.txt\")) : \"${path.module}/${f}\"][0])",
    "file(distinct([\"${path.module}/f.txt\"])[0])",
    "file(flatten([[\"${path.module}/f.txt\"], [\"x\"]])[0])",
    "file(zipmap([\"a\"], [\"${path.module}/f.txt\"])[\"a\"])",
    "file(regex(\"^.*$\", \"${path.module}/f.txt\"))",
    "file(trimspace(\"  ${path.module}/f.txt\"))",
    "file(tostring(\"${path.module}/f.txt\"))",
    "file(terraform.workspace == \"default\" ? \"${path.module}/f.txt\" : \"r.txt\")",
    "file(nonsensitive(sensitive(\"${path.module}/f.txt\")))",
    "file(\"${abspath(path.module)}/f.txt\")",
    "file(\"${abspath(path.root)}/r.txt\")",
    "file(substr(\"x${path.module}/f.txt\", 1, -1))",
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
        ("listed.json", "{\"files\": [\"d/one.txt\"]}"),
        ("pointer.txt", "r.txt\n"),
        ("own.tpl", "${file(\"${dir}/d/one.txt\")} ${file(\"r.txt\")}"),
        ("y.tpl", "y ${n}"),
        ("l/plain.txt", "1"),
    ] {
        text(&format!("modules/leaf/{file}"), content.to_owned());
    }
    let outputs: Vec<(String, &str)> =
        (0..3).map(|nth| (format!("o{nth}"), EXPRESSIONS[lot.below(EXPRESSIONS.len())])).collect();
    let mut leaf = String::from(
        "variable \"n\" {\n  default = \"f\"\n}\nvariable \"p\" {\n  default = \"r.txt\"\n}\nvariable \"q\" {\n  default = null\n}\nlocals {\n  base = path.module\n  names = yamldecode(file(\"${path.module}/names.yaml\"))\n  listed = jsondecode(file(\"${path.module}/listed.json\"))\n  t = { f = \"${local.base}/f.txt\", t = \"${local.base}/t.txt\" }\n}\n",
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
    tree.set("modules/leaf/l/one.txt", Entry::Link("../../shared/s.txt".into()));
    tree.set("modules/leaf/via", Entry::Link("../shared".into()));
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
    match lot.below(31) {
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
        23 => vec![
            write("modules/shared/other.txt", "1"),
            Op::Write("modules/leaf/l/two.txt".to_owned(), Entry::Link("../../shared/other.txt".to_owned())),
        ],
        24 => vec![write("modules/shared/one.txt", "1")],
        25 => vec![
            write("modules/leaf/listed.json", "{\"files\": [\"d/two.txt\"]}"),
            write("modules/leaf/d/two.txt", "2"),
        ],
        26 => vec![write("modules/leaf/pointer.txt", "README.md\n")],
        27 => vec![write("modules/leaf/own.tpl", "${file(\"${dir}/d/two.txt\")}")],
        28 => vec![
            write(
                "modules/leaf/a_override.tf",
                "locals {\n  base = \"${path.module}/../shared\"\n  names = { a = \"t.txt\" }\n}\n",
            ),
            write("modules/shared/f.txt", "1"),
            write("modules/shared/t.txt", "1"),
        ],
        29 => vec![
            write(&format!("{unit}/terraform.tfvars"), "n = \"t\"\n"),
            write(&format!("{unit}/z.auto.tfvars.json"), "{\"n\": \"f\"}"),
        ],
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
    Command::new(std::env::var_os("INFRAFLOW_PLANS_TOOL").unwrap_or_else(|| "terraform".into()))
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
        None => {
            let from = number("INFRAFLOW_PLANS_FROM").unwrap_or(0);
            (from..from + number("INFRAFLOW_PLANS").unwrap_or(40)).collect()
        }
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
    let mut over: BTreeMap<String, (usize, u64)> = BTreeMap::new();
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
        for unit in impact.units.iter().filter(|unit| !planned.contains(&unit.path.to_string())) {
            let links = unit.reasons[0].chain.iter().skip(1);
            let links: Vec<&str> = links.map(|link| link.reference.as_str()).collect();
            let why = format!("{} {}", unit.reasons[0].rule, links.join(" < "));
            over.entry(why).or_insert((0, sample.seed)).0 += 1;
        }
        if seeds.len() == 1 {
            eprintln!("{}\nthen {:#?}\nterraform: {planned:?}, named: {units:?}", sample.base, sample.ops);
        }
    }
    eprintln!(
        "{tried} repositories, {} units: terraform plans {differing} anew, {named} are named",
        tried * UNITS.len()
    );
    let mut over: Vec<_> = over.into_iter().collect();
    over.sort_by_key(|(why, (count, _))| (std::cmp::Reverse(*count), why.clone()));
    for (why, (count, seed)) in over.into_iter().take(12) {
        eprintln!("  {count:>5} without need by {why}, as in {seed}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried * 10 >= seeds.len() * 9, "{tried} of {} bases can be applied", seeds.len());
}
