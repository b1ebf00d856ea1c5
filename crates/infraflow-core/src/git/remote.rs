use std::{collections::BTreeMap, fmt};

use super::{
    CommitId, GitError, GitProgram, ObjectId, RemoteName, Repository, Tag, TagName,
    program::{Words, without_passwords},
};

/// Where another repository is: an address or a path, as git understands it. Shown without what stands
/// between `://` and `@`, which may be a token.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemoteUrl(String);

impl RemoteUrl {
    /// Checks an address: no command line takes it for an option, and it does not name a program to run
    /// (`ext::`, `fd::`).
    ///
    /// # Errors
    /// [`GitError::BadName`].
    pub fn parse(text: &str) -> Result<Self, GitError> {
        let why = if text.is_empty() {
            "it is empty"
        } else if text.starts_with('-') {
            "it starts with -, which a command line takes for an option"
        } else if text.starts_with("ext::") || text.starts_with("fd::") {
            "its transport runs a program that the address names"
        } else if text.contains(char::is_control) {
            "it has a control character"
        } else {
            return Ok(Self(text.to_owned()));
        };
        let name = without_passwords(text).into_owned();
        Err(GitError::BadName { kind: "remote repository", name, why })
    }

    /// The address as it was given, which may hold a token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_passwords(&self.0))
    }
}

impl fmt::Debug for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl GitProgram {
    /// The references that a remote repository has, by their names in full; `patterns` as
    /// git-ls-remote(1) has them, none for all. An annotated tag stands there twice: by its own id, and with
    /// `^{}` after its name by that of its commit. This is *observe*: it may use the network.
    ///
    /// # Errors
    /// [`GitError::Program`] with git's message.
    pub fn remote_refs(
        &self,
        remote: &RemoteUrl,
        patterns: &[&str],
    ) -> Result<BTreeMap<String, ObjectId>, GitError> {
        let words = Words::new(&["ls-remote", "--quiet", "--"]).word(remote.as_str()).words(patterns);
        read_refs(&self.output(&format!("list the references of {remote}"), None, &words)?)
    }

    /// The tags that a remote repository has, sorted by name. Names that [`TagName`] refuses are left out.
    /// This is *observe*: it may use the network.
    ///
    /// # Errors
    /// As [`GitProgram::remote_refs`].
    pub fn remote_tags(&self, remote: &RemoteUrl) -> Result<Vec<Tag>, GitError> {
        Ok(tags_among(&self.remote_refs(remote, &["refs/tags/*"])?))
    }
}

impl Repository {
    /// The address of a remote, as the configuration has it; `None` where there is no such remote.
    ///
    /// # Errors
    /// [`GitError::Libgit2`] where the configuration cannot be read, [`GitError::BadName`] where the address
    /// is one that [`RemoteUrl`] refuses.
    pub fn remote_url(&self, remote: &RemoteName) -> Result<Option<RemoteUrl>, GitError> {
        self.with(|handle| match handle.find_remote(remote.as_str()) {
            Ok(found) => RemoteUrl::parse(&String::from_utf8_lossy(found.url_bytes())).map(Some),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(self.failed(&format!("read the remote {remote}"), error)),
        })
    }

    /// The references that a remote has now, as [`GitProgram::remote_refs`]. This is *observe*.
    ///
    /// # Errors
    /// [`GitError::Program`] with git's message.
    pub fn remote_refs(
        &self,
        remote: &RemoteName,
        patterns: &[&str],
    ) -> Result<BTreeMap<String, ObjectId>, GitError> {
        let words = Words::new(&["ls-remote", "--quiet", "--"]).word(remote.as_str()).words(patterns);
        read_refs(&self.git(&format!("list the references of {remote}"), &words)?)
    }

    /// The tags that a remote has now, sorted by name. This is *observe*.
    ///
    /// # Errors
    /// As [`Repository::remote_refs`].
    pub fn remote_tags(&self, remote: &RemoteName) -> Result<Vec<Tag>, GitError> {
        Ok(tags_among(&self.remote_refs(remote, &["refs/tags/*"])?))
    }

    /// Fetches from a remote: what its configuration says, or the given refspecs. This is *observe*.
    ///
    /// # Errors
    /// [`GitError::BadName`] for a refspec that a command line takes for an option; [`GitError::Program`]
    /// with git's message.
    pub fn fetch(&self, remote: &RemoteName, refspecs: &[&str]) -> Result<(), GitError> {
        self.fetch_with(remote, &[], refspecs)
    }

    fn fetch_with(&self, remote: &RemoteName, options: &[&str], refspecs: &[&str]) -> Result<(), GitError> {
        for refspec in refspecs {
            if refspec.starts_with('-') || refspec.is_empty() {
                let why = "it starts with -, or is empty";
                return Err(GitError::BadName { kind: "refspec", name: (*refspec).to_owned(), why });
            }
        }
        let words = Words::new(&["fetch", "--quiet", "--no-recurse-submodules"])
            .words(options)
            .word("--")
            .word(remote.as_str())
            .words(refspecs);
        self.git(&format!("fetch from {remote}"), &words).map(|_| ())
    }

    /// The merge base of two commits, fetching as much history of a shallow clone as it takes to trust it:
    /// some commits first, then ever more, in the end all. This is *observe*.
    ///
    /// # Errors
    /// As [`Repository::merge_base`], and as [`Repository::fetch`].
    pub fn merge_base_deepening(
        &self,
        remote: &RemoteName,
        one: &CommitId,
        other: &CommitId,
    ) -> Result<CommitId, GitError> {
        for depth in ["--deepen=64", "--deepen=512", "--deepen=4096", "--unshallow"] {
            match self.merge_base(one, other) {
                Err(GitError::ShallowClone { .. }) => {}
                known => return known,
            }
            // By their ids, since no branch that is fetched may lead to them. Servers that give no commit by
            // its id are asked for what the configuration says.
            let (one, other) = (one.to_string(), other.to_string());
            let options = [depth, "--no-tags", "--no-write-fetch-head"];
            self.fetch_with(remote, &options, &[&one, &other])
                .or_else(|_| self.fetch_with(remote, &options, &[]))?;
        }
        self.merge_base(one, other)
    }

    /// Fetches objects that a partial clone has not, in one batch: files, and directories with all that is
    /// below them, but for the files there. What is here already is not asked for. This is *observe*.
    ///
    /// # Errors
    /// [`GitError::Program`] with git's message; [`GitError::MissingObjects`] for those that the remote did
    /// not give either.
    pub fn fetch_missing(
        &self,
        remote: &RemoteName,
        ids: impl IntoIterator<Item = impl Into<ObjectId>>,
    ) -> Result<(), GitError> {
        let missing = self.missing_objects(ids.into_iter().map(Into::into))?;
        if missing.is_empty() {
            return Ok(());
        }
        let list = missing.iter().fold(String::new(), |list, id| list + &id.to_string() + "\n");
        // As git itself does it (fetch_objects in promisor-remote.c).
        let words = Words::new(&["-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags"])
            .words(["--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", "--stdin"])
            .words(["--", remote.as_str()])
            .stdin(list.into_bytes());
        self.git(&format!("fetch {} objects from {remote}", missing.len()), &words)?;
        let still = self.missing_objects(missing)?;
        if still.is_empty() {
            return Ok(());
        }
        Err(GitError::MissingObjects { path: self.root().to_owned(), ids: still })
    }

    /// The remote that promised the objects that a partial clone has not (`remote.NAME.promisor` of
    /// git-config(1)); `None` for other clones.
    ///
    /// # Errors
    /// [`GitError::Libgit2`] where the configuration cannot be read; [`GitError::BadName`].
    pub fn promisor(&self) -> Result<Option<RemoteName>, GitError> {
        let name = self.with(|handle| {
            let failed = |error| self.failed("read the configuration", error);
            let config = handle.config().and_then(|mut config| config.snapshot()).map_err(failed)?;
            let mut found = None;
            let entries = config.entries(Some("^remote\\..*\\.promisor$")).map_err(failed)?;
            // A failed read of one entry hides no other: each is looked at by itself.
            let _ = entries.for_each(|entry| {
                let Ok(key) = entry.name() else { return };
                let name = key.strip_prefix("remote.").and_then(|rest| rest.strip_suffix(".promisor"));
                if config.get_bool(key).unwrap_or(false) && found.is_none() {
                    found = name.map(str::to_owned);
                }
            });
            Ok::<_, GitError>(found)
        })?;
        name.map(|name| RemoteName::parse(&name)).transpose()
    }
}

/// Reads `<id>\t<name>` lines.
fn read_refs(output: &[u8]) -> Result<BTreeMap<String, ObjectId>, GitError> {
    String::from_utf8_lossy(output)
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(id, name)| Ok((name.to_owned(), ObjectId::parse(id)?)))
        .collect()
}

fn tags_among(refs: &BTreeMap<String, ObjectId>) -> Vec<Tag> {
    refs.iter()
        .filter_map(|(name, object)| {
            let tag = TagName::parse(name.strip_prefix("refs/tags/")?).ok()?;
            let peeled = refs.get(&format!("{name}^{{}}"));
            Some(Tag {
                name: tag,
                target: CommitId::from_object(*peeled.unwrap_or(object)),
                object: *object,
                annotated: peeled.is_some(),
            })
        })
        .collect()
}
