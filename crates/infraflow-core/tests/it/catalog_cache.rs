//! Kept indexes: the same answer as reading everything anew, whatever became of the file.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use infraflow_core::{
    catalog::{Catalog, CatalogCache, CatalogRules},
    detect::{ChangeDetector, GitDetector},
    git::{Repository, Revision},
    impact::assess,
    proof::Document,
};

use crate::{catalog::dialects, fixture::Repo};

const CALL: &str =
    "module \"m\" {\n  source = \"../../modules/m\"\n}\nterraform {\n  backend \"local\" {}\n}\n";

fn repo() -> Repo {
    let repo = Repo::with(&[
        ("modules/m/main.tf", "locals {\n  a = file(\"${path.module}/a.txt\")\n}\n"),
        ("modules/m/a.txt", "1"),
        ("modules/n/main.tf", ""),
        ("live/a/main.tf", CALL),
        ("live/b/main.tf", CALL),
    ]);
    repo.git(&["checkout", "-q", "-b", "feature"]);
    repo.write("modules/m/a.txt", "2");
    repo.write("live/c/main.tf", CALL);
    repo.commit("feature");
    repo
}

/// The impact of the branch: through a cache, or with everything read anew.
fn answer(repo: &Repo, cache: Option<&Path>) -> String {
    let repository = Repository::open(&repo.path).unwrap();
    let base = Revision::Commit(repository.resolve("main").unwrap());
    let head = repository.revision("feature").unwrap();
    let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
    let (old, new) = (repository.tree(&base).unwrap(), repository.tree(&head).unwrap());
    let rules = CatalogRules::default();
    let (before, after) = match cache {
        Some(folder) => CatalogCache::in_folder(folder).ends(&old, &new, &dialects(), &rules).unwrap(),
        None => (
            Catalog::build(&old, &dialects(), &rules).unwrap(),
            Catalog::build(&new, &dialects(), &rules).unwrap(),
        ),
    };
    assess(&changes, &before, &after).unwrap().to_json().unwrap()
}

fn kept(folder: &Path) -> std::path::PathBuf {
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn a_damaged_or_foreign_index_never_changes_the_answer() {
    let (repo, folder) = (repo(), tempfile::tempdir().unwrap());
    let right = answer(&repo, None);
    assert!(right.contains("live/c"));
    assert_eq!(answer(&repo, Some(folder.path())), right, "the first time");
    assert_eq!(answer(&repo, Some(folder.path())), right, "from the file");
    let file = kept(folder.path());
    let whole = fs::read(&file).unwrap();
    let mut damaged: Vec<(String, Vec<u8>)> = Vec::new();
    for at in (0..whole.len()).step_by(97) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        damaged.push((format!("byte {at} turned"), bytes));
    }
    for length in [0, 1, 4095, 4096, whole.len() / 2, whole.len() - 1] {
        damaged.push((format!("cut at {length}"), whole[..length].to_vec()));
    }
    let mut other = whole.clone();
    other[16..20].copy_from_slice(&7_u32.to_le_bytes());
    damaged.push(("another version".into(), other));
    damaged.push((
        "garbage".into(),
        (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect(),
    ));
    // Of the header, with a checksum that is right: how many records, where each section begins.
    for (at, bytes) in [(92, 4)].into_iter().chain((96..144).step_by(8).map(|at| (at, 8))) {
        for value in [u64::MAX, u64::MAX / 2, 1 << 20] {
            let mut header = whole.clone();
            header[at..at + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
            let checksum = crc32fast::hash(&header[..4092]);
            header[4092..4096].copy_from_slice(&checksum.to_le_bytes());
            damaged.push((format!("{value} at byte {at}"), header));
        }
    }
    for (what, bytes) in damaged {
        fs::write(&file, bytes).unwrap();
        assert_eq!(answer(&repo, Some(folder.path())), right, "{what}");
    }
}

#[test]
fn what_stands_in_the_place_of_an_index_and_is_no_file_never_changes_the_answer() {
    let (repo, folder) = (repo(), tempfile::tempdir().unwrap());
    let right = answer(&repo, None);
    answer(&repo, Some(folder.path()));
    let file = kept(folder.path());
    let put: [(&str, &dyn Fn() -> bool); 3] = [
        ("a pipe", &|| std::process::Command::new("mkfifo").arg(&file).status().unwrap().success()),
        ("an endless device", &|| std::os::unix::fs::symlink("/dev/zero", &file).is_ok()),
        ("a folder", &|| fs::create_dir(&file).is_ok()),
    ];
    for (what, put) in put {
        fs::remove_file(&file).unwrap();
        assert!(put());
        assert_eq!(answer(&repo, Some(folder.path())), right, "{what}");
    }
}

#[test]
fn a_cache_that_cannot_be_written_costs_time_and_no_more() {
    let (repo, folder) = (repo(), tempfile::tempdir().unwrap());
    let in_the_way = folder.path().join("file");
    fs::write(&in_the_way, "no folder").unwrap();
    assert_eq!(answer(&repo, Some(&in_the_way)), answer(&repo, None));
}

#[test]
fn an_index_of_a_commit_that_is_gone_is_made_anew() {
    let (one, other, folder) = (repo(), repo(), tempfile::tempdir().unwrap());
    answer(&one, Some(folder.path()));
    let file = kept(folder.path());
    let bytes = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    other.write("modules/n/main.tf", "# another\n");
    other.commit("another");
    let right = answer(&other, None);
    answer(&other, Some(folder.path()));
    // What one repository kept is laid in the other's place.
    fs::write(kept(folder.path()), bytes).unwrap();
    assert_eq!(answer(&other, Some(folder.path())), right);
}

#[test]
fn what_a_killed_process_left_is_taken_away_once_it_is_old() {
    let (repo, folder) = (repo(), tempfile::tempdir().unwrap());
    let right = answer(&repo, None);
    let name = |name: &str| folder.path().join(name);
    let hours = |hours: u64| SystemTime::now() - Duration::from_secs(hours * 60 * 60);
    for (file, hours_ago) in [(".part-old", 2), (".part-new", 0), ("foreign", 100)] {
        fs::write(name(file), "half").unwrap();
        fs::File::options().write(true).open(name(file)).unwrap().set_modified(hours(hours_ago)).unwrap();
    }
    assert_eq!(answer(&repo, Some(folder.path())), right);
    let left = [".part-old", ".part-new", "foreign"].map(|file| name(file).exists());
    assert_eq!(left, [false, true, true]);
}

/// Other rules and earlier versions leave indexes that nobody asks for again.
#[test]
fn indexes_that_nobody_has_used_for_a_month_are_forgotten_when_another_is_written() {
    let (repo, folder) = (repo(), tempfile::tempdir().unwrap());
    let right = answer(&repo, None);
    answer(&repo, Some(folder.path()));
    let index = kept(folder.path());
    let days = |days: u64| SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
    let aged = |path: &Path, ago: u64| {
        fs::File::options().write(true).open(path).unwrap().set_modified(days(ago)).unwrap();
    };
    let own = index.file_name().unwrap().to_str().unwrap().split_once('-').unwrap().0.to_owned();
    let others = [
        (format!("{own}-{}.index", "0".repeat(24)), 31, false),
        (format!("{own}-{}.index", "1".repeat(24)), 29, true),
        (format!("{}-{}.index", "2".repeat(24), "0".repeat(24)), 31, true),
        (format!("{}.index", "a".repeat(32)), 31, false),
        (format!("{}.index", "b".repeat(32)), 1, true),
        ("notes.index".to_owned(), 100, true),
        (format!("{own}-notes"), 100, true),
    ];
    for (name, ago, _) in &others {
        fs::write(folder.path().join(name), "an index").unwrap();
        aged(&folder.path().join(name), *ago);
    }
    // A use writes no index, and is noted.
    let used = || fs::metadata(&index).unwrap().modified().unwrap();
    aged(&index, 40);
    assert_eq!(answer(&repo, Some(folder.path())), right);
    assert!(used() > days(1), "the use is noted");
    aged(&index, 0);
    let noted = used();
    assert_eq!(answer(&repo, Some(folder.path())), right);
    assert_eq!(used(), noted, "once a day");
    assert!(others.iter().all(|(name, ..)| folder.path().join(name).exists()));
    // It is not asked for again, and another is written.
    fs::remove_file(&index).unwrap();
    assert_eq!(answer(&repo, Some(folder.path())), right);
    let left: Vec<(&str, bool)> =
        others.iter().map(|(name, ..)| (name.as_str(), folder.path().join(name).exists())).collect();
    let expected: Vec<(&str, bool)> = others.iter().map(|(name, _, stays)| (name.as_str(), *stays)).collect();
    assert_eq!(left, expected);
    assert!(index.exists());
}

#[test]
fn several_at_once_share_a_cache() {
    let (repo, folder) = (repo(), tempfile::tempdir().unwrap());
    let right = answer(&repo, None);
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| answer(&repo, Some(folder.path())))).collect();
        for answer in asked {
            assert_eq!(answer.join().unwrap(), right);
        }
    });
    kept(folder.path());
}

/// What a repository's index says of each call of it would be read anew for ever, the further trunk moves on.
#[test]
fn an_index_that_trunk_has_outgrown_is_made_anew_and_an_older_branch_takes_it_from_nobody() {
    let (repo, folder) = (repo(), tempfile::tempdir().unwrap());
    answer(&repo, Some(folder.path()));
    let index = || fs::read(kept(folder.path())).unwrap();
    let first = index();
    repo.checkout("main");
    for n in 0..4 {
        repo.write(&format!("live/d{n}/main.tf"), CALL);
    }
    repo.commit("a few");
    repo.git(&["branch", "-q", "few"]);
    let ask = |base: &str| {
        repo.git(&["branch", "-q", "-f", "feature", base]);
        repo.checkout("feature");
        repo.write("live/b/main.tf", format!("{CALL}# {base}\n"));
        repo.commit("feature");
        repo.checkout("main");
        repo.git(&["branch", "-q", "-f", "asked", base]);
        assert_eq!(answer(&repo, Some(folder.path())), answer(&repo, None), "{base}");
    };
    ask("main");
    assert!(index() == first, "what is laid over it is little");
    repo.checkout("main");
    for n in 4..20 {
        repo.write(&format!("live/d{n}/main.tf"), CALL);
    }
    repo.commit("many");
    ask("main");
    let second = index();
    assert!(second != first, "trunk has moved on");
    repo.git(&["reset", "-q", "--hard", "few"]);
    ask("few");
    assert!(index() == second, "an older trunk is laid over the newer one");
}
