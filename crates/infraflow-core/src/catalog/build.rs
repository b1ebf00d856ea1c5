//! From a tree to the records of its scopes.

use std::{collections::HashSet, sync::Arc};

use rayon::prelude::*;

use super::{
    CatalogError, CatalogRules, Dialect, Role,
    ground::{Ground, claims},
    image::Meta,
    link::link,
    links::Links,
    look::Memo,
    own::OwnAddresses,
    record::Record,
    scope::{Group, gather, groups},
};
use crate::{
    git::{Directory, Mode, Tree},
    proof::{Digester, RepoPath},
};

/// Everything besides the tree that a catalog is made of.
pub(super) struct Makings {
    pub(super) dialects: Vec<Arc<dyn Dialect>>,
    pub(super) rules: CatalogRules,
    pub(super) own: OwnAddresses,
    pub(super) memo: Memo,
    /// The digest of all of them.
    pub(super) key: [u8; 32],
}

impl Makings {
    pub(super) fn new(
        tree: &Tree,
        dialects: &[Arc<dyn Dialect>],
        rules: &CatalogRules,
    ) -> Result<Self, CatalogError> {
        let mut names: Vec<_> = dialects.iter().map(|dialect| dialect.name()).collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(CatalogError::TwoDialects { name: pair[0].clone() });
        }
        if dialects.len() > usize::from(u8::MAX) {
            return Err(CatalogError::TooManyDialects { count: dialects.len() });
        }
        let own = OwnAddresses::of(tree, rules);
        let mut digester = Digester::new();
        let mut part = |text: &str| {
            digester.update(text.len().to_le_bytes());
            digester.update(text);
        };
        part(env!("CARGO_PKG_VERSION"));
        for dialect in dialects {
            part(&dialect.name().to_string());
            part(&dialect.version().to_string());
        }
        // Rules are plain data: their JSON always exists.
        part(&serde_json::to_string(rules).unwrap_or_default());
        part(&own.text());
        let key = digester.finish_bytes();
        Ok(Self { dialects: dialects.to_vec(), rules: rules.clone(), own, memo: Memo::default(), key })
    }

    pub(super) fn ground<'a>(&'a self, tree: &'a Tree, links: &'a Links) -> Ground<'a> {
        Ground { tree, dialects: &self.dialects, rules: &self.rules, own: &self.own, links, memo: &self.memo }
    }
}

/// The records of all scopes of a tree, sorted by key. Reads the tree on all cores (rayon's).
pub(super) fn records_of(tree: &Tree, makings: &Makings) -> Result<(Vec<Arc<Record>>, Meta), CatalogError> {
    let failed = |source| CatalogError::git(tree, source);
    let directories = tree.directories(&RepoPath::root()).map_err(failed)?;
    let mut links = Links::default();
    let mut versions = Vec::new();
    for entry in directories.iter().flat_map(Directory::entries) {
        let entry = entry.map_err(failed)?;
        if matches!(entry.mode, Mode::Link | Mode::Submodule) {
            links.set(tree, &entry.path, Some(&entry)).map_err(failed)?;
        }
        if entry.mode != Mode::Directory {
            let claims = claims(&makings.dialects, &entry.path);
            let pins = claims.filter(|(_, claim)| claim.role == Role::ToolVersion);
            versions.extend(pins.map(|(dialect, _)| (entry.path.clone(), dialect)));
        }
    }
    versions.sort();
    let ground = makings.ground(tree, &links);
    let groups: Vec<Vec<Group>> = directories
        .par_iter()
        .map(|directory| groups(directory, &ground))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    drop(directories);
    let groups: Vec<Group> = groups.into_iter().flatten().collect();
    let with_configuration: HashSet<RepoPath> = groups
        .iter()
        .filter(|group| group.configures())
        .map(|group| group.directory.path().clone())
        .collect();
    let configured = |directory: &RepoPath| with_configuration.contains(directory);
    let scopes = groups.par_iter().map(|group| gather(group, &ground, &configured));
    let scopes = scopes.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let mut records: Vec<Arc<Record>> =
        link(&scopes, &ground, &configured, &|_| Ok(Vec::new()))?.into_iter().map(Arc::new).collect();
    records.par_sort_by(|one, two| one.key.cmp(&two.key));
    let meta = Meta {
        links: links.links.into_iter().collect(),
        submodules: links.submodules.into_iter().collect(),
        versions,
    };
    Ok((records, meta))
}
