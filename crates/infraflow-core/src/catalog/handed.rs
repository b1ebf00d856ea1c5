//! What becomes of a read where the scope that has it is called: worked out once for all calls that tell it the same.

use std::{collections::HashMap, sync::Arc};

use crate::terraform::facts::StaticValue;

/// The most values that are kept for other calls. What comes after them is worked out each time.
const MOST_VALUES: usize = 200_000;

/// The values that a read can turn out to have, each by itself.
pub(super) type Values = Arc<[Arc<StaticValue>]>;

/// What calls tell, by number: equal values have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Told(u32);

/// A value that a call passes, with everything filled in that the caller knows.
pub(super) struct Passed {
    pub(super) value: Arc<StaticValue>,
    pub(super) told: Told,
}

/// A read of a scope, and what is told of each variable that it names, in the order of their names; none where
/// nothing is told and the default counts.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Question {
    /// The number of the scope that has the read: its defaults count.
    pub(super) scope: usize,
    read: usize,
    told: Vec<Option<Told>>,
}

/// What was worked out so far.
#[derive(Default)]
pub(super) struct Handed {
    told: HashMap<Arc<StaticValue>, Told>,
    /// With the value of the read itself, so that its place in memory is no other's.
    answers: HashMap<Question, (Arc<StaticValue>, Values)>,
    /// How many values are kept.
    kept: usize,
}

impl Handed {
    /// A value that is passed, known by its number from now on.
    pub(super) fn pass(&mut self, value: StaticValue) -> Passed {
        if let Some((value, told)) = self.told.get_key_value(&value) {
            return Passed { value: Arc::clone(value), told: *told };
        }
        let told = Told(u32::try_from(self.told.len()).unwrap_or(u32::MAX));
        let value = Arc::new(value);
        self.told.insert(Arc::clone(&value), told);
        Passed { value, told }
    }

    /// What a read of a scope turns out to be, known already or worked out now.
    pub(super) fn values(
        &mut self,
        scope: usize,
        read: &Arc<StaticValue>,
        told: Vec<Option<Told>>,
        work_out: impl FnOnce() -> Vec<StaticValue>,
    ) -> Values {
        let question = Question { scope, read: Arc::as_ptr(read) as usize, told };
        if let Some((_, values)) = self.answers.get(&question) {
            return Arc::clone(values);
        }
        let values: Values = work_out().into_iter().map(Arc::new).collect();
        if self.kept < MOST_VALUES {
            self.kept += 1 + values.len();
            self.answers.insert(question, (Arc::clone(read), Arc::clone(&values)));
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> StaticValue {
        StaticValue::Literal(text.into())
    }

    #[test]
    fn equal_calls_are_worked_out_once_and_others_by_themselves() {
        let mut handed = Handed::default();
        let (one, same, other) = (handed.pass(text("a")), handed.pass(text("a")), handed.pass(text("b")));
        assert_eq!(one.told, same.told);
        assert_ne!(one.told, other.told);
        let read = Arc::new(StaticValue::Variable("x".into(), Vec::new()));
        let mut times = 0;
        let mut ask = |scope: usize, told: Option<Told>| {
            let values = handed.values(scope, &read, vec![told], || {
                times += 1;
                vec![text("a")]
            });
            assert_eq!(*values[0], text("a"));
            times
        };
        assert_eq!(ask(0, Some(one.told)), 1);
        assert_eq!(ask(0, Some(same.told)), 1);
        assert_eq!(ask(0, Some(other.told)), 2);
        assert_eq!(ask(0, None), 3);
        assert_eq!(ask(1, None), 4);
        assert_eq!(ask(1, None), 4);
    }

    #[test]
    fn no_more_is_kept_than_the_bound() {
        let mut handed = Handed::default();
        for scope in 0..3 * MOST_VALUES {
            let read = Arc::new(StaticValue::Null);
            handed.values(scope, &read, Vec::new(), || vec![StaticValue::Null]);
        }
        assert!(handed.kept <= MOST_VALUES + 2 && handed.answers.len() <= MOST_VALUES);
    }
}
