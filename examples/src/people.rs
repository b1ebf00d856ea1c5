//! Results in words, for a person at a terminal.

use std::fmt::Write as _;

use infraflow_core::{
    observe::Stage,
    proof::Reason,
    select::TestPlan,
    terraform::plan::{Counts, PlanSummary},
};

/// A stage's name, as its folder has it.
pub fn stage(stage: Stage) -> String {
    serde_json::to_value(stage).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What would be done to how many resources: `1 to create, 2 to replace`, or `no changes`.
pub fn counts(counts: &Counts) -> String {
    let parts: Vec<String> = [
        (counts.create, "create"),
        (counts.update, "update"),
        (counts.replace, "replace"),
        (counts.delete, "delete"),
        (counts.read, "read"),
        (counts.import, "import"),
        (counts.r#move, "move"),
        (counts.forget, "forget"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| format!("{number} to {what}"))
    .collect();
    if parts.is_empty() { "no changes".into() } else { parts.join(", ") }
}

/// A plan, one line for each change, output and drift; addresses and attribute names only.
pub fn plan(summary: &PlanSummary) -> String {
    let mut text = String::new();
    let mut line = |what: String, of: String| {
        let _ = writeln!(text, "{what:>14}  {of}");
    };
    for change in &summary.changes {
        let forced: Vec<String> = change.forced_by.iter().map(ToString::to_string).collect();
        let why =
            if forced.is_empty() { String::new() } else { format!(" (forced by {})", forced.join(", ")) };
        line(change.actions.to_string(), format!("{}{why}", change.address));
    }
    for output in &summary.outputs {
        line(output.actions.to_string(), format!("output.{}", output.name));
    }
    for drift in &summary.drift {
        line("drifted".into(), format!("{} {}", drift.address, drift.path));
    }
    let _ = writeln!(text, "{}", counts(&summary.counts));
    text
}

/// So many of something: `1 case`, `2 cases`.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Reasons, indented, each with the chain that leads to a byte in a file.
pub fn reasons(reasons: &[Reason]) -> String {
    reasons_within(reasons, usize::MAX)
}

/// The same, with at most so many links of each chain: for a reason that names files side by side.
pub fn reasons_within(reasons: &[Reason], most: usize) -> String {
    let mut text = String::new();
    for reason in reasons {
        let _ = writeln!(text, "      {}: {}", reason.rule, reason.text);
        for (at, link) in reason.chain.iter().take(most).enumerate() {
            if reason.gap() == Some(at) {
                let _ = writeln!(text, "        … {} more references", reason.links_left_out);
            }
            let _ = writeln!(text, "        {}:{}:{} {}", link.path, link.line, link.column, link.reference);
        }
        if let Some(more) = reason.chain.len().checked_sub(most).filter(|more| *more > 0) {
            let _ = writeln!(text, "        and {more} more");
        }
    }
    text
}

/// What is to be said of the chains of references that are left out of a thing's reasons.
pub fn chains_left_out(number: Option<u64>) -> String {
    match number {
        None => String::new(),
        Some(0) => "perhaps more chains: to look for all takes too long".to_owned(),
        Some(more) => format!("and at least {more} more {}", if more == 1 { "chain" } else { "chains" }),
    }
}

/// A test plan: how the cases are dealt out, which run and why, which are skipped and why.
pub fn tests(plan: &TestPlan) -> String {
    let skipped = plan.skipped.len();
    let are = if skipped == 1 { "is" } else { "are" };
    let run = if plan.cases.len() == 1 { "runs" } else { "run" };
    let mut text = format!("{} {run}, {skipped} {are} skipped\n", count(plan.cases.len(), "case"));
    if let Some(budget) = &plan.budget {
        let _ = writeln!(
            text,
            "budget of {} min: about {} min of work planned, {} (about {} min) left out",
            budget.minutes,
            budget.planned_seconds.div_ceil(60),
            count(budget.left_out, "case"),
            budget.left_out_seconds.div_ceil(60),
        );
    }
    for warning in &plan.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    for (number, shard) in plan.shards.iter().enumerate() {
        let (cases, seconds) = (count(shard.cases.len(), "case"), shard.estimate_seconds);
        let _ = writeln!(text, "  shard {}: {cases}, about {} min", number + 1, seconds.div_ceil(60));
        for id in &shard.cases {
            let Ok(at) = plan.cases.binary_search_by(|case| case.id.cmp(id)) else { continue };
            let case = &plan.cases[at];
            let quarantine = case.quarantine.as_ref().map_or(String::new(), |entry| {
                format!(", in quarantine until {} ({}; {})", entry.until, entry.reason, entry.who)
            });
            let _ = write!(text, "    run {id}{quarantine}\n{}", reasons(&case.reasons));
        }
    }
    for case in &plan.skipped {
        let _ = write!(text, "  skip {}\n{}", case.id, reasons(&case.reasons));
    }
    text
}
