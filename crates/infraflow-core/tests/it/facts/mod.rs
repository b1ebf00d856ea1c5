//! Tests of HCL facts: what a single file says, and where.

mod generate;
mod hostile;
mod sliced;

use infraflow_core::{
    proof::RepoPath,
    terraform::facts::{
        Base, FactsError, FileFacts, FileKind, Repetition, ResourceMode, StaticValue, TerraformFile,
    },
};

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

fn facts(text: &str) -> FileFacts {
    TerraformFile::parse(&path("m/main.tf"), text.as_bytes()).unwrap()
}

fn reads(text: &str) -> Vec<(Option<String>, StaticValue)> {
    facts(text).reads.into_iter().map(|read| (read.function, read.path)).collect()
}

fn literal(text: &str) -> StaticValue {
    StaticValue::Literal(text.into())
}

fn below(base: Base, rest: &str) -> StaticValue {
    StaticValue::Concat(vec![StaticValue::Base(base), literal(rest)])
}

#[test]
fn the_kind_of_a_file_is_told_by_its_name() {
    let configuration =
        |overrides, opentofu, json| Some(FileKind::Configuration { overrides, opentofu, json });
    for (name, kind) in [
        ("main.tf", configuration(false, false, false)),
        ("main.tf.json", configuration(false, false, true)),
        ("main.tofu", configuration(false, true, false)),
        ("main.tofu.json", configuration(false, true, true)),
        ("override.tf", configuration(true, false, false)),
        ("x_override.tf.json", configuration(true, false, true)),
        ("terraform.tfvars", Some(FileKind::Variables { automatic: true, json: false })),
        ("a.auto.tfvars.json", Some(FileKind::Variables { automatic: true, json: true })),
        ("prod.tfvars", Some(FileKind::Variables { automatic: false, json: false })),
        ("a.tftest.hcl", Some(FileKind::Test { json: false })),
        ("a.tfmock.json", Some(FileKind::Mock { json: true })),
        (".terraform.lock.hcl", Some(FileKind::Lock)),
        (".hidden.tf", None),
        ("main.tf~", None),
        ("#main.tf#", None),
        ("README.md", None),
        ("main.tf.bak", None),
    ] {
        assert_eq!(FileKind::of(name.as_bytes()), kind, "{name}");
    }
}

#[test]
fn a_source_is_found_with_the_bytes_between_its_quotes_whatever_stands_before_it() {
    for start in ["", "\u{feff}", "# é ü\r\n", "\u{feff}/* é */\r\n\r\n"] {
        let text = format!(
            "{start}module \"a\" {{\r\n  source  = \"./é/x\" # why\r\n  version = \"~> 1.0\"\r\n}}\r\n"
        );
        let facts = facts(&text);
        let call = &facts.calls[0];
        let (source, version) = (call.source.as_ref().unwrap(), call.version.as_ref().unwrap());
        assert_eq!(&text[source.place.range()], "./é/x");
        assert_eq!(&text[version.place.range()], "~> 1.0");
        assert_eq!(&text[call.place.range()], "module \"a\"");
        assert_eq!(&text[call.body_end.unwrap()..][..1], "}");
        assert!(source.verbatim && source.place.column == 14, "{start:?} {source:?}");
        assert_eq!(source.place.line, 2 + start.matches('\n').count());
    }
}

#[test]
fn json_is_read_with_its_places_and_comments_are_left_out() {
    let text = r#"{"//": "why", "module": [{"a": {"source": "./x", "version": "1", "//": 1, "in": "${path.module}/f"}}, {"b": [{"source": "./\u0079"}]}],
      "terraform": {"backend": {"s3": {"bucket": "b"}}, "required_version": ">= 1.5", "required_providers": {"aws": {"source": "hashicorp/aws", "version": "~> 5", "configuration_aliases": ["aws.peer"]}}},
      "variable": {"v": {"type": "list(string)", "default": ["./d"], "nullable": false}},
      "resource": {"local_file": {"f": {"content": "${file(\"${path.module}/f.txt\")}"}}}}"#;
    let facts = TerraformFile::parse(&path("m/main.tf.json"), text.as_bytes()).unwrap();
    let names: Vec<_> = facts.calls.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let (a, b) = (facts.calls[0].source.as_ref().unwrap(), facts.calls[1].source.as_ref().unwrap());
    assert_eq!((&text[a.place.range()], a.verbatim), ("./x", true));
    assert_eq!((b.value.as_str(), &text[b.place.range()], b.verbatim), ("./y", r"./\u0079", false));
    assert_eq!(facts.backends[0].kind, "s3");
    assert_eq!(facts.required_providers[0].configuration_aliases, ["aws.peer"]);
    assert_eq!(facts.variables[0].type_text.as_ref().unwrap().value, "list(string)");
    assert_eq!(facts.variables[0].default.as_ref().unwrap().value, r#"["./d"]"#);
    let reads: Vec<_> = facts.reads.iter().map(|read| (read.function.as_deref(), &read.path)).collect();
    assert!(reads.contains(&(Some("file"), &below(Base::Module, "/f.txt"))), "{reads:?}");
    assert!(reads.contains(&(None, &below(Base::Module, "/f"))), "{reads:?}");
}

#[test]
fn variables_outputs_and_requirements_are_read() {
    let facts = facts(
        r#"
        variable "a" {
          type      = object({ x = optional(string, "y") })
          default   = { x = "z" }
          nullable  = false
          sensitive = true
          validation {
            condition     = length(var.a.x) > 1
            error_message = "no"
          }
        }
        variable b {}
        output "o" {
          value     = var.a
          sensitive = true
        }
        terraform {
          required_version = ">= 1.5"
          required_providers {
            aws  = { source = "hashicorp/aws", version = "~> 5.0", configuration_aliases = [aws.peer] }
            null = "~> 3"
          }
          cloud {}
        }
        provider "aws" { alias = "peer" }
        resource "aws_vpc" "this" { count = 2 }
        data "aws_ami" "x" { for_each = {} }
        ephemeral "e" "x" {}
        moved {
          from = aws_vpc.old
          to   = aws_vpc.this[0]
        }
        import {
          to = aws_vpc.this[1]
          id = "vpc-1"
        }
        removed {
          from = aws_vpc.gone
          lifecycle { destroy = false }
        }
        "#,
    );
    let a = &facts.variables[0];
    assert_eq!(a.type_text.as_ref().unwrap().value, r#"object({ x = optional(string, "y") })"#);
    assert_eq!(a.default.as_ref().unwrap().value, r#"{ x = "z" }"#);
    assert_eq!((a.nullable, a.sensitive, a.ephemeral), (Some(false), Some(true), None));
    assert_eq!(a.validations[0].value, "length(var.a.x) > 1");
    assert_eq!((facts.variables[1].name.as_str(), facts.variables[1].default.is_none()), ("b", true));
    assert_eq!(facts.outputs[0].value.as_ref().unwrap().value, "var.a");
    assert_eq!(facts.required_version[0].value, ">= 1.5");
    assert_eq!(facts.required_providers[0].configuration_aliases, ["aws.peer"]);
    assert_eq!(facts.required_providers[1].version.as_ref().unwrap().value, "~> 3");
    assert_eq!(facts.backends[0].kind, "cloud");
    assert_eq!(facts.providers[0].alias.as_deref(), Some("peer"));
    let resources: Vec<_> =
        facts.resources.iter().map(|resource| (resource.mode, resource.repetition)).collect();
    assert_eq!(
        resources,
        [
            (ResourceMode::Managed, Repetition::Count),
            (ResourceMode::Data, Repetition::ForEach),
            (ResourceMode::Ephemeral, Repetition::Single)
        ]
    );
    assert_eq!(
        (facts.moved[0].from.as_str(), facts.moved[0].to.as_str()),
        ("aws_vpc.old", "aws_vpc.this[0]")
    );
    assert_eq!((facts.imports[0].to.as_str(), facts.removed[0].destroys), ("aws_vpc.this[1]", Some(false)));
}

#[test]
fn file_functions_are_read_with_what_is_known_of_their_path() {
    assert_eq!(
        reads(r#"locals { a = file("${path.module}/a.json") }"#),
        [(Some("file".into()), below(Base::Module, "/a.json"))]
    );
    assert_eq!(
        reads(r#"output "o" { value = core::templatefile("x.tpl", { b = filemd5("${path.root}/b") }) }"#),
        [(Some("templatefile".into()), literal("x.tpl")), (Some("filemd5".into()), below(Base::Root, "/b"))]
    );
    // Inside templates, conditionals, loops, splats and heredocs.
    let nested = "locals {\n  a = \"${[for k, v in { x = file(\"1\") } : \"%{if true}${file(\"2\")}%{endif}\"]...}\"\n  b = <<-E\n    ${file(\"3\")}\n  E\n  c = x[file(\"4\")].y[*]\n  d = true ? file(\"5\") : -length(file(\"6\"))\n}";
    let nested = nested.replace("]...}", "]}");
    let mut found: Vec<_> = reads(&nested).into_iter().map(|(_, path)| path).collect();
    found.sort();
    assert_eq!(found, ["1", "2", "3", "4", "5", "6"].map(literal));
    // A function of a provider is none of Terraform's.
    assert_eq!(reads(r#"output "o" { value = provider::x::file("a") }"#), []);
}

#[test]
fn a_path_goes_through_locals_loops_formats_and_conditionals() {
    let one = |text: &str| reads(&format!("locals {{ a = {text} }}")).pop().unwrap().1;
    assert_eq!(one(r#"file(local.files["a"])"#), StaticValue::Local("files".into(), vec![step("a")]));
    assert_eq!(
        one(r#"file(format("%s/x-%02d.json", path.module, 1))"#),
        StaticValue::Concat(vec![StaticValue::Base(Base::Module), literal("/x-01.json")])
    );
    assert_eq!(one(r#"file(format("%s/x-%x.json", path.module, 1))"#).to_owned(), {
        StaticValue::Concat(vec![
            StaticValue::Base(Base::Module),
            literal("/x-"),
            StaticValue::Unknown,
            literal(".json"),
        ])
    });
    assert_eq!(
        one(r#"file(var.x ? "a" : "${path.module}/b")"#),
        StaticValue::OneOf(vec![literal("a"), below(Base::Module, "/b")])
    );
    assert_eq!(
        one(r#"[for f in ["a", "b"] : file("${f}.json")]"#),
        StaticValue::Concat(vec![StaticValue::OneOf(vec![literal("a"), literal("b")]), literal(".json")])
    );
    let set = StaticValue::FileSet(Box::new(StaticValue::Base(Base::Module)), Box::new(literal("f/*.json")));
    let last = reads(
        r#"locals { a = { for f in fileset(path.module, "f/*.json") : f => filemd5("${path.module}/${f}") } }"#,
    );
    assert_eq!(
        last,
        [
            (
                Some("fileset".into()),
                StaticValue::Concat(vec![StaticValue::Base(Base::Module), literal("/"), set.clone()])
            ),
            (
                Some("filemd5".into()),
                StaticValue::Concat(vec![StaticValue::Base(Base::Module), literal("/"), set])
            )
        ]
    );
    let each = reads(
        "resource \"a\" \"b\" {\n  for_each = toset([\"x\", \"y\"])\n  content = file(\"${each.key}.txt\")\n}",
    );
    assert_eq!(
        each[0].1,
        StaticValue::Concat(vec![StaticValue::OneOf(vec![literal("x"), literal("y")]), literal(".txt")])
    );
}

fn step(name: &str) -> infraflow_core::terraform::facts::Step {
    infraflow_core::terraform::facts::Step::Member(name.into())
}

#[test]
fn a_path_that_an_argument_names_counts_and_one_in_a_local_does_not() {
    let named = |text: &str| -> Vec<StaticValue> { reads(text).into_iter().map(|(_, path)| path).collect() };
    assert_eq!(
        named("data \"external\" \"x\" {\n  program = [\"bash\", \"${path.module}/x.sh\"]\n}"),
        [below(Base::Module, "/x.sh")]
    );
    assert_eq!(
        named(
            "resource \"r\" \"x\" {\n  provisioner \"local-exec\" {\n    command = \"bash ${path.module}/run.sh -f ./y.json; echo ${path.module}\"\n  }\n}"
        ),
        [below(Base::Module, "/run.sh"), literal("./y.json")]
    );
    assert_eq!(
        named("data \"archive_file\" \"x\" {\n  source_dir = path.module\n  name = path.module\n}"),
        [StaticValue::Base(Base::Module)]
    );
    assert!(named("locals {\n  templates = \"${path.module}/templates\"\n}").is_empty());
    assert!(named("module \"x\" {\n  source = \"./x\"\n}").is_empty());
    assert!(named("resource \"r\" \"x\" {\n  name = \"${local.prefix}-x\"\n  id = \"a/b\"\n}").is_empty());
}

#[test]
fn blocks_with_a_wrong_number_of_labels_do_not_hide_the_good_one() {
    let facts = facts(
        "module {\n  source = \"../bad\"\n}\nmodule \"a\" \"b\" {\n  source = \"../bad\"\n}\nmodule \"c\" {\n  source = [\"x\"]\n}\nmodule d {\n  source = \"../good\"\n}\n",
    );
    let calls: Vec<_> =
        facts.calls.iter().map(|call| call.source.as_ref().map(|source| source.value.as_str())).collect();
    assert_eq!(calls, [None, Some("../good")]);
}

#[test]
fn a_broken_file_is_an_error_with_its_place_and_what_stands_beside_the_fault_is_salvaged() {
    let text = "module \"good\" {\n  source = \"./good\"\n}\n\nvariable foo\n{\n}\n\nmodule \"bad\" {\n  source = \"../bad\"\n  x = [\n}\n\nlocals {\n  a = file(\"a.json\")\n";
    let broken = TerraformFile::parse(&path("m/main.tf"), text.as_bytes()).unwrap_err();
    assert!(matches!(broken, FactsError::Syntax { line: 5, .. }), "{broken}");
    assert!(broken.to_string().starts_with("cannot read m/main.tf: line 5, column"), "{broken}");
    let facts = TerraformFile::salvage(&path("m/main.tf"), text.as_bytes());
    let sources: Vec<_> = facts.calls.iter().map(|call| call.source.as_ref().unwrap()).collect();
    assert_eq!(sources.iter().map(|source| source.value.as_str()).collect::<Vec<_>>(), ["./good", "../bad"]);
    for source in sources {
        assert_eq!(text[source.place.range()], source.value);
        assert_eq!(source.place.line, 1 + text[..source.place.start].matches('\n').count());
    }
    assert!(facts.reads.iter().any(|read| read.path == literal("a.json")));
}

#[test]
fn bytes_that_are_no_utf_8_are_told_and_salvaged() {
    let bytes = b"# \xff\xfe\nmodule \"a\" {\n  source = \"./a\"\n}\n";
    let error = TerraformFile::parse(&path("main.tf"), bytes).unwrap_err();
    assert!(matches!(error, FactsError::NotUtf8 { offset: 2, .. }), "{error}");
    let facts = TerraformFile::salvage(&path("main.tf"), bytes);
    assert_eq!(&bytes[facts.calls[0].source.as_ref().unwrap().place.range()], b"./a");
}

#[test]
fn hostile_nesting_ends_soon_and_without_a_crash() {
    let n = 100_000;
    let shapes: [String; 14] = [
        format!("a = {}b{}", "(".repeat(n), ")".repeat(n)),
        format!("a = {}b", "!".repeat(n)),
        format!("a = {}b", "c ? d : ".repeat(n)),
        format!("a = {}b", "c + ".repeat(n)),
        format!("a = b{}", "[0]".repeat(n)),
        format!("a = {}b{}", "\"${".repeat(n), "}\"".repeat(n)),
        format!("a = \"{}b{}\"", "%{if a}".repeat(n), "%{endif}".repeat(n)),
        format!("{}{}", "a {\n".repeat(n), "}\n".repeat(n)),
        format!("a = {}", "[".repeat(n)),
        "/* ".repeat(n),
        format!("a = {{\n{}}}\n", (0..n).map(|i| format!("k{i} = 1\n")).collect::<String>()),
        format!("a = {{{}}}\n", (0..n).map(|i| format!("k{i} = 1,")).collect::<String>()),
        format!("a = \"{}", "${x".repeat(n)),
        "\"".repeat(n),
    ];
    for shape in shapes {
        let start = std::time::Instant::now();
        for name in ["main.tf", "main.tf.json", "a.tfvars", "a.tftest.hcl"] {
            if TerraformFile::parse(&path(name), shape.as_bytes()).is_err() {
                TerraformFile::salvage(&path(name), shape.as_bytes());
            }
        }
        assert!(
            start.elapsed().as_secs() < 30,
            "{} took {:?}",
            &shape[..20.min(shape.len())],
            start.elapsed()
        );
    }
    let large = vec![b' '; 9 << 20];
    assert!(matches!(TerraformFile::parse(&path("main.tf"), &large), Err(FactsError::TooLarge { .. })));
}

proptest::proptest! {
    #[test]
    fn nothing_panics_and_every_place_lies_in_the_file(text in "(module|locals|variable|data|[a-z\"{}()\\[\\]=$%.:,/#<\n\r\\\\ é]){0,60}") {
        for name in ["m/main.tf", "m/main.tf.json", "m/a.tfvars", "m/a.tftest.hcl"] {
            let facts = TerraformFile::parse(&path(name), text.as_bytes())
                .unwrap_or_else(|_| TerraformFile::salvage(&path(name), text.as_bytes()));
            for place in facts.calls.iter().map(|call| call.place).chain(facts.reads.iter().map(|read| read.place)) {
                proptest::prop_assert!(place.start <= place.end && place.end <= text.len());
            }
        }
    }
}
