use std::sync::{Arc, Mutex, PoisonError};

use super::{Event, Happening, Outcome, Stage};

/// Receives what happens, as it happens.
///
/// # Contract
/// 1. `event` returns quickly and does not block: it is called from the middle of the work.
/// 2. It may be called from several threads at once.
/// 3. It does not panic, and nothing it does changes what the caller does next.
/// 4. For one stage and subject, `Started` comes first and `Finished` last, each at most once a run.
pub trait Observer: Send + Sync {
    /// Takes note of an event.
    fn event(&self, event: &Event);
}

impl dyn Observer + '_ {
    /// Says that a stage began with a subject.
    pub fn started(&self, stage: Stage, subject: &str) {
        self.say(stage, subject, Happening::Started);
    }

    /// Says that a stage ended with a subject.
    pub fn finished(&self, stage: Stage, subject: &str, outcome: Outcome) {
        self.say(stage, subject, Happening::Finished(outcome));
    }

    /// Says a sentence without secrets.
    pub fn note(&self, stage: Stage, subject: &str, text: impl Into<String>) {
        self.say(stage, subject, Happening::Note(text.into()));
    }

    /// Warns of something, in a sentence without secrets.
    pub fn warning(&self, stage: Stage, subject: &str, text: impl Into<String>) {
        self.say(stage, subject, Happening::Warning(text.into()));
    }

    fn say(&self, stage: Stage, subject: &str, happening: Happening) {
        self.event(&Event { stage, subject: subject.to_owned(), happening });
    }
}

impl<T: Observer + ?Sized> Observer for Arc<T> {
    fn event(&self, event: &Event) {
        (**self).event(event);
    }
}

/// Takes no note of anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event) {}
}

/// Keeps every event, in the order in which they came.
#[derive(Debug, Default)]
pub struct Collected(Mutex<Vec<Event>>);

impl Collected {
    /// What happened so far.
    pub fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Collected {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_kept_in_order() {
        let collected = Collected::default();
        let observer: &dyn Observer = &collected;
        observer.started(Stage::Detect, "a");
        observer.finished(Stage::Detect, "a", Outcome::Done);
        let happenings: Vec<_> = collected.events().into_iter().map(|e| e.happening).collect();
        assert_eq!(happenings, [Happening::Started, Happening::Finished(Outcome::Done)]);
    }
}
