//! Tests of Terramate's globals that replace one another.

use crate::{
    fixture::Repo,
    impact::{edited, units},
};

/// As `terramate debug show globals` has them (0.17.2).
#[test]
fn a_global_that_a_nearer_one_replaces_as_a_whole_counts_no_more() {
    let read = |file: &str| format!("tm_file(\"${{terramate.root.path.fs.absolute}}/data/{file}.txt\")");
    let above = format!(
        "globals \"obj\" {{\n  a = {}\n  b = \"${{global.later}}{}\"\n}}\nglobals \"obj\" \"in\" {{\n  c = {}\n}}\n",
        read("a"),
        "-",
        read("c")
    );
    let above = format!("{above}globals {{\n  obj2 = {{ d = {} }}\n  e = {}\n}}\n", read("d"), read("e"));
    let all = "[global.obj, global.obj2, tm_try(global.e, 1)]";
    let generate = format!("generate_file \"_p.txt\" {{\n  content = tm_jsonencode({all})\n}}\n");
    let files: Vec<(&str, &str)> = vec![
        ("globals.tm", &above),
        ("generate.tm", &generate),
        ("data/a.txt", "1"),
        ("data/c.txt", "1"),
        ("data/d.txt", "1"),
        ("data/e.txt", "1"),
        ("s/whole/stack.tm", "stack {}\nglobals {\n  obj = { x = 1 }\n  later = 1\n  e = unset\n}\n"),
        ("s/inner/stack.tm", "stack {}\nglobals \"obj\" {\n  in = { x = 1 }\n}\nglobals {\n  later = 1\n}\n"),
        (
            "s/more/stack.tm",
            "stack {}\nglobals \"obj\" {\n  x = 1\n}\nglobals \"obj2\" {\n  x = 1\n}\nglobals {\n  later = 1\n}\n",
        ),
        ("s/none/stack.tm", "stack {}\nglobals \"obj\" {}\nglobals {\n  later = 1\n}\n"),
    ];
    for (changed, expected) in [
        ("data/a.txt", &["s/inner", "s/more", "s/none"][..]),
        ("data/c.txt", &["s/more", "s/none"]),
        // Laid over by another, an object counts; so does what another global takes the place of.
        ("data/d.txt", &["s/inner", "s/more", "s/none", "s/whole"]),
        ("data/e.txt", &["s/inner", "s/more", "s/none"]),
    ] {
        assert_eq!(units(&edited(Repo::with(&files), &[(changed, Some("2"))]).1), expected, "{changed}");
    }
    // What names another global may be worked out last, and is then laid over the whole.
    let other = above.replace("}-\"", "}+\"");
    assert_ne!(above, other);
    let found = units(&edited(Repo::with(&files), &[("globals.tm", Some(&other))]).1);
    assert_eq!(found, ["s/inner", "s/more", "s/none", "s/whole"]);
}
