use std::path::PathBuf;

use clap::Args;
use infraflow_core::{
    catalog::{CaseId, Catalog},
    git::Tree,
    impact::Rules,
    policy::Configuration,
    proof::{Clock as _, SystemClock, Timestamp},
    sandbox::{SandboxPlan, TestReport},
    select::{Contents, Evidence, History, SelectRules},
    store::Store,
    terraform::{Tool, ToolVersion},
};

use crate::Failure;

/// Where earlier runs of test cases are recorded.
#[derive(Args, Clone, Debug, Default)]
pub struct Records {
    /// The file of recorded runs, a line of JSON each.
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    /// The moment that counts, for example 2026-01-31T12:00:00Z; now, if nothing is said.
    #[arg(long, value_name = "TIME", value_parser = |text: &str| Timestamp::parse(text))]
    pub at: Option<Timestamp>,
}

impl Records {
    /// What is known at the moment: rules, and the runs recorded in `--history`, or else in a store.
    ///
    /// # Errors
    /// Where the rules or the records cannot be read.
    pub async fn evidence(
        &self,
        store: Option<&Store>,
        configuration: &Configuration,
    ) -> Result<Evidence, Failure> {
        let rules: SelectRules = configuration.section()?;
        let at = self.at.unwrap_or_else(|| SystemClock.now());
        let since = rules.history_since(at);
        let history = match (&self.history, store) {
            (Some(file), _) => History::read_file(file, since)?,
            (None, Some(store)) => History::read_store(store, since).await?,
            (None, None) => History::default(),
        };
        Ok(Evidence::at(at).with_rules(rules).with_history(history))
    }

    /// Records what came of the cases of a report, where there is somewhere to record it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub async fn record(
        &self,
        store: Option<&Store>,
        plan: &SandboxPlan,
        contents: Option<&Contents>,
        report: &TestReport,
    ) -> Result<(), Failure> {
        let runs = report.recorded(plan, contents, self.at.unwrap_or_else(|| SystemClock.now()));
        match (&self.history, store) {
            (Some(file), _) => History::append_file(file, &runs)?,
            (None, Some(store)) => History::append_store(store, &runs).await?,
            (None, None) => {}
        }
        Ok(())
    }
}

/// What cases are made of; of the tool that is found here, unless another is named.
///
/// # Errors
/// Where no tool is found, or the rules cannot be read.
pub fn contents(
    tree: &Tree,
    catalog: &Catalog,
    configuration: &Configuration,
    tool: Option<&ToolVersion>,
    cases: impl IntoIterator<Item = CaseId>,
) -> Result<Contents, Failure> {
    let (rules, impact): (SelectRules, Rules) = (configuration.section()?, configuration.section()?);
    let tool = match tool {
        Some(tool) => tool.clone(),
        None => Tool::find()?.version().clone(),
    };
    Ok(Contents::of_cases(tree, catalog, &tool, &rules, &impact, cases)?)
}
