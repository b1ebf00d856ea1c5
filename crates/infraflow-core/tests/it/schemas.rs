//! JSON Schemas of every document, held current in `docs/schemas/`. After a change of a document, run
//! `INFRAFLOW_WRITE_SCHEMAS=1 cargo test -p infraflow-core --test it schemas` and commit what it wrote.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use infraflow_core::proof::Document;
use schemars::{Schema, SchemaGenerator};
use serde_json::json;

use crate::layers::rust_files;

/// Every document of the library: a line each.
fn registry() -> BTreeMap<&'static str, Schema> {
    BTreeMap::from([
        entry::<infraflow_core::approve::ApprovalRequest>(),
        entry::<infraflow_core::approve::Refused>(),
        entry::<infraflow_core::bump::BumpPlan>(),
        entry::<infraflow_core::bump::Bumped>(),
        entry::<infraflow_core::deploy::Deployment>(),
        entry::<infraflow_core::deploy::DeploymentPlan>(),
        entry::<infraflow_core::deploy::Verification>(),
        entry::<infraflow_core::bump::BumpPlan>(),
        entry::<infraflow_core::detect::ChangeSet>(),
        entry::<infraflow_core::dry_run::DriftReport>(),
        entry::<infraflow_core::dry_run::DryRun>(),
        entry::<infraflow_core::dry_run::DryRunPlan>(),
        entry::<infraflow_core::impact::Impact>(),
        entry::<infraflow_core::impact::Reach>(),
        entry::<infraflow_core::impact::Scope>(),
        entry::<infraflow_core::impact::Why>(),
        entry::<infraflow_core::nature::NatureOfChange>(),
        entry::<infraflow_core::pipeline::StepGraph>(),
        entry::<infraflow_core::pipeline::WalkReport>(),
        entry::<infraflow_core::sandbox::ReapReport>(),
        entry::<infraflow_core::sandbox::SandboxPlan>(),
        entry::<infraflow_core::sandbox::TestReport>(),
        entry::<infraflow_core::publish::PublishPlan>(),
        entry::<infraflow_core::publish::Published>(),
        entry::<infraflow_core::release::ReleasePlan>(),
        entry::<infraflow_core::release::Released>(),
        entry::<infraflow_core::select::TestPlan>(),
        entry::<infraflow_core::select::TestRuns>(),
        entry::<infraflow_core::terraform::plan::PlanSummary>(),
    ])
}

/// The schema of a document as it is written: the type's own, and the three members that every document has.
fn entry<T: Document>() -> (&'static str, Schema) {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<T>();
    let object = schema.ensure_object();
    if let Some(members) = object.entry("properties").or_insert_with(|| json!({})).as_object_mut() {
        members.insert("kind".into(), json!({"const": T::KIND}));
        members.insert(
            "schema_version".into(),
            json!({"type": "integer", "minimum": 1, "maximum": T::SCHEMA_VERSION}),
        );
        members.insert(
            "digest".into(),
            json!({
                "type": "string", "pattern": "^sha256:[0-9a-f]{64}$",
                "description": "SHA-256 over the canonical JSON (RFC 8785) of every other member, but for those that are no decisions",
            }),
        );
    }
    let required = object.entry("required").or_insert_with(|| json!([]));
    if let Some(required) = required.as_array_mut() {
        required.extend([json!("kind"), json!("schema_version"), json!("digest")]);
    }
    (T::KIND, schema)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas")
}

#[test]
fn the_schemas_in_docs_are_current() {
    let write = std::env::var_os("INFRAFLOW_WRITE_SCHEMAS").is_some();
    let mut stale = Vec::new();
    for (kind, schema) in registry() {
        let path = folder().join(format!("{kind}.json"));
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if fs::read_to_string(&path).is_ok_and(|standing| standing == text) {
            continue;
        }
        if write {
            fs::write(path, text).unwrap();
        } else {
            stale.push(kind);
        }
    }
    assert!(
        stale.is_empty(),
        "docs/schemas is not what the types say: {}\n  help: INFRAFLOW_WRITE_SCHEMAS=1 cargo test -p infraflow-core --test it schemas",
        stale.join(", ")
    );
}

#[test]
fn docs_have_no_schema_of_a_document_that_is_gone() {
    let known: BTreeSet<String> = registry().keys().map(|kind| format!("{kind}.json")).collect();
    let standing: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    assert_eq!(standing.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn every_document_of_the_library_is_in_the_registry() {
    let mut missing = Vec::new();
    let known = registry();
    for file in rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("\n#[cfg(test)]").next().unwrap_or_default();
        let kinds = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .filter_map(|line| line.split_once("const KIND: &'static str = \"")?.1.split('"').next());
        missing.extend(kinds.filter(|kind| !known.contains_key(kind)).map(str::to_owned));
    }
    assert!(missing.is_empty(), "add a line to `registry` for: {}", missing.join(", "));
}
