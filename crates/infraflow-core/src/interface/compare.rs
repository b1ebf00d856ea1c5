use super::{Interface, InterfaceChange, InterfaceRules, addresses, outputs, requirements, variables};
use crate::proof::Link;

/// Names a rule of `rules.toml`; a test reads these names and holds them against the file.
macro_rules! rule {
    ($name:literal) => {
        $name
    };
}
pub(super) use rule;

impl Interface {
    /// What changed for those who call the module, by the crate's rules; the gravest first.
    pub fn compare(old: &Self, new: &Self) -> Vec<InterfaceChange> {
        Self::compare_by(&InterfaceRules::defaults(), old, new)
    }

    /// What changed for those who call the module, by rules of your own.
    pub fn compare_by(rules: &InterfaceRules, old: &Self, new: &Self) -> Vec<InterfaceChange> {
        let mut found = Found { rules, changes: Vec::new() };
        variables::compare(old, new, &mut found);
        outputs::compare(old, new, &mut found);
        requirements::compare(old, new, &mut found);
        addresses::compare(old, new, &mut found);
        found.changes.sort();
        found.changes.dedup();
        found.changes
    }
}

/// Where the comparisons put what they find.
pub(super) struct Found<'a> {
    rules: &'a InterfaceRules,
    changes: Vec<InterfaceChange>,
}

impl Found<'_> {
    pub(super) fn add(&mut self, rule: &str, link: Link, text: String) {
        self.push(rule, link, text, false);
    }

    /// A change that only calls with certain values notice.
    pub(super) fn add_for_some(&mut self, rule: &str, link: Link, text: String) {
        self.push(rule, link, text, true);
    }

    fn push(&mut self, rule: &str, link: Link, text: String, value_dependent: bool) {
        self.changes.push(InterfaceChange {
            severity: self.rules.severity(rule),
            rule: rule.to_owned(),
            subject: link.reference.clone(),
            text,
            value_dependent,
            link,
        });
    }
}
