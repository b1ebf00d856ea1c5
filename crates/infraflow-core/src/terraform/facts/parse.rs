use hcl_edit::structure;

use super::{FactsError, FileFacts, FileKind, extract, json::Json, salvage, source::Source, view::Body};
use crate::proof::RepoPath;

/// hcl-edit compares each key of an object with all before it: 10,000 keys take a tenth of a second,
/// 100,000 ten.
const MAX_KEY_PAIRS: usize = 200_000_000;

/// Reads one file.
#[derive(Clone, Copy, Debug)]
pub struct TerraformFile;

impl TerraformFile {
    /// What a file says.
    ///
    /// ```
    /// use infraflow_core::{proof::RepoPath, terraform::facts::TerraformFile};
    /// let path = RepoPath::parse("live/network/main.tf")?;
    /// let text = b"module \"network\" {\n  source = \"../../modules/network\"\n}\n";
    /// let facts = TerraformFile::parse(&path, text)?;
    /// let source = facts.calls[0].source.as_ref().unwrap();
    /// assert_eq!(&text[source.place.range()], b"../../modules/network");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FactsError`] where the text is not of its language, no UTF-8, or beyond the limits. Never a panic,
    /// and never a stack overflow: nesting is bounded at 64 levels and operators at 128.
    pub fn parse(path: &RepoPath, bytes: &[u8]) -> Result<FileFacts, FactsError> {
        let kind = FileKind::of(path.file_name());
        parsed(path, bytes, |body, source| facts(kind, body, source))
    }

    /// What can still be made out in a file that [`TerraformFile::parse`] refuses: the blocks that parse on
    /// their own, and of the others every quoted text that may be a path, as something they name.
    /// Of more than 64 MiB, nothing.
    pub fn salvage(path: &RepoPath, bytes: &[u8]) -> FileFacts {
        salvage::salvage(path, bytes)
    }
}

/// What is found in the whole of a file, parsed.
pub(super) fn parsed<T>(
    path: &RepoPath,
    bytes: &[u8],
    find: impl Fn(Body<'_>, &Source<'_>) -> T,
) -> Result<T, FactsError> {
    let source = Source::new(path, bytes)?;
    let json = match FileKind::of(path.file_name()) {
        Some(kind) => kind.is_json(),
        None => path.file_name().ends_with(b".json"),
    };
    if json {
        let parsed = Json::parse(path, &source)?;
        Ok(find(Body::Json(&parsed), &source))
    } else {
        let parsed = body(path, &source)?;
        Ok(find(Body::Hcl(&parsed), &source))
    }
}

pub(super) fn facts(kind: Option<FileKind>, body: Body<'_>, source: &Source<'_>) -> FileFacts {
    match kind {
        Some(FileKind::Variables { .. }) => extract::values(body, source),
        Some(FileKind::Test { .. }) => extract::test(body, source),
        Some(FileKind::Mock { .. } | FileKind::Lock) => FileFacts::default(),
        Some(FileKind::Configuration { .. }) | None => extract::configuration(body, source),
    }
}

pub(in crate::terraform) fn body(
    path: &RepoPath,
    source: &Source<'_>,
) -> Result<structure::Body, FactsError> {
    let pairs = key_pairs(source.text.as_bytes());
    if pairs > MAX_KEY_PAIRS {
        return Err(FactsError::TooLarge {
            path: path.clone(),
            what: "the number of keys of an object, squared,",
            found: pairs,
            limit: MAX_KEY_PAIRS,
        });
    }
    hcl_edit::parser::parse_body(source.text).map_err(|error| {
        let at = error.location().offset();
        let place = source.place(at..at);
        FactsError::Syntax {
            path: path.clone(),
            line: place.line,
            column: place.column,
            why: error.message().to_owned(),
        }
    })
}

/// Whether the objects of a text are more than hcl-edit can take.
pub(super) fn is_entangled(bytes: &[u8]) -> bool {
    key_pairs(bytes) > MAX_KEY_PAIRS
}

/// At most how many pairs of keys of one object there are, over all objects: each comma and each line in
/// braces that open an expression, squared. Braces in strings and comments only make the bound looser.
fn key_pairs(bytes: &[u8]) -> usize {
    let mut open: Vec<(bool, usize)> = Vec::new();
    let (mut pairs, mut before) = (0_usize, b'\n');
    let close = |pairs: &mut usize, (object, keys): (bool, usize)| {
        *pairs = pairs.saturating_add(if object { keys.saturating_mul(keys) } else { 0 });
    };
    for &byte in bytes {
        match byte {
            // The braces of a block follow its name or a label.
            b'{' => open.push((b"=:(,[{?\n".contains(&before), 0)),
            b'}' => open.pop().into_iter().for_each(|level| close(&mut pairs, level)),
            b'\n' | b',' => open.iter_mut().next_back().into_iter().for_each(|(_, keys)| *keys += 1),
            _ => {}
        }
        if !matches!(byte, b' ' | b'\t' | b'\r') {
            before = byte;
        }
    }
    // What is never closed counts as well: a brace in a string must not hide an object.
    open.into_iter().for_each(|level| close(&mut pairs, level));
    pairs
}
