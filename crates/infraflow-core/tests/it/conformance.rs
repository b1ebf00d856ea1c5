//! Tests of conformance: the suites pass what stands here, and catch what breaks a contract.
#![cfg(feature = "conformance")]

use std::io::{Read, Write};

use infraflow_core::{
    conformance,
    detect::GitDetector,
    git::{Repository, Revision},
    redact::{Redaction, RedactionReport, Redactor, SecretRedactor, Secrets},
    seal::{Opened, SealError, Sealed, Sealer, SealingKey, SharedKeySealer},
};

use crate::fixture::Repo;

fn ours(name: &str, secret: &str) -> Box<dyn Redactor> {
    let mut secrets = Secrets::new();
    secrets.add(name, secret);
    Box::new(SecretRedactor::new(&secrets).unwrap())
}

/// Masks each chunk apart, as most tools do.
#[derive(Debug)]
struct ChunkByChunk;
impl Redactor for ChunkByChunk {
    fn start(&self) -> Box<dyn Redaction> {
        Box::new(Leaky(ours("database.password", "s3cret-välue-of-the-run"), RedactionReport::default()))
    }
}
struct Leaky(Box<dyn Redactor>, RedactionReport);
impl Redaction for Leaky {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let (shown, report) = self.0.redact(chunk);
        out.extend(shown);
        self.1.redacted.extend(report.redacted);
    }
    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> RedactionReport {
        self.1
    }
}

#[test]
fn our_redactor_holds_its_contract_and_one_that_masks_chunk_by_chunk_does_not() {
    assert_eq!(conformance::redactor(ours), []);
    let violations = conformance::redactor(|_, _| Box::new(ChunkByChunk));
    assert!(violations.iter().any(|violation| violation.contract == 2), "{violations:?}");
    assert!(violations.iter().any(|violation| violation.contract == 3), "{violations:?}");
}

/// Copies, and calls that sealing.
#[derive(Debug)]
struct Copies;
impl Sealer for Copies {
    fn seal(&self, plain: &mut dyn Read, out: &mut dyn Write) -> Result<Sealed, SealError> {
        let mut bytes = Vec::new();
        plain.read_to_end(&mut bytes).unwrap();
        out.write_all(&bytes).unwrap();
        let key = SealingKey::generate().unwrap().id();
        let digest = infraflow_core::proof::Digest::of_bytes(&bytes);
        Ok(Sealed { key, digest, length: bytes.len() as u64 })
    }
    fn open(&self, sealed: &mut dyn Read, out: &mut dyn Write) -> Result<Opened, SealError> {
        let Sealed { key, digest, length } = self.seal(sealed, out)?;
        Ok(Opened { key, digest, length })
    }
}

#[test]
fn our_sealer_holds_its_contract_and_one_that_copies_does_not() {
    let [one, other] = [(); 2].map(|()| SharedKeySealer::new(SealingKey::generate().unwrap()));
    assert_eq!(conformance::sealer(&one, &other), []);
    let broken: Vec<u32> = conformance::sealer(&Copies, &Copies).iter().map(|v| v.contract).collect();
    assert!(broken.contains(&2) && broken.contains(&3), "{broken:?}");
}

#[test]
fn our_detector_holds_its_contract_and_one_that_compares_endpoints_does_not() {
    let repo = Repo::with(&[("a.tf", "a"), ("b.tf", "b\nb\nb\nb\nb\n")]);
    repo.branch("feature");
    repo.git(&["mv", "b.tf", "c.tf"]);
    repo.write("a.tf", "changed");
    repo.commit("feat: change");
    repo.checkout("main");
    repo.write("later.tf", "what trunk gained meanwhile");
    repo.commit("feat: later");
    let repository = Repository::open(&repo.path).unwrap();
    let [base, head] = ["main", "feature"].map(|name| Revision::Commit(repository.resolve(name).unwrap()));
    assert_eq!(conformance::change_detector(&GitDetector::new(), &repository, &base, &head), []);
    let endpoints = GitDetector::new().endpoints();
    let violations = conformance::change_detector(&endpoints, &repository, &base, &head);
    assert!(violations.iter().any(|violation| violation.contract == 3), "{violations:?}");
}
