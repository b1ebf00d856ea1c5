//! What variables are given, with what their types have for members that are left out.

use std::collections::BTreeSet;

use super::settle::Default;
use crate::terraform::facts::{Lacking, StaticValue, Step};

/// The name under which stands, beside the default of a variable, what its type has for members that are left out: an
/// object of them, or what is not known where collections of such objects are a part of it.
pub(super) fn filling(name: &str) -> String {
    format!("{name}?")
}

/// The names of all that stands beside each other of variables.
pub(super) fn names_of_defaults(variables: &BTreeSet<&str>) -> BTreeSet<String> {
    variables.iter().flat_map(|name| [(*name).to_owned(), filling(name)]).collect()
}

/// What is known of a variable where it is declared.
pub(super) struct Filled<'d> {
    default: Option<&'d StaticValue>,
    filling: Option<&'d StaticValue>,
}

impl<'d> Filled<'d> {
    pub(super) fn of(name: &str, default: &Default<'d>) -> Self {
        Self { default: default(name), filling: default(&filling(name)) }
    }

    /// What is taken out of its default.
    pub(super) fn default(&self, steps: &[Step]) -> Option<StaticValue> {
        let missing = self.filling.is_some_and(|filling| !matches!(filling, StaticValue::Object(_)));
        Some(self.default?.taken_or(steps, Lacking { missing, null: false }))
    }

    /// What is taken out of a value that it is given.
    pub(super) fn taken(&self, value: &StaticValue, steps: &[Step]) -> StaticValue {
        // A variable that is never null takes its default then.
        if *value == StaticValue::Null
            && let Some(default) = self.default(steps)
        {
            return StaticValue::one_of(vec![StaticValue::Null, default]);
        }
        match self.filling {
            Some(filling @ StaticValue::Object(_)) => {
                taken_with(value, Some(filling), steps, Lacking::default())
            }
            // A set's order is its own.
            Some(StaticValue::Many(_)) if matches!(value, StaticValue::List(_)) => {
                value.clone().unordered().taken_or(steps, Lacking { missing: true, null: true })
            }
            filling => {
                let unknown = filling.is_some();
                taken_with(value, self.default, steps, Lacking { missing: unknown, null: unknown })
            }
        }
    }
}

/// What is taken out of a value with what it leaves out.
fn taken_with(
    value: &StaticValue,
    others: Option<&StaticValue>,
    steps: &[Step],
    lacking: Lacking,
) -> StaticValue {
    // What is no object has no members to leave out.
    let (StaticValue::Object(members), Some(others @ StaticValue::Object(left_out))) = (value, others) else {
        return value.taken_or(steps, lacking);
    };
    // Of large objects only what is taken out is copied.
    if let [Step::Member(name), rest @ ..] = steps {
        let member = members.iter().rev().find(|(member, _)| member == name);
        let other = left_out.iter().find(|(member, _)| member == name);
        match (member, other) {
            // Null is left out too.
            (None | Some((_, StaticValue::Null)), Some((_, other))) => return other.taken_or(rest, lacking),
            (Some((_, member)), other) if *member != StaticValue::Null => {
                return taken_with(member, other.map(|(_, other)| other), rest, lacking);
            }
            _ => {}
        }
    }
    value.clone().with_members_left_out(others).taken_or(steps, lacking)
}
