//! Step 5: which references of the environment the releases move, and the branch with them moved.

use std::collections::BTreeSet;

use infraflow_core::{
    address::{PackageIdentity, SourceAddress, SourceKind},
    bump::{BumpCommit, BumpPlan, BumpRequest, BumpTarget, RefBumper as _, TerraformBumper},
    catalog::Catalog,
    git::{BranchName, CommitId, RemoteName},
    policy::{EnvironmentName, Policy},
    proof::{Document as _, Link},
    release::ReleasePlan,
};
use infraflow_examples::{Failure, people};

use super::{Own, OwnRepositories};
use crate::{modules::catalog, road::at};

/// A bump plan, and what it was made for.
pub(super) struct Bump {
    environment: EnvironmentName,
    pub(super) package: SourceAddress,
    pub(super) live: Catalog,
    pub(super) policy: Policy,
    plan: BumpPlan,
}

impl Bump {
    fn branch(&self) -> Result<BranchName, Failure> {
        Ok(BranchName::parse(&format!("bump/{}", self.environment))?)
    }
}

impl Own {
    /// Step 5. Which references of the environment the releases move.
    pub(super) fn plan_bump(
        &self,
        options: &OwnRepositories,
        releases: &ReleasePlan,
    ) -> Result<Bump, Failure> {
        let tree = self.live.repository.tree(&at(self.live.tip))?;
        let policy = Policy::read(&tree)?;
        let environment = environment(&policy, options.environment.as_ref())?;
        self.headline("5", &format!("{environment}: the bump plan"));
        let of = policy.clone();
        let live = catalog(&tree)?.with_environments(move |unit| {
            Some(of.environment_of_id(unit.path(), &unit.to_string())?.name.clone())
        });
        let package = self.package(options, &live)?;
        let fetched = format!("git::{}", package.url());
        self.say(format!("     the modules are fetched from {fetched}"));
        let request = BumpRequest::releases(&fetched, releases)?.in_environment(environment.clone());
        let plan = TerraformBumper.plan(&request, &tree, &live)?;
        for edit in &plan.edits {
            let bytes = tree.read(&edit.path)?.unwrap_or_default();
            let line = Link::at(edit.path.clone(), &bytes, edit.start..edit.end, "").line;
            let from = edit.from.as_deref().unwrap_or("nothing");
            self.say(format!("     {}:{line}  {from} -> {}", edit.path, edit.to));
        }
        let elsewhere = |rule: &str| rule == "other_environment";
        let mut others = 0;
        for skipped in &plan.skipped {
            if skipped.reasons.iter().any(|reason| elsewhere(&reason.rule)) {
                others += 1;
            } else {
                self.say(format!("     stays: {}\n{}", skipped.path, people::reasons(&skipped.reasons)));
            }
        }
        if others > 0 {
            self.say(format!("     {others} references of other environments stay"));
        }
        let units: BTreeSet<_> = live
            .units()?
            .into_iter()
            .filter(|it| it.environment.as_ref() == Some(&environment))
            .map(|it| it.id)
            .collect();
        let live_calls = live.calls()?;
        for release in &releases.releases {
            let target = BumpTarget::released(&fetched, release)?;
            let called = live_calls.iter().any(|call| {
                call.units.iter().any(|unit| units.contains(unit))
                    && SourceAddress::parse(&call.source.value).is_ok_and(|source| target.is(&source))
            });
            if !called && plan.edits.iter().all(|edit| edit.module != target.module()) {
                self.say(format!(
                    "     {} is called by no unit of {environment}: its first unit is yours to write",
                    release.module
                ));
            }
        }
        self.say(format!("     bump plan {}", plan.digest()?));
        Ok(Bump { environment, package, live, policy, plan })
    }

    /// How the units fetch the modules.
    fn package(&self, options: &OwnRepositories, live: &Catalog) -> Result<SourceAddress, Failure> {
        if let Some(package) = &options.package {
            let address = SourceAddress::parse(package)?;
            if address.kind() != SourceKind::Git {
                return Err(format!(
                    "cannot bump references to {package}: it is no address of a git repository\n  help: write it as git::https://example.com/modules.git"
                )
                .into());
            }
            return Ok(address);
        }
        let known = self.modules.identities();
        let mut sources =
            live.calls()?.into_iter().filter_map(|call| SourceAddress::parse(&call.source.value).ok());
        sources.find(|source| known.contains(&PackageIdentity::of(source))).ok_or_else(|| {
            let places: Vec<_> = known.iter().map(ToString::to_string).collect();
            format!(
                "cannot tell how the units fetch the modules: no module call in {} leads to {}\n  help: pass the address, for example --package git::https://example.com/modules.git",
                self.live.own.root().display(),
                places.join(" or "),
            )
            .into()
        })
    }

    /// Tags stay once they are pushed, so what would keep the bump from following them is looked for before.
    pub(super) fn require_free_branch(&self, bump: &Bump) -> Result<(), Failure> {
        let branch = bump.branch()?;
        let taken = match &self.live.remote {
            Some(_) => !self.live.own.remote_refs(&RemoteName::origin(), &[&branch.reference()])?.is_empty(),
            None => self.live.own.branch_tip(&branch)?.is_some(),
        };
        if taken && !bump.plan.edits.is_empty() {
            return Err(format!(
                "cannot commit the bump of {}: there is a branch {branch} already\n  help: merge or delete it, then plan again",
                bump.environment
            )
            .into());
        }
        Ok(())
    }

    /// Commits the bump on a branch of its own; `None` where there is nothing to bump.
    pub(super) async fn write_bump(&self, bump: &Bump) -> Result<Option<CommitId>, Failure> {
        if bump.plan.edits.is_empty() {
            self.say("     there is nothing to bump, so there is nothing to dry-run");
            return Ok(None);
        }
        let commit = BumpCommit {
            base: self.live.tip,
            branch: bump.branch()?,
            message: format!("feat: modules of {} at their latest releases", bump.environment),
            author: self.who.clone(),
            push: self.live.remote.as_ref().filter(|_| self.execute).map(|_| RemoteName::origin()),
        };
        let repository = &self.live.repository;
        let bumped =
            TerraformBumper.execute(&bump.plan, repository, &commit, &self.cancel, &self.console).await?;
        let place = match (&commit.push, self.execute) {
            (Some(remote), _) => format!("pushed to {remote}"),
            (None, true) => "kept in your clone, which has no remote origin".to_owned(),
            (None, false) => "in a temporary clone".to_owned(),
        };
        self.say(format!("     {} on {}, {place}", bumped.commit.short(), bumped.branch));
        Ok(Some(bumped.commit))
    }
}

/// The environment that was asked for, or the first that a change reaches.
fn environment(policy: &Policy, asked: Option<&EnvironmentName>) -> Result<EnvironmentName, Failure> {
    let known: Vec<_> = policy.environments().iter().map(|it| it.name.as_str()).collect();
    match asked {
        Some(name) if policy.environment(name).is_none() => Err(format!(
            "cannot bump in {name}: the policy has no such environment\n  help: it has {}",
            if known.is_empty() { "none: write [environments] in infraflow.toml".into() } else { known.join(", ") }
        )
        .into()),
        Some(name) => Ok(name.clone()),
        None => policy.environments().first().map(|first| first.name.clone()).ok_or_else(|| {
            "cannot tell which environment a change reaches first: infraflow.toml on the trunk of the live repository names none\n  help: write [environments.NAME] with units and order there".into()
        }),
    }
}
