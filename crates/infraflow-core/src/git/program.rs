use std::{borrow::Cow, ffi::OsString, path::Path, time::Duration};

use crate::process::{Command, Environment, Finished, Preset};

use super::GitError;

/// What every call is given before its own words. No hook and no file system monitor runs: some of them
/// stand in the repository itself (`core.hooksPath`). Nothing is fetched or pushed that was not asked for.
const CONFIGURATION: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "push.followTags=false",
    "push.gpgSign=false",
    "push.default=nothing",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "core.quotePath=false",
];

/// How the `git` program is run, for what crosses the network: it brings the user's credential helpers,
/// SSH keys and proxies.
#[derive(Clone, Debug)]
#[must_use]
pub struct GitProgram {
    environment: Environment,
    time_limit: Duration,
}

impl Default for GitProgram {
    /// With [`Preset::Base`], [`Preset::Proxies`], [`Preset::Git`] and [`Preset::SshAgent`] of this
    /// process' environment, and an hour for each call.
    fn default() -> Self {
        Self::new(Environment::preset(&[Preset::Base, Preset::Proxies, Preset::Git, Preset::SshAgent]))
    }
}

impl GitProgram {
    /// Runs git with this environment, for example with the token that a credential helper reads.
    pub fn new(environment: Environment) -> Self {
        Self { environment, time_limit: Duration::from_secs(3600) }
    }

    /// How long one call may take.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Runs git to its end, whatever that is.
    pub(super) fn run(&self, folder: Option<&Path>, words: &Words) -> Result<Finished, GitError> {
        let environment = self
            .environment
            .clone()
            // Messages are read; a question would wait for ever.
            .with("LC_ALL", "C")
            .with("GIT_TERMINAL_PROMPT", "0")
            .with("GCM_INTERACTIVE", "never")
            .with("GIT_OPTIONAL_LOCKS", "0");
        let mut command = Command::new("git").environment(environment).time_limit(self.time_limit);
        for setting in CONFIGURATION {
            command = command.arg("-c").arg(*setting);
        }
        command = command.args(words.words.iter().cloned()).stdin(words.stdin.clone());
        if let Some(folder) = folder {
            command = command.current_dir(folder);
        }
        Ok(command.run_blocking()?)
    }

    /// Runs git, and returns what it wrote to its standard output; its own failure is an error.
    pub(super) fn output(
        &self,
        what: &str,
        folder: Option<&Path>,
        words: &Words,
    ) -> Result<Vec<u8>, GitError> {
        let finished = self.run(folder, words)?;
        if finished.success() { Ok(finished.stdout) } else { Err(failure(what, &finished)) }
    }
}

/// The words of a call, and what it reads.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    words: Vec<OsString>,
    stdin: Vec<u8>,
}

impl Words {
    /// A command of git and its options.
    pub(super) fn new(words: &[&str]) -> Self {
        Self { words: words.iter().map(OsString::from).collect(), stdin: Vec::new() }
    }

    pub(super) fn word(mut self, word: impl Into<OsString>) -> Self {
        self.words.push(word.into());
        self
    }

    pub(super) fn words(mut self, words: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    pub(super) fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = bytes;
        self
    }
}

pub(super) fn failure(what: &str, finished: &Finished) -> GitError {
    GitError::Program {
        what: what.to_owned(),
        verdict: finished.verdict(),
        message: without_passwords(&finished.message()).into_owned(),
    }
}

/// The text with `***` for what stands between `://` and `@`: addresses may carry tokens.
pub(super) fn without_passwords(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str("://");
        let end = part.find(|c: char| c == '/' || c.is_whitespace() || c == '\'' || c == '"');
        let host = &part[..end.unwrap_or(part.len())];
        match host.rfind('@') {
            Some(at) => {
                shown.push_str("***");
                shown.push_str(&part[at..]);
            }
            None => shown.push_str(part),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_in_addresses_are_not_shown() {
        for (text, shown) in [
            ("fatal: 'https://me:t0ken@host/x' gone", "fatal: 'https://***@host/x' gone"),
            ("https://t0ken@host and ssh://git@host/a@b", "https://***@host and ssh://***@host/a@b"),
            ("https://a:b@c@host/", "https://***@host/"),
            ("no address, me@example.com", "no address, me@example.com"),
            ("https://host/a@b", "https://host/a@b"),
        ] {
            assert_eq!(without_passwords(text), shown);
        }
    }
}
