use std::{fmt, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand_core::OsRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, SshSig, public::KeyData};

use super::{AllowedSigners, Digest, ProofError, canonical_json};

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
        VerifyingKey::of(self.0.public_key().key_data())
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

/// A public SSH key, without its comment: two are equal where the keys are. Displayed as
/// `ssh-ed25519 AAAA…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey(PublicKey);

impl VerifyingKey {
    /// Reads `key-type base64-key [comment]`: Ed25519, ECDSA over P-256, P-384 or P-521, RSA from 2,048
    /// bits on, and Ed25519 and ECDSA P-256 in a security key.
    ///
    /// # Errors
    /// [`ProofError::BadSignature`] where the text is no public key, or one of another kind: DSA, a
    /// shorter RSA key, a certificate.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let bad = |why: String| ProofError::BadSignature { namespace: "public key", why };
        let key = PublicKey::from_openssh(text).map_err(|error| bad(error.to_string()))?;
        strong(key.key_data()).map_err(bad)?;
        Ok(Self::of(key.key_data()))
    }

    fn of(key: &KeyData) -> Self {
        Self(PublicKey::from(key.clone()))
    }

    /// The key's fingerprint, as `ssh-keygen -l` prints it (`SHA256:…`).
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Checks an SSHSIG signature in PEM over bytes, made by this key for this namespace. A security key
    /// must have been touched for it: a statement is a person's.
    ///
    /// # Errors
    /// [`ProofError::BadSignature`] for anything else.
    pub fn verify_bytes(
        &self,
        namespace: &'static str,
        bytes: &[u8],
        signature: &str,
    ) -> Result<(), ProofError> {
        let bad = |why: String| ProofError::BadSignature { namespace, why };
        strong(self.0.key_data()).map_err(bad)?;
        let signature = SshSig::from_pem(signature).map_err(|error| bad(error.to_string()))?;
        self.0.verify(namespace, bytes, &signature).map_err(|error| bad(error.to_string()))?;
        // PROTOCOL.u2f: a security key's signature ends in a byte of flags, whose first bit says that
        // somebody was there, and a counter of four bytes.
        if matches!(self.0.key_data(), KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_)) {
            let flags = signature.signature_bytes().iter().rev().nth(4).copied().unwrap_or_default();
            if flags & 1 == 0 {
                return Err(bad("the security key was not touched for it".into()));
            }
        }
        Ok(())
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.to_bytes().unwrap_or_default();
        write!(f, "{} {}", self.0.algorithm(), STANDARD.encode(bytes))
    }
}

/// Whether signatures by a key of this kind prove anything, and this build can check them.
fn strong(key: &KeyData) -> Result<(), String> {
    match key {
        KeyData::Ed25519(_) | KeyData::Ecdsa(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => {
            Ok(())
        }
        KeyData::Rsa(key) => {
            let modulus = key.n.as_positive_bytes().unwrap_or_default();
            let bits = modulus.len() * 8 - modulus.first().map_or(0, |first| first.leading_zeros() as usize);
            if bits >= 2048 { Ok(()) } else { Err(format!("an RSA key of {bits} bits is too short")) }
        }
        other => Err(format!("keys of type {} are not accepted", other.algorithm())),
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
        let key = self.key()?;
        key.verify_bytes(T::NAMESPACE, payload.as_bytes(), &self.signature)?;
        let principals = signers.principals(&key, T::NAMESPACE);
        if principals.is_empty() {
            let why = signers.why_not(&key, T::NAMESPACE);
            return Err(bad(format!("the key {} {why}", key.fingerprint())));
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
        Ok(VerifyingKey::of(signature.public_key()))
    }

    /// The digest of the statement alone: what single use is recorded under.
    ///
    /// # Errors
    /// [`ProofError::NotCanonical`].
    pub fn statement_digest(&self) -> Result<Digest, ProofError> {
        Ok(Digest::of_bytes(canonical_json(T::NAMESPACE, &self.statement)?))
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

    /// What a security key would sign, made with an ordinary key: PROTOCOL.u2f.
    fn signed_by_security_key(flags: u8) -> (VerifyingKey, String) {
        fn sign<K: ssh_key::SigningKey>(key: &K, message: &[u8]) -> ssh_key::Signature {
            key.try_sign(message).unwrap()
        }
        let key = SigningKey::generate("token").unwrap();
        let KeyData::Ed25519(public) = key.0.public_key().key_data().clone() else { unreachable!() };
        let public = KeyData::from(ssh_key::public::SkEd25519::new(public, "ssh:"));
        let message = SshSig::signed_data("test-note", HashAlg::Sha512, b"hello").unwrap();
        let sha256 = |bytes: &[u8]| {
            let mut digester = crate::proof::Digester::new();
            digester.update(bytes);
            digester.finish_bytes()
        };
        let after = [&[flags][..], &7_u32.to_be_bytes()].concat();
        let inner = sign(&key.0, &[&sha256(b"ssh:")[..], &after, &sha256(&message)].concat());
        let bytes = [inner.as_bytes(), &after].concat();
        let signature = ssh_key::Signature::new(Algorithm::SkEd25519, bytes).unwrap();
        let signature = SshSig::new(public.clone(), "test-note", HashAlg::Sha512, signature).unwrap();
        (VerifyingKey::of(&public), signature.to_pem(LineEnding::LF).unwrap())
    }

    #[test]
    fn a_security_key_must_have_been_touched() {
        let (key, signature) = signed_by_security_key(1);
        key.verify_bytes("test-note", b"hello", &signature).unwrap();
        assert!(key.verify_bytes("test-note", b"hallo", &signature).is_err());
        let (key, signature) = signed_by_security_key(0);
        let error = key.verify_bytes("test-note", b"hello", &signature).unwrap_err().to_string();
        assert!(error.contains("not touched"), "{error}");
    }
}
