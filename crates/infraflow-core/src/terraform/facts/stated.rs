use super::{
    FactsError, FileFacts, FileKind, Local, TerraformFile, extract, parse,
    salvage::MAX_SALVAGED,
    sieve,
    slice::SlicedBody,
    source::{MAX_BYTES, Source},
    view::Body,
};
use crate::proof::RepoPath;

/// Files larger than this are asked first whether their objects are of a size that hcl-edit can take.
pub(in crate::terraform) const SMALL: usize = 64 << 10;

/// The names that a file gives to values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Defined {
    /// `locals`, one by one.
    pub locals: Vec<Local>,
    /// The defaults of variables, under the variables' names.
    pub defaults: Vec<Local>,
    /// Of variables whose types have values for members that are left out (`optional(type, default)`), an object of
    /// these members; what is not known where collections of such objects are a part of the type. Of sets, any items.
    pub left_out: Vec<Local>,
}

impl TerraformFile {
    /// What a file states by itself: its calls, backends, states read, providers, reads and values, as
    /// [`TerraformFile::parse`] has them; the other lists are empty. A file that can hold none of these is not
    /// parsed, and of another only the expressions that matter are: measured at 5 times as fast on small files (`cargo bench -p infraflow-benches --bench facts`).
    ///
    /// # Errors
    /// [`FactsError`] as for [`TerraformFile::parse`], but not always: what is not parsed is not found to be
    /// at fault either.
    pub fn stated(path: &RepoPath, bytes: &[u8]) -> Result<FileFacts, FactsError> {
        Ok(Self::stated_beside_locals(path, bytes)?.0)
    }

    /// The same, and the text of all `locals` blocks where it is known where these stand.
    ///
    /// # Errors
    /// As for [`TerraformFile::stated`].
    pub(crate) fn stated_beside_locals(
        path: &RepoPath,
        bytes: &[u8],
    ) -> Result<(FileFacts, Option<String>), FactsError> {
        let kind = FileKind::of(path.file_name());
        if bytes.len() <= MAX_BYTES && !sieve::may_state(kind, bytes) {
            return Ok((FileFacts::default(), None));
        }
        let stated = |body: Body<'_>, source: &Source<'_>| match kind {
            Some(FileKind::Variables { .. }) => (extract::values(body, source), None),
            _ => (extract::stated(body, source), extract::text_of_locals(body, source)),
        };
        if let Some(found) = sliced(path, bytes, kind, |text| SlicedBody::of_what_states(text), &stated) {
            return Ok(found);
        }
        let facts = Self::parse(path, bytes)?;
        let FileFacts { calls, backends, states, providers, reads, values, .. } = facts;
        let facts = FileFacts { calls, backends, states, providers, reads, values, ..FileFacts::default() };
        Ok((facts, None))
    }

    /// Whether [`TerraformFile::parse`] takes a file, without the facts: what is written plainly is not given to the
    /// parser.
    ///
    /// # Errors
    /// [`FactsError`] as for [`TerraformFile::parse`].
    pub fn check(path: &RepoPath, bytes: &[u8]) -> Result<(), FactsError> {
        let parses = |body: Body<'_>, _: &Source<'_>| matches!(body, Body::Sliced(body) if body.parses());
        match sliced(path, bytes, FileKind::of(path.file_name()), |text| SlicedBody::of(text), &parses) {
            Some(true) => Ok(()),
            _ => parse::parsed(path, bytes, |_, _| ()),
        }
    }

    /// Whether a file of configuration may define locals, and whether it may give variables a default; told by its bytes,
    /// never no where it does and the file is read at all.
    pub(crate) fn may_define(path: &RepoPath, bytes: &[u8]) -> (bool, bool) {
        if bytes.len() > MAX_SALVAGED {
            return (false, false);
        }
        let kind = FileKind::of(path.file_name());
        (sieve::may_define_locals(kind, bytes), sieve::may_define_defaults(kind, bytes))
    }

    /// The names that a file of configuration gives to values: its locals, and the defaults of its variables, as far
    /// as they are wanted. Of other files, none.
    ///
    /// # Errors
    /// As for [`TerraformFile::stated`].
    pub fn defined(
        path: &RepoPath,
        bytes: &[u8],
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Defined, FactsError> {
        let kind = FileKind::of(path.file_name());
        if bytes.len() <= MAX_BYTES && Self::may_define(path, bytes) == (false, false) {
            return Ok(Defined::default());
        }
        let find = |body: Body<'_>, source: &Source<'_>| extract::defined(body, source, wanted);
        if let Some(found) = sliced(path, bytes, kind, |text| SlicedBody::of(text), &find) {
            return Ok(found);
        }
        parse::parsed(path, bytes, find)
    }
}

/// What is found in a file that is cut into slices; `None` where that is not certain.
fn sliced<T>(
    path: &RepoPath,
    bytes: &[u8],
    kind: Option<FileKind>,
    cut: for<'a> fn(&'a str) -> Option<SlicedBody<'a>>,
    find: &dyn Fn(Body<'_>, &Source<'_>) -> T,
) -> Option<T> {
    let hcl = matches!(
        kind,
        Some(FileKind::Configuration { json: false, .. } | FileKind::Variables { json: false, .. })
    );
    if !hcl || bytes.len() > MAX_BYTES || (bytes.len() > SMALL && parse::is_entangled(bytes)) {
        return None;
    }
    let source = Source::new(path, bytes).ok()?;
    let body = cut(source.text)?;
    let found = find(Body::Sliced(&body), &source);
    (!body.failed()).then_some(found)
}
