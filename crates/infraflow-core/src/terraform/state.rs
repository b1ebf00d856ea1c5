use std::{collections::BTreeSet, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TerraformError;

/// Which state it is, and which generation of it: what tells a deployment that the state moved since the plan.
///
/// ```json
/// {"lineage": "a2b8bcca-6338-9187-dbf3-5572561234d0", "serial": 3}
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct StateVersion {
    /// Made up when the state was first written, and never changed.
    pub lineage: String,
    /// Raised by every write that changes something; at most 2^53.
    pub serial: u64,
}

/// A state as `state pull` prints it. It holds every secret of its unit, so `Debug` shows its version only.
#[derive(Clone, PartialEq, Eq)]
pub struct State {
    version: StateVersion,
    json: Vec<u8>,
}

impl State {
    /// Reads what `state pull` printed: `None` where nothing was ever written.
    ///
    /// # Errors
    /// [`TerraformError::State`] where that is no state.
    pub fn parse(json: Vec<u8>) -> Result<Option<Self>, TerraformError> {
        if json.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        // The parser's own message is left out, since it quotes values.
        let version: StateVersion = serde_json::from_slice(&json)
            .map_err(|_| TerraformError::State { why: "it is no JSON object with a lineage and a serial" })?;
        if version.serial > 1 << 53 {
            return Err(TerraformError::State { why: "its serial is beyond 2^53" });
        }
        Ok(Some(Self { version, json }))
    }

    /// Its lineage and serial.
    pub fn version(&self) -> &StateVersion {
        &self.version
    }

    /// The addresses of the managed resource instances that it has, sorted: what a destroy leaves nothing of.
    /// A deposed object counts under its instance's address. Empty where the state is of an unknown format.
    pub fn managed(&self) -> Vec<String> {
        let Ok(content) = serde_json::from_slice::<Content>(&self.json) else { return Vec::new() };
        let managed = content.resources.iter().filter(|resource| resource.mode == "managed");
        let addresses = managed.flat_map(|resource| resource.instances.iter().map(|i| resource.address(i)));
        addresses.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The whole state, as it was printed.
    pub fn json(&self) -> &[u8] {
        &self.json
    }
}

#[derive(Deserialize)]
struct Content {
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    module: Option<String>,
    mode: String,
    r#type: String,
    name: String,
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
struct Instance {
    index_key: Option<serde_json::Value>,
}

impl Resource {
    fn address(&self, instance: &Instance) -> String {
        let module = self.module.as_ref().map_or(String::new(), |module| format!("{module}."));
        let key = instance.index_key.as_ref().map_or(String::new(), |key| format!("[{key}]"));
        format!("{module}{}.{}{key}", self.r#type, self.name)
    }
}

impl fmt::Display for StateVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} serial {}", self.lineage, self.serial)
    }
}

impl fmt::Debug for StateVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({})", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_state_is_none_and_anything_else_that_is_no_state_is_refused() {
        assert_eq!(State::parse(b"\n".to_vec()).unwrap(), None);
        let state =
            State::parse(br#"{"version":4,"serial":3,"lineage":"l","x":"hunter2"}"#.to_vec()).unwrap();
        assert_eq!(state.as_ref().map(|s| s.version().serial), Some(3));
        assert!(!format!("{state:?}").contains("hunter2"));
        for bad in ["[]", "x", r#"{"lineage":"l"}"#, r#"{"lineage":"l","serial":9007199254740993}"#] {
            assert!(matches!(State::parse(bad.into()), Err(TerraformError::State { .. })), "{bad}");
        }
    }
}
