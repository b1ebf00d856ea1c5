use std::path::Path;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::{
    proof::Hmac,
    terraform::{
        TerraformError,
        plan::{DEPTH, Foreign, Shape},
    },
};

/// Writes values in canonical form, with each secret as its HMAC, and with words in place of what differs from
/// run to run and means nothing.
pub(super) struct Keyed<'a> {
    hmac: &'a Hmac,
    words: Option<(AhoCorasick, Vec<String>)>,
}

impl<'a> Keyed<'a> {
    /// Secrets are keyed by `hmac`; each text of `words` is written as its word.
    pub(super) fn new(hmac: &'a Hmac, words: Vec<(String, String)>) -> Self {
        let (texts, words): (Vec<String>, Vec<String>) = words.into_iter().unzip();
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&texts);
        // Only patterns beyond four gigabytes in all cannot be searched for; without them, texts stay as they are.
        Self { hmac, words: search.ok().filter(|_| !texts.is_empty()).map(|search| (search, words)) }
    }

    /// A value without marks.
    pub(super) fn plain(&self, place: &str, value: Option<&Foreign>) -> Result<String, TerraformError> {
        self.value(place, value, &[], None)
    }

    /// A value, `null` where there is none, whose secrets are where any of the marks has `true`. Members called
    /// `left_out` of the value itself are left out.
    pub(super) fn value(
        &self,
        place: &str,
        value: Option<&Foreign>,
        marks: &[&str],
        left_out: Option<&str>,
    ) -> Result<String, TerraformError> {
        let mut out = String::new();
        let text = value.map_or("null", Foreign::text);
        self.write(place, text, marks, left_out, 0, &mut out)?;
        Ok(out)
    }

    fn write(
        &self,
        place: &str,
        text: &str,
        marks: &[&str],
        left_out: Option<&str>,
        depth: usize,
        out: &mut String,
    ) -> Result<(), TerraformError> {
        if depth > DEPTH {
            return Err(TerraformError::TooDeep { place: place.to_owned(), limit: DEPTH });
        }
        if marks.contains(&"true") && text != "null" {
            let mut secret = String::new();
            self.write(place, text, &[], None, depth, &mut secret)?;
            out.push_str("{\"hmac\":\"");
            out.push_str(&self.hmac.of(secret));
            out.push_str("\"}");
            return Ok(());
        }
        match Shape::of(text) {
            Shape::Null => out.push_str("null"),
            Shape::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Shape::Number(digits) => out.push_str(digits),
            Shape::String(text) => out.push_str(&self.quoted(&text)),
            Shape::Array(items) => {
                let marks: Vec<_> = marks.iter().map(|marks| Shape::of(marks)).collect();
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    let marks: Vec<&str> = marks
                        .iter()
                        .filter_map(|marks| match marks {
                            Shape::Array(marks) => marks.get(index).map(|marks| marks.get()),
                            _ => None,
                        })
                        .collect();
                    self.write(place, item.get(), &marks, None, depth + 1, out)?;
                }
                out.push(']');
            }
            Shape::Object(members) => {
                let marks: Vec<_> = marks.iter().map(|marks| Shape::of(marks)).collect();
                out.push('{');
                let members = members.iter().filter(|(name, _)| Some(name.as_str()) != left_out);
                for (index, (name, member)) in members.enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    out.push_str(&self.quoted(name));
                    out.push(':');
                    let marks: Vec<&str> = marks
                        .iter()
                        .filter_map(|marks| match marks {
                            Shape::Object(marks) => marks.get(name).map(|marks| marks.get()),
                            _ => None,
                        })
                        .collect();
                    self.write(place, member.get(), &marks, None, depth + 1, out)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }

    /// A text as JSON, with words in place of what they stand for.
    pub(super) fn quoted(&self, text: &str) -> String {
        match &self.words {
            Some((search, words)) if search.is_match(text) => quoted(&search.replace_all(text, words)),
            _ => quoted(text),
        }
    }
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The texts by which a folder may be called.
pub(super) fn names_of(folder: &Path) -> Vec<String> {
    let mut names = vec![folder.to_string_lossy().into_owned()];
    if let Ok(real) = folder.canonicalize() {
        names.push(real.to_string_lossy().into_owned());
    }
    names.sort();
    names.dedup();
    names.retain(|name| name.len() > 1);
    names
}
