//! Step 6: what the affected units would do with the bump applied.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use infraflow_core::{
    address::{PackageIdentity, SourceAddress, SourceKind},
    detect::{ChangeDetector as _, GitDetector},
    dry_run::{DryRun, DryRunContext, DryRunPlan, DryRunner as _, Scope, TerraformDryRunner, UnitOutcome},
    git::CommitId,
    impact,
    policy::{AllowListed, Configuration, CredentialProvider, EnvironmentName, PolicyError, Purpose},
    process::{Environment, Preset},
    proof::{Document as _, RunId, SigningKey},
    publish::{Publisher as _, Sealers, StorePublisher},
    seal::{SealingKey, SharedKeySealer},
    store::Store,
    terraform::Tool,
};
use infraflow_examples::{Answer, Failure, credentials, people};

use super::{Own, bump::Bump};
use crate::{modules::catalog, road::at};

impl Own {
    /// Step 6. What the affected units would do with the bump applied.
    pub(super) async fn dry_run(&self, proposal: CommitId, bump: &Bump) -> Result<Answer, Failure> {
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
        let unassigned = redirect.redirect(Environment::preset(&Preset::OF_TERRAFORM));
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
