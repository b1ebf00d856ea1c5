//! The architecture, held by reading the source: which folder may use which, what stands where, and what
//! a `mod.rs` contains.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The folders of `src/`, from the ground up. A folder uses folders of the layers above its own in this
/// table, itself, and of its own layer only what [`SIDEWAYS`] lists.
const LAYERS: [&[&str]; 8] = [
    &["observe", "process", "proof", "store"],
    &["forge", "git", "policy", "redact", "seal", "yaml"],
    &["address", "kubernetes", "terraform"],
    &["catalog", "interface"],
    &["detect", "impact", "nature"],
    &["bump", "dry_run", "release", "sandbox", "select"],
    &["approve", "deploy", "publish"],
    &["conformance", "pipeline"],
];

/// The edges within a layer, from the folder that uses to the one that is used.
const SIDEWAYS: [(&str, &str); 9] = [
    ("process", "observe"),
    ("store", "proof"),
    ("policy", "git"),
    ("forge", "git"),
    ("impact", "detect"),
    ("nature", "impact"),
    ("deploy", "approve"),
    ("sandbox", "select"),
    ("bump", "release"),
];

/// Names that say nothing, and collect everything.
const DRAWERS: [&str; 6] = ["utils", "util", "common", "helpers", "types", "misc"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn layer(folder: &str) -> Option<usize> {
    LAYERS.iter().position(|folders| folders.contains(&folder))
}

fn allowed(from: &str, to: &str) -> bool {
    from == to || layer(to) < layer(from) || SIDEWAYS.contains(&(from, to))
}

/// Every Rust file below `folder`, sorted.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The text without comments and string literals, which may name what the code does not use. Bytes that
/// are left out become spaces, line breaks stay.
fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = if rest.starts_with(b"//") {
            rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            block_comment(rest)
        } else if let Some(length) = raw_string(rest, at.checked_sub(1).map(|before| bytes[before])) {
            length
        } else if rest[0] == b'"' {
            quoted(rest)
        } else if rest.starts_with(b"'\"'") || rest.starts_with(b"'\\\"'") {
            rest.iter().skip(1).position(|&b| b == b'\'').map_or(1, |close| close + 2)
        } else {
            code.push(rest[0]);
            at += 1;
            continue;
        };
        code.extend(rest[..end].iter().map(|&b| if b == b'\n' { b'\n' } else { b' ' }));
        at += end;
    }
    String::from_utf8(code).unwrap()
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

/// The length of `r"…"`, `br#"…"#` and their like, where one begins here.
fn raw_string(rest: &[u8], before: Option<u8>) -> Option<usize> {
    if before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return None;
    }
    let prefix = 1 + usize::from(rest.starts_with(b"br"));
    let raw = rest.strip_prefix(b"br").or_else(|| rest.strip_prefix(b"r"))?;
    let hashes = raw.iter().take_while(|&&b| b == b'#').count();
    (raw.get(hashes) == Some(&b'"')).then_some(())?;
    let close = format!("\"{}", "#".repeat(hashes));
    let body = &raw[hashes + 1..];
    let end = body.windows(close.len()).position(|window| window == close.as_bytes()).unwrap_or(body.len());
    Some((prefix + hashes + 1 + end + close.len()).min(rest.len()))
}

fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != b'"' {
        at += 1 + usize::from(rest[at] == b'\\');
    }
    (at + 1).min(rest.len())
}

/// The folders that code names after `crate::`, braces followed, each with its line.
fn uses(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let line = 1 + code[..at].matches('\n').count();
        found.extend(first_names(code[at + "crate::".len()..].trim_start()).into_iter().map(|n| (line, n)));
    }
    found
}

/// The first name of each path in `a::b`, or in `{a::b, c::{d, e}}`.
fn first_names(path: &str) -> Vec<String> {
    let Some(list) = path.strip_prefix('{') else {
        return name(path).into_iter().collect();
    };
    let (mut names, mut depth, mut first) = (Vec::new(), 1, true);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' => {}
            _ => {
                if depth == 1 && first && !c.is_whitespace() {
                    names.extend(name(&list[at..]));
                    first = false;
                }
                continue;
            }
        }
        first = c == ',' && depth == 1;
        if depth == 0 {
            break;
        }
    }
    names
}

fn name(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

#[test]
fn a_folder_uses_only_folders_of_layers_above_its_own() {
    let mut wrong = Vec::new();
    for file in rust_files(&source()) {
        let relative = file.strip_prefix(source()).unwrap();
        let Some(folder) = relative.parent().and_then(|p| p.iter().next()).and_then(|f| f.to_str()) else {
            continue; // lib.rs
        };
        let code = code_only(&fs::read_to_string(&file).unwrap());
        for (line, used) in uses(&code) {
            if layer(&used).is_none() {
                wrong.push(format!("{}:{line}: crate::{used} is no folder of the table", relative.display()));
            } else if !allowed(folder, &used) {
                wrong.push(format!("{}:{line}: {folder} may not use {used}", relative.display()));
            }
        }
        // `super::super::git` is `crate::git` by another name.
        for folder in LAYERS.iter().copied().flatten() {
            if code.contains(&format!("super::super::{folder}"))
                && !source().join(relative.iter().next().unwrap()).join(folder).exists()
            {
                wrong.push(format!(
                    "{}: write crate::{folder}, not super::super::{folder}",
                    relative.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "the layers do not hold:\n{}", wrong.join("\n"));
}

#[test]
fn every_folder_stands_in_the_table_and_every_file_in_a_folder() {
    let mut wrong = Vec::new();
    let mut folders = BTreeSet::new();
    for entry in fs::read_dir(source()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            if !path.join("mod.rs").is_file() {
                wrong.push(format!("{name}/ has no mod.rs"));
            }
            folders.insert(name);
        } else if name != "lib.rs" {
            wrong.push(format!("{name} belongs into the folder of its concern"));
        }
    }
    let table: BTreeSet<String> = LAYERS.iter().copied().flatten().map(|&f| f.to_owned()).collect();
    wrong.extend(folders.difference(&table).map(|f| format!("{f}/ is not in the table of layers")));
    wrong.extend(table.difference(&folders).map(|f| format!("{f}/ is in the table and not in src/")));
    for file in rust_files(&source()) {
        let relative = file.strip_prefix(source()).unwrap();
        if relative.iter().any(|part| DRAWERS.contains(&part.to_str().unwrap().trim_end_matches(".rs"))) {
            wrong.push(format!("{} is a drawer; name the file after what it does", relative.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lib_rs_names_the_folders_layer_by_layer() {
    let lib = fs::read_to_string(source().join("lib.rs")).unwrap();
    let declared: Vec<usize> = code_only(&lib)
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned))
        .map(|folder| layer(&folder).unwrap_or_else(|| panic!("lib.rs: {folder} is in no layer")))
        .collect();
    assert!(declared.is_sorted(), "lib.rs: the modules stand out of the order of layers");
}

#[test]
fn a_mod_rs_is_documentation_and_re_exports() {
    let mut wrong = Vec::new();
    for file in rust_files(&source()).iter().filter(|file| file.ends_with("mod.rs")) {
        let code = code_only(&fs::read_to_string(file).unwrap());
        let mut in_use = false;
        for line in code.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words = line.strip_prefix("pub").map_or(line, |rest| {
                rest.strip_prefix("(crate)")
                    .or_else(|| rest.strip_prefix("(super)"))
                    .unwrap_or(rest)
                    .trim_start()
            });
            let starts_use = words.starts_with("use ");
            let plain = in_use
                || starts_use
                || line.starts_with("#[")
                || line.starts_with("#![")
                || (words.starts_with("mod ") && words.ends_with(';'));
            if !plain {
                let relative = file.strip_prefix(source()).unwrap();
                wrong.push(format!("{}: {line}", relative.display()));
            }
            in_use = (in_use || starts_use) && !line.ends_with(';');
        }
    }
    assert!(wrong.is_empty(), "code belongs into a file that is named after it:\n{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_use_lines_sees_what_the_compiler_sees() {
    let code = code_only(
        r##"
        //! [`crate::deploy`] in a comment
        use crate::{
            git::{Repository, crate_name},
            proof, store as kept,
        };
        /* crate::a /* crate::b */ crate::c */
        const TEXT: &str = "crate::d \" crate::e";
        const RAW: &str = r#"crate::f " crate::g"#;
        fn f(quote: char) -> crate::seal::Sealed { if quote == '"' { $crate::x() } else { crate::observe::y() } }
        "##,
    );
    let names: Vec<String> = uses(&code).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["git", "proof", "store", "seal", "observe"]);
}

#[test]
fn the_table_refuses_what_it_should() {
    assert!(allowed("git", "proof") && allowed("pipeline", "git") && allowed("impact", "detect"));
    for (from, to) in [("proof", "git"), ("git", "seal"), ("detect", "impact"), ("approve", "deploy")] {
        assert!(!allowed(from, to), "{from} must not use {to}");
    }
}
