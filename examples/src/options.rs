use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use infraflow_core::{
    detect::GivenFiles,
    proof::{Digest, Document},
};

use crate::{Failure, Snapshot};

/// Which change of which repository.
#[derive(Args, Clone, Debug)]
pub struct Changes {
    /// Where it ends.
    #[command(flatten)]
    pub at: Snapshot,
    /// Where the change begins: a branch, a tag or a commit. The merge base with it counts. By default, where
    /// --head is not given either, what the variables of the CI system say (GitHub Actions, GitLab CI,
    /// Buildkite, Azure, Jenkins, Bitbucket: the target of a change request, or what stood on trunk before a
    /// push), and else the trunk.
    #[arg(long, value_name = "REVISION")]
    pub base: Option<String>,
    /// Compare both ends with each other, not the head with the merge base: for two states of one trunk.
    #[arg(long)]
    pub endpoints: bool,
    /// End in the working tree on top of the head, as --head WORKTREE does: staged, unstaged and untracked
    /// files, without the ignored.
    #[arg(long)]
    pub worktree: bool,
    /// Take the changed files from this file, separated by NUL, instead of comparing; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub changed_files0: Option<PathBuf>,
}

impl Changes {
    /// The files given with `--changed-files0`, if it was.
    ///
    /// # Errors
    /// Where the list cannot be read, or a path in it leads out of the repository.
    pub fn given_files(&self) -> Result<Option<GivenFiles>, Failure> {
        let Some(file) = &self.changed_files0 else { return Ok(None) };
        let mut bytes = Vec::new();
        if file == Path::new("-") {
            std::io::stdin().read_to_end(&mut bytes)?;
        } else {
            bytes = read(file)?;
        }
        Ok(Some(GivenFiles::parse0(&bytes)?))
    }
}

/// Where a result goes.
#[derive(Args, Clone, Debug)]
pub struct Output {
    /// Print the result as JSON on standard output, and nothing else there.
    #[arg(long)]
    pub json: bool,
}

impl Output {
    /// Prints a result: as JSON where that was asked for, else in the words of `people`.
    ///
    /// # Errors
    /// Where the document has no canonical form, or standard output is closed.
    pub fn print<D: Document>(&self, document: &D, people: impl FnOnce(&D) -> String) -> Result<(), Failure> {
        say(&if self.json { document.to_json()? } else { people(document) })
    }
}

/// Prints lines on standard output.
///
/// # Errors
/// Where they cannot be written: standard output is closed, or a disk is full.
pub fn say(text: &str) -> Result<(), Failure> {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let mut out = std::io::stdout().lock();
    write!(out, "{text}{end}")
        .and_then(|()| out.flush())
        .map_err(|error| format!("cannot write the result to standard output: {error}").into())
}

/// A plan that travels: written to a file by one process, carried out from that file by another.
#[derive(Args, Clone, Debug)]
pub struct Plans {
    /// Write the plan to this file.
    #[arg(long, value_name = "FILE", conflicts_with = "execute")]
    pub out: Option<PathBuf>,
    /// Carry out the plan in this file instead of planning.
    #[arg(long, value_name = "FILE")]
    pub execute: Option<PathBuf>,
    /// With --execute: refuse any plan but the one with this digest.
    #[arg(long, value_name = "DIGEST", requires = "execute")]
    pub expect_digest: Option<String>,
}

impl Plans {
    /// Writes a plan where `--out` asks for it: whole or not at all.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write<D: Document>(&self, plan: &D) -> Result<(), Failure> {
        Self::write_to(self.out.as_deref(), plan)
    }

    /// Writes a plan to a file, where there is one to write to: whole or not at all.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write_to<D: Document>(file: Option<&Path>, plan: &D) -> Result<(), Failure> {
        let Some(file) = file else { return Ok(()) };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let cannot = |error: std::io::Error| format!("cannot write the plan to {}: {error}", file.display());
        let mut part = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
        part.write_all(plan.to_json()?.as_bytes()).map_err(cannot)?;
        part.persist(file).map_err(|error| cannot(error.error))?;
        Ok(())
    }

    /// The plan that `--execute` names, if it was given, unaltered and the expected one.
    ///
    /// # Errors
    /// Where the file is no such plan, was altered, or is another one than `--expect-digest` says.
    pub fn read<D: Document>(&self) -> Result<Option<D>, Failure> {
        let Some(file) = &self.execute else { return Ok(None) };
        let plan: D = document(file)?;
        if let Some(expected) = &self.expect_digest {
            let (expected, found) = (Digest::parse(expected)?, plan.digest()?);
            if expected != found {
                return Err(format!(
                    "cannot carry out {}: its digest is {found}, expected {expected}\n  help: it is another plan than the one that was approved",
                    file.display()
                )
                .into());
            }
        }
        Ok(Some(plan))
    }
}

/// Reads a document from a file, and checks that it is of that kind and unaltered since it was written.
///
/// # Errors
/// Where it cannot be read, or is no such document.
pub fn document<D: Document>(file: &Path) -> Result<D, Failure> {
    let text = String::from_utf8(read(file)?)?;
    D::from_json(&text).map_err(|error| format!("cannot use {}: {error}", file.display()).into())
}

/// Reads a file.
///
/// # Errors
/// Where it cannot be read; the message names it.
pub fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()).into())
}
