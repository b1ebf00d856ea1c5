use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{
    BumpCommit, BumpEdit, BumpError, BumpPlan, BumpRequest, BumpTarget, Bumped, RefBumper, SkippedReference,
    apply, target::version_of,
};
use crate::{
    address::{ModuleConstraint, SourceAddress, Version},
    catalog::{Catalog, ModuleCall, UnitId},
    git::{BlobId, RefUpdate, Repository, Revision, Tree},
    observe::{Observer, Outcome, Stage},
    policy::EnvironmentName,
    proof::{Reason, RepoPath},
};

/// Bumps module calls of Terraform and OpenTofu: the `ref` of git sources, the `version` beside registry
/// sources, in `.tf`, `.tofu` and their JSON forms.
#[derive(Clone, Copy, Debug, Default)]
pub struct TerraformBumper;

/// A replacement within a file, or why there is none.
type Judged = Result<(std::ops::Range<usize>, String, String), (&'static str, String)>;

#[async_trait]
impl RefBumper for TerraformBumper {
    fn plan(&self, request: &BumpRequest, tree: &Tree, live: &Catalog) -> Result<BumpPlan, BumpError> {
        let environments: BTreeMap<&UnitId, Option<&EnvironmentName>> =
            live.units().into_iter().map(|unit| (&unit.id, unit.environment.as_ref())).collect();
        let mut plan = BumpPlan::default();
        for call in live.calls() {
            let Ok(address) = SourceAddress::parse(&call.source.value) else { continue };
            let Some(target) = request.targets.iter().find(|target| target.is(&address)) else { continue };
            let environment = call.unit.as_ref().and_then(|unit| environments.get(unit).copied().flatten());
            let elsewhere = request.environment.as_ref().filter(|wanted| environment != Some(wanted));
            let judged = match elsewhere {
                Some(wanted) => Err(("other_environment", format!("it is not of the environment {wanted}"))),
                None => judge(call, &address, target),
            };
            match judged {
                Ok((span, before, after)) => plan.edits.push(BumpEdit {
                    path: call.in_file.clone(),
                    blob: Some(blob_of(tree, &call.in_file)?),
                    start: span.start,
                    end: span.end,
                    before,
                    after,
                    module: target.module(),
                    unit: call.unit.clone(),
                    environment: environment.cloned(),
                    from: current(call, &address),
                    to: target.to.clone(),
                }),
                Err((rule, text)) => {
                    plan.skipped.push(SkippedReference {
                        path: call.in_file.clone(),
                        reasons: vec![Reason::new(rule, format!("{} stays: {text}", call.name)).with_chain(
                            vec![call.source.place.link(call.in_file.clone(), &call.source.value)],
                        )],
                    })
                }
            }
        }
        for scaffold in &request.scaffolds {
            let fail = |why: &str| BumpError::Scaffold { unit: scaffold.unit.clone(), why: why.into() };
            let target =
                request.targets.iter().find(|target| target.directory().as_ref() == Some(&scaffold.module));
            let target = target.ok_or_else(|| fail("its module is not among those that are bumped"))?;
            if !tree.list(&scaffold.unit).map(|entries| entries.is_empty()).unwrap_or(true) {
                return Err(fail("there are files in its directory already"));
            }
            plan.edits.push(BumpEdit {
                path: scaffold.file(),
                blob: None,
                start: 0,
                end: 0,
                before: String::new(),
                after: scaffold.text(&target.source.with_ref(&target.to)?)?,
                module: target.module(),
                unit: Some(UnitId::new(scaffold.unit.clone())),
                environment: request.environment.clone(),
                from: None,
                to: target.to.clone(),
            });
        }
        plan.edits.sort_by(|a, b| (&a.path, a.start).cmp(&(&b.path, b.start)));
        plan.skipped.sort();
        Ok(plan)
    }

    async fn execute(
        &self,
        plan: &BumpPlan,
        repository: &Repository,
        commit: &BumpCommit,
        _: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<Bumped, BumpError> {
        observer.started(Stage::Bump, commit.branch.as_str());
        let (plan, repository, wanted) = (plan.clone(), repository.clone(), commit.clone());
        let done = tokio::task::spawn_blocking(move || make(&plan, &repository, &wanted)).await;
        let done = done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        let outcome = if done.is_ok() { Outcome::Done } else { Outcome::Failed };
        observer.finished(Stage::Bump, commit.branch.as_str(), outcome);
        done
    }
}

fn make(plan: &BumpPlan, repository: &Repository, wanted: &BumpCommit) -> Result<Bumped, BumpError> {
    if plan.edits.is_empty() {
        return Err(BumpError::Nothing);
    }
    let files = apply::files(plan, &repository.tree(&Revision::Commit(wanted.base))?)?;
    let (author, branch) = (&wanted.author, &wanted.branch);
    let new = repository.commit_files(&wanted.base, &files, &wanted.message, author, author)?;
    let there = match &wanted.push {
        Some(remote) => {
            let found = repository.remote_refs(remote, &[&branch.reference()])?;
            found
                .get(&branch.reference())
                .map(|id| crate::git::CommitId::parse(&id.to_string()))
                .transpose()?
        }
        None => repository.branch_tip(branch)?,
    };
    let commit = match there {
        // An earlier try went through: the same content on the same base is the same bump.
        Some(there) if same(repository, there, new, wanted) => there,
        Some(_) => return Err(BumpError::BranchTaken { branch: branch.clone() }),
        None => {
            match &wanted.push {
                Some(remote) => drop(repository.push(remote, &[RefUpdate::branch(branch, new, None)])?),
                None => repository.set_branch(branch, &new, None)?,
            }
            new
        }
    };
    Ok(Bumped { base: wanted.base, commit, branch: branch.clone() })
}

fn same(
    repository: &Repository,
    there: crate::git::CommitId,
    new: crate::git::CommitId,
    wanted: &BumpCommit,
) -> bool {
    let (Ok(there), Ok(new)) = (repository.commit(&there), repository.commit(&new)) else { return false };
    there.tree == new.tree && there.parents == [wanted.base]
}

fn blob_of(tree: &Tree, path: &RepoPath) -> Result<BlobId, BumpError> {
    let entry = tree.entry(path)?;
    let gone = || BumpError::Stale { path: path.clone(), why: "the tree does not have it".into() };
    Ok(BlobId::parse(&entry.ok_or_else(gone)?.id.to_string())?)
}

/// The version that a call has now.
fn current(call: &ModuleCall, address: &SourceAddress) -> Option<String> {
    address.reference().or_else(|| call.version.as_ref().map(|version| version.value.clone()))
}

fn judge(call: &ModuleCall, address: &SourceAddress, target: &BumpTarget) -> Judged {
    let now = current(call, address).ok_or(("unpinned", "it pins no version".to_owned()))?;
    if target.from.as_ref().is_some_and(|from| *from != now) {
        return Err(("other_version", format!("it is at {now}")));
    }
    if address.registry().is_some() && address.pin().is_none() {
        return judge_constraint(call, &now, target);
    }
    if now == target.to {
        return Err(("current", format!("it is at {now} already")));
    }
    // A short commit can read as a version (`9f3c1d2` as 9, pre-release f3c1d2), so this comes first.
    let is_commit = (7..=40).contains(&now.len()) && now.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_commit {
        let has = version_of(&now).ok_or_else(|| {
            ("not_a_version", format!("{now} is neither a version nor a commit, so it follows something"))
        })?;
        if target.version().is_some_and(|wanted| has > wanted) {
            return Err(("newer", format!("it is at {now}")));
        }
    }
    if !call.source.verbatim {
        return Err(("escaped", "its source is written with escapes".into()));
    }
    let edit = address.ref_edit(&target.to).map_err(|error| ("unpinned", error.to_string()))?;
    let start = call.source.place.start;
    let before = call.source.value[edit.span.clone()].to_owned();
    Ok((start + edit.span.start..start + edit.span.end, before, edit.replacement))
}

/// A registry's constraint: one exact version, or one `~>` term, is moved; its operator, its `v` and its
/// number of segments stay.
fn judge_constraint(call: &ModuleCall, now: &str, target: &BumpTarget) -> Judged {
    let Some(written) = &call.version else { return Err(("unpinned", "it pins no version".into())) };
    if !written.verbatim {
        return Err(("escaped", "its version is written with escapes".into()));
    }
    let operators = ["~>", "="];
    let operator =
        operators.into_iter().find(|operator| now.trim_start().starts_with(operator)).unwrap_or("");
    let number = now.trim_start()[operator.len()..].trim();
    let (Ok(has), Some(wanted)) = (Version::parse(number), target.version()) else {
        let text = format!("{now:?} is more than one exact or ~> term");
        return Err(("constraint", text));
    };
    if has == wanted {
        return Err(("current", format!("it is at {now} already")));
    }
    if operator == "~>" && ModuleConstraint::parse(now).is_ok_and(|constraint| constraint.allows(&wanted)) {
        return Err(("allowed", format!("{now} allows {} already", target.to)));
    }
    if has > wanted {
        return Err(("newer", format!("it is at {now}")));
    }
    let bare = target.to.strip_prefix('v').unwrap_or(&target.to);
    let segments = if operator == "~>" { has.written_segments() } else { usize::MAX };
    let short = bare.split('.').take(segments).collect::<Vec<_>>().join(".");
    let v = if number.starts_with('v') { "v" } else { "" };
    let at = written.value.rfind(number).unwrap_or_default();
    let start = written.place.start + at;
    Ok((start..start + number.len(), number.to_owned(), format!("{v}{short}")))
}
