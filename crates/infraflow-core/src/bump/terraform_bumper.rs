use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{
    BumpCommit, BumpEdit, BumpError, BumpPlan, BumpRequest, BumpTarget, Bumped, RefBumper, SkippedReference,
    apply,
    call::{Call, Calls, Files},
    judge::{Replacement, Stays, judge},
    tool_version,
};
use crate::{
    catalog::{Catalog, UnitId},
    git::{CommitId, RefUpdate, Repository, Revision, Tree},
    observe::{Observer, Outcome, Stage},
    proof::{Reason, RepoPath},
};

/// Bumps module calls of Terraform, OpenTofu and Terragrunt: the `ref` of git sources in any position, the
/// `tag` of images, the `version` beside registry sources and in `tfr://`, in `.tf`, `.tofu`, their JSON forms,
/// `terragrunt.hcl` and `terragrunt.stack.hcl`; and `required_version`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TerraformBumper;

#[async_trait]
impl RefBumper for TerraformBumper {
    fn plan(&self, request: &BumpRequest, tree: &Tree, live: &Catalog) -> Result<BumpPlan, BumpError> {
        let mut plan = BumpPlan::default();
        let mut files = Files::of(tree);
        let calls = Calls::of(tree, live)?;
        let mut skipped: BTreeMap<RepoPath, Vec<Reason>> = BTreeMap::new();
        // A local that holds the version of several calls is one edit.
        let mut places: BTreeSet<(RepoPath, usize)> = BTreeSet::new();
        for call in &calls.calls {
            let Some((target, judged)) = decide(request, &mut files, call)? else { continue };
            match judged {
                Ok(found) if places.insert((found.path.clone(), found.span.start)) => {
                    plan.edits.push(edit(call, target, found));
                }
                Ok(_) => {}
                Err((rule, text)) => {
                    let text = format!("{} stays: {text}", call.name);
                    let link = call.source.place.link(call.file.clone(), call.source.value.clone());
                    let reason = Reason::new(rule, text).with_chain(vec![link]);
                    skipped.entry(call.file.clone()).or_default().push(reason);
                }
            }
        }
        if !request.targets.is_empty() {
            for (file, reason) in calls.unreadable {
                skipped.entry(file).or_default().push(reason);
            }
        }
        tool_version::plan(request, tree, live, &mut plan, &mut skipped)?;
        plan.skipped =
            skipped.into_iter().map(|(path, reasons)| SkippedReference { path, reasons }).collect();
        for scaffold in &request.scaffolds {
            let fail = |why: &str| BumpError::Scaffold { unit: scaffold.unit.clone(), why: why.into() };
            let target =
                request.targets.iter().find(|target| target.directory().as_ref() == Some(&scaffold.module));
            let target = target.ok_or_else(|| fail("its module is not among those that are bumped"))?;
            if !tree.list(&scaffold.unit)?.is_empty() {
                return Err(fail("there are files in its directory already"));
            }
            plan.edits.push(BumpEdit {
                path: scaffold.file(),
                blob: None,
                start: 0,
                end: 0,
                before: String::new(),
                after: scaffold.text(target)?,
                module: target.module(),
                unit: Some(UnitId::new(scaffold.unit.clone())),
                environment: request.environment.clone(),
                from: None,
                to: target.to.clone(),
            });
        }
        plan.edits.sort_by(|a, b| (&a.path, a.start).cmp(&(&b.path, b.start)));
        Ok(plan)
    }

    async fn execute(
        &self,
        plan: &BumpPlan,
        repository: &Repository,
        commit: &BumpCommit,
        cancel: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<Bumped, BumpError> {
        if cancel.is_cancelled() {
            return Err(BumpError::Cancelled);
        }
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
            found.get(&branch.reference()).map(|id| CommitId::parse(&id.to_string())).transpose()?
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

fn same(repository: &Repository, there: CommitId, new: CommitId, wanted: &BumpCommit) -> bool {
    let (Ok(there), Ok(new)) = (repository.commit(&there), repository.commit(&new)) else { return false };
    there.tree == new.tree && there.parents == [wanted.base]
}

/// A target that a call refers to, and what becomes of the call.
type Decided<'a> = (&'a BumpTarget, Result<Replacement, Stays>);

/// What becomes of a call, and for which target; `None` where no target is meant. Of several targets the
/// first that moves it counts.
fn decide<'a>(
    request: &'a BumpRequest,
    files: &mut Files<'_>,
    call: &Call,
) -> Result<Option<Decided<'a>>, BumpError> {
    let elsewhere = request.environment.as_ref().filter(|wanted| call.environment.as_ref() != Some(wanted));
    let mut found = None;
    for target in request.targets.iter().filter(|target| target.is(&call.address)) {
        let judged = match elsewhere {
            Some(wanted) => Err(("other_environment", format!("it is not of the environment {wanted}"))),
            None => judge(files, call, target)?,
        };
        if judged.is_ok() {
            return Ok(Some((target, judged)));
        }
        found.get_or_insert((target, judged));
    }
    if found.is_none()
        && elsewhere.is_none()
        && let Some((target, versions)) =
            request.undecided.iter().find(|(target, _)| target.is(&call.address))
    {
        let text = format!("the environment before has it at {}", versions.join(" and at "));
        found = Some((target, Err(("several_versions", text))));
    }
    Ok(found)
}

fn edit(call: &Call, target: &BumpTarget, found: Replacement) -> BumpEdit {
    BumpEdit {
        path: found.path,
        blob: Some(found.blob),
        start: found.span.start,
        end: found.span.end,
        before: found.before,
        after: found.after,
        module: target.module(),
        unit: match &call.units[..] {
            [only] => Some(only.clone()),
            _ => None,
        },
        environment: call.environment.clone(),
        from: found.from,
        to: target.to.clone(),
    }
}
