//! What OpenTofu and Terragrunt accept as `oci://HOST/REPOSITORY?tag=…|digest=…`.

use super::SourceAddress;

type Refusal = (String, String);

pub(super) fn check(address: &SourceAddress) -> Result<(), Refusal> {
    let refuse = |why: String, help: String| Err((why, help));
    let location = address.url().strip_prefix("oci://").unwrap_or(address.url());
    let Some((host, repository)) = location.split_once('/') else {
        return refuse("it names no repository".into(), "write oci://HOST/REPOSITORY?tag=TAG".into());
    };
    let of = |name: &str| address.params().into_iter().filter(|p| p.name == name).collect::<Vec<_>>();
    let (tags, digests) = (of("tag"), of("digest"));
    if !is_repository(repository) {
        return refuse(
            format!("{repository:?} is no OCI repository name"),
            match suggestion(repository, &tags, &digests) {
                Some((name, query)) => format!("write oci://{host}/{name}?{query}"),
                None => "write lower-case names joined by slashes, and tag or digest as a parameter".into(),
            },
        );
    }
    let help = "pin it with one of ?tag=TAG and ?digest=sha256:…";
    for (name, found) in [("tag", &tags), ("digest", &digests)] {
        if found.len() > 1 {
            return refuse(format!("it has more than one {name}"), help.into());
        }
        if found.first().is_some_and(|param| param.decoded().is_empty()) {
            return refuse(format!("its {name} is empty"), help.into());
        }
    }
    if !tags.is_empty() && !digests.is_empty() {
        return refuse("it has both a tag and a digest".into(), help.into());
    }
    if let Some(other) = address.params().into_iter().find(|p| p.name != "tag" && p.name != "digest") {
        return refuse(format!("{} is no parameter of an OCI source", other.name), help.into());
    }
    if let Some(tag) = tags.first().map(super::Param::decoded).filter(|tag| !is_tag(tag)) {
        return refuse(format!("{tag:?} is no OCI tag"), help.into());
    }
    if let Some(digest) = digests.first().map(super::Param::decoded).filter(|digest| !is_digest(digest)) {
        return refuse(format!("{digest:?} is no digest"), help.into());
    }
    Ok(())
}

/// A Docker-style `NAME:TAG@DIGEST` rewritten into name and query, where it can be. A digest pins harder
/// than a tag, and what stands in the query wins over the suffix.
fn suggestion(repository: &str, tags: &[super::Param], digests: &[super::Param]) -> Option<(String, String)> {
    let (rest, digest) = match repository.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (repository, None),
    };
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) => (name, Some(tag)),
        None => (rest, None),
    };
    let good = is_repository(name) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest);
    let query = match (digests.first(), digest, tags.first(), tag) {
        (Some(param), ..) => param.raw(),
        (None, Some(digest), ..) => format!("digest={digest}"),
        (None, None, Some(param), _) => param.raw(),
        (None, None, None, tag) => format!("tag={}", tag?),
    };
    good.then(|| (name.to_owned(), query))
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/…)*` of the OCI distribution specification.
fn is_repository(name: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.split('/').all(|part| {
        let edges = part.bytes().next().is_some_and(word) && part.bytes().next_back().is_some_and(word);
        let separators = part
            .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            .filter(|separator| !separator.is_empty())
            .all(|separator| matches!(separator, "." | "_" | "__") || separator.bytes().all(|b| b == b'-'));
        edges && separators
    })
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
fn is_tag(tag: &str) -> bool {
    let first = tag.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    first && tag.len() <= 128 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn is_digest(digest: &str) -> bool {
    let lengths = [("sha256:", 64), ("sha384:", 96), ("sha512:", 128)];
    lengths.iter().any(|(prefix, length)| {
        digest.strip_prefix(prefix).is_some_and(|hex| {
            hex.len() == *length && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        })
    })
}
