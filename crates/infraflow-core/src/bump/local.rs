//! Versions that stand in a local: `version = local.vpc_version`.

use hcl_edit::{
    expr::{Expression, TraversalOperator},
    structure::Body,
};

use super::{
    BumpError,
    call::{Call, Files},
    terragrunt::text_of,
};
use crate::{
    proof::RepoPath,
    terraform::facts::{FileKind, TerraformFile, Text},
};

/// Where the version of a call stands that is no constant.
pub(super) enum Followed {
    /// There is no version.
    None,
    /// In this file, as the value of a local that nothing else uses.
    Local { file: RepoPath, text: Text },
    /// Nowhere that could be edited: why.
    Elsewhere(String),
}

/// Follows the version of a call to the local that holds it.
pub(super) fn follow(files: &mut Files<'_>, call: &Call) -> Result<Followed, BumpError> {
    let Some(name) = call.name.strip_prefix("module.") else { return Ok(Followed::None) };
    let directory = call.file.parent().unwrap_or_else(RepoPath::root);
    let Some((_, content)) = files.get(&call.file)? else { return Ok(Followed::None) };
    let version = with_body(&call.file, content, |body, _| {
        let block = body.blocks().find(|block| {
            block.ident.as_str() == "module" && block.labels.len() == 1 && block.labels[0].as_str() == name
        })?;
        let attribute = block.body.attributes().find(|attribute| attribute.key.as_str() == "version")?;
        Some(local_of(&attribute.value))
    });
    let local = match version {
        None => return Ok(Followed::None),
        Some(None) => return Ok(Followed::Elsewhere("its version is computed".to_owned())),
        Some(Some(local)) => local,
    };
    let mut definitions = Vec::new();
    let mut uses = 0;
    for entry in files.tree.list(&directory)? {
        let configuration =
            matches!(FileKind::of(entry.path.file_name()), Some(FileKind::Configuration { json: false, .. }));
        if !configuration {
            continue;
        }
        let Some((_, content)) = files.get(&entry.path)? else { continue };
        uses += mentions(content, &local);
        let found = with_body(&entry.path, content, |body, shift| {
            let locals = body.blocks().filter(|block| block.ident.as_str() == "locals");
            let named = locals.flat_map(|block| block.body.attributes()).filter(|a| a.key.as_str() == local);
            Some(named.map(|attribute| text_of(&attribute.value, content, shift)).collect::<Vec<_>>())
        });
        definitions.extend(found.unwrap_or_default().into_iter().map(|text| (entry.path.clone(), text)));
    }
    Ok(match definitions.as_slice() {
        [(file, Some(text))] if uses == 1 => Followed::Local { file: file.clone(), text: text.clone() },
        [(_, Some(_))] => {
            Followed::Elsewhere(format!("its version stands in local.{local}, which is used {uses} times"))
        }
        _ => Followed::Elsewhere(format!("its version stands in local.{local}, which is no constant")),
    })
}

fn with_body<T>(path: &RepoPath, content: &[u8], read: impl FnOnce(&Body, usize) -> Option<T>) -> Option<T> {
    // The bounds on depth and size are those of every file.
    TerraformFile::parse(path, content).ok()?;
    let shift = if content.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let body = hcl_edit::parser::parse_body(std::str::from_utf8(&content[shift..]).ok()?).ok()?;
    read(&body, shift)
}

/// The local that an expression is: `local.NAME`, or `"${local.NAME}"`.
pub(super) fn local_of(expression: &Expression) -> Option<String> {
    let expression = match expression {
        Expression::StringTemplate(template) => &template.as_single_element()?.as_interpolation()?.expr,
        expression => expression,
    };
    let Expression::Traversal(traversal) = expression else { return None };
    let [operator] = traversal.operators.as_slice() else { return None };
    match (traversal.expr.as_variable()?.as_str(), operator.value()) {
        ("local", TraversalOperator::GetAttr(name)) => Some(name.as_str().to_owned()),
        _ => None,
    }
}

/// How often `local.NAME` stands in a file, comments included: one more than there are uses does no harm.
pub(super) fn mentions(content: &[u8], name: &str) -> usize {
    let needle = format!("local.{name}");
    memchr::memmem::find_iter(content, needle.as_bytes())
        .filter(|at| {
            let after = content.get(at + needle.len());
            !after.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        })
        .count()
}
