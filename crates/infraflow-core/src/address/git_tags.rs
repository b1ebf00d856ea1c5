use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{
    AddressError, AvailableVersion, PackageIdentity, SourceAddress, SourceKind, Version, VersionSource,
    VersionedRef,
};
use crate::git::{GitProgram, RemoteUrl};

/// The versions of modules in git repositories: the tags of the remote, as it has them now.
///
/// Which tags are versions of a module, its address says: those that differ from its ref in the version
/// alone (`network/v1.2.3` and `network/v1.3.0`). Of an address without a ref, or with a branch for one, the
/// tags are `SUBDIRECTORY/vX.Y.Z` for its subdirectory, the same without a first directory `modules`, and
/// where there are none of these, `vX.Y.Z` of the whole repository.
#[derive(Clone, Debug, Default)]
pub struct GitTags {
    program: GitProgram,
}

impl GitTags {
    /// Asks remotes by the `git` program with this environment.
    pub fn new(program: GitProgram) -> Self {
        Self { program }
    }
}

#[async_trait]
impl VersionSource for GitTags {
    async fn versions(
        &self,
        address: &SourceAddress,
        cancel: &CancellationToken,
    ) -> Result<Vec<AvailableVersion>, AddressError> {
        if address.kind() != SourceKind::Git {
            return Err(AddressError::NotAsked {
                address: address.to_string(),
                kind: address.kind().as_str(),
                answers: "git repositories",
            });
        }
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| AddressError::Observe {
            package: PackageIdentity::of(address).to_string(),
            source,
        };
        let url = RemoteUrl::parse(address.url()).map_err(|error| failed(Box::new(error)))?;
        let program = self.program.clone();
        let asking = tokio::task::spawn_blocking(move || program.remote_tags(&url));
        let tags = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(AddressError::Cancelled { address: address.to_string() }),
            tags = asking => tags.map_err(|error| failed(Box::new(error)))?.map_err(|error| failed(Box::new(error)))?,
        };
        let names: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).collect();
        Ok(versions_among(address, &names))
    }
}

/// The versions that tags with these names are of the module at an address.
fn versions_among(address: &SourceAddress, names: &[&str]) -> Vec<AvailableVersion> {
    let of = |prefix: &str| -> Vec<AvailableVersion> {
        let mut found: Vec<_> = names
            .iter()
            .filter_map(|name| {
                let rest = name.strip_prefix(prefix)?;
                Some(AvailableVersion::new(Version::parse(rest).ok()?, *name))
            })
            .collect();
        found.sort();
        found
    };
    if let Some(pinned) = address.reference().as_deref().and_then(VersionedRef::parse) {
        // A bare number would take "v1" for a version of the prefix "".
        return of(&pinned.prefix).into_iter().filter(|v| is_of(&pinned.prefix, &v.reference)).collect();
    }
    let subdir = address.subdir().unwrap_or_default();
    let short = subdir.strip_prefix("modules/").unwrap_or(subdir);
    let candidates = [format!("{subdir}/v"), format!("{short}/v"), "v".to_owned()];
    candidates
        .iter()
        .map(|prefix| of(prefix.trim_start_matches('/')))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

fn is_of(prefix: &str, reference: &str) -> bool {
    VersionedRef::parse(reference).is_some_and(|read| read.prefix == prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: [&str; 9] = [
        "network/v1.0.0",
        "network/v1.10.0",
        "network/v1.9.0",
        "network-x/v2.0.0",
        "v0.1.0",
        "1.0.0",
        "network/vnext",
        "network/sub/v3.0.0",
        "release",
    ];

    fn versions(source: &str) -> Vec<String> {
        let address = SourceAddress::parse(source).unwrap();
        versions_among(&address, &TAGS).into_iter().map(|version| version.reference).collect()
    }

    #[test]
    fn only_tags_of_the_same_module_are_its_versions() {
        let network = ["network/v1.0.0", "network/v1.9.0", "network/v1.10.0"];
        assert_eq!(versions("git::https://h/r//modules/network?ref=network/v1.0.0"), network);
        assert_eq!(versions("git::https://h/r//modules/network"), network);
        assert_eq!(versions("git::https://h/r//network?ref=main"), network);
        assert_eq!(versions("git::https://h/r//other"), ["v0.1.0"]);
        assert_eq!(versions("git::https://h/r?ref=1.0.0"), ["1.0.0"]);
        assert_eq!(versions("git::https://h/r?ref=v0.1.0"), ["v0.1.0"]);
    }
}
