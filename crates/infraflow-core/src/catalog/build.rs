//! From a tree to the records of its scopes.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use rayon::prelude::*;

use super::{
    CatalogError, CatalogRules, Dialect,
    encoded::Encoded,
    ground::Ground,
    group::{Group, Grouped},
    image::Meta,
    link::{carried, finished, link_alone},
    links::Links,
    look::Memo,
    own::OwnAddresses,
    prepare::Prepared,
    record::Record,
    scope::{Scope, gather},
    unclear::Whole,
};
use crate::{
    git::{GitError, Tree},
    proof::{Digester, RepoPath},
};

/// Everything besides the tree that a catalog is made of.
pub(super) struct Makings {
    pub(super) dialects: Vec<Arc<dyn Dialect>>,
    pub(super) rules: CatalogRules,
    pub(super) own: OwnAddresses,
    pub(super) memo: Memo,
    pub(super) whole: Whole,
    /// Which dialects run which, by their places.
    runs: Vec<Vec<bool>>,
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
        let named: Vec<_> = dialects.iter().map(|dialect| dialect.name()).collect();
        let runs = dialects.iter().zip(0..).map(|(dialect, at)| {
            let names = named.iter().zip(0..);
            names.map(|(name, other)| other == at || dialect.runs(name)).collect()
        });
        let runs = runs.collect();
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
        let dialects = dialects.iter().map(|dialect| {
            let chosen = dialect.for_tool(rules.tool);
            chosen.unwrap_or_else(|| Arc::clone(dialect))
        });
        let dialects = dialects.collect();
        Ok(Self {
            dialects,
            rules: rules.clone(),
            own,
            memo: Memo::default(),
            whole: Whole::default(),
            runs,
            key,
        })
    }

    /// Whether a dialect's tool runs what a directory has, which is of these dialects.
    pub(super) fn runs_any<'d>(&self, dialect: u8, others: impl IntoIterator<Item = &'d u8>) -> bool {
        others.into_iter().any(|&other| self.runs(dialect, other))
    }

    /// Whether a dialect's tool also runs what another has in a directory.
    pub(super) fn runs(&self, dialect: u8, other: u8) -> bool {
        let row = self.runs.get(usize::from(dialect));
        row.and_then(|row| row.get(usize::from(other))).copied().unwrap_or_default()
    }

    pub(super) fn ground<'a>(&'a self, tree: &'a Tree, links: &'a Links) -> Ground<'a> {
        let Self { dialects, rules, own, memo, .. } = self;
        Ground {
            tree,
            dialects,
            rules,
            own,
            links,
            memo,
            prepared: Prepared::default(),
            near: Mutex::default(),
        }
    }

    /// That no dialect has failed for a reason of its own.
    pub(super) fn sound(&self) -> Result<(), CatalogError> {
        let mut failures =
            self.dialects.iter().filter_map(|dialect| Some((dialect.name(), dialect.failure()?)));
        failures.next().map_or(Ok(()), |(name, source)| Err(CatalogError::Dialect { name, source }))
    }
}

/// So many scopes are linked in a row before their records are put aside.
const IN_A_ROW: usize = 128;

/// The records of all scopes of a tree. Reads the tree on all cores (rayon's).
///
/// Each scope is linked by itself as soon as it is read, and only its encoded record is kept: few leave a path
/// open for their callers to fill in. Whoever calls one of those is linked once more, together.
pub(super) fn records_of(tree: &Tree, makings: &Makings) -> Result<(Vec<Encoded>, Meta), CatalogError> {
    let failed = |source| CatalogError::git(tree, source);
    tree.repository().patient(true).map_err(failed)?;
    let directories = tree.directories(&RepoPath::root()).map_err(failed)?;
    let grouped = directories.par_iter().map(|directory| Grouped::of(directory, makings));
    let grouped: Vec<Grouped> = grouped.collect::<Result<_, _>>().map_err(failed)?;
    drop(directories);
    let (mut groups, mut links, mut meta) = (Vec::new(), Links::default(), Meta::default());
    for mut directory in grouped {
        groups.append(&mut directory.groups);
        meta.versions.append(&mut directory.versions);
        for way in directory.ways {
            links.set(tree, &way.path, Some(&way)).map_err(failed)?;
        }
    }
    meta.versions.sort();
    let with_configuration = groups.iter().filter(|group| !group.key.test).map(|group| &group.key);
    let with_configuration: Vec<(RepoPath, u8)> =
        with_configuration.map(|key| (key.at.clone(), key.dialect)).collect();
    let configured = |dialect: u8, directory: &RepoPath| {
        let first = with_configuration.partition_point(|(at, _)| at < directory);
        let here = with_configuration[first..].iter().take_while(|(at, _)| at == directory);
        makings.runs_any(dialect, here.map(|(_, other)| other))
    };
    let mut ground = makings.ground(tree, &links);
    ground.prepare(&groups).map_err(failed)?;
    let ground = ground;

    let alone = |group: &Group| link_alone(&gather(group, &ground, &configured)?, &ground, &configured);
    let parts = groups.par_chunks(IN_A_ROW).zip((0..groups.len()).into_par_iter().step_by(IN_A_ROW));
    let parts: Vec<Part> = parts
        .map_init(Vec::new, |room, (groups, first)| {
            let mut part = Part { encoded: Encoded::with_room(std::mem::take(room)), ..Part::default() };
            for (group, number) in groups.iter().zip(first..) {
                part.take(number, alone(group)?);
            }
            *room = part.encoded.give_back();
            Ok(part)
        })
        .collect::<Result<_, GitError>>()
        .map_err(failed)?;

    let callers = callers_of_open(&parts);
    let mut encoded: Vec<Encoded> = Vec::with_capacity(parts.len() + 1);
    let mut open: HashMap<RepoPath, Vec<Arc<Record>>> = HashMap::new();
    for part in parts {
        encoded.push(part.encoded);
        for (number, record) in part.open.into_iter().filter(|(number, _)| !callers.contains(number)) {
            if !groups[number].key.test {
                open.entry(record.directory.clone()).or_default().push(record);
            }
        }
    }
    if !callers.is_empty() {
        let scopes = callers.par_iter().map(|&number| gather(&groups[number], &ground, &configured));
        let scopes = scopes.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let outside = |directory: &RepoPath| Ok(open.get(directory).cloned().unwrap_or_default());
        let mut again = Encoded::default();
        let scopes: Vec<&Scope> = scopes.iter().collect();
        let drafts = carried(&scopes, &ground, &outside)?;
        for record in finished(drafts, &ground, &configured)? {
            again.push(&record);
        }
        encoded.push(again);
    }
    meta.links = links.links.into_iter().collect();
    meta.submodules = links.submodules.into_iter().collect();
    makings.sound()?;
    Ok((encoded, meta))
}

/// Some linked scopes, by the numbers of their groups.
#[derive(Default)]
struct Part {
    encoded: Encoded,
    /// Those that leave paths open to their callers.
    open: Vec<(usize, Arc<Record>)>,
    /// Which directories each calls, or tests.
    calls: Vec<(usize, RepoPath, Vec<RepoPath>)>,
}

impl Part {
    fn take(&mut self, number: usize, record: Record) {
        self.encoded.push(&record);
        let mut called: Vec<RepoPath> = record.called().cloned().collect();
        let directory = record.directory.clone();
        if record.key.test {
            called.push(directory.clone());
        }
        if !called.is_empty() {
            self.calls.push((number, directory, called));
        }
        if !record.open.is_empty() {
            self.open.push((number, Arc::new(record)));
        }
    }
}

/// Who calls a scope that leaves paths open, directly or through others, and who tests one.
fn callers_of_open(parts: &[Part]) -> BTreeSet<usize> {
    let mut work: Vec<&RepoPath> =
        parts.iter().flat_map(|part| &part.open).map(|(_, record)| &record.directory).collect();
    if work.is_empty() {
        return BTreeSet::new();
    }
    let mut callers: HashMap<&RepoPath, Vec<(usize, &RepoPath)>> = HashMap::new();
    for (number, directory, called) in parts.iter().flat_map(|part| &part.calls) {
        for called in called {
            callers.entry(called).or_default().push((*number, directory));
        }
    }
    let mut found = BTreeSet::new();
    while let Some(directory) = work.pop() {
        for &(number, above) in callers.get(directory).into_iter().flatten() {
            if found.insert(number) {
                work.push(above);
            }
        }
    }
    found
}
