//! Tests of policy: it is read from trunk, and from nothing that a change could have put there.

use infraflow_core::{
    git::{Repository, Revision},
    policy::{Configuration, Policy, PolicyError},
    proof::{Principal, RepoPath, SigningKey},
};

use crate::fixture::Repo;

const RULES: &str = "[environments.prod]\nunits = [\"prod/**\"]\norder = 1\n";

fn signer(name: &str) -> String {
    format!("{name} {}\n", SigningKey::generate(name).unwrap().verifying_key())
}

fn policy_at(repo: &Repo, revision: &str) -> Result<Policy, PolicyError> {
    let repository = Repository::open(&repo.path).unwrap();
    let revision = repository.revision(revision).unwrap();
    Policy::read(&repository.tree(&revision).unwrap())
}

#[test]
fn a_signer_that_a_change_adds_is_not_in_trunks_policy() {
    let ada = signer("ada");
    let repo = Repo::with(&[("infraflow.toml", RULES), ("allowed_signers", &ada)]);
    repo.branch("change");
    repo.write("allowed_signers", format!("{ada}{}", signer("mallory")));
    let head = repo.commit("feat: one more signer");
    let trunk = policy_at(&repo, "main").unwrap();
    assert_eq!(trunk.signers().all(), [Principal("ada".into())]);
    let change = policy_at(&repo, &head).unwrap();
    assert_eq!(change.signers().all().len(), 2);
    assert_ne!(trunk.digest(), change.digest());
    assert!(matches!(change.revision(), Some(Revision::Commit(commit)) if commit.to_string() == head));
}

#[test]
fn a_tree_without_a_policy_has_the_defaults_and_nobody_who_may_approve() {
    let repo = Repo::with(&[("main.tf", "")]);
    let policy = policy_at(&repo, "main").unwrap();
    assert!(policy.environments().is_empty() && policy.signers().is_empty());
    assert_eq!((policy.approval().approvals, policy.approval().allow_author), (1, false));
}

#[test]
fn the_files_that_define_the_policy_are_named_as_its_gate() {
    let repo = Repo::with(&[("infraflow.toml", "approval.signers = \"ops/keys\"")]);
    let gate = policy_at(&repo, "main").unwrap().gate_paths();
    assert_eq!(gate, ["infraflow.toml", "ops/keys"].map(|path| RepoPath::parse(path).unwrap()));
}

#[test]
fn a_link_in_place_of_the_policy_is_refused_and_not_taken_for_no_policy() {
    for path in ["infraflow.toml", "allowed_signers"] {
        let repo = Repo::with(&[("main.tf", "")]);
        std::os::unix::fs::symlink("/etc/passwd", repo.path.join(path)).unwrap();
        repo.commit("feat: a link");
        let error = policy_at(&repo, "main").unwrap_err();
        assert!(matches!(&error, PolicyError::NotAFile { path: named, .. } if named.to_string() == path));
        assert!(error.to_string().contains("help:"), "{error}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let repo = Repo::empty();
    repo.write("infraflow.toml", b"\xff\xfe");
    repo.commit("feat: no text");
    assert!(matches!(policy_at(&repo, "main"), Err(PolicyError::NotAFile { .. })));
}

#[test]
fn an_unknown_key_names_its_file_line_and_nearest_known_key() {
    let repo = Repo::with(&[(
        "infraflow.toml",
        "[environments.prod]\nunits = [\"prod/**\"]\norder = 1\naprovals = 2\n",
    )]);
    let error = policy_at(&repo, "main").unwrap_err().to_string();
    insta::assert_snapshot!(error, @r#"
    cannot use the configuration: infraflow.toml:4:1: nobody reads the key "aprovals"
      help: did you mean "approvals"?
    "#);
}

#[test]
fn a_signers_file_that_cannot_be_read_names_its_line() {
    let repo = Repo::with(&[("allowed_signers", "# keys\nada\n")]);
    let error = policy_at(&repo, "main").unwrap_err().to_string();
    assert!(error.contains("allowed_signers") && error.contains("line 2"), "{error}");
}

#[test]
fn a_configuration_may_come_from_a_file_outside_the_repository() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, RULES).unwrap();
    let policy = Policy::of(&Configuration::read_file(&file).unwrap(), &signer("ada")).unwrap();
    assert!(policy.revision().is_none() && policy.environments().len() == 1);
    let missing = Configuration::read_file(&folder.path().join("missing.toml"));
    assert!(matches!(missing, Err(PolicyError::File { .. })));
}
