use std::collections::BTreeMap;

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{proof::RepoPath, terraform::OutputValue};

use super::{Check, Mark, SandboxError};

/// What an example expects of its outputs, beyond that each has a value: the file `expect.toml` beside it.
///
/// ```toml
/// [outputs]
/// name = "net-${run_id}"                 # this very value; ${run_id} stands for the mark of the run
/// cidr = { matches = '^10\.' }           # a text that this regular expression finds
/// subnets = { length = 3 }               # so many items, members or characters
/// zones = { contains = "a" }             # a list with this item, a map with this key, a text with this part
/// size = { at_least = 1, at_most = 5 }   # a number in these bounds; all that is said must hold
/// tier = { one_of = ["small", "large"] }
/// tags = { equals = { owner = "net" } }  # `equals` where the value itself is a table
/// password = { sensitive = true }        # declared sensitive, with a value
/// endpoint = { null = true }             # no value, which otherwise fails
/// ```
///
/// Values of sensitive outputs are compared, and never shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Expectations {
    /// What is expected of an output, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Expectation>,
}

/// What is expected of one output. All that is said must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Expectation {
    /// This value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<Exact>,
    /// One of these values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<Exact>>,
    /// A text in which this regular expression is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// So many items of a list, members of an object or characters of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// This item of a list, member of an object or part of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<Exact>,
    /// A number that is no smaller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<i64>,
    /// A number that is no larger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<i64>,
    /// Whether it is declared sensitive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<bool>,
    /// Whether it has no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null: Option<bool>,
}

/// A JSON value, kept as its text: a document that is digested holds no floats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Exact(String);

impl Exact {
    fn of(value: &Value) -> Self {
        Self(value.to_string())
    }

    fn value(&self, mark: &Mark) -> Value {
        fn fill(value: &mut Value, mark: &Mark) {
            match value {
                Value::String(text) => *text = text.replace("${run_id}", mark.as_str()),
                Value::Array(items) => items.iter_mut().for_each(|item| fill(item, mark)),
                Value::Object(members) => members.values_mut().for_each(|member| fill(member, mark)),
                _ => {}
            }
        }
        let mut value = serde_json::from_str(&self.0).unwrap_or(Value::Null);
        fill(&mut value, mark);
        value
    }
}

impl Expectations {
    /// The file's name.
    pub const FILE: &'static str = "expect.toml";

    /// Reads an `expect.toml`.
    ///
    /// # Errors
    /// [`SandboxError::Expectations`] for what is no TOML, a key that is not known, or a regular expression that
    /// cannot be read.
    pub fn parse(text: &[u8], path: &RepoPath) -> Result<Self, SandboxError> {
        let bad = |why: String| SandboxError::Expectations { path: path.clone(), why };
        let text = std::str::from_utf8(text).map_err(|error| bad(error.to_string()))?;
        let file: File =
            toml::from_str(text).map_err(|error| bad(error.to_string().trim_end().to_owned()))?;
        let mut outputs = BTreeMap::new();
        for (name, written) in file.outputs {
            let expectation =
                Expectation::read(written).map_err(|why| bad(format!("outputs.{name}: {why}")))?;
            if let Some(pattern) = &expectation.matches {
                Regex::new(pattern).map_err(|error| bad(format!("outputs.{name}: {error}")))?;
            }
            outputs.insert(name, expectation);
        }
        Ok(Self { outputs })
    }

    /// Checks outputs: those that are declared, and those that the state has. A declared output without a
    /// value is null.
    pub(super) fn check(
        &self,
        declared: &[String],
        outputs: &BTreeMap<String, OutputValue>,
        mark: &Mark,
    ) -> Vec<Check> {
        let mut checks = Vec::new();
        for name in declared {
            if !self.outputs.contains_key(name) {
                let value = outputs.get(name).filter(|output| !output.value.is_null());
                checks.push(match value {
                    Some(_) => Check::passed("output_has_value", name),
                    None => Check::failed(
                        "output_has_value",
                        name,
                        format!("the output {name} is null; where it may be, write {name} = {{ null = true }} in {}", Self::FILE),
                    ),
                });
            }
        }
        for (name, expectation) in &self.outputs {
            let output = outputs.get(name);
            if output.is_none() && !declared.contains(name) {
                let text = format!("there is no output {name}; there are {}", declared.join(", "));
                checks.push(Check::failed("output_expected", name, text));
                continue;
            }
            let faults = expectation.faults(output, mark);
            checks.push(if faults.is_empty() {
                Check::passed("output_expected", name)
            } else {
                Check::failed("output_expected", name, format!("the output {name} {}", faults.join(", and ")))
            });
        }
        checks
    }
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    outputs: BTreeMap<String, Value>,
}

/// A table of expectations, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    equals: Option<Value>,
    one_of: Option<Vec<Value>>,
    matches: Option<String>,
    length: Option<usize>,
    contains: Option<Value>,
    at_least: Option<i64>,
    at_most: Option<i64>,
    sensitive: Option<bool>,
    null: Option<bool>,
}

impl Expectation {
    fn read(written: Value) -> Result<Self, String> {
        if !written.is_object() {
            return Ok(Self { equals: Some(Exact::of(&written)), ..Self::default() });
        }
        let written: Written = serde_json::from_value(written).map_err(|error| error.to_string())?;
        Ok(Self {
            equals: written.equals.as_ref().map(Exact::of),
            one_of: written.one_of.map(|values| values.iter().map(Exact::of).collect()),
            matches: written.matches,
            length: written.length,
            contains: written.contains.as_ref().map(Exact::of),
            at_least: written.at_least,
            at_most: written.at_most,
            sensitive: written.sensitive,
            null: written.null,
        })
    }

    /// What does not hold, as ends of a sentence.
    fn faults(&self, output: Option<&OutputValue>, mark: &Mark) -> Vec<String> {
        let value: Value =
            output.and_then(|output| serde_json::from_str(output.value.text()).ok()).unwrap_or(Value::Null);
        if value.is_null() {
            return if self.null == Some(true) { Vec::new() } else { vec!["is null".to_owned()] };
        }
        let hidden = output.is_some_and(|output| output.sensitive);
        let shown = if hidden { "(sensitive)".to_owned() } else { shorten(&value.to_string()) };
        let mut faults = Vec::new();
        let mut must = |holds: bool, expected: String| {
            if !holds {
                faults.push(format!("is {shown}, not {expected}"));
            }
        };
        // What is expected of a sensitive output is as secret as the output.
        let say = |exact: &Exact| {
            if hidden { "what is expected".to_owned() } else { exact.value(mark).to_string() }
        };
        if let Some(exact) = &self.equals {
            must(same(&value, &exact.value(mark)), say(exact));
        }
        if let Some(exacts) = &self.one_of {
            let all: Vec<_> = exacts.iter().map(say).collect();
            must(
                exacts.iter().any(|exact| same(&value, &exact.value(mark))),
                format!("one of {}", all.join(", ")),
            );
        }
        if let Some(pattern) = &self.matches {
            let filled = pattern.replace("${run_id}", mark.as_str());
            let found = value
                .as_str()
                .is_some_and(|text| Regex::new(&filled).is_ok_and(|regex| regex.is_match(text)));
            must(found, format!("a text that matches {filled}"));
        }
        if let Some(length) = self.length {
            must(length_of(&value) == Some(length), format!("of length {length}"));
        }
        if let Some(exact) = &self.contains {
            must(contains(&value, &exact.value(mark)), format!("something that contains {}", say(exact)));
        }
        if let Some(least) = self.at_least {
            must(value.as_f64().is_some_and(|number| number >= least as f64), format!("at least {least}"));
        }
        if let Some(most) = self.at_most {
            must(value.as_f64().is_some_and(|number| number <= most as f64), format!("at most {most}"));
        }
        if let Some(sensitive) = self.sensitive
            && sensitive != hidden
        {
            faults.push(
                if sensitive { "is not declared sensitive" } else { "is declared sensitive" }.to_owned(),
            );
        }
        if self.null == Some(true) {
            faults.push("has a value".to_owned());
        }
        faults
    }
}

/// Equal, where 1 and 1.0 are the same number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y)),
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(name, x)| y.get(name).is_some_and(|y| same(x, y)))
        }
        _ => a == b,
    }
}

fn length_of(value: &Value) -> Option<usize> {
    match value {
        Value::Array(items) => Some(items.len()),
        Value::Object(members) => Some(members.len()),
        Value::String(text) => Some(text.chars().count()),
        _ => None,
    }
}

fn contains(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::Array(items), part) => items.iter().any(|item| same(item, part)),
        (Value::Object(members), Value::String(name)) => members.contains_key(name),
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        _ => false,
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::CaseId, proof::RunId};

    fn path() -> RepoPath {
        RepoPath::parse("m/examples/a/expect.toml").unwrap()
    }

    fn failures(expect: &str, outputs: &str, declared: &[&str]) -> Vec<String> {
        let expectations = Expectations::parse(expect.as_bytes(), &path()).unwrap();
        let declared: Vec<String> = declared.iter().map(|&name| name.to_owned()).collect();
        let outputs = serde_json::from_str(outputs).unwrap();
        let mark = Mark::of(&RunId::parse("r1").unwrap(), &CaseId::new(path()));
        let checks = expectations.check(&declared, &outputs, &mark);
        checks
            .into_iter()
            .filter(|check| !check.held())
            .map(|check| check.text.replace(mark.as_str(), "MARK"))
            .collect()
    }

    #[test]
    fn every_declared_output_needs_a_value_unless_null_is_expected() {
        let outputs = r#"{"a": {"value": 1}, "n": {"value": null}}"#;
        assert_eq!(failures("", outputs, &["a", "gone", "n"]).len(), 2);
        let expect = "[outputs]\nn = { null = true }\ngone = { null = true }";
        assert!(failures(expect, outputs, &["a", "gone", "n"]).is_empty());
        assert_eq!(failures("outputs.a = { null = true }", outputs, &["a"]), ["the output a has a value"]);
        assert_eq!(failures("outputs.b = 1", outputs, &["a"]), ["there is no output b; there are a"]);
    }

    #[test]
    fn each_word_is_checked() {
        let outputs = r#"{
            "name": {"value": "net-7"}, "list": {"value": ["a", 1.0]}, "map": {"value": {"k": [1]}}, "n": {"value": 3}
        }"#;
        let declared = ["name", "list", "map", "n"];
        let good = "[outputs]\nname = { matches = '^net-\\d$', length = 5, contains = 't-' }\n\
                    list = ['a', 1]\nmap = { equals = { k = [1] }, contains = 'k' }\n\
                    n = { at_least = 3, at_most = 3, one_of = [2, 3.0], sensitive = false }";
        assert!(failures(good, outputs, &declared).is_empty(), "{:?}", failures(good, outputs, &declared));
        let bad = "[outputs]\nname = \"net-${run_id}\"\nlist = { length = 3, contains = 2 }\nmap = { sensitive = true }\n\
                   n = { at_least = 4, one_of = [1] }";
        assert_eq!(
            failures(bad, outputs, &declared),
            [
                r#"the output list is ["a",1.0], not of length 3, and is ["a",1.0], not something that contains 2"#,
                "the output map is not declared sensitive",
                "the output n is 3, not one of 1, and is 3, not at least 4",
                r#"the output name is "net-7", not "net-MARK""#,
            ]
        );
    }

    #[test]
    fn a_sensitive_value_is_compared_and_never_shown() {
        let outputs = r#"{"pw": {"value": "hunter2", "sensitive": true}}"#;
        assert!(failures("outputs.pw = 'hunter2'", outputs, &["pw"]).is_empty());
        let failed = failures("outputs.pw = 'swordfish'", outputs, &["pw"]).concat();
        assert!(!failed.contains("hunter2") && !failed.contains("swordfish"), "{failed}");
    }

    #[test]
    fn what_cannot_be_understood_is_an_error_with_its_place() {
        for (text, place) in [
            ("outputs.a = {", "line 1"),
            ("outputs.a = { equal = 1 }", "outputs.a: unknown field `equal`"),
            ("outputs.a = { matches = '(' }", "outputs.a: regex parse error"),
            ("output.a = 1", "unknown field `output`"),
        ] {
            let error = Expectations::parse(text.as_bytes(), &path()).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }

    #[test]
    fn expectations_travel_as_json() {
        let text = b"outputs.a = { equals = 1.5 }\noutputs.b = ['x']";
        let expectations = Expectations::parse(text, &path()).unwrap();
        let json = crate::proof::canonical_json("t", &expectations).unwrap();
        assert_eq!(serde_json::from_str::<Expectations>(&json).unwrap(), expectations);
    }
}
