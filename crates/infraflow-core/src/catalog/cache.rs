//! Catalogs that cost in proportion to the change: an index of trunk's tree, kept in a file, with the trees
//! that are asked for laid over it.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    Catalog, CatalogError, CatalogRules, Dialect,
    build::Makings,
    chunks::Chunks,
    image::Image,
    index::{Index, stamp_of},
};
use crate::{
    git::{CommitId, ObjectId, Repository, Revision, Tree},
    proof::Digest,
};

/// Where indexes of trees are kept between runs.
///
/// One file a repository and set of rules, named by a digest of each, holds the linked catalog of one commit.
/// It is written whole or not at all, checked wherever it is read, and used only where the dialects, their
/// versions, the rules and the repository's addresses are the same; deleting it is always safe. Where it is
/// missing or damaged, the tree is read anew; where trunk has moved on, what differs is. Whoever may write to the folder
/// decides the answers, as with any cache: what a change request's own code could write is no cache for trunk.
///
/// Rules that are given up, and other versions of this library, leave files that nobody asks for again: when an index is
/// written, those of the same repository that were not used for 30 days are deleted. A use is noted as the time of the
/// file's last change, once a day.
#[derive(Clone, Debug, Default)]
pub struct CatalogCache {
    folder: Option<PathBuf>,
}

impl CatalogCache {
    /// Keeps nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Keeps indexes in a folder, which is made when the first one is written.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()) }
    }

    /// Keeps indexes in the user's cache folder: `infraflow` below `XDG_CACHE_HOME`, or below `~/.cache`
    /// (XDG Base Directory Specification). Nothing is kept where neither is set.
    pub fn of_user() -> Self {
        let absolute =
            |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
        Self { folder: base.map(|base| base.join("infraflow")) }
    }

    /// Where indexes are kept; `None` where they are not.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The catalogs of both ends of a change: of the merge base and of the head.
    ///
    /// # Errors
    /// As [`Catalog::build`]. A cache that cannot be read or written is no error.
    pub fn ends(
        &self,
        base: &Tree,
        head: &Tree,
        dialects: &[Arc<dyn Dialect>],
        rules: &CatalogRules,
    ) -> Result<(Catalog, Catalog), CatalogError> {
        let makings = Arc::new(Makings::new(base, dialects, rules)?);
        let index = match self.kept(base, &makings)? {
            Some((index, kept)) if !is_outgrown(&index, &kept, base)? => {
                let head = Self::head(&kept, head, &makings)?;
                return Ok((kept, head));
            }
            Some((_, kept)) => Index::folded(kept.view(), base, &makings)?,
            None => Index::of(base, &makings)?,
        };
        let index = Arc::new(index);
        let catalogs = || {
            let base = Catalog::own(&index, base, &makings)?;
            let head = Self::head(&base, head, &makings)?;
            Ok((base, head))
        };
        // The file is written while the head is laid over the index.
        rayon::join(|| self.keep(&index, base, &makings), catalogs).1
    }

    fn head(base: &Catalog, head: &Tree, makings: &Arc<Makings>) -> Result<Catalog, CatalogError> {
        match base.with_tree(head)? {
            Some(catalog) => Ok(catalog),
            None => Catalog::own(&Arc::new(Index::of(head, makings)?), head, makings),
        }
    }

    /// The catalog of one tree.
    ///
    /// # Errors
    /// As [`Catalog::build`].
    pub fn catalog(
        &self,
        tree: &Tree,
        dialects: &[Arc<dyn Dialect>],
        rules: &CatalogRules,
    ) -> Result<Catalog, CatalogError> {
        let makings = Arc::new(Makings::new(tree, dialects, rules)?);
        let index = match self.kept(tree, &makings)? {
            Some((index, kept)) if !is_outgrown(&index, &kept, tree)? => return Ok(kept),
            Some((_, kept)) => Index::folded(kept.view(), tree, &makings)?,
            None => Index::of(tree, &makings)?,
        };
        let index = Arc::new(index);
        self.keep(&index, tree, &makings);
        Catalog::own(&index, tree, &makings)
    }

    /// The kept index, and a tree over it.
    fn kept(
        &self,
        tree: &Tree,
        makings: &Arc<Makings>,
    ) -> Result<Option<(Arc<Index>, Catalog)>, CatalogError> {
        let file = self.file(tree.repository(), makings);
        let Some(index) = file.and_then(|file| kept(&file, tree.repository(), makings)) else {
            return Ok(None);
        };
        Ok(Catalog::over(&index, tree, makings)?.map(|catalog| (index, catalog)))
    }

    /// Keeps the index of a commit. One that cannot be written is a slower next run, and no more.
    fn keep(&self, index: &Index, tree: &Tree, makings: &Makings) {
        if let Some(file) = self.file(tree.repository(), makings)
            && let Some(chunks) = index.chunks()
            && matches!(tree.revision(), Revision::Commit(_))
        {
            let _ = keep(&file, chunks);
            forget_unused(&file);
        }
    }

    fn file(&self, repository: &Repository, makings: &Makings) -> Option<PathBuf> {
        use std::os::unix::ffi::OsStrExt as _;
        let short = |bytes: &[u8]| Digest::of_bytes(bytes).hex()[..NAME].to_owned();
        let repository = short(repository.git_dir().as_os_str().as_bytes());
        Some(self.folder.as_ref()?.join(format!("{repository}-{}{INDEX}", short(&makings.key))))
    }
}

/// Of an index of so many scopes, one in this number can be laid anew over it before it is worth writing it anew.
const WORTH_KEEPING: u32 = 256;

/// Some scopes are always laid over it.
const A_FEW: u32 = 4;

/// Whether trunk has moved on from the commit of an index so far that what is laid over it costs each answer more than
/// need be. A tree that does not follow that commit, as that of an older branch, is no reason to give it up.
fn is_outgrown(index: &Index, kept: &Catalog, tree: &Tree) -> Result<bool, CatalogError> {
    let Revision::Commit(commit) = tree.revision() else { return Ok(false) };
    if kept.scopes_laid_over() <= (A_FEW + index.len()? / WORTH_KEEPING) as usize {
        return Ok(false);
    }
    let of_index = index.tree.revision().commit();
    Ok(tree.repository().is_ancestor(&of_index, commit).unwrap_or(false))
}

/// The index in a file, where it is whole, of this making, and of a commit that is still there.
fn kept(file: &Path, repository: &Repository, makings: &Arc<Makings>) -> Option<Arc<Index>> {
    // To open a pipe would wait for somebody who writes into it.
    let found = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
    let opened = File::open(file).ok()?;
    note_use(&opened, &found);
    let image = Image::in_file(opened).ok()?;
    let commit = CommitId::from_object(ObjectId::from_bytes(image.stamp.commit));
    let tree = repository.tree(&Revision::Commit(commit)).ok()?;
    let index = (stamp_of(&tree, makings) == image.stamp).then(|| Index::new(image, &tree, makings))?;
    Some(Arc::new(index))
}

/// How many hexadecimal digits name a repository, and what its index is made by.
const NAME: usize = 24;

/// How the names of indexes end.
const INDEX: &str = ".index";

/// A use is noted once in this time.
const NOTED_USE: Duration = Duration::from_secs(24 * 60 * 60);

/// An index that was not used for this time is not expected to be used again.
const LONGEST_UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Notes that an index is used. Where that cannot be noted, the index is made anew some day.
fn note_use(file: &File, found: &fs::Metadata) {
    if unused_for(found).is_some_and(|unused| unused > NOTED_USE) {
        let _ = file.set_modified(SystemTime::now());
    }
}

fn unused_for(file: &fs::Metadata) -> Option<Duration> {
    file.modified().ok()?.elapsed().ok()
}

/// Takes away the indexes of the same repository that nobody has used for long, and those whose names tell of no
/// repository, as earlier versions wrote them. What is just being written, in whatever format, is new.
fn forget_unused(file: &Path) {
    let Some((folder, name)) = file.parent().zip(file.file_name()) else { return };
    let Some(repository) = name.as_encoded_bytes().get(..=NAME) else { return };
    let is_unused = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let Some(stem) = name.as_encoded_bytes().strip_suffix(INDEX.as_bytes()) else { return false };
        let of_any = stem.len() == 32 && stem.iter().all(u8::is_ascii_hexdigit);
        let old = || entry.metadata().ok().filter(fs::Metadata::is_file).as_ref().and_then(unused_for);
        (of_any || stem.starts_with(repository)) && old().is_some_and(|unused| unused > LONGEST_UNUSED)
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(is_unused) {
        let _ = fs::remove_file(entry.path());
    }
}

/// How the names of files begin that are being written.
const PART: &str = ".part-";

/// What is not whole after this time was left by a process that was killed.
const LONGEST_WRITE: Duration = Duration::from_secs(60 * 60);

/// Writes a file whole or not at all.
fn keep(file: &Path, chunks: &Chunks) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    sweep(folder);
    let mut part = tempfile::Builder::new().prefix(PART).tempfile_in(folder)?;
    for chunk in chunks.iter() {
        part.write_all(chunk)?;
    }
    part.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// Takes away what killed processes left. What cannot be taken away stays.
fn sweep(folder: &Path) {
    let is_left = |entry: &fs::DirEntry| {
        let old = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        entry.file_name().as_encoded_bytes().starts_with(PART.as_bytes())
            && old().is_some_and(|old| old > LONGEST_WRITE)
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(is_left) {
        let _ = fs::remove_file(entry.path());
    }
}
