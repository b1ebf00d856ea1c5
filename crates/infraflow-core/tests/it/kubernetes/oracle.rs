//! Against real kustomize: generated repositories of bases, components and overlays, and what a change makes of
//! their builds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
    process::Command,
};

use rayon::prelude::*;

use crate::{
    fixture::{self, Repo},
    impact::impact_with,
};

/// Repositories, unless `INFRAFLOW_KUSTOMIZE_REPOSITORIES` says how many.
const REPOSITORIES: u64 = 4;

/// Changes of each.
const CHANGES: u64 = 6;

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}

/// The text of a file, or where a link leads.
#[derive(Clone, PartialEq)]
enum Content {
    Text(String),
    Link(String),
}

type Files = BTreeMap<String, Content>;

/// A directory with everything that kustomize reads without plugins.
fn directory(
    name: &str,
    up: &str,
    below: &[String],
    components: &[String],
    numbers: &mut Numbers,
    files: &mut Files,
) {
    let component = name.starts_with("components/");
    let mut put = |file: &str, text: String| files.insert(format!("{name}/{file}"), Content::Text(text));
    let own = name.replace('/', "-");
    let map = |name: &str, value: u64| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{v: \"{value}\"}}\n")
    };
    let mut text = String::new();
    if component {
        text.push_str("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n");
    } else {
        writeln!(text, "namePrefix: {own}-").unwrap();
        text.push_str("resources:\n- r0.yaml\n");
        put("r0.yaml", map(&format!("{own}-r0"), numbers.below(100)));
        let mut used = BTreeSet::new();
        for _ in 0..numbers.below(3) {
            if !below.is_empty() {
                used.insert(numbers.one_of(below).clone());
            }
        }
        for base in used {
            if numbers.chance(20) {
                let link = format!("link-{}", base.replace('/', "-"));
                writeln!(text, "- {link}").unwrap();
                files.insert(format!("{name}/{link}"), Content::Link(format!("{up}{base}")));
            } else {
                writeln!(text, "- {up}{base}").unwrap();
            }
        }
    }
    let mut put = |file: &str, text: String| files.insert(format!("{name}/{file}"), Content::Text(text));
    if numbers.chance(50) && !component {
        writeln!(
            text,
            "configMapGenerator:\n- name: {own}-g\n  files: [a.txt, key=sub/b.txt]\n  envs: [e.env]"
        )
        .unwrap();
        put("a.txt", format!("{}\n", numbers.below(100)));
        put("sub/b.txt", format!("{}\n", numbers.below(100)));
        put("e.env", format!("A={}\n", numbers.below(100)));
    }
    if numbers.chance(50) {
        text.push_str("patches:\n- path: p.yaml\n  target: {kind: ConfigMap}\n");
        put("p.yaml", format!("- {{op: add, path: /data/p, value: \"{}\"}}\n", numbers.below(100)));
    }
    if numbers.chance(25) && !component {
        text.push_str("patchesStrategicMerge: [m.yaml]\n");
        put("m.yaml", map(&format!("{own}-r0"), numbers.below(100)));
    }
    if numbers.chance(40) {
        text.push_str("transformers: [t.yaml]\n");
        put("t.yaml", "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npath: q.yaml\ntarget: {kind: ConfigMap}\n".into());
        put("q.yaml", format!("- {{op: add, path: /data/q, value: \"{}\"}}\n", numbers.below(100)));
    }
    if numbers.chance(25) && !component {
        text.push_str("replacements: [{path: rep.yaml}]\n");
        put(
            "rep.yaml",
            format!(
                "source: {{kind: ConfigMap, name: {own}-r0, fieldPath: data.v}}\ntargets:\n- select: {{kind: ConfigMap}}\n  fieldPaths: [data.rep]\n  options: {{create: true}}\n"
            ),
        );
    }
    if !components.is_empty() && numbers.chance(50) {
        writeln!(text, "components:\n- {up}{}", numbers.one_of(components)).unwrap();
    }
    put("README.md", "read me\n".into());
    put("unused.yaml", map("unused", 1));
    let file =
        *numbers.one_of(&["kustomization.yaml", "kustomization.yaml", "kustomization.yml", "Kustomization"]);
    put(file, text);
}

fn generate(numbers: &mut Numbers) -> Files {
    let mut files = Files::new();
    let components: Vec<String> = (0..numbers.below(3)).map(|i| format!("components/c{i}")).collect();
    for name in &components {
        directory(name, "../../", &[], &[], numbers, &mut files);
    }
    let mut bases: Vec<String> = Vec::new();
    for i in 0..2 + numbers.below(2) {
        let name = format!("base{i}");
        directory(&name, "../", &bases, &components, numbers, &mut files);
        bases.push(name);
    }
    for i in 0..2 + numbers.below(2) {
        directory(&format!("live/o{i}"), "../../", &bases, &components, numbers, &mut files);
    }
    files
}

/// A change of one kind or another.
fn change(before: &Files, numbers: &mut Numbers) -> Files {
    let mut files = before.clone();
    let names: Vec<String> = files.keys().cloned().collect();
    let name = numbers.one_of(&names).clone();
    let kustomization = name.to_lowercase().contains("/kustomization");
    match (files[&name].clone(), numbers.below(10)) {
        (_, 0) => {
            files.remove(&name);
        }
        (content, 1) => {
            files.remove(&name);
            files.insert(format!("{name}.moved"), content);
        }
        (_, 2) => {
            let (directory, _) = name.rsplit_once('/').unwrap();
            files.insert(format!("{directory}/new.txt"), Content::Text("new\n".into()));
        }
        (Content::Link(to), _) => {
            let other = if to.ends_with('0') {
                to.replace("base0", "base1")
            } else {
                to[..to.len() - 1].to_owned() + "0"
            };
            files.insert(name, Content::Link(other));
        }
        (Content::Text(text), kind) => {
            let text = match kind {
                3 => format!("{text}\n- [\n"),
                4 if kustomization => format!("{text}commonAnnotations: {{a: b}}\n"),
                5 if kustomization => {
                    let lines: Vec<&str> = text.lines().collect();
                    let left_out = numbers.below(lines.len() as u64) as usize;
                    let kept = lines.iter().enumerate().filter(|(at, _)| *at != left_out);
                    kept.map(|(_, line)| format!("{line}\n")).collect()
                }
                6 => format!("# a comment\n{text}"),
                _ => text.replace("\"}", "0\"}").replace(['1', '2', '3'], "7"),
            };
            files.insert(name, Content::Text(text));
        }
    }
    files
}

fn write(root: &Path, files: &Files) {
    for entry in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap()) {
        if entry.file_name() != ".git" {
            std::fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    for (path, content) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match content {
            Content::Text(text) => std::fs::write(path, text).unwrap(),
            Content::Link(to) => std::os::unix::fs::symlink(to, path).unwrap(),
        }
    }
}

/// Directories that can be built, by what either state has there.
fn directories(files: &Files) -> BTreeSet<String> {
    let named = |name: &&String| {
        ["kustomization.yaml", "kustomization.yml", "Kustomization"].iter().any(|file| name.ends_with(file))
    };
    let found = files.keys().filter(named).map(|name| name.rsplit_once('/').unwrap().0.to_owned());
    found.filter(|name| !name.starts_with("components/")).collect()
}

/// What kustomize makes of a directory; `None` where it refuses.
fn built(root: &Path, directory: &str) -> Option<Vec<u8>> {
    let output = Command::new("kubectl").args(["kustomize", directory]).current_dir(root).output().unwrap();
    output.status.success().then_some(output.stdout)
}

fn builds(root: &Path, directories: &BTreeSet<String>) -> BTreeMap<String, Option<Vec<u8>>> {
    let all: Vec<&String> = directories.iter().collect();
    all.into_par_iter().map(|directory| (directory.clone(), built(root, directory))).collect()
}

#[test]
fn whatever_kustomize_builds_otherwise_is_affected() {
    if !fixture::has("kubectl", "kubernetes::oracle") {
        return;
    }
    let asked = std::env::var("INFRAFLOW_KUSTOMIZE_REPOSITORIES").ok().and_then(|text| text.parse().ok());
    let (mut missed, mut named_all, mut extra, mut good) = (Vec::new(), 0, 0, 0);
    for seed in 0..asked.unwrap_or(REPOSITORIES) {
        let mut numbers = Numbers(seed * 7_919 + 1);
        let before = generate(&mut numbers);
        let repo = Repo::empty();
        write(&repo.path, &before);
        repo.commit("feat: begin");
        let old = builds(&repo.path, &directories(&before));
        good += old.values().flatten().count();
        for number in 0..CHANGES {
            let after = change(&before, &mut numbers);
            if after == before {
                continue;
            }
            repo.git(&["checkout", "-q", "-B", "feature", "main"]);
            write(&repo.path, &after);
            repo.commit("feat: change");
            let impact = impact_with(&repo, &Default::default());
            let units = impact.units.iter().chain(&impact.removed_units).map(|unit| unit.path.to_string());
            let modules =
                impact.modules.iter().chain(&impact.removed_modules).map(|one| one.path.to_string());
            let named: BTreeSet<String> = units.chain(modules).collect();
            let mut all = directories(&after);
            all.extend(old.keys().cloned());
            let new = builds(&repo.path, &all);
            for directory in all {
                let differs =
                    old.get(&directory).cloned().flatten() != new.get(&directory).cloned().flatten();
                named_all += usize::from(named.contains(&directory));
                match (differs, named.contains(&directory)) {
                    (true, false) => missed
                        .push(format!("{directory} at seed {seed}, change {number}: {:?}", impact.changes)),
                    (false, true) => extra += 1,
                    _ => {}
                }
            }
        }
    }
    eprintln!(
        "kustomize: {good} directories build at first; {named_all} named over all changes, {extra} of them without need"
    );
    assert!(good > 0 && named_all > extra, "nothing was tested");
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
