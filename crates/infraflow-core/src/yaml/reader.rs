use std::{collections::HashMap, sync::Arc};

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::{Node, Value};
use crate::proof::Lines;

/// The largest file that is read, in bytes.
const LARGEST: usize = 4 << 20;

/// The deepest that collections nest, those behind aliases counted.
const DEEPEST: usize = 64;

/// The documents of a file, as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Yaml {
    /// One root for each document that is not empty. Where the file breaks off, the last one has what stands
    /// before.
    pub documents: Vec<Arc<Node>>,
    /// Where and why it could not be read any further.
    pub broken: Option<Broken>,
}

/// Why a file could not be read, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The line, from 1, where that is known.
    pub line: Option<usize>,
    /// Why, in words.
    pub why: String,
}

/// Reads a file of YAML. Pure, and bounded as the folder's documentation says.
///
/// ```
/// let yaml = infraflow_core::yaml::read(b"a: &x [1, two]\nb: *x\n");
/// let list = yaml.documents[0].member("b").unwrap();
/// assert_eq!(list.items()[1].text(), Some("two"));
/// assert_eq!((list.items()[1].place.line, list.items()[1].place.column), (1, 11));
/// ```
pub fn read(content: &[u8]) -> Yaml {
    let stop = |line, why: String| Yaml { documents: Vec::new(), broken: Some(Broken { line, why }) };
    if content.len() > LARGEST {
        return stop(None, format!("it has {} bytes, more than the limit of {LARGEST}", content.len()));
    }
    let text = match std::str::from_utf8(content) {
        Ok(text) => text,
        Err(error) => {
            return stop(None, format!("byte {} begins no UTF-8 character", error.valid_up_to()));
        }
    };
    // The mark of the byte order is no part of the text; places count it.
    let shift = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut builder = Builder::new(content, shift);
    let mut broken = None;
    for event in Parser::new_from_str(&text[shift..]) {
        let taken = match event {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => Err(Broken {
                line: error.marker().byte_offset().map(|at| builder.lines.place(at + shift..at + shift).line),
                why: error.info(),
            }),
        };
        if let Err(why) = taken {
            broken = Some(why);
            break;
        }
    }
    Yaml { documents: builder.finish(), broken }
}

/// A collection that is being read.
enum Open {
    List(Vec<Arc<Node>>),
    /// The members so far, and a key that waits for its value.
    Mapping(Vec<(Arc<Node>, Arc<Node>)>, Option<Arc<Node>>),
}

struct Level {
    open: Open,
    anchor: usize,
    start: usize,
    /// The deepest nesting of what it holds.
    height: usize,
}

struct Builder {
    lines: Lines,
    shift: usize,
    levels: Vec<Level>,
    /// What anchors stand for, and how deep that nests.
    anchors: HashMap<usize, (Arc<Node>, usize)>,
    documents: Vec<Arc<Node>>,
    /// The end of what was read.
    end: usize,
}

impl Builder {
    fn new(content: &[u8], shift: usize) -> Self {
        Self {
            lines: Lines::of(content),
            shift,
            levels: Vec::new(),
            anchors: HashMap::new(),
            documents: Vec::new(),
            end: 0,
        }
    }

    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Broken> {
        let range = span.byte_range().unwrap_or(self.end..self.end);
        let (start, end) = (range.start + self.shift, range.end + self.shift);
        self.end = self.end.max(end);
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let place = self.lines.place(start..end);
                let value = Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.put(Arc::new(Node { place, value }), 0, anchor);
            }
            Event::Alias(anchor) => {
                // Within what it anchors, an alias stands for nothing that is there already.
                let null = || {
                    let value = Value::Scalar { text: String::new(), plain: true };
                    (Arc::new(Node { place: self.lines.place(start..end), value }), 0)
                };
                let (node, height) = self.anchors.get(&anchor).cloned().unwrap_or_else(null);
                if self.levels.len() + height > DEEPEST {
                    return Err(self.too_deep(start));
                }
                self.put(node, height, 0);
            }
            Event::SequenceStart(_, anchor, _) => self.open(Open::List(Vec::new()), anchor, start)?,
            Event::MappingStart(_, anchor, _) => self.open(Open::Mapping(Vec::new(), None), anchor, start)?,
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::DocumentEnd => self.anchors.clear(),
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, open: Open, anchor: usize, start: usize) -> Result<(), Broken> {
        if self.levels.len() >= DEEPEST {
            return Err(self.too_deep(start));
        }
        self.levels.push(Level { open, anchor, start, height: 0 });
        Ok(())
    }

    fn too_deep(&self, at: usize) -> Broken {
        let line = Some(self.lines.place(at..at).line);
        Broken { line, why: format!("it nests deeper than the limit of {DEEPEST}") }
    }

    fn close(&mut self) {
        let Some(level) = self.levels.pop() else { return };
        let value = match level.open {
            Open::List(items) => Value::List(items),
            Open::Mapping(members, _) => Value::Mapping(members),
        };
        let place = self.lines.place(level.start..self.end.max(level.start));
        self.put(Arc::new(Node { place, value }), level.height + 1, level.anchor);
    }

    fn put(&mut self, node: Arc<Node>, height: usize, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, (Arc::clone(&node), height));
        }
        let Some(level) = self.levels.last_mut() else {
            self.documents.push(node);
            return;
        };
        level.height = level.height.max(height);
        match &mut level.open {
            Open::List(items) => items.push(node),
            Open::Mapping(members, key) => match key.take() {
                Some(key) => members.push((key, node)),
                None => *key = Some(node),
            },
        }
    }

    /// What was read; what is still open is closed where the file broke off.
    fn finish(mut self) -> Vec<Arc<Node>> {
        while !self.levels.is_empty() {
            self.close();
        }
        self.documents
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Arc<Node> {
        let yaml = read(text.as_bytes());
        assert_eq!(yaml.broken, None, "{text:?}");
        yaml.documents[0].clone()
    }

    fn at(node: &Node) -> (usize, usize) {
        (node.place.line, node.place.column)
    }

    #[test]
    fn places_count_bytes_of_the_file_whatever_stands_before() {
        let text = "\u{feff}# é\r\nresources:\r\n  - é/ü.yaml\r\n  - \"b\"\r\n";
        let yaml = read(text.as_bytes());
        let list = yaml.documents[0].member("Resources").unwrap().clone();
        let first = &list.items()[0];
        assert_eq!((first.text(), at(first)), (Some("é/ü.yaml"), (3, 5)));
        assert_eq!(&text[first.place.range()], "é/ü.yaml");
        assert_eq!(&text[list.items()[1].place.range()], "\"b\"");
        assert_eq!(at(&list.items()[1]), (4, 5));
    }

    #[test]
    fn anchors_merges_and_doubles_are_all_there() {
        let root =
            root("x: &x\n  files: [a]\ny:\n  <<: *x\n  files: [b]\n  Files: [c]\nz:\n  <<: [*x, {k: 1}]\n");
        let texts = |of: &str| -> Vec<String> {
            let all = root.member(of).unwrap().all("files");
            all.iter().map(|list| list.items()[0].text().unwrap().to_owned()).collect()
        };
        assert_eq!(texts("y"), ["a", "b", "c"]);
        assert_eq!(root.member("y").unwrap().member("files").unwrap().items()[0].text(), Some("c"));
        assert_eq!(texts("z"), ["a"]);
        assert_eq!(root.member("z").unwrap().member("k").unwrap().text(), Some("1"));
    }

    #[test]
    fn blocks_nulls_and_documents() {
        let yaml = read(b"a: |\n  x\n  y\nb: ~\nc: 'null'\n---\n---\nd: e\n");
        assert_eq!(yaml.documents[0].member("a").unwrap().text(), Some("x\ny\n"));
        assert_eq!(yaml.documents[0].member("b").unwrap().text(), None);
        assert_eq!(yaml.documents[0].member("c").unwrap().text(), Some("null"));
        assert_eq!(yaml.documents.last().unwrap().member("d").unwrap().text(), Some("e"));
        assert!(read(b"").documents.is_empty() && read(b"# x\n").documents.is_empty());
    }

    #[test]
    fn what_stands_before_a_mistake_is_still_there() {
        let yaml = read(b"a:\n  - x\n  - y\nb: [1, {c: 2\n: : }\n");
        assert!(yaml.broken.as_ref().unwrap().line.unwrap() >= 4, "{yaml:?}");
        assert_eq!(yaml.documents[0].member("a").unwrap().items().len(), 2);
        let tab = read(b"a:\n\t- x\n");
        assert!(tab.broken.is_some());
        assert!(read(b"a: \xff").broken.unwrap().why.contains("byte 3"));
    }

    #[test]
    fn bombs_and_towers_are_bounded() {
        let mut bomb = String::from("a0: &a0 [x, x]\n");
        for i in 1..200 {
            bomb.push_str(&format!("a{i}: &a{i} [*a{0}, *a{0}]\n", i - 1));
        }
        assert!(read(bomb.as_bytes()).broken.unwrap().why.contains("deeper"));
        for tower in ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(100_000), "? ".repeat(100_000)]
        {
            assert!(read(tower.as_bytes()).broken.is_some(), "{}", &tower[..4]);
        }
        assert!(read(b"a: &a [*a]\n").documents[0].member("a").is_some());
        let large = vec![b'#'; LARGEST + 1];
        assert!(read(&large).broken.is_some());
        let began = std::time::Instant::now();
        read("a: &a\n".repeat(100_000).as_bytes());
        read("\"".repeat(1_000_000).as_bytes());
        read("a".repeat(1_000_000).as_bytes());
        read("? a\n: b\n".repeat(100_000).as_bytes());
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }
}
