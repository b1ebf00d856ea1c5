//! Tests of store.

use std::{
    fmt,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::join_all, stream::BoxStream};
use infraflow_core::store::{Created, Durability, Journal, Key, Lock, Store, StoreError, Taken};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, memory::InMemory, path::Path as Location,
};

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

/// A small file system of its own, where this process may mount one. Where not, the test is reported as
/// skipped.
pub struct Mount {
    pub path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Mount {
    pub fn tmpfs(options: &str, test: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mount");
        std::fs::create_dir(&path).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "none"])
            .arg(&path)
            .stderr(std::process::Stdio::null())
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            eprintln!("skipped: {test} needs to mount a tmpfs, which this user may not");
            if let Some(file) = std::env::var_os("INFRAFLOW_SKIPPED") {
                let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
                writeln!(file, "{test} needs to mount a tmpfs").unwrap();
            }
            return None;
        }
        Some(Self { path, _folder: folder })
    }

    pub fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let status = std::process::Command::new("mount").args(["-o", &options]).arg(&self.path).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

/// A store over memory whose answers get lost, or which refuses, when told so.
#[derive(Debug, Default)]
struct Flaky {
    inner: InMemory,
    lose_answers: AtomicBool,
    overwrite: AtomicBool,
}

impl fmt::Display for Flaky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a flaky store")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Flaky {
    async fn put_opts(
        &self,
        location: &Location,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> object_store::Result<PutResult> {
        if self.overwrite.load(Ordering::Relaxed) {
            options.mode = object_store::PutMode::Overwrite;
        }
        let result = self.inner.put_opts(location, payload, options).await;
        if self.lose_answers.load(Ordering::Relaxed) {
            let source = std::io::Error::from(std::io::ErrorKind::TimedOut).into();
            return Err(object_store::Error::Generic { store: "flaky", source });
        }
        result
    }
    async fn put_multipart_opts(
        &self,
        location: &Location,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }
    async fn get_opts(&self, location: &Location, options: GetOptions) -> object_store::Result<GetResult> {
        self.inner.get_opts(location, options).await
    }
    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Location>>,
    ) -> BoxStream<'static, object_store::Result<Location>> {
        self.inner.delete_stream(locations)
    }
    fn list(&self, prefix: Option<&Location>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.inner.list(prefix).boxed()
    }
    async fn list_with_delimiter(&self, prefix: Option<&Location>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }
    async fn copy_opts(
        &self,
        from: &Location,
        to: &Location,
        options: CopyOptions,
    ) -> object_store::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

fn flaky() -> (Arc<Flaky>, Store) {
    let flaky = Arc::new(Flaky::default());
    (flaky.clone(), Store::over(flaky, Durability::Durable))
}

fn both(folder: &Path) -> [Store; 2] {
    [Store::folder(folder).unwrap(), Store::memory()]
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_create_one_key_exactly_one_is_first() {
    let folder = tempfile::tempdir().unwrap();
    for store in both(folder.path()) {
        let created = join_all((0..32).map(|n| {
            let store = store.clone();
            async move { store.create(&key("a/b"), format!("{n}")).await.unwrap() }
        }))
        .await;
        let standing = store.get(&key("a/b")).await.unwrap().unwrap();
        assert_eq!(created.iter().filter(|created| **created == Created::New).count(), 1);
        assert_eq!(
            created.iter().filter(|created| **created == Created::Exists(standing.clone())).count(),
            31
        );
    }
}

#[tokio::test]
async fn objects_are_put_read_listed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    for store in both(&folder.path().join("deep/er")) {
        assert_eq!(store.get(&key("a/b")).await.unwrap(), None);
        assert_eq!(store.list(&key("a")).await.unwrap(), []);
        for name in ["a/c", "a/b", "a/b2/d", "ab/x"] {
            store.put(&key(name), "old").await.unwrap();
            store.put(&key(name), name.to_owned()).await.unwrap();
        }
        assert_eq!(store.list(&key("a")).await.unwrap(), [key("a/b"), key("a/b2/d"), key("a/c")]);
        assert_eq!(store.get(&key("a/c")).await.unwrap().unwrap(), "a/c");
        store.delete(&key("a/c")).await.unwrap();
        store.delete(&key("a/c")).await.unwrap();
        assert_eq!(store.list(&key("a")).await.unwrap().len(), 2);
        let odd = key("a").join("é/#1 ..");
        store.put(&odd, "odd").await.unwrap();
        assert!(store.list(&key("a")).await.unwrap().contains(&odd));
        store.check().await.unwrap();
        assert_eq!(store.hmac().await.unwrap().of("x"), store.hmac().await.unwrap().of("x"));
    }
    let again = Store::folder(&folder.path().join("deep/er")).unwrap();
    assert_eq!(again.get(&key("a/b")).await.unwrap().unwrap(), "a/b");
}

#[cfg(unix)]
#[test]
fn a_new_folder_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/store");
    Store::folder(&path).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn what_must_last_is_not_kept_in_memory() {
    let store = Store::memory();
    let error = store.require_durable("the sandbox ledger").unwrap_err();
    assert!(matches!(error, StoreError::NotDurable { .. }));
    assert!(error.to_string().contains("the sandbox ledger") && error.to_string().contains("help:"));
    store.declared_durable().require_durable("the sandbox ledger").unwrap();
}

#[tokio::test]
async fn a_store_that_cannot_be_made_or_written_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(matches!(Store::folder(&file).unwrap_err(), StoreError::Folder { .. }));
    assert!(matches!(Store::folder(&file.join("below")).unwrap_err(), StoreError::Folder { .. }));

    let store = Store::folder(&folder.path().join("store")).unwrap();
    store.put(&key("a"), "").await.unwrap();
    let error = store.put(&key("a/b"), "").await.unwrap_err();
    assert!(matches!(&error, StoreError::Failed { operation: "write", .. }), "{error:?}");
    assert!(error.to_string().starts_with("cannot write a/b in the folder "), "{error}");
}

#[tokio::test]
async fn a_store_that_only_reads_refuses_and_keeps_what_it_has() {
    let Some(mount) = Mount::tmpfs("size=1m", "a store that only reads") else { return };
    let store = Store::folder(&mount.path.join("store")).unwrap();
    store.put(&key("a"), "old").await.unwrap();
    mount.remount("ro");
    for error in [
        store.put(&key("a"), "new").await.unwrap_err(),
        store.create(&key("b"), "new").await.unwrap_err(),
        store.delete(&key("a")).await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
        assert!(error.to_string().contains("help:"));
    }
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap(), "old");
    assert!(matches!(Store::folder(&mount.path.join("other")), Err(StoreError::Folder { .. })));
}

#[tokio::test]
async fn a_full_store_says_so_and_nothing_is_half_written() {
    let Some(mount) = Mount::tmpfs("size=256k", "a full store") else { return };
    let store = Store::folder(&mount.path.join("store")).unwrap();
    store.put(&key("a"), "old").await.unwrap();
    let large = vec![7; 1 << 20];
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(outside.path(), &large).unwrap();
    for error in [
        store.put(&key("a"), large.clone()).await.unwrap_err(),
        store.create(&key("b"), large.clone()).await.unwrap_err(),
        store.upload(&key("c"), outside.path()).await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    }
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap(), "old");
    for name in ["b", "c"] {
        assert_eq!(store.get(&key(name)).await.unwrap(), None);
    }
    store.put(&key("d"), vec![7; 64 << 10]).await.unwrap();
}

#[tokio::test]
async fn a_store_that_overwrites_what_it_must_not_is_found_out() {
    let (flaky, store) = flaky();
    store.check().await.unwrap();
    flaky.overwrite.store(true, Ordering::Relaxed);
    assert!(matches!(store.check().await, Err(StoreError::Overwrites { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_comes_back_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (file, back) = (folder.path().join("file"), folder.path().join("back"));
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(&file, &bytes).unwrap();
    for store in both(&folder.path().join("store")) {
        assert_eq!(store.upload(&key("logs/a"), &file).await.unwrap(), Created::New);
        assert!(matches!(store.upload(&key("logs/a"), &file).await.unwrap(), Created::Exists(_)));
        store.download(&key("logs/a"), &back).await.unwrap();
        assert!(std::fs::read(&back).unwrap() == bytes);
        std::fs::remove_file(&back).unwrap();

        let other = folder.path().join("other");
        std::fs::write(&other, "other").unwrap();
        assert!(matches!(store.upload(&key("logs/a"), &other).await, Err(StoreError::Corrupt { .. })));
        let objects: Vec<_> = store.list(&key("logs")).await.unwrap();
        assert_eq!(objects.len(), 2, "{objects:?}");
        let part = objects.iter().find(|object| object.as_str().contains(".parts/")).unwrap();
        store.put(part, bytes[..bytes.len() - 1].to_vec()).await.unwrap();
        assert!(matches!(store.download(&key("logs/a"), &back).await, Err(StoreError::Corrupt { .. })));
        store.delete(part).await.unwrap();
        assert!(matches!(store.download(&key("logs/a"), &back).await, Err(StoreError::Missing { .. })));
        assert!(matches!(store.download(&key("logs/b"), &back).await, Err(StoreError::Missing { .. })));
        let gone = folder.path().join("gone");
        assert!(matches!(store.upload(&key("logs/c"), &gone).await, Err(StoreError::File { .. })));
        assert!(!back.exists());
    }
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let store = Store::memory();
    store.upload(&key("e"), &empty).await.unwrap();
    store.download(&key("e"), &back).await.unwrap();
    assert_eq!(std::fs::read(&back).unwrap(), b"");
}

#[tokio::test]
async fn journal_entries_are_numbered_across_handles_and_a_second_writer_is_noticed() {
    let store = Store::memory();
    let first = Journal::open(store.clone(), key("j"));
    assert_eq!(first.append(&"a").await.unwrap(), 1);
    assert_eq!(first.clone().append(&"b").await.unwrap(), 2);
    let second = Journal::open(store.clone(), key("j"));
    assert_eq!(second.append(&"c").await.unwrap(), 3);
    let error = first.append(&"d").await.unwrap_err();
    assert!(matches!(error, StoreError::Raced { sequence: 3, .. }));
    assert!(first.append(&"d").await.is_err(), "it stays noticed");
    assert_eq!(second.read_all::<String>().await.unwrap(), ["a", "b", "c"]);
    assert!(matches!(second.read_all::<u32>().await, Err(StoreError::Corrupt { .. })));
    store.delete(&key("j/000000000002.json")).await.unwrap();
    assert!(matches!(second.read_all::<String>().await, Err(StoreError::Corrupt { .. })));
}

#[tokio::test]
async fn an_append_whose_answer_got_lost_is_not_appended_twice() {
    let (flaky, store) = flaky();
    let journal = Journal::open(store, key("j"));
    flaky.lose_answers.store(true, Ordering::Relaxed);
    assert!(matches!(journal.append(&"a").await, Err(StoreError::Failed { .. })));
    flaky.lose_answers.store(false, Ordering::Relaxed);
    assert_eq!(journal.append(&"a").await.unwrap(), 1);
    assert_eq!(journal.read_all::<String>().await.unwrap(), ["a"]);
}

fn taken(taken: Taken) -> Lock {
    match taken {
        Taken::Lock(lock) => lock,
        Taken::Held(held) => panic!("held by {held:?}"),
    }
}

#[tokio::test]
async fn a_lock_is_held_while_its_holder_beats_and_free_after_its_release() {
    let (store, name) = (Store::memory(), key("lock"));
    let silence = Duration::from_millis(400);
    let request = |owner: &str| Lock::request(&store, &name, owner).silence(silence);
    let lock = taken(request("ada").take().await.unwrap());
    match request("bob").take().await.unwrap() {
        Taken::Held(held) => assert_eq!((held.owner.as_str(), held.generation), ("ada", 1)),
        Taken::Lock(_) => panic!("two have it"),
    }
    lock.heartbeat().await.unwrap();
    lock.release().await.unwrap();
    let begun = Instant::now();
    let lock = taken(request("bob").take().await.unwrap());
    assert!(begun.elapsed() < silence && lock.generation() == 2);
}

#[tokio::test]
async fn a_silent_holder_is_followed_by_exactly_one_and_notices() {
    let (store, name) = (Store::memory(), key("lock"));
    let silence = Duration::from_millis(300);
    let request = |owner: &str| Lock::request(&store, &name, owner).silence(silence);
    drop(taken(request("dead").take().await.unwrap()));
    let begun = Instant::now();
    let waiting = (0..8).map(|n| request(&format!("{n}")).take());
    let all = join_all(waiting).await;
    assert!(begun.elapsed() >= silence);
    let mut locks: Vec<_> = all
        .into_iter()
        .filter_map(|taken| match taken.unwrap() {
            Taken::Lock(lock) => Some(lock),
            Taken::Held(_) => None,
        })
        .collect();
    assert_eq!(locks.len(), 1);
    let lock = locks.pop().unwrap();

    let next = request("impatient").known_dead(|_| true).take();
    let next = taken(next.await.unwrap());
    assert!(
        matches!(lock.heartbeat().await, Err(StoreError::LockLost { owner, .. }) if owner == "impatient")
    );
    tokio::time::timeout(silence * 2, lock.lost().cancelled()).await.unwrap();
    assert!(matches!(lock.release().await, Err(StoreError::LockLost { .. })));
    assert!(!next.lost().is_cancelled());
    next.release().await.unwrap();
    for _ in 0..5 {
        taken(request("again").take().await.unwrap()).release().await.unwrap();
    }
    assert!(store.list(&name).await.unwrap().len() <= 6, "old generations are cleared away");
}
