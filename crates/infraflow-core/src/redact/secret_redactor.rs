use std::{collections::BTreeMap, fmt, sync::Arc};

use aho_corasick::{
    Anchored, MatchKind,
    automaton::{Automaton as _, StateID},
    nfa::contiguous::NFA,
};

use super::{
    LeftAlone, RedactError, Redaction, Redactor, Secrets,
    forms::{Wherever, forms},
    held::NAME_SHIFT,
    running::Running,
};

/// What stands where a secret stood.
pub const MARK: &str = "(redacted)";

/// Looks for secrets by value, in all their forms at once: the default [`Redactor`].
#[derive(Clone)]
pub struct SecretRedactor(Arc<Known>);

/// What is looked for. It is shared by all redactions.
pub(super) struct Known {
    pub(super) automaton: NFA,
    pub(super) start: StateID,
    /// For each state of the automaton, how many bytes of a pattern have been seen.
    depths: Vec<u16>,
    /// For each pattern of the automaton.
    pub(super) patterns: Vec<Pattern>,
    /// The secrets' names, sorted.
    pub(super) names: Vec<String>,
    pub(super) left_alone: Vec<LeftAlone>,
}

impl Known {
    /// How many bytes of a pattern have been seen in a state: the most that a match under way may have.
    pub(super) fn depth(&self, state: StateID) -> usize {
        self.depths.get(state.as_usize()).copied().unwrap_or(0).into()
    }
}

#[derive(Clone, Copy)]
pub(super) struct Pattern {
    pub(super) length: usize,
    pub(super) secret: u32,
    pub(super) shown: bool,
    pub(super) solid: bool,
}

/// For each state that some pattern leads to, how many bytes it took.
fn depths<'a>(automaton: &NFA, start: StateID, patterns: impl Iterator<Item = &'a Vec<u8>>) -> Vec<u16> {
    let mut depths = Vec::new();
    for pattern in patterns {
        let mut state = start;
        for (&byte, depth) in pattern.iter().zip(1_u16..) {
            state = automaton.next_state(Anchored::No, state, byte);
            if depths.len() <= state.as_usize() {
                depths.resize(state.as_usize() + 1, 0);
            }
            depths[state.as_usize()] = depth;
        }
    }
    depths
}

impl SecretRedactor {
    /// Prepares to look for secrets.
    ///
    /// # Errors
    /// [`RedactError::TooMany`] where they make too large an automaton (gigabytes of secrets).
    pub fn new(secrets: &Secrets) -> Result<Self, RedactError> {
        let mut named: Vec<(&str, &[u8])> = secrets.iter().collect();
        named.sort();
        let mut found: BTreeMap<Vec<u8>, Pattern> = BTreeMap::new();
        for (index, (_, value)) in named.iter().enumerate() {
            let secret = u32::try_from(index).unwrap_or(u32::MAX >> NAME_SHIFT);
            for form in forms(value) {
                let length = form.bytes.len();
                let pattern =
                    found.entry(form.bytes).or_insert(Pattern { length, secret, shown: false, solid: false });
                match form.wherever {
                    Wherever::Shown => pattern.shown = true,
                    Wherever::Solid => pattern.solid = true,
                }
            }
        }
        let too_many = |why: String| RedactError::TooMany {
            secrets: named.len(),
            bytes: named.iter().map(|(_, value)| value.len()).sum(),
            why,
        };
        let automaton = NFA::builder()
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(found.keys())
            .map_err(|error| too_many(error.to_string()))?;
        let start = automaton.start_state(Anchored::No).map_err(|error| too_many(error.to_string()))?;
        Ok(Self(Arc::new(Known {
            depths: depths(&automaton, start, found.keys()),
            automaton,
            start,
            patterns: found.into_values().collect(),
            names: named.iter().map(|&(name, _)| name.to_owned()).collect(),
            left_alone: secrets.left_alone(),
        })))
    }
}

impl fmt::Debug for SecretRedactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretRedactor").field(&self.0.names).finish()
    }
}

impl Redactor for SecretRedactor {
    fn start(&self) -> Box<dyn Redaction> {
        Box::new(Running::new(self.0.clone()))
    }
}
