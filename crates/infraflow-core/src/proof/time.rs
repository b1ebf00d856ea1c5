use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ProofError;

/// A moment, to the second, in UTC; written as RFC 3339 (`2026-01-31T12:00:00Z`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// The moment `seconds` after 1970-01-01T00:00:00Z. Moments that no calendar holds are clamped.
    pub fn from_unix(seconds: i64) -> Self {
        let range = jiff::Timestamp::MIN.as_second()..=jiff::Timestamp::MAX.as_second();
        let seconds = seconds.clamp(*range.start(), *range.end());
        Self(jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.0.as_second()
    }

    /// Reads RFC 3339; fractions of a second are dropped.
    ///
    /// # Errors
    /// [`ProofError::NotATime`].
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        text.parse::<jiff::Timestamp>()
            .map(|at| Self::from_unix(at.as_second()))
            .map_err(|error| ProofError::NotATime { text: text.to_owned(), why: error.to_string() })
    }

    /// This moment and so much later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self::from_unix(self.unix().saturating_add(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Timestamp> for String {
    fn from(at: Timestamp) -> Self {
        at.to_string()
    }
}

impl TryFrom<String> for Timestamp {
    type Error = ProofError;
    fn try_from(text: String) -> Result<Self, ProofError> {
        Self::parse(&text)
    }
}

/// Where the time comes from. Injected, so that a run with fixed dates has the same digests every time.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339() {
        let at = Timestamp::from_unix(1_769_860_800);
        assert_eq!(at.to_string(), "2026-01-31T12:00:00Z");
        assert_eq!(Timestamp::parse("2026-01-31T13:00:00.5+01:00").unwrap(), at);
        assert!(Timestamp::parse("yesterday").is_err());
    }
}
