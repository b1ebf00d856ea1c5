//! Secrets out of logs and plans, whatever the chunking.
//!
//! A [`Redactor`] takes a log in chunks and gives it back without the secrets.

mod redactor;
mod secrets;

pub use redactor::{LeftAlone, Redacted, Redaction, RedactionReport, Redactor, WhyLeftAlone};
pub use secrets::{SHORTEST, Secrets};
