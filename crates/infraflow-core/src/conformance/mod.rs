//! Test suites that anyone's implementation of a trait can run.
//!
//! Each function holds an implementation against the numbered contract in its trait's documentation, and
//! says which numbers it breaks. What only a reader can check (that nothing is logged, that memory is
//! bounded) is left to the reader, and named in the function's documentation.
//!
//! ```
//! # #[cfg(feature = "conformance")] {
//! use infraflow_core::{conformance, redact::{Secrets, SecretRedactor}};
//! let violations = conformance::redactor(|name, secret| {
//!     let mut secrets = Secrets::new();
//!     secrets.add(name, secret);
//!     Box::new(SecretRedactor::new(&secrets).unwrap())
//! });
//! assert_eq!(violations, []);
//! # }
//! ```

mod change_detector;
mod dialect;
mod dialect_files;
mod redactor;
mod sealer;
mod test_selector;
mod violation;

pub use change_detector::change_detector;
pub use dialect::dialect;
pub use redactor::redactor;
pub use sealer::sealer;
pub use test_selector::test_selector;
pub use violation::Violation;
