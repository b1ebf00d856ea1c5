use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::CaseId,
    policy::{PathPattern, Section},
    proof::{RepoPath, Timestamp},
};

/// How test cases are chosen: the section `[select]` of `infraflow.toml`. The defaults stand, with their
/// meaning, in [`Configuration::defaults_text`](crate::policy::Configuration::defaults_text).
///
/// It is read from trunk, as every rule by which a change is judged: a change does not quarantine its own
/// tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SelectRules {
    /// How long a case is taken to run that no record knows, in minutes.
    pub unknown_minutes: u64,
    /// For how many days a failure counts as recent.
    pub failed_days: u64,
    /// For how many days a run that passed proves its content.
    pub green_days: u64,
    /// For how many days records are read.
    pub history_days: u64,
    /// Which references to modules outside the repository name content that stays.
    pub immutable: Immutable,
    /// Files beside configuration that count for no case unless something names them.
    pub ignore: Vec<PathPattern>,
    /// Cases whose failure does not fail a report, each until a day.
    pub quarantine: Vec<Quarantine>,
}

impl Section for SelectRules {
    const NAME: &'static str = "select";
}

impl Default for SelectRules {
    fn default() -> Self {
        let ignore = ["**/*.md", "**/*.adoc", "**/*.rst", "**/LICENSE*", "**/CODEOWNERS", "**/*.png"];
        let ignore = ignore.into_iter().chain(["**/*.svg", "**/*.jpg", "**/.gitignore"]);
        Self {
            unknown_minutes: 10,
            failed_days: 14,
            green_days: 30,
            history_days: 90,
            immutable: Immutable::Commits,
            ignore: ignore.filter_map(|text| PathPattern::parse(text).ok()).collect(),
            quarantine: Vec::new(),
        }
    }
}

impl SelectRules {
    pub(super) fn ignores(&self, file: &RepoPath) -> bool {
        self.ignore.iter().any(|pattern| pattern.matches(file))
    }

    /// The entry that holds a case in quarantine at a moment: of several the one that ends last.
    pub fn quarantine_of(&self, case: &CaseId, at: Timestamp) -> Option<&Quarantine> {
        let holding = self.quarantine.iter().filter(|entry| entry.means(case) && entry.holds(at));
        holding.max_by_key(|entry| entry.until)
    }
}

/// Which references to modules outside the repository name content that stays: only a case all of whose
/// content stays can be skipped for having passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Immutable {
    /// Commits by their whole id, and archives by their checksum.
    #[default]
    Commits,
    /// These, tags that are versions (`?ref=net/v1.2.3`), and exact versions of a registry.
    Versions,
}

/// Cases that are known to fail now and then for no reason of the change: one `[[select.quarantine]]`.
///
/// A quarantined case runs, and its result is recorded; a failure of it does not fail the report. What it
/// leaves behind in the sandbox does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quarantine {
    /// The cases, by a pattern of their ids.
    pub cases: PathPattern,
    /// The last day on which it holds (UTC). After it the cases count again, and the plan warns.
    pub until: Day,
    /// Why, for people: an issue's address, for one.
    pub reason: String,
    /// Who takes care of it.
    pub who: String,
}

impl Quarantine {
    /// Whether it is about this case.
    pub fn means(&self, case: &CaseId) -> bool {
        self.cases.matches(case.path())
    }

    /// Whether it holds at a moment.
    pub fn holds(&self, at: Timestamp) -> bool {
        at < self.until.end()
    }
}

/// A day of the calendar, in UTC, written `2026-01-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Day(Timestamp);

impl Day {
    const SECONDS: i64 = 24 * 3600;

    /// Reads `2026-01-31`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let form = text.len() == 10
            && text.bytes().enumerate().all(|(at, b)| match at {
                4 | 7 => b == b'-',
                _ => b.is_ascii_digit(),
            });
        let begin = form.then(|| Timestamp::parse(&format!("{text}T00:00:00Z")).ok()).flatten();
        begin.map(Self).ok_or_else(|| format!("{text:?} is no day; write it like 2026-01-31"))
    }

    /// The moment at which it is over.
    pub fn end(self) -> Timestamp {
        Timestamp::from_unix(self.0.unix().saturating_add(Self::SECONDS))
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.to_string()[..10])
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl TryFrom<String> for Day {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Configuration;

    #[test]
    fn the_defaults_in_code_are_those_of_the_documented_file() {
        assert_eq!(Configuration::defaults().section::<SelectRules>().unwrap(), SelectRules::default());
    }

    #[test]
    fn a_quarantine_holds_up_to_the_end_of_its_day() {
        let text = "[[select.quarantine]]\ncases = 'modules/db/**'\nuntil = '2026-01-31'\nreason = 'r'\nwho = 'ada'\n";
        let rules: SelectRules = Configuration::parse(text, "infraflow.toml").unwrap().section().unwrap();
        let case = CaseId::new(RepoPath::parse("modules/db/examples/a").unwrap());
        let at = |text: &str| Timestamp::parse(text).unwrap();
        assert!(rules.quarantine_of(&case, at("2026-01-31T23:59:59Z")).is_some());
        assert!(rules.quarantine_of(&case, at("2026-02-01T00:00:00Z")).is_none());
        let other = CaseId::new(RepoPath::parse("modules/dns/examples/a").unwrap());
        assert!(rules.quarantine_of(&other, at("2026-01-01T00:00:00Z")).is_none());
    }

    #[test]
    fn a_quarantine_without_an_end_or_with_a_misspelt_key_is_refused() {
        for (text, said) in [
            ("cases = 'a/**'\nreason = 'r'\nwho = 'w'", "until"),
            ("cases = 'a/**'\nuntil = 'soon'\nreason = 'r'\nwho = 'w'", "2026-01-31"),
            ("cases = 'a/**'\nuntil = '2026-02-30'\nreason = 'r'\nwho = 'w'", "no day"),
            ("cases = 'a/**'\nuntill = '2026-02-20'\nreason = 'r'\nwho = 'w'", "until"),
        ] {
            let text = format!("[[select.quarantine]]\n{text}\n");
            let parsed = Configuration::parse(&text, "infraflow.toml");
            let error = parsed.and_then(|it| it.section::<SelectRules>()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
