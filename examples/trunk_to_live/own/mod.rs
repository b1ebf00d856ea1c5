//! The planning half of the road on your own repositories: what a change of a module touches, which versions
//! follow, which references of an environment they move, and what its units would do then.
//!
//! Without `--execute` all of it is a rehearsal: both repositories are cloned into a temporary folder, tags and
//! bump are made in the clones, and Terraform is told to fetch the modules from there.

mod bump;
mod dry_run;
mod side;

use std::path::{Path, PathBuf};

use clap::Args;
use infraflow_core::{
    detect::{ChangeDetector as _, GitDetector},
    git::{ClonedFiles, CommitId, Identity, RemoteName},
    impact, nature,
    pipeline::StepGraph,
    policy::{Configuration, EnvironmentName},
    proof::Document as _,
    release::{ModuleTags, ReleasePlan, ReleaseRequest, ReleaseTagger as _},
    select::{ImpactSelector, TestSelector as _},
};
use infraflow_examples::{Answer, Console, Failure, cancel_on_interrupt, people};
use tokio_util::sync::CancellationToken;

use self::side::{Side, git};
use crate::{
    modules::{catalog, show},
    road::at,
};

/// Your own repositories, in place of the demonstration's.
#[derive(Args, Clone, Debug)]
pub struct OwnRepositories {
    /// Plan on your own repositories: a clone of the one with the modules.
    #[arg(long, value_name = "PATH", requires = "live_repo", conflicts_with_all = ["dir", "resume", "keys"])]
    modules_repo: Option<PathBuf>,
    /// A clone of the one with the units that call them.
    #[arg(long, value_name = "PATH", requires = "modules_repo")]
    live_repo: Option<PathBuf>,
    /// Where the change of the modules begins. By default the trunk, or for what is on the trunk already the
    /// first parent of --head.
    #[arg(long, value_name = "REVISION", requires = "modules_repo")]
    base: Option<String>,
    /// Where the change of the modules ends; by default HEAD. It is what would be released.
    #[arg(long, value_name = "REVISION", requires = "modules_repo")]
    head: Option<String>,
    /// How the units fetch the modules, for example git::https://example.com/modules.git. By default the
    /// address of a call in the live repository that leads to the modules repository's origin.
    #[arg(long, value_name = "ADDRESS", requires = "modules_repo")]
    package: Option<String>,
    /// Whose references are bumped; by default the first environment of the promotion order.
    #[arg(long, value_name = "NAME", requires = "modules_repo", value_parser = |text: &str| EnvironmentName::parse(text))]
    environment: Option<EnvironmentName>,
    /// Push the tags, and the bump on a branch of its own. Nothing is merged, approved or deployed.
    #[arg(long, requires = "modules_repo")]
    execute: bool,
}

impl OwnRepositories {
    /// The modules repository and the live one, where they were given.
    pub fn paths(&self) -> Option<(&Path, &Path)> {
        Some((self.modules_repo.as_deref()?, self.live_repo.as_deref()?))
    }
}

/// Steps 2 and 4 to 6. Everything is planned before anything is written.
pub async fn walk(
    modules: &Path,
    live: &Path,
    options: &OwnRepositories,
    who: Identity,
) -> Result<Answer, Failure> {
    let folder = tempfile::Builder::new().prefix("trunk-to-live-own-").tempdir()?;
    let rehearsal = (!options.execute).then(|| folder.path());
    let head = options.head.as_deref().unwrap_or("HEAD");
    let revisions: Vec<&str> = [Some(head), options.base.as_deref()].into_iter().flatten().collect();
    let own = Own {
        modules: Side::open(
            modules,
            &revisions,
            rehearsal.map(|it| (it.join("modules"), ClonedFiles::Bare)),
        )?,
        live: Side::open(live, &[], rehearsal.map(|it| (it.join("live"), ClonedFiles::NotCheckedOut)))?,
        execute: options.execute,
        console: Console::new(),
        cancel: cancel_on_interrupt()?,
        who,
    };

    own.assess()?; // 2
    let releases = own.plan_releases().await?; // 4
    if !releases.refused.is_empty() {
        own.say("     nothing is released while a module is refused");
        return Ok(Answer::No);
    }
    let bump = own.plan_bump(options, &releases)?; // 5
    own.require_free_branch(&bump)?;
    own.write_tags(&releases).await?;
    let proposal = own.write_bump(&bump).await?;
    let answer = match proposal {
        Some(proposal) => own.dry_run(proposal, &bump).await?, // 6
        None => Answer::Done,
    };
    if !own.execute {
        own.say("\n     nothing was written to your repositories; --execute makes the tags and the branch");
    }
    Ok(answer)
}

struct Own {
    modules: Side,
    live: Side,
    execute: bool,
    console: Console,
    cancel: CancellationToken,
    who: Identity,
}

impl Own {
    fn say(&self, text: impl AsRef<str>) {
        self.console.say(text);
    }

    fn headline(&self, number: &str, text: &str) {
        self.say(format!("\n{number:>3}  {text}"));
    }

    /// The commit to release.
    fn head(&self) -> CommitId {
        self.modules.commits[0]
    }

    /// Where the change begins: at the trunk, or where it is merged already, at what it was merged into.
    fn base(&self) -> Result<CommitId, Failure> {
        let (repository, head) = (&self.modules.repository, self.head());
        if let Some(base) = self.modules.commits.get(1) {
            return Ok(*base);
        }
        if !repository.is_ancestor(&head, &self.modules.tip)? {
            return Ok(self.modules.tip);
        }
        repository.commit(&head)?.parents.first().copied().ok_or_else(|| {
            format!(
                "cannot tell where the change begins: {} is the first commit\n  help: commit something to a module, or pass --base and --head",
                head.short()
            )
            .into()
        })
    }

    /// Step 2. What the change touches, with reasons; its nature; the steps that follow.
    fn assess(&self) -> Result<(), Failure> {
        let (repository, base, head) = (&self.modules.repository, at(self.base()?), at(self.head()));
        self.headline("2", &format!("what {} touches, and what follows from that", self.head().short()));
        let changes = GitDetector::new().detect(repository, &base, &head)?;
        let before = catalog(&repository.tree(&at(changes.merge_base))?)?;
        let after = catalog(&repository.tree(&head)?)?;
        let impact = impact::assess(&changes, &before, &after)?;
        let rules = Configuration::read(&repository.tree(&base)?)?.section()?;
        let nature = nature::of(&impact, &rules);
        let cases: Vec<_> = after.cases()?;
        let tests = ImpactSelector::default().select(&impact, &cases);
        show(&|line| self.say(line), &impact, &nature, &StepGraph::of(&nature, &impact, &tests));
        self.say(format!("     impact {}", impact.digest()?));
        Ok(())
    }

    /// Step 4. Which versions the commit is.
    async fn plan_releases(&self) -> Result<ReleasePlan, Failure> {
        self.headline("4", "the release plan");
        let Side { repository, remote, trunk, .. } = &self.modules;
        let tags = match remote {
            Some(_) => ReleaseRequest::observe_tags(repository, &RemoteName::origin(), &self.cancel).await?,
            None => repository.tags()?,
        };
        let request = ReleaseRequest::new(self.head(), self.who.clone()).tags(tags).trunk(trunk.clone());
        let tree = repository.tree(&at(self.head()))?;
        let tagger = ModuleTags::of(&Configuration::read(&tree)?)?;
        let plan = tagger.plan(&request, repository, &catalog(&tree)?)?;
        for release in &plan.releases {
            self.say(format!("     {} ({})", release.tag, release.bump.as_str()));
            self.say(people::reasons(&release.reasons).trim_end());
        }
        for refused in &plan.refused {
            self.say(format!("     refused: {}\n{}", refused.module, people::reasons(&refused.reasons)));
        }
        self.say(format!("     {} modules stay as they are", plan.unchanged.len()));
        self.say(format!("     release plan {}", plan.digest()?));
        Ok(plan)
    }

    /// Makes the tags: at the origin, or for the rehearsal in the clone that Terraform fetches from.
    async fn write_tags(&self, plan: &ReleasePlan) -> Result<(), Failure> {
        let repository = &self.modules.repository;
        if plan.releases.is_empty() {
            return Ok(());
        }
        if !self.execute {
            for release in &plan.releases {
                let message = release.message();
                let object = repository.tag_object(&release.tag, &release.commit, &plan.tagger, &message)?;
                git(repository.root(), &["update-ref", &release.tag.reference(), &object.to_string()])?;
            }
            return Ok(());
        }
        if self.modules.remote.is_none() {
            return Err(format!(
                "cannot push the tags: {} has no remote origin\n  help: git remote add origin URL, and push the trunk",
                repository.root().display()
            )
            .into());
        }
        let tagger = ModuleTags::of(&Configuration::read(&repository.tree(&at(plan.head))?)?)?;
        let released = tagger.execute(plan, repository, &self.cancel, &self.console).await?;
        self.say(format!("     {} tags pushed in one atomic push", released.tags.len()));
        Ok(())
    }
}
