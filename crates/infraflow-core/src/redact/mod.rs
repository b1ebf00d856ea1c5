//! Secrets out of logs and plans, whatever the chunking.
//!
//! A [`Redactor`] takes a log in chunks and gives it back without the secrets. [`SecretRedactor`] knows
//! them by value, from the sensitive marks of a plan or the credentials a tool was given:
//!
//! ```
//! use infraflow_core::redact::{Redactor, SecretRedactor, Secrets};
//! let mut secrets = Secrets::new();
//! secrets.add("random_password.admin.result", "correct horse");
//! let redactor = SecretRedactor::new(&secrets)?;
//! let mut redaction = redactor.start();
//! let mut shown = Vec::new();
//! for chunk in ["password: cor", "rect\u{1b}[0m horse, and Y29ycmVjdCBob3JzZQ=="] {
//!     redaction.push(chunk.as_bytes(), &mut shown);
//! }
//! let report = redaction.finish(&mut shown);
//! assert_eq!(String::from_utf8_lossy(&shown), "password: (redacted)\u{1b}[0m, and (redacted)");
//! assert_eq!(report.places(), 2);
//! # Ok::<(), infraflow_core::redact::RedactError>(())
//! ```
//!
//! # What is found
//! A log is looked at in three ways at once: as its bytes; as what a terminal shows, without escape
//! sequences; and as that without white space, the marks of a diff (`+`, `-`, `~`) and the frame of an
//! error message (`│`) at the beginning of a line. So a secret is found however the log is cut into
//! chunks, coloured within, wrapped, or indented over several lines.
//!
//! Readers differ in what they take for an escape sequence: a terminal takes `a` after ESC for one, and a
//! viewer that knows colours alone shows it. So each sequence, and what began one and was cut short, is
//! read both ways, dropped whole and with only its ESC dropped; and a string that a terminal takes for
//! itself (a title, a link) is looked at, and dropped as well. A secret that any of these readings shows
//! is found.
//!
//! It is looked for as it is, and
//! - escaped as in JSON (once and twice, as Go, Python and JavaScript do it), HCL, Go, XML and shells;
//! - percent-encoded;
//! - in hexadecimal;
//! - in base64 (both alphabets), alone or anywhere within something longer, as in `Basic` credentials;
//! - line by line, where it has several.
//!
//! # Limitations
//! - A secret shorter than four bytes ([`SHORTEST`]), `true`, `false`, `null` and `none` are not looked
//!   for, and a line of a longer secret only from eight bytes on: the report names what was left alone.
//! - White space within is passed over only for secrets that have at least twelve other bytes, or several
//!   lines: `m ain` is not taken for `main`.
//! - More than 1,024 bytes of escape sequences or white space between two bytes of a secret hide it.
//! - Of the readings, 32 are followed at once. There are as many only where escape sequences that spell out
//!   parts of secrets follow each other closely.
//! - Other control characters are text: what a backspace or a NUL between two bytes of a secret does on a
//!   terminal is not known.
//! - What was compressed, encrypted, hashed, reversed or otherwise computed from a secret is not known to
//!   come from it. Nothing stops a program that means to leak.
//! - That something was redacted, and where, shows.

mod error;
mod forms;
mod held;
mod reading;
mod redactor;
mod running;
mod secret_redactor;
mod secrets;
mod text;

pub use error::RedactError;
pub use redactor::{LeftAlone, Redacted, Redaction, RedactionReport, Redactor, WhyLeftAlone};
pub use secret_redactor::{MARK, SecretRedactor};
pub use secrets::{SHORTEST, Secrets};
