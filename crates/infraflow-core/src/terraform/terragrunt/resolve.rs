use std::{collections::HashSet, sync::Arc};

use super::{
    Files, Finding, Purpose, Resolved, What, Why,
    evaluate::Evaluation,
    path::text_of,
    syntax::{Body, ConfigFile, Expr, Kind, Operator, Part},
    value::Value,
};
use crate::{proof::RepoPath, terraform::facts::Place};

/// What a directory's configuration comes to. `files` are its files that count: the configuration of a unit,
/// of a stack, or both, and what is generated beside them.
pub fn resolve(directory: &RepoPath, files: &[RepoPath], tree: &mut dyn Files) -> Resolved {
    let here = text_of(directory);
    let mut evaluation = Evaluation::new(tree, Arc::clone(&here));
    let named = |name: &str| files.iter().find(|file| file.file_name() == name.as_bytes());
    let mut runs = false;
    let unit = named("terragrunt.hcl").or_else(|| named("terragrunt.hcl.json"));
    if let Some(file) = unit.and_then(|path| own(&mut evaluation, path)) {
        let values = named("terragrunt.values.hcl").and_then(|path| {
            let why = whole(path);
            evaluation.files.source(path, &why).map(|source| source.variables())
        });
        // Without a file of values there are none.
        runs = values.is_some() || !(file.wants_values && needs_values(&file.body));
        let values = Some(values.unwrap_or_else(Value::nothing));
        let over = named("terragrunt.autoinclude.hcl").and_then(|path| own(&mut evaluation, path));
        let over = over.and_then(|file| evaluation.own_frame(file, &here, values.clone(), 0));
        if let Some(frame) = evaluation.own_frame(file, &here, values, 0) {
            evaluation.unit(frame, over, false);
        }
    }
    let stack = named("terragrunt.stack.hcl").and_then(|path| own(&mut evaluation, path));
    let over = named("terragrunt.autoinclude.stack.hcl").and_then(|path| own(&mut evaluation, path));
    runs |= stack.is_some() || over.is_some();
    let values = named("terragrunt.values.hcl").filter(|_| runs).and_then(|path| {
        let why = whole(path);
        evaluation.files.source(path, &why).map(|source| source.variables())
    });
    let values = Some(values.unwrap_or_else(Value::nothing));
    let frame = stack.and_then(|file| evaluation.own_frame(file, &here, values.clone(), 0));
    let over = over.and_then(|file| {
        let over = evaluation.own_frame(file, &here, values, 0)?;
        // What is laid over a stack sees its names.
        evaluation.frames[over].outer = frame;
        Some(over)
    });
    match frame {
        Some(frame) => evaluation.stack(frame, 0, over),
        None => over.into_iter().for_each(|over| evaluation.stack(over, 0, None)),
    }
    finish(evaluation, runs)
}

fn own(evaluation: &mut Evaluation<'_>, path: &RepoPath) -> Option<Arc<ConfigFile>> {
    Some(evaluation.files.source(path, &whole(path))?.config())
}

fn whole(path: &RepoPath) -> Why {
    let place = Place { start: 0, end: 0, line: 1, column: 1 };
    let text = String::from_utf8_lossy(path.file_name()).into();
    Why { purpose: Purpose::Include, file: path.clone(), place, text }
}

fn finish(evaluation: Evaluation<'_>, runs: bool) -> Resolved {
    let incomplete = evaluation.is_exhausted();
    let findings = each_once(evaluation.findings);
    let broken = evaluation.broken.iter().filter_map(|file| {
        file.broken.as_ref().map(|broken| (file.path.clone(), broken.line, broken.why.clone()))
    });
    let mut values = evaluation.given;
    values.sort();
    values.dedup();
    let mut written = evaluation.written;
    written.sort();
    written.dedup();
    let (broken, generated) = (broken.collect(), evaluation.generated);
    Resolved { findings, values, written, generated, broken, runs, incomplete }
}

/// Of equal findings at one place the first; of a module that is run, whichever place its address stands at.
fn each_once(findings: Vec<Finding>) -> Vec<Finding> {
    let keys = findings.iter().map(|finding| {
        let what = match &finding.what {
            What::Root { directory, source, .. } => {
                Err((directory, source.as_ref().map(|source| &source.value)))
            }
            other => Ok(other),
        };
        (what, &finding.file, finding.place.start, finding.owner)
    });
    let mut seen = HashSet::new();
    let first: Vec<bool> = keys.map(|key| seen.insert(key)).collect();
    drop(seen);
    findings.into_iter().zip(first).filter_map(|(finding, first)| first.then_some(finding)).collect()
}

/// Whether a file cannot be evaluated without `values`: it takes something out of them without `try` around.
fn needs_values(body: &Body) -> bool {
    body.attributes.iter().any(|attribute| needs(&attribute.value))
        || body.blocks.iter().any(|block| needs_values(&block.body))
}

fn needs(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Constant(_) => false,
        Kind::Name(name) => &**name == "values",
        Kind::Template(parts) => parts.iter().any(part_needs),
        Kind::List(items) => items.iter().any(needs),
        Kind::Object(members) => members.iter().any(|(key, value)| needs(key) || needs(value)),
        Kind::Traversal(base, operators) => {
            needs(base)
                || operators.iter().any(|operator| matches!(operator, Operator::Index(index) if needs(index)))
        }
        Kind::Call { name, arguments, .. } => {
            !["try", "can"].contains(&&**name) && arguments.iter().any(needs)
        }
        Kind::Conditional(parts) => parts.iter().any(needs),
        Kind::For(each) => {
            needs(&each.collection) || needs(&each.value) || each.key.iter().chain(&each.condition).any(needs)
        }
        Kind::Not(inner) | Kind::Negative(inner) => needs(inner),
        Kind::Binary(_, sides) => sides.iter().any(needs),
    }
}

fn part_needs(part: &Part) -> bool {
    match part {
        Part::Text(_) => false,
        Part::Value(value) => needs(value),
        Part::If(condition, one, other) => needs(condition) || one.iter().chain(other).any(part_needs),
        Part::For(collection, _, _, inner) => needs(collection) || inner.iter().any(part_needs),
    }
}
