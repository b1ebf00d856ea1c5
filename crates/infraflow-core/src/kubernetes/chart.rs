use crate::{
    proof::Place,
    yaml::{Broken, Value, read},
};

/// What `Chart.yaml`, or the `requirements.yaml` of older charts, says of the charts that it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chart {
    /// The charts that it needs.
    pub dependencies: Vec<Dependency>,
    /// Why it could not be understood, or not wholly.
    pub broken: Option<Broken>,
}

/// One chart that another needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// Where it is had from: an address, or `file://` and a path from the chart's directory. Empty where it
    /// stands in `charts/`.
    pub repository: String,
    /// Where that is written.
    pub place: Place,
}

impl Chart {
    /// Reads one of the two files.
    pub fn parse(content: &[u8]) -> Self {
        let yaml = read(content);
        let mut chart = Self { dependencies: Vec::new(), broken: yaml.broken };
        let Some(root) = yaml.documents.first() else { return chart };
        if !matches!(root.value, Value::Mapping(_)) {
            let why = "it is no mapping".to_owned();
            chart.broken = chart.broken.or(Some(Broken { line: Some(root.place.line), why }));
        }
        for dependency in root.all("dependencies").into_iter().flat_map(|list| list.items()).take(MOST) {
            let text = |name: &str| dependency.member(name).and_then(|node| node.text()).unwrap_or_default();
            let at = dependency.member("repository").or_else(|| dependency.member("name"));
            chart.dependencies.push(Dependency {
                name: text("name").to_owned(),
                repository: text("repository").to_owned(),
                place: at.map_or(dependency.place, |node| node.place),
            });
        }
        chart
    }
}

/// The most dependencies of a chart that are looked at.
const MOST: usize = 1_000;

impl Dependency {
    /// The path of a chart of this repository, from the directory of the one that needs it.
    pub fn path(&self) -> Option<&str> {
        self.repository.strip_prefix("file://")
    }
}
