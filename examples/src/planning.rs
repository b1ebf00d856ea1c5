use std::path::PathBuf;

use clap::Args;
use infraflow_core::{
    git::Repository,
    policy::{AllowListed, Configuration, Policy},
    proof::RunId,
    store::Store,
};

use crate::Failure;

/// Where approvals, sealed logs and records of what was done are kept.
#[derive(Args, Clone, Debug)]
pub struct Keeping {
    /// The store's folder. It must outlive this machine's process: approvals, and the record of what was
    /// deployed, stand in it.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The run's name; the same name resumes it.
    #[arg(long, value_name = "NAME", value_parser = |text: &str| RunId::parse(text))]
    pub run: RunId,
}

impl Keeping {
    /// Opens the store.
    ///
    /// # Errors
    /// Where it is not there and cannot be made.
    pub fn open(&self) -> Result<Store, Failure> {
        Ok(Store::folder(&self.store)?.declared_durable())
    }
}

/// Who hands out credentials: what `[credentials]` names of this process' own environment, and no more.
///
/// # Errors
/// Where the section cannot be read.
pub fn credentials(configuration: &Configuration) -> Result<AllowListed, Failure> {
    Ok(AllowListed::new(configuration.section()?))
}

/// The trunk as it stood before a change: whose policy judges it.
#[derive(Args, Clone, Debug)]
pub struct Trunk {
    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub repo: PathBuf,
    /// The trunk as it stood before the change, whose policy judges: after the merge, the commit that it was
    /// merged into. By default the trunk's tip.
    #[arg(long, value_name = "REVISION")]
    pub base: Option<String>,
}

impl Trunk {
    /// The repository, and what trunk says.
    ///
    /// # Errors
    /// Where the repository, the revision or the policy cannot be read.
    pub fn read(&self) -> Result<(Repository, Configuration, Policy), Failure> {
        let repository = Repository::open(&self.repo)?;
        let commit = match &self.base {
            Some(base) => repository.resolve(base)?,
            None => repository.trunk_tip()?,
        };
        let tree = repository.tree(&commit.into())?;
        let (configuration, policy) = (Configuration::read(&tree)?, Policy::read(&tree)?);
        Ok((repository, configuration, policy))
    }
}
