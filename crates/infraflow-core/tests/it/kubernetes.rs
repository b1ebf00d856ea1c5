//! Tests of the dialects of Kubernetes: what a change means for kustomizations and charts.

mod charts;
mod kustomize;
mod mixed;
mod oracle;

use infraflow_core::impact::Impact;

use crate::{
    fixture::Repo,
    impact::{edited, modules, units},
};

/// What a change does to a path: new content, or its end.
type Edit = (&'static str, Option<&'static str>);

/// A change, and what it touches.
struct Row<'a> {
    why: &'a str,
    edits: &'a [Edit],
    units: &'a [&'a str],
    modules: &'a [&'a str],
}

fn row<'a>(why: &'a str, edits: &'a [Edit], units: &'a [&'a str], modules: &'a [&'a str]) -> Row<'a> {
    Row { why, edits, units, modules }
}

/// The repository after a change, and what that touches.
fn after(repo: Repo, edits: &[Edit]) -> (Repo, Impact) {
    edited(repo, edits)
}

fn check(files: &[(&str, &str)], rows: &[Row<'_>]) {
    let mut wrong = Vec::new();
    for row in rows {
        let (_, impact) = after(Repo::with(files), row.edits);
        let found = (units(&impact), modules(&impact));
        if found.0 != row.units || found.1 != row.modules {
            wrong.push(format!("{}: {found:?} instead of {:?} {:?}", row.why, row.units, row.modules));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
