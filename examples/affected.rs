//! What a change touches: modules, units and test cases, each with the chain of references that says why; why
//! something is touched, or is not; a drawing; the scope of the change; and what it reaches in a second
//! repository.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, process::ExitCode};

use clap::{Parser, ValueEnum};
use infraflow_core::{
    address::PackageIdentity,
    catalog::CatalogRules,
    git::RemoteName,
    impact::{
        AffectedModule, AffectedStackUnit, AffectedUnit, Graph, Impact, ModuleAddresses, Reach, Reached,
        ReachedWhen, ReasonsFor, Rules, Scope, Why, reach, why,
    },
    nature,
    proof::Reason,
};
use infraflow_examples::{
    Answer, Changes, Failure, Found, Output, Snapshot, main_of,
    people::{self, count},
    say,
};

/// Says what a change touches, and why: modules whose tests, and units whose plans, can come out
/// differently; what was removed or renamed; the nature of the change, and its scope.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    output: Output,
    /// How many reasons each thing gets: the shortest, one for each changed file that leads to it, or all chains
    /// of references that do, at most 64.
    #[arg(long, value_enum, default_value = "shortest")]
    reasons: Chains,
    /// Show at most so many things of each kind to people; 0 shows all.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: usize,
    /// Show the units too that only consume outputs of an affected one.
    #[arg(long)]
    dependents: bool,
    /// Say why this unit, module, test case, directory or file is affected; ends with 1 where it is not.
    #[arg(long, value_name = "PATH", group = "question")]
    why: Option<String>,
    /// Say why this is not affected; ends with 1 where it is.
    #[arg(long, value_name = "PATH", group = "question")]
    why_not: Option<String>,
    /// Draw what is affected, at most 200 nodes or what --limit says.
    #[arg(long, value_name = "LANGUAGE", group = "question", conflicts_with = "json")]
    graph: Option<Drawing>,
    /// Say only how large the change is, and how old its branch.
    #[arg(long, group = "question")]
    scope: bool,
    /// Say which units of this other repository the changed modules reach once they are released.
    #[arg(long, value_name = "DIR", group = "question")]
    live_repo: Option<PathBuf>,
    /// With --live-repo: the revision of it that counts.
    #[arg(long, value_name = "REVISION", default_value = "HEAD", requires = "live_repo")]
    live_head: String,
    /// With --live-repo: an address under which this repository is fetched, besides those of its remote and of
    /// [catalog]; may be given several times.
    #[arg(long, value_name = "ADDRESS", requires = "live_repo")]
    address: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Chains {
    Shortest,
    EachChange,
    All,
}

#[derive(Clone, Copy, ValueEnum)]
enum Drawing {
    Mermaid,
    Dot,
}

/// A thing with its reasons.
struct Listed {
    name: String,
    reasons: Vec<Reason>,
    chains_left_out: Option<u64>,
}

impl Listed {
    fn new(name: &impl ToString, reasons: &[Reason], chains_left_out: Option<u64>) -> Self {
        Self { name: name.to_string(), reasons: reasons.to_vec(), chains_left_out }
    }
}

/// The most nodes of a drawing that people can read.
const MOST_NODES: usize = 200;

fn main() -> ExitCode {
    let options = Options::parse();
    main_of(|| {
        let reasons = match options.reasons {
            Chains::Shortest => ReasonsFor::TheThing,
            Chains::EachChange => ReasonsFor::EachChange,
            Chains::All => ReasonsFor::EachChain,
        };
        let found = options.changes.find_with(reasons)?;
        options.answer(found)
    })
}

impl Options {
    fn answer(&self, mut found: Found) -> Result<Answer, Failure> {
        if let Some(asked) = self.why.as_ref().or(self.why_not.as_ref()) {
            let rules: Rules = found.configuration.section()?;
            let answer = why(asked, &found.impact, &found.catalog, &rules)?;
            self.output.print(&answer, |answer| self.people_of_why(answer))?;
            let yes = answer.affected == self.why.is_some();
            return Ok(if yes { Answer::Done } else { Answer::No });
        }
        if let Some(drawing) = self.graph {
            let most = if self.limit == 20 { MOST_NODES } else { self.shown() };
            let graph = Graph::of(&found.impact, most);
            say(&match drawing {
                Drawing::Mermaid => graph.mermaid(),
                Drawing::Dot => graph.dot(),
            })?;
            return Ok(Answer::Done);
        }
        if let Some(live) = &self.live_repo {
            let reach = self.reach(&found, live)?;
            self.output.print(&reach, |reach| self.people_of_reach(reach))?;
            return Ok(Answer::Done);
        }
        let scope = Scope::of(&found.impact, found.branch_age()?, &found.configuration.section()?);
        if self.scope {
            self.output.print(&scope, people_of_scope)?;
            return Ok(Answer::Done);
        }
        found.impact.warnings.extend(scope.warnings.iter().map(|warning| warning.text.clone()));
        let nature = nature::of(&found.impact, &found.configuration.section()?);
        self.output.print(&found.impact, |impact| {
            let why = people::reasons_within(&nature.reasons, self.shown());
            let nature = format!("nature: {}\n{why}", nature.nature);
            let ends = &found.ends;
            let base = format!(
                "base: {} ({})\nhead: {} ({})\n",
                ends.base.short(),
                ends.base_from,
                ends.head,
                ends.head_from
            );
            format!("{}{}{nature}{base}", self.people(impact), people_of_scope(&scope))
        })?;
        Ok(Answer::Done)
    }

    fn shown(&self) -> usize {
        if self.limit == 0 { usize::MAX } else { self.limit }
    }

    fn reach(&self, found: &Found, live: &std::path::Path) -> Result<Reach, Failure> {
        let rules: CatalogRules = found.configuration.section()?;
        let remote = found.repository.remote_url(&RemoteName::origin())?;
        let remote = remote.map(|url| url.as_str().to_owned());
        let addresses = remote.into_iter().chain(rules.addresses).chain(self.address.iter().cloned());
        let packages: Vec<_> = addresses.map(|address| PackageIdentity::of_remote(&address)).collect();
        let mut warnings = Vec::new();
        if packages.is_empty() {
            warnings.push(
                "nothing tells under which address this repository is fetched: it has no remote called origin; name one with --address"
                    .to_owned(),
            );
        }
        let published: Rules = found.configuration.section()?;
        let tags = found.repository.tags()?;
        let modules = ModuleAddresses::of(packages)
            .with_published(published.published().iter().cloned())
            .with_tags(tags.iter().map(|tag| tag.name.as_str().to_owned()));
        let live = Snapshot {
            repo: live.to_owned(),
            head: self.live_head.clone(),
            config: None,
            live: self.changes.at.live.clone(),
            tool: self.changes.at.tool.clone(),
            cache: self.changes.at.cache.clone(),
            no_cache: self.changes.at.no_cache,
            fetching: self.changes.at.fetching,
        };
        let seen = live.read()?;
        warnings.extend(seen.catalog.warnings()?.iter().cloned());
        let reached = reach(&found.impact, &seen.catalog, &modules)?;
        Ok(Reach::new(&found.impact, Some(seen.revision), reached, warnings))
    }

    fn people(&self, impact: &Impact) -> String {
        let mut text =
            format!("{} since {}\n", count(impact.changes.len(), "changed file"), impact.merge_base.short());
        let units = |units: &[AffectedUnit]| {
            units.iter().map(|it| Listed::new(&it.id, &it.reasons, it.chains_left_out)).collect::<Vec<_>>()
        };
        let modules = |modules: &[AffectedModule]| {
            modules
                .iter()
                .map(|it| Listed::new(&it.path, &it.reasons, it.chains_left_out))
                .collect::<Vec<_>>()
        };
        let stack_units = |units: &[AffectedStackUnit]| {
            units.iter().map(|it| Listed::new(&it.id, &it.reasons, None)).collect::<Vec<_>>()
        };
        let cases = impact.cases.iter().map(|it| Listed::new(&it.id, &it.reasons, it.chains_left_out));
        self.list(&mut text, "modules", "", modules(&impact.modules));
        self.list(&mut text, "units", &by_environment(&impact.units), units(&impact.units));
        self.list(&mut text, "test cases", "", cases.collect());
        self.list(&mut text, "removed modules", "", modules(&impact.removed_modules));
        self.list(
            &mut text,
            "removed units",
            &by_environment(&impact.removed_units),
            units(&impact.removed_units),
        );
        self.list(&mut text, "units of stacks", "", stack_units(&impact.stack_units));
        self.list(&mut text, "removed units of stacks", "", stack_units(&impact.removed_stack_units));
        if self.dependents {
            self.list(
                &mut text,
                "dependents",
                &by_environment(&impact.dependents),
                units(&impact.dependents),
            );
        } else if !impact.dependents.is_empty() {
            let _ = writeln!(
                text,
                "{} only outputs (--dependents)",
                match impact.dependents.len() {
                    1 => "1 unit consumes".to_owned(),
                    number => format!("{number} units consume"),
                }
            );
        }
        for warning in &impact.warnings {
            let _ = writeln!(text, "warning: {warning}");
        }
        text
    }

    /// A list of things with their reasons; of many, the first, each with its shortest reason in one line.
    fn list(&self, text: &mut String, title: &str, note: &str, things: Vec<Listed>) {
        if things.is_empty() {
            return;
        }
        let _ = writeln!(text, "{title} ({}{note}):", things.len());
        let shown = self.shown();
        for Listed { name, reasons, chains_left_out } in things.iter().take(shown) {
            if things.len() <= shown {
                let _ = write!(text, "  {name}\n{}", people::reasons(reasons));
                if chains_left_out.is_some() {
                    let _ = writeln!(text, "      {}", people::chains_left_out(*chains_left_out));
                }
            } else {
                let why = reasons.first().map(|reason| reason.text.as_str()).unwrap_or_default();
                let _ = writeln!(
                    text,
                    "  {name}: {}",
                    why.strip_prefix(name.as_str()).unwrap_or(why).trim_start()
                );
            }
        }
        if let Some(more) = things.len().checked_sub(shown).filter(|more| *more > 0) {
            let _ = writeln!(text, "  and {more} more (--limit 0 shows all)");
        }
    }

    fn people_of_why(&self, why: &Why) -> String {
        let mut text = String::new();
        let what = |name: &str| name.replace('_', " ");
        let mut kinds: Vec<&str> = why.things.iter().map(|thing| thing.what.as_str()).collect();
        kinds.dedup();
        for kind in kinds {
            let things = why.things.iter().filter(|thing| thing.what == kind);
            let things = things.map(|it| Listed::new(&it.name, &it.reasons, it.chains_left_out));
            self.list(&mut text, &format!("affected: {}", what(kind)), "", things.collect());
        }
        if !why.affected {
            let _ = write!(text, "{} is not affected\n{}", why.asked, people::reasons(&why.reasons));
        }
        text
    }

    fn people_of_reach(&self, reach: &Reach) -> String {
        let mut text = String::new();
        let things = reach.reached.iter();
        let things = things.map(|it| Listed::new(&format!("{} {}", it.unit, pin(it)), &it.reasons, None));
        self.list(&mut text, "units that are reached", "", things.collect());
        if reach.reached.is_empty() {
            text += "no unit of the live repository is reached\n";
        }
        for warning in &reach.warnings {
            let _ = writeln!(text, "warning: {warning}");
        }
        text
    }
}

/// At which ref a unit stands, and when it gets the change.
fn pin(reached: &Reached) -> String {
    let pinned = reached.pinned.as_deref().unwrap_or_default();
    match (reached.when, reached.is_newest, &reached.newest) {
        (ReachedWhen::Merged, ..) => "(follows trunk: as soon as this is merged)".to_owned(),
        (ReachedWhen::Released, ..) => format!("({pinned}: once it is released, if that allows it)"),
        (_, Some(true), _) => format!("({pinned}, the newest: once it is raised)"),
        (_, Some(false), Some(newest)) => format!("({pinned}, behind {newest}: once it is raised)"),
        _ => format!("({pinned}: once it is raised)"),
    }
}

fn by_environment(units: &[AffectedUnit]) -> String {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for environment in units.iter().filter_map(|unit| unit.environment.as_ref()) {
        *numbers.entry(environment.to_string()).or_default() += 1;
    }
    let named: Vec<String> = numbers.iter().map(|(name, number)| format!("{number} in {name}")).collect();
    if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) }
}

fn people_of_scope(scope: &Scope) -> String {
    let number = |number: u64, what: &str| count(usize::try_from(number).unwrap_or(usize::MAX), what);
    let mut parts = vec![
        number(scope.files, "file"),
        number(scope.modules, "module"),
        number(scope.units, "unit"),
        number(scope.cases, "test case"),
    ];
    if scope.removed > 0 {
        parts.push(format!("{} removed", scope.removed));
    }
    if !scope.environments.is_empty() {
        let names: Vec<String> = scope.environments.iter().map(ToString::to_string).collect();
        parts.push(format!("in {}", names.join(", ")));
    }
    if scope.depth > 0 {
        parts.push(format!("up to {} away", number(scope.depth, "reference")));
    }
    if let Some(widest) = &scope.widest {
        parts.push(format!("{} touches {}", widest.module, number(widest.things, "other")));
    }
    if let Some(branch) = scope.branch {
        let commits = number(branch.ahead, "commit");
        parts.push(format!(
            "a branch of {commits}, {} behind, {} old",
            branch.behind,
            number(branch.days, "day")
        ));
    }
    format!("scope: {}\n{}", parts.join(", "), people::reasons(&scope.warnings))
}
