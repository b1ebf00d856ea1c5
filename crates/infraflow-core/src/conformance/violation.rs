use std::fmt;

/// A number of a contract that an implementation breaks, and how that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The trait.
    pub of: &'static str,
    /// The number in the trait's `# Contract`.
    pub contract: u32,
    /// What was seen.
    pub seen: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, contract {}: {}", self.of, self.contract, self.seen)
    }
}

/// Violations of one trait, gathered.
pub(super) struct Held {
    of: &'static str,
    violations: Vec<Violation>,
}

impl Held {
    pub(super) fn against(of: &'static str) -> Self {
        Self { of, violations: Vec::new() }
    }

    /// Notes that a number is broken unless `holds`.
    pub(super) fn check(&mut self, contract: u32, holds: bool, seen: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(Violation { of: self.of, contract, seen: seen() });
        }
    }

    pub(super) fn violations(self) -> Vec<Violation> {
        self.violations
    }
}
