//! The summary of a dry run, in clear: made of what it says without values, each word through a redactor.

use std::{collections::BTreeMap, fmt::Write as _};

use super::plain::{code, fenced, plain};
use crate::{
    dry_run::{DryRun, UnitDryRun, UnitOutcome},
    redact::{Redacted, RedactionReport, Redactor},
    store::Key,
    terraform::plan::{Action, Actions, ChangeSummary, Counts, PlanSummary, Replacement},
};

/// How many changes of a unit are listed. The rest is counted: a comment on a change request has a limit
/// (GitHub's is 65,536 characters).
const MOST_LINES: usize = 60;
/// How many units are told of one by one.
const MOST_UNITS: usize = 50;

/// A dry run in words.
#[derive(Debug)]
pub(super) struct Summary {
    headline: String,
    units: Vec<UnitSummary>,
    pub(super) redaction: RedactionReport,
}

/// One unit in words.
#[derive(Debug)]
pub(super) struct UnitSummary {
    name: String,
    /// `changes: 1 to create`.
    says: String,
    counts: Counts,
    lines: Vec<String>,
    /// Where the sealed log is to be found.
    manifest: Option<Key>,
}

impl Summary {
    /// The summary of a dry run; `place` says where the log of a unit is published.
    pub(super) fn of(
        dry_run: &DryRun,
        redactor: &dyn Redactor,
        place: impl Fn(&UnitDryRun) -> Option<Key>,
    ) -> Self {
        let mut words = Words { redactor, found: BTreeMap::new(), report: RedactionReport::default() };
        let told = dry_run.units.iter().filter(|unit| unit.outcome != UnitOutcome::Skipped);
        let units: Vec<_> = told.clone().map(|unit| UnitSummary::of(unit, &mut words, place(unit))).collect();
        let changing = told.clone().filter(|unit| unit.has_changes()).count();
        let failed = told.clone().filter(|unit| unit.outcome == UnitOutcome::Error).count();
        let skipped = dry_run.units.len() - units.len();
        let mut headline = format!("dry run{}: ", commits(dry_run));
        let _ = write!(headline, "{changing} of {} units would change", units.len());
        if failed > 0 {
            let _ = write!(headline, ", {failed} could not be planned");
        }
        if skipped > 0 {
            let _ = write!(headline, ", {skipped} skipped");
        }
        Self { headline, units, redaction: words.report() }
    }

    /// For a terminal.
    pub(super) fn text(&self) -> String {
        let mut out = format!("{}\n", self.headline);
        for unit in self.units.iter().take(MOST_UNITS) {
            out.push_str(&unit.text());
        }
        if let Some(more) = self.units.len().checked_sub(MOST_UNITS + 1) {
            let _ = writeln!(out, "… and {} units more", more + 1);
        }
        out
    }

    /// For a comment on a change request.
    pub(super) fn markdown(&self) -> String {
        // The first line lets a forge's client find its own comment again.
        let mut out = format!("<!-- infraflow:dry_run -->\n### {}\n", capital(&self.headline));
        if !self.units.is_empty() {
            out.push_str(
                "\n| unit | create | update | replace | delete | other |\n|---|--:|--:|--:|--:|--:|\n",
            );
        }
        for unit in self.units.iter().take(MOST_UNITS) {
            let counts = unit.counts;
            let other = counts.read + counts.import + counts.forget + counts.r#move;
            let row = [counts.create, counts.update, counts.replace, counts.delete, other];
            let row: Vec<_> = row.iter().map(u64::to_string).collect();
            let _ = writeln!(out, "| {} | {} |", code(&unit.name), row.join(" | "));
        }
        for unit in self.units.iter().take(MOST_UNITS) {
            out.push('\n');
            out.push_str(&unit.markdown());
        }
        if let Some(more) = self.units.len().checked_sub(MOST_UNITS + 1) {
            let _ = write!(out, "\n… and {} units more\n", more + 1);
        }
        out
    }

    /// The only unit of it.
    pub(super) fn into_units(self) -> Vec<UnitSummary> {
        self.units
    }
}

impl UnitSummary {
    fn of(unit: &UnitDryRun, words: &mut Words<'_>, manifest: Option<Key>) -> Self {
        let mut name = plain(&unit.id.to_string());
        if let Some(environment) = &unit.environment {
            let _ = write!(name, " ({environment})");
        }
        let says = match unit.outcome {
            UnitOutcome::NoChanges => "no changes".to_owned(),
            UnitOutcome::Changes if unit.counts.is_zero() => "changes to outputs or state only".to_owned(),
            UnitOutcome::Changes => counted(unit.counts),
            UnitOutcome::Error => "could not be planned".to_owned(),
            UnitOutcome::Skipped => "skipped".to_owned(),
        };
        let mut lines = Vec::new();
        if unit.mocked {
            lines.push("an input was a mock: this plan cannot be approved".to_owned());
        }
        if let Some(plan) = &unit.plan {
            lines.extend(changes(plan, words));
        }
        for drift in &unit.drift {
            let path = if drift.path.is_whole() { String::new() } else { format!(" {}", drift.path) };
            lines.push(words.say(&format!("drift: {}{path}", drift.address)));
        }
        if matches!(unit.outcome, UnitOutcome::Error) {
            for reason in &unit.reasons {
                lines.extend(reason.text.lines().map(|line| words.say(line)));
            }
        }
        let more = lines.len().saturating_sub(MOST_LINES);
        if more > 0 {
            lines.truncate(MOST_LINES);
            lines.push(format!("… and {more} more, in the sealed log"));
        }
        Self { name, says, counts: unit.counts, lines, manifest }
    }

    pub(super) fn text(&self) -> String {
        let mut out = format!("{}: {}\n", self.name, self.says);
        for line in &self.lines {
            let _ = writeln!(out, "  {line}");
        }
        if let Some(manifest) = &self.manifest {
            let _ = writeln!(out, "  sealed log: {manifest}");
        }
        out
    }

    pub(super) fn markdown(&self) -> String {
        let mut out = format!("**{}**: {}\n", code(&self.name), self.says);
        if !self.lines.is_empty() {
            let _ = write!(out, "\n{}", fenced(&self.lines.join("\n")));
        }
        if let Some(manifest) = &self.manifest {
            let _ = write!(out, "\nSealed log: {}\n", code(manifest.as_str()));
        }
        out
    }
}

/// Lets words through a redactor, and counts what it found.
struct Words<'a> {
    redactor: &'a dyn Redactor,
    found: BTreeMap<String, u64>,
    report: RedactionReport,
}

impl Words<'_> {
    fn say(&mut self, text: &str) -> String {
        let (text, report) = self.redactor.redact_text(text);
        for redacted in report.redacted {
            *self.found.entry(redacted.name).or_default() += redacted.count;
        }
        self.report.left_alone = report.left_alone;
        plain(&text)
    }

    fn report(mut self) -> RedactionReport {
        let found = std::mem::take(&mut self.found);
        self.report.redacted = found.into_iter().map(|(name, count)| Redacted { name, count }).collect();
        self.report
    }
}

fn changes(plan: &PlanSummary, words: &mut Words<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for change in &plan.changes {
        lines.push(words.say(&line(change)));
    }
    for change in &plan.deferred {
        lines.push(words.say(&format!("put off: {}", change.address)));
    }
    for output in &plan.outputs {
        lines.push(words.say(&format!("{:<3} output.{}", mark(&output.actions), output.name)));
    }
    lines
}

fn line(change: &ChangeSummary) -> String {
    let mut line = format!("{:<3} {}", mark(&change.actions), change.address);
    if let Some(previous) = &change.previous_address {
        let _ = write!(line, " (was {previous})");
    }
    if change.import {
        line.push_str(" (import)");
    }
    let join = |paths: &[_]| paths.iter().map(ToString::to_string).collect::<Vec<String>>().join(", ");
    let forced: Vec<_> = change.forced_by.iter().filter(|path| !path.is_whole()).cloned().collect();
    let attributes: Vec<_> = change.attributes.iter().filter(|path| !path.is_whole()).cloned().collect();
    if !forced.is_empty() {
        let _ = write!(line, " forced by {}", join(&forced));
    } else if change.actions.contains(&Action::Update) && !attributes.is_empty() {
        let _ = write!(line, ": {}", join(&attributes));
    }
    line
}

/// The mark that terraform sets before a resource.
fn mark(actions: &Actions) -> &'static str {
    match actions.replacement() {
        Some(Replacement::DeleteFirst) => return "-/+",
        Some(Replacement::CreateFirst) => return "+/-",
        Some(_) => return "+/.",
        None => {}
    }
    let marks = [
        (Action::Create, "+"),
        (Action::Update, "~"),
        (Action::Delete, "-"),
        (Action::Read, "<="),
        (Action::Forget, "."),
    ];
    marks.into_iter().find(|(action, _)| actions.contains(action)).map_or("", |(_, mark)| mark)
}

/// `1 to create, 2 to replace`.
fn counted(counts: Counts) -> String {
    let all = [
        (counts.create, "create"),
        (counts.update, "update"),
        (counts.replace, "replace"),
        (counts.delete, "delete"),
        (counts.read, "read"),
        (counts.import, "import"),
        (counts.forget, "forget"),
        (counts.r#move, "move"),
    ];
    let some = all.iter().filter(|(count, _)| *count > 0);
    some.map(|(count, what)| format!("{count} to {what}")).collect::<Vec<_>>().join(", ")
}

/// ` of 4b825dc642cb`, where all units were planned at one revision.
fn commits(dry_run: &DryRun) -> String {
    let mut revisions: Vec<_> = dry_run.units.iter().map(|unit| unit.commit).collect();
    revisions.dedup();
    match revisions[..] {
        [revision] if revision.is_working_tree() => {
            format!(" of the working tree on {:.12}", revision.commit().to_string())
        }
        [revision] => format!(" of {:.12}", revision.commit().to_string()),
        _ => String::new(),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
