use std::{fs, io, path::Path};

use serde::Deserialize;

/// What we need to know of a raw state (format 4, terraform 0.12 and later, tofu): which one it is, and what is
/// in it. Values are only searched for the mark.
#[derive(Debug, Default)]
pub(super) struct RawState {
    pub(super) lineage: String,
    pub(super) serial: u64,
    /// Addresses of managed resources' instances, sorted.
    pub(super) addresses: Vec<String>,
    /// Those of them that stand for something outside the state, and do not hold the text that was searched for.
    pub(super) without: Vec<String>,
    /// Check blocks that failed: address and messages.
    pub(super) failed_checks: Vec<(String, Vec<String>)>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    lineage: String,
    #[serde(default)]
    serial: u64,
    #[serde(default)]
    resources: Vec<Resource>,
    #[serde(default)]
    check_results: Option<Vec<CheckResult>>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(default)]
    module: Option<String>,
    mode: String,
    r#type: String,
    name: String,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
struct Instance {
    #[serde(default)]
    index_key: Option<serde_json::Value>,
    #[serde(default)]
    deposed: Option<String>,
    #[serde(default)]
    attributes: Option<Box<serde_json::value::RawValue>>,
}

#[derive(Deserialize)]
struct CheckResult {
    status: String,
    #[serde(default)]
    objects: Option<Vec<CheckedObject>>,
}

#[derive(Deserialize)]
struct CheckedObject {
    #[serde(default)]
    object_addr: String,
    status: String,
    #[serde(default)]
    failure_messages: Option<Vec<String>>,
}

/// Providers whose resources exist nowhere but in the state.
const STATE_ONLY: [&str; 5] = [
    "terraform.io/builtin/terraform",
    "/hashicorp/null\"",
    "/hashicorp/random\"",
    "/hashicorp/time\"",
    "/hashicorp/tls\"",
];

impl RawState {
    /// Reads a state, looking for `mark` in each resource. `None` for what is no whole state, such as one that
    /// is just being written.
    pub(super) fn parse(bytes: &[u8], mark: &str) -> Option<Self> {
        let file: File = serde_json::from_slice(bytes).ok()?;
        let mut state = Self { lineage: file.lineage, serial: file.serial, ..Self::default() };
        for resource in file.resources.into_iter().filter(|resource| resource.mode == "managed") {
            let in_world = !STATE_ONLY.iter().any(|provider| resource.provider.contains(provider));
            for instance in &resource.instances {
                let address = address(&resource, instance);
                let text = instance.attributes.as_deref().map_or("", serde_json::value::RawValue::get);
                if in_world && !text.contains(mark) {
                    state.without.push(address.clone());
                }
                state.addresses.push(address);
            }
        }
        for result in file.check_results.into_iter().flatten().filter(|result| bad(&result.status)) {
            let objects = result.objects.unwrap_or_default();
            state.failed_checks.extend(
                objects
                    .into_iter()
                    .filter(|object| bad(&object.status))
                    .map(|object| (object.object_addr, object.failure_messages.unwrap_or_default())),
            );
        }
        state.addresses.sort();
        state.without.sort();
        Some(state)
    }

    /// Reads a file. `None` where there is none, or nothing whole in it.
    pub(super) fn read(path: &Path, mark: &str) -> io::Result<Option<(Vec<u8>, Self)>> {
        match fs::read(path) {
            Ok(bytes) => Ok(Self::parse(&bytes, mark).map(|state| (bytes, state))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn bad(status: &str) -> bool {
    matches!(status, "fail" | "error")
}

fn address(resource: &Resource, instance: &Instance) -> String {
    let module = resource.module.as_ref().map(|module| format!("{module}.")).unwrap_or_default();
    let key = instance.index_key.as_ref().map(|key| format!("[{key}]")).unwrap_or_default();
    let deposed =
        instance.deposed.as_ref().map(|deposed| format!(" (deposed {deposed})")).unwrap_or_default();
    format!("{module}{}.{}{key}{deposed}", resource.r#type, resource.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_marks_and_failed_checks_are_read() {
        let text = r#"{"version":4,"lineage":"l","serial":7,"resources":[
          {"module":"module.m[0]","mode":"managed","type":"local_file","name":"a",
           "provider":"provider[\"registry.terraform.io/hashicorp/local\"]",
           "instances":[{"index_key":"k","attributes":{"filename":"/x/r1-0a/f"}},{"index_key":1,"attributes":{}}]},
          {"mode":"managed","type":"terraform_data","name":"b","provider":"provider[\"terraform.io/builtin/terraform\"]",
           "instances":[{"attributes":{}},{"deposed":"00ff","attributes":{}}]},
          {"mode":"data","type":"x","name":"y","instances":[{}]}],
          "check_results":[{"object_kind":"check","config_addr":"check.c","status":"fail",
            "objects":[{"object_addr":"check.c","status":"fail","failure_messages":["no"]}]},
            {"config_addr":"check.d","status":"unknown","objects":null}]}"#;
        let state = RawState::parse(text.as_bytes(), "r1-0a").unwrap();
        assert_eq!((state.lineage.as_str(), state.serial), ("l", 7));
        assert_eq!(
            state.addresses,
            [
                "module.m[0].local_file.a[\"k\"]",
                "module.m[0].local_file.a[1]",
                "terraform_data.b",
                "terraform_data.b (deposed 00ff)"
            ]
        );
        assert_eq!(state.without, ["module.m[0].local_file.a[1]"]);
        assert_eq!(state.failed_checks, [("check.c".to_owned(), vec!["no".to_owned()])]);
        assert!(RawState::parse(&text.as_bytes()[..100], "").is_none());
    }
}
