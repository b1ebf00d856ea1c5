//! GitLab CI.

use super::{
    DetectError, Endpoints,
    ci::{Surroundings, is_nothing},
};

pub(super) fn endpoints(at: &Surroundings<'_>) -> Result<Endpoints, DetectError> {
    if let Some(number) = at.get("CI_MERGE_REQUEST_IID") {
        return change_request(at, number);
    }
    let trunk = at.trunk(at.get("CI_DEFAULT_BRANCH"))?;
    let before = at.get("CI_COMMIT_BEFORE_SHA").filter(|before| !is_nothing(before));
    match before {
        Some(before) if at.get("CI_COMMIT_BRANCH") == Some(trunk.as_str()) => {
            at.since(before, &format!("what stood on trunk, {trunk}, before the push"))
        }
        // All zeros: the branch is new, or nobody pushed (a schedule, a button).
        _ => at.against_trunk(&trunk),
    }
}

/// In a pipeline of merged results, and in a merge train, HEAD is a merge of the request and its target, and
/// the base of the request's own diff would count what the target gained meanwhile as changed.
fn change_request(at: &Surroundings<'_>, number: &str) -> Result<Endpoints, DetectError> {
    let what = format!("the target of merge request {number}");
    let kind = at.get("CI_MERGE_REQUEST_EVENT_TYPE").unwrap_or_default();
    if matches!(kind, "merged_result" | "merge_train") {
        let base = match at.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA").filter(|id| !is_nothing(id)) {
            Some(id) => Some(at.commit(id, &what)?),
            None => at.merged_into()?,
        };
        if let Some(base) = base {
            return Ok(Endpoints::new(base, format!("{what}, as it was merged ({})", at.system), at.head()?));
        }
    }
    if let Some(id) = at.get("CI_MERGE_REQUEST_DIFF_BASE_SHA").filter(|id| !is_nothing(id)) {
        let what = format!("the base of merge request {number}");
        let base = at.commit(id, &what)?;
        return Ok(Endpoints::new(base, format!("{what} ({})", at.system), at.head()?));
    }
    match at.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") {
        Some(branch) => at.against_branch(branch, &what),
        None => Err(at.odd(&format!("merge request {number}"), "no variable names its target".to_owned())),
    }
}
