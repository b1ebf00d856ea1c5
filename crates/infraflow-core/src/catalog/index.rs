//! The linked records of one tree, read in place; made anew where a kept file turns out to be damaged.

use std::sync::{Arc, OnceLock};

use super::{
    CatalogError,
    build::{Makings, records_of},
    chunks::Chunks,
    encoded,
    image::{Damage, Image, Meta, Stamp},
    record::Record,
};
use crate::{git::Tree, proof::RepoPath};

pub(super) struct Index {
    image: Image,
    /// The tree whose index it is.
    pub(super) tree: Tree,
    makings: Arc<Makings>,
    /// What takes the image's place once it turned out to be damaged. Records are numbered by their keys, so
    /// numbers that were given out stay good.
    mended: OnceLock<Result<Image, String>>,
}

impl Index {
    /// Indexes a tree.
    pub(super) fn of(tree: &Tree, makings: &Arc<Makings>) -> Result<Self, CatalogError> {
        Self::of_chunks(image_of(tree, makings)?, tree, makings)
    }

    /// The index of a tree, of its bytes.
    pub(super) fn of_chunks(
        chunks: Chunks,
        tree: &Tree,
        makings: &Arc<Makings>,
    ) -> Result<Self, CatalogError> {
        let image = Image::in_memory(chunks).map_err(|damage| damaged(tree, &damage.0))?;
        Ok(Self::new(image, tree, makings))
    }

    /// Its bytes, where it was just made: to keep them.
    pub(super) fn chunks(&self) -> Option<&Chunks> {
        self.image.chunks()
    }

    pub(super) fn new(image: Image, tree: &Tree, makings: &Arc<Makings>) -> Self {
        Self { image, tree: tree.clone(), makings: Arc::clone(makings), mended: OnceLock::new() }
    }

    /// Asks the image, or what takes its place.
    pub(super) fn ask<T>(&self, question: impl Fn(&Image) -> Result<T, Damage>) -> Result<T, CatalogError> {
        if self.mended.get().is_none()
            && let Ok(answer) = question(&self.image)
        {
            return Ok(answer);
        }
        let mended = self.mended.get_or_init(|| {
            let chunks = image_of(&self.tree, &self.makings).map_err(|error| error.to_string())?;
            Image::in_memory(chunks).map_err(|damage| damage.0)
        });
        let answer = mended
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|image| question(image).map_err(|damage| damage.0));
        answer.map_err(|why| damaged(&self.tree, &why))
    }

    pub(super) fn len(&self) -> Result<u32, CatalogError> {
        self.ask(|image| Ok(image.len()))
    }

    pub(super) fn meta(&self) -> Result<Meta, CatalogError> {
        self.ask(Image::meta)
    }

    pub(super) fn record(&self, number: u32) -> Result<Arc<Record>, CatalogError> {
        self.ask(|image| {
            let record = image.record(number)?;
            match usize::from(record.key.dialect) < self.makings.dialects.len() {
                true => Ok(record),
                false => Err(Damage(format!("record {number} is of no dialect"))),
            }
        })
    }

    /// The records with an edge, or something lent, at a path: numbers, and places of edges.
    pub(super) fn ends(&self, kind: u8, path: &RepoPath) -> Result<Vec<(u32, u32)>, CatalogError> {
        self.ask(|image| image.ends(kind, path))
    }

    /// The numbers of the records at a path.
    pub(super) fn at(&self, path: &RepoPath) -> Result<Vec<u32>, CatalogError> {
        self.ask(|image| image.at(path))
    }

    /// The numbers of the records at a directory and below it.
    pub(super) fn below(&self, directory: &RepoPath) -> Result<Vec<u32>, CatalogError> {
        if directory.is_root() {
            return Ok((0..self.len()?).collect());
        }
        let mut found = self.at(directory)?;
        let mut from = directory.as_bytes().to_vec();
        from.push(b'/');
        let mut to = directory.as_bytes().to_vec();
        to.push(b'/' + 1);
        found.extend(self.ask(|image| {
            let first = image.first_from(&from)?;
            // Mostly there is nothing below.
            let any = first < image.len() && image.record(first)?.key.at.as_bytes().starts_with(&from);
            Ok(first..if any { image.first_from(&to)? } else { first })
        })?);
        Ok(found)
    }
}

fn image_of(tree: &Tree, makings: &Makings) -> Result<Chunks, CatalogError> {
    let (records, meta) = records_of(tree, makings)?;
    Ok(encoded::image(stamp_of(tree, makings), records, &meta))
}

/// What an index of a tree is stamped with.
pub(super) fn stamp_of(tree: &Tree, makings: &Makings) -> Stamp {
    Stamp {
        key: makings.key,
        commit: *tree.revision().commit().object().as_bytes(),
        tree: *tree.id().object().as_bytes(),
    }
}

fn damaged(tree: &Tree, why: &str) -> CatalogError {
    CatalogError::Damaged { what: format!("of the tree of {}", tree.revision()), why: why.to_owned() }
}
