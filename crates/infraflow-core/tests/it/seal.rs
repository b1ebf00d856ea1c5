//! Sealed data that is not as it was sealed, and manifests that ssh-keygen reads.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    path::Path,
    process::Command,
};

use infraflow_core::{
    proof::{AllowedSigners, Digest, Principal, RunId, Signed, SigningKey, Statement as _, canonical_json},
    seal::{Manifest, ManifestItem, SealError, Sealer, SealingKey, SharedKeySealer},
};
use proptest::prelude::*;

use crate::fixture;

const HEADER: usize = 76;
const SLOT: usize = 65_536 + 16;

fn sealer() -> SharedKeySealer {
    SharedKeySealer::new(SealingKey::generate().unwrap())
}

fn dynamic(sealer: &SharedKeySealer) -> &dyn Sealer {
    sealer
}

#[test]
fn what_was_sealed_opens_and_its_digests_are_told() {
    let sealer = sealer();
    let plain = vec![42; 300_000];
    let mut sealed = Vec::new();
    let told = sealer.seal(&mut &plain[..], &mut sealed).unwrap();
    assert_eq!((told.digest, told.length), (Digest::of_bytes(&sealed), sealed.len() as u64));
    let mut out = Vec::new();
    let opened = sealer.open(&mut &sealed[..], &mut out).unwrap();
    assert_eq!(out, plain);
    assert_eq!((opened.digest, opened.length, opened.key), (Digest::of_bytes(&plain), 300_000, told.key));
}

#[test]
fn the_same_text_sealed_twice_differs() {
    let sealer = sealer();
    let sealer = dynamic(&sealer);
    assert_ne!(sealer.seal_bytes(b"text").unwrap(), sealer.seal_bytes(b"text").unwrap());
}

#[test]
fn a_wrong_key_is_named_with_the_right_one() {
    let (ours, theirs) = (SealingKey::generate().unwrap(), SealingKey::generate().unwrap());
    let sealed = dynamic(&SharedKeySealer::new(theirs.clone())).seal_bytes(b"text").unwrap();
    let error = dynamic(&SharedKeySealer::new(ours.clone())).open_bytes(&sealed).unwrap_err();
    assert!(matches!(&error, SealError::WrongKey { sealed_with, .. } if *sealed_with == theirs.id()));
    assert!(error.to_string().contains(&ours.id().to_string()));
    let both = SharedKeySealer::new(ours).also_opens(theirs);
    assert_eq!(dynamic(&both).open_bytes(&sealed).unwrap(), b"text", "an older key still opens");
}

#[test]
fn cut_short_anywhere_is_never_opened() {
    let sealer = sealer();
    let sealer = dynamic(&sealer);
    let sealed = sealer.seal_bytes(&vec![1; 3 * 65_536]).unwrap();
    for end in [
        0,
        1,
        16,
        17,
        50,
        HEADER,
        HEADER + 1,
        HEADER + 16,
        HEADER + SLOT,
        HEADER + SLOT + 5,
        HEADER + 2 * SLOT,
    ] {
        let error = sealer.open_bytes(&sealed[..end]).unwrap_err();
        let SealError::CutShort { length } = error else { panic!("{end}: {error}") };
        assert_eq!(length, end as u64);
    }
    for end in [HEADER + 17, HEADER + SLOT - 1, HEADER + SLOT + 17, sealed.len() - 1] {
        // Within a chunk nobody can tell whether it was cut or altered, and the message says so.
        let error = sealer.open_bytes(&sealed[..end]).unwrap_err();
        assert!(matches!(error, SealError::Altered { .. }), "{end}: {error}");
        assert!(error.to_string().contains("altered, or cut"));
    }
}

#[test]
fn bytes_behind_the_end_are_found() {
    let sealer = sealer();
    let sealer = dynamic(&sealer);
    for length in [10, 65_536 - 32, 32 * 65_536 - 32] {
        let mut sealed = sealer.seal_bytes(&vec![1; length]).unwrap();
        sealed.extend_from_slice(b"and some more bytes");
        assert!(sealer.open_bytes(&sealed).is_err(), "{length}");
    }
}

#[test]
fn chunks_exchanged_within_or_between_two_pieces_are_found() {
    let sealer = sealer();
    let sealer = dynamic(&sealer);
    let plain = vec![1; 3 * 65_536];
    let (first, second) = (sealer.seal_bytes(&plain).unwrap(), sealer.seal_bytes(&plain).unwrap());
    let chunk = |sealed: &[u8], number: usize| sealed[HEADER + number * SLOT..][..SLOT].to_vec();
    let mut swapped = first.clone();
    swapped[HEADER..][..SLOT].copy_from_slice(&chunk(&first, 1));
    swapped[HEADER + SLOT..][..SLOT].copy_from_slice(&chunk(&first, 0));
    assert!(matches!(sealer.open_bytes(&swapped), Err(SealError::Altered { chunk: 0, .. })));
    let mut mixed = first.clone();
    mixed[HEADER + SLOT..][..SLOT].copy_from_slice(&chunk(&second, 1));
    assert!(matches!(sealer.open_bytes(&mixed), Err(SealError::Altered { chunk: 1, .. })));
    let mut left_out = first[..HEADER + SLOT].to_vec();
    left_out.extend_from_slice(&first[HEADER + 2 * SLOT..]);
    assert!(matches!(sealer.open_bytes(&left_out), Err(SealError::Altered { chunk: 1, .. })));
}

#[test]
fn what_was_never_sealed_and_a_newer_format_are_told_apart() {
    let sealer = sealer();
    let sealer = dynamic(&sealer);
    assert!(matches!(sealer.open_bytes(b"Terraform will perform the following"), Err(SealError::NotSealed)));
    let mut sealed = sealer.seal_bytes(b"text").unwrap();
    sealed[16] = 2;
    assert!(matches!(sealer.open_bytes(&sealed), Err(SealError::UnknownVersion { found: 2 })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_changed_bit_anywhere_is_found(length in 0_usize..80_000, at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let sealer = sealer();
        let sealer = dynamic(&sealer);
        let mut sealed = sealer.seal_bytes(&vec![5; length]).unwrap();
        let at = at.index(sealed.len());
        sealed[at] ^= 1_u8 << bit;
        prop_assert!(sealer.open_bytes(&sealed).is_err());
    }

    #[test]
    fn anything_behind_a_good_header_is_refused(
        length in 0_usize..200_000, byte in any::<u8>(), cut in 0_usize..HEADER
    ) {
        let sealer = sealer();
        let sealer = dynamic(&sealer);
        let mut sealed = sealer.seal_bytes(b"text").unwrap();
        sealed.truncate(HEADER);
        prop_assert!(sealer.open_bytes(&sealed[..cut]).is_err());
        sealed.resize(HEADER + length, byte);
        prop_assert!(sealer.open_bytes(&sealed).is_err());
    }

    #[test]
    fn every_length_opens_again_however_it_is_read(length in 0_usize..150_000, step in 1_usize..70_000) {
        let sealer = sealer();
        let plain: Vec<u8> = (0..length).map(|at| at as u8).collect();
        let mut sealed = Vec::new();
        sealer.seal(&mut Slow(&plain, step), &mut sealed).unwrap();
        let mut out = Vec::new();
        sealer.open(&mut Slow(&sealed, step), &mut out).unwrap();
        prop_assert!(out == plain);
    }
}

/// A reader that gives little at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(buffer.len()).min(self.0.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

#[test]
fn a_disk_that_is_full_and_a_source_that_breaks_are_told_apart() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let sealer = sealer();
    let plain = vec![0; 5 * 1024 * 1024];
    let error = sealer.seal(&mut &plain[..], &mut Full(1024 * 1024)).unwrap_err();
    assert!(matches!(error, SealError::Write { doing: "sealed", .. }));
    let error = sealer.seal(&mut Broken, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, SealError::Read { doing: "sealed", .. }));
    let sealed = dynamic(&sealer).seal_bytes(&plain).unwrap();
    let error = sealer.open(&mut &sealed[..], &mut Full(1024)).unwrap_err();
    assert!(matches!(error, SealError::Write { doing: "opened", .. }));
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let sealer = sealer();
    let sealer = dynamic(&sealer);
    std::fs::write(path("log"), vec![7; 200_000]).unwrap();
    sealer.seal_file(&path("log"), &path("log.sealed")).unwrap();
    let mut sealed = std::fs::read(path("log.sealed")).unwrap();
    *sealed.last_mut().unwrap() ^= 1;
    std::fs::write(path("altered"), &sealed).unwrap();
    assert!(sealer.open_file(&path("altered"), &path("opened")).is_err());
    assert!(!path("opened").exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing half-written is left");

    sealer.open_file(&path("log.sealed"), &path("opened")).unwrap();
    assert_eq!(std::fs::read(path("opened")).unwrap(), vec![7; 200_000]);
    let error = sealer.open_file(&path("log.sealed"), &path("opened")).unwrap_err();
    assert!(matches!(error, SealError::File { .. }), "a file is never overwritten");
    let error = sealer.seal_file(&path("missing"), &path("x")).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
}

fn manifest() -> Manifest {
    let item = ManifestItem { digest: Digest::of_bytes("sealed"), length: 6, key: None };
    Manifest {
        repository: "infrastructure-live".into(),
        unit: "prod/datenbank-größe".into(),
        commit: "9f3c1d2e4b5a69788796a5b4c3d2e1f001122334".into(),
        plan: Digest::of_bytes("plan"),
        run: RunId::parse("run-17").unwrap(),
        items: BTreeMap::from([("log".to_owned(), item)]),
    }
}

#[test]
fn ssh_keygen_verifies_a_manifest_and_refuses_it_altered() {
    if !fixture::has("ssh-keygen", "ssh_keygen_verifies_a_manifest_and_refuses_it_altered") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate("ci").unwrap();
    let signers = format!("ci@example.com namespaces=\"infraflow-manifest\" {}\n", key.verifying_key());
    std::fs::write(folder.path().join("signers"), &signers).unwrap();
    let signed = key.sign(manifest()).unwrap();
    std::fs::write(folder.path().join("signature"), &signed.signature).unwrap();
    let verify = |manifest: &Manifest, namespace: &str| {
        let payload = canonical_json("manifest", manifest).unwrap();
        std::fs::write(folder.path().join("payload"), payload).unwrap();
        Command::new("ssh-keygen")
            .args([
                "-q",
                "-Y",
                "verify",
                "-f",
                "signers",
                "-I",
                "ci@example.com",
                "-n",
                namespace,
                "-s",
                "signature",
            ])
            .current_dir(folder.path())
            .stdin(std::fs::File::open(folder.path().join("payload")).unwrap())
            .output()
            .unwrap()
            .status
            .success()
    };
    assert!(verify(&manifest(), Manifest::NAMESPACE));
    assert!(!verify(&manifest(), "infraflow-approval"));
    let mut altered = manifest();
    altered.unit = "dev/database".into();
    assert!(!verify(&altered, Manifest::NAMESPACE));

    let signers = AllowedSigners::parse(&signers).unwrap();
    assert_eq!(signed.verify(&signers).unwrap(), [Principal("ci@example.com".into())]);
}

#[test]
fn jq_gives_the_bytes_that_were_signed() {
    if !fixture::has("jq", "jq_gives_the_bytes_that_were_signed") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let signed = SigningKey::generate("ci").unwrap().sign(manifest()).unwrap();
    let path = folder.path().join("manifest.json");
    std::fs::write(&path, serde_json::to_string_pretty(&signed).unwrap()).unwrap();
    let output = Command::new("jq").args(["-Scj", ".statement"]).arg(&path).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), canonical_json("manifest", &manifest()).unwrap());
}

/// Runs ssh-keygen in a folder.
fn ssh_keygen(folder: &Path, args: &[&str]) {
    let output = Command::new("ssh-keygen").args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "ssh-keygen {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Signs a manifest with ssh-keygen and the key in the file `key`.
fn signed_by_ssh_keygen(folder: &Path, options: &[&str]) -> Signed<Manifest> {
    let _ = std::fs::remove_file(folder.join("payload.sig"));
    std::fs::write(folder.join("payload"), canonical_json("manifest", &manifest()).unwrap()).unwrap();
    let args =
        [&["-q", "-Y", "sign", "-f", "key", "-n", Manifest::NAMESPACE], options, &["payload"]].concat();
    ssh_keygen(folder, &args);
    let signature = std::fs::read_to_string(folder.join("payload.sig")).unwrap();
    Signed { statement: manifest(), signature }
}

#[test]
fn what_ssh_keygen_signs_is_verified_whatever_the_kind_of_key() {
    if !fixture::has("ssh-keygen", "what_ssh_keygen_signs_is_verified_whatever_the_kind_of_key") {
        return;
    }
    for (kind, bits) in
        [("ed25519", "256"), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "2048")]
    {
        let folder = tempfile::tempdir().unwrap();
        ssh_keygen(folder.path(), &["-q", "-t", kind, "-b", bits, "-N", "", "-C", "ada's key", "-f", "key"]);
        let public = std::fs::read_to_string(folder.path().join("key.pub")).unwrap();
        let signers = AllowedSigners::parse(&format!("ada {public}")).unwrap();
        for options in [&[][..], &["-O", "hashalg=sha256"]] {
            let signed = signed_by_ssh_keygen(folder.path(), options);
            assert_eq!(
                signed.verify(&signers).unwrap(),
                [Principal("ada".into())],
                "{kind} {bits} {options:?}"
            );
            let mut altered = signed;
            altered.statement.commit = altered.statement.commit.replace('9', "8");
            assert!(altered.verify(&signers).is_err(), "{kind} {bits}");
        }
        // Another key than the allowed one, of the same kind.
        let (other, name) =
            (tempfile::tempdir().unwrap(), ["-q", "-t", kind, "-b", bits, "-N", "", "-f", "key"]);
        ssh_keygen(other.path(), &name);
        let error = signed_by_ssh_keygen(other.path(), &[]).verify(&signers).unwrap_err().to_string();
        assert!(error.contains("is not among the allowed signers"), "{error}");
    }
}

#[test]
fn a_short_rsa_key_and_a_certificate_vouch_for_nothing() {
    if !fixture::has("ssh-keygen", "a_short_rsa_key_and_a_certificate_vouch_for_nothing") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    ssh_keygen(folder, &["-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", "key"]);
    let public = std::fs::read_to_string(folder.join("key.pub")).unwrap();
    let error = AllowedSigners::parse(&format!("ada {public}")).unwrap_err().to_string();
    assert!(error.contains("1024 bits is too short"), "{error}");

    std::fs::remove_file(folder.join("key")).unwrap();
    for name in ["key", "authority"] {
        ssh_keygen(folder, &["-q", "-t", "ed25519", "-N", "", "-f", name]);
    }
    ssh_keygen(folder, &["-q", "-s", "authority", "-I", "ada", "-n", "ada", "key.pub"]);
    let certificate = std::fs::read_to_string(folder.join("key-cert.pub")).unwrap();
    assert!(AllowedSigners::parse(&format!("ada {certificate}")).is_err());
    // Signed with the certificate in place of the key: neither the key nor the authority is taken for it.
    let authority = std::fs::read_to_string(folder.join("authority.pub")).unwrap();
    let public = std::fs::read_to_string(folder.join("key.pub")).unwrap();
    let signers = AllowedSigners::parse(&format!("ada {authority}ada {public}")).unwrap();
    let payload = canonical_json("manifest", &manifest()).unwrap();
    std::fs::write(folder.join("payload"), payload).unwrap();
    std::fs::copy(folder.join("key"), folder.join("key-cert")).unwrap();
    ssh_keygen(folder, &["-q", "-Y", "sign", "-f", "key-cert.pub", "-n", Manifest::NAMESPACE, "payload"]);
    let signature = std::fs::read_to_string(folder.join("payload.sig")).unwrap();
    assert!(Signed { statement: manifest(), signature }.verify(&signers).is_err());
}
