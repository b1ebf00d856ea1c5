use std::ops::Range;

use super::{FactsError, source::Source};
use crate::proof::RepoPath;

/// As deep as hcl-edit goes, so that both syntaxes of one language have one bound.
const MAX_DEPTH: usize = 64;

/// A JSON value and where it stands. serde_json keeps no places, and an edit needs them.
#[derive(Debug)]
pub(in crate::terraform) struct Json {
    pub(in crate::terraform) value: JsonValue,
    pub(in crate::terraform) span: Range<usize>,
}

#[derive(Debug)]
pub(in crate::terraform) enum JsonValue {
    Null,
    Bool(bool),
    Number,
    String(String),
    Array(Vec<Json>),
    Object(Vec<Member>),
}

/// One member of an object, in the order of the file; names may repeat.
#[derive(Debug)]
pub(in crate::terraform) struct Member {
    pub(in crate::terraform) name: String,
    pub(in crate::terraform) name_span: Range<usize>,
    pub(in crate::terraform) value: Json,
}

impl Json {
    pub(in crate::terraform) fn parse(path: &RepoPath, source: &Source<'_>) -> Result<Self, FactsError> {
        let mut parser = Parser { bytes: source.text.as_bytes(), text: source.text, at: 0, depth: 0 };
        let parsed = parser.value().and_then(|value| {
            parser.space();
            if parser.at == parser.bytes.len() { Ok(value) } else { Err("the end of the file was expected") }
        });
        parsed.map_err(|why| {
            let place = source.place(parser.at..parser.at);
            FactsError::Syntax {
                path: path.clone(),
                line: place.line,
                column: place.column,
                why: why.to_owned(),
            }
        })
    }

    pub(in crate::terraform) fn members(&self) -> &[Member] {
        match &self.value {
            JsonValue::Object(members) => members,
            _ => &[],
        }
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self) -> Result<Json, &'static str> {
        self.space();
        let start = self.at;
        let value = match self.bytes.get(self.at) {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => JsonValue::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Json { value, span: start..self.at })
    }

    fn nested(
        &mut self,
        parse: fn(&mut Self) -> Result<JsonValue, &'static str>,
    ) -> Result<JsonValue, &'static str> {
        if self.depth == MAX_DEPTH {
            return Err("it is nested more than 64 levels deep");
        }
        self.depth += 1;
        self.at += 1;
        let value = parse(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<JsonValue, &'static str> {
        let mut members = Vec::new();
        if self.take(b'}') {
            return Ok(JsonValue::Object(members));
        }
        loop {
            self.space();
            let start = self.at;
            if self.bytes.get(self.at) != Some(&b'"') {
                return Err("a name in quotes was expected");
            }
            let name = self.string()?;
            let name_span = start..self.at;
            if !self.take(b':') {
                return Err("`:` was expected");
            }
            members.push(Member { name, name_span, value: self.value()? });
            if self.take(b'}') {
                return Ok(JsonValue::Object(members));
            }
            if !self.take(b',') {
                return Err("`,` or `}` was expected");
            }
        }
    }

    fn array(&mut self) -> Result<JsonValue, &'static str> {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(JsonValue::Array(items));
        }
        loop {
            items.push(self.value()?);
            if self.take(b']') {
                return Ok(JsonValue::Array(items));
            }
            if !self.take(b',') {
                return Err("`,` or `]` was expected");
            }
        }
    }

    fn number(&mut self) -> Result<JsonValue, &'static str> {
        let start = self.at;
        while matches!(self.bytes.get(self.at), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let good = serde_json::from_str::<&serde_json::value::RawValue>(&self.text[start..self.at]).is_ok();
        if good { Ok(JsonValue::Number) } else { Err("this is no number") }
    }

    fn word(&mut self) -> Result<JsonValue, &'static str> {
        for (word, value) in
            [("true", JsonValue::Bool(true)), ("false", JsonValue::Bool(false)), ("null", JsonValue::Null)]
        {
            if self.bytes[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err("a value was expected")
    }

    /// The string that begins here; serde_json resolves its escapes.
    fn string(&mut self) -> Result<String, &'static str> {
        let start = self.at;
        let mut end = start + 1;
        loop {
            match memchr::memchr2(b'"', b'\\', &self.bytes[end.min(self.bytes.len())..]) {
                None => return Err("a string is not closed"),
                Some(skip) if self.bytes[end + skip] == b'"' => {
                    end += skip + 1;
                    break;
                }
                Some(skip) => end += skip + 2,
            }
        }
        let string = serde_json::from_str(&self.text[start..end]).map_err(|_| "this is no JSON string")?;
        self.at = end;
        Ok(string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Json, FactsError> {
        Json::parse(&RepoPath::root(), &Source::of(text))
    }

    fn plain(json: &Json, text: &str) -> serde_json::Value {
        match &json.value {
            JsonValue::Null => serde_json::Value::Null,
            JsonValue::Bool(value) => (*value).into(),
            JsonValue::Number => serde_json::from_str(&text[json.span.clone()]).unwrap(),
            JsonValue::String(value) => value.as_str().into(),
            JsonValue::Array(items) => items.iter().map(|item| plain(item, text)).collect(),
            JsonValue::Object(members) => {
                members.iter().map(|member| (member.name.clone(), plain(&member.value, text))).collect()
            }
        }
    }

    #[test]
    fn depth_and_broken_text_are_refused_with_their_place() {
        for bad in ["", "{", "[1,]", "{\"a\" 1}", "\"a", "\"\\", "1 2", "nul", "\u{1}", "[1", "{\"a\":1,}"] {
            assert!(matches!(parse(bad), Err(FactsError::Syntax { .. })), "{bad:?}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
        let deepest = format!("{}{}", "[".repeat(64), "]".repeat(64));
        assert!(parse(&deepest).is_ok());
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_json_reads(text in r#"[\[\]{}:, "a\\u0-9.etrufalsn-]{0,24}"#) {
            let ours = parse(&text);
            match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(theirs) => prop_assert_eq!(plain(&ours.unwrap(), &text), theirs),
                Err(_) => prop_assert!(ours.is_err(), "{}", text),
            }
        }
    }
}
