//! CI systems that name branches: Buildkite, Azure Pipelines, Jenkins and Bitbucket Pipelines.

use super::{
    DetectError, Endpoints,
    ci::{Surroundings, is_nothing},
};

/// `BUILDKITE_PULL_REQUEST` is a number, or the word false.
pub(super) fn buildkite(at: &Surroundings<'_>) -> Result<Endpoints, DetectError> {
    if let Some(number) = at.get("BUILDKITE_PULL_REQUEST").filter(|number| *number != "false")
        && let Some(target) = at.get("BUILDKITE_PULL_REQUEST_BASE_BRANCH")
    {
        return at.against_branch(target, &format!("the target of pull request {number}"));
    }
    let trunk = at.trunk(at.get("BUILDKITE_PIPELINE_DEFAULT_BRANCH"))?;
    on_branch(at, &trunk, at.get("BUILDKITE_BRANCH"))
}

/// A pull request is built from a merge of both, `refs/pull/N/merge`. The target is named in full for
/// repositories of Azure, and without `refs/heads/` for those of GitHub.
pub(super) fn azure(at: &Surroundings<'_>) -> Result<Endpoints, DetectError> {
    let branch = at.get("BUILD_SOURCEBRANCH").unwrap_or_default();
    if let Some(target) = at.get("SYSTEM_PULLREQUEST_TARGETBRANCH") {
        let id =
            at.get("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER").or(at.get("SYSTEM_PULLREQUEST_PULLREQUESTID"));
        let what = format!("the target of pull request {}", id.unwrap_or_default());
        if branch.starts_with("refs/pull/")
            && let Some(base) = at.merged_into()?
        {
            let from = format!("{what}, first parent of the merge commit ({})", at.system);
            return Ok(Endpoints::new(base, from, at.head()?));
        }
        return at.against_branch(target, &what);
    }
    let trunk = at.trunk(None)?;
    on_branch(at, &trunk, branch.strip_prefix("refs/heads/"))
}

/// Whether Jenkins built the request's head or merged it with its target, the merge base with the target is
/// the right one. On trunk, what was last built with success is what stood there before.
pub(super) fn jenkins(at: &Surroundings<'_>) -> Result<Endpoints, DetectError> {
    if let Some(target) = at.get("CHANGE_TARGET") {
        let id = at.get("CHANGE_ID").unwrap_or_default();
        return at.against_branch(target, &format!("the target of change request {id}"));
    }
    let trunk = at.trunk(None)?;
    let named = at.get("BRANCH_NAME").or(at.get("GIT_BRANCH"));
    let branch = named.map(|name| name.strip_prefix("origin/").unwrap_or(name));
    let before = at.get("GIT_PREVIOUS_SUCCESSFUL_COMMIT").filter(|before| !is_nothing(before));
    match before {
        Some(before) if branch == Some(&trunk) => {
            at.since(before, &format!("what was last built with success on trunk, {trunk}"))
        }
        _ => on_branch(at, &trunk, branch),
    }
}

/// Bitbucket merges the destination into the request before it runs, so HEAD may be another commit than
/// `BITBUCKET_COMMIT`; the destination's commit is then the merge base.
pub(super) fn bitbucket(at: &Surroundings<'_>) -> Result<Endpoints, DetectError> {
    if let Some(id) = at.get("BITBUCKET_PR_ID") {
        let what = format!("the destination of pull request {id}");
        if let Some(commit) = at.get("BITBUCKET_PR_DESTINATION_COMMIT")
            && let Ok(base) = at.commit(commit, &what)
        {
            return Ok(Endpoints::new(base, format!("{what} ({})", at.system), at.head()?));
        }
        return match at.get("BITBUCKET_PR_DESTINATION_BRANCH") {
            Some(branch) => at.against_branch(branch, &what),
            None => {
                Err(at.odd(&format!("pull request {id}"), "no variable names its destination".to_owned()))
            }
        };
    }
    let trunk = at.trunk(None)?;
    on_branch(at, &trunk, at.get("BITBUCKET_BRANCH"))
}

fn on_branch(at: &Surroundings<'_>, trunk: &str, branch: Option<&str>) -> Result<Endpoints, DetectError> {
    if branch == Some(trunk) { at.since_first_parent(trunk) } else { at.against_trunk(trunk) }
}
