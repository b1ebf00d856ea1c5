use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who holds a state, as the tool tells it when it cannot have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StateLock {
    /// The lock's id, for `force-unlock`.
    pub id: Option<String>,
    /// The user and machine that took it.
    pub who: Option<String>,
    /// What for, for example `OperationTypeApply`.
    pub operation: Option<String>,
    /// Since when.
    pub created: Option<String>,
}

impl StateLock {
    /// Reads the lines below `Lock Info:`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut lock = Self::default();
        let info = text.split_once("Lock Info:").map_or("", |(_, info)| info);
        for line in info.lines() {
            let Some((name, value)) = line.trim_start_matches(['│', '|', ' ']).split_once(':') else {
                continue;
            };
            let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
            match name.trim() {
                "ID" => lock.id = value,
                "Who" => lock.who = value,
                "Operation" => lock.operation = value,
                "Created" => lock.created = value,
                _ => {}
            }
        }
        lock
    }
}

impl std::fmt::Display for StateLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
        write!(
            f,
            "{} holds it for {} since {} (lock {})",
            part(&self.who),
            part(&self.operation),
            part(&self.created),
            part(&self.id)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_named() {
        let text = "Error: Error acquiring the state lock\n\nError message: resource temporarily unavailable\nLock Info:\n  ID:        6f5b\n  Path:      x.tfstate\n  Operation: OperationTypeApply\n  Who:       ada@box\n  Version:   1.11.4\n  Created:   2026-11-23 06:34:31 +0000 UTC\n  Info:      \n";
        let lock = StateLock::parse(text);
        assert_eq!(
            lock.to_string(),
            "ada@box holds it for OperationTypeApply since 2026-11-23 06:34:31 +0000 UTC (lock 6f5b)"
        );
        assert_eq!(StateLock::parse("nothing").id, None);
    }
}
