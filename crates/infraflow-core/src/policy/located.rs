//! A TOML document in which every key and value remembers where it stands, as a serde deserializer: so that
//! an error names file, line and column even after a file has been laid over the defaults.

use std::{collections::BTreeMap, fmt, ops::Range, sync::Arc};

use serde::de::{self, DeserializeSeed, Visitor, value};
use toml::de::{DeTable, DeValue};

use super::PolicyError;

/// Where something stands: `infraflow.toml:3:1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    origin: Arc<str>,
    line: usize,
    column: usize,
}

/// A document's name, and where its lines begin.
struct Lines {
    origin: Arc<str>,
    starts: Vec<usize>,
    /// Where the part begins that is parsed.
    from: usize,
}

impl Lines {
    fn of(origin: &str, text: &str, from: usize) -> Self {
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes());
        let starts = std::iter::once(0).chain(breaks.map(|at| at + 1)).collect();
        Self { origin: origin.into(), starts, from }
    }

    fn place(&self, span: Range<usize>) -> Place {
        let at = self.from + span.start;
        let line = self.starts.partition_point(|&start| start <= at);
        Place { origin: self.origin.clone(), line, column: 1 + at - self.starts[line - 1] }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.origin, self.line, self.column)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Located {
    pub(super) place: Place,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    String(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    List(Vec<Located>),
    Table(Table),
}

pub(super) type Table = BTreeMap<String, Entry>;

/// A member of a table.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where its key stands.
    pub(super) key: Place,
    pub(super) value: Located,
}

/// Parses a document.
pub(super) fn parse(text: &str, origin: &str) -> Result<Table, PolicyError> {
    // A byte order mark is no TOML, and editors write it all the same.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    parse_part(text, 0..text.len(), origin)
}

/// Parses a part of a document that is one by itself; places are those in the whole.
pub(super) fn parse_part(text: &str, part: Range<usize>, origin: &str) -> Result<Table, PolicyError> {
    let lines = Lines::of(origin, text, part.start);
    let table = DeTable::parse(&text[part]).map_err(|error| PolicyError::NotToml {
        place: lines.place(error.span().unwrap_or(0..0)).to_string(),
        why: error.message().to_owned(),
    })?;
    table_of(table.into_inner(), &lines)
}

fn table_of(table: DeTable<'_>, lines: &Lines) -> Result<Table, PolicyError> {
    let members = table.into_iter().map(|(key, value)| {
        let place = lines.place(key.span());
        let value =
            Located { place: lines.place(value.span()), value: value_of(value.into_inner(), &place, lines)? };
        Ok((key.into_inner().into_owned(), Entry { key: place, value }))
    });
    members.collect()
}

fn value_of(value: DeValue<'_>, key: &Place, lines: &Lines) -> Result<Value, PolicyError> {
    let bad = |why: &str| PolicyError::BadValue {
        place: key.to_string(),
        why: why.to_owned(),
        help: "see the defaults for what this key takes".to_owned(),
    };
    Ok(match value {
        DeValue::String(text) => Value::String(text.into_owned()),
        DeValue::Boolean(value) => Value::Boolean(value),
        DeValue::Integer(number) => Value::Integer(
            i64::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| bad("the number is too large"))?,
        ),
        DeValue::Float(number) => {
            Value::Float(number.as_str().parse().map_err(|_| bad("this is no number"))?)
        }
        // No section takes a moment of its own, and as text it is what people meant.
        DeValue::Datetime(at) => Value::String(at.to_string()),
        DeValue::Array(items) => Value::List(
            items
                .into_iter()
                .map(|item| {
                    let place = lines.place(item.span());
                    let value = value_of(item.into_inner(), &place, lines)?;
                    Ok(Located { place, value })
                })
                .collect::<Result<_, PolicyError>>()?,
        ),
        DeValue::Table(table) => Value::Table(table_of(table, lines)?),
    })
}

/// Lays a member over another: tables are merged, member by member; everything else is replaced.
pub(super) fn lay_over(base: &mut Entry, over: Entry) {
    match (&mut base.value.value, over.value.value) {
        (Value::Table(below), Value::Table(above)) => {
            base.key = over.key;
            for (name, entry) in above {
                match below.get_mut(&name) {
                    Some(base) => lay_over(base, entry),
                    None => drop(below.insert(name, entry)),
                }
            }
        }
        (_, value) => *base = Entry { key: over.key, value: Located { place: over.value.place, value } },
    }
}

/// What is wrong with a value, and, once it is known, where.
#[derive(Debug)]
pub(super) struct Fault {
    place: Option<Place>,
    kind: FaultKind,
}

#[derive(Debug)]
enum FaultKind {
    UnknownKey { key: String, known: &'static [&'static str] },
    Other(String),
}

impl Fault {
    /// Takes the innermost place: the first that is set stays.
    fn at(mut self, place: &Place) -> Self {
        self.place.get_or_insert_with(|| place.clone());
        self
    }

    /// The same as the error of the folder, for the section it was found in.
    pub(super) fn into_error(self, section: &Place) -> PolicyError {
        let place = self.place.as_ref().unwrap_or(section).to_string();
        match self.kind {
            FaultKind::UnknownKey { key, known } => {
                let help = nearest(&key, known.iter().copied());
                PolicyError::UnknownKey { place, key, help }
            }
            FaultKind::Other(why) => match why.split_once("\n  help: ") {
                Some((why, help)) => {
                    PolicyError::BadValue { place, why: why.to_owned(), help: help.to_owned() }
                }
                None => PolicyError::BadValue {
                    place,
                    why,
                    help: "see the defaults for what this key takes".to_owned(),
                },
            },
        }
    }
}

/// Which known key somebody meant, as a sentence.
pub(super) fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let scored = known.clone().map(|name| (strsim::damerau_levenshtein(key, name), name)).min();
    match scored {
        Some((distance, name)) if distance <= 1 + key.chars().count() / 3 => {
            format!("did you mean \"{name}\"?")
        }
        Some(_) => format!("the keys known here are {}", known.collect::<Vec<_>>().join(", ")),
        None => "no keys are known here".to_owned(),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FaultKind::UnknownKey { key, .. } => write!(f, "unknown key {key}"),
            FaultKind::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { place: None, kind: FaultKind::Other(message.to_string()) }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self { place: None, kind: FaultKind::UnknownKey { key: field.to_owned(), known: expected } }
    }
}

impl<'de> de::Deserializer<'de> for &'de Located {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let read = match &self.value {
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Boolean(value) => visitor.visit_bool(*value),
            Value::List(items) => visitor.visit_seq(value::SeqDeserializer::new(items.iter())),
            Value::Table(table) => visitor.visit_map(Members { rest: table.iter(), value: None }),
        };
        read.map_err(|fault| fault.at(&self.place))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self).map_err(|fault| fault.at(&self.place))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let read = match &self.value {
            Value::String(text) => {
                visitor.visit_enum(value::BorrowedStrDeserializer::<Fault>::new(text)).map_err(|fault| {
                    let known = variants.contains(&text.as_str());
                    let unknown = || {
                        let help = nearest(text, variants.iter().copied());
                        de::Error::custom(format_args!("\"{text}\" is no {name}\n  help: {help}"))
                    };
                    if known { fault } else { unknown() }
                })
            }
            Value::Table(table) => {
                let members = Members { rest: table.iter(), value: None };
                visitor.visit_enum(value::MapAccessDeserializer::new(members))
            }
            _ => Err(de::Error::custom(format_args!("this is no {name}"))),
        };
        read.map_err(|fault| fault.at(&self.place))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> de::IntoDeserializer<'de, Fault> for &'de Located {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

struct Members<'de> {
    rest: std::collections::btree_map::Iter<'de, String, Entry>,
    value: Option<&'de Located>,
}

impl<'de> de::MapAccess<'de> for Members<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((name, entry)) = self.rest.next() else { return Ok(None) };
        self.value = Some(&entry.value);
        let key = seed.deserialize(value::BorrowedStrDeserializer::new(name));
        key.map(Some).map_err(|fault: Fault| fault.at(&entry.key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        match self.value.take() {
            Some(value) => seed.deserialize(value),
            None => Err(de::Error::custom("a value was asked for before its key")),
        }
    }
}
