use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{
    ReleaseError, ReleasePlan, ReleaseRequest, ReleaseRules, ReleaseTagger, Released, Unreleased,
    decide::{Decision, Differing, Facts, Last},
    execute,
    history::History,
    naming::Naming,
    sources::Sources,
};
use crate::{
    address::{SourceAddress, SourceKind, Version},
    catalog::{Catalog, Node, ReferenceKind},
    git::{CommitId, Repository, Revision, Tag, TagName, Tree},
    interface::{InterfaceRules, InterfaceSection},
    observe::{Observer, Outcome, Stage},
    policy::Configuration,
    proof::{Reason, RepoPath},
};

/// Versions per module, as annotated tags `NAME/vX.Y.Z`.
///
/// A module gets a version where something that its callers get changed since its last tag: its own files,
/// files that it reads, and the modules that it calls by a path. How large the version is, conventional
/// commits and the difference of the interfaces say; the larger of the two counts. Commits to a called module
/// ask for a patch of the caller, and for more where callers of callers notice: where their states hold
/// addresses that are gone.
#[derive(Clone, Debug)]
pub struct ModuleTags {
    rules: ReleaseRules,
    interface: InterfaceRules,
}

impl ModuleTags {
    /// Versions by these rules.
    pub fn new(rules: ReleaseRules, interface: InterfaceRules) -> Self {
        Self { rules, interface }
    }

    /// Versions by the sections `[release]` and `[interface]` of a configuration.
    ///
    /// # Errors
    /// [`ReleaseError::Policy`] where a section is not well-formed, [`ReleaseError::Interface`] for a rule of
    /// interfaces that there is not.
    pub fn of(configuration: &Configuration) -> Result<Self, ReleaseError> {
        let section: InterfaceSection = configuration.section()?;
        Ok(Self::new(configuration.section()?, InterfaceRules::of(&section)?))
    }
}

#[async_trait]
impl ReleaseTagger for ModuleTags {
    fn plan(
        &self,
        request: &ReleaseRequest,
        repository: &Repository,
        catalog: &Catalog,
    ) -> Result<ReleasePlan, ReleaseError> {
        let head = repository.tree(&Revision::Commit(request.head))?;
        let sources = sources_of(catalog)?;
        for module in request.only.iter().chain(request.versions.keys()) {
            if sources.get(module).is_none() {
                return Err(ReleaseError::NoSuchModule { module: module.clone(), head: request.head });
            }
        }
        let (naming, unfit) = Naming::of(&self.rules, sources.modules())?;
        let unfit: BTreeMap<RepoPath, String> = unfit.into_iter().collect();
        let wanted = |module: &RepoPath| {
            !unfit.contains_key(module) && (request.only.is_empty() || request.only.contains(module))
        };
        let lasts = last_versions(request, repository, &naming)?;
        let mut differing: BTreeMap<RepoPath, Differing> = BTreeMap::new();
        let mut trees: BTreeMap<CommitId, Tree> = BTreeMap::new();
        for (module, last) in lasts.iter().filter(|(module, _)| wanted(module)) {
            let base = match trees.entry(last.commit) {
                Entry::Occupied(base) => base.into_mut(),
                Entry::Vacant(place) => place.insert(repository.tree(&Revision::Commit(last.commit))?),
            };
            let changed = Facts::differing(&self.rules, &sources, module, base, &head)?;
            differing.insert(module.clone(), changed);
        }
        let bases: BTreeSet<CommitId> = lasts
            .iter()
            .filter(|(module, _)| differing.get(*module).is_some_and(|changed| !changed.is_empty()))
            .map(|(_, last)| last.commit)
            .collect();
        let history = History::read(&self.rules, &sources, repository, &request.head, bases)?;
        let facts = Facts {
            rules: &self.rules,
            interface: &self.interface,
            request,
            repository,
            head: &head,
            naming: &naming,
            lasts: &lasts,
            history: &history,
        };
        let mut plan = ReleasePlan {
            head: request.head,
            trunk: request.trunk.clone(),
            remote: request.remote.clone(),
            tagger: request.tagger.clone(),
            releases: Vec::new(),
            unchanged: Vec::new(),
            refused: Vec::new(),
        };
        let mut decided = Vec::new();
        let mut tags: BTreeMap<RepoPath, TagName> = BTreeMap::new();
        for module in sources.modules() {
            let module = module.clone();
            if let Some(why) = unfit.get(&module) {
                let text = format!("no tag can bear its name: {why}");
                let help = "give it a name under [release.names] of infraflow.toml";
                let reasons = vec![Reason::new("unfit_name", format!("{text}\n  help: {help}"))];
                plan.refused.push(Unreleased { module, reasons });
                continue;
            }
            if !wanted(&module) {
                let reasons = vec![Reason::new("not_asked", "only other modules were asked for")];
                plan.unchanged.push(Unreleased { module, reasons });
                continue;
            }
            let changed = differing.remove(&module).unwrap_or_default();
            match facts.decide(&module, &changed)? {
                Decision::Release(release) => {
                    tags.insert(module.clone(), release.tag.clone());
                    decided.push((module, release));
                }
                Decision::Unchanged(reasons) => plan.unchanged.push(Unreleased { module, reasons }),
                Decision::Refused(reasons) => plan.refused.push(Unreleased { module, reasons }),
            }
        }
        for (module, release) in decided {
            let taken = request.tags.iter().find(|tag| tag.name == release.tag);
            if let Some(Tag { name, object, .. }) = taken {
                return Err(ReleaseError::TagElsewhere {
                    tag: name.clone(),
                    commit: request.head,
                    found: *object,
                });
            }
            plan.releases.push(facts.finish(&module, *release, &tags));
        }
        Ok(plan)
    }

    async fn execute(
        &self,
        plan: &ReleasePlan,
        repository: &Repository,
        cancel: &CancellationToken,
        observer: &dyn Observer,
    ) -> Result<Released, ReleaseError> {
        for release in &plan.releases {
            observer.started(Stage::Release, release.tag.as_str());
        }
        let (owned, repository) = (plan.clone(), repository.clone());
        let result = super::blocking(cancel, move || execute::execute(&owned, &repository)).await;
        let outcome = match &result {
            Ok(_) => Outcome::Done,
            Err(
                ReleaseError::LostRace { .. }
                | ReleaseError::TagElsewhere { .. }
                | ReleaseError::NotOnTrunk { .. },
            ) => Outcome::Refused,
            Err(ReleaseError::Cancelled) => Outcome::Cancelled,
            Err(_) => Outcome::Failed,
        };
        for release in &plan.releases {
            observer.finished(Stage::Release, release.tag.as_str(), outcome);
        }
        result
    }
}

/// Modules, what they read, and what they call by a path. A call by an address gets what the address says,
/// whatever stands in the tree.
fn sources_of(catalog: &Catalog) -> Result<Sources, ReleaseError> {
    let mut sources = Sources::default();
    for module in catalog.modules()? {
        sources.add(module.path.clone());
    }
    for reference in catalog.references()? {
        let read = matches!(
            reference.kind,
            ReferenceKind::FileRead
                | ReferenceKind::FileSet
                | ReferenceKind::PathNamed
                | ReferenceKind::PathGiven
                | ReferenceKind::Presence
                | ReferenceKind::SymbolicLink
                | ReferenceKind::Submodule
        );
        if let (true, Node::Module(module), Node::File(path)) = (read, &reference.from, &reference.to) {
            sources.add_read(&module.clone(), path.clone(), reference.link);
        }
    }
    for call in catalog.calls()? {
        let (Some(module), Some(target)) = (&call.module, &call.target) else { continue };
        let address = SourceAddress::parse(&call.source.value);
        if address.is_ok_and(|address| address.kind() == SourceKind::Local) {
            let link = call.source.place.link(call.in_file.clone(), format!("module.{}", call.name));
            sources.add_call(module, target.clone(), link);
        }
    }
    Ok(sources)
}

/// The last version of each module that the history of `head` has.
fn last_versions(
    request: &ReleaseRequest,
    repository: &Repository,
    naming: &Naming,
) -> Result<BTreeMap<RepoPath, Last>, ReleaseError> {
    let mut tags: BTreeMap<&RepoPath, Vec<(Version, &Tag)>> = BTreeMap::new();
    for tag in &request.tags {
        if let Some((module, version)) = naming.read(&tag.name) {
            tags.entry(module).or_default().push((version, tag));
        }
    }
    let mut lasts = BTreeMap::new();
    let mut known: BTreeMap<CommitId, bool> = BTreeMap::new();
    for (module, mut versions) in tags {
        versions.sort_by(|a, b| b.0.cmp(&a.0));
        for (version, tag) in versions {
            let within = match known.get(&tag.target) {
                Some(within) => *within,
                None => {
                    let within =
                        tag.target == request.head || repository.is_ancestor(&tag.target, &request.head)?;
                    known.insert(tag.target, within);
                    within
                }
            };
            if within {
                let last = Last { version, tag: tag.name.clone(), commit: tag.target };
                lasts.insert(module.clone(), last);
                break;
            }
        }
    }
    Ok(lasts)
}
