use std::collections::{BTreeMap, BTreeSet};

use super::{
    Because, Claim, Dialect, DialectName, FactReference, Facts, Lookup, ReferenceKind, Target,
    glob::Glob,
    kustomize_dialect::{unparsable, whole},
};
use crate::{
    kubernetes::{Chart, Dependency, IgnoreRules},
    proof::{Place, RepoPath},
};

/// Templates of charts that are looked through for `.Files`, all charts that one needs together; where there
/// are more, any of its files may be read.
const MOST_TEMPLATES: usize = 2_000;

/// Links to directories on one way.
const MOST_LINKS: usize = 8;

/// Files of a chart that Helm reads whatever its templates say (`pkg/chart/v2/loader/load.go`).
const ALWAYS: [&str; 5] =
    ["values.yaml", "values.schema.json", "requirements.yaml", "templates/**", "crds/**"];

/// Its locks.
const LOCKS: [&str; 2] = ["Chart.lock", "requirements.lock"];

/// Helm 3 and 4: a directory with `Chart.yaml` is a module. Kustomizations refer to it by `helmCharts`, other
/// charts by their dependencies.
///
/// # What a chart depends on
/// - What `helm template` reads: `Chart.yaml`, its values and their schema, everything in `templates` (tests of
///   the chart and partials too) and `crds`, lock files.
/// - Charts in `charts/`, by directory, link or archive, and dependencies of a `file://` repository.
/// - Any other file below it, as templates read with `.Files`: unless no template says `Files`, neither its own
///   nor one of the charts that it needs. A chart of another repository that is not kept in `charts/` may say so.
///
/// A README is such another file. What `.helmignore` leaves out does not count.
///
/// # Limits
/// - Values that are handed in from outside and hold template text (`tpl`) may read files with `.Files`: this
///   is not seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct HelmDialect;

impl Dialect for HelmDialect {
    fn name(&self) -> DialectName {
        DialectName::helm()
    }

    fn version(&self) -> u32 {
        1
    }

    fn runs(&self, other: &DialectName) -> bool {
        *other == self.name()
    }

    fn claims(&self, path: &RepoPath) -> Option<Claim> {
        (path.file_name() == b"Chart.yaml").then(Claim::configuration)
    }

    fn facts(&self, path: &RepoPath, content: &[u8]) -> Facts {
        let broken = Chart::parse(content).broken.map(|broken| unparsable(path, broken));
        Facts { unparsable: Vec::from_iter(broken), ..Facts::default() }
    }

    fn resolve(&self, directory: &RepoPath, files: &[RepoPath], lookup: &mut dyn Lookup) -> Facts {
        let Some(file) = files.first() else { return Facts::default() };
        let mut read = Read {
            lookup,
            because: Because { kind: ReferenceKind::FileRead, text: "the chart".into(), ..whole(file) },
            considered: Because {
                kind: ReferenceKind::Consideration,
                text: "the chart".into(),
                ..whole(file)
            },
            facts: Facts::default(),
            seen: BTreeSet::new(),
            stated: BTreeMap::new(),
            left: MOST_TEMPLATES,
        };
        read.chart(directory, file);
        read.facts
    }
}

/// What a part of a chart is looked through for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Search {
    /// Templates that say `Files`, and links.
    Templates,
    /// Links.
    Links,
}

/// What Helm reads of a chart.
struct Read<'a> {
    lookup: &'a mut dyn Lookup,
    /// What is read counts.
    because: Because,
    /// What is looked at does not count by itself: globs say what does.
    considered: Because,
    facts: Facts,
    /// Charts whose templates were looked through.
    seen: BTreeSet<RepoPath>,
    /// What the files that were read state of dependencies.
    stated: BTreeMap<RepoPath, Vec<Dependency>>,
    /// How many more templates are.
    left: usize,
}

impl Read<'_> {
    fn chart(&mut self, directory: &RepoPath, file: &RepoPath) {
        let ignored = self.ignored(directory);
        for glob in ALWAYS {
            self.files(ReferenceKind::FileRead, directory, glob, ignored.globs());
        }
        for glob in LOCKS {
            self.files(ReferenceKind::LockFile, directory, glob, ignored.globs());
        }
        // Archives of charts stand in it, and charts as directories or links.
        self.files(ReferenceKind::FileRead, directory, "charts/*", ignored.globs());
        for (from, dependency) in self.dependencies(directory, file) {
            if let Some(path) = dependency.path().and_then(|path| directory.resolve(path)) {
                let text = format!("dependencies: {}", dependency.repository);
                self.call(path, dependency.place, text, &from);
            }
        }
        for chart in self.kept(directory) {
            let text = format!("charts/{}", String::from_utf8_lossy(chart.file_name()));
            self.call(chart, self.because.place, text, file);
        }
        self.look_through(directory, b"crds", Search::Links);
        if self.may_read_files(directory, file) {
            let mut ignored = ignored.globs().to_vec();
            ignored.push("charts/**".to_owned());
            self.files(ReferenceKind::FileRead, directory, "**", &ignored);
            for one in self.lookup.list(directory, &self.considered) {
                // Templates were looked through, and charts are for themselves.
                let other = !["charts", "templates"].iter().any(|name| one.name == name.as_bytes());
                if other && (one.is_directory || one.is_link) {
                    self.lookup.read(&directory.join(&one.name), &self.because);
                    self.look_through(directory, &one.name, Search::Links);
                }
            }
        }
    }

    fn files(&mut self, kind: ReferenceKind, directory: &RepoPath, glob: &str, except: &[String]) {
        let target =
            Target::Files { directory: directory.clone(), glob: glob.to_owned(), except: except.to_vec() };
        let Because { file, place, .. } = &self.because;
        let reference = FactReference::new(kind, target, *place, "a file of the chart");
        self.facts.references.push(reference.in_file(file.clone()));
    }

    fn call(&mut self, directory: RepoPath, place: Place, text: String, file: &RepoPath) {
        let target = Target::Directory(directory);
        let reference = FactReference::new(ReferenceKind::ModuleCall, target, place, text);
        self.facts.references.push(reference.in_file(file.clone()));
    }

    fn ignored(&mut self, directory: &RepoPath) -> IgnoreRules {
        let content = self.lookup.read(&directory.join(".helmignore"), &self.because);
        IgnoreRules::parse(content.as_deref())
    }

    /// The dependencies that a chart states, each with the file that does.
    fn dependencies(&mut self, directory: &RepoPath, file: &RepoPath) -> Vec<(RepoPath, Dependency)> {
        let mut found = Vec::new();
        for file in [file.clone(), directory.join("requirements.yaml")] {
            if !self.stated.contains_key(&file) {
                let content = self.lookup.read(&file, &self.because);
                let stated = content.map(|content| Chart::parse(&content).dependencies).unwrap_or_default();
                self.stated.insert(file.clone(), stated);
            }
            let stated = self.stated.get(&file).into_iter().flatten();
            found.extend(stated.map(|dependency| (file.clone(), dependency.clone())));
        }
        found
    }

    /// The charts that stand in `charts/`. Names that begin with `_` or `.` do not count, and what is an archive
    /// is a file.
    fn kept(&mut self, directory: &RepoPath) -> Vec<RepoPath> {
        let charts = directory.join("charts");
        let listed = self.lookup.list(&charts, &self.considered);
        let names = listed.into_iter().map(|one| one.name);
        let names = names.filter(|name| !name.starts_with(b"_") && !name.starts_with(b"."));
        names.filter(|name| !name.ends_with(b".tgz")).map(|name| charts.join(&name)).collect()
    }

    /// Whether a template may read files of the chart: its own ones, and those of charts that it needs, which
    /// can be handed its context.
    fn may_read_files(&mut self, directory: &RepoPath, file: &RepoPath) -> bool {
        let mut open = vec![(directory.clone(), file.clone())];
        while let Some((directory, file)) = open.pop() {
            if !self.seen.insert(directory.clone()) {
                continue;
            }
            if self.says_files(&directory.join("values.yaml"))
                || self.look_through(&directory, b"templates", Search::Templates)
            {
                return true;
            }
            let kept = self.kept(&directory);
            for (_, dependency) in self.dependencies(&directory, &file) {
                let path = dependency.path().and_then(|path| directory.resolve(path));
                let here = kept.iter().any(|chart| chart.file_name() == dependency.name.as_bytes());
                match path {
                    Some(path) => open.push((path.clone(), path.join("Chart.yaml"))),
                    None if here => {}
                    None => return true,
                }
            }
            // Of an archive nothing is known.
            let archives = self.lookup.list(&directory.join("charts"), &self.considered);
            if archives.iter().any(|one| one.name.ends_with(b".tgz")) {
                return true;
            }
            open.extend(kept.into_iter().map(|chart| (chart.clone(), chart.join("Chart.yaml"))));
        }
        false
    }

    /// Whether a template below a directory says so; whatever links there lead to is read.
    fn look_through(&mut self, chart: &RepoPath, below: &[u8], search: Search) -> bool {
        let ignored = self.ignored(chart);
        let ignored: Vec<Glob> = ignored.globs().iter().map(|glob| Glob::of(glob)).collect();
        let mut says_so = false;
        let mut open = vec![(chart.join(below), 0)];
        while let Some((at, links)) = open.pop() {
            for one in self.lookup.list(&at, &self.considered) {
                let path = at.join(&one.name);
                let name = path.relative_to(chart);
                if ignored.iter().any(|glob| glob.matches(&name)) {
                    continue;
                }
                if one.is_directory {
                    open.push((path, links));
                } else if self.left == 0 {
                    return true;
                } else if one.is_link || links > 0 || (search == Search::Templates && !says_so) {
                    self.left -= 1;
                    let plain = !one.is_link && links == 0;
                    let because = if plain { &self.considered } else { &self.because };
                    match self.lookup.read(&path, because) {
                        Some(content) => says_so |= says(&content),
                        // A link to a directory, perhaps; links may lead in circles.
                        None if one.is_link && links < MOST_LINKS => open.push((path, links + 1)),
                        None => {}
                    }
                }
            }
        }
        says_so
    }

    fn says_files(&mut self, path: &RepoPath) -> bool {
        self.lookup.read(path, &self.because).is_some_and(|content| says(&content))
    }
}

fn says(template: &[u8]) -> bool {
    memchr::memmem::find(template, b"Files").is_some()
}
