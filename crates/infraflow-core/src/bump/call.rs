use std::collections::BTreeMap;

use super::{BumpError, spelling::Piece, target::read_address, terragrunt};
use crate::{
    address::{AddressError, AddressRules, SourceAddress},
    catalog::{Catalog, Unit, UnitId},
    git::{BlobId, Tree},
    policy::EnvironmentName,
    proof::{Link, Reason, RepoPath},
    terraform::facts::{Place, Text},
};

/// A call of a module in the live configuration.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) file: RepoPath,
    /// `module.NAME`, or `terraform.source` of Terragrunt.
    pub(super) name: String,
    pub(super) source: Text,
    /// Where the parts of the source stand, if it is put together of several.
    pub(super) pieces: Option<Vec<Piece>>,
    pub(super) address: SourceAddress,
    pub(super) version: Option<Text>,
    /// The units it stands in; several where they share a directory.
    pub(super) units: Vec<UnitId>,
    /// That of all of them, where they share one.
    pub(super) environment: Option<EnvironmentName>,
}

/// The calls of a tree, and those that nobody can read, with why.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) calls: Vec<Call>,
    pub(super) unreadable: Vec<(RepoPath, Reason)>,
}

impl Calls {
    pub(super) fn of(tree: &Tree, catalog: &Catalog) -> Result<Self, BumpError> {
        let units = catalog.units()?;
        let mut found = Self::default();
        for call in catalog.calls()? {
            let standing: Vec<&Unit> = units.iter().filter(|unit| call.units.contains(&unit.id)).collect();
            let name = format!("module.{}", call.name);
            found.add(Written {
                file: &call.in_file,
                name,
                place: call.place,
                source: &call.source,
                pieces: None,
                version: call.version.as_ref(),
                units: standing,
            });
        }
        for unreadable in catalog.unparsable()? {
            let link = Link {
                line: unreadable.line.unwrap_or(1),
                ..Link::whole(unreadable.path.clone(), "unreadable")
            };
            let text = format!("it cannot be read, so that its calls are not known: {}", unreadable.why);
            let reason = Reason::new("unparsable", text).with_chain(vec![link]);
            found.unreadable.push((unreadable.path.clone(), reason));
        }
        terragrunt::calls(tree, &units, &mut found)?;
        found.calls.sort_by(|a, b| (&a.file, a.source.place).cmp(&(&b.file, b.source.place)));
        found.calls.dedup_by(|a, b| a.file == b.file && a.source.place == b.source.place);
        Ok(found)
    }

    pub(super) fn add(&mut self, written: Written<'_>) {
        let rules = if written.file.as_bytes().ends_with(b".hcl") {
            AddressRules::Terragrunt
        } else {
            AddressRules::Terraform
        };
        match read_address(&written.source.value, rules) {
            Ok(address) => self.calls.push(Call {
                file: written.file.clone(),
                name: written.name,
                source: written.source.clone(),
                pieces: written.pieces,
                address,
                version: written.version.cloned(),
                units: written.units.iter().map(|unit| unit.id.clone()).collect(),
                environment: environment_of(&written.units),
            }),
            Err(error) => self.refuse(&written, &error),
        }
    }

    fn refuse(&mut self, written: &Written<'_>, error: &AddressError) {
        let link = written.place.link(written.file.clone(), written.name.clone());
        let reason = Reason::new("bad_source", error.to_string()).with_chain(vec![link]);
        self.unreadable.push((written.file.clone(), reason));
    }
}

/// A call as a file has it.
pub(super) struct Written<'a> {
    pub(super) file: &'a RepoPath,
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) source: &'a Text,
    pub(super) pieces: Option<Vec<Piece>>,
    pub(super) version: Option<&'a Text>,
    pub(super) units: Vec<&'a Unit>,
}

/// The environment of all these units, if it is the same: what they share is no single environment's otherwise.
pub(super) fn environment_of(units: &[&Unit]) -> Option<EnvironmentName> {
    let (first, others) = units.split_first()?;
    let same = others.iter().all(|other| other.environment == first.environment);
    first.environment.clone().filter(|_| same)
}

/// The files that a plan reads, each once.
pub(super) struct Files<'a> {
    pub(super) tree: &'a Tree,
    read: BTreeMap<RepoPath, Option<(BlobId, Vec<u8>)>>,
}

impl<'a> Files<'a> {
    pub(super) fn of(tree: &'a Tree) -> Self {
        Self { tree, read: BTreeMap::new() }
    }

    /// A file's content, and its id; `None` for what is no file. Of a link nothing is read: the file that it
    /// leads to is edited where it stands.
    pub(super) fn get(&mut self, path: &RepoPath) -> Result<Option<&(BlobId, Vec<u8>)>, BumpError> {
        if !self.read.contains_key(path) {
            let entry = self.tree.entry(path)?.filter(|entry| entry.mode.is_file());
            let content = match entry {
                Some(entry) => {
                    let blob = BlobId::parse(&entry.id.to_string())?;
                    Some((blob, self.tree.read_entry(&entry)?))
                }
                None => None,
            };
            self.read.insert(path.clone(), content);
        }
        Ok(self.read.get(path).and_then(Option::as_ref))
    }
}
