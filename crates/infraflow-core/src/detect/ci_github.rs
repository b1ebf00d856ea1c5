//! GitHub Actions: the event's name, the reference, and the event itself, which is JSON in a file.

use std::{fs::File, io::Read as _, path::Path};

use serde_json::Value;

use crate::git::Revision;

use super::{DetectError, Endpoints, ci::Surroundings, ci::is_nothing};

/// Events are webhook payloads, which have at most 25 MB.
const LARGEST_EVENT: u64 = 32 << 20;

pub(super) fn endpoints(at: &Surroundings<'_>) -> Result<Endpoints, DetectError> {
    let event = read_event(at)?;
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let trunk = || at.trunk(text("/repository/default_branch"));
    match at.get("GITHUB_EVENT_NAME").unwrap_or_default() {
        "pull_request" | "pull_request_review" | "pull_request_review_comment" => change_request(at, &event),
        "pull_request_target" => from_outside(at, &event),
        "merge_group" => {
            let Some(base) = text("/merge_group/base_sha") else {
                return Err(at.odd("the merge group", "its event has no base_sha".to_owned()));
            };
            let what = "what the merge group stands on";
            let base = at.commit(base, what)?;
            Ok(Endpoints::new(base, format!("{what} ({})", at.system), at.head()?))
        }
        "push" => {
            let trunk = trunk()?;
            let on_trunk = at.get("GITHUB_REF") == Some(&format!("refs/heads/{trunk}"));
            match text("/before").filter(|before| on_trunk && !is_nothing(before)) {
                Some(before) => at.since(before, &format!("what stood on trunk, {trunk}, before the push")),
                // A push can be without a before: it made the branch, or its event is not there.
                None if on_trunk && event.is_null() => at.since_first_parent(&trunk),
                None => at.against_trunk(&trunk),
            }
        }
        // workflow_dispatch, schedule, and whatever else runs on a branch.
        _ => at.against_trunk(&trunk()?),
    }
}

/// GitHub checks out a merge of the request and its target, made for the purpose; a workflow may check out the
/// request's own head instead.
fn change_request(at: &Surroundings<'_>, event: &Value) -> Result<Endpoints, DetectError> {
    let number = number(at, event);
    if at.get("GITHUB_REF").is_some_and(|name| name.starts_with("refs/pull/") && name.ends_with("/merge"))
        && Some(at.head()?.to_string().as_str()) == at.get("GITHUB_SHA")
        && let Some(base) = at.merged_into()?
    {
        let from =
            format!("the target of pull request {number}, first parent of the merge commit ({})", at.system);
        return Ok(Endpoints::new(base, from, at.head()?));
    }
    match target(at, event) {
        Some(branch) => at.against_branch(&branch, &format!("the target of pull request {number}")),
        None => {
            Err(at.odd("the pull request", "neither GITHUB_BASE_REF nor its event names its target".into()))
        }
    }
}

/// `pull_request_target` checks out the target: the request's own files are there only if the workflow fetched
/// them. Its head is then taken, or, where the workflow checked it out, HEAD.
fn from_outside(at: &Surroundings<'_>, event: &Value) -> Result<Endpoints, DetectError> {
    let found = change_request(at, event)?;
    if Some(found.head.to_string().as_str()) != at.get("GITHUB_SHA") {
        return Ok(found);
    }
    let number = number(at, event);
    let Some(head) = event.pointer("/pull_request/head/sha").and_then(Value::as_str) else {
        return Err(at.odd("the pull request", "its event has no head".to_owned()));
    };
    let what = format!("the head of pull request {number}");
    let head = at.commit(head, &what)?;
    let from = format!("{what} ({})", at.system);
    Ok(Endpoints::given(found.base, found.base_from, Revision::Commit(head), from))
}

fn target(at: &Surroundings<'_>, event: &Value) -> Option<String> {
    let named = event.pointer("/pull_request/base/ref").and_then(Value::as_str);
    at.get("GITHUB_BASE_REF").or(named).map(str::to_owned)
}

fn number(at: &Surroundings<'_>, event: &Value) -> String {
    let number =
        event.pointer("/pull_request/number").and_then(Value::as_u64).map(|number| number.to_string());
    let from_ref = || at.get("GITHUB_REF")?.strip_prefix("refs/pull/")?.split('/').next().map(str::to_owned);
    number.or_else(from_ref).unwrap_or_default()
}

/// The event; nothing where no file is named.
fn read_event(at: &Surroundings<'_>) -> Result<Value, DetectError> {
    let Some(path) = at.get("GITHUB_EVENT_PATH") else { return Ok(Value::Null) };
    let unreadable = |why: String| at.odd("the event", format!("{path} cannot be read: {why}"));
    let mut text = Vec::new();
    let file = File::open(Path::new(path)).map_err(|error| unreadable(error.to_string()))?;
    let read = file.take(LARGEST_EVENT + 1).read_to_end(&mut text);
    read.map_err(|error| unreadable(error.to_string()))?;
    if text.len() as u64 > LARGEST_EVENT {
        return Err(unreadable("it is larger than an event can be".to_owned()));
    }
    serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))
}
