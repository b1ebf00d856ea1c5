//! Integration tests: one binary, a file per stage, real git and real terraform.
#![allow(clippy::unwrap_used, clippy::print_stderr, unreachable_pub)]

mod address;
mod affected_cases;
mod approve;
mod bump;
mod catalog;
mod conformance;
mod deploy;
mod detect;
mod dry_run;
mod endpoints;
mod facts;
mod fixture;
mod forge;
mod git;
mod impact;
mod interface;
mod layers;
mod moved;
mod nature;
mod oracle;
mod pipeline;
mod plans;
mod policy;
mod process;
mod publish;
mod redact;
mod release;
mod rules;
mod sandbox;
mod schemas;
mod seal;
mod select;
mod select_evidence;
mod store;
mod terraform;
