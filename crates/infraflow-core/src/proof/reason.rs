use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RepoPath;

/// Why something is in an answer: the rule that put it there, a sentence for people, and the chain of
/// references that leads from the changed file to the thing.
///
/// ```json
/// {"rule": "module_call", "text": "cluster calls network, whose main.tf changed",
///  "chain": [{"path": "modules/cluster/main.tf", "start": 31, "end": 44, "line": 3, "column": 12,
///             "reference": "module.network"}]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The rule's name, in snake_case; stable, so that programs can tell reasons apart.
    pub rule: String,
    /// One sentence for people.
    pub text: String,
    /// The references from the changed file to the thing, the changed file first. Empty where the rule
    /// needs none.
    pub chain: Vec<Link>,
    /// How many links are left out of the middle of a long chain: between the two halves of `chain`.
    #[serde(default, skip_serializing_if = "is_none")]
    pub links_left_out: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde gives a reference
fn is_none(number: &usize) -> bool {
    *number == 0
}

impl Reason {
    /// A reason without a chain.
    pub fn new(rule: impl Into<String>, text: impl Into<String>) -> Self {
        Self { rule: rule.into(), text: text.into(), chain: Vec::new(), links_left_out: 0 }
    }

    /// The same reason with its chain.
    pub fn with_chain(mut self, chain: Vec<Link>) -> Self {
        self.chain = chain;
        self
    }

    /// The reason of what is touched by way of the thing that this one is for: its chain goes on.
    pub fn led_on(
        &self,
        rule: impl Into<String>,
        text: impl Into<String>,
        links: impl IntoIterator<Item = Link>,
    ) -> Self {
        let mut led = Self { links_left_out: self.links_left_out, ..Self::new(rule, text) };
        led.chain.extend(self.chain.iter().cloned().chain(links));
        if let Some(gap) = self.gap() {
            let more = led.chain.len().saturating_sub(2 * gap);
            led.chain.drain(gap..gap + more);
            led.links_left_out += more;
        }
        led
    }

    /// How many links lead to the thing, with those that are left out.
    pub fn length(&self) -> usize {
        self.chain.len().saturating_add(self.links_left_out)
    }

    /// The place in `chain` before which links are left out, if any are.
    pub fn gap(&self) -> Option<usize> {
        (self.links_left_out > 0).then_some(self.chain.len() / 2)
    }
}

/// One step of a [`Reason`]'s chain: a place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// The file.
    pub path: RepoPath,
    /// The first byte of the place, from 0.
    pub start: usize,
    /// One past its last byte. Equal to `start` where the whole file is meant.
    pub end: usize,
    /// The line of `start`, from 1.
    pub line: usize,
    /// The column of `start` in bytes, from 1.
    pub column: usize,
    /// What stands there, for example `module.network` or `file("policy.json")`.
    pub reference: String,
}

impl Link {
    /// A link to a file as a whole.
    pub fn whole(path: RepoPath, reference: impl Into<String>) -> Self {
        Self { path, start: 0, end: 0, line: 1, column: 1, reference: reference.into() }
    }

    /// A link to the bytes `start..end` of a file with the given content.
    pub fn at(
        path: RepoPath,
        content: &[u8],
        span: std::ops::Range<usize>,
        reference: impl Into<String>,
    ) -> Self {
        let before = &content[..span.start.min(content.len())];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        Self {
            path,
            start: span.start,
            end: span.end,
            line: 1 + before.iter().filter(|&&b| b == b'\n').count(),
            column: 1 + before.len() - line_start,
            reference: reference.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_bytes() {
        let path = RepoPath::parse("a.tf").unwrap();
        let link = Link::at(path, "é\nab".as_bytes(), 4..5, "b");
        assert_eq!((link.line, link.column), (2, 2));
    }
}
