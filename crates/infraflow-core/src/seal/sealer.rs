use std::{
    fmt,
    fs::File,
    io::{Read, Write},
    path::Path,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KeyId, SealError, error::Result};
use crate::proof::Digest;

/// Encrypts what only some may read, and opens it again.
///
/// # Contract
/// 1. `open` of what `seal` wrote, with the same keys, writes exactly the bytes that were sealed.
/// 2. Whatever is not byte for byte what `seal` wrote is an error of `open`: a changed byte, a missing
///    end, bytes added, chunks exchanged within one sealed piece or between two. Which error says which.
/// 3. Sealing the same bytes twice gives different results.
/// 4. `open` may write what it has verified before it has seen the end, and then fail: what was written
///    to `out` by a call that fails is the beginning of what was sealed, at most, and is to be thrown
///    away. The same holds for `seal`. The methods of `dyn Sealer` on files and bytes do that.
/// 5. Nothing of what is sealed, and no key, is printed, logged, or named in an error.
/// 6. Memory is bounded, whatever the length.
/// 7. An implementation that holds only what seals, and not what opens, answers `open` with
///    [`SealError::WrongKey`].
pub trait Sealer: Send + Sync + fmt::Debug {
    /// Seals what `plain` yields.
    ///
    /// # Errors
    /// [`SealError::Read`] and [`SealError::Write`] of the two streams, [`SealError::Random`],
    /// [`SealError::TooLong`].
    fn seal(&self, plain: &mut dyn Read, out: &mut dyn Write) -> Result<Sealed>;

    /// Opens what `sealed` yields, up to its end.
    ///
    /// # Errors
    /// [`SealError::NotSealed`], [`SealError::UnknownVersion`], [`SealError::WrongKey`],
    /// [`SealError::CutShort`], [`SealError::Altered`]; [`SealError::Read`] and [`SealError::Write`] of
    /// the two streams.
    fn open(&self, sealed: &mut dyn Read, out: &mut dyn Write) -> Result<Opened>;
}

/// What came of sealing. It says nothing about the plain text but its length: a digest of it could be
/// searched for where the text is weak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sealed {
    /// The key that opens it.
    pub key: KeyId,
    /// The digest of the sealed bytes.
    pub digest: Digest,
    /// How many sealed bytes there are.
    pub length: u64,
}

/// What came of opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// The key it was sealed with.
    pub key: KeyId,
    /// The digest of the plain bytes, equal to the one that was sealed with them.
    pub digest: Digest,
    /// How many plain bytes there are.
    pub length: u64,
}

impl dyn Sealer + '_ {
    /// Seals bytes.
    ///
    /// # Errors
    /// As [`Sealer::seal`].
    pub fn seal_bytes(&self, mut plain: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.seal(&mut plain, &mut out)?;
        Ok(out)
    }

    /// Opens bytes; gives nothing out before all of it is verified.
    ///
    /// # Errors
    /// As [`Sealer::open`].
    pub fn open_bytes(&self, mut sealed: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.open(&mut sealed, &mut out)?;
        Ok(out)
    }

    /// Seals a file into a new one that only its owner reads, which appears when it is whole.
    ///
    /// # Errors
    /// As [`Sealer::seal`]; [`SealError::File`] where a file cannot be read or made, or `to` exists.
    pub fn seal_file(&self, from: &Path, to: &Path) -> Result<Sealed> {
        convert(from, to, |plain, out| self.seal(plain, out))
    }

    /// Opens a file into a new one that only its owner reads, which appears when all of it is verified.
    ///
    /// # Errors
    /// As [`Sealer::open`]; [`SealError::File`] where a file cannot be read or made, or `to` exists.
    pub fn open_file(&self, from: &Path, to: &Path) -> Result<Opened> {
        convert(from, to, |sealed, out| self.open(sealed, out))
    }
}

fn convert<T>(
    from: &Path,
    to: &Path,
    work: impl FnOnce(&mut dyn Read, &mut dyn Write) -> Result<T>,
) -> Result<T> {
    let failed = |doing, path: &Path| {
        let path = path.to_owned();
        move |source| SealError::File { doing, path, source }
    };
    let mut input = File::open(from).map_err(failed("read", from))?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Made with mode 0600, and removed again on every way out but the last.
    let mut output = tempfile::NamedTempFile::new_in(folder).map_err(failed("write", to))?;
    let result = work(&mut input, output.as_file_mut())?;
    output.as_file().sync_all().map_err(failed("write", to))?;
    output.persist_noclobber(to).map_err(|error| failed("write", to)(error.error))?;
    Ok(result)
}
