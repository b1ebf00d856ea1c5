//! From JSON to the form that is evaluated. What a member is, a block or an argument, depends on its name, as
//! Terragrunt's schema has it.

use std::sync::Arc;

use super::{
    hcl,
    syntax::{Attribute, Block, Body, Expr, Kind, Span},
    value::Value,
};
use crate::terraform::facts::json::{Json, JsonValue};

/// Blocks of a configuration file, with the number of their labels.
const BLOCKS: [(&str, usize); 18] = [
    ("after_hook", 1),
    ("before_hook", 1),
    ("catalog", 0),
    ("dependencies", 0),
    ("dependency", 1),
    ("engine", 0),
    ("error_hook", 1),
    ("errors", 0),
    ("exclude", 0),
    ("extra_arguments", 1),
    ("feature", 1),
    ("generate", 1),
    ("include", 1),
    ("locals", 0),
    ("remote_state", 0),
    ("stack", 1),
    ("terraform", 0),
    ("unit", 1),
];

/// The members of an object as blocks and arguments; `shift` is where the text begins in the file.
pub(super) fn body(json: &Json, shift: usize) -> Body {
    let mut body = Body::default();
    let objects: Vec<&Json> = match &json.value {
        JsonValue::Array(items) => items.iter().collect(),
        _ => vec![json],
    };
    for member in objects.into_iter().flat_map(Json::members).filter(|member| member.name != "//") {
        let labels = BLOCKS.iter().find(|(name, _)| *name == member.name).map(|(_, labels)| *labels);
        match (labels, &member.value.value) {
            (Some(labels), JsonValue::Object(_) | JsonValue::Array(_)) => {
                let header = Span::of(Some(member.name_span.clone()), shift);
                blocks(&member.name, &member.value, labels, header, shift, &mut body.blocks);
            }
            _ => {
                let start = Span::of(Some(member.name_span.clone()), shift).start;
                let value = expression(&member.value, shift);
                let span = Span { start, end: value.span.end };
                body.attributes.push(Attribute { name: member.name.as_str().into(), span, value });
            }
        }
    }
    body
}

fn blocks(kind: &str, json: &Json, labels: usize, header: Span, shift: usize, found: &mut Vec<Block>) {
    let mut add = |label: Option<&str>, header: Span, json: &Json| {
        let labels = label.into_iter().map(Into::into).collect();
        found.push(Block { kind: kind.into(), labels, header, body: Arc::new(body(json, shift)) });
    };
    match &json.value {
        JsonValue::Array(items) if labels > 0 => {
            items.iter().for_each(|item| blocks(kind, item, labels, header, shift, found));
        }
        JsonValue::Object(members) if labels > 0 => {
            // An include without a name has its arguments where names would stand.
            let bare = kind == "include" && members.iter().any(|member| is_text(&member.value));
            if bare {
                return add(None, header, json);
            }
            for member in members.iter().filter(|member| member.name != "//") {
                let header = Span::of(Some(member.name_span.clone()), shift);
                match &member.value.value {
                    JsonValue::Array(items) => {
                        items.iter().for_each(|item| add(Some(&member.name), header, item));
                    }
                    _ => add(Some(&member.name), header, &member.value),
                }
            }
        }
        _ => add(None, header, json),
    }
}

fn is_text(json: &Json) -> bool {
    matches!(json.value, JsonValue::String(_))
}

fn expression(json: &Json, shift: usize) -> Expr {
    let span = Span::of(Some(json.span.clone()), shift);
    let kind = match &json.value {
        JsonValue::Null => Kind::Constant(Value::Null),
        JsonValue::Bool(value) => Kind::Constant(Value::Bool(*value)),
        JsonValue::Number => Kind::Constant(Value::Unknown),
        JsonValue::String(text) if text.contains("${") || text.contains("%{") => {
            match hcl_edit::parser::parse_template(text) {
                Ok(template) => return hcl::template_at(&template, span),
                Err(_) => Kind::Constant(Value::Unknown),
            }
        }
        JsonValue::String(text) => Kind::Constant(Value::text(text.as_str())),
        JsonValue::Array(items) => Kind::List(items.iter().map(|item| expression(item, shift)).collect()),
        JsonValue::Object(members) => Kind::Object(
            members
                .iter()
                .map(|member| {
                    let span = Span::of(Some(member.name_span.clone()), shift);
                    let key = Expr { span, kind: Kind::Constant(Value::text(member.name.as_str())) };
                    (key, expression(&member.value, shift))
                })
                .collect(),
        ),
    };
    Expr { span, kind }
}
