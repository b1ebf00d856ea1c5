//! The planning half of the road on your own repositories: what a change of a module touches, which versions
//! follow, which references of an environment they move, and what its units would do then.
//!
//! Without `--execute` all of it is a rehearsal: both repositories are cloned into a temporary folder, tags and
//! bump are made in the clones, and Terraform is told to fetch the modules from there.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use clap::Args;
use infraflow_core::{
    address::{PackageIdentity, SourceAddress, SourceKind},
    bump::{BumpCommit, BumpPlan, BumpRequest, BumpTarget, RefBumper as _, TerraformBumper},
    catalog::Catalog,
    detect::{ChangeDetector as _, GitDetector},
    dry_run::{DryRun, DryRunContext, DryRunPlan, DryRunner as _, Scope, TerraformDryRunner, UnitOutcome},
    git::{BranchName, CloneOptions, ClonedFiles, CommitId, Identity, RemoteName, Repository},
    impact, nature,
    pipeline::StepGraph,
    policy::{AllowListed, Configuration, CredentialProvider, EnvironmentName, Policy, PolicyError, Purpose},
    process::{Command, Environment, Preset},
    proof::{Document as _, Link, RunId, SigningKey},
    publish::{Publisher as _, Sealers, StorePublisher},
    release::{ModuleTags, ReleasePlan, ReleaseRequest, ReleaseTagger as _},
    seal::{SealingKey, SharedKeySealer},
    select::{ImpactSelector, TestSelector as _},
    store::Store,
    terraform::Tool,
};
use infraflow_examples::{Answer, Console, Failure, cancel_on_interrupt, credentials, people};
use tokio_util::sync::CancellationToken;

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

/// A repository of the user: itself, or a clone of it where nothing may be written.
struct Side {
    own: Repository,
    repository: Repository,
    /// Where its origin is; `None` where it has none.
    remote: Option<String>,
    trunk: BranchName,
    tip: CommitId,
    /// The commits that were asked for.
    commits: Vec<CommitId>,
}

impl Side {
    fn open(path: &Path, revisions: &[&str], clone: Option<(PathBuf, ClonedFiles)>) -> Result<Self, Failure> {
        let own = Repository::open(path)?;
        let (trunk, origin) = (own.trunk()?, RemoteName::origin());
        let remote = own.remote_url(&origin)?.map(|url| absolute(own.root(), url.as_str()));
        let commits = revisions.iter().map(|it| own.resolve(it)).collect::<Result<Vec<_>, _>>()?;
        let repository = match clone {
            None => own.clone(),
            Some((folder, files)) => {
                let path = own.root().to_string_lossy();
                let clone = Repository::clone_from(&path, &folder, &CloneOptions::new().files(files))?;
                for commit in commits.iter().filter(|commit| clone.commit(commit).is_err()) {
                    clone.fetch(&origin, &[&commit.to_string()])?;
                }
                git(&folder, &["symbolic-ref", "HEAD", &trunk.reference()])?;
                if let Some(remote) = &remote {
                    git(&folder, &["remote", "set-url", "origin", remote])?;
                    // Terraform fetches from a bare clone, so that it has what the remote has.
                    let all = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
                    clone.fetch(&origin, if files == ClonedFiles::Bare { &all } else { &all[1..] })?;
                }
                clone
            }
        };
        let tip = if remote.is_some() {
            repository.fetch(&origin, &["+refs/heads/*:refs/remotes/origin/*"])?;
            repository.remote_tip(&origin, &trunk)?.ok_or_else(|| {
                format!(
                    "cannot plan on {}: its origin has no branch {trunk}\n  help: push the trunk first",
                    path.display()
                )
            })?
        } else {
            own.trunk_tip()?
        };
        Ok(Self { own, repository, remote, trunk, tip, commits })
    }

    /// The addresses by which others may fetch it.
    fn identities(&self) -> BTreeSet<PackageIdentity> {
        let path = self.own.root().to_string_lossy();
        let addresses = self.remote.as_deref().into_iter().chain([&*path]);
        addresses.map(PackageIdentity::of_remote).collect()
    }
}

/// A remote that is a relative path is one from its repository.
fn absolute(root: &Path, url: &str) -> String {
    let below = root.join(url);
    if !url.contains("://") && below.is_dir() { below.to_string_lossy().into_owned() } else { url.to_owned() }
}

/// Runs git in a clone of ours.
fn git(folder: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let environment = Environment::preset(&[Preset::Base, Preset::Git]);
    let command = Command::new("git").args(arguments).current_dir(folder).environment(environment);
    let finished = command.run_blocking()?;
    if finished.success() {
        return Ok(());
    }
    Err(format!("cannot rehearse: git {} failed: {}", arguments[0], finished.message()).into())
}

/// A bump plan, and what it was made for.
struct Bump {
    environment: EnvironmentName,
    package: SourceAddress,
    live: Catalog,
    policy: Policy,
    plan: BumpPlan,
}

impl Bump {
    fn branch(&self) -> Result<BranchName, Failure> {
        Ok(BranchName::parse(&format!("bump/{}", self.environment))?)
    }
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

    /// Step 5. Which references of the environment the releases move.
    fn plan_bump(&self, options: &OwnRepositories, releases: &ReleasePlan) -> Result<Bump, Failure> {
        let tree = self.live.repository.tree(&at(self.live.tip))?;
        let policy = Policy::read(&tree)?;
        let environment = environment(&policy, options.environment.as_ref())?;
        self.headline("5", &format!("{environment}: the bump plan"));
        let of = policy.clone();
        let live = catalog(&tree)?.with_environments(move |unit| {
            Some(of.environment_of_id(unit.path(), &unit.to_string())?.name.clone())
        });
        let package = self.package(options, &live)?;
        let fetched = format!("git::{}", package.url());
        self.say(format!("     the modules are fetched from {fetched}"));
        let request = BumpRequest::releases(&fetched, releases)?.in_environment(environment.clone());
        let plan = TerraformBumper.plan(&request, &tree, &live)?;
        for edit in &plan.edits {
            let bytes = tree.read(&edit.path)?.unwrap_or_default();
            let line = Link::at(edit.path.clone(), &bytes, edit.start..edit.end, "").line;
            let from = edit.from.as_deref().unwrap_or("nothing");
            self.say(format!("     {}:{line}  {from} -> {}", edit.path, edit.to));
        }
        let elsewhere = |rule: &str| rule == "other_environment";
        let mut others = 0;
        for skipped in &plan.skipped {
            if skipped.reasons.iter().any(|reason| elsewhere(&reason.rule)) {
                others += 1;
            } else {
                self.say(format!("     stays: {}\n{}", skipped.path, people::reasons(&skipped.reasons)));
            }
        }
        if others > 0 {
            self.say(format!("     {others} references of other environments stay"));
        }
        let units: BTreeSet<_> = live
            .units()?
            .into_iter()
            .filter(|it| it.environment.as_ref() == Some(&environment))
            .map(|it| it.id)
            .collect();
        let live_calls = live.calls()?;
        for release in &releases.releases {
            let target = BumpTarget::released(&fetched, release)?;
            let called = live_calls.iter().any(|call| {
                call.units.iter().any(|unit| units.contains(unit))
                    && SourceAddress::parse(&call.source.value).is_ok_and(|source| target.is(&source))
            });
            if !called && plan.edits.iter().all(|edit| edit.module != target.module()) {
                self.say(format!(
                    "     {} is called by no unit of {environment}: its first unit is yours to write",
                    release.module
                ));
            }
        }
        self.say(format!("     bump plan {}", plan.digest()?));
        Ok(Bump { environment, package, live, policy, plan })
    }

    /// How the units fetch the modules.
    fn package(&self, options: &OwnRepositories, live: &Catalog) -> Result<SourceAddress, Failure> {
        if let Some(package) = &options.package {
            let address = SourceAddress::parse(package)?;
            if address.kind() != SourceKind::Git {
                return Err(format!(
                    "cannot bump references to {package}: it is no address of a git repository\n  help: write it as git::https://example.com/modules.git"
                )
                .into());
            }
            return Ok(address);
        }
        let known = self.modules.identities();
        let mut sources =
            live.calls()?.into_iter().filter_map(|call| SourceAddress::parse(&call.source.value).ok());
        sources.find(|source| known.contains(&PackageIdentity::of(source))).ok_or_else(|| {
            let places: Vec<_> = known.iter().map(ToString::to_string).collect();
            format!(
                "cannot tell how the units fetch the modules: no module call in {} leads to {}\n  help: pass the address, for example --package git::https://example.com/modules.git",
                self.live.own.root().display(),
                places.join(" or "),
            )
            .into()
        })
    }

    /// Tags stay once they are pushed, so what would keep the bump from following them is looked for before.
    fn require_free_branch(&self, bump: &Bump) -> Result<(), Failure> {
        let branch = bump.branch()?;
        let taken = match &self.live.remote {
            Some(_) => !self.live.own.remote_refs(&RemoteName::origin(), &[&branch.reference()])?.is_empty(),
            None => self.live.own.branch_tip(&branch)?.is_some(),
        };
        if taken && !bump.plan.edits.is_empty() {
            return Err(format!(
                "cannot commit the bump of {}: there is a branch {branch} already\n  help: merge or delete it, then plan again",
                bump.environment
            )
            .into());
        }
        Ok(())
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

    /// Commits the bump on a branch of its own; `None` where there is nothing to bump.
    async fn write_bump(&self, bump: &Bump) -> Result<Option<CommitId>, Failure> {
        if bump.plan.edits.is_empty() {
            self.say("     there is nothing to bump, so there is nothing to dry-run");
            return Ok(None);
        }
        let commit = BumpCommit {
            base: self.live.tip,
            branch: bump.branch()?,
            message: format!("feat: modules of {} at their latest releases", bump.environment),
            author: self.who.clone(),
            push: self.live.remote.as_ref().filter(|_| self.execute).map(|_| RemoteName::origin()),
        };
        let repository = &self.live.repository;
        let bumped =
            TerraformBumper.execute(&bump.plan, repository, &commit, &self.cancel, &self.console).await?;
        let place = match (&commit.push, self.execute) {
            (Some(remote), _) => format!("pushed to {remote}"),
            (None, true) => "kept in your clone, which has no remote origin".to_owned(),
            (None, false) => "in a temporary clone".to_owned(),
        };
        self.say(format!("     {} on {}, {place}", bumped.commit.short(), bumped.branch));
        Ok(Some(bumped.commit))
    }

    /// Step 6. What the affected units would do with the bump applied.
    async fn dry_run(&self, proposal: CommitId, bump: &Bump) -> Result<Answer, Failure> {
        self.headline("6", "dry run of the affected units, and no others");
        let tool = match Tool::find() {
            Ok(tool) => tool,
            Err(error) => {
                self.say(format!("{error}\n  the dry run is left out"));
                return Ok(Answer::Part);
            }
        };
        let repository = &self.live.repository;
        let (base, head) = (at(self.live.tip), at(proposal));
        let changes = GitDetector::new().detect(repository, &base, &head)?;
        let after = catalog(&repository.tree(&head)?)?;
        let impact = impact::assess(&changes, &bump.live, &after)?;
        let redirect = Redirected {
            // Trunk's configuration says what the tools may see, whatever the proposal says.
            allowed: credentials(&Configuration::read(&repository.tree(&base)?)?)?,
            settings: if self.execute { Vec::new() } else { self.redirections(bump)? },
        };
        let presets = [
            Preset::Base,
            Preset::Proxies,
            Preset::CliConfig,
            Preset::RegistryTokens,
            Preset::Git,
            Preset::SshAgent,
        ];
        let unassigned = redirect.redirect(Environment::preset(&presets));
        let runner = TerraformDryRunner::new(tool).unassigned(unassigned);
        let plan = runner.plan(&head, &after, Scope::Impact(&impact), &bump.policy)?;
        self.say(format!("     dry-run plan {}", plan.digest()?));
        if !self.execute {
            self.bring_local_states(&plan)?;
        }
        let context = DryRunContext {
            repository,
            credentials: &redirect,
            // Nothing is kept that a fingerprint could be compared with.
            hmac: &Store::memory().hmac().await?,
            cancel: &self.cancel,
            observer: &self.console,
        };
        let outcome = runner.observe(&plan, &context).await?;
        self.show_dry_run(&outcome.dry_run)?;
        let any = |outcome_of| outcome.dry_run.units.iter().any(|unit| unit.outcome == outcome_of);
        Ok(match (any(UnitOutcome::Error), any(UnitOutcome::Skipped)) {
            (true, _) => Answer::No,
            (false, true) => Answer::Part,
            (false, false) => Answer::Done,
        })
    }

    /// Addresses and attribute names, no values; and where a pipeline would put each sealed log.
    fn show_dry_run(&self, dry_run: &DryRun) -> Result<(), Failure> {
        let sealers = Sealers::new().with_others(Arc::new(SharedKeySealer::new(SealingKey::generate()?)));
        let (name, run) = (self.live.own.root().file_name().unwrap_or_default(), RunId::parse("own")?);
        let key = SigningKey::generate("nobody")?; // only a plan is made, which no key signs
        let publisher = StorePublisher::new(Store::memory(), name.to_string_lossy(), run, key, sealers);
        let places: BTreeMap<_, _> =
            publisher.plan(dry_run)?.units.into_iter().map(|unit| (unit.unit, unit.manifest)).collect();
        for unit in &dry_run.units {
            self.say(format!("     {:?} {}", unit.outcome, unit.id));
            for line in unit.plan.as_ref().map(people::plan).unwrap_or_default().lines() {
                self.say(format!("      {line}"));
            }
            self.say(people::reasons(&unit.reasons).trim_end());
            if let Some(manifest) = places.get(&unit.id) {
                self.say(format!("      its sealed log would go below {manifest}"));
            }
        }
        self.say(format!("     dry run {}", dry_run.digest()?));
        Ok(())
    }

    /// What git is told, so that the modules are fetched from our clone, which has the tags.
    fn redirections(&self, bump: &Bump) -> Result<Vec<(String, String)>, Failure> {
        let modules = &self.modules.repository;
        let clone = format!("file://{}", modules.root().display());
        let ours = PackageIdentity::of(&bump.package);
        let nested = catalog(&modules.tree(&at(self.head()))?)?;
        let mut called = bump.live.calls()?;
        called.extend(nested.calls()?);
        let sources: Vec<_> = called
            .iter()
            .filter_map(|call| SourceAddress::parse(&call.source.value).ok())
            .chain([bump.package.clone()])
            .filter(|source| source.kind() == SourceKind::Git)
            .collect();
        let mut from: BTreeMap<String, String> = BTreeMap::new();
        for source in sources.iter().filter(|source| PackageIdentity::of(source) == ours) {
            from.insert(source.url().to_owned(), clone.clone());
            if source.url().starts_with('/') {
                from.insert(format!("file://{}", source.url()), clone.clone());
            }
        }
        // Git goes by the longest beginning: a repository whose address goes on after ours leads to itself.
        for source in sources.iter().filter(|source| PackageIdentity::of(source) != ours) {
            if from.keys().any(|address| source.url().starts_with(address)) {
                from.insert(source.url().to_owned(), source.url().to_owned());
            }
        }
        let instead = from.into_iter().map(|(from, to)| (format!("url.{to}.insteadOf"), from));
        Ok(instead.chain([("protocol.file.allow".to_owned(), "always".to_owned())]).collect())
    }

    /// Units without a backend have their states in the user's clone, and are planned against copies.
    fn bring_local_states(&self, plan: &DryRunPlan) -> Result<(), Failure> {
        for unit in &plan.units {
            let (from, to) =
                (unit.path.below(self.live.own.root()), unit.path.below(self.live.repository.root()));
            let Ok(files) = std::fs::read_dir(from) else { continue };
            for file in files {
                let file = file?;
                if file.path().extension().is_some_and(|end| end == "tfstate") && file.file_type()?.is_file()
                {
                    std::fs::create_dir_all(&to)?;
                    std::fs::copy(file.path(), to.join(file.file_name()))?;
                }
            }
        }
        Ok(())
    }
}

/// The environment that was asked for, or the first that a change reaches.
fn environment(policy: &Policy, asked: Option<&EnvironmentName>) -> Result<EnvironmentName, Failure> {
    let known: Vec<_> = policy.environments().iter().map(|it| it.name.as_str()).collect();
    match asked {
        Some(name) if policy.environment(name).is_none() => Err(format!(
            "cannot bump in {name}: the policy has no such environment\n  help: it has {}",
            if known.is_empty() { "none: write [environments] in infraflow.toml".into() } else { known.join(", ") }
        )
        .into()),
        Some(name) => Ok(name.clone()),
        None => policy.environments().first().map(|first| first.name.clone()).ok_or_else(|| {
            "cannot tell which environment a change reaches first: infraflow.toml on the trunk of the live repository names none\n  help: write [environments.NAME] with units and order there".into()
        }),
    }
}

/// Hands out what `[credentials]` of trunk allows, and tells git where to fetch the modules from.
struct Redirected {
    allowed: AllowListed,
    settings: Vec<(String, String)>,
}

impl Redirected {
    /// Adds to the settings that the user's own environment has.
    fn redirect(&self, environment: Environment) -> Environment {
        let count = environment.get("GIT_CONFIG_COUNT").and_then(|count| count.to_str()?.parse().ok());
        let first: usize = count.unwrap_or(0);
        let numbered = self.settings.iter().enumerate();
        let environment = numbered.fold(environment, |environment, (number, (key, value))| {
            let number = first + number;
            environment
                .with(format!("GIT_CONFIG_KEY_{number}"), key)
                .with(format!("GIT_CONFIG_VALUE_{number}"), value)
        });
        match first + self.settings.len() {
            0 => environment,
            count => environment.with("GIT_CONFIG_COUNT", count.to_string()),
        }
    }
}

#[async_trait]
impl CredentialProvider for Redirected {
    async fn credentials(
        &self,
        environment: &EnvironmentName,
        purpose: Purpose,
    ) -> Result<Environment, PolicyError> {
        Ok(self.redirect(self.allowed.credentials(environment, purpose).await?))
    }
}
