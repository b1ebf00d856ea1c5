//! Tests of why and why not, of the drawn graph, and of the reach into a second repository.

use std::{io::Write as _, process::Stdio};

use infraflow_core::{
    address::PackageIdentity,
    catalog::{Catalog, CatalogRules},
    git::Repository,
    impact::{Graph, Impact, ModuleAddresses, Published, ReachedWhen, Rules, Why, reach, why},
    policy::Configuration,
    proof::Document as _,
};

use crate::{
    catalog::{catalog_at, dialects},
    fixture::{self, Repo},
    rules::{impact_by, repo_with_change},
};

fn head(repo: &Repo) -> Catalog {
    let repository = Repository::open(&repo.path).unwrap();
    let tree = repository.tree(&repository.revision("HEAD").unwrap()).unwrap();
    Catalog::build(&tree, &dialects(), &CatalogRules::default()).unwrap()
}

fn ask(changed: &[&str], asked: &str) -> Why {
    ask_by(changed, asked, &Rules::default())
}

fn ask_by(changed: &[&str], asked: &str, rules: &Rules) -> Why {
    let repo = repo_with_change(changed);
    let found = why(asked, &impact_by(&repo, rules), &head(&repo), rules).unwrap();
    assert_eq!(Why::from_json(&found.to_json().unwrap()).unwrap(), found);
    assert_eq!(found.affected, !found.things.is_empty());
    assert_ne!(found.affected, !found.reasons.is_empty());
    found
}

fn names(why: &Why) -> Vec<&str> {
    why.things.iter().map(|thing| thing.name.as_str()).collect()
}

fn rules_of(why: &Why) -> Vec<&str> {
    why.reasons.iter().map(|reason| reason.rule.as_str()).collect()
}

#[test]
fn what_is_affected_is_told_by_thing_by_file_and_by_directory() {
    let net = ["modules/net/main.tf"];
    let unit = ask(&net, "live/dev/app");
    assert_eq!((names(&unit), unit.things[0].what.as_str()), (vec!["live/dev/app"], "unit"));
    assert!(unit.things[0].reasons[0].text.contains("calls modules/app, which calls modules/net"));
    assert_eq!(names(&ask(&net, "./modules/net/")), ["modules/net"]);
    let file = ask(&net, "modules/net/main.tf");
    assert_eq!(
        names(&file),
        ["live/dev/app", "live/prod/app", "modules/app", "modules/net", "modules/app/examples/a"]
    );
    assert_eq!(names(&ask(&net, "live/prod")), ["live/prod/app"]);
}

#[test]
fn a_thing_that_is_not_touched_says_what_it_depends_on_and_what_changed_nearest() {
    let found = ask(&["live/prod/dns/deep/notes.json"], "live/prod/dns");
    assert_eq!(rules_of(&found), ["nothing_changed", "nearest_miss"]);
    assert_eq!(
        found.reasons[0].text,
        "live/prod/dns depends on its own configuration and 1 file or directory (live/prod/dns/zone.txt), and nothing of that changed"
    );
    assert_eq!(found.reasons[0].chain[0].reference, "file(\"${path.module}/zone.txt\")");
    assert_eq!(
        found.reasons[1].text,
        "the nearest change lies below live/prod/dns: live/prod/dns/deep/notes.json changed, and touches nothing: it lies in live/prod/dns, which does not read it; if a tool of yours does, say so with do = \"part_of\" in [[impact.rules]]"
    );
    let app = ask(&["live/prod/dns/main.tf"], "live/prod/app");
    assert!(app.reasons[0].text.contains("2 modules (modules/app, modules/net)"), "{}", app.reasons[0].text);
    assert_eq!(app.reasons[1].text, "the nearest change is live/prod/dns/main.tf, beside live/prod/app");
}

#[test]
fn a_file_that_touches_nothing_says_which_rule_or_reader_is_missing() {
    assert_eq!(rules_of(&ask(&["tools/run.sh"], "tools/run.sh")), ["not_read"]);
    let text = "[[impact.rules]]\npaths = ['live/**/*.txt']\ndo = 'ignore_always'\nreason = 'not ours'\n";
    let rules: Rules = Configuration::parse(text, "infraflow.toml").unwrap().section().unwrap();
    let ignored = ask_by(&["live/prod/dns/zone.txt"], "live/prod/dns/zone.txt", &rules);
    assert_eq!(rules_of(&ignored), ["ignored"]);
    assert!(ignored.reasons[0].text.ends_with("not ours (impact.rules[0])"));
    let unchanged = ask(&["tools/run.sh"], "live/prod/dns/zone.txt");
    assert_eq!(rules_of(&unchanged), ["not_changed"]);
    assert!(unchanged.reasons[0].text.contains("live/prod/dns would be touched by it"));
}

#[test]
fn a_changed_file_is_told_with_what_it_touches_though_another_gives_the_shorter_reason() {
    let repo = Repo::with(&[
        ("infraflow.toml", "[catalog]\nlive = ['live/*']\n"),
        ("live/a/main.tf", "module \"net\" { source = \"../../modules/net\" }\n"),
        ("live/a/z.tf", "# 1\n"),
        ("modules/net/main.tf", "# 1\n"),
        ("modules/net/outputs.tf", "# 1\n"),
        ("modules/old/main.tf", "# 1\n"),
        ("modules/old/outputs.tf", "# old\n"),
        ("modules/old/read.txt", "1"),
    ]);
    repo.branch("feature");
    for file in ["live/a/main.tf", "live/a/z.tf", "modules/net/main.tf", "modules/net/outputs.tf"] {
        let before = std::fs::read_to_string(repo.path.join(file)).unwrap();
        repo.write(file, before + "# 2\n");
    }
    std::fs::remove_dir_all(repo.path.join("modules/old")).unwrap();
    repo.commit("feat: change");
    let impact = impact_by(&repo, &Rules::default());
    let ask = |asked: &str| why(asked, &impact, &head(&repo), &Rules::default()).unwrap();
    for file in ["modules/net/main.tf", "modules/net/outputs.tf"] {
        let found = ask(file);
        assert_eq!(names(&found), ["live/a", "modules/net"], "{file}");
        for thing in &found.things {
            assert_eq!(thing.reasons[0].chain[0].path.to_string(), file, "{thing:?}");
        }
    }
    assert_eq!(names(&ask("live/a/z.tf")), ["live/a"]);
    assert_eq!(names(&ask("modules/old/main.tf")), ["modules/old"]);
    assert_eq!(names(&ask("modules/old/outputs.tf")), ["modules/old"]);
    let gone = ask("modules/old/read.txt");
    assert_eq!(names(&gone), ["modules/old"]);
}

#[test]
fn what_nobody_knows_is_answered_with_what_is_called_nearly_so() {
    let found = ask(&["tools/run.sh"], "live/prod/dsn");
    assert_eq!(rules_of(&found), ["not_known"]);
    assert!(found.reasons[0].text.ends_with("did you mean live/prod/dns?"), "{}", found.reasons[0].text);
    assert_eq!(rules_of(&ask(&["tools/run.sh"], "../outside")), ["not_known"]);
}

fn drawn(changed: &[&str], most: usize) -> (Impact, Graph) {
    let impact = impact_by(&repo_with_change(changed), &Rules::default());
    let graph = Graph::of(&impact, most);
    (impact, graph)
}

#[test]
fn the_affected_part_is_drawn_from_the_file_to_the_unit() {
    let (_, graph) = drawn(&["modules/net/main.tf"], 200);
    let edges: Vec<_> = graph
        .edges
        .iter()
        .map(|edge| {
            format!("{} > {}: {}", graph.nodes[edge.from].name, graph.nodes[edge.to].name, edge.reference)
        })
        .collect();
    assert_eq!(
        edges,
        [
            "modules/net/main.tf > modules/net: contains",
            "modules/app > live/dev/app: module.m",
            "modules/app > live/prod/app: module.m",
            "modules/app > modules/app/examples/a: module.m",
            "modules/net > modules/app: module.m",
        ]
    );
    assert_eq!(graph, drawn(&["modules/net/main.tf"], 200).1);
    let (_, small) = drawn(&["modules/net/main.tf"], 4);
    assert_eq!((small.nodes.len(), small.left_out), (4, 2));
    assert!(small.mermaid().contains("and 2 more that are not drawn"));
}

#[test]
fn graphviz_reads_what_is_drawn_for_it() {
    if !fixture::has("dot", "graphviz_reads_what_is_drawn_for_it") {
        return;
    }
    let (_, graph) = drawn(&["modules/net/main.tf"], 200);
    let mut dot = std::process::Command::new("dot")
        .arg("-Tplain")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    dot.stdin.take().unwrap().write_all(graph.dot().as_bytes()).unwrap();
    let output = dot.wait_with_output().unwrap();
    let plain = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert_eq!(plain.lines().filter(|line| line.starts_with("edge ")).count(), graph.edges.len());
}

#[test]
fn a_change_reaches_live_by_refs_by_registries_and_at_once_where_nothing_pins_it() {
    let impact = impact_by(&repo_with_change(&["modules/net/main.tf"]), &Rules::default());
    let unit = |source: &str, more: &str| {
        format!(
            "terraform {{\n  backend \"local\" {{}}\n}}\nmodule \"m\" {{\n  source = \"{source}\"\n{more}}}\n"
        )
    };
    let git = "git::https://git.example.com/acme/infra.git//modules/net";
    let live = Repo::with(&[
        ("old/main.tf", &unit(&format!("{git}?ref=net/v1.0.0"), "")),
        ("new/main.tf", &unit(&format!("{git}?ref=net/v1.2.0"), "")),
        ("sha/main.tf", &unit(&format!("{git}?ref=0123456789abcdef0123456789abcdef01234567"), "")),
        ("trunk/main.tf", &unit(git, "")),
        ("registry/main.tf", &unit("app.terraform.io/acme/net/aws", "  version = \"~> 1.0\"\n")),
        ("other/main.tf", &unit("app.terraform.io/other/net/aws", "")),
    ]);
    let addresses =
        ModuleAddresses::of([PackageIdentity::of_remote("https://git.example.com/acme/infra.git")])
            .with_published([Published::new("app.terraform.io/acme/{name}/aws", "modules/{name}").unwrap()])
            .with_tags(["net/v1.0.0", "net/v1.2.0", "app/v3.0.0"].map(str::to_owned));
    let catalog = catalog_at(&live, "HEAD", &CatalogRules::default());
    let found: Vec<_> = reach(&impact, &catalog, &addresses)
        .unwrap()
        .into_iter()
        .map(|it| {
            (it.unit.to_string(), it.pinned.map(|pin| pin.chars().take(10).collect()), it.is_newest, it.when)
        })
        .collect();
    let row = |unit: &str, pinned: Option<&str>, newest, when| {
        (unit.to_owned(), pinned.map(|pin| pin.chars().take(10).collect::<String>()), newest, when)
    };
    assert_eq!(
        found,
        [
            row("new", Some("net/v1.2.0"), Some(true), ReachedWhen::Bumped),
            row("old", Some("net/v1.0.0"), Some(false), ReachedWhen::Bumped),
            row("registry", Some("~> 1.0"), None, ReachedWhen::Released),
            row("sha", Some("0123456789"), None, ReachedWhen::Bumped),
            row("trunk", None, None, ReachedWhen::Merged),
        ]
    );
}
