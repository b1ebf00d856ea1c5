//! What a plan means, as one digest: equal for two plans that would do the same, from the same code, with the
//! same tool and variables, whichever machine made them, in whichever folder, and whenever.
//!
//! An approval carries over to another plan exactly where the fingerprints are equal, so what is left out here
//! is what may change behind an approver's back. The digest covers:
//! - each resource change that would do anything: address, actions, the values before and after, what is known
//!   only after apply, what forces a replacement, imports and moves; put-off changes and action invocations;
//! - what outputs become, and the values of the root module's variables;
//! - the [`Closure`]: every file of the unit and of the modules that `init` installed, since provisioners do not
//!   show in resource changes; versions of the tool and of the providers; whether an input was a mock.
//!
//! Sensitive values enter as HMAC under a key of the store: a weak secret cannot be searched for, and plans under
//! different keys do not compare. Left out are:
//! - resources that are left alone, drift, the state's serial, dates, and results of checks;
//! - the value that an output had before: nothing is done to it;
//! - where the files stood: the folder's own path in a value (`abspath`, `path.cwd`) is taken for a fixed word;
//! - the `id` of a `terraform_data`: it is random and names nothing in the world, so wherever it stands it is taken
//!   for the address it belongs to. Ids of real things stay: if another object was put under an address
//!   since, deleting it is another plan.
//!
//! A program that a provisioner runs from outside of the unit's directory and of its modules is not seen.

mod closure;
mod installed;
mod keyed;
mod meaning;

pub use closure::{Closure, ClosureOf};
pub use meaning::fingerprint;
