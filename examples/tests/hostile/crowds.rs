//! More of everything than anyone has.

use super::{
    BACKEND,
    import::{Import, ask_with},
    unit,
};

/// Of files in one folder.
const MANY: usize = 50_000;
/// Of configuration and test files, each of which takes long to look at in a program without optimisation.
const SOME: usize = 10_000;

#[test]
fn fifty_thousand_files_in_a_folder() {
    let mut import = Import::new();
    import.file(
        "live/a/main.tf",
        format!("{BACKEND}locals {{\n  x = fileset(path.module, \"data/*.json\")\n}}\n"),
    );
    let blob = import.blob(b"{}");
    for n in 0..MANY {
        import.with("100644", format!("live/a/data/{n}.json"), blob);
    }
    import.changed("live/a/data/new.json", "{}");
    let answer = import.ask();
    assert_eq!(answer.units(), ["live/a"]);
}

#[test]
fn ten_thousand_configuration_files_in_one_module() {
    let mut import = Import::new();
    import.file("live/a/main.tf", unit("../../modules/m"));
    for n in 0..SOME {
        let blob =
            if n == 0 { import.blob(b"locals {\n  a = file(\"${path.module}/f.txt\")\n}\n") } else { 2 };
        import.with("100644", format!("modules/m/{n}.tf"), blob);
    }
    import.changed("modules/m/f.txt", "2");
    let repo = import.written();
    // For OpenTofu each of them may have another beside it that is read in its place.
    for tool in ["either", "opentofu"] {
        let answer = ask_with(&repo, &["--base", "main", "--head", "feature", "--json", "--tool", tool]);
        assert_eq!(answer.units(), ["live/a"]);
    }
}

#[test]
fn a_thousand_links_to_one_file_beside_them() {
    let mut import = Import::new();
    let reads: String = (0..10_000).map(|n| format!("  x{n} = file(\"f{n}\")\n")).collect();
    import.file("live/a/main.tf", format!("{BACKEND}locals {{\n{reads}}}\n"));
    for n in 0..1_000 {
        import.link(format!("live/a/l{n}.tf"), "main.tf");
    }
    import.changed("live/a/f7", "2");
    let impact = import.ask().impact();
    assert_eq!(impact.units.len(), 1);
    assert!(impact.unparsable[0].why.contains("lead to more than 4 MiB"), "{:?}", impact.unparsable[0]);
}

#[test]
fn a_file_of_sixty_megabytes_that_two_thousand_units_look_into() {
    let mut import = Import::new();
    let large = ["name: a\n".to_owned(), format!("# {}\n", "x".repeat(58)).repeat(1_000_000)].concat();
    import.file("large.yaml", large).file("large.tftpl", "x".repeat(60_000_000));
    let unit = import.blob(
        format!(
            "{BACKEND}locals {{\n  \
               large = yamldecode(file(\"${{path.module}}/../../large.yaml\"))\n  \
               named = file(\"${{path.module}}/${{local.large.name}}\")\n  \
               filled = templatefile(\"${{path.module}}/../../large.tftpl\", {{}})\n}}\n"
        )
        .as_bytes(),
    );
    for n in 0..2_000 {
        import.with("100644", format!("live/u{n}/main.tf"), unit);
    }
    import.changed("live/u7/a", "2");
    assert_eq!(import.ask().units(), ["live/u7"]);
}

#[test]
fn links_of_two_thousand_directories_to_one_large_template_and_one_large_file() {
    let mut import = Import::new();
    let template = ["x".repeat(20_000_000), "${file(\"inner.txt\")}\n".to_owned()].concat();
    let locals: String = (0..40_000).map(|n| format!("  x{n} = \"${{local.y}}-{n}\"\n")).collect();
    import.file("large.tftpl", template).file("large.tf", format!("locals {{\n  y = 1\n{locals}}}\n"));
    let unit = import.blob(
        format!("{BACKEND}output \"x\" {{\n  value = templatefile(\"t.tftpl\", {{}})\n}}\n").as_bytes(),
    );
    for n in 0..2_000 {
        import.with("100644", format!("live/u{n}/main.tf"), unit);
        import.link(format!("live/u{n}/t.tftpl"), "../../large.tftpl");
        import.link(format!("live/u{n}/large.tf"), "../../large.tf");
    }
    import.changed("live/u7/inner.txt", "2");
    let impact = import.ask().impact();
    assert_eq!(impact.units.iter().map(|unit| unit.path.to_string()).collect::<Vec<_>>(), ["live/u7"]);
    let told =
        "live/u7/main.tf:5: the path of templatefile(\"t.tftpl\", {}) is known only when it is planned";
    assert!(impact.warnings.iter().any(|warning| warning.contains(told)), "{:?}", impact.warnings);
}

#[test]
fn ten_thousand_test_files() {
    let mut import = Import::new();
    import.file("modules/m/main.tf", "# 1\n");
    let blob = import.blob(b"run \"a\" {}\n");
    for n in 0..SOME {
        import.with("100644", format!("modules/m/tests/{n}.tftest.hcl"), blob);
    }
    import.changed("modules/m/main.tf", "# 2\n");
    assert_eq!(import.ask().impact().cases.len(), SOME);
}

#[test]
fn ten_thousand_calls_of_one_module_that_hand_a_path_through() {
    let mut import = Import::new();
    import.file(
        "modules/m/main.tf",
        "variable \"f\" {}\nlocals {\n  a = file(var.f)\n  b = filemd5(\"${path.module}/${var.f}\")\n}\n",
    );
    let mut text = BACKEND.to_owned();
    for n in 0..10_000 {
        text += &format!("module \"m{n}\" {{\n  source = \"../../modules/m\"\n  f = \"f{n}.txt\"\n}}\n");
    }
    import.file("live/a/main.tf", text);
    for n in 0..2_000 {
        let text =
            format!("{BACKEND}module \"m\" {{\n  source = \"../../modules/m\"\n  f = \"f{n}.txt\"\n}}\n");
        import.file(format!("live/u{n}/main.tf"), text);
    }
    import.changed("live/a/f9999.txt", "1").changed("modules/m/f1999.txt", "1");
    let answer = import.ask();
    // Files beyond the bound are told, not passed over: the unit reads what it may not see.
    let units = answer.units();
    assert!(units.contains(&"live/a".to_owned()) && units.contains(&"live/u1999".to_owned()), "{units:?}");
}

#[test]
fn a_module_that_ten_thousand_units_call_and_that_calls_in_circles() {
    let mut import = Import::new();
    let (there, back) =
        ("module \"b\" {\n  source = \"../b\"\n}\n", "module \"a\" {\n  source = \"../a\"\n}\n");
    import.file("modules/a/main.tf", there).file("modules/b/main.tf", back);
    let blob = import.blob(unit("../../modules/a").as_bytes());
    for n in 0..10_000 {
        import.with("100644", format!("live/{n}/main.tf"), blob);
    }
    import.changed("modules/b/f.tf", "# 2\n");
    assert_eq!(import.ask().units().len(), 10_000);
}

#[test]
fn a_hundred_thousand_links() {
    let mut import = Import::new();
    import.file("modules/m/main.tf", "# 1\n").link("links/in/m", "../../modules/m");
    import.file("live/a/main.tf", unit("../../links/in/m"));
    let blob = import.blob(b"../modules/m");
    for n in 0..100_000 {
        import.with("120000", format!("links/{n}"), blob);
    }
    import.changed("modules/m/main.tf", "# 2\n");
    assert_eq!(import.ask().units(), ["live/a"]);
}
