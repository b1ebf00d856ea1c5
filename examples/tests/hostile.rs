//! Repositories that somebody made to stop whoever reads them: `affected` answers, or says why not, in bounded
//! time and memory, and never answers "nothing" where it did not understand.
#![allow(clippy::unwrap_used, clippy::print_stderr, unreachable_pub)]

#[path = "../../crates/infraflow-core/tests/it/fixture.rs"]
mod fixture;

#[path = "hostile/bombs.rs"]
mod bombs;
#[path = "hostile/crowds.rs"]
mod crowds;
#[path = "hostile/import.rs"]
mod import;
#[path = "hostile/names.rs"]
mod names;
#[path = "hostile/objects.rs"]
mod objects;

const BACKEND: &str = "terraform {\n  backend \"local\" {}\n}\n";

/// A unit that calls a module.
fn unit(source: &str) -> String {
    format!("{BACKEND}module \"m\" {{\n  source = \"{source}\"\n}}\n")
}
