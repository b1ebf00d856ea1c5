use std::{
    borrow::Borrow,
    ffi::OsStr,
    fmt,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::ProofError;

/// A path inside a repository: bytes, relative to its root, names separated by `/`, without `.`, `..`,
/// empty names or NUL. The root itself is the empty path, written `.`.
///
/// Git's paths are bytes. In JSON and in messages, bytes that are no UTF-8 and `%` itself are written `%XX`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "String")]
pub struct RepoPath(Arc<[u8]>);

impl RepoPath {
    /// The repository's root.
    pub fn root() -> Self {
        Self(Arc::from([]))
    }

    /// Checks bytes and takes them for a path.
    ///
    /// # Errors
    /// [`ProofError::BadPath`] for an absolute path, one with `.`, `..` or an empty name in it, or a NUL.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Result<Self, ProofError> {
        let bytes = bytes.as_ref();
        let bad = |why| ProofError::BadPath { path: String::from_utf8_lossy(bytes).into_owned(), why };
        if bytes.is_empty() || bytes == b"." {
            return Ok(Self::root());
        }
        if bytes[0] == b'/' {
            return Err(bad("it is absolute"));
        }
        if bytes.contains(&0) {
            return Err(bad("it has a NUL byte"));
        }
        for name in bytes.split(|&b| b == b'/') {
            match name {
                b"" => return Err(bad("it has an empty name")),
                b"." | b".." => return Err(bad("it has . or .. in it")),
                _ => {}
            }
        }
        Ok(Self(Arc::from(bytes)))
    }

    /// Follows `relative` from this directory, resolving `.` and `..` by their text alone. `None` where
    /// that leaves the repository, or `relative` is absolute or has a NUL.
    pub fn resolve(&self, relative: impl AsRef<[u8]>) -> Option<Self> {
        let relative = relative.as_ref();
        if relative.first() == Some(&b'/') || relative.contains(&0) {
            return None;
        }
        let mut names: Vec<&[u8]> = self.names().collect();
        for name in relative.split(|&b| b == b'/') {
            match name {
                b"" | b"." => {}
                b".." => {
                    names.pop()?;
                }
                name => names.push(name),
            }
        }
        Some(Self(Arc::from(names.join(&b'/'))))
    }

    /// This directory's child `name`, which may be several names joined by `/`. As [`RepoPath::resolve`],
    /// for names known to be well-formed: whatever cannot be resolved is left out.
    pub fn join(&self, name: impl AsRef<[u8]>) -> Self {
        let name = name.as_ref();
        self.child(name).or_else(|| self.resolve(name)).unwrap_or_else(|| self.clone())
    }

    /// What goes by one name in this directory; `None` for what is no name.
    pub(crate) fn child(&self, name: &[u8]) -> Option<Self> {
        const SHORT: usize = 256;
        let is_name = !matches!(name, b"" | b"." | b"..") && memchr::memchr2(b'/', 0, name).is_none();
        let from = self.0.len() + usize::from(!self.0.is_empty());
        let length = from + name.len();
        if !is_name {
            return None;
        }
        // Most are short: put together where nothing has to be asked for.
        let (mut short, mut long) = ([0; SHORT], Vec::new());
        let path = match short.get_mut(..length) {
            Some(short) => short,
            None => {
                long.resize(length, 0);
                &mut long[..]
            }
        };
        path[..self.0.len()].copy_from_slice(&self.0);
        path[self.0.len()..from].fill(b'/');
        path[from..].copy_from_slice(name);
        Some(Self(Arc::from(&*path)))
    }

    /// The directory this stands in; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.0.is_empty() {
            return None;
        }
        let cut = self.0.iter().rposition(|&b| b == b'/').unwrap_or(0);
        Some(Self(Arc::from(&self.0[..cut])))
    }

    /// The last name; empty for the root.
    pub fn file_name(&self) -> &[u8] {
        self.0.iter().rposition(|&b| b == b'/').map_or(&self.0[..], |at| &self.0[at + 1..])
    }

    /// The names from the root on.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|&b| b == b'/').filter(|name| !name.is_empty())
    }

    /// Whether this is `directory` or lies below it.
    pub fn is_within(&self, directory: &Self) -> bool {
        directory.0.is_empty()
            || self.0.strip_prefix(&*directory.0).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes, as git has them; empty for the root.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The place of this path below a directory of the file system.
    pub fn below(&self, directory: &Path) -> PathBuf {
        if self.0.is_empty() { directory.to_owned() } else { directory.join(OsStr::from_bytes(&self.0)) }
    }

    /// `self` as seen from `directory`, with `..` where needed: the inverse of [`RepoPath::resolve`].
    pub fn relative_to(&self, directory: &Self) -> Vec<u8> {
        let (to, from): (Vec<_>, Vec<_>) = (self.names().collect(), directory.names().collect());
        let shared = to.iter().zip(&from).take_while(|(a, b)| a == b).count();
        let mut names: Vec<&[u8]> = vec![b".."; from.len() - shared];
        names.extend(&to[shared..]);
        if names.is_empty() { b".".to_vec() } else { names.join(&b'/') }
    }
}

/// By its bytes a path is found among paths.
impl Borrow<[u8]> for RepoPath {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        for chunk in self.0.utf8_chunks() {
            for (i, part) in chunk.valid().split('%').enumerate() {
                if i > 0 {
                    f.write_str("%25")?;
                }
                f.write_str(part)?;
            }
            for byte in chunk.invalid() {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<RepoPath> for String {
    fn from(path: RepoPath) -> Self {
        path.to_string()
    }
}

impl TryFrom<String> for RepoPath {
    type Error = ProofError;
    fn try_from(text: String) -> Result<Self, ProofError> {
        let bad = || ProofError::BadPath {
            path: text.clone(),
            why: "a % is not followed by two hexadecimal digits",
        };
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let Some((&first, tail)) = rest.split_first() {
            rest = tail;
            if first != b'%' {
                bytes.push(first);
                continue;
            }
            let digits = rest.get(..2).and_then(|d| std::str::from_utf8(d).ok()).ok_or_else(bad)?;
            bytes.push(u8::from_str_radix(digits, 16).map_err(|_| bad())?);
            rest = &rest[2..];
        }
        Self::parse(bytes)
    }
}

impl Serialize for RepoPath {
    /// Text where people may read it, and else the bytes.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(self) } else { to.serialize_bytes(&self.0) }
    }
}

impl<'de> Deserialize<'de> for RepoPath {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl de::Visitor<'_> for Bytes {
            type Value = RepoPath;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the bytes of a path")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<RepoPath, E> {
                RepoPath::parse(bytes).map_err(E::custom)
            }
        }
        if from.is_human_readable() {
            Self::try_from(String::deserialize(from)?).map_err(de::Error::custom)
        } else {
            from.deserialize_bytes(Bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_bytes_survive_json() {
        for bytes in [&b"a/\xff%b"[..], "é/ü x".as_bytes(), b""] {
            let path = RepoPath::parse(bytes).unwrap();
            let text = serde_json::to_string(&path).unwrap();
            assert_eq!(serde_json::from_str::<RepoPath>(&text).unwrap(), path);
        }
        assert_eq!(RepoPath::parse(b"a\xff%").unwrap().to_string(), "a%FF%25");
    }

    #[test]
    fn nothing_leads_out_of_the_repository() {
        for bad in ["/etc", "../a", "a/../b", "a//b", "a/", "./a", "a\0b"] {
            assert!(RepoPath::parse(bad).is_err(), "{bad:?}");
        }
        let dir = RepoPath::parse("a/b").unwrap();
        assert_eq!(dir.resolve("../c/./d").unwrap().to_string(), "a/c/d");
        assert_eq!(dir.resolve("../../").unwrap(), RepoPath::root());
        assert!(dir.resolve("../../../x").is_none());
        assert!(dir.resolve("/x").is_none());
    }

    #[test]
    fn relative_to_is_the_inverse_of_resolve() {
        for (to, from) in [("a/b", "a/c/d"), ("a", "a"), ("x", "."), (".", "x/y"), ("a/b/c", "a")] {
            let (to, from) = (RepoPath::parse(to).unwrap(), RepoPath::parse(from).unwrap());
            assert_eq!(from.resolve(to.relative_to(&from)).unwrap(), to);
        }
    }

    #[test]
    fn within_means_whole_names() {
        let dir = RepoPath::parse("a/b").unwrap();
        assert!(RepoPath::parse("a/b/c").unwrap().is_within(&dir));
        assert!(dir.is_within(&dir) && dir.is_within(&RepoPath::root()));
        assert!(!RepoPath::parse("a/bc").unwrap().is_within(&dir));
    }
}
