//! What a change touches, in a repository that holds more than the crate's dialects read: `compose.rs` beside this is a
//! dialect of Docker Compose, written outside of the crate. Copy both, and write your own.

mod compose;

use std::{fmt::Write as _, process::ExitCode, sync::Arc};

use clap::Parser;
use infraflow_core::{
    catalog::standard_dialects,
    impact::{Impact, ReasonsFor},
};
use infraflow_examples::{Answer, Changes, Output, main_of, people};

/// Says what a change touches, and why, with Docker Compose among what is understood.
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
    main_of(|| {
        let mut dialects = standard_dialects();
        dialects.push(Arc::new(compose::Compose));
        let found = options.changes.find_by(&dialects, ReasonsFor::default())?;
        options.output.print(&found.impact, told)?;
        Ok(Answer::Done)
    })
}

fn told(impact: &Impact) -> String {
    let mut text = String::new();
    let units = impact.units.iter().map(|unit| (&unit.dialect, unit.id.to_string(), &unit.reasons));
    let modules = impact.modules.iter().map(|it| (&it.dialect, it.path.to_string(), &it.reasons));
    for (dialect, name, reasons) in units.chain(modules) {
        let _ = write!(text, "{name} ({dialect})\n{}", people::reasons(reasons));
    }
    for warning in &impact.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    text
}
