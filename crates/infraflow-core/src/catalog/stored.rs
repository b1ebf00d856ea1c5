//! A record as it stands in an index. Its paths and texts are much the same ones over and over: each is written once,
//! a path from where it parts with that of the record, and else a number stands for it.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    MarkKind, ReferenceKind,
    glob::Glob,
    record::{Broken, CallRecord, Edge, End, Key, Open, Proof, Record},
};
use crate::{
    proof::{Digest, RepoPath},
    terraform::facts::{Place, StaticValue, Text},
};

/// The number of a path or text.
type Number = u32;

/// A record to write, or one that was read.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored<'r> {
    key: Cow<'r, Key>,
    words: Vec<Word<'r>>,
    directory: Number,
    marks: Cow<'r, [MarkKind]>,
    valued: bool,
    takes_values: bool,
    edges: Vec<StoredEdge<'r>>,
    state: Option<Number>,
    lends: Vec<Number>,
    open: Cow<'r, [Open]>,
    defaults: Cow<'r, BTreeMap<String, StaticValue>>,
    calls: Vec<StoredCall<'r>>,
    unparsable: Cow<'r, [Broken]>,
    warnings: Cow<'r, [(bool, String)]>,
}

/// A path or text: so many bytes of the path of the record, and these.
#[derive(Serialize, Deserialize)]
struct Word<'r> {
    shared: u32,
    #[serde(with = "bytes")]
    rest: Cow<'r, [u8]>,
}

#[derive(Serialize, Deserialize)]
struct StoredEdge<'r> {
    to: StoredEnd<'r>,
    kind: ReferenceKind,
    when_run: bool,
    looked: bool,
    part: Cow<'r, Option<Digest>>,
    proofs: Vec<StoredProof>,
}

#[derive(Serialize, Deserialize)]
enum StoredEnd<'r> {
    Scope(Number),
    State(Number),
    File(Number),
    Subtree(Number),
    Below(Number),
    Matching { directory: Number, glob: Cow<'r, Glob>, unknown: bool, except: Cow<'r, [Glob]> },
}

#[derive(Serialize, Deserialize)]
struct StoredProof {
    file: Number,
    place: Place,
    text: Number,
}

#[derive(Serialize, Deserialize)]
struct StoredCall<'r> {
    name: Cow<'r, str>,
    in_file: Number,
    place: Place,
    source: Cow<'r, Option<Text>>,
    version: Cow<'r, Option<Text>>,
    target: Option<Number>,
}

/// Few words are found faster by looking at each.
const FEW: usize = 24;

/// The words of a record, each with its number.
#[derive(Default)]
struct Words<'r> {
    words: Vec<&'r [u8]>,
    numbers: HashMap<&'r [u8], Number>,
}

impl<'r> Words<'r> {
    fn number(&mut self, word: &'r [u8]) -> Number {
        let known = match self.words.len() <= FEW {
            true => (0..).zip(&self.words).find(|(_, known)| **known == word).map(|(number, _)| number),
            false => self.numbers.get(word).copied(),
        };
        if let Some(known) = known {
            return known;
        }
        // A record of so many words would be larger than a record can be.
        let number = Number::try_from(self.words.len()).unwrap_or(Number::MAX);
        self.words.push(word);
        if self.words.len() > FEW {
            if self.numbers.is_empty() {
                self.numbers.extend(self.words.iter().copied().zip(0..));
            }
            self.numbers.insert(word, number);
        }
        number
    }

    fn path(&mut self, path: &'r RepoPath) -> Number {
        self.number(path.as_bytes())
    }

    fn proof(&mut self, proof: &'r Proof) -> StoredProof {
        StoredProof {
            file: self.path(&proof.file),
            place: proof.place,
            text: self.number(proof.text.as_bytes()),
        }
    }

    fn end(&mut self, end: &'r End) -> StoredEnd<'r> {
        match end {
            End::Scope(path) => StoredEnd::Scope(self.path(path)),
            End::State(path) => StoredEnd::State(self.path(path)),
            End::File(path) => StoredEnd::File(self.path(path)),
            End::Subtree(path) => StoredEnd::Subtree(self.path(path)),
            End::Below(path) => StoredEnd::Below(self.path(path)),
            End::Matching { directory, glob, unknown, except } => StoredEnd::Matching {
                directory: self.path(directory),
                glob: Cow::Borrowed(glob),
                unknown: *unknown,
                except: Cow::Borrowed(except),
            },
        }
    }
}

impl<'r> Stored<'r> {
    /// A record, to write it.
    pub(super) fn of(record: &'r Record) -> Self {
        let mut words = Words::default();
        let edges = record.edges.iter().map(|edge| StoredEdge {
            to: words.end(&edge.to),
            kind: edge.kind,
            when_run: edge.when_run,
            looked: edge.looked,
            part: Cow::Borrowed(&edge.part),
            proofs: edge.proofs.iter().map(|proof| words.proof(proof)).collect(),
        });
        let edges = edges.collect();
        let calls = record.calls.iter().map(|call| StoredCall {
            name: Cow::Borrowed(&call.name),
            in_file: words.path(&call.in_file),
            place: call.place,
            source: Cow::Borrowed(&call.source),
            version: Cow::Borrowed(&call.version),
            target: call.target.as_ref().map(|target| words.path(target)),
        });
        let calls = calls.collect();
        let directory = words.path(&record.directory);
        let state = record.state.as_ref().map(|state| words.path(state));
        let lends = record.lends.iter().map(|path| words.path(path)).collect();
        let of_record = record.key.at.as_bytes();
        let words = words.words.into_iter().map(|word| {
            let shared = word.iter().zip(of_record).take_while(|(one, other)| one == other).count();
            Word { shared: u32::try_from(shared).unwrap_or_default(), rest: Cow::Borrowed(&word[shared..]) }
        });
        Self {
            key: Cow::Borrowed(&record.key),
            words: words.collect(),
            directory,
            marks: Cow::Borrowed(&record.marks),
            valued: record.valued,
            takes_values: record.takes_values,
            edges,
            state,
            lends,
            open: Cow::Borrowed(&record.open),
            defaults: Cow::Borrowed(&record.defaults),
            calls,
            unparsable: Cow::Borrowed(&record.unparsable),
            warnings: Cow::Borrowed(&record.warnings),
        }
    }

    /// The record that was read; `None` where a number stands for nothing, or for what is no path.
    pub(super) fn record(self) -> Option<Record> {
        let of_record = self.key.at.as_bytes();
        let words = self.words.iter().map(|word| {
            let mut bytes = of_record.get(..word.shared as usize)?.to_vec();
            bytes.extend_from_slice(&word.rest);
            Some(bytes)
        });
        let words: Vec<Vec<u8>> = words.collect::<Option<_>>()?;
        let word = |number: Number| words.get(number as usize);
        let path = |number| RepoPath::parse(word(number)?.as_slice()).ok();
        let proof = |StoredProof { file, place, text }| {
            let text: Arc<str> = std::str::from_utf8(word(text)?).ok()?.into();
            Some(Proof { file: path(file)?, place, text })
        };
        let end = |end| {
            Some(match end {
                StoredEnd::Scope(number) => End::Scope(path(number)?),
                StoredEnd::State(number) => End::State(path(number)?),
                StoredEnd::File(number) => End::File(path(number)?),
                StoredEnd::Subtree(number) => End::Subtree(path(number)?),
                StoredEnd::Below(number) => End::Below(path(number)?),
                StoredEnd::Matching { directory, glob, unknown, except } => End::Matching {
                    directory: path(directory)?,
                    glob: glob.into_owned(),
                    unknown,
                    except: except.into_owned(),
                },
            })
        };
        let edges = self.edges.into_iter().map(|edge| {
            Some(Edge {
                to: end(edge.to)?,
                kind: edge.kind,
                when_run: edge.when_run,
                looked: edge.looked,
                part: edge.part.into_owned(),
                proofs: edge.proofs.into_iter().map(proof).collect::<Option<_>>()?,
            })
        });
        let edges = edges.collect::<Option<_>>()?;
        let optional = |number: Option<Number>| match number {
            Some(number) => path(number).map(Some),
            None => Some(None),
        };
        let calls = self.calls.into_iter().map(|call| {
            Some(CallRecord {
                name: call.name.into_owned(),
                in_file: path(call.in_file)?,
                place: call.place,
                source: call.source.into_owned(),
                version: call.version.into_owned(),
                target: optional(call.target)?,
            })
        });
        Some(Record {
            directory: path(self.directory)?,
            marks: self.marks.into_owned(),
            valued: self.valued,
            takes_values: self.takes_values,
            edges,
            state: optional(self.state)?,
            lends: self.lends.into_iter().map(path).collect::<Option<_>>()?,
            open: self.open.into_owned(),
            defaults: self.defaults.into_owned(),
            calls: calls.collect::<Option<_>>()?,
            unparsable: self.unparsable.into_owned(),
            warnings: self.warnings.into_owned(),
            key: self.key.into_owned(),
        })
    }
}

/// Bytes as they are, not number by number.
mod bytes {
    use std::{borrow::Cow, fmt};

    use serde::{Deserializer, Serializer, de};

    #[expect(clippy::ptr_arg, reason = "serde asks with the type of the field")]
    pub(super) fn serialize<S: Serializer>(bytes: &Cow<'_, [u8]>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, 'r, D: Deserializer<'de>>(from: D) -> Result<Cow<'r, [u8]>, D::Error> {
        struct Bytes;
        impl de::Visitor<'_> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        from.deserialize_bytes(Bytes).map(Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    fn record(edges: usize) -> Record {
        let key = Key { at: path("live/prod/db"), dialect: 1, test: false };
        let edge = |n: usize| Edge {
            to: match n % 3 {
                0 => End::File(path(&format!("live/prod/file{n}"))),
                1 => End::Scope(path("modules/db")),
                _ => {
                    let mut glob = Glob::default();
                    glob.push_text(b"x");
                    End::Matching {
                        directory: RepoPath::root(),
                        glob: glob.clone(),
                        unknown: true,
                        except: vec![glob],
                    }
                }
            },
            kind: ReferenceKind::FileRead,
            when_run: n.is_multiple_of(2),
            looked: n.is_multiple_of(5),
            part: n.is_multiple_of(7).then(|| Digest::of_bytes(b"part")),
            proofs: vec![Proof::whole_file(path("live/prod/db/main.tf"), &format!("text {}", n / 2))],
        };
        Record {
            directory: key.at.clone(),
            key,
            marks: vec![MarkKind::Unit],
            valued: true,
            takes_values: false,
            edges: (0..edges).map(edge).collect(),
            state: Some(path("s3:a/b")),
            lends: vec![path("live/prod/db/x"), path("live")],
            open: Vec::new(),
            defaults: BTreeMap::from([("a".to_owned(), StaticValue::Null)]),
            calls: Vec::new(),
            unparsable: Vec::new(),
            warnings: vec![(true, "a warning".to_owned())],
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        for edges in [0, 1, FEW - 3, FEW, 4 * FEW] {
            let record = record(edges);
            let bytes = postcard::to_allocvec(&Stored::of(&record)).unwrap();
            let read: Stored<'_> = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(read.record().unwrap(), record);
        }
    }

    #[test]
    fn a_number_that_stands_for_nothing_is_no_record() {
        let of = record(9);
        let mut stored = Stored::of(&of);
        stored.directory = 1_000;
        assert!(stored.record().is_none());
        let mut stored = Stored::of(&of);
        stored.words[0].shared = 1_000;
        assert!(stored.record().is_none());
        let mut stored = Stored::of(&of);
        stored.words[0].rest = Cow::Borrowed(b"../..");
        assert!(stored.record().is_none());
    }
}
