//! What every step of the road needs, and how a step is shown.

use std::{sync::Arc, time::Duration};

use infraflow_core::{
    forge::{ChangeRequest, ChangeRequestDraft, Forge as _, LocalForge},
    git::{CloneOptions, CommitId, Repository, Revision},
    observe::Stage,
    pipeline::Run,
    proof::{Clock, Digest, FixedClock, canonical_json},
    store::{Key, Store},
    terraform::Tool,
};
use infraflow_examples::{Console, Failure, people};
use tokio_util::sync::CancellationToken;

use crate::demonstration::Demonstration;

pub struct Road<'a> {
    pub world: Demonstration,
    pub store: Store,
    pub run: Run<'a>,
    pub tool: Option<Tool>,
    pub console: &'a Console,
    pub cancel: CancellationToken,
}

impl Road<'_> {
    pub fn say(&self, text: impl AsRef<str>) {
        self.console.say(text);
    }

    /// The headline of a step, by its number in the README.
    pub fn headline(&self, number: &str, text: &str) {
        self.console.say(format!("\n{number:>3}  {text}"));
    }

    /// The clock by which commits, tags and comments are dated.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(FixedClock(self.world.date()))
    }

    /// The digest of the facts that a step stands on.
    pub fn facts(&self, facts: &[&dyn ToString]) -> Result<Digest, Failure> {
        let texts: Vec<String> = facts.iter().map(|fact| fact.to_string()).collect();
        Ok(Digest::of_bytes(canonical_json("facts", &texts)?))
    }

    /// Makes the world that the road is walked in: keys, repositories, and everything deployed.
    pub async fn prepare(&self) -> Result<(), Failure> {
        let facts = self.facts(&[&"prepare"])?;
        self.headline("", &format!("a demonstration in {}", self.world.folder().display()));
        // Each of these makes anew what an interrupted process left, so doing it again does no harm.
        let again = || async { Ok(None) };
        let make = async { self.world.make_repositories() };
        self.run.execute("prepare.repositories", Stage::Git, &facts, again(), make).await?;
        if let Some(tool) = &self.tool {
            let deploy = async { self.world.deploy_everything(tool.program()) };
            self.run.execute("prepare.live", Stage::Deploy, &facts, again(), deploy).await?;
        }
        Ok(())
    }

    /// Opens a change request, or finds it open.
    pub async fn open(
        &self,
        step: &str,
        forge: &LocalForge,
        draft: &ChangeRequestDraft,
    ) -> Result<ChangeRequest, Failure> {
        let facts = self.facts(&[&draft.source, &draft.target])?;
        let open = async { Ok(forge.open(draft).await?) };
        Ok(self.run.execute(step, Stage::Git, &facts, async { Ok(None) }, open).await?)
    }

    /// Merges exactly the head that was looked at. Asked again after a crash, the forge finds it merged.
    pub async fn merge(
        &self,
        step: &str,
        forge: &LocalForge,
        request: &ChangeRequest,
    ) -> Result<CommitId, Failure> {
        let facts = self.facts(&[&request.head])?;
        let merge = async { Ok(forge.merge(request.id, &request.head).await?) };
        let merged = self.run.execute(step, Stage::Git, &facts, async { Ok(None) }, merge).await?;
        self.say(format!("     merged {} into {} as {}", request.id, request.target, merged.short()));
        Ok(merged)
    }

    /// Our clone of a repository: made whole, or not at all.
    pub fn clone_of(&self, repository: &str) -> Result<Repository, Failure> {
        let clone = self.world.folder().join("work").join(repository);
        if !clone.exists() {
            let part = clone.with_extension("part");
            if part.exists() {
                std::fs::remove_dir_all(&part)?;
            }
            std::fs::create_dir_all(self.world.folder().join("work"))?;
            let remote = self.world.remote(repository);
            Repository::clone_from(&remote.to_string_lossy(), &part, &CloneOptions::new())?;
            std::fs::rename(&part, &clone)?;
        }
        Ok(Repository::open(&clone)?)
    }

    /// The last lines: what was done and how long it took, where the sealed logs are, how one is opened.
    pub async fn end(self, logs: &[(&str, Key)]) -> Result<(), Failure> {
        let mut total = Duration::ZERO;
        self.say("\n     stage      what                       seconds");
        for record in self.run.table() {
            let took = record.elapsed.unwrap_or_default();
            total += took;
            let earlier = if record.resumed { "  by an earlier process" } else { "" };
            let stage = people::stage(record.stage);
            self.say(format!("     {stage:<10} {:<26} {:>7.2}{earlier}", record.step, took.as_secs_f64()));
        }
        self.say(format!("     {:<37} {:>7.2}", "", total.as_secs_f64()));
        let store = self.world.store();
        self.say(format!("\n     the sealed logs are in {}", store.display()));
        if let Some((environment, manifest)) = logs.first() {
            self.say(format!(
                "     this opens one:\n       cargo run --release --example open_log -- --store {} \\\n         --key {} \\\n         --signers {} --as you@example.com \\\n         --manifest {manifest}",
                store.display(),
                self.world.sealing_key_file(environment).display(),
                self.world.allowed_signers().display(),
            ));
        }
        Ok(self.run.close().await?)
    }
}

/// A commit's revision.
pub fn at(commit: CommitId) -> Revision {
    Revision::Commit(commit)
}
