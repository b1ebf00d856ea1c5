use std::sync::Arc;

use super::function::{Reads, inline};
use crate::{
    proof::{Place, quote},
    yaml::{Broken, Node, Value, read},
};

/// The names that kustomize knows a kustomization by; a directory has one of them
/// (`api/konfig/general.go`, `RecognizedKustomizationFileNames`).
pub(super) const FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The most paths of one file that are followed.
pub(super) const MOST_FINDINGS: usize = 10_000;

/// Where charts stand unless `chartHome` says otherwise (`api/types/helmchartargs.go`, `HelmDefaultHome`).
const CHART_HOME: &str = "charts";

/// What a kustomization says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kustomization {
    /// What it is.
    pub kind: Kind,
    /// Where that is written; the beginning of the file where it is left out.
    pub place: Place,
    /// What it reads, in the order of the fields below.
    pub findings: Vec<Finding>,
    /// Why it could not be understood, or not wholly.
    pub broken: Option<Broken>,
}

/// What a kustomization is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// It can be built.
    Kustomization,
    /// It is only laid over another.
    Component,
    /// Something else of that name, which kustomize refuses.
    Foreign,
}

/// Something that a build reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What.
    pub what: What,
    /// Where that is written.
    pub place: Place,
    /// The field and its value, as a reason quotes them.
    pub text: String,
}

/// What is read; all paths begin at the kustomization's directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum What {
    /// A file.
    File(String),
    /// A file, or else a directory or an address of another kustomization.
    Resource(String),
    /// A directory or an address of another kustomization.
    Component(String),
    /// As [`What::Resource`], holding configuration of functions whose paths begin here too.
    Functions(String),
    /// The directory of a chart.
    Chart(String),
    /// What may be the path of a file or directory: a function that nobody knows may read it.
    Named(String),
}

impl Kustomization {
    /// The names that such a file has.
    pub fn is_named(name: &[u8]) -> bool {
        FILES.iter().any(|file| file.as_bytes() == name)
    }

    /// The names that such a file has, in the order in which kustomize tries them.
    pub fn names() -> [&'static str; 3] {
        FILES
    }

    /// Reads one. Kustomize takes the first document and leaves others alone.
    pub fn parse(content: &[u8]) -> Self {
        let yaml = read(content);
        let start = Place { start: 0, end: 0, line: 1, column: 1 };
        let mut found =
            Self { kind: Kind::Kustomization, place: start, findings: Vec::new(), broken: yaml.broken };
        let Some(root) = yaml.documents.first() else { return found };
        if !matches!(root.value, Value::Mapping(_)) {
            found.broken = found.broken.or_else(|| Some(broken(root, "it is no mapping")));
            return found;
        }
        if let Some(kind) = root.member("kind") {
            found.place = kind.place;
            found.kind = match kind.text() {
                Some("Kustomization") | Some("") | None => Kind::Kustomization,
                Some("Component") => Kind::Component,
                Some(_) => Kind::Foreign,
            };
        }
        // Kustomize refuses other versions; Flux has a kind of the same name.
        let version = root.member("apiVersion").and_then(|version| version.text());
        if version.is_some_and(|version| !version.starts_with("kustomize.config.k8s.io/")) {
            found.kind = Kind::Foreign;
        }
        if found.kind == Kind::Foreign {
            return found;
        }
        let mut reads = Reads::default();
        fields(root, &mut reads);
        if reads.is_full() {
            let why = format!("it names more than {MOST_FINDINGS} paths");
            found.broken = found.broken.or_else(|| Some(broken(root, &why)));
        }
        found.findings = reads.into_findings();
        found
    }
}

fn broken(node: &Node, why: &str) -> Broken {
    Broken { line: Some(node.place.line), why: why.to_owned() }
}

fn fields(root: &Node, reads: &mut Reads) {
    for (field, what) in [
        ("resources", What::Resource as fn(String) -> What),
        ("bases", What::Resource),
        ("components", What::Component),
        ("crds", What::File),
        ("configurations", What::File),
    ] {
        for list in root.all(field) {
            for item in list.items() {
                reads.scalar(field, item, what);
            }
        }
    }
    for field in ["configMapGenerator", "secretGenerator"] {
        for generator in items(root, field) {
            reads.sources(field, generator);
        }
    }
    for field in ["patches", "patchesJson6902", "replacements"] {
        for patch in items(root, field) {
            reads.members(field, patch, "path", What::File);
        }
    }
    for patch in items(root, "patchesStrategicMerge") {
        reads.patch("patchesStrategicMerge", patch);
    }
    for field in ["generators", "transformers", "validators"] {
        for function in items(root, field) {
            // A text that is itself an object is no path.
            match inline(function) {
                Some(objects) => reads.objects(field, &objects, Some(function)),
                None => reads.scalar(field, function, What::Functions),
            }
        }
    }
    for schema in root.all("openapi") {
        reads.members("openapi", schema, "path", What::File);
    }
    charts(root, reads);
}

fn charts(root: &Node, reads: &mut Reads) {
    let mut homes: Vec<String> = Vec::new();
    let mut home = |node: &Node| {
        let named = node.all("chartHome").into_iter().filter_map(|home| home.text());
        homes.extend(named.filter(|home| !home.is_empty()).map(str::to_owned));
    };
    root.all("helmGlobals").into_iter().for_each(|globals| home(globals));
    // The deprecated form says the home with each chart; the last one holds for all.
    items(root, "helmChartInflationGenerator").into_iter().for_each(|chart| home(chart));
    if homes.is_empty() {
        homes.push(CHART_HOME.to_owned());
    }
    for chart in items(root, "helmCharts") {
        reads.chart("helmCharts", chart, &homes, ["name", "version", "repo"]);
        reads.members("helmCharts.valuesFile", chart, "valuesFile", What::File);
        for list in chart.all("additionalValuesFiles") {
            for file in list.items() {
                reads.scalar("helmCharts.additionalValuesFiles", file, What::File);
            }
        }
    }
    for chart in items(root, "helmChartInflationGenerator") {
        let field = "helmChartInflationGenerator";
        reads.chart(field, chart, &homes, ["chartName", "chartVersion", "chartRepoUrl"]);
        reads.members(field, chart, "values", What::File);
    }
}

/// The items of all lists that a mapping has under a name.
pub(super) fn items<'a>(node: &'a Node, name: &str) -> Vec<&'a Arc<Node>> {
    node.all(name).into_iter().flat_map(|list| list.items()).collect()
}

impl Finding {
    pub(super) fn new(field: &str, what: What, place: Place, value: &str) -> Self {
        Self { what, place, text: quote(format!("{field}: {value}").as_bytes()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(text: &str) -> Vec<What> {
        let found = Kustomization::parse(text.as_bytes());
        assert_eq!(found.broken, None, "{text}");
        found.findings.into_iter().map(|finding| finding.what).collect()
    }

    fn file(path: &str) -> What {
        What::File(path.into())
    }

    #[test]
    fn every_field_that_reads_is_read() {
        let text = "
resources: [a.yaml, ../base]
bases: [old]
components: [../c]
crds: [crd.json]
configurations: [conf.yaml]
configMapGenerator:
- {name: a, files: [x.txt, key=y.txt], envs: [e.env], env: f.env, literals: [a=b]}
secretGenerator:
- {name: b, files: [s.txt]}
patches:
- path: p.yaml
- patch: '[{}]'
patchesJson6902: [{target: {name: x}, path: j.yaml}]
replacements: [{path: r.yaml}]
patchesStrategicMerge: [s.yaml, 'kind: x']
openapi: {path: schema.json}
namespace: n
images: [{name: a, newName: b/c.yaml}]
";
        assert_eq!(
            whats(text),
            [
                What::Resource("a.yaml".into()),
                What::Resource("../base".into()),
                What::Resource("old".into()),
                What::Component("../c".into()),
                file("crd.json"),
                file("conf.yaml"),
                file("x.txt"),
                file("y.txt"),
                file("e.env"),
                file("f.env"),
                file("s.txt"),
                file("p.yaml"),
                file("j.yaml"),
                file("r.yaml"),
                file("s.yaml"),
                file("schema.json"),
            ]
        );
    }

    #[test]
    fn functions_are_read_for_the_paths_that_they_load() {
        let text = "
transformers:
- t.yaml
- |
  apiVersion: builtin
  kind: PatchTransformer
  metadata: {name: x}
  path: inner.yaml
- |
  apiVersion: builtin
  kind: PrefixTransformer
  metadata: {name: x}
  prefix: a/b
generators:
- |-
  apiVersion: viaduct.ai/v1
  kind: ksops
  metadata:
    name: s
    annotations:
      config.kubernetes.io/function: |
        exec:
          path: ./bin/ksops
  files: [./secret.enc.yaml]
";
        let whats = whats(text);
        for expected in [
            What::Functions("t.yaml".into()),
            file("inner.yaml"),
            What::Named("./bin/ksops".into()),
            What::Named("./secret.enc.yaml".into()),
        ] {
            assert!(whats.contains(&expected), "{expected:?} in {whats:?}");
        }
        assert!(!whats.contains(&What::Named("a/b".into())) && !whats.contains(&What::Named("ksops".into())));
    }

    #[test]
    fn charts_stand_below_their_home() {
        let text = "
helmGlobals: {chartHome: ../../charts}
helmCharts:
- {name: app, valuesFile: v.yaml, additionalValuesFiles: [w.yaml]}
- {name: far, repo: 'https://x', version: 1.0.0}
";
        assert_eq!(
            whats(text),
            [
                What::Chart("../../charts/app".into()),
                file("v.yaml"),
                file("w.yaml"),
                What::Chart("../../charts/far".into()),
                What::Chart("../../charts/far-1.0.0/far".into()),
            ]
        );
        let old = "helmChartInflationGenerator:\n- {chartName: a, values: v.yaml, chartHome: c}\n";
        assert_eq!(whats(old), [What::Chart("c/a".into()), file("v.yaml")]);
    }

    #[test]
    fn a_component_and_what_is_no_kustomization_are_told() {
        let kind = |text: &str| Kustomization::parse(text.as_bytes()).kind;
        assert_eq!(kind("kind: Component\n"), Kind::Component);
        assert_eq!(kind("resources: []\n"), Kind::Kustomization);
        let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {path: ./x}\n";
        assert_eq!(kind(flux), Kind::Foreign);
        assert!(Kustomization::parse(b"- a\n").broken.is_some());
    }

    #[test]
    fn a_broken_file_is_read_up_to_its_mistake() {
        let found = Kustomization::parse(b"resources:\n- a.yaml\n- b.yaml\npatches:\n- path: [\n");
        assert!(found.broken.is_some());
        assert_eq!(found.findings.len(), 2);
    }

    #[test]
    fn a_bomb_of_aliases_is_no_work() {
        let mut text = String::from("x: &f [a]\nz: &g\n");
        text.push_str(&"- {name: a, files: *f}\n".repeat(20_000));
        text.push_str("configMapGenerator: *g\nsecretGenerator: *g\n");
        let found = Kustomization::parse(text.as_bytes());
        assert!(found.broken.unwrap().why.contains("more than"));
        assert_eq!(found.findings.len(), MOST_FINDINGS);
    }
}
