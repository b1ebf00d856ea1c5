//! Addresses that mean this very repository.

use std::collections::HashSet;

use super::CatalogRules;
use crate::{
    address::{PackageIdentity, SourceAddress, SourceKind},
    git::{RemoteName, Tree},
    proof::RepoPath,
};

/// The addresses of a repository, and what its trunk is called.
pub(super) struct OwnAddresses {
    packages: HashSet<PackageIdentity>,
    trunk: Option<String>,
}

impl OwnAddresses {
    /// The remotes of the tree's repository, and what the rules add.
    pub(super) fn of(tree: &Tree, rules: &CatalogRules) -> Self {
        let repository = tree.repository();
        // A remote whose address git itself would refuse is nobody's address.
        let origin = repository.remote_url(&RemoteName::origin()).ok().flatten();
        let packages = origin.iter().map(|url| PackageIdentity::of_remote(url.as_str()));
        let added = rules.addresses.iter().map(|address| match SourceAddress::parse(address) {
            Ok(parsed) if parsed.kind() == SourceKind::Git => PackageIdentity::of(&parsed),
            _ => PackageIdentity::of_remote(address),
        });
        Self {
            packages: packages.chain(added).collect(),
            trunk: repository.trunk().ok().map(|trunk| trunk.as_str().to_owned()),
        }
    }

    /// All of it as text: what is the same has the same.
    pub(super) fn text(&self) -> String {
        let mut packages: Vec<String> = self.packages.iter().map(|package| format!("{package:?}")).collect();
        packages.sort();
        format!("{packages:?} {:?}", self.trunk)
    }

    /// Where in this repository a source address leads to, called from a directory: a directory, and the
    /// way from there. `None` for what lies elsewhere, and for what is pinned to another revision.
    pub(super) fn within(&self, directory: &RepoPath, source: &str) -> Option<(RepoPath, String)> {
        let address = SourceAddress::parse(source).ok()?;
        match address.kind() {
            SourceKind::Local => Some((directory.clone(), address.url().to_owned())),
            SourceKind::Git | SourceKind::Other if self.packages.contains(&PackageIdentity::of(&address)) => {
                let follows = self.follows_trunk(address.reference().as_deref());
                follows.then(|| (RepoPath::root(), address.subdir().unwrap_or_default().to_owned()))
            }
            _ => None,
        }
    }

    /// Whether what git clones from an address is this repository, at a reference that follows its trunk.
    pub(super) fn is_own(&self, url: &str, reference: Option<&str>) -> bool {
        self.packages.contains(&PackageIdentity::of_remote(url)) && self.follows_trunk(reference)
    }

    fn follows_trunk(&self, reference: Option<&str>) -> bool {
        let Some(reference) = reference else { return true };
        let short = reference.strip_prefix("refs/heads/").unwrap_or(reference);
        reference.is_empty() || reference == "HEAD" || Some(short) == self.trunk.as_deref()
    }
}
