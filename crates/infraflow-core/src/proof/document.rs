use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Digest, ProofError, canonical::canonical_value};

/// Plain data that travels: written by one process, read by another, compared, signed.
///
/// As JSON a document is its own members and three more: `kind`, `schema_version` and `digest`. The
/// digest covers the kind, the schema version and every member, those that this build does not know
/// included, but for itself and what [`Document::UNDIGESTED`] names: estimates, durations and addresses
/// of storage are not decisions.
///
/// ```
/// use infraflow_core::proof::Document;
/// #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// struct Greeting { to: String, seconds: u32 }
/// impl Document for Greeting {
///     const KIND: &'static str = "greeting";
///     const SCHEMA_VERSION: u32 = 1;
///     const UNDIGESTED: &'static [&'static str] = &["seconds"];
/// }
/// let a = Greeting { to: "you".into(), seconds: 1 };
/// let b = Greeting { to: "you".into(), seconds: 2 };
/// assert_eq!(a.digest()?, b.digest()?);
/// let read = Greeting::from_json(&a.to_json()?)?;
/// assert_eq!(read.seconds, 1);
/// assert!(Greeting::from_json(&a.to_json()?.replace("you", "them")).is_err());
/// # Ok::<(), infraflow_core::proof::ProofError>(())
/// ```
pub trait Document: Serialize + DeserializeOwned + JsonSchema {
    /// The value of the member `kind`, in snake_case.
    const KIND: &'static str;
    /// The value of the member `schema_version`; raised when a member changes its meaning or goes.
    const SCHEMA_VERSION: u32;
    /// Paths of members that the digest leaves out: names joined by `/`, `*` for every item of a list.
    const UNDIGESTED: &'static [&'static str] = &[];

    /// The digest of this document.
    ///
    /// # Errors
    /// [`ProofError::NotCanonical`] where a digested member is a float or a large integer.
    fn digest(&self) -> Result<Digest, ProofError> {
        digest_of::<Self>(&header(self)?)
    }

    /// This document as JSON, pretty-printed, members sorted, ending in a newline.
    ///
    /// # Errors
    /// As [`Document::digest`].
    fn to_json(&self) -> Result<String, ProofError> {
        let mut value = header(self)?;
        let digest = digest_of::<Self>(&value)?;
        if let Value::Object(members) = &mut value {
            members.insert("digest".into(), digest.as_str().into());
        }
        let mut text = serde_json::to_string_pretty(&value).map_err(|source| json::<Self>(source))?;
        text.push('\n');
        Ok(text)
    }

    /// Reads a document and checks that it is of this kind, of a schema this build knows, and, where it
    /// states a digest, unaltered since it was written.
    ///
    /// # Errors
    /// [`ProofError::Json`], [`ProofError::WrongKind`], [`ProofError::NewerSchema`] or
    /// [`ProofError::DigestMismatch`].
    fn from_json(text: &str) -> Result<Self, ProofError> {
        let value: Value = serde_json::from_str(text).map_err(json::<Self>)?;
        let found = value.get("kind").and_then(Value::as_str).unwrap_or("missing");
        if found != Self::KIND {
            return Err(ProofError::WrongKind { expected: Self::KIND, found: found.to_owned() });
        }
        let version = value.get("schema_version").and_then(Value::as_u64).unwrap_or(0);
        if version > u64::from(Self::SCHEMA_VERSION) {
            return Err(ProofError::NewerSchema {
                kind: Self::KIND,
                found: version,
                known: Self::SCHEMA_VERSION,
            });
        }
        if let Some(stated) = value.get("digest").and_then(Value::as_str) {
            let computed = digest_of::<Self>(&value)?;
            if computed.as_str() != stated {
                return Err(ProofError::DigestMismatch {
                    kind: Self::KIND,
                    stated: stated.to_owned(),
                    computed: computed.to_string(),
                });
            }
        }
        serde_json::from_value(value).map_err(json::<Self>)
    }
}

fn json<T: Document>(source: serde_json::Error) -> ProofError {
    ProofError::Json { what: T::KIND.to_owned(), source }
}

fn header<T: Document>(document: &T) -> Result<Value, ProofError> {
    let mut value = serde_json::to_value(document).map_err(json::<T>)?;
    if let Value::Object(members) = &mut value {
        members.insert("kind".into(), T::KIND.into());
        members.insert("schema_version".into(), T::SCHEMA_VERSION.into());
    }
    Ok(value)
}

fn digest_of<T: Document>(value: &Value) -> Result<Digest, ProofError> {
    let mut value = Cow::Borrowed(value);
    if value.get("digest").is_some() || !T::UNDIGESTED.is_empty() {
        for path in T::UNDIGESTED.iter().chain(&["digest"]) {
            remove(value.to_mut(), path);
        }
    }
    Ok(Digest::of_bytes(canonical_value(T::KIND, &value)?))
}

fn remove(value: &mut Value, path: &str) {
    match (path.split_once('/'), value) {
        (Some(("*", rest)), Value::Array(items)) => items.iter_mut().for_each(|item| remove(item, rest)),
        (Some((name, rest)), Value::Object(members)) => {
            if let Some(member) = members.get_mut(name) {
                remove(member, rest);
            }
        }
        (None, Value::Object(members)) => {
            members.remove(path);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Serialize, serde::Deserialize, JsonSchema)]
    struct Plan {
        items: Vec<Item>,
    }
    #[derive(Debug, Serialize, serde::Deserialize, JsonSchema)]
    struct Item {
        id: String,
        estimate_seconds: f64,
    }
    impl Document for Plan {
        const KIND: &'static str = "test_document";
        const SCHEMA_VERSION: u32 = 2;
        const UNDIGESTED: &'static [&'static str] = &["items/*/estimate_seconds"];
    }
    fn plan(seconds: f64) -> Plan {
        Plan { items: vec![Item { id: "a".into(), estimate_seconds: seconds }] }
    }

    #[test]
    fn an_estimate_does_not_change_the_digest() {
        assert_eq!(plan(1.5).digest().unwrap(), plan(2.5).digest().unwrap());
    }

    #[test]
    fn a_member_from_a_newer_writer_is_kept_in_the_digest_and_ignored_by_the_reader() {
        let mut value: Value = serde_json::from_str(&plan(1.0).to_json().unwrap()).unwrap();
        value["added_later"] = 1.into();
        assert!(matches!(Plan::from_json(&value.to_string()), Err(ProofError::DigestMismatch { .. })));
        value.as_object_mut().unwrap().remove("digest");
        assert_eq!(Plan::from_json(&value.to_string()).unwrap().items[0].id, "a");
    }

    #[test]
    fn another_kind_and_a_newer_schema_are_refused() {
        let text = plan(1.0).to_json().unwrap();
        let kind = text.replace("test_document", "other");
        assert!(matches!(Plan::from_json(&kind), Err(ProofError::WrongKind { .. })));
        let newer = text.replace("\"schema_version\": 2", "\"schema_version\": 3");
        assert!(matches!(Plan::from_json(&newer), Err(ProofError::NewerSchema { .. })));
    }
}
