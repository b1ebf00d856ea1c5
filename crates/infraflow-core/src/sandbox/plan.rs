use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::{CaseId, CaseKind},
    git::{Revision, Tree},
    proof::{Digest, Document, Reason, RepoPath, RunId},
    select::{PlannedCase, Quarantined, Shard, TestPlan},
    terraform::facts::FileKind,
};

use super::{ApplyingTestFiles, Expectations, Mark, SandboxError, test_file};

/// Which cases are run in which sandbox, and how.
///
/// ```json
/// {"kind": "sandbox_plan", "schema_version": 1, "digest": "sha256:…", "run": "r1", "sandbox": "folder",
///  "revision": "9f3c…", "tests": "sha256:…",
///  "cases": [{"id": "modules/network/examples/basic", "module": "modules/network",
///             "path": "modules/network/examples/basic", "mark": "r1-0a1b2c3d",
///             "how": {"deploy": {"outputs": {"name": {"equals": "\"net-${run_id}\""}}}}}]}
/// ```
///
/// The digest leaves the run's name and the marks made of it out: they decide nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SandboxPlan {
    /// The run.
    pub run: RunId,
    /// The name of the sandbox.
    pub sandbox: String,
    /// Whose files are deployed.
    pub revision: Revision,
    /// The digest of the test plan.
    pub tests: Digest,
    /// The cases in the order in which they are begun.
    pub cases: Vec<PlannedDeployment>,
}

impl Document for SandboxPlan {
    const KIND: &'static str = "sandbox_plan";
    const SCHEMA_VERSION: u32 = 1;
    const UNDIGESTED: &'static [&'static str] = &["run", "cases/*/mark"];
}

/// A case and how it is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PlannedDeployment {
    /// The case.
    pub id: CaseId,
    /// The directory of the module it tests.
    pub module: RepoPath,
    /// The example's directory, or the test file.
    pub path: RepoPath,
    /// What everything it makes carries.
    pub mark: Mark,
    /// How it is run.
    pub how: How,
    /// Why its failure does not fail the report, where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Quarantined>,
}

/// How a case is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum How {
    /// It is deployed, inspected and destroyed.
    Deploy(Expectations),
    /// Its runs only plan: `terraform test` runs it.
    TestFile,
    /// It is not run, and the report fails.
    Refused(Reason),
    /// It is not run.
    Skipped(Reason),
}

impl SandboxPlan {
    /// Decides how each case of a test plan is run.
    ///
    /// # Errors
    /// As [`TestRunner::plan`](super::TestRunner::plan).
    pub fn new(
        tests: &TestPlan,
        tree: &Tree,
        run: &RunId,
        sandbox: &str,
        applying: ApplyingTestFiles,
    ) -> Result<Self, SandboxError> {
        let mut cases = tests
            .cases
            .iter()
            .map(|case| {
                Ok(PlannedDeployment {
                    id: case.id.clone(),
                    module: case.module.clone(),
                    path: case.path.clone(),
                    mark: Mark::of(run, &case.id),
                    how: how(case, tree, applying)?,
                    quarantine: case.quarantine.clone(),
                })
            })
            .collect::<Result<Vec<_>, SandboxError>>()?;
        cases.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Self {
            run: run.clone(),
            sandbox: sandbox.to_owned(),
            revision: *tree.revision(),
            tests: tests.digest()?,
            cases,
        })
    }
}

impl SandboxPlan {
    /// The part of this plan that a shard of the test plan has, in the shard's order. Each machine that runs a
    /// shard does so under a run of its own: a run is worked on by one process at a time.
    #[must_use]
    pub fn of_shard(mut self, shard: &Shard) -> Self {
        let place = |case: &PlannedDeployment| shard.cases.iter().position(|id| *id == case.id);
        self.cases.retain(|case| place(case).is_some());
        self.cases.sort_by_key(place);
        self
    }
}

/// Whether a file is configuration that an example is deployed from.
fn is_terraform(name: &[u8]) -> bool {
    matches!(FileKind::of(name), Some(FileKind::Configuration { .. }))
}

fn how(case: &PlannedCase, tree: &Tree, applying: ApplyingTestFiles) -> Result<How, SandboxError> {
    let missing = || SandboxError::NoCase { case: case.id.clone(), revision: tree.revision().to_string() };
    match case.kind {
        CaseKind::Example => {
            let entries = tree.list(&case.path)?;
            if entries.is_empty() {
                return Err(missing());
            }
            if !entries.iter().any(|entry| is_terraform(entry.path.file_name())) {
                let text =
                    format!("{} has no configuration of Terraform, which this runner deploys", case.path);
                return Ok(How::Skipped(Reason::new("other_dialect", text)));
            }
            let file = case.path.join(Expectations::FILE);
            match tree.read(&file)? {
                Some(text) => Expectations::parse(&text, &file).map(How::Deploy),
                None => Ok(How::Deploy(Expectations::default())),
            }
        }
        CaseKind::TestFile => {
            let text = tree.read(&case.path)?.ok_or_else(missing)?;
            Ok(match (test_file::applying_run(&case.path, &text)?, applying) {
                (None, _) => How::TestFile,
                (Some(reason), ApplyingTestFiles::Refuse) => How::Refused(reason),
                (Some(reason), ApplyingTestFiles::Skip) => How::Skipped(reason),
            })
        }
    }
}
