use std::{cmp::Reverse, collections::BTreeMap};

use super::{
    Bump, Release, ReleaseError, ReleaseRequest, ReleaseRules, ReleasedCommit, UnderBump,
    conventional::Message,
    history::{History, Touch},
    naming::Naming,
    notes::{self, Contents},
    sources::Sources,
};
use crate::{
    address::Version,
    git::{Commit, CommitId, Repository, Revision, TagName, Tree},
    interface::{Interface, InterfaceChange, InterfaceError, InterfaceRules, Severity},
    proof::{Link, Reason, RepoPath},
};

/// The last version of a module within the history that is released.
#[derive(Clone, Debug)]
pub(super) struct Last {
    pub(super) version: Version,
    pub(super) tag: TagName,
    pub(super) commit: CommitId,
}

/// What callers of a module get otherwise than at its last version.
#[derive(Clone, Debug, Default)]
pub(super) struct Differing {
    /// Its own files, and those it reads.
    pub(super) own: Vec<RepoPath>,
    /// Modules it calls, with the calls that lead to them.
    pub(super) called: BTreeMap<RepoPath, Vec<Link>>,
}

impl Differing {
    pub(super) fn is_empty(&self) -> bool {
        self.own.is_empty() && self.called.is_empty()
    }
}

/// What becomes of a module.
pub(super) enum Decision {
    Release(Box<Decided>),
    Unchanged(Vec<Reason>),
    Refused(Vec<Reason>),
}

/// A version, before it is known which other modules are released with it.
pub(super) struct Decided {
    pub(super) tag: TagName,
    next: Version,
    bump: Bump,
    reasons: Vec<Reason>,
    interface: Vec<InterfaceChange>,
    commits: Vec<(Commit, Message)>,
    called: BTreeMap<RepoPath, Vec<Link>>,
}

/// Everything that a decision is made from.
pub(super) struct Facts<'a> {
    pub(super) rules: &'a ReleaseRules,
    pub(super) interface: &'a InterfaceRules,
    pub(super) request: &'a ReleaseRequest,
    pub(super) repository: &'a Repository,
    pub(super) head: &'a Tree,
    pub(super) naming: &'a Naming,
    pub(super) lasts: &'a BTreeMap<RepoPath, Last>,
    pub(super) history: &'a History,
}

/// Something that asks for a version: how large a one, and why.
type Ask = (Bump, Reason);

impl Facts<'_> {
    /// What callers of a module get otherwise than at its last version.
    pub(super) fn differing(
        rules: &ReleaseRules,
        sources: &Sources,
        module: &RepoPath,
        base: &Tree,
        head: &Tree,
    ) -> Result<Differing, ReleaseError> {
        let own = sources.differing(rules, module, base, head)?;
        let mut called = BTreeMap::new();
        for (target, chain) in sources.called_by(module) {
            if !sources.differing(rules, &target, base, head)?.is_empty() {
                called.insert(target, chain);
            }
        }
        Ok(Differing { own, called })
    }

    /// The decision about one module.
    pub(super) fn decide(&self, module: &RepoPath, differing: &Differing) -> Result<Decision, ReleaseError> {
        let asked = self.request.versions.get(module);
        let now = match Interface::read(self.head, module) {
            Ok(interface) => interface,
            Err(InterfaceError::Unreadable { source, .. }) => {
                return Ok(Decision::Refused(vec![Reason::new("unreadable", source.to_string())]));
            }
            Err(error) => return Err(error.into()),
        };
        let Some(last) = self.lasts.get(module) else {
            let next = asked.unwrap_or(&self.rules.initial).clone();
            let reason = Reason::new("first", "no version of it was released yet");
            return Ok(Decision::Release(Box::new(Decided {
                tag: self.naming.tag(module, &next)?,
                next,
                bump: Bump::Initial,
                reasons: vec![reason],
                interface: Vec::new(),
                commits: Vec::new(),
                called: BTreeMap::new(),
            })));
        };
        let base = self.repository.tree(&Revision::Commit(last.commit))?;
        let mut asks = Vec::new();
        let mut interface = Vec::new();
        let touches =
            if differing.own.is_empty() { Vec::new() } else { self.history.since(&last.commit, module) };
        if !differing.own.is_empty() {
            self.ask_commits(&touches, differing, last, &mut asks);
            interface = self.ask_interface(module, &base, &now, last, &mut asks)?;
        }
        for (target, chain) in &differing.called {
            self.ask_called(target, chain, &base, last, &mut asks)?;
        }
        asks.sort_by_key(|(bump, _)| Reverse(*bump));
        let Some(bump) = asks.first().map(|(bump, _)| *bump) else {
            if let Some(next) = asked {
                return self.as_asked(module, last, next, interface);
            }
            return Ok(Decision::Unchanged(self.why_unchanged(&touches, differing, last)));
        };
        let lowest = self.rules.next(&last.version, bump);
        let next = asked.unwrap_or(&lowest).clone();
        let tag = self.naming.tag(module, &next)?;
        if next <= last.version {
            return Err(ReleaseError::NotLater { module: module.clone(), tag, previous: last.tag.clone() });
        }
        if next < lowest {
            let because = |rule: &str| asks.iter().find(|(b, reason)| *b == bump && reason.rule != rule);
            let gravest = because("commit").or(asks.first());
            let commits = asks.iter().find(|(_, reason)| reason.rule == "commit");
            return Err(ReleaseError::UnderBump(Box::new(UnderBump {
                module: module.clone(),
                tag,
                why: gravest.map(|(_, reason)| reason.text.clone()).unwrap_or_default(),
                needs: bump.as_str(),
                since: last.tag.clone(),
                commits: commits.map_or("nothing".to_owned(), |(bump, reason)| {
                    format!("{} ({})", bump.as_str(), reason.text)
                }),
                lowest: self.naming.tag(module, &lowest)?,
            })));
        }
        let commits = touches
            .iter()
            .filter(|touch| asks_for(self.rules, touch.message).is_some())
            .map(|touch| (touch.commit.clone(), touch.message.clone()))
            .collect();
        Ok(Decision::Release(Box::new(Decided {
            tag,
            next,
            bump,
            reasons: asks.into_iter().map(|(_, reason)| reason).collect(),
            interface,
            commits,
            called: differing.called.clone(),
        })))
    }

    fn ask_commits(&self, touches: &[Touch<'_>], differing: &Differing, last: &Last, asks: &mut Vec<Ask>) {
        for touch in touches {
            if let Some(bump) = asks_for(self.rules, touch.message) {
                let subject = format!("{} ({})", touch.commit.subject(), touch.commit.id.short());
                let chain = touch.files.iter().map(|file| Link::whole(file.clone(), subject.clone()));
                asks.push((bump, Reason::new("commit", subject.clone()).with_chain(chain.collect())));
            }
        }
        if touches.is_empty() {
            // History was rewritten, or the change lies in how commits were merged.
            let text = format!("its files differ from {}, and no commit since then says why", last.tag);
            let chain = differing.own.iter().map(|file| Link::whole(file.clone(), "differs"));
            asks.push((Bump::Patch, Reason::new("content", text).with_chain(chain.collect())));
        }
    }

    fn ask_interface(
        &self,
        module: &RepoPath,
        base: &Tree,
        now: &Interface,
        last: &Last,
        asks: &mut Vec<Ask>,
    ) -> Result<Vec<InterfaceChange>, ReleaseError> {
        if base.entry(module)?.is_none() && !module.is_root() {
            let text = format!("it did not stand in {module} at {}, so that callers must change", last.tag);
            asks.push((Bump::Major, Reason::new("directory_moved", text)));
            return Ok(Vec::new());
        }
        let before = match Interface::read(base, module) {
            Ok(interface) => interface,
            Err(InterfaceError::Unreadable { source, .. }) => {
                let text = format!("what its interface was at {} cannot be told: {source}", last.tag);
                asks.push((Bump::Patch, Reason::new("interface_unknown", text)));
                return Ok(Vec::new());
            }
            Err(error) => return Err(error.into()),
        };
        let changes = Interface::compare_by(self.interface, &before, now);
        for change in &changes {
            let bump = match change.severity {
                Severity::Breaking => Bump::Major,
                Severity::Addition => Bump::Minor,
                Severity::Risk | Severity::Compatible => continue,
            };
            let reason = Reason::new(change.rule.as_str(), change.to_string());
            asks.push((bump, reason.with_chain(vec![change.link.clone()])));
        }
        Ok(changes)
    }

    /// What a called module asks of the one that calls it.
    fn ask_called(
        &self,
        target: &RepoPath,
        chain: &[Link],
        base: &Tree,
        last: &Last,
        asks: &mut Vec<Ask>,
    ) -> Result<(), ReleaseError> {
        let touches = self.history.since(&last.commit, target);
        let asking = touches.iter().any(|touch| asks_for(self.rules, touch.message).is_some());
        if asking || touches.is_empty() {
            let text = format!("it calls {target}, which changed since {}", last.tag);
            asks.push((Bump::Patch, Reason::new("dependent", text).with_chain(chain.to_vec())));
        }
        let (Ok(before), Ok(now)) = (Interface::read(base, target), Interface::read(self.head, target))
        else {
            return Ok(());
        };
        if base.entry(target)?.is_none() {
            return Ok(());
        }
        for change in Interface::compare_by(self.interface, &before, &now) {
            let through = self.interface.get(&change.rule).is_some_and(|rule| rule.through);
            if change.severity == Severity::Breaking && through {
                let chain: Vec<Link> =
                    std::iter::once(change.link.clone()).chain(chain.iter().cloned()).collect();
                let text = format!("it calls {target}, and its callers notice too: {change}");
                asks.push((Bump::Major, Reason::new(change.rule.as_str(), text).with_chain(chain)));
            }
        }
        Ok(())
    }

    /// A version that was asked for although nothing else asks for one.
    fn as_asked(
        &self,
        module: &RepoPath,
        last: &Last,
        next: &Version,
        interface: Vec<InterfaceChange>,
    ) -> Result<Decision, ReleaseError> {
        let tag = self.naming.tag(module, next)?;
        if *next <= last.version {
            return Err(ReleaseError::NotLater { module: module.clone(), tag, previous: last.tag.clone() });
        }
        let bump = if next.major() > last.version.major() {
            Bump::Major
        } else if next.minor() > last.version.minor() {
            Bump::Minor
        } else {
            Bump::Patch
        };
        Ok(Decision::Release(Box::new(Decided {
            tag,
            next: next.clone(),
            bump,
            reasons: vec![Reason::new("asked", "this version was asked for")],
            interface,
            commits: Vec::new(),
            called: BTreeMap::new(),
        })))
    }

    fn why_unchanged(&self, touches: &[Touch<'_>], differing: &Differing, last: &Last) -> Vec<Reason> {
        if differing.is_empty() {
            let text = format!("nothing that its callers get changed since {}", last.tag);
            return vec![Reason::new("unchanged", text)];
        }
        let mut reasons: Vec<Reason> = touches
            .iter()
            .map(|touch| {
                let subject = format!("{} ({})", touch.commit.subject(), touch.commit.id.short());
                Reason::new("asks_for_nothing", format!("its commit asks for no version: {subject}"))
            })
            .collect();
        for (target, chain) in &differing.called {
            let text = format!("it calls {target}, whose commits since {} ask for no version", last.tag);
            reasons.push(Reason::new("asks_for_nothing", text).with_chain(chain.clone()));
        }
        reasons
    }

    /// The release, once all decisions are made: `tags` are those of the modules that get one.
    pub(super) fn finish(
        &self,
        module: &RepoPath,
        decided: Decided,
        tags: &BTreeMap<RepoPath, TagName>,
    ) -> Release {
        let with: Vec<String> =
            decided.called.keys().filter_map(|target| tags.get(target)).map(TagName::to_string).collect();
        let contents = Contents { commits: &decided.commits, interface: &decided.interface, calls: &with };
        let mut notes = notes::write(self.rules, &contents);
        if notes.is_empty() {
            notes =
                decided.reasons.iter().map(|reason| format!("- {}\n", notes::plain(&reason.text))).collect();
        }
        let last = self.lasts.get(module);
        let elsewhere = self.request.tags.iter().filter(|tag| {
            self.naming
                .read(&tag.name)
                .is_some_and(|(of, version)| of == module && last.is_none_or(|last| version > last.version))
        });
        Release {
            module: module.clone(),
            previous: last.map(|last| last.version.clone()),
            tag: decided.tag,
            next: decided.next,
            commit: self.request.head,
            elsewhere: elsewhere.map(|tag| tag.name.clone()).collect(),
            bump: decided.bump,
            reasons: decided.reasons,
            notes,
            interface: decided.interface,
            commits: decided
                .commits
                .iter()
                .map(|(commit, message)| ReleasedCommit {
                    id: commit.id,
                    subject: commit.subject().to_owned(),
                    bump: asks_for(self.rules, message),
                })
                .collect(),
        }
    }
}

/// What a commit asks for by itself.
fn asks_for(rules: &ReleaseRules, message: &Message) -> Option<Bump> {
    if message.breaking {
        return Some(Bump::Major);
    }
    message.changes.iter().filter_map(|change| rules.asks(change.kind.as_deref())).max()
}
