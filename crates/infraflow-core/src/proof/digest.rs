use std::fmt;

use hmac::Mac;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::ProofError;

/// A SHA-256 digest, written `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Digest(String);

impl Digest {
    /// The digest of bytes.
    pub fn of_bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::from_sha256(&sha2::Sha256::digest(bytes.as_ref()).into())
    }

    /// The digest whose 32 bytes are known.
    pub fn from_sha256(bytes: &[u8; 32]) -> Self {
        Self(format!("sha256:{}", hex(bytes)))
    }

    /// The digest of all that a reader yields, read in pieces.
    ///
    /// # Errors
    /// The reader's.
    pub fn of_reader(reader: &mut dyn std::io::Read) -> std::io::Result<Self> {
        let mut digester = Digester::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(digester.finish()),
                Ok(count) => digester.update(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads a digest back from its text.
    ///
    /// # Errors
    /// [`ProofError::NotADigest`] unless it is `sha256:` and 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let good = text.strip_prefix("sha256:").is_some_and(|hex| {
            hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        });
        if good { Ok(Self(text.to_owned())) } else { Err(ProofError::NotADigest { text: text.to_owned() }) }
    }

    /// The whole text, `sha256:…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hexadecimal digits without the algorithm, for file names and keys of a store.
    pub fn hex(&self) -> &str {
        &self.0["sha256:".len()..]
    }

    /// The first twelve hexadecimal digits, for people.
    pub fn short(&self) -> &str {
        &self.hex()[..12]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = ProofError;
    fn try_from(text: String) -> Result<Self, ProofError> {
        Self::parse(&text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

/// A [`Digest`] of bytes that come in pieces.
#[derive(Clone, Debug, Default)]
pub struct Digester(sha2::Sha256);

impl Digester {
    /// The digest of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece.
    pub fn update(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.update(bytes);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Digest {
        Digest::from_sha256(&self.finish_bytes())
    }

    /// The digest of all pieces, as its 32 bytes.
    pub fn finish_bytes(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// A keyed digest (HMAC-SHA-256) for values that must be comparable and not guessable: a digest of a
/// weak secret alone could be searched for.
#[derive(Clone)]
pub struct Hmac(hmac::Hmac<sha2::Sha256>);

impl fmt::Debug for Hmac {
    /// The key is hidden.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hmac")
    }
}

impl Hmac {
    /// A keyed digest under `key`, of any length.
    pub fn new(key: &[u8]) -> Self {
        // HMAC takes keys of any length (RFC 2104, section 2), so this cannot fail.
        #[allow(clippy::expect_used)]
        Self(hmac::Hmac::new_from_slice(key).expect("HMAC accepts every key length"))
    }

    /// The keyed digest of `bytes`, 64 hexadecimal digits.
    pub fn of(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut mac = self.0.clone();
        mac.update(bytes.as_ref());
        hex(&mac.finalize().into_bytes())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_and_nothing_else_does() {
        let digest = Digest::of_bytes("abc");
        assert_eq!(
            digest.as_str(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(Digest::parse(digest.as_str()).unwrap(), digest);
        assert!(Digest::parse("sha256:BA").is_err());
        assert!(Digest::parse(&digest.as_str().to_uppercase()).is_err());
    }

    #[test]
    fn pieces_have_the_digest_of_the_whole() {
        let mut digester = Digester::new();
        digester.update("a");
        digester.update("bc");
        assert_eq!(digester.finish(), Digest::of_bytes("abc"));
        assert_eq!(Digest::of_reader(&mut &b"abc"[..]).unwrap(), Digest::of_bytes("abc"));
    }

    #[test]
    fn hmac_matches_rfc_4231_test_case_2() {
        assert_eq!(
            Hmac::new(b"Jefe").of("what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
