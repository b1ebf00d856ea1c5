use std::collections::BTreeMap;

use super::{Release, ReleaseError, ReleasePlan, Released, ReleasedTag, TagState};
use crate::{
    address::Version,
    git::{CommitId, ObjectId, RefUpdate, Repository, Tag, TagName},
};

/// GitHub makes no event of tags when more than three are pushed at once (its documentation of `push`).
const MOST_EVENTS: usize = 3;

/// Makes the tags of a plan: looks first, and makes only what is provably missing.
pub(super) fn execute(plan: &ReleasePlan, repository: &Repository) -> Result<Released, ReleaseError> {
    let objects = plan
        .releases
        .iter()
        .map(|release| {
            let message = release.message();
            Ok(repository.tag_object(&release.tag, &release.commit, &plan.tagger, &message)?)
        })
        .collect::<Result<Vec<ObjectId>, ReleaseError>>()?;
    let missing = missing(plan, &objects, &repository.remote_tags(&plan.remote)?)?;
    if !missing.is_empty() {
        require_on_trunk(plan, repository)?;
    }
    let updates: Vec<RefUpdate> =
        missing.iter().map(|&at| RefUpdate::tag(&plan.releases[at].tag, objects[at])).collect();
    if let Err(error) = repository.push(&plan.remote, &updates) {
        // Whatever happened on the way, the remote knows: who was faster, or that it went through.
        if !self::missing(plan, &objects, &repository.remote_tags(&plan.remote)?)?.is_empty() {
            return Err(error.into());
        }
    }
    let tags = plan.releases.iter().zip(&objects).enumerate().map(|(at, (release, object))| ReleasedTag {
        tag: release.tag.clone(),
        object: *object,
        commit: release.commit,
        state: if missing.contains(&at) { TagState::Created } else { TagState::AlreadyThere },
    });
    let created = missing.iter().map(|&at| plan.releases[at].tag.clone());
    Ok(Released {
        tags: tags.collect(),
        without_events: if missing.len() > MOST_EVENTS { created.collect() } else { Vec::new() },
    })
}

/// The releases whose tags are to be made, by their places in the plan.
fn missing(plan: &ReleasePlan, objects: &[ObjectId], tags: &[Tag]) -> Result<Vec<usize>, ReleaseError> {
    let there: BTreeMap<&TagName, ObjectId> = tags.iter().map(|tag| (&tag.name, tag.object)).collect();
    let mut missing = Vec::new();
    let mut rivals = Vec::new();
    for (at, (release, object)) in plan.releases.iter().zip(objects).enumerate() {
        match there.get(&release.tag) {
            None => {
                missing.push(at);
                rivals.extend(rivals_of(release, tags));
            }
            Some(found) if found == object => {}
            Some(found) => {
                return Err(ReleaseError::TagElsewhere {
                    tag: release.tag.clone(),
                    commit: release.commit,
                    found: *found,
                });
            }
        }
    }
    if rivals.is_empty() {
        Ok(missing)
    } else {
        Err(ReleaseError::LostRace { remote: plan.remote.clone(), tags: rivals })
    }
}

/// Tags of the same module that are later than the version before, and were not there when this one was
/// counted.
fn rivals_of(release: &Release, tags: &[Tag]) -> Vec<TagName> {
    let next = release.next.to_string();
    let prefix = release.tag.as_str().strip_suffix(next.as_str()).unwrap_or(release.tag.as_str());
    tags.iter()
        .filter(|tag| !release.elsewhere.contains(&tag.name))
        .filter(|tag| {
            let version = tag.name.as_str().strip_prefix(prefix).and_then(|rest| Version::parse(rest).ok());
            version
                .is_some_and(|version| release.previous.as_ref().is_none_or(|previous| version > *previous))
        })
        .map(|tag| tag.name.clone())
        .collect()
}

/// What is tagged must be on the trunk of the remote: pushing a tag of anything else would publish it.
fn require_on_trunk(plan: &ReleasePlan, repository: &Repository) -> Result<(), ReleaseError> {
    let Some(trunk) = &plan.trunk else { return Ok(()) };
    let missing =
        || ReleaseError::NotOnTrunk { head: plan.head, trunk: trunk.clone(), remote: plan.remote.clone() };
    let name = trunk.reference();
    let refs = repository.remote_refs(&plan.remote, &[&name])?;
    let tip = CommitId::parse(&refs.get(&name).ok_or_else(missing)?.to_string())?;
    if tip == plan.head {
        return Ok(());
    }
    if repository.commit(&tip).is_err() {
        repository.fetch(&plan.remote, &[&name])?;
    }
    if repository.is_ancestor(&plan.head, &tip)? { Ok(()) } else { Err(missing()) }
}
