use std::{
    fmt,
    io::Write as _,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hkdf::Hkdf;
use rand_core::{OsRng, RngCore as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use super::{SealError, error::Result};

/// Which key something was sealed with: the first eight bytes of a one-way function of the key, written
/// as 16 hexadecimal digits. It says nothing about the key, and the same key has the same id everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct KeyId(pub(super) [u8; 8]);

impl KeyId {
    /// Reads an id back from its text.
    ///
    /// # Errors
    /// [`SealError::NotAKey`] unless it is 16 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = SealError::NotAKey { why: "a key's id is 16 lower-case hexadecimal digits" };
        let hex = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
        if text.len() != 16 || !text.as_bytes().iter().all(hex) {
            return Err(bad);
        }
        u64::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| bad)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for KeyId {
    type Error = SealError;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.to_string()
    }
}

/// A key that seals and opens: 32 random bytes. It is wiped from memory when dropped, and never printed.
///
/// It must not stand in the environment of a process that runs the change's code.
#[derive(Clone)]
pub struct SealingKey {
    id: KeyId,
    secret: Zeroizing<[u8; 32]>,
}

impl SealingKey {
    /// A new key from the operating system's random numbers.
    ///
    /// # Errors
    /// [`SealError::Random`].
    pub fn generate() -> Result<Self> {
        let mut secret = Zeroizing::new([0; 32]);
        random(secret.as_mut())?;
        Ok(Self::from_secret(secret))
    }

    /// Reads a key from its text: base64 of 32 bytes, in a line of its own. Empty lines and lines that
    /// begin with `#` are passed over.
    ///
    /// # Errors
    /// [`SealError::NotAKey`], which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let line = lines.next().ok_or(SealError::NotAKey { why: "it is empty" })?;
        if lines.next().is_some() {
            return Err(SealError::NotAKey { why: "it has more than one line" });
        }
        let mut bytes = STANDARD.decode(line).map_err(|_| SealError::NotAKey { why: "it is not base64" })?;
        let mut secret = Zeroizing::new([0; 32]);
        let right = bytes.len() == secret.len();
        if right {
            secret.copy_from_slice(&bytes);
        }
        bytes.zeroize();
        if !right {
            return Err(SealError::NotAKey { why: "it is not 32 bytes long" });
        }
        if secret.iter().all(|&byte| byte == secret[0]) {
            return Err(SealError::NotAKey { why: "all its bytes are the same, so it is not random" });
        }
        Ok(Self::from_secret(secret))
    }

    /// Reads a key file that its owner, and at most a group, can read.
    ///
    /// # Errors
    /// [`SealError::KeyFile`] where it cannot be read, everybody can read or write it, or it holds no key.
    pub fn read(path: &Path) -> Result<Self> {
        let bad = |why: String| SealError::KeyFile { path: path.to_owned(), why };
        let mode = std::fs::metadata(path).map_err(|error| bad(error.to_string()))?.mode();
        if mode & 0o007 != 0 {
            return Err(bad(format!(
                "everybody on this machine can use it (mode {:04o})\n  help: chmod 600 {}",
                mode & 0o7777,
                path.display()
            )));
        }
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?);
        Self::parse(&text).map_err(|error| bad(error.to_string()))
    }

    /// Writes the key to a new file that only its owner reads.
    ///
    /// # Errors
    /// [`SealError::KeyFile`] where the file exists, or cannot be written; then nothing is left there.
    pub fn write(&self, path: &Path) -> Result<()> {
        let bad = |why: String| SealError::KeyFile { path: path.to_owned(), why };
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| bad(error.to_string()))?;
        let text =
            Zeroizing::new(format!("# infraflow sealing key {}\n{}\n", self.id, self.to_base64().as_str()));
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
            // Half a key is worse than none; that it cannot be removed either adds nothing to the error.
            let _ = std::fs::remove_file(path);
            bad(error.to_string())
        })
    }

    /// The key as [`SealingKey::parse`] reads it, for whoever keeps keys in a secret store.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(*self.secret))
    }

    /// Which key this is.
    pub fn id(&self) -> KeyId {
        self.id
    }

    fn from_secret(secret: Zeroizing<[u8; 32]>) -> Self {
        let mut id = [0; 8];
        expand(None, &secret, b"infraflow sealing key id", &mut id);
        Self { id: KeyId(id), secret }
    }

    /// The key of one sealed piece.
    pub(super) fn payload_key(&self, salt: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        expand(Some(salt), &self.secret, b"infraflow seal 1 payload key", key.as_mut());
        key
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", self.id)
    }
}

pub(super) fn random(bytes: &mut [u8]) -> Result<()> {
    OsRng.try_fill_bytes(bytes).map_err(|error| SealError::Random { why: error.to_string() })
}

fn expand(salt: Option<&[u8]>, secret: &[u8; 32], info: &[u8], out: &mut [u8]) {
    // HKDF gives up to 255 times the hash's length (RFC 5869, section 2.3), and 32 bytes are one.
    #[allow(clippy::expect_used)]
    Hkdf::<Sha256>::new(salt, secret).expand(info, out).expect("HKDF-SHA-256 gives 32 bytes");
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_reads_back_from_its_file_which_only_its_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prod.key");
        let key = SealingKey::generate().unwrap();
        key.write(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let read = SealingKey::read(&path).unwrap();
        assert_eq!((read.id(), &read.secret), (key.id(), &key.secret));
        assert!(
            matches!(key.write(&path), Err(SealError::KeyFile { .. })),
            "a key file is never overwritten"
        );
    }

    #[test]
    fn a_key_file_that_everybody_reads_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        SealingKey::generate().unwrap().write(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = SealingKey::read(&path).unwrap_err().to_string();
        assert!(error.contains("0644") && error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_it() {
        let short = STANDARD.encode([7, 8, 9]);
        let zeros = STANDARD.encode([0; 32]);
        let twice = format!("{0}\n{0}", SealingKey::generate().unwrap().to_base64().as_str());
        for text in ["", "# only a comment\n", "no base64!", &short, &zeros, &twice] {
            let error = SealingKey::parse(text).unwrap_err();
            assert!(matches!(error, SealError::NotAKey { .. }));
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        let key = SealingKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), format!("SealingKey({})", key.id()));
    }

    #[test]
    fn an_id_reads_back() {
        let id = SealingKey::generate().unwrap().id();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<KeyId>(&json).unwrap(), id);
        for bad in ["", "0123456789abcde", "0123456789ABCDEF", "+123456789abcdef"] {
            assert!(KeyId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
