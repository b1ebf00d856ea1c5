use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the words of a template stand for.
pub(crate) type Words = BTreeMap<String, String>;

/// A text in which words in braces stand for something: `envs/{name}.tfvars`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Word(String),
}

impl Template {
    /// Reads a template. A word is made of letters, digits and `_`; braces stand for nothing else.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = |why: &str| {
            Err(format!("\"{text}\" {why}\n  help: write a word in braces, as in \"envs/{{name}}.tfvars\""))
        };
        let (mut parts, mut rest) = (Vec::new(), text);
        if text.is_empty() || text.contains(['\0', '\n', '\r']) {
            return bad("is empty, or not one line");
        }
        while let Some((before, after)) = rest.split_once('{') {
            let Some((word, after)) = after.split_once('}') else { return bad("has a { without a }") };
            if word.is_empty() || !word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                return bad("has something else than a word in braces");
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            } else if matches!(parts.last(), Some(Part::Word(_))) {
                return bad("has two words with nothing between them");
            }
            parts.push(Part::Word(word.to_owned()));
            rest = after;
        }
        if rest.contains('}')
            || parts.iter().any(|part| matches!(part, Part::Text(text) if text.contains('}')))
        {
            return bad("has a } without a {");
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The words in it.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Word(word) => Some(word.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Whether every text that it can be ends in one of these.
    pub(super) fn ends_with(&self, endings: &[&str]) -> bool {
        matches!(self.parts.last(), Some(Part::Text(text)) if endings.iter().any(|end| text.ends_with(end)))
    }

    /// Whether it is `key=value` rather than the path of a file.
    pub(super) fn is_setting(&self) -> bool {
        self.text.contains('=')
    }

    /// The text with all words filled in.
    pub(crate) fn fill(&self, words: &Words) -> String {
        let filled = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.as_str(),
            Part::Word(word) => words.get(word).map_or("", String::as_str),
        });
        filled.collect()
    }

    /// The templates of its names, as a path: `a/{b}.c` is `a` and `{b}.c`.
    pub(super) fn names(&self) -> Vec<Self> {
        let names = self.text.split('/').filter(|name| !name.is_empty() && *name != ".");
        // A word has no slash in it, so that each name of a template is one.
        names.filter_map(|name| Self::parse(name).ok()).collect()
    }

    /// What the words stand for where this is a text of several names; each word stands in one name.
    pub(crate) fn takes_apart(&self, text: &str) -> Option<Words> {
        let (own, names) = (self.text.split('/'), text.split('/').collect::<Vec<_>>());
        let own: Vec<Self> = own.map(Self::parse).collect::<Result<_, _>>().ok()?;
        if own.len() != names.len() {
            return None;
        }
        let mut words = Words::new();
        for (template, name) in own.iter().zip(names) {
            words = template.matches(name, &words).into_iter().next()?;
        }
        Some(words)
    }

    /// Whether a path begins at the repository's root.
    pub(super) fn is_absolute(&self) -> bool {
        self.text.starts_with('/')
    }

    /// The text, where no word is in it.
    pub(super) fn constant(&self) -> Option<&str> {
        self.words().next().is_none().then_some(self.text.as_str())
    }

    /// Every way to fill in the words so that the template is `name`, those in `known` being given. A word
    /// stands for at least one character; the shortest beginnings come first.
    pub(super) fn matches(&self, name: &str, known: &Words) -> Vec<Words> {
        let mut found = Vec::new();
        take(&self.parts, name, known.clone(), &mut found);
        found
    }
}

/// The most ways that one name is taken apart in.
const MOST: usize = 64;

fn take(parts: &[Part], rest: &str, words: Words, found: &mut Vec<Words>) {
    if found.len() >= MOST {
        return;
    }
    match parts {
        [] if rest.is_empty() => found.push(words),
        [] => {}
        [Part::Text(text), parts @ ..] => {
            if let Some(rest) = rest.strip_prefix(text.as_str()) {
                take(parts, rest, words, found);
            }
        }
        [Part::Word(word), parts @ ..] => match words.get(word) {
            Some(value) => {
                if let Some(rest) = rest.strip_prefix(value.as_str()) {
                    take(parts, rest, words, found);
                }
            }
            None => {
                let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8());
                // The last word takes all: nothing follows that could be tried.
                let ends: Vec<usize> = if parts.is_empty() { vec![rest.len()] } else { ends.collect() };
                for end in ends.into_iter().filter(|&end| end > 0) {
                    let mut words = words.clone();
                    words.insert(word.clone(), rest[..end].to_owned());
                    take(parts, &rest[end..], words, found);
                }
            }
        },
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

impl TryFrom<String> for Template {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_takes_a_name_apart_and_puts_it_together_again() {
        let template = Template::parse("{env}-{region}.tfvars").unwrap();
        let found = template.matches("prod-eu-west-1.tfvars", &Words::new());
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|words| template.fill(words) == "prod-eu-west-1.tfvars"));
        assert_eq!(found[0]["env"], "prod");
        let twice = Template::parse("{name}/{name}.tfvars").unwrap().names();
        let dev = Words::from([("name".into(), "dev".into())]);
        assert!(twice[1].matches("prod.tfvars", &dev).is_empty());
        assert_eq!(twice[1].matches("dev.tfvars", &dev).len(), 1);
    }

    #[test]
    fn what_is_no_template_is_refused_in_words() {
        for bad in ["", "{", "}", "{}", "{a b}", "a}b{c}", "{a}{b}", "a\nb"] {
            assert!(Template::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ways_to_take_a_name_apart_are_bounded() {
        let bomb = Template::parse(&["{a}", "{b}", "{c}", "{d}", "{e}"].join("-")).unwrap();
        assert!(bomb.matches(&"-a".repeat(200), &Words::new()).len() <= MOST);
    }
}
