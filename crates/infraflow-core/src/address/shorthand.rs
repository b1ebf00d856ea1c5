//! What go-getter's detectors make of an address without a scheme, in the order in which they are tried.

use super::{AddressRules, SourceKind};

/// A shorthand written out.
pub(super) struct Detected {
    pub(super) kind: SourceKind,
    pub(super) url: String,
    /// A directory that the shorthand names beyond the repository.
    pub(super) subdir: Option<String>,
}

/// What is wrong, and what to write instead.
type Refusal = (String, String);

/// The hosts whose `https` addresses Terragrunt reads as git.
const KNOWN_HOSTS: [&str; 3] = ["github.com", "gitlab.com", "bitbucket.org"];

pub(super) fn without_scheme(url: &str) -> &str {
    url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url)
}

pub(super) fn is_known_host(url: &str) -> bool {
    let bare = without_scheme(url);
    bare.len() < url.len()
        && KNOWN_HOSTS.iter().any(|host| bare.strip_prefix(host).is_some_and(|rest| rest.starts_with('/')))
}

pub(super) fn detect(text: &str, rules: AddressRules) -> Result<Detected, Refusal> {
    let getter = rules == AddressRules::Terragrunt;
    if text.starts_with("github.com/") || (getter && text.starts_with("gitlab.com/")) {
        return hosted(text);
    }
    if let Some(found) = scp(text) {
        return Ok(found);
    }
    if text.starts_with("bitbucket.org/") {
        let path = text.trim_end_matches('/');
        let suffix = if path.ends_with(".git") { "" } else { ".git" };
        return Ok(Detected { kind: SourceKind::Git, url: format!("https://{path}{suffix}"), subdir: None });
    }
    if text.contains("googleapis.com/") && (!getter || text.contains(".googleapis.com/")) {
        return google(text);
    }
    if text.contains(".amazonaws.com/") {
        return amazon(text);
    }
    if text.starts_with('/') {
        return Ok(Detected { kind: SourceKind::File, url: format!("file://{text}"), subdir: None });
    }
    if is_drive_path(text) {
        let url = format!("file://{}", text.replace('\\', "/"));
        return Ok(Detected { kind: SourceKind::File, url, subdir: None });
    }
    if getter && !text.is_empty() && !text.contains("://") {
        return Ok(Detected { kind: SourceKind::Local, url: text.to_owned(), subdir: None });
    }
    if text.starts_with("ssh://") || text.contains("://") {
        return Err((
            "it is no URL: after the host's colon comes no port number".into(),
            "write git::USER@HOST:PATH without a scheme, or git::ssh://USER@HOST/PATH with a slash".into(),
        ));
    }
    Err((
        "it is neither a path that begins with ./ or ../, nor a registry module, nor a URL".into(),
        "write ./ before a path within the same package, or the way it is fetched, for example git::https://…"
            .into(),
    ))
}

/// `github.com/OWNER/REPO[/DIRECTORY]`.
fn hosted(text: &str) -> Result<Detected, Refusal> {
    let mut parts = text.splitn(4, '/');
    let (host, owner, repository) = (parts.next(), parts.next(), parts.next());
    match (host, owner, repository) {
        (Some(host), Some(owner), Some(repository)) if !owner.is_empty() && !repository.is_empty() => {
            let suffix = if repository.ends_with(".git") { "" } else { ".git" };
            Ok(Detected {
                kind: SourceKind::Git,
                url: format!("https://{host}/{owner}/{repository}{suffix}"),
                subdir: parts.next().filter(|rest| !rest.is_empty()).map(str::to_owned),
            })
        }
        _ => Err((
            "it names no repository of its host".into(),
            "write HOST/OWNER/REPOSITORY, and a directory after //".into(),
        )),
    }
}

/// `git@HOST:PATH`; another user than git is not taken for it.
fn scp(text: &str) -> Option<Detected> {
    let (user, rest) = text.split_once('@')?;
    let (host, path) = rest.split_once(':')?;
    let path = path.strip_prefix('/').unwrap_or(path);
    if user != "git" || host.is_empty() || path.is_empty() {
        return None;
    }
    Some(Detected { kind: SourceKind::Git, url: format!("ssh://git@{host}/{path}"), subdir: None })
}

/// `www.googleapis.com/storage/VERSION/BUCKET/OBJECT`.
fn google(text: &str) -> Result<Detected, Refusal> {
    let parts: Vec<&str> = text.splitn(5, '/').collect();
    match parts.as_slice() {
        [_, _, version, bucket, object] => Ok(Detected {
            kind: SourceKind::Gcs,
            url: format!("https://www.googleapis.com/storage/{version}/{bucket}/{object}"),
            subdir: None,
        }),
        _ => Err((
            "it names no object of a Google Cloud Storage bucket".into(),
            "write www.googleapis.com/storage/v1/BUCKET/OBJECT".into(),
        )),
    }
}

/// The three ways to name an S3 object: by path, and by either form of virtual host.
fn amazon(text: &str) -> Result<Detected, Refusal> {
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    let labels: Vec<&str> = host.split('.').collect();
    let url = match labels.as_slice() {
        [region, _, _] => format!("https://{region}.amazonaws.com/{path}"),
        [bucket, region, _, _] => format!("https://{region}.amazonaws.com/{bucket}/{path}"),
        [bucket, "s3", region, _, _] => format!("https://s3.{region}.amazonaws.com/{bucket}/{path}"),
        _ => {
            return Err((
                "it names no object of an S3 bucket".into(),
                "write s3::https://s3-REGION.amazonaws.com/BUCKET/KEY".into(),
            ));
        }
    };
    Ok(Detected { kind: SourceKind::S3, url, subdir: None })
}

/// `C:\…`: a path of a Windows machine, known for what it is on every machine.
pub(super) fn is_drive_path(text: &str) -> bool {
    matches!(text.as_bytes(), [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic())
}
