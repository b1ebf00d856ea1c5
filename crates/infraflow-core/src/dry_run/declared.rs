use std::{collections::BTreeSet, os::unix::ffi::OsStrExt};

use crate::{
    catalog::UnitId,
    git::{GitError, Tree},
    process::Environment,
    terraform::{
        facts::{FileKind, StaticValue, TerraformFile},
        plan::{AttributePath, SensitiveValue, Step},
    },
};

/// The values of the variables that a unit declares sensitive, as far as they can be read without running
/// anything: from the environment, from variable files and from defaults. They are needed where planning fails, for
/// a failed validation prints a sensitive variable in clear.
pub(super) fn sensitive_variables(
    tree: &Tree,
    unit: &UnitId,
    environment: &Environment,
) -> Result<Vec<SensitiveValue>, GitError> {
    let mut names = BTreeSet::new();
    let mut values: Vec<(String, StaticValue)> = Vec::new();
    let entries = tree.list(unit.path())?;
    let own = entries.iter().filter(|entry| entry.mode.is_file()).map(|entry| &entry.path);
    for path in own.chain(unit.var_files()) {
        let automatic = match FileKind::of(path.file_name()) {
            Some(FileKind::Configuration { .. }) => true,
            Some(FileKind::Variables { automatic, .. }) => automatic,
            _ => false,
        };
        if !automatic && !unit.var_files().contains(path) {
            continue;
        }
        let Some(bytes) = tree.read(path)? else { continue };
        // A file that does not parse has no variable that the tool could print.
        let Ok(facts) = TerraformFile::parse(path, &bytes) else { continue };
        for variable in facts.variables {
            if variable.sensitive == Some(true) {
                values.extend(variable.default_value.map(|value| (variable.name.clone(), value)));
                names.insert(variable.name);
            }
        }
        values.extend(facts.values.into_iter().map(|local| (local.name, local.value)));
    }
    let mut found = BTreeSet::new();
    for (name, value) in &values {
        if names.contains(name) {
            texts(&format!("var.{name}"), value, &AttributePath::default(), &mut found);
        }
    }
    for (variable, value) in environment.iter() {
        let name = variable.as_bytes().strip_prefix(b"TF_VAR_").map(String::from_utf8_lossy);
        if let Some(name) = name.filter(|name| names.contains(name.as_ref())) {
            let address = format!("var.{name}");
            found.insert(SensitiveValue::new(address, AttributePath::default(), value.to_string_lossy()));
        }
    }
    Ok(found.into_iter().collect())
}

fn texts(address: &str, value: &StaticValue, at: &AttributePath, found: &mut BTreeSet<SensitiveValue>) {
    match value {
        StaticValue::Literal(text) if !text.is_empty() => {
            found.insert(SensitiveValue::new(address, at.clone(), text));
        }
        StaticValue::List(items) => {
            for (index, item) in items.iter().enumerate() {
                texts(address, item, &at.then(Step::Index(index as u64)), found);
            }
        }
        StaticValue::Object(members) => {
            for (name, member) in members {
                texts(address, member, &at.then(Step::Name(name.clone())), found);
            }
        }
        StaticValue::OneOf(values) | StaticValue::Concat(values) => {
            values.iter().for_each(|value| texts(address, value, at, found));
        }
        _ => {}
    }
}
