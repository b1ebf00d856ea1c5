//! An index brought up to the tree that is laid over it: what is the same is taken over as it is written.

use super::{
    CatalogError,
    build::Makings,
    encoded::{self, Encoded, encode},
    image::{Damage, ENDS_A_PAGE, Image, Meta, OFFSETS_A_PAGE, array, as_u32, end_at},
    index::{Index, stamp_of},
    record::Key,
    stored,
    view::View,
};
use crate::git::Tree;

impl Image {
    /// The records whose keys are wanted, as they are written.
    fn kept(&self, wanted: &dyn Fn(&Key) -> bool) -> Result<Encoded, Damage> {
        let mut kept = Encoded::default();
        // The new number of each record.
        let mut numbers: Vec<Option<u32>> = Vec::new();
        for number in 0..self.len() as usize {
            let page = self.page(self.offsets_at, number / OFFSETS_A_PAGE)?;
            let at = 8 + number % OFFSETS_A_PAGE * 8;
            let body = self.body(u64::from_le_bytes(array(&page[at..at + 8])))?;
            let key = stored::key(&body).ok_or_else(|| Damage(format!("record {number} has no key")))?;
            numbers.push(wanted(&key).then(|| kept.take(key, &body)));
        }
        let mut at = 0;
        while at < self.ends {
            let place = usize::try_from(at).unwrap_or(usize::MAX);
            let page = self.page(self.ends_at, place / ENDS_A_PAGE)?;
            let in_page = (self.ends - at).min(ENDS_A_PAGE as u64) as usize;
            for slot in 0..in_page {
                let (hash, number, edge) = end_at(&page, slot);
                let known = numbers.get(number as usize);
                let known = known.ok_or_else(|| Damage(format!("there is no record {number}")))?;
                kept.ends.extend(known.map(|number| (hash, number, edge)));
            }
            at += in_page as u64;
        }
        Ok(kept)
    }
}

impl Encoded {
    /// Takes up a record as it is written, but for where its edges end. Its number.
    fn take(&mut self, key: Key, body: &[u8]) -> u32 {
        let number = as_u32(self.records.len());
        let start = self.bytes.len();
        encode(&mut self.bytes, |out| out.extend_from_slice(body));
        self.records.push((key, start..self.bytes.len()));
        number
    }
}

impl Index {
    /// The index of a tree that is laid over another one's.
    pub(super) fn folded(
        view: &View,
        tree: &Tree,
        makings: &std::sync::Arc<Makings>,
    ) -> Result<Self, CatalogError> {
        let laid_over = |key: &Key| view.patch.by_key.contains_key(key);
        let kept = view.index.ask(|image| image.kept(&|key| !laid_over(key)))?;
        let mut laid = Encoded::default();
        view.patch.scopes().filter_map(|(_, record)| record).for_each(|record| laid.push(record));
        let meta = Meta {
            links: view.links.links.iter().map(|(link, to)| (link.clone(), to.clone())).collect(),
            submodules: view.links.submodules.iter().cloned().collect(),
            versions: view.versions.iter().cloned().collect(),
        };
        Self::of_chunks(encoded::image(stamp_of(tree, makings), vec![kept, laid], &meta), tree, makings)
    }
}
