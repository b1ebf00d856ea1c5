//! What each test case is made of, by the catalog's references: the one place that asks the catalog.

use std::collections::{BTreeMap, BTreeSet};

use super::{Immutable, pinned};
use crate::{
    address::{SourceAddress, SourceKind},
    catalog::{CaseId, CaseKind, Catalog, CatalogError, ModuleCall, Node, Reference, ReferenceKind},
    impact::Rules,
    proof::{Link, Reason, RepoPath},
};

/// Something whose content counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    /// The files that stand directly in a directory with configuration.
    Directory(RepoPath),
    /// A file or a link; where nothing stands, that nothing does. Of a directory, everything below it.
    Path(RepoPath),
    /// What is there, and not what is in it.
    Names(RepoPath),
}

/// The parts of all cases, and what needs what.
pub(super) struct Closure {
    /// Sorted.
    pub(super) parts: Vec<Part>,
    /// For each part the places of those that it needs.
    needs: Vec<Vec<usize>>,
    /// For some parts, why their content cannot be told.
    pub(super) obstacles: BTreeMap<usize, Reason>,
    /// Where each case begins.
    cases: BTreeMap<CaseId, usize>,
    /// Test files, each a case of its own.
    pub(super) tests: BTreeSet<RepoPath>,
    /// How many module calls with a constant source each file has.
    pub(super) calls: BTreeMap<RepoPath, usize>,
}

impl Closure {
    pub(super) fn of(catalog: &Catalog, immutable: Immutable, rules: &Rules) -> Result<Self, CatalogError> {
        let mut found = Found::default();
        for case in &catalog.cases()? {
            let part = match case.kind {
                CaseKind::TestFile => {
                    found.tests.insert(case.path.clone(), case.module.clone());
                    let part = Part::Path(case.path.clone());
                    found.edges.push((part.clone(), Part::Directory(case.module.clone())));
                    part
                }
                _ => Part::Directory(case.path.clone()),
            };
            found.cases.insert(case.id.clone(), part);
        }
        for reference in &catalog.references()? {
            found.reference(reference, immutable);
        }
        for call in &catalog.calls()? {
            found.call(call, immutable);
        }
        for file in &catalog.unparsable()? {
            let text = format!(
                "{} could not be understood ({}), so nobody knows what it needs",
                file.path, file.why
            );
            let reason = unproven(text, [Link::whole(file.path.clone(), "not understood")]);
            let directory = file.path.parent().unwrap_or_else(RepoPath::root);
            found.obstacle(Part::Directory(directory), reason.clone());
            found.obstacle(Part::Path(file.path.clone()), reason);
        }
        Ok(found.linked(rules))
    }

    /// The places of everything that a case is made of, ascending; `None` for a case that the catalog does not know.
    pub(super) fn reach(&self, case: &CaseId) -> Option<Vec<usize>> {
        let mut reached = BTreeSet::from([*self.cases.get(case)?]);
        let mut work: Vec<usize> = reached.iter().copied().collect();
        while let Some(part) = work.pop() {
            work.extend(self.needs[part].iter().copied().filter(|&needed| reached.insert(needed)));
        }
        Some(reached.into_iter().collect())
    }

    pub(super) fn cases(&self) -> impl Iterator<Item = &CaseId> {
        self.cases.keys()
    }
}

/// Why a content cannot be told.
pub(super) fn unproven(text: impl Into<String>, chain: impl IntoIterator<Item = Link>) -> Reason {
    Reason::new("unproven", text).with_chain(chain.into_iter().collect())
}

#[derive(Default)]
struct Found {
    cases: BTreeMap<CaseId, Part>,
    /// Test files, with the directory that each is run in.
    tests: BTreeMap<RepoPath, RepoPath>,
    edges: Vec<(Part, Part)>,
    obstacles: BTreeMap<Part, Reason>,
    calls: BTreeMap<RepoPath, usize>,
}

impl Found {
    /// The part that a thing is, and the directory that it reads from.
    fn part(&self, node: &Node) -> Option<(Part, RepoPath)> {
        let directory = |path: &RepoPath| (Part::Directory(path.clone()), path.clone());
        Some(match node {
            Node::Module(path) => directory(path),
            Node::Unit(unit) => directory(unit.path()),
            Node::Case(case) => match self.tests.get(case.path()) {
                Some(run_in) => (Part::Path(case.path().clone()), run_in.clone()),
                None => directory(case.path()),
            },
            Node::File(_) | Node::External(_) => return None,
        })
    }

    fn reference(&mut self, reference: &Reference, immutable: Immutable) {
        let Some((from, directory)) = self.part(&reference.from) else { return };
        if let Some((to, _)) = self.part(&reference.to) {
            self.edges.push((from, to));
            return;
        }
        let link = || [reference.link.clone()];
        let stands = format!("{}:{}", reference.link.path, reference.link.line);
        match (&reference.to, reference.kind) {
            (Node::External(source), _) => {
                if let Some(why) = pinned::moves(source, None, immutable) {
                    self.obstacle(
                        from,
                        unproven(format!("{stands} takes {source} from outside: {why}"), link()),
                    );
                }
            }
            (Node::File(path), ReferenceKind::Submodule) => {
                let text = format!("{stands} leads into the submodule {path}, whose files are not read here");
                self.obstacle(from, unproven(text, link()));
            }
            (Node::File(path), ReferenceKind::Presence) => self.edges.push((from, Part::Names(path.clone()))),
            (Node::File(path), kind) => {
                if directory.is_within(path) && !is_told(kind, &reference.link.reference) {
                    let text =
                        format!("{stands}: {} reads a path that only a plan knows", reference.link.reference);
                    self.obstacle(from.clone(), unproven(text, link()));
                }
                self.edges.push((from, Part::Path(path.clone())));
            }
            _ => {}
        }
    }

    fn call(&mut self, call: &ModuleCall, immutable: Immutable) {
        *self.calls.entry(call.in_file.clone()).or_default() += 1;
        let mut callers = BTreeSet::from([match self.tests.contains_key(&call.in_file) {
            true => Part::Path(call.in_file.clone()),
            false => Part::Directory(call.in_file.parent().unwrap_or_else(RepoPath::root)),
        }]);
        callers.extend(call.module.clone().map(Part::Directory));
        callers.extend(call.units.first().map(|unit| Part::Directory(unit.path().clone())));
        let source = call.source.value.as_str();
        let version = call.version.as_ref().map(|version| version.value.as_str());
        let local = SourceAddress::parse(source).is_ok_and(|address| address.kind() == SourceKind::Local);
        let why = match (&call.target, local) {
            (Some(_), true) => None,
            (None, true) => Some("it lies outside the repository".to_owned()),
            (Some(_), false) => Some("it is fetched from trunk, not taken from this revision".to_owned()),
            (None, false) => pinned::moves(source, version, immutable),
        };
        for caller in callers {
            if let Some(target) = &call.target {
                self.edges.push((caller.clone(), Part::Directory(target.clone())));
            }
            if let Some(why) = &why {
                let text = format!("{}:{} calls {source}: {why}", call.in_file, call.place.line);
                let link = call.place.link(call.in_file.clone(), format!("module.{}", call.name));
                self.obstacle(caller, unproven(text, [link]));
            }
        }
    }

    /// The first of several is told.
    fn obstacle(&mut self, part: Part, reason: Reason) {
        self.obstacles.entry(part).or_insert(reason);
    }

    fn linked(mut self, rules: &Rules) -> Closure {
        let ends = self.edges.iter().flat_map(|(from, to)| [from, to]);
        let parts: BTreeSet<Part> =
            ends.chain(self.obstacles.keys()).chain(self.cases.values()).cloned().collect();
        if rules.has_depends_also() {
            for part in &parts {
                let (Part::Directory(path) | Part::Path(path)) = part else { continue };
                let directory = self.tests.get(path).unwrap_or(path);
                if let Some((name, rule)) = rules.also(directory).next() {
                    let text =
                        format!("{directory} depends also on what no file says ({name}: {})", rule.reason);
                    self.obstacles.entry(part.clone()).or_insert_with(|| unproven(text, []));
                }
            }
        }
        let parts: Vec<Part> = parts.into_iter().collect();
        let place = |part: &Part| parts.binary_search(part).ok();
        let mut needs = vec![Vec::new(); parts.len()];
        for (from, to) in &self.edges {
            if let (Some(from), Some(to)) = (place(from), place(to)) {
                needs[from].push(to);
            }
        }
        let obstacles = self.obstacles.into_iter().filter_map(|(part, reason)| Some((place(&part)?, reason)));
        let cases = self.cases.into_iter().filter_map(|(case, part)| Some((case, place(&part)?)));
        Closure {
            needs,
            obstacles: obstacles.collect(),
            cases: cases.collect(),
            tests: self.tests.into_keys().collect(),
            calls: self.calls,
            parts,
        }
    }
}

/// Whether a reference to the reader's own directory, or to one above it, is told by what stands in the file. A
/// path that only a plan knows stands as the directory in which it may begin; a list of files by a constant
/// pattern does so as well, and then the directory is all there is to know.
fn is_told(kind: ReferenceKind, text: &str) -> bool {
    match kind {
        ReferenceKind::FileRead | ReferenceKind::Presence => false,
        ReferenceKind::FileSet => {
            let Some(arguments) = text.strip_prefix("fileset(") else { return false };
            let Some((begin, pattern)) = arguments.split_once(',') else { return false };
            let begin = begin.trim().trim_matches('"');
            let begin = begin
                .strip_prefix("${")
                .and_then(|rest| rest.split_once('}'))
                .map_or(begin, |(base, rest)| if rest.contains("${") { "" } else { base.trim() });
            let constant = !pattern.contains("${") && pattern.trim_start().starts_with('"');
            constant && ["path.module", "path.root", "path.cwd", "."].contains(&begin)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_list_by_a_constant_pattern_of_a_known_directory_is_told() {
        for (text, told) in [
            ("fileset(path.module, \"*.json\")", true),
            ("fileset(\"${path.module}/policies\", \"**/*.json\")", true),
            ("fileset(\"${path.module}/${var.x}\", \"*.json\")", false),
            ("fileset(path.module, \"${var.pattern}\")", false),
            ("fileset(path.module, var.pattern)", false),
            ("fileset(var.directory, \"*.json\")", false),
            ("module.network", false),
        ] {
            assert_eq!(is_told(ReferenceKind::FileSet, text), told, "{text}");
        }
        assert!(
            !is_told(ReferenceKind::FileRead, "file(var.x)")
                && is_told(ReferenceKind::PathNamed, "path.module")
        );
    }
}
