use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// Into an item of a list, from 0.
    Index(u64),
    /// Into a member of an object or map.
    Name(String),
}

/// The way from a resource to a value in it, written as Terraform writes it: `ports[0].name`,
/// `tags["cost center"]`. Empty for the whole. A set's items are counted in the order in which the plan has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "String")]
pub struct AttributePath(pub Vec<Step>);

impl AttributePath {
    /// The same path, one step further.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Whether this is the whole.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Name(name) if is_identifier(name) => {
                    write!(f, "{}{name}", if i > 0 { "." } else { "" })?;
                }
                Step::Name(name) => write!(f, "[{}]", serde_json::Value::from(name.as_str()))?,
            }
        }
        Ok(())
    }
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

impl Serialize for AttributePath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AttributePath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no attribute path")))
    }
}

fn parse(text: &str) -> Option<AttributePath> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            if inner.starts_with('"') {
                let mut items = serde_json::Deserializer::from_str(inner).into_iter::<String>();
                steps.push(Step::Name(items.next()?.ok()?));
                rest = inner[items.byte_offset()..].strip_prefix(']')?;
            } else {
                let (index, after) = inner.split_once(']')?;
                steps.push(Step::Index(index.parse().ok()?));
                rest = after;
            }
        } else {
            let name = if steps.is_empty() { rest } else { rest.strip_prefix('.')? };
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if !is_identifier(&name[..end]) {
                return None;
            }
            steps.push(Step::Name(name[..end].to_owned()));
            rest = &name[end..];
        }
    }
    Some(AttributePath(steps))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            any::<u64>().prop_map(Step::Index),
            ".{0,6}".prop_map(Step::Name),
            "[a-z_]{1,3}".prop_map(Step::Name)
        ]
    }

    proptest! {
        #[test]
        fn a_written_path_reads_back(steps in prop::collection::vec(step(), 0..5)) {
            let path = AttributePath(steps);
            let text = serde_json::to_string(&path).unwrap();
            prop_assert_eq!(serde_json::from_str::<AttributePath>(&text).unwrap(), path);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,20}") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn paths_look_as_terraform_writes_them() {
        let path = AttributePath(vec![
            Step::Name("tags".into()),
            Step::Name("cost center".into()),
            Step::Index(0),
            Step::Name("x".into()),
        ]);
        assert_eq!(path.to_string(), "tags[\"cost center\"][0].x");
    }
}
