//! What a change touches: modules, units and test cases, each with the chain of references that says why.

use std::{fmt::Write as _, process::ExitCode};

use clap::Parser;
use infraflow_core::{impact::Impact, nature};
use infraflow_examples::{Answer, Changes, Output, main_of, people};

/// Says what a change touches, and why: modules whose tests, and units whose plans, can come out
/// differently; what was removed; the nature of the change.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    output: Output,
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_of(async move {
        let found = options.changes.find()?;
        let nature = nature::of(&found.impact, &found.configuration.section()?);
        options.output.print(&found.impact, |impact| {
            format!("{}nature: {:?}\n{}", people(impact), nature.nature, people::reasons(&nature.reasons))
        })?;
        Ok(Answer::Done)
    })
}

fn people(impact: &Impact) -> String {
    let mut text = format!("{} changed files since {}\n", impact.changes.len(), impact.merge_base.short());
    let mut list = |title: &str, things: Vec<(String, &[infraflow_core::proof::Reason])>| {
        if !things.is_empty() {
            let _ = writeln!(text, "{title}:");
        }
        for (name, reasons) in things {
            let _ = write!(text, "  {name}\n{}", people::reasons(reasons));
        }
    };
    list(
        "modules",
        impact.modules.iter().map(|module| (module.path.to_string(), &module.reasons[..])).collect(),
    );
    list("units", impact.units.iter().map(|unit| (unit.id.to_string(), &unit.reasons[..])).collect());
    list("test cases", impact.cases.iter().map(|case| (case.id.to_string(), &case.reasons[..])).collect());
    list(
        "removed modules",
        impact.removed_modules.iter().map(|m| (m.path.to_string(), &m.reasons[..])).collect(),
    );
    list("removed units", impact.removed_units.iter().map(|u| (u.id.to_string(), &u.reasons[..])).collect());
    for warning in &impact.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    text
}
