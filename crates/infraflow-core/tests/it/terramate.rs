//! Tests of the Terramate dialect: what a change means for stacks.

use std::{path::Path, process::Command};

use infraflow_core::impact::Impact;

use crate::{
    fixture::{self, Repo},
    impact::{edited, impact, impact_with, units},
};

/// What a change does to a path: new content, or its end.
type Edit = (&'static str, Option<&'static str>);

struct Row<'a> {
    why: &'a str,
    files: &'a [(&'a str, &'a str)],
    edits: &'a [Edit],
    units: &'a [&'a str],
}

/// What terramate itself says has changed; `None` where it refuses the repository.
fn terramate_says(repo: &Path) -> Option<Vec<String>> {
    let mut command = Command::new("terramate");
    command.args(["list", "--changed", "--git-change-base", "main"]).current_dir(repo);
    command.envs([("CHECKPOINT_DISABLE", "1"), ("TM_DISABLE_TELEMETRY", "1"), ("HOME", "/nonexistent")]);
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

fn after(files: &[(&str, &str)], edits: &[Edit]) -> (Repo, Impact) {
    edited(Repo::with(files), edits)
}

fn check(rows: &[Row<'_>]) {
    let mut wrong = Vec::new();
    for row in rows {
        let (_, impact) = after(row.files, row.edits);
        let found = units(&impact);
        if found != row.units {
            wrong.push(format!("{}: {found:?} instead of {:?}", row.why, row.units));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const STACK: &str = "stack {\n}\n";
const MAIN: &str = "output \"v\" {\n  value = 1\n}\n";

#[test]
fn every_file_below_a_stack_counts_for_it_hidden_ones_too() {
    let files: &[(&str, &str)] =
        &[("a/stack.tm", STACK), ("a/main.tf", MAIN), ("b/stack.tm.hcl", STACK), ("c/x", "")];
    check(&[
        Row { why: "a file", files, edits: &[("a/x/y/z.sh", Some(""))], units: &["a"] },
        Row { why: "a dot file", files, edits: &[("b/.x", Some(""))], units: &["b"] },
        Row { why: "a README", files, edits: &[("a/README.md", Some("x"))], units: &["a"] },
        Row { why: "no stack above", files, edits: &[("c/x", Some("x"))], units: &[] },
        Row { why: "what a name only begins with", files, edits: &[("ab/x", Some(""))], units: &[] },
        Row {
            why: "the stack's own file",
            files,
            edits: &[("b/stack.tm.hcl", Some("stack {\n}\n# x\n"))],
            units: &["b"],
        },
        Row { why: "a new stack", files, edits: &[("c/stack.tm", Some(STACK))], units: &["c"] },
    ]);
}

#[test]
fn a_stack_may_stand_in_any_file_of_terramate_and_nowhere_else() {
    let change: &[Edit] = &[("s/x", Some("x"))];
    check(&[
        Row {
            why: "another name",
            files: &[("s/q.tm", "globals {\n}\nstack {\n}\n")],
            edits: change,
            units: &["s"],
        },
        Row { why: "a hidden file", files: &[("s/.stack.tm", STACK)], edits: change, units: &[] },
        Row {
            why: "a hidden directory",
            files: &[(".s/stack.tm", STACK)],
            edits: &[(".s/x", Some(""))],
            units: &[],
        },
        Row { why: "an ending of another tool", files: &[("s/stack.hcl", STACK)], edits: change, units: &[] },
        Row {
            why: "no block",
            files: &[("s/stack.tm", "# stack {}\nglobals {\n}\n")],
            edits: change,
            units: &[],
        },
    ]);
}

#[test]
fn below_tmskip_there_is_no_stack() {
    let files: &[(&str, &str)] = &[("v/.tmskip", ""), ("v/a/b/stack.tm", STACK), ("k/stack.tm", STACK)];
    check(&[
        Row { why: "skipped above", files, edits: &[("v/a/b/x", Some(""))], units: &[] },
        Row { why: "not skipped", files, edits: &[("k/x", Some(""))], units: &["k"] },
        Row { why: "a skip that goes makes stacks", files, edits: &[("v/.tmskip", None)], units: &["v/a/b"] },
    ]);
    // The other way round, the stack is gone.
    let (_, impact) = after(&[("v/a/stack.tm", STACK)], &[("v/.tmskip", Some(""))]);
    let gone: Vec<String> = impact.removed_units.iter().map(|unit| unit.path.to_string()).collect();
    assert_eq!(gone, ["v/a"]);
}

#[test]
fn a_watched_file_counts_however_its_path_is_made() {
    let watch = |expression: &str| format!("stack {{\n  watch = {expression}\n}}\n");
    for (expression, why) in [
        ("[\"/ext/file.txt\"]", "from the project's root"),
        ("[\"../ext/file.txt\"]", "from the stack"),
        ("[tm_lower(\"/EXT/FILE.TXT\")]", "a function"),
        ("[\"/ext/${tm_join(\".\", [\"file\", \"txt\"])}\"]", "a template"),
        ("tm_split(\"\\n\", tm_trimspace(tm_file(\"../ext/list\")))", "a list in a file"),
        ("[for f in tm_fileset(\"../ext\", \"*.txt\") : \"/ext/${f}\"]", "a set of files"),
        ("tm_jsondecode(tm_file(\"../ext/list.json\")).watch", "a JSON file"),
        ("tm_yamldecode(tm_file(\"../ext/list.yaml\")).watch", "a YAML file"),
        ("tm_distinct(tm_concat(tm_formatlist(\"/ext/%s.txt\", [\"file\", \"file\"]), []))", "a format"),
        ("true ? [\"/ext/file.txt\"] : []", "a condition"),
        ("tm_ternary(false, [], [\"/ext/file.txt\"])", "a ternary"),
    ] {
        let stack = watch(expression);
        let files = [
            ("s/stack.tm", stack.as_str()),
            ("s/main.tf", MAIN),
            ("t/stack.tm", STACK),
            ("t/main.tf", MAIN),
            ("ext/file.txt", "a"),
            ("ext/list", "/ext/file.txt\n/ext/other.txt\n"),
            ("ext/list.json", "{\"watch\": [\"/ext/file.txt\"]}"),
            ("ext/list.yaml", "# list\nwatch:\n  - /ext/file.txt\n"),
            ("ext/unwatched.md", "a"),
        ];
        let touched = |path: &str| units(&impact(&files, |repo| repo.write(path, "b")));
        assert_eq!(touched("ext/file.txt"), ["s"], "{why}");
        assert_eq!(touched("ext/unwatched.md"), [""; 0], "{why}");
    }
}

#[test]
fn a_watched_file_counts_when_it_appears_and_what_lies_outside_is_nothing() {
    let files: &[(&str, &str)] = &[
        ("s/stack.tm", "stack {\n  watch = [\"/ext/new\", \"../../../outside\"]\n}\n"),
        ("s/main.tf", MAIN),
    ];
    check(&[
        Row { why: "appears", files, edits: &[("ext/new", Some("x"))], units: &["s"] },
        Row {
            why: "another appears",
            files,
            edits: &[("ext/other", Some("x")), ("outside", Some(""))],
            units: &[],
        },
    ]);
}

#[test]
fn the_list_that_a_watch_is_read_from_counts_itself_and_one_that_nobody_knows_is_told() {
    let files =
        [("s/stack.tm", "stack {\n  watch = tm_split(\"\\n\", tm_file(\"../list\"))\n}\n"), ("list", "/a\n")];
    let found = impact(&files, |repo| repo.write("list", "/b\n"));
    assert_eq!(units(&found), ["s"]);
    let unknown = [("s/stack.tm", "stack {\n  watch = tm_uuid()\n}\n"), ("s/main.tf", MAIN), ("a", "")];
    let found = impact(&unknown, |repo| repo.write("s/x", ""));
    assert_eq!(units(&found), ["s"]);
}

#[test]
fn an_import_counts_to_any_depth_by_absolute_and_relative_paths_and_by_globs() {
    let files: &[(&str, &str)] = &[
        ("s/stack.tm", "stack {\n}\nimport {\n  source = \"/imports/one.tm\"\n}\n"),
        ("s/main.tf", MAIN),
        ("g/stack.tm", "stack {\n}\nimport {\n  source = \"../mixins/*.tm\"\n}\n"),
        ("g/main.tf", MAIN),
        ("imports/one.tm", "import {\n  source = \"../deep/two.tm\"\n}\n"),
        ("deep/two.tm", "globals {\n  a = 1\n}\n"),
        ("deep/other.tm", "globals {\n}\n"),
        ("mixins/a.tm", "globals {\n  b = 1\n}\n"),
        ("loop/a.tm", ""),
    ];
    check(&[
        Row {
            why: "absolute",
            files,
            edits: &[("imports/one.tm", Some("import {\n  source = \"/deep/two.tm\"\n}\n"))],
            units: &["s"],
        },
        Row {
            why: "an import of an import",
            files,
            edits: &[("deep/two.tm", Some("globals {\n}\n"))],
            units: &["s"],
        },
        Row { why: "a file beside it", files, edits: &[("deep/other.tm", Some(""))], units: &[] },
        Row { why: "a file of a glob", files, edits: &[("mixins/a.tm", Some(""))], units: &["g"] },
        Row { why: "a file that joins a glob", files, edits: &[("mixins/b.tm", Some(""))], units: &["g"] },
        Row {
            why: "files beside a glob",
            files,
            edits: &[("mixins/README.md", Some("")), ("mixins/deeper/b.tm", Some(""))],
            units: &[],
        },
    ]);
}

#[test]
fn imports_in_a_circle_end() {
    let files = [
        ("s/stack.tm", "stack {\n}\nimport {\n  source = \"/i/a.tm\"\n}\n"),
        ("i/a.tm", "import {\n  source = \"b.tm\"\n}\n"),
        ("i/b.tm", "import {\n  source = \"a.tm\"\n}\n"),
    ];
    assert_eq!(units(&impact(&files, |repo| repo.write("i/b.tm", ""))), ["s"]);
}

#[test]
fn order_and_tags_propagate_nothing() {
    let second = "stack {\n  tags = [\"a\"]\n  after = [\"../one\", \"tag:b\"]\n  before = [\"/three\"]\n  wants = [\"/one\"]\n  wanted_by = [\"/one\"]\n}\n";
    let files = [
        ("one/stack.tm", "stack {\n  tags = [\"b\"]\n}\n"),
        ("two/stack.tm", second),
        ("three/stack.tm", STACK),
    ];
    let found = impact(&files, |repo| repo.write("one/x.tf", MAIN));
    assert_eq!(units(&found), ["one"]);
    assert!(found.dependents.is_empty());
}

#[test]
fn a_stack_that_consumes_outputs_is_a_dependent_with_or_without_an_order() {
    let producer = "stack {\n  id = \"Vpc\"\n}\noutput \"a\" {\n  backend = \"d\"\n  value = \"x\"\n}\n";
    let input = "input \"a\" {\n  backend = \"d\"\n  from_stack_id = \"vpc\"\n  value = outputs.a.value\n}\n";
    let ordered = format!("stack {{\n  id = \"s\"\n  after = [\"../vpc\", \"/other\"]\n}}\n{input}");
    let unordered = format!("stack {{\n}}\n{input}");
    for (consumer, place) in [(&ordered, "app"), (&unordered, "app"), (&unordered, "far/away/app")] {
        let file = format!("{place}/stack.tm.hcl");
        let main = format!("{place}/main.tf");
        let files = [
            ("vpc/stack.tm.hcl", producer),
            ("vpc/main.tf", MAIN),
            ("other/stack.tm.hcl", "stack {\n  id = \"o\"\n}\n"),
            ("other/main.tf", MAIN),
            (file.as_str(), consumer.as_str()),
            (main.as_str(), MAIN),
        ];
        let dependents = |path: &str| -> Vec<String> {
            let found = impact(&files, |repo| repo.write(path, "output \"v\" {\n  value = 2\n}\n"));
            assert!(!units(&found).contains(&place.to_owned()), "{place}");
            found.dependents.iter().map(|unit| unit.path.to_string()).collect()
        };
        assert_eq!(dependents("vpc/main.tf"), [place]);
        assert_eq!(dependents("other/main.tf"), [""; 0]);
    }
}

#[test]
fn a_file_that_comes_beside_a_stack_concerns_no_consumer_of_another() {
    let files = [
        ("vpc/stack.tm.hcl", "stack {\n  id = \"vpc\"\n}\n"),
        ("vpc/main.tf", MAIN),
        ("app/stack.tm.hcl", "stack {\n}\ninput \"a\" {\n  from_stack_id = global.vpc\n}\n"),
        ("app/main.tf", MAIN),
        ("globals.tm", "globals {\n  vpc = \"vpc\"\n}\n"),
        ("other/x", ""),
    ];
    let dependents = |found: &Impact| -> Vec<String> {
        found.dependents.iter().map(|unit| unit.path.to_string()).collect()
    };
    let found = impact(&files, |repo| repo.write("other/y", ""));
    assert_eq!((units(&found), dependents(&found)), (vec![], vec![]));
    let found = impact(&files, |repo| repo.write("vpc/y", ""));
    assert_eq!((units(&found), dependents(&found)), (vec!["vpc".to_owned()], vec!["app".to_owned()]));
}

#[test]
fn an_id_that_only_globals_tell_may_be_any_stack_that_runs_before() {
    let files = [
        ("vpc/stack.tm.hcl", "stack {\n  id = \"vpc\"\n}\n"),
        ("vpc/main.tf", MAIN),
        (
            "app/stack.tm.hcl",
            "stack {\n  after = [\"/vpc\"]\n}\ninput \"a\" {\n  from_stack_id = global.vpc\n}\n",
        ),
        ("app/main.tf", MAIN),
    ];
    let found = impact(&files, |repo| repo.write("vpc/x.tf", ""));
    let dependents: Vec<String> = found.dependents.iter().map(|unit| unit.path.to_string()).collect();
    assert_eq!((units(&found), dependents), (vec!["vpc".to_owned()], vec!["app".to_owned()]));
}

const GENERATE: &str =
    "generate_hcl \"_p.tf\" {\n  content {\n    locals {\n      r = global.r\n    }\n  }\n}\n";

#[test]
fn globals_of_parents_count_through_generated_code_that_is_not_committed() {
    let generated = "// TERRAMATE: GENERATED AUTOMATICALLY DO NOT EDIT\n\nlocals {\n  r = 1\n}\n";
    let kept: &[(&str, &str)] = &[
        ("globals.tm", "globals {\n  r = 1\n}\n"),
        ("generate.tm", GENERATE),
        ("live/s/stack.tm", STACK),
        ("live/s/main.tf", MAIN),
        ("live/s/_p.tf", generated),
    ];
    let ignored: &[(&str, &str)] = &[
        (".gitignore", ".terraform/\n_*.tf\n"),
        ("globals.tm", "globals {\n  r = 1\n}\n"),
        ("generate.tm", GENERATE),
        ("live/s/stack.tm", STACK),
        ("live/s/main.tf", MAIN),
    ];
    let bare: &[(&str, &str)] =
        &[("globals.tm", "globals {\n  r = 1\n}\n"), ("generate.tm", GENERATE), ("live/s/stack.tm", STACK)];
    let own: &[(&str, &str)] = &[
        ("live/globals.tm", "globals {\n  r = 1\n}\n"),
        ("live/s/generate.tm", GENERATE),
        ("live/s/stack.tm", STACK),
        ("live/s/main.tf", MAIN),
        ("live/t/generate.tm", "generate_hcl \"_p.tf\" {\n  condition = false\n  content {\n  }\n}\n"),
        ("live/t/stack.tm", STACK),
        ("live/t/main.tf", MAIN),
    ];
    let globals: &[Edit] = &[("globals.tm", Some("globals {\n  r = 2\n}\n"))];
    let generate: &[Edit] = &[("generate.tm", Some("# nothing\n"))];
    check(&[
        Row { why: "committed code shows the change itself", files: kept, edits: globals, units: &[] },
        Row {
            why: "and does when it is generated anew",
            files: kept,
            edits: &[
                ("globals.tm", Some("globals {\n  r = 2\n}\n")),
                ("live/s/_p.tf", Some("locals {\n  r = 2\n}\n")),
            ],
            units: &["live/s"],
        },
        Row { why: "ignored code: globals", files: ignored, edits: globals, units: &["live/s"] },
        Row { why: "ignored code: the block", files: ignored, edits: generate, units: &["live/s"] },
        Row {
            why: "ignored code: a new file",
            files: ignored,
            edits: &[("live/new.tm", Some("globals {\n  r = 3\n}\n"))],
            units: &["live/s"],
        },
        Row {
            why: "ignored code: what is no parent",
            files: ignored,
            edits: &[("other/globals.tm", Some("globals {\n}\n"))],
            units: &[],
        },
        Row {
            why: "ignored code: what is no file of Terramate",
            files: ignored,
            edits: &[("README.md", Some(""))],
            units: &[],
        },
        Row { why: "a stack without code of its own", files: bare, edits: globals, units: &["live/s"] },
        Row {
            why: "an own block without its file",
            files: own,
            edits: &[("live/globals.tm", Some("globals {\n  r = 2\n}\n"))],
            units: &["live/s"],
        },
    ]);
}

#[test]
fn a_file_that_code_is_generated_from_counts_where_the_code_is_not_committed() {
    let files: &[(&str, &str)] = &[
        (
            "s/stack.tm",
            "stack {\n}\ngenerate_file \"x.json\" {\n  content = tm_file(\"../data/x.json\")\n}\n",
        ),
        ("s/main.tf", MAIN),
        ("data/x.json", "{}"),
    ];
    check(&[Row { why: "read by a generator", files, edits: &[("data/x.json", Some("[]"))], units: &["s"] }]);
}

#[test]
fn a_trigger_counts_for_its_stack_alone() {
    let trigger = "trigger {\n  ctime = 1\n  reason = \"x\"\n  type = changed\n  context = stack\n}\n";
    let files: &[(&str, &str)] =
        &[("a/stack.tm", STACK), ("a/main.tf", MAIN), ("b/stack.tm", STACK), ("b/main.tf", MAIN)];
    let (_, found) = after(files, &[]);
    assert!(units(&found).is_empty());
    let repo = Repo::with(files);
    repo.branch("feature");
    repo.write(".tmtriggers/a/changed-6f0.tm.hcl", trigger);
    repo.commit("feat: trigger");
    assert_eq!(units(&impact_with(&repo, &Default::default())), ["a"]);
}

#[test]
fn a_broken_file_is_told_with_its_line_and_its_stack_is_still_one() {
    let files =
        [("s/stack.tm", "stack {\n}\nglobals {\n  a = [\n}\n"), ("s/main.tf", MAIN), ("t/stack.tm", STACK)];
    let found = impact(&files, |repo| repo.write("s/x", ""));
    assert_eq!(units(&found), ["s"]);
    let told: Vec<_> = found.unparsable.iter().map(|file| (file.path.to_string(), file.line)).collect();
    assert_eq!(told, [("s/stack.tm".to_owned(), Some(5))]);
}

#[test]
fn a_reason_leads_to_the_watch_and_to_the_import() {
    let stack = "stack {\n  name  = \"é\"\n  watch = [\"/ext/a\"]\n}\nimport {\n  source = \"/i/a.tm\"\n}\n";
    let files = [("s/stack.tm", stack), ("s/main.tf", MAIN), ("ext/a", ""), ("i/a.tm", "")];
    for (path, rule, text, line) in
        [("ext/a", "watch", "watch = [\"/ext/a\"]", 3), ("i/a.tm", "include", "/i/a.tm", 6)]
    {
        let found = impact(&files, |repo| repo.write(path, "globals {\n}\n"));
        let reason = &found.units[0].reasons[0];
        let link = reason.chain.last().unwrap();
        assert_eq!(
            (reason.rule.as_str(), link.path.to_string(), link.line),
            (rule, "s/stack.tm".into(), line)
        );
        assert_eq!(&stack[link.start..link.end], text);
    }
}

#[test]
fn what_terramate_itself_lists_as_changed_is_always_affected() {
    // Leaving out what it lists in error: a module's README, test files and mode bits.
    if !fixture::has("terramate", "what_terramate_itself_lists_as_changed_is_always_affected") {
        return;
    }
    let files = [
        ("terramate.tm", "globals {\n  r = 1\n}\n"),
        ("a/stack.tm", "stack {\n  watch = [\"/ext/x\", \"../ext/y\"]\n}\n"),
        ("a/b/stack.tm", STACK),
        ("a/b/main.tf", "module \"m\" {\n  source = \"../../modules/m\"\n}\n"),
        ("c/stack.tm", "stack {\n  id = \"c\"\n}\nimport {\n  source = \"/imports/i.tm\"\n}\n"),
        ("c/d/x", ""),
        ("imports/i.tm", "globals {\n}\n"),
        ("v/.tmskip", ""),
        ("v/w/stack.tm", STACK),
        ("modules/m/main.tf", MAIN),
        ("ext/x", ""),
        ("ext/y", ""),
    ];
    let mut listed = 0;
    for path in [
        "terramate.tm",
        "a/stack.tm",
        "a/b/x",
        "a/b/main.tf",
        "a/x/y/z",
        "c/d/x",
        "c/e/.f",
        "imports/i.tm",
        "v/w/x",
        "modules/m/main.tf",
        "ext/x",
        "ext/y",
        "ext/z",
        "x",
    ] {
        let content = if path.ends_with("stack.tm") { STACK } else { "# changed\n" };
        let content = if path.ends_with("main.tf") { "output \"w\" {\n  value = 2\n}\n" } else { content };
        let repo = Repo::with(&files);
        repo.branch("feature");
        repo.write(path, content);
        repo.commit("feat: change");
        let found = units(&impact_with(&repo, &Default::default()));
        for told in
            terramate_says(&repo.path).unwrap_or_else(|| panic!("terramate refuses a change of {path}"))
        {
            assert!(found.contains(&told), "{path}: terramate lists {told}, not among {found:?}");
            listed += 1;
        }
    }
    assert!(listed >= 8, "{listed}");
}

#[test]
fn of_equally_short_ways_to_a_stack_the_same_one_is_told_in_every_run() {
    let files = [
        ("stacks/s/stack.tm.hcl", "stack {\n  watch = [\"/watched\"]\n}\n"),
        ("stacks/s/main.tf", "module \"m\" {\n  source = \"../../modules/m\"\n}\n"),
        ("modules/m/main.tf", MAIN),
        ("watched", "1\n"),
    ];
    let (repo, first) = after(&files, &[("modules/m/main.tf", Some("# 2\n")), ("watched", Some("2\n"))]);
    assert_eq!(units(&first), ["stacks/s"]);
    for _ in 0..16 {
        assert_eq!(impact_with(&repo, &Default::default()), first);
    }
}
