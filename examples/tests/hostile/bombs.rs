//! Small files that grow when they are understood.

use super::{BACKEND, import::Import, unit};

const DEEP: usize = 100_000;

fn nested(open: &str, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(DEEP), close.repeat(DEEP))
}

/// What stands at the bottom of what nobody parses.
const READ: &str = "file(\"${path.module}/new.txt\")";

/// Every file is in a unit that cannot be parsed, and reads the new file beside it.
#[test]
fn nesting_of_a_hundred_thousand_levels() {
    let deep = [
        ("hcl/main.tf", format!("locals {{\n  a = {}\n}}\n", nested("(", READ, ")"))),
        ("lists/main.tf", format!("locals {{\n  a = {}\n}}\n", nested("[", READ, "]"))),
        ("templates/main.tf", format!("locals {{\n  a = {}\n}}\n", nested("\"${", READ, "}\""))),
        ("blocks/main.tf", nested("a {\n", &format!("b = {READ}\n"), "}\n")),
        ("signs/main.tf", format!("locals {{\n  a = {}{READ}\n}}\n", "!".repeat(DEEP))),
        ("json/main.tf.json", nested("{\"a\":", "\"${file(\\\"new.txt\\\")}\"", "}")),
        ("terragrunt/terragrunt.hcl", format!("inputs = {}\n", nested("{ a = ", "1", "}"))),
        ("terramate/stack.tm.hcl", format!("stack {{}}\nglobals {{\n  a = {}\n}}\n", nested("[", "1", "]"))),
    ];
    let mut import = Import::new();
    for (path, text) in &deep {
        import.file(format!("live/{path}"), text);
        let directory = path.split('/').next().unwrap();
        import.file(format!("live/{directory}/backend.tf"), BACKEND);
        import.changed(format!("live/{directory}/new.txt"), "1");
    }
    import.file(
        "live/values/main.tf",
        format!("{BACKEND}variable \"a\" {{}}\nlocals {{\n  x = file(var.a)\n}}\n"),
    );
    import.file("live/values/terraform.tfvars", format!("a = {}\n", nested("[", "1", "]")));
    import.changed("live/values/new.txt", "1");
    let yaml = format!("a: {}\n", nested("[", "1", "]"));
    import.file("live/yaml/terragrunt.hcl", "inputs = yamldecode(file(\"a.yaml\"))\n");
    import.file("live/yaml/a.yaml", &yaml).changed("live/yaml/a.yaml", yaml + "b: 1\n");
    let json = nested("[", "1", "]");
    import.file("live/decode/terragrunt.hcl", "inputs = jsondecode(file(\"a.json\"))\n");
    import.file("live/decode/a.json", &json).changed("live/decode/a.json", json + " ");
    let answer = import.ask();
    let units = answer.units();
    for unit in ["hcl", "lists", "templates", "blocks", "json", "terragrunt", "values", "yaml", "decode"] {
        assert!(units.contains(&format!("live/{unit}")), "{unit} is not in {units:?}");
    }
}

#[test]
fn a_configuration_that_nests_is_refused_and_that_of_the_change_is_not_read() {
    let deep = format!("a = {}\n", nested("[", "", "]"));
    let mut import = Import::new();
    import.file("infraflow.toml", &deep).file("live/a/main.tf", BACKEND).changed("live/a/main.tf", "# 2\n");
    import.ask().refused("infraflow.toml");
    // Of the change, the rules of trunk count.
    let mut import = Import::new();
    import.file("live/a/main.tf", BACKEND).changed("live/a/main.tf", format!("{BACKEND}# 2\n"));
    let rule = "[[impact.rules]]\npaths = ['**']\ndo = 'ignore'\nreason = 'nothing to see here'\n";
    import.changed("infraflow.toml", rule);
    assert_eq!(import.ask().units(), ["live/a"]);
    let mut import = Import::new();
    import.file("live/a/main.tf", BACKEND).changed("live/a/main.tf", format!("{BACKEND}# 2\n"));
    import.changed("infraflow.toml", deep);
    assert_eq!(import.ask().units(), ["live/a"]);
}

/// Each expression would fill the memory, or run for years.
#[test]
fn expressions_that_grow_without_end() {
    let doubled = |name: &str| {
        let lines =
            (0..60).map(|n| format!("  {name}{} = \"${{local.{name}{n}}}${{local.{name}{n}}}\"\n", n + 1));
        format!("  {name}0 = \"xxxxxxxxxx\"\n{}", lines.collect::<String>())
    };
    let lists =
        (0..60).map(|n| format!("  l{} = [local.l{n}, local.l{n}, local.l{n}]\n", n + 1)).collect::<String>();
    let loops = |inner: &str| {
        (0..8).fold(inner.to_owned(), |inner, n| format!("[for i{n} in range(1000) : {inner}]"))
    };
    // Loops over texts that are known, each of which is made of all of the one before.
    let texts = (0..7).rev().fold("file(x6)".to_owned(), |inner, n: usize| {
        let before = n.checked_sub(1).map_or(String::new(), |before| format!("${{x{before}}}"));
        let items: Vec<String> = (0..30).map(|item| format!("\"{before}{item}\"")).collect();
        format!("[for x{n} in [{}] : {inner}]", items.join(", "))
    });
    let bombs = [
        format!("  out = {texts}\n"),
        format!("{}  out = local.s60\n", doubled("s")),
        format!("  l0 = [1]\n{lists}  out = jsonencode(local.l60)\n"),
        format!("  out = {}\n", loops("1")),
        format!("  out = join(\",\", flatten({}))\n", loops("\"x\"")),
        "  out = format(\"%1000000000d\", 1)\n".to_owned(),
        "  out = range(0, 1000000000000)\n".to_owned(),
        "  out = setproduct(range(1000), range(1000), range(1000), range(1000))\n".to_owned(),
        "  out = replace(replace(replace(replace(\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\", \"x\", \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"), \"x\", \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"), \"x\", \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"), \"x\", \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\")\n".to_owned(),
        "  out = { for i in range(1000000) : \"k${i}\" => { for j in range(1000000) : \"k${j}\" => j } }\n".to_owned(),
        "  out = regexall(\"(a*)*(a*)*(a*)*b\", \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\")\n".to_owned(),
        "  out = indent(1000000000, \"a\\nb\")\n".to_owned(),
        "  out = chunklist(range(100000), 1)\n".to_owned(),
        "  out = cidrsubnets(\"10.0.0.0/8\", range(10000)...)\n".to_owned(),
        "  out = \"%{ for a in range(1000000) }%{ for b in range(1000000) }x%{ endfor }%{ endfor }\"\n".to_owned(),
        "  out = local.out\n".to_owned(),
    ];
    let mut import = Import::new();
    for (n, bomb) in bombs.iter().enumerate() {
        import.file(
            format!("live/tg{n}/terragrunt.hcl"),
            format!("locals {{\n{bomb}}}\ninputs = {{ a = local.out, b = file(local.out) }}\n"),
        );
        let globals = bomb.replace("local.", "global.").replace("range(", "tm_range(");
        import.file(
            format!("stacks/tm{n}/stack.tm.hcl"),
            format!("stack {{}}\nglobals {{\n{globals}}}\ngenerate_file \"f.txt\" {{\n  content = tm_jsonencode(global.out)\n}}\n"),
        );
        import.file(
            format!("live/tf{n}/main.tf"),
            format!("{BACKEND}locals {{\n{bomb}}}\nlocals {{\n  x = file(local.out)\n}}\n"),
        );
        import.changed(format!("live/tg{n}/new.txt"), "1").changed(format!("live/tf{n}/new.txt"), "1");
        import.changed(format!("stacks/tm{n}/more.tm.hcl"), "globals {\n  more = 1\n}\n");
    }
    let answer = import.ask();
    let units = answer.units();
    for (n, bomb) in bombs.iter().enumerate() {
        // A path of which nothing is known may be any file of the directory; a list or a map is none.
        let no_path = ["[", "{", "range(", "setproduct(", "regexall(", "chunklist("]
            .iter()
            .any(|of| bomb.starts_with(&format!("  out = {of}")));
        assert!(no_path || units.contains(&format!("live/tf{n}")), "live/tf{n} is not in {units:?}");
        assert!(units.contains(&format!("stacks/tm{n}")), "stacks/tm{n} is not in {units:?}");
    }
}

#[test]
fn a_string_of_megabytes_and_a_file_that_is_too_large() {
    let long = "x".repeat(4 << 20);
    let mut import = Import::new();
    import
        .file("live/a/main.tf", format!("{BACKEND}locals {{\n  a = \"{long}\"\n  b = file(\"f.txt\")\n}}\n"));
    import.file("live/b/main.tf", format!("{BACKEND}locals {{\n  a = <<-E\n    {long}\n  E\n}}\n"));
    import.file("live/c/terragrunt.hcl", format!("inputs = {{ a = \"{long}\", b = file(\"f.txt\") }}\n"));
    import.file("live/d/main.tf", format!("{BACKEND}# {}", long.repeat(17)));
    for unit in ["a", "c", "d"] {
        import.changed(format!("live/{unit}/f.txt"), "2");
    }
    import.changed("live/b/more.tf", "# 2\n");
    let answer = import.ask();
    // The last is beyond what is read: what it could read counts, if anybody says that it is a unit at all.
    let (units, impact) = (answer.units(), answer.impact());
    for unit in ["live/a", "live/b", "live/c"] {
        assert!(units.contains(&unit.to_owned()), "{unit} is not in {units:?}");
    }
    let modules: Vec<String> = impact.modules.iter().map(|module| module.path.to_string()).collect();
    assert!(modules.contains(&"live/d".to_owned()) || units.contains(&"live/d".to_owned()), "{modules:?}");
    assert!(impact.unparsable.iter().any(|file| file.path.to_string() == "live/d/main.tf"));
}

#[test]
fn patterns_that_match_in_exponential_time() {
    let stars = "*a".repeat(200) + "*b";
    let folders = "**/".repeat(60) + "x";
    let braces = "{a,b}".repeat(40);
    let deep = "{a,".repeat(60) + &"}".repeat(60);
    let mut import = Import::new();
    let mut text = BACKEND.to_owned();
    for (n, pattern) in [&stars, &folders, &braces, &deep].into_iter().enumerate() {
        text += &format!("locals {{\n  p{n} = fileset(path.module, \"{pattern}\")\n}}\n");
    }
    import.file("live/a/main.tf", &text);
    let path = "a/".repeat(100) + &"a".repeat(200);
    import.changed(format!("live/a/{path}"), "1").changed(format!("live/a/{}x", "y/".repeat(100)), "1");
    assert_eq!(import.ask().units(), ["live/a"]);
    for pattern in [&stars, &folders, &braces, &deep] {
        let mut import = Import::new();
        let rule = format!(
            "[[impact.rules]]\npaths = ['{pattern}']\ndo = 'ignore'\nreason = 'x'\n[catalog]\nlive = ['{pattern}']\n"
        );
        import.file("infraflow.toml", rule).file("live/a/main.tf", &text);
        import.changed(format!("live/a/{path}"), "1").changed(format!("live/a/{}x", "y/".repeat(100)), "1");
        let answer = import.ask();
        if answer.code == Some(0) {
            assert_eq!(answer.units(), ["live/a"], "{pattern}");
        } else {
            answer.refused("infraflow.toml");
        }
    }
}

#[test]
fn ten_thousand_overrides_of_one_call_and_of_one_key() {
    let mut import = Import::new();
    import.file("modules/m/main.tf", "# 1\n").file("live/a/main.tf", unit("../../modules/m"));
    let mut overrides = String::new();
    for n in 0..10_000 {
        overrides +=
            &format!("module \"m\" {{\n  source = \"../../modules/m\"\n  a{n} = file(\"f{n}.txt\")\n}}\n");
    }
    import.file("live/a/override.tf", overrides);
    let keys: String = (0..200_000).map(|n| format!("    k{n} = 1\n")).collect();
    import.file(
        "live/b/main.tf",
        format!("{BACKEND}locals {{\n  a = {{\n{keys}  }}\n  b = file(\"f.txt\")\n}}\n"),
    );
    import.changed("modules/m/main.tf", "# 2\n").changed("live/b/f.txt", "2");
    assert_eq!(import.ask().units(), ["live/a", "live/b"]);
}
