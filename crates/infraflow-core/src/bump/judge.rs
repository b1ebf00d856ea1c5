//! What becomes of one reference, and why.

use std::ops::Range;

use super::{
    BumpError, BumpTarget,
    call::{Call, Files},
    constraint::{Rewrite, rewrite},
    local::{Followed, follow},
    spelling,
    target::Unpinned,
};
use crate::{
    address::{ModuleConstraint, Version, VersionedRef},
    git::BlobId,
    proof::RepoPath,
    terraform::facts::Text,
};

/// A replacement in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replacement {
    pub(super) path: RepoPath,
    pub(super) blob: BlobId,
    pub(super) span: Range<usize>,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) from: Option<String>,
}

/// Why a reference stays: a rule, and a sentence.
pub(super) type Stays = (&'static str, String);

type Judged = Result<Replacement, Stays>;

/// What becomes of a reference to a target.
pub(super) fn judge(files: &mut Files<'_>, call: &Call, target: &BumpTarget) -> Result<Judged, BumpError> {
    if call.address.registry().is_none() || call.address.pin().is_some() {
        return judge_ref(files, call, target);
    }
    match (&call.version, follow(files, call)?) {
        (Some(version), _) => judge_version(files, &call.file, version, target),
        (None, Followed::Local { file, text }) => judge_version(files, &file, &text, target),
        (None, Followed::Elsewhere(why)) => Ok(Err(("computed", why))),
        (None, Followed::None) => Ok(Err(("unpinned", "it pins no version".to_owned()))),
    }
}

/// The `ref` of a git source, the `tag` of an image, the `version` of `tfr://`: part of the source itself.
fn judge_ref(files: &mut Files<'_>, call: &Call, target: &BumpTarget) -> Result<Judged, BumpError> {
    let stays = |rule, why: String| Ok(Err((rule, why)));
    let now = call.address.reference();
    let to = match &now {
        None if call.address.pin().is_none() => return stays("unpinned", "it can pin no version".into()),
        None if call.address.param("digest").is_some() => {
            return stays("digest", "it is pinned by a digest".into());
        }
        None => match (&target.from, target.unpinned) {
            (None, Unpinned::Pinned) => target.to.clone(),
            _ => return stays("unpinned", "it pins no version".into()),
        },
        Some(now) if call.address.version_is_constraint() => match moved(now, target) {
            Ok(constraint) => constraint,
            Err(stays) => return Ok(Err(stays)),
        },
        Some(now) => match moved_ref(now, target) {
            Ok(()) => target.to.clone(),
            Err(stays) => return Ok(Err(stays)),
        },
    };
    let edit = match call.address.ref_edit(&to) {
        Ok(edit) => edit,
        Err(error) => return stays("unpinned", error.to_string()),
    };
    let before = call.address.as_str()[edit.span.clone()].to_owned();
    let Some(pieces) = &call.pieces else {
        return locate(files, &call.file, &call.source, edit.span, before, edit.replacement, now);
    };
    let Some((blob, content)) = files.get(&call.file)? else { return stays("linked", LINKED.into()) };
    match spelling::locate_in(pieces, &edit.span) {
        Some(span) if content.get(span.clone()) == Some(before.as_bytes()) => {
            let path = call.file.clone();
            Ok(Ok(Replacement { path, blob: *blob, span, before, after: edit.replacement, from: now }))
        }
        _ => stays("computed", "its version stands in a local that others use too, or is computed".into()),
    }
}

const LINKED: &str = "it stands behind a symbolic link; its file is edited where it is";

/// Whether a ref is moved.
fn moved_ref(now: &str, target: &BumpTarget) -> Result<(), Stays> {
    if now == target.to {
        return Err(("current", format!("it is at {now} already")));
    }
    if let Some(from) = &target.from {
        return if from == now { Ok(()) } else { Err(("other_version", format!("it is at {now}"))) };
    }
    // A short commit can read as a version (`9f3c1d2` as 9, pre-release f3c1d2); whoever is pinned to one
    // follows nothing, and is moved.
    if (7..=40).contains(&now.len()) && now.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    match (VersionedRef::parse(now), target.version()) {
        (None, _) => Err((
            "not_a_version",
            format!("{now} is neither a version nor a commit, so it follows something"),
        )),
        (Some(has), Some(wanted)) if has.prefix != wanted.prefix => {
            Err(("other_tags", format!("{now} is no version of {}…", wanted.prefix)))
        }
        (Some(has), Some(wanted)) if has.version > wanted.version => {
            Err(("newer", format!("it is at {now}")))
        }
        _ => Ok(()),
    }
}

/// The `version` beside a registry source, wherever it stands.
fn judge_version(
    files: &mut Files<'_>,
    file: &RepoPath,
    text: &Text,
    target: &BumpTarget,
) -> Result<Judged, BumpError> {
    let now = &text.value;
    let after = match moved(now, target) {
        Ok(after) => after,
        Err(stays) => return Ok(Err(stays)),
    };
    // As few bytes as say it: of a single term, the number.
    let single = !now.contains(',') && !after.contains(',');
    let is_number = |c: char| c.is_ascii_digit() || c == 'v';
    let span = match (now.find(is_number), after.find(is_number)) {
        (Some(a), Some(b)) if single && now[..a] == after[..b] => a..now.trim_end().len(),
        _ => 0..now.len(),
    };
    let from_end = now.len() - span.end;
    let replacement = after[span.start..after.len() - from_end].to_owned();
    let before = now[span.clone()].to_owned();
    locate(files, file, text, span, before, replacement, Some(now.clone()))
}

/// The constraint that a constraint becomes.
fn moved(now: &str, target: &BumpTarget) -> Result<String, Stays> {
    let same_exact = |a: &str, b: &str| {
        let exact = |text: &str| ModuleConstraint::parse(text).ok().and_then(|c| c.exact().cloned());
        matches!((exact(a), exact(b)), (Some(a), Some(b)) if a == b)
    };
    if let Some(from) = &target.from
        && from.trim() != now.trim()
        && !same_exact(from, now)
    {
        return Err(("other_version", format!("it is at {now}")));
    }
    let wanted = match target.version() {
        Some(wanted) if target.to == wanted.to_string() && matches!(&*wanted.prefix, "" | "v") => {
            wanted.version
        }
        _ => {
            // A constraint given as one, literally.
            return match ModuleConstraint::parse(&target.to) {
                _ if now == target.to => Err(("current", format!("it is at {now} already"))),
                Ok(_) => Ok(target.to.clone()),
                Err(error) => Err(("constraint", error.to_string())),
            };
        }
    };
    let has = ModuleConstraint::parse(now).ok().and_then(|constraint| constraint.exact().cloned());
    match has {
        Some(has) if has == wanted => return Err(("current", format!("it is at {now} already"))),
        Some(has) if has > wanted && target.from.is_none() => {
            return Err(("newer", format!("it is at {now}")));
        }
        None if target.from.is_none() && is_beyond(now, &wanted) => {
            return Err(("newer", format!("it is at {now}")));
        }
        _ => {}
    }
    match rewrite(now, &wanted, target.ranges) {
        Rewrite::To(after) if after != now => Ok(after),
        Rewrite::To(_) => Err(("current", format!("it is at {now} already"))),
        Rewrite::Admits => Err(("allowed", format!("{now} allows {wanted} already"))),
        Rewrite::Cannot(why) => Err(("constraint", why)),
    }
}

/// Whether a `~>` constraint begins after a version: moving it would go back.
fn is_beyond(constraint: &str, wanted: &Version) -> bool {
    let floor =
        constraint.trim().strip_prefix("~>").map(str::trim).and_then(|text| Version::parse(text).ok());
    floor.is_some_and(|floor| floor > *wanted && !floor.is_prerelease())
}

fn locate(
    files: &mut Files<'_>,
    file: &RepoPath,
    text: &Text,
    part: Range<usize>,
    before: String,
    after: String,
    from: Option<String>,
) -> Result<Judged, BumpError> {
    let json = file.as_bytes().ends_with(b".json");
    let Some((blob, content)) = files.get(file)? else {
        return Ok(Err((
            "linked",
            "it stands behind a symbolic link; its file is edited where it is".into(),
        )));
    };
    let Some(span) = spelling::locate(content, text, json, part) else {
        return Ok(Err(("escaped", "it is written with escapes that cannot be edited in part".into())));
    };
    // What is replaced is spelt as the file spells it.
    let before = match content.get(span.clone()).map(std::str::from_utf8) {
        Some(Ok(spelt)) if spelt == before || !text.verbatim => spelt.to_owned(),
        _ => return Ok(Err(("escaped", "its place in the file is not what was read".into()))),
    };
    Ok(Ok(Replacement { path: file.clone(), blob: *blob, span, before, after, from }))
}
