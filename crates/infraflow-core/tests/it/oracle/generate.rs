//! Repositories and changes by lot, each from a seed.

use super::{
    expand::{OWN, join},
    model::{Config, Entry, Expr, Item, Op, Tree, apply},
};

/// Numbers by lot (splitmix64): the same seed, the same numbers, on every machine.
pub struct Lot(pub u64);

impl Lot {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Where modules, units, examples and shared files stand in one repository.
struct Plan {
    modules: Vec<String>,
    units: Vec<String>,
}

const READS: [&str; 7] =
    ["file", "templatefile", "filebase64", "filemd5", "filesha256", "fileexists", "file"];
const FILES: [&str; 5] = ["f.txt", "t.txt", "d/f.txt", "d/x/t.txt", "ä b.txt"];
const GLOBS: [&str; 7] = ["*.txt", "d/*.txt", "**/*.txt", "**", "{f,t}.txt", "?.txt", "d/**/*.txt"];

/// A repository.
pub fn repository(lot: &mut Lot) -> Tree {
    let mut tree = Tree::default();
    let places = ["modules/a", "modules/net/b", "modules/c", "modules/net/b/inner", "modules/d", "modules/e"];
    let plan = Plan {
        modules: places[..2 + lot.below(5)].iter().map(|&place| place.to_owned()).collect(),
        units: ["live/dev/u", "live/dev/v", "live/w", "live/dev/u/inner"][..1 + lot.below(4)]
            .iter()
            .map(|&place| place.to_owned())
            .collect(),
    };
    tree.set("README.md", Entry::Text("1".to_owned()));
    for file in ["f.txt", "t.txt", "d/f.txt"] {
        tree.set(&format!("shared/{file}"), Entry::Text("1".to_owned()));
    }
    tree.set("links/a", Entry::Link(format!("../{}", lot.one(&plan.modules))));
    if lot.percent(50) {
        tree.set("links/shared", Entry::Link("../shared".to_owned()));
        tree.set("links/f.txt", Entry::Link("shared/f.txt".to_owned()));
    }
    for (at, module) in plan.modules.iter().enumerate() {
        directory(lot, &mut tree, module, &plan, at, false);
        if lot.percent(25) {
            let example = format!("{module}/examples/e");
            let mut items = body(lot, &plan, usize::MAX, false);
            items.push(call(lot, "tested", relative(&example, module)));
            config(lot, &mut tree, &example, "main.tf", items);
            tree.set(&format!("{example}/f.txt"), Entry::Text("1".to_owned()));
        }
        if lot.percent(20) {
            let setup = lot.percent(40).then(|| "./tests/setup".to_owned());
            if setup.is_some() {
                let items = vec![read(lot, "in_setup", &plan)];
                config(lot, &mut tree, &format!("{module}/tests/setup"), "main.tf", items);
            }
            tree.set(&format!("{module}/tests/t.tftest.hcl"), Entry::Test(0, setup));
        }
    }
    for unit in &plan.units {
        directory(lot, &mut tree, unit, &plan, 0, true);
        for name in ["terraform.tfvars", "x.auto.tfvars.json", "prod.tfvars", "env/dev.tfvars"] {
            if lot.percent(20) {
                tree.set(&format!("{unit}/{name}"), values(lot));
            }
        }
        if lot.percent(20) {
            tree.set(&format!("{unit}/.terraform.lock.hcl"), Entry::Text("# 1\n".to_owned()));
        }
        if lot.percent(20) {
            tree.set(&format!("{unit}/.terraform-version"), Entry::Text("1.5.0\n".to_owned()));
        }
    }
    for (path, entry) in [
        (".terraform-version", Entry::Text("1.6.0\n".to_owned())),
        ("live/common.tfvars", values(lot)),
        ("shared/provider.tf", Entry::Config(Config::default())),
    ] {
        if lot.percent(30) {
            tree.set(path, entry);
        }
    }
    tree
}

/// What a branch does to a repository.
pub fn change(lot: &mut Lot, base: &Tree) -> Vec<Op> {
    let mut ops = Vec::new();
    let mut tree = base.clone();
    for _ in 0..1 + lot.below(3) {
        let Some(op) = operation(lot, &tree) else { continue };
        tree = apply(&tree, &op);
        ops.extend(op);
    }
    ops
}

fn operation(lot: &mut Lot, tree: &Tree) -> Option<Vec<Op>> {
    let paths: Vec<&String> = tree.0.keys().collect();
    if paths.is_empty() {
        return None;
    }
    let path = (*lot.one(&paths)).clone();
    let directory = path.rsplit_once('/').map_or(String::new(), |(directory, _)| directory.to_owned());
    let entry = tree.0[&path].clone();
    let text = || Entry::Text("1".to_owned());
    Some(match lot.below(16) {
        0..=4 => vec![Op::Write(path, changed(lot, entry))],
        5 => vec![Op::Remove(path)],
        6 => vec![Op::Remove(directory)],
        7 => {
            let to = join(&directory, &format!("moved-{}", path.rsplit('/').next().unwrap_or_default()));
            vec![Op::Move(path, to)]
        }
        8 => {
            let others: Vec<&&String> = paths.iter().filter(|other| other.ends_with(".txt")).collect();
            vec![Op::Move(path, others.first()?.to_string())]
        }
        9 if !directory.is_empty() => vec![Op::Move(directory.clone(), format!("{directory}-2"))],
        // Moved away, with a link left behind.
        10 if !directory.is_empty() => {
            let to = format!("{directory}-2");
            let name = to.rsplit('/').next().unwrap_or_default().to_owned();
            vec![Op::Move(directory.clone(), to), Op::Write(directory, Entry::Link(name))]
        }
        11 => {
            let name =
                *lot.one(&["f.txt", "d/n.txt", "t.txt", "NEW.md", "z.auto.tfvars", ".terraform-version"]);
            let entry = if name.ends_with("tfvars") { values(lot) } else { text() };
            vec![Op::Write(join(&directory, name), entry)]
        }
        12 => {
            let name = *lot.one(&["new.tf", "x_override.tf", "override.tf.json", "new.tf.json"]);
            let items = match lot.percent(50) {
                true => vec![Item::Variable { name: "n".to_owned(), default: Some("t".to_owned()) }],
                false => Vec::new(),
            };
            let config = Config { note: 9, broken: lot.percent(15), items };
            vec![Op::Write(join(&directory, name), Entry::Config(config))]
        }
        // A file becomes a link, and a link a file.
        13 => match entry {
            Entry::Link(_) => vec![Op::Write(path, text())],
            Entry::Text(_) => {
                let up = "../".repeat(path.matches('/').count());
                vec![Op::Write(path, Entry::Link(format!("{up}shared/f.txt")))]
            }
            _ => return None,
        },
        14 => match entry {
            Entry::Link(_) => {
                let target =
                    *lot.one(&["../modules/c", "../modules/a", "../shared", "../nowhere", "shared/t.txt"]);
                vec![Op::Write(path, Entry::Link(target.to_owned()))]
            }
            _ => return None,
        },
        _ => vec![Op::Write("README.md".to_owned(), Entry::Text("2".to_owned()))],
    })
}

fn changed(lot: &mut Lot, entry: Entry) -> Entry {
    match entry {
        Entry::Text(text) => Entry::Text(format!("{text}2")),
        Entry::Link(target) => Entry::Link(target),
        Entry::Values(_) => values(lot),
        Entry::Test(note, module) => Entry::Test(note + 1, module),
        Entry::Config(mut config) => {
            match lot.below(6) {
                0 => config.broken = !config.broken,
                1 if !config.items.is_empty() => drop(config.items.remove(lot.below(config.items.len()))),
                2 => {
                    for item in &mut config.items {
                        if let Item::Call { source, .. } = item {
                            *source =
                                if lot.percent(50) { "../c".to_owned() } else { format!("{OWN}modules/a") };
                        }
                    }
                }
                _ => config.note += 1,
            }
            Entry::Config(config)
        }
    }
}

/// A module or a unit: configuration, and files beside it.
fn directory(lot: &mut Lot, tree: &mut Tree, at: &str, plan: &Plan, place: usize, unit: bool) {
    for file in FILES {
        if lot.percent(60) {
            tree.set(&format!("{at}/{file}"), Entry::Text("1".to_owned()));
        }
    }
    if lot.percent(30) {
        tree.set(&format!("{at}/README.md"), Entry::Text("1".to_owned()));
    }
    if lot.percent(10) {
        let up = "../".repeat(at.matches('/').count() + 1);
        tree.set(
            &format!("{at}/l.txt"),
            Entry::Link(format!("{up}{}", lot.one(&["shared/f.txt", "links/f.txt"]))),
        );
        if lot.percent(50) {
            tree.set(&format!("{at}/provider.tf"), Entry::Link(format!("{up}shared/provider.tf")));
        }
    }
    let mut items = body(lot, plan, if unit { usize::MAX } else { place }, unit);
    for nth in 0..lot.below(3) {
        // Mostly down, so that there is more to see than cycles; and up once in a while.
        let first = if unit || lot.percent(6) { 0 } else { place + 1 };
        let Some(target) =
            plan.modules.get(first..).filter(|left| !left.is_empty()).map(|left| lot.one(left))
        else {
            continue;
        };
        let source = match lot.below(12) {
            0 => format!("{OWN}{target}"),
            1 => format!("{OWN}{target}?ref=main"),
            2 => format!("{OWN}{target}?ref=v1.0.0"),
            3 => relative(at, "links/a"),
            4 => relative(at, &format!("links/a/../../{target}")),
            5 => relative(at, "links/a/../a"),
            _ => relative(at, target),
        };
        items.push(call(lot, &format!("m{nth}"), source));
    }
    let second = if lot.percent(30) { items.split_off(items.len() / 2) } else { Vec::new() };
    let main = if lot.percent(20) { "main.tf.json" } else { "main.tf" };
    config(lot, tree, at, main, items);
    if !second.is_empty() {
        let name = *lot.one(&["other.tf", "other.tf.json"]);
        config(lot, tree, at, name, second);
    }
    if lot.percent(10) {
        let mut items = vec![Item::Variable { name: "n".to_owned(), default: Some("t".to_owned()) }];
        if lot.percent(50) {
            let target = lot.one(&plan.modules[place.min(1)..]);
            let source = relative(at, target);
            items.push(call(lot, "m0", source));
            items.push(Item::Local { name: "l".to_owned(), value: path(lot, plan, false) });
        }
        config(lot, tree, at, "x_override.tf", items);
    }
}

fn config(lot: &mut Lot, tree: &mut Tree, at: &str, name: &str, items: Vec<Item>) {
    let config = Config { note: 0, broken: lot.percent(2), items };
    tree.set(&format!("{at}/{name}"), Entry::Config(config));
}

/// Variables, locals and reads, as every directory has them.
fn body(lot: &mut Lot, plan: &Plan, place: usize, unit: bool) -> Vec<Item> {
    let mut items = Vec::new();
    if unit && lot.percent(30) {
        items.push(Item::Backend);
    }
    for name in ["n", "p"] {
        let default = match (lot.percent(60), name) {
            (false, _) => None,
            (true, "n") => Some((*lot.one(&["f", "t"])).to_owned()),
            (true, _) => Some((*lot.one(&["f.txt", "d/f.txt", "../../shared/f.txt"])).to_owned()),
        };
        items.push(Item::Variable { name: name.to_owned(), default });
    }
    items.push(Item::Local { name: "l".to_owned(), value: path(lot, plan, false) });
    items.push(Item::Local { name: "k".to_owned(), value: Expr::Local("l".to_owned()) });
    let members = ["f", "t"]
        .map(|name| (name.to_owned(), Expr::Join(vec![Expr::Module, slash(&format!("{name}.txt"))])));
    items.push(Item::Map { name: "t".to_owned(), members: members.into() });
    let _ = place;
    for nth in 0..lot.below(4) {
        items.push(read(lot, &format!("o{nth}"), plan));
    }
    items
}

fn read(lot: &mut Lot, name: &str, plan: &Plan) -> Item {
    let name = name.to_owned();
    match lot.below(10) {
        0 | 1 => {
            let directory = match lot.below(5) {
                0 => Expr::Root,
                1 => Expr::Join(vec![Expr::Module, slash("d")]),
                2 => Expr::Join(vec![Expr::Module, slash("../../links/shared")]),
                _ => Expr::Module,
            };
            Item::Set { name, directory, glob: (*lot.one(&GLOBS)).to_owned(), content: lot.percent(50) }
        }
        2 => {
            let argument = *lot.one(&["source", "filename", "source_dir"]);
            let end = *lot.one(&["f.txt", "d", "../shared/t.txt", "d/x"]);
            Item::Named { name, argument, path: Expr::Join(vec![Expr::Module, slash(end)]) }
        }
        _ => {
            let function = READS[lot.below(READS.len())];
            Item::Read { name, function, path: path(lot, plan, true) }
        }
    }
}

/// An expression that is the path of a file.
fn path(lot: &mut Lot, plan: &Plan, names: bool) -> Expr {
    let end = *lot.one(&FILES);
    match lot.below(if names { 19 } else { 9 }) {
        0 => Expr::Join(vec![Expr::Root, slash(end)]),
        1 => Expr::Join(vec![Expr::Cwd, slash(end)]),
        2 => Expr::Text(end.to_owned()),
        3 => Expr::Text(format!("./{end}")),
        4 => {
            let target = lot.one(&plan.modules);
            Expr::Join(vec![
                Expr::Module,
                slash(&format!("../../{}/{end}", target.trim_start_matches("modules/"))),
            ])
        }
        5 => Expr::Join(vec![Expr::Module, slash("../../links/a/f.txt")]),
        6 => Expr::Format(vec![Expr::Module, slash(end)]),
        7 | 8 => Expr::Join(vec![Expr::Module, slash(end)]),
        9 => Expr::Local("l".to_owned()),
        10 => Expr::Local("k".to_owned()),
        11 => Expr::Pick("t".to_owned(), "n".to_owned()),
        12 => Expr::Join(vec![
            Expr::Module,
            slash("d/"),
            Expr::Var("n".to_owned()),
            Expr::Text(".txt".to_owned()),
        ]),
        13 => {
            Expr::Join(vec![Expr::Root, slash(""), Expr::Var("n".to_owned()), Expr::Text(".txt".to_owned())])
        }
        14 => Expr::Join(vec![Expr::Module, slash("l.txt")]),
        18 => {
            let other = Box::new(Expr::Join(vec![Expr::Root, slash(end)]));
            Expr::If("n".to_owned(), Box::new(Expr::Join(vec![Expr::Module, slash("t.txt")])), other)
        }
        15 => Expr::Join(vec![
            Expr::Module,
            slash(""),
            Expr::Var("n".to_owned()),
            Expr::Text(".txt".to_owned()),
        ]),
        _ => Expr::Var("p".to_owned()),
    }
}

fn slash(end: &str) -> Expr {
    Expr::Text(format!("/{end}"))
}

fn call(lot: &mut Lot, name: &str, source: String) -> Item {
    let mut arguments = Vec::new();
    if lot.percent(60) {
        let value = match lot.below(3) {
            0 => Expr::Var("n".to_owned()),
            _ => Expr::Text((*lot.one(&["f", "t"])).to_owned()),
        };
        arguments.push(("n".to_owned(), value));
    }
    if lot.percent(60) {
        let end = *lot.one(&FILES);
        let value = match lot.below(6) {
            5 => {
                let member =
                    |name: &str, end: &str| (name.to_owned(), Expr::Join(vec![Expr::Module, slash(end)]));
                let members = vec![member("one", end), member("two", FILES[lot.below(FILES.len())])];
                arguments.push(("for_each".to_owned(), Expr::Object(members)));
                Expr::Each
            }
            0 => Expr::Var("p".to_owned()),
            1 => Expr::Join(vec![Expr::Root, slash(end)]),
            2 => Expr::Text(end.to_owned()),
            3 => Expr::Local("k".to_owned()),
            _ => Expr::Join(vec![Expr::Module, slash(end)]),
        };
        arguments.push(("p".to_owned(), value));
    }
    Item::Call { name: name.to_owned(), source, arguments }
}

fn values(lot: &mut Lot) -> Entry {
    let mut values = vec![("n".to_owned(), (*lot.one(&["f", "t", "g"])).to_owned())];
    if lot.percent(50) {
        values.push(("p".to_owned(), (*lot.one(&FILES)).to_owned()));
    }
    Entry::Values(values)
}

/// The way from one directory to another, as a source has it.
fn relative(from: &str, to: &str) -> String {
    let (mut ours, mut theirs) = (from.split('/').peekable(), to.split('/').peekable());
    while ours.peek().is_some() && ours.peek() == theirs.peek() {
        ours.next();
        theirs.next();
    }
    let up = "../".repeat(ours.count());
    let down: Vec<&str> = theirs.collect();
    format!("{}{}", if up.is_empty() { "./" } else { &up }, down.join("/"))
}
