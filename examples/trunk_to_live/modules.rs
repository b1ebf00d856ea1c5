//! The first half: a change of a module is detected, assessed, tested, merged and released.

use std::sync::Arc;

use infraflow_core::{
    catalog::{Catalog, standard_dialects},
    detect::{ChangeDetector as _, GitDetector},
    forge::{ChangeRequestDraft, LocalForge},
    git::{BranchName, CommitId, FileEdit, Identity, RefUpdate, RemoteName, Repository, Tree},
    impact::{self, Impact},
    nature::{self, NatureOfChange},
    observe::Stage,
    pipeline::StepGraph,
    policy::Configuration,
    proof::{Document as _, Principal, RepoPath},
    release::{ModuleTags, ReleasePlan, ReleaseRequest, ReleaseTagger as _},
    sandbox::{FolderSandbox, Scope, TerraformTestRunner, TestRunner as _},
    select::{ImpactSelector, TestPlan, TestSelector as _},
    terraform::Tool,
};
use infraflow_examples::{Failure, people};
use serde::{Deserialize, Serialize};

use crate::road::{Road, at};

const BRANCH: &str = "place-subnets";

/// The commit, and what it stands on.
#[derive(Clone, Serialize, Deserialize)]
pub struct Change {
    pub base: CommitId,
    pub head: CommitId,
}

/// What the commit touches, and the tests that follow.
pub struct Found {
    pub impact: Impact,
    pub tests: TestPlan,
}

/// Step 1. Clone, branch, and a small commit in `network`, which `cluster` and others call.
pub async fn change(road: &Road<'_>) -> Result<Change, Failure> {
    road.headline("1", "a small commit in the module network, on a branch of a fresh clone");
    let remote = road.world.remote("infrastructure-modules");
    let branch = BranchName::parse(BRANCH)?;
    let ada = Identity::new("Ada", "ada@example.com", road.world.date());
    let facts = road.facts(&[&"change", &remote.display()])?;
    let look = async {
        // The push is the step's last act: without it nothing has happened that matters to anybody.
        let bare = Repository::open(&remote)?;
        let head = bare.branch_tip(&branch)?;
        Ok(match head {
            Some(head) => Some(Change { base: bare.trunk_tip()?, head }),
            None => None,
        })
    };
    let work = async {
        let repository = road.clone_of("infrastructure-modules")?;
        let base = repository.trunk_tip()?;
        let edits = place_subnets(&repository.tree(&at(base))?)?;
        let head =
            repository.commit_files(&base, &edits, "feat: place every subnet in a zone", &ada, &ada)?;
        repository.push(&RemoteName::origin(), &[RefUpdate::branch(&branch, head, None)])?;
        Ok(Change { base, head })
    };
    let change = road.run.execute("change", Stage::Git, &facts, look, work).await?;
    road.say(format!("     {} on {BRANCH}: feat: place every subnet in a zone", change.head.short()));
    Ok(change)
}

fn place_subnets(tree: &Tree) -> Result<Vec<FileEdit>, Failure> {
    let edit = |file: &str, change: &dyn Fn(String) -> String| -> Result<FileEdit, Failure> {
        let path = RepoPath::parse(format!("modules/network/{file}"))?;
        let text = String::from_utf8(tree.read(&path)?.unwrap_or_default())?;
        Ok(FileEdit::write(path, change(text)))
    };
    let zone = "\nvariable \"zone\" {\n  description = \"The zone of its subnets.\"\n  type        = string\n  default     = \"a\"\n}\n";
    Ok(vec![
        edit("variables.tf", &|text| text + zone)?,
        edit("main.tf", &|text| {
            text.replace("    cidr = var.cidr\n", "    cidr = var.cidr\n    zone = var.zone\n")
        })?,
        edit("outputs.tf", &|text| text.replace("= var.cidr\n", "= \"${var.cidr}/${var.zone}\"\n"))?,
    ])
}

/// Step 2. What the commit touches, with reasons; its nature; the steps that follow.
pub async fn assess(road: &Road<'_>, change: &Change) -> Result<Found, Failure> {
    road.headline("2", "what the commit touches, and what follows from that");
    let repository = Repository::open(road.world.remote("infrastructure-modules"))?;
    let facts = road.facts(&[&change.base, &change.head])?;
    let (base, head) = (at(change.base), at(change.head));
    let detect = || Ok(GitDetector::new().detect(&repository, &base, &head)?);
    let changes = road.run.plan("detect", Stage::Detect, &facts, detect).await?;
    let before = catalog(&repository.tree(&at(changes.merge_base))?)?;
    let after = catalog(&repository.tree(&head)?)?;
    let assess = || Ok(impact::assess(&changes, &before, &after)?);
    let impact: Impact = road.run.plan("impact", Stage::Impact, &changes.digest()?, assess).await?;
    let rules = Configuration::read(&repository.tree(&base)?)?.section()?;
    let nature = nature::of(&impact, &rules);
    let cases: Vec<_> = after.cases()?;
    let select = || Ok(ImpactSelector::default().select(&impact, &cases));
    let tests = road.run.plan("select", Stage::Select, &impact.digest()?, select).await?;
    let graph = StepGraph::of(&nature, &impact, &tests);

    show(&|line| road.say(line), &impact, &nature, &graph);
    Ok(Found { impact, tests })
}

/// What was found, in words.
pub fn show(say: &dyn Fn(String), impact: &Impact, nature: &NatureOfChange, graph: &StepGraph) {
    for change in &impact.changes {
        say(format!("     {:?} {}", change.kind, change.path));
    }
    for module in &impact.modules {
        say(format!("     touched: {}\n{}", module.path, people::reasons(&module.reasons[..1])));
    }
    say(format!("     nature: {}; steps:", nature.nature));
    for step in &graph.steps {
        say(format!("       {}{}", step.id, after_of(&step.needs)));
    }
}

fn after_of(needs: &[String]) -> String {
    if needs.is_empty() { String::new() } else { format!("  after {}", needs.join(", ")) }
}

/// What a tree holds, by the configuration it carries.
pub fn catalog(tree: &Tree) -> Result<Catalog, Failure> {
    let rules = Configuration::read(tree)?.section()?;
    Ok(Catalog::build(tree, &standard_dialects(), &rules)?)
}

/// Step 3. The touched examples are deployed into a sandbox, looked at, planned again and destroyed.
pub async fn test(road: &Road<'_>, tool: &Tool, change: &Change, found: &Found) -> Result<(), Failure> {
    road.headline("3", "tests of the touched modules, and of no others, in a sandbox");
    let repository = Repository::open(road.world.remote("infrastructure-modules"))?;
    let tree = repository.tree(&at(change.head))?;
    let sandbox = Arc::new(FolderSandbox::new(road.world.cloud())?);
    let runner = TerraformTestRunner::new(tool.clone(), road.store.clone(), sandbox);
    let plan = runner.plan(&found.tests, &tree, road.run.id())?;
    let look = async {
        // What an interrupted process left is ended, destroyed and swept before anything is deployed again.
        let report =
            runner.reaper().reap(&Scope::Run(road.run.id().clone()), &road.cancel, road.console).await?;
        for left in &report.reaped {
            road.say(format!(
                "     swept after {}: destroyed {:?}, in flight {:?}",
                left.case, left.destroyed, left.in_flight
            ));
        }
        Ok(None)
    };
    let work = async { Ok(runner.execute(&plan, &tree, &road.cancel, road.console).await?) };
    let report = road.run.execute("sandbox", Stage::Sandbox, &plan.digest()?, look, work).await?;
    for case in &report.cases {
        road.say(format!("     {:?} {}", case.outcome, case.id));
    }
    for skipped in &found.tests.skipped {
        road.say(format!("     not run: {} ({})", skipped.id, skipped.reasons[0].text));
    }
    if !report.passed() {
        return Err("cannot go on: a test failed".into());
    }
    let left = runner.ledger().in_flight().await?;
    if !left.is_empty() {
        return Err(format!("cannot go on: the ledger still has {left:?}").into());
    }
    road.say("     the ledger has nothing left");
    Ok(())
}

/// Step 4. Merged; the release plan; the tags, in one atomic push.
pub async fn release(road: &Road<'_>, found: &Found) -> Result<ReleasePlan, Failure> {
    road.headline("4", "merged and released");
    let repository = road.clone_of("infrastructure-modules")?;
    let ada = Principal("ada@example.com".into());
    let forge = LocalForge::new("modules", repository.clone(), road.store.clone())?.clock(road.clock());
    let draft = ChangeRequestDraft {
        title: "feat: place every subnet in a zone".into(),
        body: format!("Touches {} modules.", found.impact.modules.len()),
        author: ada,
        source: BranchName::parse(BRANCH)?,
        target: repository.trunk()?,
    };
    let request = road.open("modules.open", &forge, &draft).await?;
    let trunk = road.merge("modules.merge", &forge, &request).await?;
    let tags = ReleaseRequest::observe_tags(&repository, &RemoteName::origin(), &road.cancel).await?;
    let pipeline = Identity::new("Pipeline", "pipeline@example.com", road.world.date());
    let request = ReleaseRequest::new(trunk, pipeline).tags(tags).trunk(repository.trunk()?);
    let tree = repository.tree(&at(trunk))?;
    let tagger = ModuleTags::of(&Configuration::read(&tree)?)?;
    let facts = road.facts(&[&trunk])?;
    let plan = || Ok(tagger.plan(&request, &repository, &catalog(&tree)?)?);
    let plan: ReleasePlan = road.run.plan("release", Stage::Release, &facts, plan).await?;
    for release in &plan.releases {
        road.say(format!("     {} ({:?}: {})", release.tag, release.bump, release.reasons[0].text));
    }
    // Tags that are there already, the very same objects, are left as they are.
    let push = async { Ok(tagger.execute(&plan, &repository, &road.cancel, road.console).await?) };
    let released = road.run.execute("tag", Stage::Release, &plan.digest()?, async { Ok(None) }, push).await?;
    road.say(format!("     {} tags in one atomic push", released.tags.len()));
    Ok(plan)
}
