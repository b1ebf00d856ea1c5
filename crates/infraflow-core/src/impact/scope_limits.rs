use serde::{Deserialize, Serialize};

use super::Scope;
use crate::{policy::Section, proof::Reason};

/// The section `[scope]` of `infraflow.toml`: how large a change may be before it is warned of. 0 is no limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ScopeLimits {
    /// Changed files.
    pub files: u64,
    /// Affected modules.
    pub modules: u64,
    /// Affected units.
    pub units: u64,
    /// Environments of affected units.
    pub environments: u64,
    /// Affected test cases.
    pub cases: u64,
    /// References from a changed file to a thing.
    pub depth: u64,
    /// Things that are touched through one module.
    pub width: u64,
    /// Commits of the branch.
    pub ahead: u64,
    /// Commits of trunk that the branch does not have.
    pub behind: u64,
    /// Days since the branch left trunk.
    pub days: u64,
}

impl Section for ScopeLimits {
    const NAME: &'static str = "scope";
}

impl ScopeLimits {
    /// What of a scope is over its limit.
    pub(super) fn over(&self, scope: &Scope) -> Vec<Reason> {
        let environments = u64::try_from(scope.environments.len()).unwrap_or(u64::MAX);
        let branch = scope.branch;
        let of = |take: fn(super::BranchAge) -> u64| branch.map_or(0, take);
        let width = scope.widest.as_ref().map_or(0, |widest| widest.things);
        let module = scope.widest.as_ref().map(|widest| widest.module.to_string()).unwrap_or_default();
        let deepest = scope.deepest.clone().unwrap_or_default();
        let measures = [
            ("files", scope.files, self.files, format!("{} files change", scope.files)),
            ("modules", scope.modules, self.modules, format!("{} modules are affected", scope.modules)),
            ("units", scope.units, self.units, format!("{} units are affected", scope.units)),
            (
                "environments",
                environments,
                self.environments,
                format!("units of {environments} environments are affected"),
            ),
            ("cases", scope.cases, self.cases, format!("{} test cases are affected", scope.cases)),
            ("depth", scope.depth, self.depth, format!("{deepest} is {} references away", scope.depth)),
            ("width", width, self.width, format!("{module} touches {width} modules, units and cases")),
            ("ahead", of(|it| it.ahead), self.ahead, format!("the branch has {} commits", of(|it| it.ahead))),
            (
                "behind",
                of(|it| it.behind),
                self.behind,
                format!("trunk is {} commits further", of(|it| it.behind)),
            ),
            ("days", of(|it| it.days), self.days, format!("the branch is {} days old", of(|it| it.days))),
        ];
        let over = measures.into_iter().filter(|(_, found, limit, _)| *limit > 0 && found > limit);
        over.map(|(name, _, limit, text)| {
            Reason::new(format!("scope.{name}"), format!("{text}, more than {limit}"))
        })
        .collect()
    }
}
