//! Files of configuration, made up from a seed: most of them parse, and they use whatever facts look at.

/// A small generator of numbers (xorshift), so that a seed gives the same file for ever.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit.max(1)
    }

    pub(crate) fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn often(&mut self) -> bool {
        self.below(3) > 0
    }
}

const ATTRIBUTES: [&str; 23] = [
    "source",
    "version",
    "name",
    "source_dir",
    "content",
    "for_each",
    "count",
    "command",
    "filename",
    "default",
    "type",
    "x",
    "path",
    "template",
    "key",
    "lifecycle",
    "iterator",
    "tags",
    "program",
    "value",
    "profile",
    "create_cmd",
    "dir",
];

const NAMES: [&str; 18] = [
    "local.files",
    "local.a.b",
    "path.module",
    "path.root",
    "path.cwd",
    "each.value",
    "each.key",
    "var.x",
    "var.x.path",
    "rule.value",
    "item",
    "module.m.out",
    "each.value.file",
    "true",
    "null",
    "12",
    "f",
    "local . dir",
];

const TEXTS: [&str; 24] = [
    "./a.json",
    "../b",
    "a",
    "a.json",
    "x ./y z",
    "${path.module}/c.json",
    "${path.module}",
    "${local.dir}/d",
    "${local.dir}-x",
    "${each.value}/e",
    "${each.key}",
    "\\u002e/f",
    "$${path.module}/g",
    "%{if true}./h%{endif}",
    "${file(\"i\")}",
    "${path.root}/${var.x}/j",
    "é/k",
    "#",
    "//",
    "/* */ {",
    "${rule.value}/l",
    "${\"}\"}m",
    "%%{n",
    "${~path.module~}/o",
];

const FUNCTIONS: [&str; 16] = [
    "file",
    "templatefile",
    "fileset",
    "filemd5",
    "core::file",
    "provider::x::file",
    "format",
    "try",
    "merge",
    "concat",
    "join",
    "lookup",
    "jsonencode",
    "toset",
    "fileexists",
    "basename",
];

/// A file.
pub(crate) fn file(chance: &mut Chance) -> String {
    let mut text = chance.one(&["", "", "", "\u{feff}", "# head\n", "/* é\n */ "]).to_owned();
    for _ in 0..chance.below(6) {
        let header = chance.one(&[
            "module \"a\"",
            "module b",
            "module \"a\" \"b\"",
            "resource \"r\" \"x\"",
            "data \"d\" \"x\"",
            "locals",
            "variable \"v\"",
            "output \"o\"",
            "provider \"p\"",
            "terraform",
            "check \"c\"",
            "moved",
            "import",
            "removed",
            "ephemeral \"e\" \"x\"",
            "unknown",
            "module/* c */\"c\"",
        ]);
        text.push_str(header);
        text.push_str(chance.one(&[" ", "", "/* { */ ", "\t"]));
        block(chance, &mut text, 0, header == "terraform");
        end(chance, &mut text);
    }
    if chance.below(8) == 0 {
        text = text.replace('\n', "\r\n");
    }
    if chance.below(4) == 0 {
        text.truncate(text.trim_end().len());
    }
    text
}

fn end(chance: &mut Chance, text: &mut String) {
    text.push_str(chance.one(&["\n", "\n", "\n", " # c \"\n", " // {\n", " /* } */\n", "\n\n"]));
}

fn block(chance: &mut Chance, text: &mut String, depth: usize, settings: bool) {
    if chance.below(5) == 0 {
        let at = chance.below(ATTRIBUTES.len());
        let inner = if chance.often() {
            format!(" {} = {} ", ATTRIBUTES[at], expression(chance, 2))
        } else {
            String::new()
        };
        if !inner.contains("<<") {
            text.push_str(&format!("{{{inner}}}"));
            return;
        }
    }
    text.push('{');
    end(chance, text);
    let mut used = Vec::new();
    for _ in 0..chance.below(5) {
        let name = chance.one(&ATTRIBUTES);
        if used.contains(&name) {
            continue;
        }
        used.push(name);
        let value = if name == "iterator" { "item".to_owned() } else { expression(chance, 0) };
        text.push_str(&format!("  {name}{}= {value}", chance.one(&[" ", "", "  ", " /* = */ "])));
        end(chance, text);
    }
    for _ in 0..if depth < 3 { chance.below(3) } else { 0 } {
        let header = if settings {
            chance.one(&["backend \"s3\"", "cloud", "required_providers", "backend"])
        } else {
            chance.one(&[
                "dynamic \"rule\"",
                "content",
                "lifecycle_commands",
                "provisioner \"local-exec\"",
                "lifecycle",
                "rule",
            ])
        };
        text.push_str(&format!("  {header} "));
        block(chance, text, depth + 1, false);
        end(chance, text);
    }
    text.push_str(chance.one(&["}", "  }", "# }\n}"]));
}

/// An expression.
pub(crate) fn expression(chance: &mut Chance, depth: usize) -> String {
    let inner = |chance: &mut Chance| expression(chance, depth + 1);
    match chance.below(if depth > 3 { 3 } else { 17 }) {
        0 | 4 => chance.one(&NAMES).to_owned(),
        1 | 2 | 5 => format!("\"{}\"", chance.one(&TEXTS)),
        3 if depth > 3 => "1".to_owned(),
        3 | 6 | 7 => {
            let (function, space) = (chance.one(&FUNCTIONS), chance.one(&["", "", " "]));
            let second = if chance.often() { String::new() } else { format!(", {}", inner(chance)) };
            format!("{function}{space}({}{second}{})", inner(chance), chance.one(&["", "\n", " # )\n"]))
        }
        8 => format!("[{}, {}]", inner(chance), inner(chance)),
        9 => format!("{{\n  a = {}\n  \"b\" = {} # }}\n}}", inner(chance), inner(chance)),
        10 => {
            format!("{{ (path.module) = {}, {} : 1 }}", inner(chance), chance.one(&["c", "\"d\"", "local.e"]))
        }
        11 => format!("[for item in {} : {} if true]", inner(chance), inner(chance)),
        12 => format!("{{ for k, f in {} : k => {} }}", inner(chance), inner(chance)),
        13 => format!("{} ? {} : {}", chance.one(&NAMES), inner(chance), inner(chance)),
        14 => {
            let index = chance.one(&["[0]", "[\"a\"]", ".b[*].c", "[each.key]", ".*.d", ".0"]);
            let root = chance.one(&[
                "local.x",
                "each.value",
                "path",
                "(local.x)",
                "[\"a\", local.b]",
                "var.y",
                "try(local.z)",
            ]);
            format!("{root}{index}")
        }
        15 => {
            let word = chance.one(&["EOT", "E-1"]);
            let text = chance.one(&TEXTS);
            let middle = chance.one(&["", "  }\n", "\"\n", "${[for x in y : \"}\"][0]}\n", "  EOTs\n"]);
            let heredoc = format!(
                "<<{}{word}\n {text}\n{middle}{}{word}",
                chance.one(&["", "-"]),
                chance.one(&["", "  "])
            );
            if depth == 0 { heredoc } else { format!("({heredoc}\n)") }
        }
        _ => format!(
            "{}({} {} {})",
            chance.one(&["", "!", "-"]),
            inner(chance),
            chance.one(&["+", "==", "&&", "-"]),
            inner(chance)
        ),
    }
}
