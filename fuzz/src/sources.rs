//! Source addresses, refs, versions and constraints.

use infraflow_core::address::{
    AddressRules, ModuleConstraint, PackageIdentity, ProviderConstraint, ProviderVersion, RegistryAddress,
    SourceAddress, Version, VersionedRef,
};

/// The input is one text, taken for each of them.
///
/// # Panics
/// Where an address is not the text it was read from, a span lies outside of it, or two readings of it differ.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for rules in [AddressRules::Terraform, AddressRules::OpenTofu] {
        let Ok(address) = SourceAddress::parse_as(text, rules) else { continue };
        assert_eq!(address.as_str(), text);
        let _ = (address.url(), address.location(), address.package(), address.canonical());
        let _ = (address.registry(), address.scheme(), address.forced(), address.file_url("/tmp"));
        if let Some(span) = address.subdir_span() {
            assert!(text.get(span).is_some(), "{text}");
        }
        address.without_params(&["ref", "depth"]);
        for param in address.params() {
            address.param(&param.name);
        }
        assert_eq!(PackageIdentity::of(&address), PackageIdentity::of(&address));
    }
    PackageIdentity::of_remote(text);
    let _ = RegistryAddress::parse(text);
    let _ = VersionedRef::parse(text);
    let versions = [Version::release(1, 2, 3), Version::release(0, 0, 0)];
    if let Ok(version) = Version::parse(text) {
        assert_eq!(version.cmp(&version), std::cmp::Ordering::Equal);
        for constraint in ["~> 1.2", ">= 0.0.0-a, != 3"].map(ModuleConstraint::parse).into_iter().flatten() {
            let _ = (constraint.allows(&version), constraint.installs(&version));
        }
    }
    if let Ok(constraint) = ModuleConstraint::parse(text) {
        versions.iter().for_each(|version| {
            let _ = (constraint.allows(version), constraint.installs(version));
        });
        let same = std::slice::from_ref(&constraint);
        assert_eq!(ModuleConstraint::excluded(same, same), None, "{text}");
    }
    let _ = ModuleConstraint::parse_required_version(text);
    if let Ok(constraint) = ProviderConstraint::parse(text) {
        constraint.canonical();
        assert_eq!(constraint.excluded_by(&constraint), None, "{text}");
    }
    let _ = ProviderVersion::parse(text);
}
