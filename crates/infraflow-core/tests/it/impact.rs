//! Tests of impact: what a change touches, and why.

use infraflow_core::{
    address::PackageIdentity,
    catalog::{Catalog, CatalogRules},
    detect::{ChangeDetector, ChangeSet, GitDetector},
    git::{Repository, Revision},
    impact::{Impact, ImpactOptions, ModuleAddresses, ReasonsFor, assess, assess_with, reach},
    proof::{Document as _, Reason},
};

use crate::{
    catalog::{catalog_at, dialects, path, rules},
    fixture::{self, Repo},
};

mod terraform;

const BACKEND: &str = "terraform {\n  backend \"local\" {}\n}\n";

fn calls(source: &str) -> String {
    format!("module \"m\" {{\n  source = \"{source}\"\n}}\n")
}

fn ends(repo: &Repo, rules: &CatalogRules) -> (ChangeSet, Catalog, Catalog) {
    let repository = Repository::open(&repo.path).unwrap();
    let base = Revision::Commit(repository.resolve("main").unwrap());
    let head = repository.revision("HEAD").unwrap();
    let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
    let build = |revision: &Revision| {
        Catalog::build(&repository.tree(revision).unwrap(), &dialects(), rules).unwrap()
    };
    let base = build(&Revision::Commit(changes.merge_base));
    (changes, base, build(&head))
}

pub fn impact_with(repo: &Repo, rules: &CatalogRules) -> Impact {
    let (changes, base, head) = ends(repo, rules);
    assess(&changes, &base, &head).unwrap()
}

/// Texts that files get, and files that go.
pub type Edits<'a> = &'a [(&'a str, Option<&'a str>)];

/// The repository with a branch of these edits, and what that touches.
pub fn edited(repo: Repo, edits: Edits<'_>) -> (Repo, Impact) {
    repo.branch("feature");
    for (path, text) in edits {
        match text {
            Some(text) => repo.write(path, text),
            None => repo.remove(path),
        }
    }
    repo.commit("feat: change");
    let impact = impact_with(&repo, &CatalogRules::default());
    (repo, impact)
}

/// What a branch that does this to a repository of these files touches.
pub fn impact(files: &[(&str, &str)], change: impl FnOnce(&Repo)) -> Impact {
    let repo = Repo::with(files);
    repo.branch("feature");
    change(&repo);
    repo.commit("feat: change");
    impact_with(&repo, &CatalogRules::default())
}

pub fn modules(impact: &Impact) -> Vec<String> {
    impact.modules.iter().map(|module| module.path.to_string()).collect()
}

pub fn units(impact: &Impact) -> Vec<String> {
    impact.units.iter().map(|unit| unit.id.to_string()).collect()
}

pub fn cases(impact: &Impact) -> Vec<String> {
    impact.cases.iter().map(|case| case.id.to_string()).collect()
}

pub fn chain(reason: &Reason) -> Vec<(String, usize, usize, String)> {
    let links = reason.chain.iter();
    links.map(|link| (link.path.to_string(), link.line, link.column, link.reference.clone())).collect()
}

#[test]
fn a_change_reaches_callers_of_callers_with_the_chain_from_the_file_to_the_unit() {
    let cluster = format!("# cluster\n{}", calls("../network"));
    let impact = impact(
        &[
            ("modules/network/main.tf", "output \"id\" { value = 1 }\n"),
            ("modules/cluster/main.tf", &cluster),
            ("modules/dns/main.tf", ""),
            ("live/dev/main.tf", &calls("../../modules/cluster")),
            ("live/dev/backend.tf", BACKEND),
            ("live/dns/main.tf", &format!("{BACKEND}{}", calls("../../modules/dns"))),
        ],
        |repo| repo.write("modules/network/main.tf", "output \"id\" { value = 2 }\n"),
    );
    assert_eq!(modules(&impact), ["modules/cluster", "modules/network"]);
    assert_eq!(units(&impact), ["live/dev"]);
    let reason = &impact.units[0].reasons[0];
    assert_eq!(reason.rule, "module_call");
    assert_eq!(
        reason.text,
        "live/dev calls modules/cluster, which calls modules/network, whose main.tf was modified"
    );
    assert_eq!(
        chain(reason),
        [
            ("modules/network/main.tf".into(), 1, 1, "modified".into()),
            ("modules/cluster/main.tf".into(), 2, 1, "module.m".into()),
            ("live/dev/main.tf".into(), 1, 1, "module.m".into()),
        ]
    );
    let link = &reason.chain[1];
    assert_eq!(&cluster[link.start..link.end], "module \"m\"");
    assert_eq!(Impact::from_json(&impact.to_json().unwrap()).unwrap(), impact);
}

#[test]
fn documentation_and_what_nobody_reads_touch_no_plan() {
    let files = [
        ("modules/x/main.tf", ""),
        ("modules/x/README.md", "a"),
        ("modules/x/schema.json", "{}"),
        ("live/a/main.tf", BACKEND),
        ("live/a/run.sh", "a"),
        ("live/a/notes.tf.bak", "a"),
    ];
    let impact = impact(&files, |repo| {
        repo.write_all(&[
            ("modules/x/README.md", "b"),
            ("modules/x/schema.json", "[]"),
            ("live/a/run.sh", "b"),
            ("live/a/notes.tf.bak", "b"),
            ("live/a/.hidden.tf", "resource"),
        ]);
        std::fs::set_permissions(
            repo.path.join("modules/x/main.tf"),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .unwrap();
    });
    assert_eq!(impact.changes.len(), 6);
    assert!(impact.is_empty(), "{impact:?}");
}

#[test]
fn a_change_of_examples_or_tests_alone_selects_only_these() {
    let files = [
        ("modules/x/main.tf", "output \"v\" { value = 1 }\n"),
        ("modules/x/examples/a/main.tf", "module \"x\" {\n  source = \"../..\"\n}\n"),
        ("modules/x/examples/b/main.tf", "module \"x\" {\n  source = \"../..\"\n}\n"),
        ("modules/x/tests/t.tftest.hcl", "run \"a\" {}\n"),
        ("live/a/main.tf", "module \"x\" {\n  source = \"../../modules/x\"\n}\n"),
        ("live/a/b.tf", BACKEND),
    ];
    let example = impact(&files, |repo| {
        repo.write("modules/x/examples/a/main.tf", "module \"x\" {\n  source = \"../../\"\n}\n")
    });
    assert_eq!(
        (cases(&example), modules(&example).len(), units(&example).len()),
        (vec!["modules/x/examples/a".into()], 0, 0)
    );
    let test = impact(&files, |repo| repo.write("modules/x/tests/t.tftest.hcl", "run \"b\" {}\n"));
    assert_eq!(
        (cases(&test), modules(&test).len(), units(&test).len()),
        (vec!["modules/x/tests/t.tftest.hcl".into()], 0, 0)
    );
    let module = impact(&files, |repo| repo.write("modules/x/main.tf", "output \"v\" { value = 2 }\n"));
    assert_eq!(
        cases(&module),
        ["modules/x/examples/a", "modules/x/examples/b", "modules/x/tests/t.tftest.hcl"]
    );
    assert_eq!((modules(&module), units(&module)), (vec!["modules/x".into()], vec!["live/a".into()]));
}

#[test]
fn a_file_that_is_read_counts_for_its_readers_and_their_callers() {
    let files = [
        (
            "modules/x/main.tf",
            "locals {\n  t = templatefile(\"${path.module}/../../templates/x.tpl\", {})\n}\n",
        ),
        ("templates/x.tpl", "a"),
        ("templates/y.tpl", "a"),
        ("live/a/main.tf", "module \"x\" {\n  source = \"../../modules/x\"\n}\n"),
        ("live/a/b.tf", BACKEND),
    ];
    let read = impact(&files, |repo| repo.write("templates/x.tpl", "b"));
    assert_eq!((modules(&read), units(&read)), (vec!["modules/x".into()], vec!["live/a".into()]));
    let reason = &read.units[0].reasons[0];
    assert_eq!(reason.text, "live/a calls modules/x, which reads templates/x.tpl, which was modified");
    assert_eq!(reason.chain[1].reference, "templatefile(\"${path.module}/../../templates/x.tpl\", {})");
    assert!(impact(&files, |repo| repo.write("templates/y.tpl", "b")).is_empty());
    // Gone, and renamed away: the reader is told too.
    assert_eq!(units(&impact(&files, |repo| repo.remove("templates/x.tpl"))), ["live/a"]);
    let renamed = impact(&files, |repo| {
        repo.git(&["mv", "templates/x.tpl", "templates/z.tpl"]);
    });
    assert_eq!(units(&renamed), ["live/a"]);
    assert_eq!(renamed.units[0].reasons[0].chain[0].reference, "renamed to templates/z.tpl");
}

#[test]
fn fileset_counts_names_and_what_reads_them_counts_content() {
    let names = "locals {\n  n = fileset(path.module, \"f/**/*.json\")\n}\n";
    let content = "locals {\n  c = { for f in fileset(\"${path.module}/f\", \"*.json\") : f => filemd5(\"${path.module}/f/${f}\") }\n}\n";
    let with = |text: &str| {
        vec![
            ("live/a/main.tf", format!("{BACKEND}{text}")),
            ("live/a/f/x.json", "1".into()),
            ("live/a/f/y.txt", "1".into()),
        ]
    };
    let run = |text: &str, change: &dyn Fn(&Repo)| {
        let files = with(text);
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        units(&impact(&files, change)).len()
    };
    let modify = |repo: &Repo| repo.write("live/a/f/x.json", "2");
    let add = |repo: &Repo| repo.write("live/a/f/z.json", "2");
    let other = |repo: &Repo| repo.write("live/a/f/y.txt", "2");
    assert_eq!([run(names, &modify), run(names, &add), run(names, &other)], [0, 1, 0]);
    assert_eq!([run(content, &modify), run(content, &add), run(content, &other)], [1, 1, 0]);
}

#[test]
fn a_path_that_is_not_known_counts_everything_it_may_mean_and_is_told() {
    let text = "variable \"n\" {}\nlocals {\n  t = file(\"${path.module}/t/${var.n}.json\")\n}\n";
    let files = [
        ("live/a/main.tf", text),
        ("live/a/b.tf", BACKEND),
        ("live/a/t/x.json", "1"),
        ("live/a/README.md", "1"),
    ];
    let may = impact(&files, |repo| repo.write("live/a/t/x.json", "2"));
    assert_eq!(units(&may), ["live/a"]);
    assert!(may.warnings[0].starts_with("live/a/main.tf:3: the path of file("), "{:?}", may.warnings);
    assert!(impact(&files, |repo| repo.write("live/a/README.md", "2")).is_empty());
    // Nothing known at all: the directory that reads, or by the rules the whole repository.
    let text = "locals {\n  t = file(data.x.y.path)\n}\n";
    let repo = Repo::with(&[
        ("live/a/main.tf", text),
        ("live/a/b.tf", BACKEND),
        ("live/a/f", "1"),
        ("other/f", "1"),
    ]);
    repo.branch("feature");
    repo.write("other/f", "2");
    repo.commit("feat: other");
    assert!(impact_with(&repo, &CatalogRules::default()).is_empty());
    let mut anywhere = CatalogRules::default();
    anywhere.unknown_reads = infraflow_core::catalog::UnknownReads::Repository;
    assert_eq!(units(&impact_with(&repo, &anywhere)), ["live/a"]);
    repo.write("live/a/f", "2");
    repo.commit("feat: own");
    assert_eq!(units(&impact_with(&repo, &CatalogRules::default())), ["live/a"]);
}

#[test]
fn a_path_that_need_not_be_given_is_no_unknown_one() {
    let module =
        "variable \"f\" { default = null }\noutput \"o\" { value = var.f == null ? null : file(var.f) }\n";
    let files = [
        ("modules/x/main.tf", module),
        ("live/a/main.tf", "module \"x\" {\n  source = \"../../modules/x\"\n}\n"),
        ("live/a/b.tf", BACKEND),
        ("live/a/f.txt", "1"),
        (
            "live/b/main.tf",
            "module \"x\" {\n  source = \"../../modules/x\"\n  f = \"${path.module}/f.txt\"\n}\n",
        ),
        ("live/b/b.tf", BACKEND),
        ("live/b/f.txt", "1"),
    ];
    let impact = impact(&files, |repo| repo.write_all(&[("live/a/f.txt", "2"), ("live/b/f.txt", "2")]));
    assert_eq!((units(&impact), modules(&impact).len()), (vec!["live/b".into()], 0));
    assert!(impact.warnings.is_empty(), "{:?}", impact.warnings);
}

#[test]
fn a_script_that_is_named_counts_with_its_mode() {
    let text = "data \"external\" \"x\" {\n  program = [\"${path.module}/look.sh\"]\n}\n";
    let files = [("live/a/main.tf", text), ("live/a/b.tf", BACKEND), ("live/a/look.sh", "1")];
    assert_eq!(units(&impact(&files, |repo| repo.write("live/a/look.sh", "2"))), ["live/a"]);
    let mode = impact(&files, |repo| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(repo.path.join("live/a/look.sh"), mode).unwrap();
    });
    assert_eq!(units(&mode), ["live/a"]);
}

#[test]
fn values_lock_files_and_version_files_count_for_the_units_that_use_them() {
    let files = [
        ("live/a/main.tf", BACKEND),
        ("live/a/terraform.tfvars", "x = 1\n"),
        ("live/a/prod.tfvars", "x = 1\n"),
        ("live/a/env/dev.tfvars", "x = 1\n"),
        ("live/a/.terraform.lock.hcl", "# 1\n"),
        ("live/b/main.tf", BACKEND),
        ("live/a/x.tf", "variable \"x\" {}\n"),
        ("live/b/.terraform-version", "1.5.0\n"),
        ("live/b/x.tf", "variable \"x\" {}\n"),
        ("live/c/main.tf", BACKEND),
        ("live/c/.terraform-version", "1.5.0\n"),
        ("live/common.tfvars", "x = 1\n"),
        (".terraform-version", "1.5.0\n"),
        ("modules/x/main.tf", ""),
        ("modules/x/.terraform.lock.hcl", "# 1\n"),
    ];
    for (file, expected) in [
        ("live/a/terraform.tfvars", vec!["live/a"]),
        ("live/a/prod.tfvars", vec!["live/a"]),
        ("live/a/env/dev.tfvars", vec!["live/a"]),
        ("live/a/.terraform.lock.hcl", vec!["live/a"]),
        ("live/common.tfvars", vec!["live/a", "live/b"]),
        (".terraform-version", vec!["live/a"]),
        ("live/b/.terraform-version", vec!["live/b"]),
        ("modules/x/.terraform.lock.hcl", vec![]),
    ] {
        let impact = impact(&files, |repo| repo.write(file, "x = 2\n"));
        assert_eq!(units(&impact), expected, "{file}");
        assert!(modules(&impact).is_empty(), "{file}");
    }
}

#[test]
fn what_is_gone_is_told_from_the_base_and_a_move_by_its_name() {
    let files = [
        ("modules/x/main.tf", "output \"v\" {\n  value = \"something long enough to be found again\"\n}\n"),
        ("live/a/main.tf", "module \"x\" {\n  source = \"../../modules/x\"\n}\n"),
        ("live/a/b.tf", BACKEND),
        ("live/b/main.tf", BACKEND),
    ];
    let gone = impact(&files, |repo| repo.remove("live/b/main.tf"));
    assert!(gone.units.is_empty());
    assert_eq!(gone.removed_units[0].id.to_string(), "live/b");
    assert_eq!(gone.removed_units[0].reasons[0].rule, "removed");
    assert_eq!(gone.removed_units[0].reasons[0].chain[0].path, path("live/b/main.tf"));

    let moved = impact(&files, |repo| {
        repo.git(&["mv", "modules/x", "modules/y"]);
        repo.write("live/a/main.tf", "module \"x\" {\n  source = \"../../modules/y\"\n}\n");
    });
    assert_eq!((modules(&moved), units(&moved)), (vec!["modules/y".into()], vec!["live/a".into()]));
    let removed = &moved.removed_modules[0];
    assert_eq!((removed.path.to_string(), removed.reasons[0].rule.as_str()), ("modules/x".into(), "moved"));
    assert_eq!(removed.reasons[0].text, "the module modules/x is gone; its main.tf went to modules/y");

    // The call dropped in the same change: seen from the base.
    let dropped = impact(&files, |repo| {
        repo.write("modules/x/main.tf", "");
        repo.write("live/a/main.tf", "");
    });
    assert_eq!(units(&dropped), ["live/a"]);
    // A module deleted under its caller's feet.
    let under = impact(&files, |repo| repo.remove("modules/x/main.tf"));
    assert_eq!((units(&under), under.removed_modules.len()), (vec!["live/a".into()], 1));
}

#[test]
fn what_the_trunk_gained_meanwhile_is_no_change_of_the_branch() {
    let repo = Repo::with(&[("live/a/main.tf", BACKEND), ("live/b/main.tf", BACKEND)]);
    repo.branch("feature");
    repo.write("live/a/main.tf", format!("{BACKEND}# changed\n"));
    repo.commit("feat: a");
    repo.checkout("main");
    repo.write("live/b/main.tf", format!("{BACKEND}# trunk\n"));
    repo.write("live/c/main.tf", BACKEND);
    repo.commit("feat: trunk");
    repo.checkout("feature");
    let impact = impact_with(&repo, &CatalogRules::default());
    assert_eq!(units(&impact), ["live/a"]);
    assert!(impact.removed_units.is_empty());
}

#[test]
fn a_broken_file_is_told_and_its_directory_is_affected_with_its_callers() {
    let files = [
        ("modules/x/main.tf", "module \"y\" {\n  source = \"../y\"\n}\n"),
        ("modules/x/broken.tf", "locals {\n  a = file([\n"),
        ("modules/y/main.tf", ""),
        ("live/a/main.tf", "module \"x\" {\n  source = \"../../modules/x\"\n}\n"),
        ("live/a/b.tf", BACKEND),
    ];
    let changed = impact(&files, |repo| repo.write("modules/x/broken.tf", "locals {\n  a = file({\n"));
    assert_eq!((modules(&changed), units(&changed)), (vec!["modules/x".into()], vec!["live/a".into()]));
    assert_eq!(changed.unparsable[0].path, path("modules/x/broken.tf"));
    assert!(changed.warnings[0].contains("modules/x/broken.tf:"), "{:?}", changed.warnings);
    // The call beside it is seen, and a file that the broken one may read counts.
    assert_eq!(units(&impact(&files, |repo| repo.write("modules/y/main.tf", "# 2\n"))), ["live/a"]);
    assert_eq!(units(&impact(&files, |repo| repo.write("modules/x/policy.json", "{}"))), ["live/a"]);
}

#[test]
fn links_and_submodules_on_the_way_count() {
    let link = |repo: &Repo, target: &str, at: &str| {
        let at = repo.path.join(at);
        let _ = std::fs::remove_file(&at);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, at).unwrap();
    };
    let repo = Repo::with(&[
        ("modules/x/main.tf", ""),
        ("modules/y/main.tf", ""),
        ("common/provider.tf", "provider \"aws\" {}\n"),
        ("live/a/main.tf", "module \"m\" {\n  source = \"../../current\"\n}\n"),
        ("live/a/b.tf", BACKEND),
        ("live/b/main.tf", BACKEND),
        ("live/c/main.tf", "module \"s\" {\n  source = \"../../vendor/sub//modules/z\"\n}\n"),
        ("live/c/b.tf", BACKEND),
    ]);
    link(&repo, "modules/x", "current");
    link(&repo, "../../common/provider.tf", "live/b/provider.tf");
    let sub = Repo::with(&[("modules/z/main.tf", "")]);
    repo.git(&["submodule", "--quiet", "add", sub.path.to_str().unwrap(), "vendor/sub"]);
    repo.commit("feat: links");
    let run = |change: &dyn Fn(&Repo)| {
        repo.git(&["checkout", "-q", "-B", "feature", "main"]);
        change(&repo);
        repo.commit("feat: change");
        let found = units(&impact_with(&repo, &CatalogRules::default()));
        repo.checkout("main");
        found
    };
    assert_eq!(run(&|repo| repo.write("modules/x/main.tf", "# 2\n")), ["live/a"]);
    assert_eq!(run(&|repo| link(repo, "modules/y", "current")), ["live/a"]);
    assert_eq!(run(&|repo| repo.write("common/provider.tf", "provider \"aws\" {\n}\n")), ["live/b"]);
    let bumped = run(&|repo| {
        sub.write("modules/z/main.tf", "# 2\n");
        sub.commit("feat: z");
        repo.git(&["-C", "vendor/sub", "pull", "-q"]);
    });
    assert_eq!(bumped, ["live/c"]);
}

#[test]
fn each_change_gives_a_reason_of_its_own_where_that_is_asked_for() {
    let repo = Repo::with(&[
        ("modules/x/main.tf", ""),
        ("live/a/main.tf", &format!("{BACKEND}{}", calls("../../modules/x"))),
    ]);
    repo.branch("feature");
    repo.write("modules/x/main.tf", "# 2\n");
    repo.write("live/a/main.tf", format!("{BACKEND}{}# 2\n", calls("../../modules/x")));
    repo.commit("feat: both");
    let (changes, base, head) = ends(&repo, &CatalogRules::default());
    let short = assess(&changes, &base, &head).unwrap();
    assert_eq!(short.units[0].reasons.len(), 1);
    assert_eq!(short.units[0].reasons[0].rule, "contains");
    let options = ImpactOptions::default().with_reasons_for(ReasonsFor::EachChange);
    let all = assess_with(&changes, &base, &head, &options).unwrap();
    let found: Vec<_> = all.units[0].reasons.iter().map(|reason| reason.rule.as_str()).collect();
    assert_eq!(found, ["contains", "module_call"]);
}

#[test]
fn equal_inputs_give_equal_digests() {
    let repo = Repo::with(&[
        ("modules/x/main.tf", ""),
        ("a/main.tf", &calls("../modules/x")),
        ("b/main.tf", &calls("../a")),
    ]);
    repo.branch("feature");
    repo.write("modules/x/main.tf", "# 2\n");
    repo.commit("feat: x");
    let digest = || impact_with(&repo, &rules(&["b"])).digest().unwrap();
    let first = digest();
    assert!((0..5).all(|_| digest() == first));
}

#[test]
fn a_change_of_a_module_reaches_units_of_another_repository_before_any_tag() {
    let library = Repo::with(&[("modules/net/main.tf", ""), ("modules/app/main.tf", &calls("../net"))]);
    library.branch("feature");
    library.write("modules/net/main.tf", "# 2\n");
    library.commit("feat: net");
    let impact = impact_with(&library, &CatalogRules::default());
    let live = Repo::with(&[
        (
            "dev/app/main.tf",
            &format!(
                "{BACKEND}{}",
                calls("git::https://git.example.com/acme/lib.git//modules/app?ref=app/v1.0.0")
            ),
        ),
        (
            "dev/dns/main.tf",
            &format!(
                "{BACKEND}{}",
                calls("git::https://git.example.com/acme/lib.git//modules/dns?ref=dns/v1.0.0")
            ),
        ),
        ("wrap/main.tf", &calls("git::ssh://git@git.example.com/acme/lib//modules/net")),
        ("prod/net/main.tf", &format!("{BACKEND}{}", calls("../../wrap"))),
        (
            "prod/other/main.tf",
            &format!("{BACKEND}{}", calls("git::https://git.example.com/acme/other.git//modules/net")),
        ),
    ]);
    let catalog = catalog_at(&live, "HEAD", &CatalogRules::default());
    let reached = reach(
        &impact,
        &catalog,
        &ModuleAddresses::of([PackageIdentity::of_remote("https://git.example.com/acme/lib.git")]),
    )
    .unwrap();
    let found: Vec<_> = reached
        .iter()
        .map(|reached| (reached.unit.to_string(), reached.module.to_string(), reached.pinned.clone()))
        .collect();
    assert_eq!(
        found,
        [
            ("dev/app".into(), "modules/app".into(), Some("app/v1.0.0".into())),
            ("prod/net".into(), "modules/net".into(), None)
        ]
    );
    let files: Vec<_> = reached[0].reasons[0].chain.iter().map(|link| link.path.to_string()).collect();
    assert_eq!(files, ["modules/net/main.tf", "modules/app/main.tf", "dev/app/main.tf"]);
    let files: Vec<_> = reached[1].reasons[0].chain.iter().map(|link| link.path.to_string()).collect();
    assert_eq!(files, ["modules/net/main.tf", "wrap/main.tf", "prod/net/main.tf"]);
}

#[test]
fn a_copy_touches_nobody_who_reads_what_it_was_made_of() {
    let text = "first\n".repeat(40);
    let lists = |directory: &str| format!("{BACKEND}locals {{\n  l = fileset({directory}, \"*.txt\")\n}}\n");
    let repo = Repo::with(&[
        ("live/b/main.tf", &lists("path.module")),
        ("live/c/main.tf", &lists("\"../../texts\"")),
        ("texts/one.txt", &text),
    ]);
    repo.branch("feature");
    repo.write("texts/one.txt", format!("{text}2\n"));
    repo.write("live/b/copy.txt", &text);
    repo.commit("feat: copy");
    let repository = Repository::open(&repo.path).unwrap();
    let base = Revision::Commit(repository.resolve("main").unwrap());
    let head = repository.revision("HEAD").unwrap();
    let changes = GitDetector::new().copies().detect(&repository, &base, &head).unwrap();
    let copy = changes.changes.iter().find(|change| change.path == path("live/b/copy.txt")).unwrap();
    assert_eq!((copy.old_path.as_ref(), copy.left()), (Some(&path("texts/one.txt")), None));
    let rules = CatalogRules::default();
    let (before, after) = (catalog_at(&repo, "main", &rules), catalog_at(&repo, "HEAD", &rules));
    let impact = assess(&changes, &before, &after).unwrap();
    let reasons: Vec<&str> =
        impact.units.iter().chain(&impact.removed_units).map(|unit| unit.reasons[0].text.as_str()).collect();
    assert_eq!(reasons, ["live/b lists live/b/copy.txt, which was added as a copy of texts/one.txt"]);
}
