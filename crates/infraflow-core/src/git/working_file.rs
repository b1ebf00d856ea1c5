//! Files of the working directory, opened name by name so that no link leads elsewhere.

use std::{
    ffi::OsStr,
    fs::File,
    io::Read,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::Path,
};

use git2::{ObjectType, Oid};
use rustix::{
    fs::{AtFlags, FileType, Mode as Permissions, OFlags},
    io::Errno,
};

use crate::proof::RepoPath;

use super::{Entry, GitError, Mode, ObjectId};

/// Files up to this size are read whole to be hashed.
const WHOLE: u64 = 8 << 20;

/// What stands at a path of the working directory, as git would record it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) mode: Mode,
    pub(super) id: ObjectId,
}

/// Looks at a path, and hashes what is there. `None` where there is nothing that git records: no file, a
/// pipe or a socket, or something beyond a link.
pub(super) fn look(root: &Path, path: &RepoPath) -> Result<Option<Found>, GitError> {
    let failed = |error: Errno| GitError::io("read", path.below(root), error.into());
    let Some((directory, name)) = open_parent(root, path).map_err(failed)? else { return Ok(None) };
    let stat = match rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let (mode, id) = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(&directory, name, Vec::new()).map_err(failed)?;
            (Mode::Link, hash(target.as_bytes())?)
        }
        FileType::RegularFile => {
            let mode = if stat.st_mode & 0o100 != 0 { Mode::Executable } else { Mode::File };
            // Untracked files of any size are hashed, so that they are not held whole.
            let file = open_file(&directory, name).map_err(failed)?;
            (mode, hash_file(file, path, root)?)
        }
        _ => return Ok(None),
    };
    Ok(Some(Found { mode, id }))
}

/// The bytes of an entry of a working tree, if they still are those that it was looked at with.
pub(super) fn read(root: &Path, entry: &Entry, limit: u64) -> Result<Vec<u8>, GitError> {
    let changed = || GitError::FileChanged { path: entry.path.clone() };
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => changed(),
        _ => GitError::io("read", entry.path.below(root), error),
    };
    let (directory, name) =
        open_parent(root, &entry.path).map_err(|error| failed(error.into()))?.ok_or_else(changed)?;
    let bytes = if entry.mode == Mode::Link {
        let target = rustix::fs::readlinkat(&directory, name, Vec::new());
        target.map_err(|_| changed())?.into_bytes()
    } else {
        let file = match open_file(&directory, name) {
            Ok(file) => file,
            // Opening a link with O_NOFOLLOW.
            Err(Errno::LOOP | Errno::MLINK) => return Err(changed()),
            Err(error) => return Err(failed(error.into())),
        };
        let size = file.metadata().map_err(failed)?.len();
        if size > limit {
            return Err(GitError::TooLarge { path: entry.path.clone(), size, limit });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
        bytes
    };
    if hash(&bytes)? == entry.id { Ok(bytes) } else { Err(changed()) }
}

/// The size of an entry of a working tree.
pub(super) fn size(root: &Path, entry: &Entry) -> Result<u64, GitError> {
    let changed = || GitError::FileChanged { path: entry.path.clone() };
    let failed = |error: Errno| GitError::io("read", entry.path.below(root), error.into());
    let (directory, name) = open_parent(root, &entry.path).map_err(failed)?.ok_or_else(changed)?;
    let stat =
        rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| match error {
            Errno::NOENT | Errno::NOTDIR => changed(),
            error => failed(error),
        })?;
    u64::try_from(stat.st_size).map_err(|_| changed())
}

/// Opens the directory that a path stands in, refusing links on the way. `None` where it is not there, or
/// a link is in the way: git does not look beyond links either.
fn open_parent<'a>(root: &Path, path: &'a RepoPath) -> Result<Option<(OwnedFd, &'a OsStr)>, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    // The root itself may be reached by a link: it was given by the user.
    let mut directory = rustix::fs::open(root, flags - OFlags::NOFOLLOW, Permissions::empty())?;
    let mut names = path.names().peekable();
    while let Some(name) = names.next() {
        let name = OsStr::from_bytes(name);
        if names.peek().is_none() {
            return Ok(Some((directory, name)));
        }
        directory = match rustix::fs::openat(&directory, name, flags, Permissions::empty()) {
            Ok(next) => next,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => return Ok(None),
            Err(error) => return Err(error),
        };
    }
    Ok(None)
}

fn open_file(directory: &OwnedFd, name: &OsStr) -> Result<File, Errno> {
    // NONBLOCK, so that a pipe put there in the meantime does not hold us.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    rustix::fs::openat(directory, name, flags, Permissions::empty()).map(File::from)
}

fn hash(bytes: &[u8]) -> Result<ObjectId, GitError> {
    Oid::hash_object(ObjectType::Blob, bytes)
        .map(ObjectId::from_git2)
        .map_err(|error| GitError::libgit2("hash a file", error))
}

/// Hashes a file; a large one without holding it whole, which libgit2 does by path only. Should a link be
/// put there meanwhile, the id is that of no file of this tree, and reading it finds that out.
fn hash_file(mut file: File, path: &RepoPath, root: &Path) -> Result<ObjectId, GitError> {
    let failed = |error| GitError::io("read", path.below(root), error);
    let size = file.metadata().map_err(failed)?.len();
    if size > WHOLE {
        return Oid::hash_file(ObjectType::Blob, path.below(root))
            .map(ObjectId::from_git2)
            .map_err(|error| GitError::libgit2(format!("hash {path}"), error));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.read_to_end(&mut bytes).map_err(failed)?;
    hash(&bytes)
}
