//! Configuration of generators, transformers and validators: which files a function loads.

use std::sync::Arc;

use super::{
    Finding, What,
    kustomization::{MOST_FINDINGS, items},
};
use crate::{
    proof::Place,
    yaml::{Node, Value, read},
};

/// The most values of one function's configuration that are taken for paths; beyond it, anything below the
/// kustomization may be read.
const MOST_NAMED: usize = 1_000;

/// The deepest that its configuration is looked through.
const DEEPEST: usize = 16;

/// What the functions that a file configures load; paths begin at the kustomization that names the file.
pub fn functions(field: &str, content: &[u8]) -> Vec<Finding> {
    let mut reads = Reads::default();
    reads.objects(field, &read(content).documents, None);
    reads.into_findings()
}

/// The objects that a scalar itself holds; `None` where it is something else, such as a path.
pub(super) fn inline(node: &Node) -> Option<Vec<Arc<Node>>> {
    let yaml = read(node.text()?.as_bytes());
    let objects = yaml.documents.iter().all(|root| matches!(root.value, Value::Mapping(_)));
    (objects && yaml.broken.is_none()).then_some(yaml.documents)
}

/// Findings as they are collected.
#[derive(Default)]
pub(super) struct Reads {
    findings: Vec<Finding>,
    full: bool,
    /// Nodes looked at.
    steps: usize,
}

impl Reads {
    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Whether something was left out.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    fn push(&mut self, field: &str, what: What, place: Place, value: &str) {
        if self.findings.len() >= MOST_FINDINGS {
            self.full = true;
        } else {
            self.findings.push(Finding::new(field, what, place, value));
        }
    }

    /// A path that is written as a scalar.
    pub(super) fn scalar(&mut self, field: &str, node: &Node, what: fn(String) -> What) {
        self.steps += 1;
        self.full |= self.steps > 10 * MOST_FINDINGS;
        if let Some(text) = node.text().filter(|text| !text.is_empty() && !self.full) {
            self.push(field, what(text.to_owned()), node.place, text);
        }
    }

    /// The paths that a mapping has under a name.
    pub(super) fn members(&mut self, field: &str, node: &Node, name: &str, what: fn(String) -> What) {
        for value in node.all(name) {
            self.scalar(field, value, what);
        }
    }

    /// The files of a generator of ConfigMaps or Secrets. A file is written `path` or `key=path`
    /// (`api/internal/generators/utils.go`, `ParseFileSource`).
    pub(super) fn sources(&mut self, field: &str, generator: &Node) {
        for item in items(generator, "files") {
            if let Some(text) = item.text().filter(|_| !self.full) {
                let path = text.split_once('=').map_or(text, |(_, path)| path);
                if path.is_empty() {
                    continue;
                }
                self.push(field, What::File(path.to_owned()), item.place, text);
            }
        }
        for item in items(generator, "envs") {
            self.scalar(field, item, What::File);
        }
        self.members(field, generator, "env", What::File);
    }

    /// A patch that is written in place, or the path of one.
    pub(super) fn patch(&mut self, field: &str, node: &Node) {
        if !self.full && inline(node).is_none() {
            self.scalar(field, node, What::File);
        }
    }

    /// A chart by its home and name. A chart with a repository and a version is pulled into a directory of both
    /// (`HelmChartInflationGenerator`, `absChartHome`), and may be kept there.
    pub(super) fn chart(&mut self, field: &str, chart: &Node, homes: &[String], names: [&str; 3]) {
        let text =
            |name: &str| chart.member(name).and_then(|node| node.text()).filter(|text| !text.is_empty());
        let Some(node) = chart.member(names[0]) else { return };
        let Some(name) = node.text().filter(|name| !name.is_empty()) else { return };
        for home in homes {
            self.push(field, What::Chart(format!("{home}/{name}")), node.place, name);
            if let (Some(version), Some(_)) = (text(names[1]), text(names[2])) {
                let pulled = format!("{home}/{name}-{version}/{name}");
                self.push(field, What::Chart(pulled), node.place, name);
            }
        }
    }

    /// What functions load, each configured by an object. Places are those of `at`, where the objects are
    /// written in a text of another file.
    pub(super) fn objects(&mut self, field: &str, objects: &[Arc<Node>], at: Option<&Node>) {
        let before = self.findings.len();
        for object in objects {
            // A list of a kind stands for its items (`api/resource/factory.go`, `inlineAnyEmbeddedLists`).
            let kind = object.member("kind").and_then(|kind| kind.text()).unwrap_or_default();
            let listed = items(object, "items");
            if kind.ends_with("List") && !listed.is_empty() {
                listed.into_iter().for_each(|item| self.object(field, item));
            } else {
                self.object(field, object);
            }
        }
        for finding in self.findings.iter_mut().skip(before) {
            finding.place = at.map_or(finding.place, |node| node.place);
        }
    }

    fn object(&mut self, field: &str, object: &Node) {
        let text = |name: &str| object.member(name).and_then(|node| node.text()).unwrap_or_default();
        if text("apiVersion") != "builtin" {
            return self.unknown(field, object);
        }
        match text("kind") {
            "ConfigMapGenerator" | "SecretGenerator" => self.sources(field, object),
            "PatchTransformer" | "PatchJson6902Transformer" => {
                self.members(field, object, "path", What::File)
            }
            "PatchStrategicMergeTransformer" => {
                items(object, "paths").into_iter().for_each(|path| self.patch(field, path));
            }
            "ReplacementTransformer" => {
                for replacement in items(object, "replacements") {
                    self.members(field, replacement, "path", What::File);
                }
            }
            "ValueAddTransformer" => self.members(field, object, "targetFilePath", What::File),
            "HelmChartInflationGenerator" => {
                let home = text("chartHome");
                let home = if home.is_empty() { "charts" } else { home };
                self.chart(field, object, &[home.to_owned()], ["name", "version", "repo"]);
                self.members(field, object, "valuesFile", What::File);
                for file in items(object, "additionalValuesFiles") {
                    self.scalar(field, file, What::File);
                }
            }
            "AnnotationsTransformer"
            | "HashTransformer"
            | "IAMPolicyGenerator"
            | "ImageTagTransformer"
            | "LabelTransformer"
            | "NamespaceTransformer"
            | "PrefixTransformer"
            | "PrefixSuffixTransformer"
            | "ReplicaCountTransformer"
            | "SortOrderTransformer"
            | "SuffixTransformer" => {}
            _ => self.unknown(field, object),
        }
    }

    /// A function that nobody knows here may read whatever its configuration names.
    fn unknown(&mut self, field: &str, object: &Node) {
        let before = self.findings.len();
        let mut left = MOST_NAMED;
        for (key, value) in object.members() {
            if !matches!(key.text(), Some("apiVersion" | "kind")) {
                self.named(field, value, 0, &mut left);
            }
        }
        if left == 0 {
            self.findings.truncate(before);
            self.push(
                field,
                What::Named(".".to_owned()),
                object.place,
                "a function of more than 1000 values",
            );
        }
    }

    fn named(&mut self, field: &str, node: &Node, depth: usize, left: &mut usize) {
        *left = left.saturating_sub(1);
        if *left == 0 || depth > DEEPEST {
            *left = 0;
            return;
        }
        match &node.value {
            Value::Scalar { text, .. } if text.contains('\n') => {
                // What a function is run with stands as YAML in an annotation.
                for document in read(text.as_bytes()).documents {
                    if !matches!(document.value, Value::Scalar { .. }) {
                        let first = self.findings.len();
                        self.named(field, &document, depth + 1, left);
                        self.findings.iter_mut().skip(first).for_each(|finding| finding.place = node.place);
                    }
                }
            }
            Value::Scalar { text, .. } if !text.is_empty() => {
                self.push(field, What::Named(text.clone()), node.place, text);
            }
            Value::Scalar { .. } => {}
            Value::List(items) => items.iter().for_each(|item| self.named(field, item, depth + 1, left)),
            Value::Mapping(members) => {
                members.iter().for_each(|(_, value)| self.named(field, value, depth + 1, left));
            }
        }
    }
}
