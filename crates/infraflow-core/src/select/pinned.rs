//! Whether the address of a module outside the repository names content that stays.

use super::Immutable;
use crate::address::{ModuleConstraint, SourceAddress, SourceKind, Version, VersionedRef};

/// Why what an address names can change without the address; `None` where it stays.
pub(super) fn moves(source: &str, version: Option<&str>, rule: Immutable) -> Option<String> {
    let address = match SourceAddress::parse(source) {
        Ok(address) => address,
        Err(error) => return Some(error.to_string()),
    };
    let value = |name: &str| address.param(name).map(|param| param.decoded());
    let versions = rule == Immutable::Versions;
    // An archive that go-getter checks is that archive, wherever it comes from.
    if value("checksum").is_some_and(|checksum| is_checksum(&checksum)) {
        return None;
    }
    let reference = address.reference();
    match (address.kind(), reference) {
        (SourceKind::Registry, reference) => {
            let version = reference.or_else(|| version.map(str::to_owned));
            let exact = |text: &str| {
                Version::parse(text).is_ok()
                    || ModuleConstraint::parse(text).is_ok_and(|it| it.exact().is_some())
            };
            match version {
                Some(version) if versions && exact(&version) => None,
                Some(version) => Some(format!("the registry decides what version {version:?} is")),
                None => Some("it names no version".into()),
            }
        }
        (SourceKind::Oci, reference) => match (value("digest"), reference) {
            (Some(digest), _) if digest.starts_with("sha256:") => None,
            (_, Some(tag)) if versions && Version::parse(&tag).is_ok() => None,
            _ => Some("its tag can be moved, and it names no digest".into()),
        },
        (SourceKind::S3, _) if value("version").is_some_and(|version| !version.is_empty()) => None,
        (_, Some(reference)) if is_commit(&reference) => None,
        (_, Some(reference)) if versions && VersionedRef::parse(&reference).is_some() => None,
        (_, Some(reference)) => Some(format!("its ref {reference:?} can be moved")),
        (_, None) => Some("it names no ref".into()),
    }
}

fn is_commit(reference: &str) -> bool {
    matches!(reference.len(), 40 | 64) && is_hex(reference)
}

/// `sha256:<hex>`, or the hexadecimal digits alone; not the address of a file of checksums.
fn is_checksum(text: &str) -> bool {
    let digits = text.rsplit_once(':').map_or(text, |(_, digits)| digits);
    digits.len() >= 40 && is_hex(digits)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_or_a_checksum_stays_and_a_tag_only_where_a_rule_trusts_it() {
        let commit = format!("git::https://example.com/net.git?ref={}", "a1".repeat(20));
        let checked = format!("https://example.com/net.zip?checksum=sha256:{}", "0f".repeat(32));
        let digest = format!("oci://example.com/net?digest=sha256:{}", "0f".repeat(32));
        for (source, version, commits, versions) in [
            (commit.as_str(), None, true, true),
            (checked.as_str(), None, true, true),
            ("git::https://example.com/net.git?ref=v1.2.3", None, false, true),
            ("github.com/acme/net//vpc?ref=vpc/v1.2.3", None, false, true),
            ("git::https://example.com/net.git?ref=main", None, false, false),
            ("git::https://example.com/net.git", None, false, false),
            ("git::https://example.com/net.git?ref=a1b2c3d", None, false, false),
            ("acme/net/aws", Some("1.2.3"), false, true),
            ("acme/net/aws", Some("~> 1.2"), false, false),
            ("acme/net/aws", None, false, false),
            ("https://example.com/net.zip", None, false, false),
            ("https://example.com/net.zip?checksum=file:https://example.com/sums", None, false, false),
        ] {
            assert_eq!(moves(source, version, Immutable::Commits).is_none(), commits, "{source} {version:?}");
            assert_eq!(
                moves(source, version, Immutable::Versions).is_none(),
                versions,
                "{source} {version:?}"
            );
        }
        // Terraform itself knows no OCI registry.
        assert!(moves(&digest, None, Immutable::Versions).is_some());
    }
}
