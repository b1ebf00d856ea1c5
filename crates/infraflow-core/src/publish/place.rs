//! Where published things stand in a store.

use super::ItemName;
use crate::{
    proof::{Digest, RunId},
    store::{Key, StoreError},
};

/// The manifest of one unit's plan, published by one run. Whoever knows what the manifest says can tell
/// whether it stands where it belongs.
pub(super) fn manifest(repository: &str, unit: &str, plan: &Digest, run: &RunId) -> Result<Key, StoreError> {
    Ok(Key::parse("sealed")?.join(repository).join(unit).join(plan.hex()).join(run.as_str()).join("manifest"))
}

/// An item, by the digest of its stored bytes: two attempts of one run never meet under one key.
pub(super) fn item(manifest: &Key, item: ItemName, digest: &Digest) -> Result<Key, StoreError> {
    Ok(beside(manifest, "items")?.join(item.as_str()).join(digest.hex()))
}

/// Where the records of who opened what stand.
pub(super) fn openings(manifest: &Key) -> Result<Key, StoreError> {
    beside(manifest, "opened")
}

fn beside(manifest: &Key, name: &str) -> Result<Key, StoreError> {
    let folder = manifest.as_str().rsplit_once('/').map_or("sealed", |(folder, _)| folder);
    Ok(Key::parse(folder)?.join(name))
}
