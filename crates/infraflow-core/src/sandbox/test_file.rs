use hcl_edit::{Span, expr::Expression, structure::Body};

use crate::proof::{Link, Reason, RepoPath};

use super::SandboxError;

/// Why `terraform test` may not run this file: its first `run` that applies. `None` where all of them only
/// plan. A run without a `command` applies.
pub(super) fn applying_run(path: &RepoPath, text: &[u8]) -> Result<Option<Reason>, SandboxError> {
    let found = if path.file_name().ends_with(b".json") { in_json(path, text)? } else { in_hcl(path, text)? };
    Ok(found.map(|(name, link)| {
        let text = format!(
            "its run \"{name}\" would deploy through terraform test, which leaves things behind when it is killed; \
             write it as an example with an expect.toml, or set command = plan"
        );
        Reason::new("test_file_applies", text).with_chain(vec![link])
    }))
}

fn in_hcl(path: &RepoPath, bytes: &[u8]) -> Result<Option<(String, Link)>, SandboxError> {
    let bad = |why: String| SandboxError::TestFile { path: path.clone(), why };
    let text = std::str::from_utf8(bytes).map_err(|error| bad(error.to_string()))?;
    // hcl-edit refuses a byte-order mark; spans are moved back behind it.
    let (text, moved) = text.strip_prefix('\u{feff}').map_or((text, 0), |rest| (rest, 3));
    let body: Body = hcl_edit::parser::parse_body(text).map_err(|error| {
        let at = error.location();
        bad(format!("line {}, column {}: {}", at.line(), at.column(), error.message()))
    })?;
    for block in body.get_blocks("run") {
        let plans = block.body.get_attribute("command").is_some_and(
            |command| matches!(&command.value, Expression::Variable(word) if word.as_str() == "plan"),
        );
        if !plans {
            let name = block.labels.first().map(|label| label.as_str().to_owned()).unwrap_or_default();
            let span = block.span().unwrap_or_default();
            let link =
                Link::at(path.clone(), bytes, span.start + moved..span.end + moved, format!("run.{name}"));
            return Ok(Some((name, link)));
        }
    }
    Ok(None)
}

fn in_json(path: &RepoPath, bytes: &[u8]) -> Result<Option<(String, Link)>, SandboxError> {
    let file: serde_json::Value = serde_json::from_slice(bytes)
        .map_err(|error| SandboxError::TestFile { path: path.clone(), why: error.to_string() })?;
    // JSON syntax lets a block stand in a list wherever an object may (Terraform's "JSON configuration syntax").
    let bodies = |value: &serde_json::Value| match value {
        serde_json::Value::Array(items) => items.clone(),
        value => vec![value.clone()],
    };
    for runs in file.get("run").map(bodies).unwrap_or_default() {
        for (name, value) in runs.as_object().into_iter().flatten() {
            let plans =
                bodies(value).iter().all(|run| run.get("command").and_then(|c| c.as_str()) == Some("plan"));
            if !plans {
                return Ok(Some((name.clone(), Link::whole(path.clone(), format!("run.{name}")))));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applies(name: &str, text: &str) -> Option<Reason> {
        applying_run(&RepoPath::parse(name).unwrap(), text.as_bytes()).unwrap()
    }

    #[test]
    fn a_run_without_a_command_applies() {
        assert!(applies("a.tftest.hcl", "run \"a\" {\n  command = plan\n}\n").is_none());
        assert!(applies("a.tftest.hcl", "variables {\n  a = 1\n}\n").is_none());
        let reason =
            applies("a.tftest.hcl", "\u{feff}run \"a\" {\n  command = plan\n}\nrun \"b\" {\n}\n").unwrap();
        assert!(reason.text.contains("\"b\""));
        assert_eq!((reason.chain[0].line, reason.chain[0].column), (4, 1));
        assert!(applies("a.tftest.hcl", "run \"a\" {\n  command = apply\n}\n").is_some());
        assert!(applies("a.tftest.hcl", "run \"a\" {\n  command = \"plan\"\n}\n").is_some());
    }

    #[test]
    fn json_files_are_read_by_the_same_rule() {
        assert!(applies("a.tftest.json", r#"{"run": {"a": {"command": "plan"}}}"#).is_none());
        assert!(applies("a.tftest.json", r#"{"run": [{"a": [{"command": "plan"}]}, {"b": {}}]}"#).is_some());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_with_its_line() {
        let path = RepoPath::parse("a.tftest.hcl").unwrap();
        let error = applying_run(&path, b"run \"a\" {\n").unwrap_err();
        assert!(error.to_string().contains("line "), "{error}");
        assert!(applying_run(&path, b"\xff").is_err());
    }
}
