//! The edges between things, and who stands at the other end.

use std::collections::HashMap;

use super::{ReferenceKind, glob::Glob, scope::Proof};
use crate::proof::RepoPath;

/// The place of a thing in the catalog's list of things.
pub(crate) type ThingId = usize;

/// One edge: `from` can come out differently when `to` changes.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) from: ThingId,
    pub(super) to: End,
    pub(crate) kind: ReferenceKind,
    /// Where that is written, from the end's side on: a read in a called module, then the call.
    pub(super) proofs: Vec<Proof>,
}

/// Where an edge ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A module, a unit or a case.
    Thing(ThingId),
    /// A file.
    File(RepoPath),
    /// A file, or everything below it if it is a directory.
    Subtree(RepoPath),
    /// The files below a directory that match.
    Matching { directory: RepoPath, glob: Glob, unknown: bool },
}

/// Edges, found by where they end.
#[derive(Default)]
pub(super) struct Graph {
    edges: Vec<Edge>,
    things: HashMap<ThingId, Vec<usize>>,
    files: HashMap<RepoPath, Vec<usize>>,
    subtrees: HashMap<RepoPath, Vec<usize>>,
    patterns: HashMap<RepoPath, Vec<usize>>,
}

impl Graph {
    pub(super) fn add(&mut self, edge: Edge) {
        let at = self.edges.len();
        match &edge.to {
            End::Thing(thing) => self.things.entry(*thing).or_default().push(at),
            End::File(path) => self.files.entry(path.clone()).or_default().push(at),
            End::Subtree(path) => self.subtrees.entry(path.clone()).or_default().push(at),
            End::Matching { directory, .. } => self.patterns.entry(directory.clone()).or_default().push(at),
        }
        self.edges.push(edge);
    }

    pub(super) fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The edges that end at a thing.
    pub(super) fn edges_to_thing(&self, thing: ThingId) -> impl Iterator<Item = &Edge> {
        self.things.get(&thing).into_iter().flatten().map(|&at| &self.edges[at])
    }

    /// The edges that end at a path: at the file itself, at a directory above it, or at a pattern it
    /// matches. `configures` says that the path is configuration: what is merely not known to be something
    /// else does not mean another directory's configuration.
    pub(super) fn edges_to_path(&self, path: &RepoPath, configures: bool) -> Vec<&Edge> {
        let mut found: Vec<usize> = self.files.get(path).into_iter().flatten().copied().collect();
        let mut at = Some(path.clone());
        while let Some(directory) = at {
            found.extend(self.subtrees.get(&directory).into_iter().flatten());
            for &edge in self.patterns.get(&directory).into_iter().flatten() {
                if let End::Matching { glob, unknown, .. } = &self.edges[edge].to {
                    let from = directory.as_bytes().len() + usize::from(!directory.is_root());
                    let rest = path.as_bytes().get(from..).unwrap_or_default();
                    if !(*unknown && configures) && glob.matches(rest) {
                        found.push(edge);
                    }
                }
            }
            at = directory.parent();
        }
        found.sort_unstable();
        found.into_iter().map(|at| &self.edges[at]).collect()
    }
}
