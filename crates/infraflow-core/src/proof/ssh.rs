use std::{fmt, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand_core::OsRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

use super::{Digest, ProofError, canonical_json};

/// What can be signed: plain data with an SSHSIG namespace of its own, so that a signature made for one
/// purpose can never stand for another (PROTOCOL.sshsig of OpenSSH).
pub trait Statement: Serialize + DeserializeOwned {
    /// The SSHSIG namespace, for example `infraflow-approval`.
    const NAMESPACE: &'static str;
}

/// Who signs, by the name that an allowed-signers file gives to a key; usually an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Principal(pub String);

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A private SSH key. It is wiped from memory when dropped, and never printed.
#[derive(Clone)]
pub struct SigningKey(PrivateKey);

impl SigningKey {
    /// A new Ed25519 key from the operating system's random numbers.
    ///
    /// # Errors
    /// [`ProofError::Sign`] where the operating system gives no random numbers.
    pub fn generate(comment: &str) -> Result<Self, ProofError> {
        let mut key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519)
            .map_err(|error| ProofError::Sign { namespace: "key generation", why: error.to_string() })?;
        key.set_comment(comment);
        Ok(Self(key))
    }

    /// Reads an unencrypted OpenSSH private key file.
    ///
    /// # Errors
    /// [`ProofError::Key`] where the file cannot be read, is no OpenSSH key, or needs a passphrase.
    pub fn read(path: &Path) -> Result<Self, ProofError> {
        let bad = |why: String| ProofError::Key { path: path.to_owned(), why };
        let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
        let key = PrivateKey::from_openssh(&text).map_err(|error| bad(error.to_string()))?;
        if key.is_encrypted() {
            return Err(bad("it is encrypted with a passphrase, and nobody is here to give it".into()));
        }
        Ok(Self(key))
    }

    /// The key in OpenSSH's format, to be written to a file that only its owner reads.
    ///
    /// # Errors
    /// [`ProofError::Sign`] where the key cannot be encoded.
    pub fn to_openssh(&self) -> Result<zeroize::Zeroizing<String>, ProofError> {
        self.0
            .to_openssh(LineEnding::LF)
            .map_err(|error| ProofError::Sign { namespace: "key encoding", why: error.to_string() })
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.public_key().clone())
    }

    /// Signs bytes for a namespace; the result is what `ssh-keygen -Y sign` writes.
    ///
    /// # Errors
    /// [`ProofError::Sign`].
    pub fn sign_bytes(&self, namespace: &'static str, bytes: &[u8]) -> Result<String, ProofError> {
        let bad = |error: ssh_key::Error| ProofError::Sign { namespace, why: error.to_string() };
        let signature = self.0.sign(namespace, HashAlg::Sha512, bytes).map_err(bad)?;
        signature.to_pem(LineEnding::LF).map_err(bad)
    }

    /// Signs a statement: its canonical JSON, in the statement's namespace.
    ///
    /// # Errors
    /// [`ProofError::Sign`], or [`ProofError::NotCanonical`] for a statement without a canonical form.
    pub fn sign<T: Statement>(&self, statement: T) -> Result<Signed<T>, ProofError> {
        let payload = canonical_json(T::NAMESPACE, &statement)?;
        let signature = self.sign_bytes(T::NAMESPACE, payload.as_bytes())?;
        Ok(Signed { statement, signature })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifying_key())
    }
}

/// A public SSH key; displayed as `ssh-ed25519 AAAA…`, without its comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey(PublicKey);

impl VerifyingKey {
    /// Reads `key-type base64-key [comment]`.
    ///
    /// # Errors
    /// [`ProofError::BadSignature`] where the text is no public key.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        PublicKey::from_openssh(text)
            .map(Self)
            .map_err(|error| ProofError::BadSignature { namespace: "public key", why: error.to_string() })
    }

    /// The key's fingerprint, as `ssh-keygen -l` prints it (`SHA256:…`).
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Checks an SSHSIG signature in PEM over bytes, made by this key for this namespace.
    ///
    /// # Errors
    /// [`ProofError::BadSignature`] for anything else.
    pub fn verify_bytes(
        &self,
        namespace: &'static str,
        bytes: &[u8],
        signature: &str,
    ) -> Result<(), ProofError> {
        let bad = |error: ssh_key::Error| ProofError::BadSignature { namespace, why: error.to_string() };
        let signature = SshSig::from_pem(signature).map_err(bad)?;
        self.0.verify(namespace, bytes, &signature).map_err(bad)
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.to_bytes().unwrap_or_default();
        write!(f, "{} {}", self.0.algorithm(), STANDARD.encode(bytes))
    }
}

/// A statement and the SSHSIG signature over its canonical JSON. Nothing in it is trusted before
/// [`Signed::verify`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Signed<T> {
    /// What is stated.
    pub statement: T,
    /// The signature in PEM (`-----BEGIN SSH SIGNATURE-----`), verifiable with `ssh-keygen -Y verify`.
    pub signature: String,
}

impl<T: Statement> Signed<T> {
    /// The principals of `signers` whose key made this signature over exactly this statement.
    ///
    /// # Errors
    /// [`ProofError::BadSignature`] where the signature does not hold, or its key is nobody's in `signers`.
    pub fn verify(&self, signers: &AllowedSigners) -> Result<Vec<Principal>, ProofError> {
        let bad = |why: String| ProofError::BadSignature { namespace: T::NAMESPACE, why };
        let payload = canonical_json(T::NAMESPACE, &self.statement)?;
        let signature = SshSig::from_pem(&self.signature).map_err(|error| bad(error.to_string()))?;
        let key = VerifyingKey(PublicKey::from(signature.public_key().clone()));
        key.verify_bytes(T::NAMESPACE, payload.as_bytes(), &self.signature)?;
        let principals = signers.principals(&key, T::NAMESPACE);
        if principals.is_empty() {
            return Err(bad(format!("the key {} is not among the allowed signers", key.fingerprint())));
        }
        Ok(principals)
    }

    /// The key that the signature names as its own. It vouches for nothing before [`Signed::verify`] held.
    ///
    /// # Errors
    /// [`ProofError::BadSignature`] where the signature cannot be read.
    pub fn key(&self) -> Result<VerifyingKey, ProofError> {
        let signature = SshSig::from_pem(&self.signature)
            .map_err(|error| ProofError::BadSignature { namespace: T::NAMESPACE, why: error.to_string() })?;
        Ok(VerifyingKey(PublicKey::from(signature.public_key().clone())))
    }

    /// The digest of the statement alone: what single use is recorded under.
    ///
    /// # Errors
    /// [`ProofError::NotCanonical`].
    pub fn statement_digest(&self) -> Result<Digest, ProofError> {
        Ok(Digest::of_bytes(canonical_json(T::NAMESPACE, &self.statement)?))
    }
}

/// An allowed-signers file: which key signs for whom, and for which namespaces (ssh-keygen(1), ALLOWED
/// SIGNERS).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedSigners(Vec<AllowedSigner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct AllowedSigner {
    principals: Vec<Principal>,
    namespaces: Option<Vec<String>>,
    key: VerifyingKey,
}

impl AllowedSigners {
    /// Reads an allowed-signers file. Options other than `namespaces="…"` are refused rather than
    /// ignored, since each of them narrows what a key may sign.
    ///
    /// # Errors
    /// [`ProofError::AllowedSigners`] with the line at fault.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let mut signers = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = |why: String| ProofError::AllowedSigners { line: index + 1, why };
            let (principals, rest) =
                line.split_once(char::is_whitespace).ok_or_else(|| bad("it has only one word".into()))?;
            let rest = rest.trim_start();
            let (namespaces, key) = match rest.strip_prefix("namespaces=\"") {
                Some(rest) => {
                    let (list, key) =
                        rest.split_once('"').ok_or_else(|| bad("namespaces=\" is not closed".into()))?;
                    (Some(list.split(',').map(str::to_owned).collect()), key.trim_start())
                }
                None => (None, rest),
            };
            let first = key.split_whitespace().next().unwrap_or_default();
            if first.contains('=') || first == "cert-authority" {
                return Err(bad(format!("the option {first} is not supported")));
            }
            signers.push(AllowedSigner {
                principals: principals.split(',').map(|name| Principal(name.to_owned())).collect(),
                namespaces,
                key: VerifyingKey::parse(key).map_err(|error| bad(error.to_string()))?,
            });
        }
        Ok(Self(signers))
    }

    /// Whose key this is, for a namespace; sorted, without doubles.
    pub fn principals(&self, key: &VerifyingKey, namespace: &str) -> Vec<Principal> {
        let mut found: Vec<Principal> = self
            .0
            .iter()
            .filter(|signer| signer.key.to_string() == key.to_string())
            .filter(|signer| {
                signer.namespaces.as_ref().is_none_or(|list| list.iter().any(|n| n == namespace))
            })
            .flat_map(|signer| signer.principals.iter().cloned())
            .collect();
        found.sort();
        found.dedup();
        found
    }

    /// Every principal with a key here; sorted, without doubles.
    pub fn all(&self) -> Vec<Principal> {
        let mut all: Vec<Principal> = self.0.iter().flat_map(|s| s.principals.iter().cloned()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Whether no key is allowed at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Note {
        text: String,
    }
    impl Statement for Note {
        const NAMESPACE: &'static str = "test-note";
    }
    fn note() -> Note {
        Note { text: "hello".into() }
    }

    #[test]
    fn a_signed_statement_names_its_principal() {
        let key = SigningKey::generate("ada").unwrap();
        let signers = AllowedSigners::parse(&format!("ada@example.com {}\n", key.verifying_key())).unwrap();
        let signed = key.sign(note()).unwrap();
        assert_eq!(signed.verify(&signers).unwrap(), vec![Principal("ada@example.com".into())]);
        assert_eq!(signed.key().unwrap().fingerprint(), key.verifying_key().fingerprint());
    }

    #[test]
    fn an_altered_statement_a_stranger_and_another_namespace_are_refused() {
        let (key, other) = (SigningKey::generate("a").unwrap(), SigningKey::generate("b").unwrap());
        let signers = AllowedSigners::parse(&format!("a {}", key.verifying_key())).unwrap();
        let mut signed = key.sign(note()).unwrap();
        signed.statement.text.push('!');
        assert!(signed.verify(&signers).is_err());
        assert!(other.sign(note()).unwrap().verify(&signers).is_err());
        let only = AllowedSigners::parse(&format!("a namespaces=\"git\" {}", key.verifying_key())).unwrap();
        assert!(key.sign(note()).unwrap().verify(&only).is_err());
    }

    #[test]
    fn ssh_keygen_verifies_what_we_sign() {
        let dir = tempfile::tempdir().unwrap();
        let key = SigningKey::generate("ada").unwrap();
        let signed = key.sign(note()).unwrap();
        std::fs::write(dir.path().join("signers"), format!("ada {}\n", key.verifying_key())).unwrap();
        std::fs::write(dir.path().join("sig"), &signed.signature).unwrap();
        let payload = canonical_json("note", &note()).unwrap();
        std::fs::write(dir.path().join("payload"), payload).unwrap();
        let status = std::process::Command::new("ssh-keygen")
            .args(["-Y", "verify", "-f", "signers", "-I", "ada", "-n", "test-note", "-s", "sig"])
            .current_dir(dir.path())
            .stdin(std::fs::File::open(dir.path().join("payload")).unwrap())
            .stdout(std::process::Stdio::null())
            .status();
        match status {
            Ok(status) => assert!(status.success()),
            Err(_) => eprintln!("skipped: ssh-keygen is not on the PATH"),
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let error = AllowedSigners::parse("# who\nada\n").unwrap_err();
        assert!(matches!(error, ProofError::AllowedSigners { line: 2, .. }));
        assert!(AllowedSigners::parse("ada cert-authority ssh-ed25519 AAAA").is_err());
    }
}
