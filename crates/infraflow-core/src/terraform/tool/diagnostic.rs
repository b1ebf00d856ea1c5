use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An error that the tool reported: its summary and its place, without the detail, which quotes values (a
/// failed validation prints a sensitive variable in clear, Terraform 1.11.4). The detail stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnostic {
    /// The first line, for example `Invalid value for variable`.
    pub summary: String,
    /// The file, relative to the root module's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The address of the resource or module it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// How much of a summary is kept; some providers put whole answers of a service there.
const SUMMARY: usize = 300;

impl Diagnostic {
    /// The errors in what the tool wrote to its standard error, in order. Texts in `hidden` are left out of
    /// summaries, wherever they stand.
    pub fn parse(stderr: &str, hidden: &[String]) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        let mut open = false;
        for line in stderr.lines() {
            let line = plain(line);
            let line = line.strip_prefix("│ ").or_else(|| line.strip_prefix("| ")).unwrap_or(&line);
            if let Some(summary) = line.strip_prefix("Error: ") {
                found.push(Self { summary: hide(summary, hidden), file: None, line: None, address: None });
                open = true;
            } else if line.starts_with("Warning: ") {
                open = false;
            } else if let (true, Some(last)) = (open, found.last_mut()) {
                let text = line.trim_start();
                if let (None, Some(address)) = (&last.address, text.strip_prefix("with ")) {
                    if line.starts_with("  ") {
                        last.address = Some(hide(address.trim_end_matches([',', ':']), hidden));
                    }
                } else if let (None, Some((file, line))) = (&last.file, place(line)) {
                    (last.file, last.line) = (Some(file), Some(line));
                    // What follows the place is a piece of source, and then the detail.
                    open = false;
                }
            }
        }
        found
    }
}

/// `  on main.tf line 3, in resource "a" "b":` or `  on main.tf line 3:`
fn place(line: &str) -> Option<(String, u64)> {
    let (file, rest) = line.strip_prefix("  on ")?.rsplit_once(" line ")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((file.to_owned(), rest[..digits].parse().ok()?))
}

/// A line without the escape sequences of colours.
fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        let sequence = &rest[at + 2..];
        let end = sequence.find(|c: char| c.is_ascii_alphabetic()).map_or(sequence.len(), |end| end + 1);
        rest = &sequence[end..];
    }
    out.push_str(rest);
    out
}

fn hide(text: &str, hidden: &[String]) -> String {
    let mut text = text.to_owned();
    for value in hidden {
        // One letter hidden everywhere says where it stood; nothing that short is a secret.
        if value.len() > 2 {
            text = text.replace(value.as_str(), "(sensitive)");
        }
    }
    if text.len() > SUMMARY {
        let end = (0..=SUMMARY).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)?;
        if let Some(file) = &self.file {
            write!(f, " ({file}")?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            f.write_str(")")?;
        }
        if let Some(address) = &self.address {
            write!(f, ", with {address}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "\nWarning: Deprecated\n\n  on old.tf line 9:\n\nError: Invalid value for variable\n\n  on main.tf line 1:\n   1: variable \"pw\" {\n    ├────\n    │ var.pw is \"hunter2\"\n\nError: not one of ours, quoted in a detail\n";

    #[test]
    fn a_summary_and_its_place_are_kept_and_the_detail_is_not() {
        let found = Diagnostic::parse(PLAIN, &[]);
        assert_eq!(found[0].to_string(), "Invalid value for variable (main.tf:1)");
        assert!(!format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn boxes_and_colours_are_read_too() {
        let text = "╷\n│ \u{1b}[31mError: \u{1b}[0mUnsupported argument\n│ \n│   with module.a.terraform_data.b[\"x\"],\n│   on ../m/a b.tf line 12, in resource \"terraform_data\" \"b\":\n│   12:   nope = 1\n╵\n";
        let found = Diagnostic::parse(text, &[]);
        assert_eq!(
            found[0].to_string(),
            "Unsupported argument (../m/a b.tf:12), with module.a.terraform_data.b[\"x\"]"
        );
    }

    #[test]
    fn known_secrets_are_hidden_and_long_summaries_cut() {
        let text = format!("Error: connecting to db://ada:hunter2@host: refused {}", "é".repeat(400));
        let found = Diagnostic::parse(&text, &["hunter2".into(), "o".into()]);
        assert!(found[0].summary.starts_with("connecting to db://ada:(sensitive)@host: refused"));
        assert!(found[0].summary.len() < 320);
    }
}
