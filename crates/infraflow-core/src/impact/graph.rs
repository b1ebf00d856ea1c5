//! The affected part of the graph, drawn from the reasons of an impact: from each changed file along the
//! references to what it touches.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use serde::{Deserialize, Serialize};

use super::Impact;
use crate::proof::{Link, Reason, RepoPath};

/// What stands at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Sort {
    /// A changed file, or one on the way.
    File,
    /// A module.
    Module,
    /// A unit.
    Unit,
    /// A test case.
    Case,
    /// A module or unit that is gone.
    Removed,
}

/// Which things a change touches, and over which references: the shortest way to each of them, or all that
/// the impact has reasons for.
///
/// ```
/// # use infraflow_core::{impact::{Graph, Impact}, proof::Document as _};
/// # let commit = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
/// # let link = |path: &str, text: &str| format!(r#"{{"path": "{path}", "start": 0, "end": 0, "line": 1, "column": 1, "reference": "{text}"}}"#);
/// # let impact = Impact::from_json(&format!(r#"{{"kind": "impact", "schema_version": 1, "base": "{commit}",
/// #   "head": "{commit}", "merge_base": "{commit}", "changes": [], "modules": [], "removed_modules": [], "removed_units": [],
/// #   "dependents": [], "warnings": [], "units": [{{"id": "live/a", "path": "live/a", "dialect": "terraform", "reasons":
/// #   [{{"rule": "file_read", "text": "", "chain": [{}, {}]}}]}}]}}"#, link("motd.txt", "modified"), link("live/a/main.tf", "file(…)")))?;
/// let graph = Graph::of(&impact, 200);
/// assert_eq!(graph.nodes.len(), 2);
/// assert!(graph.mermaid().starts_with("flowchart LR\n"));
/// assert!(graph.dot().contains("n0 -> n1"));
/// # Ok::<(), infraflow_core::proof::ProofError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Graph {
    /// The nodes, sorted.
    pub nodes: Vec<GraphNode>,
    /// The edges, sorted: from what changed to what that touches, by the places of the nodes.
    pub edges: Vec<GraphEdge>,
    /// How many affected things are not drawn, since there would be too many nodes.
    pub left_out: usize,
}

/// A file, or a thing by its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GraphNode {
    /// What it is.
    pub sort: Sort,
    /// Its path or id.
    pub name: String,
}

/// One reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GraphEdge {
    /// What changed, or is touched before.
    pub from: usize,
    /// What is touched by it.
    pub to: usize,
    /// What stands at the reference, or the rule where nothing stands anywhere.
    pub reference: String,
}

/// What stands in a directory, and why it is touched.
type Standing<'a> = BTreeMap<&'a RepoPath, (&'a GraphNode, &'a [Reason])>;

type Drawn = BTreeSet<(GraphNode, GraphNode, String)>;

impl Graph {
    /// The graph of an impact, of at most `most` nodes: units first, then modules, test cases, and what is
    /// gone, each in the order of the impact. The same impact gives the same graph.
    pub fn of(impact: &Impact, most: usize) -> Self {
        let things = things(impact);
        let at: Standing<'_> =
            things.iter().rev().map(|(path, node, reasons)| (*path, (node, *reasons))).collect();
        let (mut nodes, mut edges, mut left_out) = (BTreeSet::new(), Drawn::new(), 0);
        for (directory, node, reasons) in &things {
            let mut own = Drawn::new();
            for reason in *reasons {
                way(reason, directory, node, &at, &mut own);
            }
            let ends = own.iter().flat_map(|(from, to, _)| [from, to]).chain([node]);
            let new: BTreeSet<&GraphNode> = ends.filter(|end| !nodes.contains(*end)).collect();
            if nodes.len() + new.len() > most {
                left_out += 1;
                continue;
            }
            let new: Vec<GraphNode> = new.into_iter().cloned().collect();
            nodes.extend(new);
            edges.extend(own);
        }
        let nodes: Vec<GraphNode> = nodes.into_iter().collect();
        let place = |node: &GraphNode| nodes.binary_search(node).unwrap_or_default();
        let edges = edges.into_iter().map(|(from, to, reference)| GraphEdge {
            from: place(&from),
            to: place(&to),
            reference,
        });
        let mut edges: Vec<GraphEdge> = edges.collect();
        edges.sort();
        Self { nodes, edges, left_out }
    }

    /// As a flowchart of Mermaid, for a comment on a change request.
    pub fn mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for (at, node) in self.nodes.iter().enumerate() {
            let (open, close, class) = match node.sort {
                Sort::File => ("[/\"", "\"/]", "file"),
                Sort::Module => ("[\"", "\"]", "module"),
                Sort::Unit => ("([\"", "\"])", "unit"),
                Sort::Case => ("{{\"", "\"}}", "case"),
                Sort::Removed => ("[\"", "\"]", "removed"),
            };
            let _ = writeln!(text, "  n{at}{open}{}{close}:::{class}", entities(&node.name));
        }
        for edge in &self.edges {
            let _ = writeln!(text, "  n{} -->|\"{}\"| n{}", edge.from, entities(&edge.reference), edge.to);
        }
        if let Some(note) = self.note() {
            let _ = writeln!(text, "  more[\"{}\"]", entities(&note));
        }
        text += "  classDef file fill:#fff3c4,stroke:#b58900\n";
        text += "  classDef module fill:#e3f2fd,stroke:#1565c0\n";
        text += "  classDef unit fill:#e8f5e9,stroke:#2e7d32\n";
        text += "  classDef case fill:#f3e5f5,stroke:#6a1b9a\n";
        text += "  classDef removed fill:#ffebee,stroke:#c62828,stroke-dasharray:4\n";
        text
    }

    /// In the language of Graphviz, for `dot -Tsvg`.
    pub fn dot(&self) -> String {
        let mut text = String::from("digraph affected {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n");
        for (at, node) in self.nodes.iter().enumerate() {
            let style = match node.sort {
                Sort::File => "shape=note",
                Sort::Module => "shape=box",
                Sort::Unit => "shape=box, style=rounded",
                Sort::Case => "shape=hexagon",
                Sort::Removed => "shape=box, style=dashed",
            };
            let _ = writeln!(text, "  n{at} [label=\"{}\", {style}];", escaped(&node.name));
        }
        for edge in &self.edges {
            let label = escaped(&edge.reference);
            let _ = writeln!(text, "  n{} -> n{} [label=\"{label}\"];", edge.from, edge.to);
        }
        if let Some(note) = self.note() {
            let _ = writeln!(text, "  more [label=\"{}\", shape=plaintext];", escaped(&note));
        }
        text += "}\n";
        text
    }

    fn note(&self) -> Option<String> {
        let empty = "nothing is affected".to_owned();
        match (self.nodes.is_empty(), self.left_out) {
            (true, 0) => Some(empty),
            (_, 0) => None,
            (_, more) => Some(format!("and {more} more that are not drawn")),
        }
    }
}

/// What is affected or gone: its directory (of a test file, the file), its node and its reasons.
fn things(impact: &Impact) -> Vec<(&RepoPath, GraphNode, &[Reason])> {
    let node = |sort, name: String| GraphNode { sort, name };
    let units =
        impact.units.iter().map(|it| (&it.path, node(Sort::Unit, it.id.to_string()), &it.reasons[..]));
    let modules =
        impact.modules.iter().map(|it| (&it.path, node(Sort::Module, it.path.to_string()), &it.reasons[..]));
    let cases =
        impact.cases.iter().map(|it| (&it.path, node(Sort::Case, it.id.to_string()), &it.reasons[..]));
    let gone = impact.removed_units.iter();
    let gone = gone.map(|it| (&it.path, node(Sort::Removed, it.id.to_string()), &it.reasons[..]));
    let lost = impact.removed_modules.iter();
    let lost = lost.map(|it| (&it.path, node(Sort::Removed, it.path.to_string()), &it.reasons[..]));
    units.chain(modules).chain(cases).chain(gone).chain(lost).collect()
}

/// The edges from a changed file to a thing, by one reason.
fn way(reason: &Reason, directory: &RepoPath, thing: &GraphNode, at: &Standing<'_>, drawn: &mut Drawn) {
    let Some((first, rest)) = reason.chain.split_first() else { return };
    let file = |path: &RepoPath| GraphNode { sort: Sort::File, name: path.to_string() };
    let owner = |link: &Link, last: bool| {
        if last && link.path.is_within(directory) {
            return thing.clone();
        }
        let parent = link.path.parent().unwrap_or_else(RepoPath::root);
        let known = at.get(&link.path).or_else(|| at.get(&parent));
        known.map_or_else(|| file(&link.path), |(node, _)| (*node).clone())
    };
    let mut before = file(&first.path);
    if let Some(called) = called(reason, at) {
        drawn.insert((before, called.clone(), "contains".to_owned()));
        before = called.clone();
    }
    for (place, link) in rest.iter().enumerate() {
        let next = owner(link, place + 1 == rest.len());
        let reference = match reason.gap() {
            Some(gap) if gap == place + 1 => format!("… {} more, {}", reason.links_left_out, link.reference),
            _ => link.reference.clone(),
        };
        if next != before {
            drawn.insert((before, next.clone(), reference));
        }
        before = next;
    }
    if before != *thing {
        drawn.insert((before, thing.clone(), reason.rule.replace('_', " ")));
    }
}

/// The thing whose configuration the changed file is, where the reason leads on from there by a call of it.
fn called<'a>(reason: &Reason, at: &Standing<'a>) -> Option<&'a GraphNode> {
    let (first, next) = (reason.chain.first()?, reason.chain.get(1)?);
    let parent = |link: &Link| link.path.parent().unwrap_or_else(RepoPath::root);
    // How the first step was made, the reason of the thing tells that it led to.
    let led_to = at.get(&parent(next)).map(|(_, reasons)| *reasons).unwrap_or_default();
    let step = led_to.iter().find(|known| known.chain[..] == reason.chain[..2]).unwrap_or(reason);
    let (node, own) = at.get(&parent(first))?;
    let contains = own.iter().any(|why| why.rule == "contains" && why.chain.first() == Some(first));
    (contains && matches!(step.rule.as_str(), "module_call" | "test_of" | "dependency")).then_some(*node)
}

/// The longest label; what is longer is cut.
const LONGEST: usize = 80;

fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST).collect();
    if text.chars().count() > LONGEST {
        short.push('…');
    }
    short
}

/// Text as Mermaid takes it: a path may hold anything.
fn entities(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/:._- …,()=".contains(c);
    cut(text).chars().map(|c| if plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) }).collect()
}

/// Text between the quotes of Graphviz, in which `\N` and its kin mean something.
fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        c if c.is_control() => format!("%{:02X}", u32::from(c)),
        c => c.to_string(),
    };
    cut(text).chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph(names: &[&str]) -> Graph {
        let nodes = names.iter().map(|name| GraphNode { sort: Sort::Unit, name: (*name).to_owned() });
        let nodes: Vec<GraphNode> = nodes.collect();
        let edges = (1..nodes.len()).map(|to| GraphEdge { from: 0, to, reference: nodes[to].name.clone() });
        Graph { edges: edges.collect(), nodes, left_out: 3 }
    }

    /// Whether every line of a flowchart is one of those that Mermaid's grammar has, labels being in quotes
    /// and without a quote.
    fn is_mermaid(text: &str) -> bool {
        let line = regex::Regex::new(
            r#"^  (n\d+|more)(\[/"[^"]*"/\]|\["[^"]*"\]|\(\["[^"]*"\]\)|\{\{"[^"]*"\}\})(:::[a-z]+)?$|^  n\d+ -->\|"[^"]*"\| n\d+$|^  classDef [a-z]+ [a-z0-9#:,-]+$"#,
        );
        let line = line.unwrap();
        text.strip_prefix("flowchart LR\n").is_some_and(|rest| rest.lines().all(|text| line.is_match(text)))
    }

    /// The same of Graphviz' language.
    fn is_dot(text: &str) -> bool {
        let line = regex::Regex::new(
            r#"^  (n\d+|more|node|n\d+ -> n\d+) \[[a-z]+="([^"\\]|\\["\\])*"(, [a-z]+=[a-z]+)*\];$|^  rankdir=LR;$"#,
        );
        let line = line.unwrap();
        let inner = text.strip_prefix("digraph affected {\n").and_then(|rest| rest.strip_suffix("}\n"));
        inner.is_some_and(|inner| inner.lines().all(|text| line.is_match(text)))
    }

    #[test]
    fn labels_with_quotes_brackets_and_line_breaks_break_nothing() {
        let odd = graph(&[
            "a",
            "x\"]--> y",
            "a\\",
            "\n\r",
            "#quot;",
            "`b`",
            "<b>",
            "${path.module}/\u{e9}",
            "|\"|",
        ]);
        assert!(is_mermaid(&odd.mermaid()), "{}", odd.mermaid());
        assert!(is_dot(&odd.dot()), "{}", odd.dot());
        assert!(odd.dot().contains("and 3 more that are not drawn"));
        assert!(is_mermaid(&Graph::default().mermaid()) && is_dot(&Graph::default().dot()));
    }

    proptest! {
        #[test]
        fn any_name_gives_a_drawing_that_can_be_read(names in prop::collection::vec(any::<String>(), 0..4)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let graph = graph(&names);
            prop_assert!(is_mermaid(&graph.mermaid()), "{}", graph.mermaid());
            prop_assert!(is_dot(&graph.dot()), "{}", graph.dot());
        }
    }
}
