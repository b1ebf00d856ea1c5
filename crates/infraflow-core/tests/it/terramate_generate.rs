//! Tests of what Terramate generates and nobody commits, of triggers, and of input that means harm.

use std::time::{Duration, Instant};

use infraflow_core::{
    catalog::{Catalog, CatalogCache, CatalogRules, standard_dialects},
    detect::{ChangeDetector, GitDetector},
    git::{Repository, Revision},
    impact::{Impact, assess},
    policy::PathPattern,
};

use crate::{
    fixture::Repo,
    impact::{edited, units},
};

const STACK: &str = "stack {\n}\n";
const MAIN: &str = "output \"v\" {\n  value = 1\n}\n";
const GENERATE: &str =
    "generate_hcl \"_p.tf\" {\n  content {\n    locals {\n      r = global.r\n    }\n  }\n}\n";

type Edit<'a> = (&'a str, Option<&'a str>);

fn after(files: &[(&str, &str)], edits: &[Edit<'_>]) -> Impact {
    edited(Repo::with(files), edits).1
}

/// Stacks without their generated code: `a`, `b` below `live`, `c` beside it.
const FILES: &[(&str, &str)] = &[
    ("globals.tm", "globals {\n  r = global.base\n  base = 1\n  other = 1\n}\n"),
    ("generate.tm", GENERATE),
    ("live/a/stack.tm", "stack {\n  tags = [\"prod\"]\n}\n"),
    ("live/a/main.tf", MAIN),
    ("live/b/stack.tm", STACK),
    ("live/b/main.tf", MAIN),
    ("live/b/globals.tm", "globals {\n  base = 2\n}\n"),
    ("c/stack.tm", STACK),
    ("c/main.tf", MAIN),
];

#[test]
fn of_the_files_above_only_what_ends_up_in_a_stack_counts() {
    let globals = "globals {\n  r = global.base\n  base = 1\n  other = 1\n}\n";
    let rows: &[(&str, &[Edit<'_>], &[&str])] = &[
        ("a global", &[("globals.tm", Some(&globals.replace("base = 1", "base = 3")))], &["c", "live/a"]),
        (
            "a global of a global",
            &[("globals.tm", Some(&globals.replace("r = global.base", "r = 7")))],
            &["c", "live/a", "live/b"],
        ),
        ("another global", &[("globals.tm", Some(&globals.replace("other = 1", "other = 2")))], &[]),
        ("a comment", &[("globals.tm", Some(&format!("# x\n{globals}")))], &[]),
        ("where it stands", &[("globals.tm", None), ("moved.tm", Some(globals))], &["c", "live/a", "live/b"]),
        ("a nearer one", &[("live/more.tm", Some("globals {\n  base = 4\n}\n"))], &["live/a"]),
        ("a nearer one of no use", &[("live/more.tm", Some("globals {\n  nothing = 4\n}\n"))], &[]),
        (
            "the whole of globals",
            &[("generate.tm", Some("generate_file \"_p.tf\" {\n  content = tm_jsonencode(global)\n}\n"))],
            &["c", "live/a", "live/b"],
        ),
        (
            "one more block",
            &[("live/more.tm", Some("generate_hcl \"_q.tf\" {\n  content {\n  }\n}\n"))],
            &["live/a", "live/b"],
        ),
        (
            "one that inherits nothing",
            &[("live/more.tm", Some("generate_hcl \"_q.tf\" {\n  inherit = false\n  content {\n  }\n}\n"))],
            &[],
        ),
        (
            "one for other stacks",
            &[(
                "more.tm",
                Some(
                    "generate_hcl \"_q.tf\" {\n  stack_filter {\n    project_paths = [\"/live/*\"]\n  }\n  content {\n  }\n}\n",
                ),
            )],
            &["live/a", "live/b"],
        ),
        (
            "one on a condition",
            &[(
                "more.tm",
                Some(
                    "generate_hcl \"_q.tf\" {\n  condition = tm_contains(terramate.stack.tags, \"prod\")\n  content {\n  }\n}\n",
                ),
            )],
            &["live/a"],
        ),
        (
            "on a global",
            &[(
                "more.tm",
                Some(
                    "generate_hcl \"_q.tf\" {\n  condition = tm_try(global.missing, global.base == 2)\n  content {\n  }\n}\n",
                ),
            )],
            &["live/b"],
        ),
        (
            "that is there",
            &[(
                "more.tm",
                Some("generate_hcl \"_q.tf\" {\n  condition = tm_can(global.missing)\n  content {\n  }\n}\n"),
            )],
            &[],
        ),
        (
            "into the root",
            &[("more.tm", Some("generate_file \"/x.txt\" {\n  context = root\n  content = \"x\"\n}\n"))],
            &[],
        ),
        (
            "what a run is given",
            &[(
                "more.tm",
                Some(
                    "terramate {\n  config {\n    run {\n      env {\n        TF_VAR_x = global.base\n      }\n    }\n  }\n}\n",
                ),
            )],
            &["c", "live/a", "live/b"],
        ),
        (
            "other configuration",
            &[(
                "more.tm",
                Some("terramate {\n  config {\n    git {\n      default_branch = \"main\"\n    }\n  }\n}\n"),
            )],
            &[],
        ),
        ("a script", &[("more.tm", Some("script \"x\" {\n  job {\n    command = [\"a\"]\n  }\n}\n"))], &[]),
    ];
    let mut wrong = Vec::new();
    for (what, edits, expected) in rows {
        let found = units(&after(FILES, edits));
        if found != *expected {
            wrong.push(format!("{what}: {found:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_and_reads_of_files_above_count() {
    let files: &[(&str, &str)] = &[
        (
            "live/import.tm",
            "import {\n  source = \"/shared/one.tm\"\n}\nimport {\n  source = \"/mixins/*.tm\"\n}\n",
        ),
        ("shared/one.tm", "import {\n  source = \"../deep/two.tm\"\n}\n"),
        ("deep/two.tm", GENERATE),
        (
            "mixins/globals.tm",
            "globals {\n  r = tm_file(\"${terramate.root.path.fs.absolute}/data/r.txt\")\n  q = 1\n}\n",
        ),
        (
            "live/files.tm",
            "generate_file \"_l.txt\" {\n  content = tm_join(\",\", tm_fileset(\"../../data/l\", \"*.txt\"))\n}\n",
        ),
        ("live/s/stack.tm", STACK),
        ("live/s/main.tf", MAIN),
        ("t/stack.tm", STACK),
        ("t/main.tf", MAIN),
        ("data/r.txt", "a"),
        ("data/other.txt", "a"),
        ("data/l/a.txt", ""),
    ];
    for (what, path, text, counts) in [
        ("an import of an import", "deep/two.tm", GENERATE.replace("r = global", "s = global"), true),
        ("a global of an import", "mixins/globals.tm", "globals {\n  r = 2\n}\n".to_owned(), true),
        ("another one", "mixins/more.tm", "globals {\n  unused = 2\n}\n".to_owned(), false),
        (
            "a block of another one",
            "mixins/more.tm",
            "generate_hcl \"_z.tf\" {\n  content {\n  }\n}\n".to_owned(),
            true,
        ),
        ("a file that is read", "data/r.txt", "b".to_owned(), true),
        ("a file beside it", "data/other.txt", "b".to_owned(), false),
        ("a file of a set", "data/l/b.txt", String::new(), true),
        ("a file of none", "data/l/b.md", String::new(), false),
    ] {
        let found = units(&after(files, &[(path, Some(&text))]));
        assert_eq!(found, if counts { &["live/s"][..] } else { &[] }, "{what}");
    }
}

#[test]
fn a_generated_file_that_is_committed_speaks_for_itself() {
    let mut files = FILES.to_vec();
    files.push(("c/_p.tf", "locals {\n  r = 1\n}\n"));
    let globals = "globals {\n  r = 5\n}\n";
    assert_eq!(units(&after(&files, &[("globals.tm", Some(globals))])), ["live/a", "live/b"]);
    let both: &[Edit<'_>] = &[("globals.tm", Some(globals)), ("c/_p.tf", Some("locals {\n  r = 5\n}\n"))];
    assert_eq!(units(&after(&files, both)), ["c", "live/a", "live/b"]);
}

#[test]
fn a_reason_leads_from_the_global_to_the_block_that_uses_it() {
    let found =
        after(FILES, &[("live/b/main.tf", Some(MAIN)), ("globals.tm", Some("globals {\n  r = 2\n}\n"))]);
    let unit = found.units.iter().find(|unit| unit.path.to_string() == "live/b").unwrap();
    let reason = &unit.reasons[0];
    let link = reason.chain.last().unwrap();
    assert_eq!(
        (reason.rule.as_str(), link.path.to_string(), link.line),
        ("include", "generate.tm".into(), 1)
    );
    assert_eq!(link.reference, "generate_hcl \"_p.tf\"");
}

#[test]
fn a_broken_file_above_may_define_anything() {
    let broken = "globals {\n  base = [\n}\n";
    assert_eq!(units(&after(FILES, &[("globals.tm", Some(broken))])), ["c", "live/a", "live/b"]);
}

const TRIGGER: &str = "trigger {\n  ctime = 1\n  reason = \"x\"\n  type = changed\n  context = stack\n}\n";
const IGNORE: &str =
    "trigger {\n  ctime = 1\n  reason = \"x\"\n  type = ignore-change\n  context = stack\n}\n";

#[test]
fn a_trigger_counts_by_what_it_says_and_only_while_it_is_there() {
    let files: &[(&str, &str)] = &[
        ("a/stack.tm", STACK),
        ("a/main.tf", MAIN),
        ("a/b/stack.tm", STACK),
        (".tmtriggers/a/old.tm.hcl", TRIGGER),
        (".tmtriggers/a/b/old.tm.hcl", IGNORE),
    ];
    for (what, edits, expected) in [
        ("a new one", &[(".tmtriggers/a/changed-1.tm.hcl", Some(TRIGGER))][..], &["a"][..]),
        ("of any name", &[(".tmtriggers/a/b/x.hcl", Some(TRIGGER))], &["a/b"]),
        ("one that goes", &[(".tmtriggers/a/old.tm.hcl", None)], &[]),
        ("one that says no", &[(".tmtriggers/a/no.tm.hcl", Some(IGNORE)), ("a/main.tf", Some("# x"))], &[]),
        (
            "of another stack",
            &[(".tmtriggers/a/b/no.tm.hcl", Some(IGNORE)), ("a/main.tf", Some("# x"))],
            &["a"],
        ),
        ("one of before", &[("a/b/x", Some(""))], &["a/b"]),
        (
            "one that no longer says no",
            &[(".tmtriggers/a/b/old.tm.hcl", None), ("a/b/x", Some(""))],
            &["a/b"],
        ),
        ("both", &[(".tmtriggers/a/no.tm", Some(IGNORE)), (".tmtriggers/a/yes.tm", Some(TRIGGER))], &[]),
    ] {
        let found = after(files, edits);
        assert_eq!(units(&found), expected, "{what}");
        let told = found.warnings.iter().any(|warning| warning.contains("left out"));
        assert_eq!(told, ["one that says no", "both"].contains(&what), "{what}: {:?}", found.warnings);
    }
}

#[test]
fn a_kept_index_sees_what_comes_and_goes_above_a_stack() {
    for (path, text, expected) in [
        ("live/more.tm", Some("globals {\n  base = 4\n}\n"), &["live/a"][..]),
        ("live/more.tm", Some("globals {\n  nothing = 4\n}\n"), &[]),
        ("generate.tm", None, &["c", "live/a", "live/b"]),
        ("globals.tm", Some("globals {\n  r = 1\n}\n"), &["c", "live/a", "live/b"]),
        (".tmtriggers/c/x.tm", Some(TRIGGER), &["c"]),
    ] {
        let repo = Repo::with(FILES);
        repo.branch("feature");
        match text {
            Some(text) => repo.write(path, text),
            None => repo.remove(path),
        }
        repo.commit("feat: change");
        let repository = Repository::open(&repo.path).unwrap();
        let main = Revision::Commit(repository.resolve("main").unwrap());
        let head = repository.revision("HEAD").unwrap();
        let changes = GitDetector::new().detect(&repository, &main, &head).unwrap();
        let tree = |revision: &Revision| repository.tree(revision).unwrap();
        let (dialects, rules) = (standard_dialects(), CatalogRules::default());
        let cache = CatalogCache::in_folder(repo.folder.path().join("cache"));
        let (base, head) = cache.ends(&tree(&main), &tree(&head), &dialects, &rules).unwrap();
        assert_eq!(units(&assess(&changes, &base, &head).unwrap()), expected, "{path} {text:?}");
    }
}

#[test]
fn modules_that_missing_code_calls_are_called_by_the_stack() {
    let generate = "generate_hcl \"m.tf\" {\n  content {\n    module \"m\" {\n      source = \"${terramate.stack.path.to_root}/modules/${global.r}\"\n    }\n  }\n}\n";
    let module = ("modules/1/main.tf", MAIN);
    let with = |more: &[(&'static str, &'static str)]| {
        let mut files = FILES.to_vec();
        files.retain(|(path, _)| *path != "generate.tm");
        files.extend([("live/generate.tm", generate), module]);
        files.extend(more);
        let found = after(&files, &[("modules/1/main.tf", Some("output \"v\" {\n  value = 2\n}\n"))]);
        (units(&found), found.modules.iter().map(|it| it.path.to_string()).collect::<Vec<_>>())
    };
    let modules = vec!["modules/1".to_owned()];
    assert_eq!(with(&[]), (vec!["live/a".to_owned()], modules.clone()));
    assert_eq!(with(&[("live/a/m.tf", "")]), (vec![], modules));
}

#[test]
fn a_directory_without_a_stack_is_no_module() {
    let repo = Repo::with(FILES);
    let built = |rules: &CatalogRules| {
        let repository = Repository::open(&repo.path).unwrap();
        let head = Revision::Commit(repository.resolve("HEAD").unwrap());
        Catalog::build(&repository.tree(&head).unwrap(), &standard_dialects(), rules).unwrap()
    };
    let catalog = built(&CatalogRules::default());
    let modules: Vec<String> = catalog.modules().unwrap().iter().map(|it| it.path.to_string()).collect();
    assert_eq!(modules, [""; 0]);
    let found = after(FILES, &[("globals.tm", Some("globals {\n  r = 5\n}\n"))]);
    assert!(found.modules.is_empty(), "{:?}", found.modules);
    let live = CatalogRules::default().with_live([PathPattern::parse("live/**").unwrap()]);
    let units: Vec<String> = built(&live).units().unwrap().iter().map(|it| it.path.to_string()).collect();
    assert_eq!(units, ["c", "live/a", "live/b"]);
}

#[test]
fn the_backend_of_shared_outputs_is_code_of_those_who_share() {
    let backend = |file: &str| {
        format!(
            "sharing_backend \"tf\" {{\n  type = terraform\n  filename = \"{file}\"\n  command = [\"x\"]\n}}\n"
        )
    };
    let backend_before = backend("_shared.tf");
    let output = "output \"v\" {\n  backend = \"tf\"\n  value = 1\n}\n";
    let with = |more: &[(&'static str, &'static str)]| {
        let mut files = FILES.to_vec();
        files.extend([("live/backend.tm", backend_before.as_str()), ("live/a/o.tm", output)]);
        files.extend(more);
        units(&after(&files, &[("live/backend.tm", Some(&backend("_other.tf")))]))
    };
    assert_eq!(with(&[]), ["live/a"]);
    assert_eq!(with(&[("live/a/_shared.tf", ""), ("live/a/_other.tf", "")]), [""; 0]);
}

#[test]
fn bombs_end_soon() {
    let doubling: String =
        (1..40).map(|at| format!("  a{at} = [global.a{0}, global.a{0}]\n", at - 1)).collect();
    let chain: String = (1..5_000).map(|at| format!("  c{at} = global.c{}\n", at - 1)).collect();
    let circle = "  x = global.y\n  y = global.x\n";
    let large = "  big = [for a in tm_range(1000) : [for b in tm_range(1000) : \"${a}${b}\"]]\n";
    let text = "  t = tm_join(tm_replace(global.s, \"a\", global.s), [for a in global.l : global.s])\n";
    let long = format!("  s = \"{}\"\n  l = [{}]\n", "a".repeat(200_000), "1,".repeat(50_000));
    for (what, body, last) in [
        ("doubling", format!("  a0 = 1\n{doubling}"), "a39"),
        ("a chain", format!("  c0 = 1\n{chain}"), "c4999"),
        ("a circle", circle.to_owned(), "x"),
        ("loops", large.to_owned(), "big"),
        ("texts", format!("{long}{text}"), "t"),
    ] {
        let globals = format!("globals {{\n{body}}}\n");
        let generate = format!(
            "generate_hcl \"_p.tf\" {{\n  condition = tm_jsonencode(global.{last}) == \"x\"\n  content {{\n    a = global.{last}\n  }}\n}}\n"
        );
        let begin = Instant::now();
        let files = [
            ("globals.tm", globals.as_str()),
            ("g.tm", &generate),
            ("s/stack.tm", STACK),
            ("s/main.tf", MAIN),
        ];
        let found = after(&files, &[("g.tm", Some(&generate.replace("a = global", "b = global")))]);
        assert_eq!(units(&found), ["s"], "{what}");
        assert!(begin.elapsed() < Duration::from_secs(20), "{what}: {:?}", begin.elapsed());
    }
}

#[test]
fn imports_that_lead_to_each_other_end_above_a_stack_too() {
    let both =
        format!("import {{\n  source = \"/i/a.tm\"\n}}\nimport {{\n  source = \"/j/b.tm\"\n}}\n{GENERATE}");
    let files: &[(&str, &str)] = &[
        ("live/import.tm", "import {\n  source = \"/i/a.tm\"\n}\n"),
        ("i/a.tm", "import {\n  source = \"/j/b.tm\"\n}\n"),
        ("j/b.tm", &both),
        ("live/s/stack.tm", STACK),
    ];
    assert_eq!(units(&after(files, &[("j/b.tm", Some(""))])), ["live/s"]);
}

#[test]
fn files_that_loops_lets_and_dynamic_blocks_read_count_each() {
    const ROOT: &str = "${terramate.root.path.fs.absolute}";
    let text = format!(
        "globals {{\n  modules = {{ net = \"net\" }}\n}}\ngenerate_hcl \"_g.tf\" {{\n  lets {{\n    dir  = \"{ROOT}/lets\"\n    file = \"${{let.dir}}/l.txt\"\n    src  = \"../modules/${{let.kind}}\"\n    kind = \"app\"\n  }}\n  content {{\n    a = [for f in tm_fileset(\"{ROOT}/cfg\", \"*.yml\") : tm_yamldecode(tm_file(\"{ROOT}/cfg/${{f}}\"))]\n    b = tm_file(let.file)\n    c = {{ for k, v in {{ one = \"1\" }} : k => [for x in [\"a\"] : tm_filemd5(\"{ROOT}/nest/${{k}}-${{v}}-${{x}}.txt\")] }}\n    d = tm_file(\"{ROOT}/part/${{tm_uuid()}}.txt\")\n    module \"app\" {{\n      source = let.src\n    }}\n    tm_dynamic \"module\" {{\n      for_each = global.modules\n      iterator = it\n      labels   = [it.key]\n      content {{\n        source = \"../modules/${{it.value}}\"\n        e      = tm_file(\"{ROOT}/dyn/${{it.key}}.txt\")\n      }}\n    }}\n  }}\n}}\n"
    );
    let files = [
        ("a/stack.tm.hcl", "stack {\n}\n"),
        ("g.tm.hcl", &text),
        (".gitignore", "_*.tf\n"),
        ("cfg/x.yml", "a: 1\n"),
        ("modules/net/main.tf", ""),
        ("modules/app/main.tf", ""),
        ("modules/other/main.tf", ""),
    ];
    for (changed, touched) in [
        ("cfg/x.yml", true),
        ("cfg/y.yml", true),
        ("cfg/x.txt", false),
        ("lets/l.txt", true),
        ("lets/m.txt", false),
        ("nest/one-1-a.txt", true),
        ("nest/one-1-b.txt", false),
        ("part/x.txt", true),
        ("dyn/net.txt", true),
        ("dyn/app.txt", false),
        ("modules/net/main.tf", true),
        ("modules/app/main.tf", true),
        ("modules/other/main.tf", false),
    ] {
        let found = after(&files, &[(changed, Some("# 2\n"))]);
        let units: Vec<String> = found.units.iter().map(|unit| unit.path.to_string()).collect();
        let expected: &[&str] = if touched { &["a"] } else { &[] };
        assert_eq!(units, expected, "{changed}");
    }
}
