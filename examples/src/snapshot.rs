use std::{path::PathBuf, sync::Arc};

use clap::Args;
use infraflow_core::{
    catalog::{Catalog, CatalogCache, CatalogRules, Dialect, ToolChoice, standard_dialects},
    git::{CommitId, Repository, Revision, Tree},
    policy::{Configuration, PathPattern, Policy},
};

use crate::{Failure, Fetching};

/// Which revision of which repository.
#[derive(Args, Clone, Debug)]
pub struct Snapshot {
    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub repo: PathBuf,
    /// The revision that counts: a branch, a tag, a commit, or WORKTREE for what is not committed yet.
    #[arg(long, value_name = "REVISION", default_value = "HEAD")]
    pub head: String,
    /// Another infraflow.toml than the repository's own.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directories that are units, whatever the rules say; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub live: Vec<String>,
    /// Which tool runs, where the rules do not say: terraform ignores .tofu files, opentofu reads x.tofu in place of
    /// x.tf and evaluates module sources early. Without it, whatever one of them reads counts.
    #[arg(long, value_name = "TOOL", value_parser = ["terraform", "opentofu", "either"])]
    pub tool: Option<String>,
    /// Keep what was read of the repository in this folder, so that the next answer takes as long as the change
    /// is large. By default the user's cache folder.
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    pub cache: Option<PathBuf>,
    /// Keep nothing, and use nothing that was kept.
    #[arg(long)]
    pub no_cache: bool,
    /// What may be fetched.
    #[command(flatten)]
    pub fetching: Fetching,
}

/// What a revision holds.
#[derive(Debug)]
pub struct Seen {
    /// The repository.
    pub repository: Repository,
    /// The revision.
    pub revision: Revision,
    /// Its files.
    pub tree: Tree,
    /// Its configuration.
    pub configuration: Configuration,
    /// Its policy.
    pub policy: Policy,
    /// What is there.
    pub catalog: Catalog,
}

impl Snapshot {
    /// The repository.
    ///
    /// # Errors
    /// Where there is none.
    pub fn repository(&self) -> Result<Repository, Failure> {
        Ok(Repository::open(&self.repo)?)
    }

    /// The configuration: `--config`, or that of a tree.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn configuration(&self, tree: &Tree) -> Result<Configuration, Failure> {
        Ok(match &self.config {
            Some(file) => Configuration::read_file(file)?,
            None => Configuration::read(tree)?,
        })
    }

    /// The configuration and the policy of a tree.
    ///
    /// # Errors
    /// Where one of them cannot be read.
    pub fn judges(&self, repository: &Repository, tree: &Tree) -> Result<(Configuration, Policy), Failure> {
        self.fetching.within(repository, || Ok((self.configuration(tree)?, Policy::read(tree)?)))
    }

    /// What a tree holds.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn catalog(
        &self,
        configuration: &Configuration,
        policy: &Policy,
        tree: &Tree,
    ) -> Result<Catalog, Failure> {
        let catalog = self.cache().catalog(tree, &standard_dialects(), &self.rules(configuration)?)?;
        Ok(in_environments(catalog, policy))
    }

    /// What both ends of a change hold, by these dialects.
    ///
    /// # Errors
    /// Where one of them cannot be read.
    pub fn catalogs(
        &self,
        dialects: &[Arc<dyn Dialect>],
        configuration: &Configuration,
        policy: &Policy,
        base: &Tree,
        head: &Tree,
    ) -> Result<(Catalog, Catalog), Failure> {
        let (base, head) = self.cache().ends(base, head, dialects, &self.rules(configuration)?)?;
        Ok((in_environments(base, policy), in_environments(head, policy)))
    }

    fn rules(&self, configuration: &Configuration) -> Result<CatalogRules, Failure> {
        let live = self.live.iter().map(|text| PathPattern::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let rules = configuration.section::<CatalogRules>()?.with_live(live);
        Ok(match self.tool.as_deref() {
            Some("terraform") => rules.with_tool(ToolChoice::Terraform),
            Some("opentofu") => rules.with_tool(ToolChoice::Opentofu),
            Some(_) => rules.with_tool(ToolChoice::Either),
            None => rules,
        })
    }

    fn cache(&self) -> CatalogCache {
        match &self.cache {
            _ if self.no_cache => CatalogCache::none(),
            Some(folder) => CatalogCache::in_folder(folder),
            None => CatalogCache::of_user(),
        }
    }

    /// Reads the revision, by the configuration that it carries itself: for what is on trunk already.
    ///
    /// # Errors
    /// Where the repository, its configuration or the revision cannot be read.
    pub fn read(&self) -> Result<Seen, Failure> {
        let repository = self.repository()?;
        let revision = repository.revision(&self.head)?;
        self.read_at(repository, revision)
    }

    /// As [`Snapshot::read`], of another repository and revision than the options name.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub fn read_at(&self, repository: Repository, revision: Revision) -> Result<Seen, Failure> {
        let tree = self.fetching.tree(&repository, &revision)?;
        self.fetching.bring(&repository, &[&tree])?;
        let (configuration, policy) = self.judges(&repository, &tree)?;
        let catalog = self.fetching.within(&repository, || self.catalog(&configuration, &policy, &tree))?;
        Ok(Seen { repository, revision, tree, configuration, policy, catalog })
    }
}

fn in_environments(catalog: Catalog, policy: &Policy) -> Catalog {
    let policy = policy.clone();
    catalog.with_environments(move |unit| {
        Some(policy.environment_of_id(unit.path(), &unit.to_string())?.name.clone())
    })
}

impl Seen {
    /// The commit that was read.
    ///
    /// # Errors
    /// Where it is a working tree.
    pub fn commit(&self) -> Result<CommitId, Failure> {
        match self.revision {
            Revision::Commit(commit) => Ok(commit),
            Revision::WorkingTree(_) => {
                Err("cannot build on the working tree: nobody else has it\n  help: commit it, or name a commit with --head".into())
            }
        }
    }
}
