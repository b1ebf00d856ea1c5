use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Impact;
use crate::{
    address::{AddressRules, PackageIdentity, SourceAddress, SourceKind, Version},
    catalog::{Catalog, CatalogError, ModuleCall, Template, UnitId, UnitOnTheWay},
    git::{CommitId, Revision},
    policy::EnvironmentName,
    proof::{Document, Reason, RepoPath},
};

/// Which units of a live repository a change of the modules repository reaches.
///
/// ```json
/// {"kind": "reach", "schema_version": 1, "digest": "sha256:…", "merge_base": "1f0c…", "head": "77ab…",
///  "live": "9b1d…", "reached": [{"unit": "prod/net", "environment": "prod", "module": "modules/net",
///    "pinned": "net/v1.2.0", "newest": "net/v1.4.0", "is_newest": false, "when": "bumped",
///    "reasons": [{"rule": "module_call", "text": "prod/net calls modules/net: …", "chain": ["…"]}]}],
///  "warnings": []}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Reach {
    /// Where the change of the modules repository begins.
    pub merge_base: CommitId,
    /// Where it ends.
    pub head: Revision,
    /// The revision of the live repository, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Revision>,
    /// The units, sorted.
    pub reached: Vec<Reached>,
    /// What a person should know, in sentences.
    pub warnings: Vec<String>,
}

impl Document for Reach {
    const KIND: &'static str = "reach";
    const SCHEMA_VERSION: u32 = 1;
}

impl Reach {
    /// What an impact's modules reach, as [`reach`] found it in a revision of the live repository.
    pub fn new(
        impact: &Impact,
        live: Option<Revision>,
        reached: Vec<Reached>,
        warnings: Vec<String>,
    ) -> Self {
        Self { merge_base: impact.merge_base, head: impact.head, live, reached, warnings }
    }
}

/// A unit of the live repository that calls an affected module of the modules repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Reached {
    /// The unit.
    pub unit: UnitId,
    /// The environment it belongs to, where the policy names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
    /// The module's directory in its own repository.
    pub module: RepoPath,
    /// The revision at which the unit pins it, or the version constraint of a registry's module; `None` where it
    /// follows the module's trunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<String>,
    /// The newest tag of the same name as the pinned one, where `pinned` is a version's tag and tags are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// Whether the pinned tag is the newest: then this change is the next that the unit gets. Otherwise it gets
    /// those between as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_newest: Option<bool>,
    /// When the change reaches the unit.
    #[serde(default)]
    pub when: ReachedWhen,
    /// Why: the module's own reasons, each led on to the call.
    pub reasons: Vec<Reason>,
}

/// When a change reaches a unit of another repository.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReachedWhen {
    /// Once it is released and the unit's ref is raised.
    #[default]
    Bumped,
    /// As soon as it is on trunk: nothing pins it.
    Merged,
    /// Once it is released, if the unit's version constraint allows it.
    Released,
}

/// By which addresses a live repository fetches the modules of another one.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ModuleAddresses {
    /// Those of the repository itself.
    pub packages: Vec<PackageIdentity>,
    /// Those under which single modules are published.
    pub published: Vec<Published>,
    /// The repository's tags.
    pub tags: Vec<String>,
}

/// Modules that are published in a registry, or anywhere else under an address of their own: one
/// `[[impact.published]]`.
///
/// A word in braces stands for a part of one name: `{ source = "app.terraform.io/acme/{name}/aws", module =
/// "modules/{name}" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Published {
    /// The address, as it stands in `source`, without a subdirectory.
    pub source: Template,
    /// The module's directory in its repository.
    pub module: Template,
}

impl ModuleAddresses {
    /// Addresses of the repository itself.
    pub fn of(packages: impl IntoIterator<Item = PackageIdentity>) -> Self {
        Self { packages: packages.into_iter().collect(), ..Self::default() }
    }

    /// With modules that are published under addresses of their own.
    #[must_use]
    pub fn with_published(mut self, published: impl IntoIterator<Item = Published>) -> Self {
        self.published.extend(published);
        self
    }

    /// With the tags of the repository, to tell which of them are the newest.
    #[must_use]
    pub fn with_tags(mut self, tags: impl IntoIterator<Item = String>) -> Self {
        self.tags.extend(tags);
        self
    }

    /// The directory to which an address leads.
    fn module(&self, address: &SourceAddress) -> Option<RepoPath> {
        let subdir = address.subdir().unwrap_or_default();
        if self.packages.contains(&PackageIdentity::of(address)) {
            return RepoPath::root().resolve(subdir);
        }
        let written = address.as_str();
        let written = written.split_once('?').map_or(written, |(before, _)| before);
        let package = match subdir.is_empty() {
            true => written.trim_end_matches('/'),
            false => written.strip_suffix(subdir)?.strip_suffix("//")?,
        };
        // Terragrunt names the registry, or leaves it out between two slashes.
        let package = package.strip_prefix("tfr://").map_or(package, |rest| rest.trim_start_matches('/'));
        let found = self.published.iter().find_map(|published| published.module_of(package))?;
        found.resolve(subdir)
    }

    /// The newest tag of the same name as a version's tag.
    fn newest(&self, pinned: &str) -> Option<String> {
        let (name, version) = taken_apart(pinned)?;
        let others = self.tags.iter().filter_map(|tag| Some((taken_apart(tag)?, tag)));
        let mut versions: Vec<(Version, &String)> = others
            .filter(|((other, _), _)| *other == name)
            .map(|((_, version), tag)| (version, tag))
            .collect();
        versions.retain(|(version, _)| !version.is_prerelease());
        let newest = versions.into_iter().max_by(|(one, _), (two, _)| one.cmp(two));
        newest.filter(|(newest, _)| *newest >= version).map(|(_, tag)| tag.clone())
    }
}

impl Published {
    /// Checks both texts.
    ///
    /// # Errors
    /// Why one of them is no template, in words.
    pub fn new(source: &str, module: &str) -> Result<Self, String> {
        Ok(Self { source: Template::parse(source)?, module: Template::parse(module)? })
    }

    fn module_of(&self, package: &str) -> Option<RepoPath> {
        let words = self.source.takes_apart(package)?;
        RepoPath::root().resolve(self.module.fill(&words))
    }
}

/// `net/v1.2.0` as `net/v` and 1.2.0.
fn taken_apart(tag: &str) -> Option<(&str, Version)> {
    let bare = tag.strip_prefix("refs/tags/").unwrap_or(tag);
    let after = bare.rfind(['/', '-', '_']).map_or(0, |at| at + 1);
    // A version may have a - of its own: the earliest place at which one begins counts.
    let starts = bare.match_indices(['/', '-', '_']).map(|(at, _)| at + 1).chain([0, after]);
    let mut starts: Vec<usize> = starts.collect();
    starts.sort_unstable();
    starts.into_iter().find_map(|start| {
        let text = &bare[start..];
        let digits = text.strip_prefix('v').unwrap_or(text);
        let version = Version::parse(digits).ok().filter(|_| digits.contains('.'))?;
        Some((&bare[..bare.len() - digits.len()], version))
    })
}

/// Which units of a live repository a change of the modules repository reaches, once it is released and
/// their refs are raised; before any tag exists. A call without a ref is reached at once. This is *plan*.
///
/// Calls that stand in a module of the live repository reach the units that call that module, and a Terragrunt
/// unit is reached by the module that it runs.
///
/// # Errors
/// [`CatalogError`] where the live catalog's tree can no longer be read.
pub fn reach(
    impact: &Impact,
    live: &Catalog,
    modules: &ModuleAddresses,
) -> Result<Vec<Reached>, CatalogError> {
    let mut reached = Vec::new();
    for call in live.calls()? {
        let Some(address) = address_of(&call) else { continue };
        let Some(path) = modules.module(&address) else { continue };
        let affected =
            impact.modules.iter().chain(&impact.removed_modules).find(|module| module.path == path);
        let Some(affected) = affected else { continue };
        let from_registry = address.kind() == SourceKind::Registry;
        let version = call.version.as_ref().map(|version| version.value.clone()).filter(|_| from_registry);
        let pinned = address.reference().or(version);
        let newest = pinned.as_deref().filter(|_| !from_registry).and_then(|pinned| modules.newest(pinned));
        let when = match (&pinned, from_registry) {
            (_, true) => ReachedWhen::Released,
            (Some(_), _) => ReachedWhen::Bumped,
            (None, _) => ReachedWhen::Merged,
        };
        let link = call.source.place.link(call.in_file.clone(), format!("module.{}", call.name));
        for (unit, environment, way) in callers(live, &call)? {
            let reasons = affected.reasons.iter().map(|reason| {
                let text = format!("{unit} calls {}: {}", path, reason.text);
                reason.led_on("module_call", text, [&link].into_iter().chain(&way).cloned())
            });
            reached.push(Reached {
                unit: unit.clone(),
                environment,
                module: path.clone(),
                is_newest: newest.as_ref().map(|newest| Some(bare(newest)) == pinned.as_deref().map(bare)),
                newest: newest.clone(),
                pinned: pinned.clone(),
                when,
                reasons: reasons.collect(),
            });
        }
    }
    reached.sort();
    reached.dedup();
    Ok(reached)
}

fn address_of(call: &ModuleCall) -> Option<SourceAddress> {
    let text = &call.source.value;
    let terragrunt = || SourceAddress::parse_as(text, AddressRules::Terragrunt);
    SourceAddress::parse(text).or_else(|_| terragrunt()).ok()
}

fn bare(tag: &str) -> &str {
    tag.strip_prefix("refs/tags/").unwrap_or(tag)
}

/// The units in which a call takes part: that in which it stands, or those that reach the module in which it
/// stands, each with the way there.
fn callers(live: &Catalog, call: &ModuleCall) -> Result<Vec<UnitOnTheWay>, CatalogError> {
    if !call.units.is_empty() {
        let units = call.units.iter().map(|id| {
            let environment = live.unit(id)?.and_then(|unit| unit.environment);
            Ok((id.clone(), environment, Vec::new()))
        });
        return units.collect();
    }
    match &call.module {
        Some(module) => live.units_that_reach(module),
        None => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_tag_is_that_of_the_same_name() {
        let tags = ["net/v1.2.0", "net/v1.10.0", "net/v2.0.0-rc.1", "dns/v9.0.0", "v3.0.0", "net-v5.0.0"];
        let known = ModuleAddresses::default().with_tags(tags.map(str::to_owned));
        assert_eq!(known.newest("net/v1.2.0").as_deref(), Some("net/v1.10.0"));
        assert_eq!(known.newest("refs/tags/net/v1.10.0").as_deref(), Some("net/v1.10.0"));
        assert_eq!(known.newest("net-v4.0.0").as_deref(), Some("net-v5.0.0"));
        assert_eq!(known.newest("v3.0.0").as_deref(), Some("v3.0.0"));
        assert_eq!(
            (known.newest("main"), known.newest("net/v7.0.0"), known.newest("deadbeef")),
            (None, None, None)
        );
    }

    #[test]
    fn a_module_of_a_registry_is_found_by_a_rule() {
        let published = Published::new("app.terraform.io/acme/{name}/aws", "modules/{name}").unwrap();
        let known = ModuleAddresses::default().with_published([published]);
        let of = |text: &str| known.module(&SourceAddress::parse(text).unwrap()).map(|path| path.to_string());
        assert_eq!(of("app.terraform.io/acme/net/aws").as_deref(), Some("modules/net"));
        assert_eq!(
            of("app.terraform.io/acme/net/aws//modules/inner").as_deref(),
            Some("modules/net/modules/inner")
        );
        assert_eq!(of("app.terraform.io/other/net/aws"), None);
        assert_eq!(of("./modules/net"), None);
    }
}
