//! `required_version`: the version of the tool itself.

use std::collections::BTreeMap;

use super::{
    BumpEdit, BumpError, BumpPlan, BumpRequest,
    call::{Files, environment_of},
    spelling,
};
use crate::{
    catalog::{Catalog, Unit},
    git::Tree,
    proof::{Reason, RepoPath},
    terraform::facts::{FileKind, TerraformFile},
};

/// Adds the edits of `required_version` to a plan.
pub(super) fn plan(
    request: &BumpRequest,
    tree: &Tree,
    live: &Catalog,
    plan: &mut BumpPlan,
    skipped: &mut BTreeMap<RepoPath, Vec<Reason>>,
) -> Result<(), BumpError> {
    if request.required_version.is_empty() {
        return Ok(());
    }
    let units = live.units()?;
    let mut files = Files::of(tree);
    for entry in tree.walk(&RepoPath::root())? {
        let configuration =
            matches!(FileKind::of(entry.path.file_name()), Some(FileKind::Configuration { .. }));
        let cached = entry.path.names().any(|name| name == b".terraform" || name == b".terragrunt-cache");
        if !configuration || cached || !entry.mode.is_file() {
            continue;
        }
        let path = &entry.path;
        let standing: Vec<&Unit> =
            units.iter().filter(|unit| Some(&unit.path) == path.parent().as_ref()).collect();
        let environment = environment_of(&standing);
        if request.environment.as_ref().is_some_and(|wanted| environment.as_ref() != Some(wanted)) {
            continue;
        }
        let Some((blob, content)) = files.get(path)? else { continue };
        // A file that does not parse is named among the module calls.
        let Ok(facts) = TerraformFile::parse(path, content) else { continue };
        for text in facts.required_version {
            let Some(tool) = request.required_version.iter().find(|tool| tool.from == text.value) else {
                continue;
            };
            let whole = 0..text.value.len();
            let json = path.as_bytes().ends_with(b".json");
            let Some(span) = spelling::locate(content, &text, json, whole) else {
                let reason = Reason::new("escaped", "required_version stays: it is written with escapes");
                let link = text.place.link(path.clone(), "required_version");
                skipped.entry(path.clone()).or_default().push(reason.with_chain(vec![link]));
                continue;
            };
            plan.edits.push(BumpEdit {
                path: path.clone(),
                blob: Some(*blob),
                start: span.start,
                end: span.end,
                before: String::from_utf8_lossy(&content[span]).into_owned(),
                after: tool.to.clone(),
                module: "required_version".to_owned(),
                unit: match standing[..] {
                    [only] => Some(only.id.clone()),
                    _ => None,
                },
                environment: environment.clone(),
                from: Some(tool.from.clone()),
                to: tool.to.clone(),
            });
        }
    }
    Ok(())
}
