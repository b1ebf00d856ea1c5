//! Files that stand beside configuration: values of variables, lock files, version files.

use std::collections::{HashMap, HashSet};

use super::{
    Definition, ReferenceKind, Role,
    build::whole_file,
    classify::Sort,
    graph::{Edge, End, Graph, ThingId},
    scope::ReadFile,
};
use crate::{proof::RepoPath, terraform::facts::StaticValue};

/// Values that are given to the variables of a root.
pub(super) type Values = HashMap<String, Vec<StaticValue>>;

/// Who a file beside configuration belongs to.
pub(super) struct Beside<'a> {
    roots: &'a [Option<RepoPath>],
    configured: &'a HashMap<RepoPath, Vec<ThingId>>,
    /// Units and cases by the directory in which they run.
    at: HashMap<&'a RepoPath, Vec<ThingId>>,
    /// Units by each directory that they lie in.
    units_below: HashMap<RepoPath, Vec<ThingId>>,
}

impl<'a> Beside<'a> {
    pub(super) fn new(
        roots: &'a [Option<RepoPath>],
        sorts: &[Sort],
        configured: &'a HashMap<RepoPath, Vec<ThingId>>,
    ) -> Self {
        let mut at: HashMap<&RepoPath, Vec<ThingId>> = HashMap::new();
        let mut units_below: HashMap<RepoPath, Vec<ThingId>> = HashMap::new();
        for (thing, root) in roots.iter().enumerate() {
            let Some(root) = root else { continue };
            at.entry(root).or_default().push(thing);
            let mut directory = Some(root.clone()).filter(|_| sorts[thing] == Sort::Unit);
            while let Some(here) = directory {
                directory = here.parent();
                units_below.entry(here).or_default().push(thing);
            }
        }
        Self { roots, configured, at, units_below }
    }

    /// Adds the edges to these files, and collects the values that they give.
    pub(super) fn edges(&self, files: &[ReadFile], graph: &mut Graph) -> Vec<Values> {
        let mut values: Vec<Values> = vec![Values::new(); self.roots.len()];
        for file in files {
            let directory = file.path.parent().unwrap_or_else(RepoPath::root);
            let (kind, things) = match file.claim.role {
                Role::AutomaticValues => (ReferenceKind::VariableFile, self.running_in(&directory)),
                Role::Values => (ReferenceKind::VariableFile, self.named_in(&directory)),
                Role::Lock => (ReferenceKind::LockFile, self.running_in(&directory)),
                _ => continue,
            };
            for &thing in things {
                edge(graph, thing, kind, file);
                for definition in &file.facts.definitions {
                    if let Definition::Value(name, value) = definition {
                        values[thing].entry(name.clone()).or_default().push(value.clone());
                    }
                }
            }
        }
        self.tool_versions(files, graph);
        values
    }

    fn running_in(&self, directory: &RepoPath) -> &[ThingId] {
        self.at.get(directory).map_or(&[], Vec::as_slice)
    }

    /// Who can be given a variable file of this directory by name.
    fn named_in(&self, directory: &RepoPath) -> &[ThingId] {
        if self.configured.contains_key(directory) || self.at.contains_key(directory) {
            return self.running_in(directory);
        }
        let mut above = directory.parent();
        while let Some(here) = above {
            // A unit above reaches down for it; what lies beside it on the way says nothing.
            let found = self.running_in(&here);
            if !found.is_empty() {
                return found;
            }
            above = here.parent();
        }
        self.units_below.get(directory).map_or(&[], Vec::as_slice)
    }

    /// A version file counts for everything that runs in its directory or below, up to the next one of the
    /// same name.
    fn tool_versions(&self, files: &[ReadFile], graph: &mut Graph) {
        let files: Vec<&ReadFile> =
            files.iter().filter(|file| file.claim.role == Role::ToolVersion).collect();
        let names: HashSet<(&[u8], usize)> =
            files.iter().map(|file| (file.path.file_name(), file.dialect)).collect();
        let standing: HashMap<&RepoPath, &ReadFile> = files.iter().map(|file| (&file.path, *file)).collect();
        for (thing, root) in self.roots.iter().enumerate() {
            let Some(root) = root else { continue };
            for (name, _) in &names {
                let mut directory = Some(root.clone());
                while let Some(here) = directory {
                    if let Some(file) = standing.get(&here.join(name)) {
                        edge(graph, thing, ReferenceKind::VersionFile, file);
                        break;
                    }
                    directory = here.parent();
                }
            }
        }
    }
}

fn edge(graph: &mut Graph, from: ThingId, kind: ReferenceKind, file: &ReadFile) {
    let text = String::from_utf8_lossy(file.path.file_name()).into_owned();
    let proofs = vec![whole_file(file.path.clone(), &text)];
    for path in std::iter::once(&file.path).chain(&file.through) {
        graph.add(Edge { from, to: End::File(path.clone()), kind, proofs: proofs.clone() });
    }
}
