//! The second half: a release reaches an environment. Bumped, dry-run, posted, approved, merged, planned
//! again, deployed, verified.

use std::sync::Arc;

use infraflow_core::{
    approve::{ApprovalRequest, Approved, Approver as _, ChangeFacts, Nonce, SshApprover, Verdict, authors},
    bump::{BumpCommit, BumpPlan, BumpRequest, Bumped, RefBumper as _, Scaffold, TerraformBumper},
    catalog::UnitId,
    deploy::{DeployContext, Deployer as _, SealedPlans, TerraformDeployer},
    detect::{ChangeDetector as _, ChangeSet, GitDetector},
    dry_run::{DryRun, DryRunContext, DryRunPlan, DryRunner as _, Scope, TerraformDryRunner},
    forge::{ChangeRequestDraft, Forge as _, LocalForge, Marker},
    git::{BranchName, CommitId, FileEdit, Identity, RemoteName, Repository},
    impact,
    interface::Interface,
    observe::Stage,
    policy::{EnvironmentName, Policy},
    proof::{Clock as _, Document as _, Principal, RepoPath, SigningKey, SystemClock},
    publish::{ItemName, Published, Publisher as _, Sealers, StorePublisher},
    release::ReleasePlan,
    seal::SharedKeySealer,
    store::Key,
    terraform::Tool,
};
use infraflow_examples::{Failure, people};
use serde::{Deserialize, Serialize};

use crate::{
    demonstration::{ENVIRONMENTS, STRANGER, Secrets},
    modules::catalog,
    road::{Road, at},
};

/// The name by which everybody calls the repository: in manifests, approvals and deployments.
const LIVE: &str = "infrastructure-live";

/// A commit on a branch of live, and the trunk it stands on.
#[derive(Clone, Serialize, Deserialize)]
struct Proposal {
    base: CommitId,
    head: CommitId,
}

/// A dry run whose logs are posted.
#[derive(Serialize, Deserialize)]
pub struct Posted {
    plan: DryRunPlan,
    pub dry_run: DryRun,
    pub published: Published,
}

/// What the steps of one environment share.
pub struct Live<'a> {
    road: &'a Road<'a>,
    environment: EnvironmentName,
    pub repository: Repository,
    runner: Arc<TerraformDryRunner>,
    secrets: Secrets,
    tool: Tool,
}

/// Steps 5 to 9, for one environment.
pub async fn promote(
    road: &Road<'_>,
    tool: &Tool,
    environment: &str,
    releases: &ReleasePlan,
) -> Result<Key, Failure> {
    let live = Live::open(road, tool, environment)?;
    let (trunk, bump) = plan_bump(road, environment, releases).await?;
    let proposal = live.propose(trunk, &bump).await?;
    let trunk = live.repository.tree(&at(proposal.base))?;
    let policy = Policy::read(&trunk)?; // trunk's, whatever the proposal says

    live.headline("6", "dry run of the affected units, and no others; the whole log posted, sealed");
    let forge = live.forge()?;
    let draft = live.draft(&bump)?;
    let request = road.open(&live.step("open"), &forge, &draft).await?;
    let posted = live.dry_run("dry_run", &proposal, &policy).await?;
    let marker = Marker::parse("infraflow-dry-run")?;
    forge.upsert_comment(request.id, &marker, &posted.published.markdown).await?;
    road.say(indented(&posted.published.text));

    live.headline("7", "the approval");
    if environment == ENVIRONMENTS[0] {
        live.refuse_own_signer(&proposal, &policy).await?;
    }
    live.approve(&posted, &proposal, &policy).await?;

    live.headline("8", "merged, planned again at trunk, deployed from the saved plan, verified");
    let merged = road.merge(&live.step("merge"), &forge, &request).await?;
    let merged = Proposal { base: proposal.base, head: merged };
    let again = live.dry_run("plan_again", &merged, &policy).await?;
    if again.dry_run.fingerprint() != posted.dry_run.fingerprint() {
        return Err(
            "cannot deploy: the plan at trunk means something else than the one that was approved".into()
        );
    }
    road.say("     planned again at trunk: the fingerprint is equal, so the approval holds");
    live.deploy(&again, &merged, &policy).await?;
    let database = UnitId::parse(&format!("{environment}/database"))?;
    let published = posted.published.unit(&database).ok_or("the database's log was not posted")?;
    Ok(published.manifest.clone())
}

/// Step 5. Which references an environment gets, spliced into the original bytes: the releases for the first
/// one, what the one before carries for the others. The bastion is deployed for the first time everywhere.
pub async fn plan_bump(
    road: &Road<'_>,
    environment: &str,
    releases: &ReleasePlan,
) -> Result<(CommitId, BumpPlan), Failure> {
    road.headline("5", &format!("{environment}: the bump plan"));
    let repository = road.clone_of("infrastructure-live")?;
    let facts = releases.digest()?;
    let trunk = async {
        repository.fetch(&RemoteName::origin(), &["+refs/heads/*:refs/remotes/origin/*"])?;
        Ok(repository.trunk_tip()?)
    };
    let trunk = road.run.observe(&format!("{environment}.trunk"), Stage::Git, &facts, trunk).await?;
    let tree = repository.tree(&at(trunk))?;
    let policy = Policy::read(&tree)?;
    let of = policy.clone();
    let live = catalog(&tree)?.with_environments(move |unit| {
        Some(of.environment_of_id(unit.path(), &unit.to_string())?.name.clone())
    });

    let name = EnvironmentName::parse(environment)?;
    let before = ENVIRONMENTS.iter().rev().skip_while(|&&it| it != environment).nth(1);
    let package = format!("git::file://{}", road.world.remote("infrastructure-modules").display());
    let request = match before {
        None => BumpRequest::releases(&package, releases)?,
        Some(before) => BumpRequest::promotion(&live, &EnvironmentName::parse(before)?)?,
    };
    let modules = Repository::open(road.world.remote("infrastructure-modules"))?;
    let bastion = RepoPath::parse("modules/bastion")?;
    let interface = Interface::read(&modules.tree(&at(releases.head))?, &bastion)?;
    let scaffold = Scaffold::new(RepoPath::parse(format!("{environment}/bastion"))?, bastion, interface)
        .settings(road.world.backend(environment, "bastion")?)
        .value("name", format!("\"{environment}\""))
        .value("allowed_users", "[\"ada\"]");
    let request = request.in_environment(name).scaffold(scaffold);
    let plan = || Ok(TerraformBumper.plan(&request, &tree, &live)?);
    let facts = road.facts(&[&trunk, &facts])?;
    let plan = road.run.plan(&format!("{environment}.bump"), Stage::Bump, &facts, plan).await?;
    for edit in &plan.edits {
        let from = edit.from.as_deref().unwrap_or("first deployment");
        road.say(format!("     {}:{}  {from} -> {}", edit.path, edit.start, edit.to));
    }
    Ok((trunk, plan))
}

impl<'a> Live<'a> {
    pub fn open(road: &'a Road<'a>, tool: &Tool, environment: &str) -> Result<Self, Failure> {
        Ok(Self {
            road,
            environment: EnvironmentName::parse(environment)?,
            repository: road.clone_of("infrastructure-live")?,
            runner: Arc::new(TerraformDryRunner::new(tool.clone())),
            secrets: road.world.secrets(),
            tool: tool.clone(),
        })
    }

    fn headline(&self, number: &str, text: &str) {
        self.road.headline(number, &format!("{}: {text}", self.environment));
    }

    fn step(&self, name: &str) -> String {
        format!("{}.{name}", self.environment)
    }

    fn branch(&self) -> Result<BranchName, Failure> {
        Ok(BranchName::parse(&format!("bump/{}", self.environment))?)
    }

    fn forge(&self) -> Result<LocalForge, Failure> {
        let forge = LocalForge::new("live", self.repository.clone(), self.road.store.clone())?;
        Ok(forge.clock(self.road.clock()))
    }

    fn draft(&self, bump: &BumpPlan) -> Result<ChangeRequestDraft, Failure> {
        Ok(ChangeRequestDraft {
            title: format!("bump: {} references in {}", bump.edits.len(), self.environment),
            body: format!("Bump plan `{}`.", bump.digest()?),
            author: Principal("ada@example.com".into()),
            source: self.branch()?,
            target: self.repository.trunk()?,
        })
    }

    /// The edits of a bump plan as a commit on a branch of its own.
    async fn propose(&self, base: CommitId, bump: &BumpPlan) -> Result<Proposal, Failure> {
        let road = self.road;
        let commit = BumpCommit {
            base,
            branch: self.branch()?,
            message: format!("feat: modules of {} at their latest releases", self.environment),
            author: Identity::new("Pipeline", "pipeline@example.com", road.world.date()),
            push: Some(RemoteName::origin()),
        };
        // A second try with the same plan finds the first one's commit.
        let work = async {
            Ok(TerraformBumper.execute(bump, &self.repository, &commit, &road.cancel, road.console).await?)
        };
        let step = self.step("propose");
        let bumped: Bumped =
            road.run.execute(&step, Stage::Bump, &bump.digest()?, async { Ok(None) }, work).await?;
        road.say(format!("     {} on {}", bumped.commit.short(), bumped.branch));
        self.repository.fetch(&RemoteName::origin(), &["+refs/heads/*:refs/remotes/origin/*"])?;
        Ok(Proposal { base: bumped.base, head: bumped.commit })
    }

    /// What a proposal changes, against the trunk it stands on.
    fn changes(&self, proposal: &Proposal) -> Result<ChangeSet, Failure> {
        Ok(GitDetector::new().detect(&self.repository, &at(proposal.base), &at(proposal.head))?)
    }

    /// Step 6. Plans the affected units at a commit, and posts the logs: a summary in clear, the rest sealed.
    async fn dry_run(&self, name: &str, proposal: &Proposal, policy: &Policy) -> Result<Posted, Failure> {
        let road = self.road;
        let changes = self.changes(proposal)?;
        let before = catalog(&self.repository.tree(&at(changes.merge_base))?)?;
        let after = catalog(&self.repository.tree(&at(proposal.head))?)?;
        let impact = impact::assess(&changes, &before, &after)?;
        let plan = self.runner.plan(&at(proposal.head), &after, Scope::Impact(&impact), policy)?;
        let work = async {
            let hmac = road.store.hmac().await?;
            let context = DryRunContext {
                repository: &self.repository,
                credentials: &self.secrets,
                hmac: &hmac,
                cancel: &road.cancel,
                observer: road.console,
            };
            let outcome = self.runner.observe(&plan, &context).await?;
            let publisher = self.publisher()?;
            let what = publisher.plan(&outcome.dry_run)?;
            let published = publisher
                .execute(&what, &outcome.dry_run, &outcome.artefacts, &road.cancel, road.console)
                .await?;
            Ok(Posted {
                plan: plan.clone(),
                dry_run: published.with_logs(outcome.dry_run.clone()),
                published,
            })
        };
        // What was posted under this plan's digest stays; a plan that nobody has seen does no harm.
        Ok(road
            .run
            .execute(&self.step(name), Stage::DryRun, &plan.digest()?, async { Ok(None) }, work)
            .await?)
    }

    fn publisher(&self) -> Result<StorePublisher, Failure> {
        let sealer = Arc::new(SharedKeySealer::new(self.road.world.sealing_key(self.environment.as_str())?));
        let sealers = Sealers::new().with(self.environment.clone(), sealer);
        let key = self.road.world.signing_key("pipeline")?;
        Ok(StorePublisher::new(self.road.store.clone(), LIVE, self.road.run.id().clone(), key, sealers))
    }

    fn request(
        &self,
        posted: &Posted,
        proposal: &Proposal,
        policy: &Policy,
    ) -> Result<ApprovalRequest, Failure> {
        let files = self.changes(proposal)?;
        let mut by = authors(&self.repository, &files)?;
        by.push(Principal("ada@example.com".into())); // who opened the change request
        let facts = ChangeFacts { repository: LIVE, files: Some(&files), authors: by };
        Ok(self.approver().plan(&posted.dry_run, policy, &facts)?)
    }

    fn approver(&self) -> SshApprover {
        SshApprover::new(self.road.store.clone(), Arc::new(SystemClock))
    }

    /// Asks whether enough people have approved.
    async fn ask(&self, request: &ApprovalRequest, policy: &Policy) -> Result<Verdict, Failure> {
        let (approver, road) = (self.approver(), self.road);
        let evidence = approver.observe(request, &road.cancel, road.console).await?;
        Ok(approver.execute(request, policy, &evidence, road.run.id(), &road.cancel, road.console).await?)
    }

    /// Somebody approves of a plan, with their own key.
    async fn sign(&self, request: &ApprovalRequest, person: &str, key: &SigningKey) -> Result<(), Failure> {
        let until = SystemClock.now().plus(std::time::Duration::from_secs(3600));
        let statement =
            request.statement(Principal(format!("{person}@example.com")), until, Nonce::random()?);
        self.approver().stored().put(&key.sign(statement)?).await?;
        self.road.say(format!("     {person} signs the plan's digest, {}", request.plan.short()));
        Ok(())
    }

    /// Step 7. Refused while somebody is missing; approved when enough have signed.
    async fn approve(&self, posted: &Posted, proposal: &Proposal, policy: &Policy) -> Result<(), Failure> {
        let request = self.request(posted, proposal, policy)?;
        let work = async {
            // Ada, who made the change, signs too: that never counts.
            for person in ["ada", "bob", "carol"] {
                match self.ask(&request, policy).await? {
                    Verdict::Approved(approved) => return Ok(names(&approved)),
                    Verdict::Refused(refused) => {
                        self.road.say(format!("     refused:\n{}", people::reasons(&refused.reasons)))
                    }
                }
                self.sign(&request, person, &self.road.world.signing_key(person)?).await?;
            }
            match self.ask(&request, policy).await? {
                Verdict::Approved(approved) => Ok(names(&approved)),
                Verdict::Refused(_) => Err("cannot go on: three signatures were not enough".into()),
            }
        };
        // The same run may ask again, and gets the same answer.
        let step = self.step("approve");
        let by: Vec<String> = self
            .road
            .run
            .execute(&step, Stage::Approve, &request.digest()?, async { Ok(None) }, work)
            .await?;
        self.road.say(format!("     approved by {}", by.join(" and ")));
        Ok(())
    }

    /// Step 7, tried by a cheat: the change adds its own signer to the policy, and that signer approves.
    async fn refuse_own_signer(&self, proposal: &Proposal, policy: &Policy) -> Result<(), Failure> {
        let mallory = self.road.world.signing_key(STRANGER)?;
        let signers = RepoPath::parse("allowed_signers")?;
        let text = self.repository.tree(&at(proposal.head))?.read(&signers)?.unwrap_or_default();
        let line = format!("mallory@example.com {}\n", mallory.verifying_key());
        let edit = FileEdit::write(signers, [&text[..], line.as_bytes()].concat());
        let who = Identity::new("Mallory", "eve@example.com", self.road.world.date());
        let head = self.repository.commit_files(&proposal.head, &[edit], "chore: tidy up", &who, &who)?;
        let cheat = Proposal { base: proposal.base, head };
        let posted = self.dry_run("cheat.dry_run", &cheat, policy).await?;
        let request = self.request(&posted, &cheat, policy)?;
        self.sign(&request, STRANGER, &mallory).await?;
        match self.ask(&request, policy).await? {
            Verdict::Refused(refused) => {
                self.road.say(format!(
                    "     a change that adds its own signer is refused:\n{}",
                    people::reasons(&refused.reasons)
                ));
                Ok(())
            }
            Verdict::Approved(_) => Err("a change approved itself".into()),
        }
    }

    /// Step 8. Applies exactly the saved plan, from its sealed file, and verifies.
    async fn deploy(&self, posted: &Posted, proposal: &Proposal, policy: &Policy) -> Result<(), Failure> {
        let road = self.road;
        let request = self.request(posted, proposal, policy)?;
        let Verdict::Approved(approved) = self.ask(&request, policy).await? else {
            return Err("cannot deploy: the approval does not hold at trunk".into());
        };
        let deployer = TerraformDeployer::new(self.tool.clone(), self.runner.clone(), road.store.clone());
        let mut plan = deployer.plan(&posted.dry_run, &posted.plan, &request, policy, &Default::default())?;
        for unit in &mut plan.units {
            let published = posted.published.unit(&unit.unit.id);
            unit.saved_plan =
                published.and_then(|it| Some(it.items.get(&ItemName::PlanFile)?.object.clone()));
        }
        let sealer = SharedKeySealer::new(road.world.sealing_key(self.environment.as_str())?);
        let context = DeployContext {
            repository: &self.repository,
            policy,
            credentials: &self.secrets,
            saved_plans: &SealedPlans::new(road.store.clone(), Arc::new(sealer)),
            folder: &road.world.folder().join("work/deploy").join(self.environment.as_str()),
            cancel: &road.cancel,
            observer: road.console,
        };
        // The deployer keeps its own record of each apply: called again, it looks first.
        let work = async {
            let deployment = deployer.execute(&plan, &approved, &context).await?;
            if deployment.is_done() {
                Ok(deployment)
            } else {
                Err(format!("not deployed: {:?}", deployment.units).into())
            }
        };
        let step = self.step("deploy");
        let deployment =
            road.run.execute(&step, Stage::Deploy, &plan.digest()?, async { Ok(None) }, work).await?;
        for unit in &deployment.units {
            road.say(format!("     {:?} {}", unit.outcome, unit.id));
        }
        let verify = async { Ok(deployer.verify(&plan, &context).await?) };
        let verified =
            road.run.observe(&self.step("verify"), Stage::Verify, &deployment.digest()?, verify).await?;
        if !verified.holds() {
            return Err(format!(
                "cannot go on: what was deployed is not what trunk says: {:?}",
                verified.units
            )
            .into());
        }
        road.say("     planned once more: no changes");
        Ok(())
    }
}

fn names(approved: &Approved) -> Vec<String> {
    approved.by.iter().map(|counted| counted.approver.to_string()).collect()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("     {line}")).collect::<Vec<_>>().join("\n")
}
