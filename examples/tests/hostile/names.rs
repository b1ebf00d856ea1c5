//! Names and contents that are no text, and links that lead astray.

use super::{
    BACKEND,
    import::{Import, ask_with},
    unit,
};

#[test]
fn names_and_contents_of_any_bytes() {
    let odd: &[u8] = b"live/\xff\xfe \"'`$(x)\t\n;|%/main.tf";
    let mut import = Import::new();
    import.file(odd, unit("../../modules/m")).file("modules/m/main.tf", "# 1\n");
    import.file(
        "live/b/main.tf",
        b"terraform {\n  backend \"local\" {}\n}\nlocals {\n  a = \"\xff\xfe\0\"\n}\n",
    );
    import.file("live/c/main.tf", b"\0\0locals {\n  a = file(\"x.txt\")\n}\n\0\0");
    import.file("live/c/backend.tf", BACKEND);
    import.file("live/d/terragrunt.hcl", b"inputs = { a = \"\xff\" }\n\0");
    import.file("stacks/e/stack.tm.hcl", b"stack {}\nglobals {\n  a = \"\xc3\x28\"\n}\n");
    import.file("live/f/main.tf.json", b"{\"locals\": {\"a\": \"\xff ${file(\\\"x.txt\\\")}\"}}");
    import.file("live/f/backend.tf", BACKEND);
    import.changed("modules/m/main.tf", "# 2\n");
    for unit in ["live/b", "live/c", "live/d", "live/f"] {
        import.changed(format!("{unit}/\u{1f4a3}\u{202e}.txt"), "1");
    }
    import.changed("stacks/e/more.tm", "globals {\n  b = 1\n}\n");
    let repo = import.written();
    let answer = ask_with(&repo, &["--base", "main", "--head", "feature", "--json"]);
    let units = answer.units();
    let shown = "live/%FF%FE \"'`$(x)\t\n;|%25";
    for unit in [shown, "live/b", "live/c", "live/d", "live/f", "stacks/e"] {
        assert!(units.contains(&unit.to_owned()), "{unit:?} is not in {units:?}");
    }
    for drawing in ["mermaid", "dot"] {
        let drawn = ask_with(&repo, &["--base", "main", "--head", "feature", "--graph", drawing]);
        assert_eq!(drawn.code, Some(0), "{}", drawn.err);
        // A line break in a name starts no line of the drawing.
        assert!(drawn.out.lines().all(|line| !line.starts_with(';')), "{}", drawn.out);
    }
    let people = ask_with(&repo, &["--base", "main", "--head", "feature"]);
    assert_eq!(people.code, Some(0), "{}", people.err);
}

#[test]
fn a_path_of_four_thousand_bytes_and_one_that_is_longer() {
    let name = "n".repeat(200);
    let directory = |names: usize| vec![name.as_str(); names].join("/");
    let mut import = Import::new();
    import.file(format!("{}/main.tf", directory(20)), BACKEND);
    import.changed(format!("{}/new.tf", directory(20)), "# 2\n");
    assert_eq!(import.ask().units(), [directory(20)]);
    let mut import = Import::new();
    import.file(format!("{}/main.tf", directory(21)), BACKEND).changed("a.txt", "1");
    import.ask().refused("the length of a path");
}

#[test]
fn links_in_circles_and_out_of_the_repository() {
    let mut import = Import::new();
    import
        .link("loop/a", "b")
        .link("loop/b", "a")
        .link("self", "self")
        .link("up", "../../..")
        .link("root", "/");
    import.link("live/a/main.tf", "../../loop/a").link("live/b/main.tf", "../../../../../etc/passwd");
    import.link("live/c/main.tf", "/etc/passwd").link("live/d", "../live/d/x").link("down/up", "..");
    for n in 0..100 {
        import.link(format!("chain/{n}"), format!("{}", n + 1));
    }
    import.file("chain/100/main.tf", "# 1\n").file("modules/m/main.tf", "# 1\n");
    let sources = [
        "../../loop/a/m",
        "../../self",
        "../../up/etc",
        "../../root/etc",
        "../../chain/0",
        "../../down/up/down/up/modules/m",
    ];
    for (n, source) in sources.iter().enumerate() {
        import.file(format!("live/u{n}/main.tf"), unit(source));
        import.file(
            format!("live/r{n}/main.tf"),
            format!("{BACKEND}locals {{\n  a = file(\"{source}/f.txt\")\n  b = fileset(\"{source}\", \"**\")\n}}\n"),
        );
    }
    import.file(
        "live/t/terragrunt.hcl",
        "include {\n  path = \"../../loop/a\"\n}\nlocals {\n  a = file(\"../../root/etc/passwd\")\n}\n",
    );
    import.changed("modules/m/main.tf", "# 2\n").changed("modules/m/f.txt", "1");
    let answer = import.ask();
    assert_eq!(answer.units(), ["live/r5", "live/u5"]);
    assert!(!answer.out.contains("root:x:"), "a file of the machine is read");
}

#[test]
fn links_whose_targets_are_longer_than_any_path() {
    let mut import = Import::new();
    let long = import.blob("../x/".repeat(6 << 20).as_bytes());
    let huge = import.blob("y".repeat(70 << 20).as_bytes());
    for n in 0..200 {
        import.with("120000", format!("long/{n}"), long).with("120000", format!("huge/{n}"), huge);
    }
    import.file("live/a/main.tf", unit("../../long/1")).file("live/b/main.tf", unit("../../huge/1"));
    import.file("live/c/main.tf", BACKEND).changed("live/c/main.tf", format!("{BACKEND}# 2\n"));
    assert_eq!(import.ask().units(), ["live/c"]);
}

#[test]
fn a_submodule_that_lies_about_where_it_comes_from() {
    let mut import = Import::new();
    import.submodule("vendor/sub");
    import.file(
        ".gitmodules",
        "[submodule \"--upload-pack=touch x\"]\n\tpath = vendor/sub\n\turl = ext::sh -c touch% x\n\tupdate = !touch x\n[submodule \"../../..\"]\n\tpath = ../..\n\turl = -x\n",
    );
    import.file("live/a/main.tf", unit("../../vendor/sub/modules/m")).changed("live/a/more.tf", "# 2\n");
    let repo = import.written();
    let answer = ask_with(&repo, &["--base", "main", "--head", "feature", "--json"]);
    assert_eq!(answer.units(), ["live/a"]);
    assert!(!repo.path.join("x").exists());
}
