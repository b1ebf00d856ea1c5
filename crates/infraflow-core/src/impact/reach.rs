use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Impact;
use crate::{
    address::{PackageIdentity, SourceAddress},
    catalog::{Catalog, UnitId},
    policy::EnvironmentName,
    proof::{Link, Reason, RepoPath},
};

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
    /// The revision at which the unit pins it; `None` where it follows the module's trunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<String>,
    /// Why: the module's own reasons, each led on to the call.
    pub reasons: Vec<Reason>,
}

/// Which units of a live repository a change of the modules repository reaches, once it is released and
/// their refs are raised; before any tag exists. `modules` are the addresses of the modules repository. A
/// call without a ref is reached at once. This is *plan*.
///
/// Calls that stand in a module of the live repository reach the units that call that module.
pub fn reach(impact: &Impact, live: &Catalog, modules: &[PackageIdentity]) -> Vec<Reached> {
    let mut reached = Vec::new();
    for call in live.calls() {
        let Ok(address) = SourceAddress::parse(&call.source.value) else { continue };
        if !modules.contains(&PackageIdentity::of(&address)) {
            continue;
        }
        let Some(path) = RepoPath::root().resolve(address.subdir().unwrap_or_default()) else { continue };
        let affected =
            impact.modules.iter().chain(&impact.removed_modules).find(|module| module.path == path);
        let Some(affected) = affected else { continue };
        let link = call.source.place.link(call.in_file.clone(), format!("module.{}", call.name));
        for (unit, environment, way) in callers(live, call) {
            let reasons = affected.reasons.iter().map(|reason| {
                let mut chain = reason.chain.clone();
                chain.push(link.clone());
                chain.extend(way.iter().cloned());
                let text = format!("{unit} calls {}: {}", path, reason.text);
                Reason::new("module_call", text).with_chain(chain)
            });
            reached.push(Reached {
                unit: unit.clone(),
                environment,
                module: path.clone(),
                pinned: address.reference(),
                reasons: reasons.collect(),
            });
        }
    }
    reached.sort();
    reached.dedup();
    reached
}

/// The units in which a call takes part: that in which it stands, or those that reach the module in which it
/// stands, each with the way there.
fn callers(
    live: &Catalog,
    call: &crate::catalog::ModuleCall,
) -> Vec<(UnitId, Option<EnvironmentName>, Vec<Link>)> {
    if let Some(id) = &call.unit {
        let environment = live.unit(id).and_then(|unit| unit.environment.clone());
        return vec![(id.clone(), environment, Vec::new())];
    }
    match &call.module {
        Some(module) => live.units_that_reach(module),
        None => Vec::new(),
    }
}
