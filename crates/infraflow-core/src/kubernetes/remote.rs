/// A base in a git repository, as kustomize takes its address apart (`api/internal/git/repospec.go`).
///
/// ```
/// use infraflow_core::kubernetes::RemoteBase;
/// let base = RemoteBase::parse("https://github.com/acme/infra//base?ref=v1").unwrap();
/// assert_eq!((base.url.as_str(), base.directory.as_str()), ("https://github.com/acme/infra", "base"));
/// assert_eq!(base.reference.as_deref(), Some("v1"));
/// assert_eq!(RemoteBase::parse("../base"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct RemoteBase {
    /// What git clones.
    pub url: String,
    /// The directory in it; empty for its root.
    pub directory: String,
    /// The branch, tag or commit; `None` for what the remote's `HEAD` is.
    pub reference: Option<String>,
}

impl RemoteBase {
    /// Takes an address apart; `None` where kustomize takes it for a path.
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with('/') {
            return None;
        }
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let (host, path) = host(address)?;
        let (repository, directory) = parts(path, host.starts_with("file://"))?;
        let climbs = directory.trim_start_matches('/').split('/').try_fold(0_i32, |depth, name| match name {
            "" | "." => Some(depth),
            ".." => (depth > 0).then_some(depth - 1),
            _ => Some(depth + 1),
        });
        if repository.is_empty() || climbs.is_none() {
            return None;
        }
        Some(Self {
            url: format!("{host}{repository}"),
            directory: directory.trim_start_matches('/').to_owned(),
            reference: reference(query),
        })
    }
}

/// `ref`, or else `version`.
fn reference(query: &str) -> Option<String> {
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| decoded(value))
    };
    value("ref").or_else(|| value("version"))
}

/// A value of a query with its `%XX` and `+` resolved.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn without<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// The host, with scheme and user, up to the slash or colon that ends it; and what follows.
fn host(address: &str) -> Option<(String, &str)> {
    let address = without(address, "git::").unwrap_or(address);
    let schemes = ["ssh://", "https://", "http://", "file://"];
    let scheme = schemes.into_iter().find(|scheme| without(address, scheme).is_some()).unwrap_or_default();
    let rest = &address[scheme.len()..];
    if scheme == "file://" {
        return Some((scheme.to_owned(), rest));
    }
    let user = rest.find('@').filter(|&at| {
        let name = &rest.as_bytes()[..at];
        name.first().is_some_and(u8::is_ascii_alphabetic)
            && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    });
    let (user, rest) = rest.split_at(user.map_or(0, |at| at + 1));
    let github = without(rest, "github.com/").is_some() || without(rest, "github.com:").is_some();
    let scp = scheme.is_empty() && (!user.is_empty() || github);
    if scheme.is_empty() && !scp {
        return None;
    }
    let slash = rest.find('/');
    let colon = rest.find(':').filter(|&at| scp && (slash.is_none() || (at > 0 && Some(at) < slash)));
    let end = colon.or(slash).filter(|&at| at > 0)?;
    let (host, path) = rest.split_at(end + 1);
    if github {
        let ssh = scheme == "ssh://" || !user.is_empty();
        return Some((
            if ssh { format!("{user}github.com:") } else { "https://github.com/".to_owned() },
            path,
        ));
    }
    Some((format!("{scheme}{user}{host}"), path))
}

/// The repository and the directory in it.
fn parts(path: &str, is_file: bool) -> Option<(String, &str)> {
    if let Some(at) = path.find("_git/") {
        let after = &path[at + "_git/".len()..];
        let (name, rest) = after.split_once('/').unwrap_or((after, ""));
        return Some((format!("{}{name}", &path[..at + "_git/".len()]), rest));
    }
    if let Some((repository, rest)) = path.split_once("//") {
        return Some((repository.to_owned(), rest));
    }
    if let Some(at) = path.find(".git") {
        let end = at + ".git".len();
        return Some((path[..end].to_owned(), &path[end..]));
    }
    if is_file {
        return Some((path.to_owned(), ""));
    }
    // The owner and the name.
    let first = path.find('/')?;
    let end = path[first + 1..].find('/').map_or(path.len(), |at| first + 1 + at);
    Some((path[..end].to_owned(), path.get(end + 1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Address, what is cloned, directory, reference: as the tests of kustomize itself have them.
    const TABLE: [(&str, &str, &str, &str); 12] = [
        ("http://github.com/someorg/somerepo/somedir", "https://github.com/someorg/somerepo", "somedir", ""),
        ("git@github.com:someorg/somerepo/somedir", "git@github.com:someorg/somerepo", "somedir", ""),
        ("github.com/o/r?ref=main", "https://github.com/o/r", "", "main"),
        (
            "git@bitbucket.org:company/project.git//path?ref=branch",
            "git@bitbucket.org:company/project.git",
            "path",
            "branch",
        ),
        ("ssh://git@bitbucket.org/c/p.git//path?ref=b", "ssh://git@bitbucket.org/c/p.git", "path", "b"),
        ("https://itfs.x.com/c/p/_git/r/d?version=v1.0.0", "https://itfs.x.com/c/p/_git/r", "d", "v1.0.0"),
        ("git::https://itfs.x.com/c/p/_git/r", "https://itfs.x.com/c/p/_git/r", "", ""),
        ("file:///a/b/c/r//d?ref=x", "file:///a/b/c/r", "d", "x"),
        ("file:///a/b/c/r", "file:///a/b/c/r", "", ""),
        ("https://example.org/path/to/repo.git/a/b", "https://example.org/path/to/repo.git", "a/b", ""),
        ("ssh://org-12345@github.com/k/kustomize", "org-12345@github.com:k/kustomize", "", ""),
        ("git@gist.github.com:bc79.git", "git@gist.github.com:bc79.git", "", ""),
    ];

    #[test]
    fn addresses_come_apart_as_kustomize_has_them() {
        for (address, url, directory, reference) in TABLE {
            let base = RemoteBase::parse(address).unwrap_or_else(|| panic!("{address}"));
            let found = (
                base.url.as_str(),
                base.directory.trim_matches('/'),
                base.reference.as_deref().unwrap_or(""),
            );
            assert_eq!(found, (url, directory, reference), "{address}");
        }
    }

    #[test]
    fn paths_are_no_addresses() {
        for path in
            ["../base", "base", "a/b/c.yaml", "/abs", "a:b", "./x//y", "https://github.com/o", "", "x@y"]
        {
            assert_eq!(RemoteBase::parse(path), None, "{path}");
        }
        assert_eq!(RemoteBase::parse("https://github.com/o/r//../x"), None);
    }
}
