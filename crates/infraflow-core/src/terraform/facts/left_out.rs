//! What the types of variables have for members of objects that are left out.

use hcl_edit::expr::Expression;

use super::{
    StaticValue,
    evaluate::{Scope, evaluate},
    json::JsonValue,
    view::Expr,
};

/// Whether a type is that of a set.
pub(super) fn is_set(kind: &Expr<'_>) -> bool {
    match kind {
        Expr::Hcl(Expression::FuncCall(call)) => call.name.name.as_str() == "set",
        Expr::Sliced(slice) => slice.text.trim_start().starts_with("set"),
        Expr::Json(json) => {
            matches!(&json.value, JsonValue::String(text) if text.trim_start().starts_with("set"))
        }
        Expr::Hcl(_) => false,
    }
}

/// What a type has for members that are left out, where it has anything; of a set, any number of items.
pub(super) fn filling(kind: Expr<'_>) -> Option<StaticValue> {
    if is_set(&kind) {
        return Some(StaticValue::Many(Box::new(StaticValue::Unknown)));
    }
    let kind = match kind {
        Expr::Hcl(kind) => kind,
        Expr::Sliced(slice) if slice.text.contains("optional") => match slice.parsed() {
            Some(kind) => kind,
            None => return Some(StaticValue::Unknown),
        },
        Expr::Json(json) => {
            let optional = matches!(&json.value, JsonValue::String(text) if text.contains("optional"));
            return optional.then_some(StaticValue::Unknown);
        }
        Expr::Sliced(_) => return None,
    };
    let covered = fills(kind)?;
    Some(of_type(kind).filter(|_| covered).unwrap_or(StaticValue::Unknown))
}

/// Whether a type has a value for a member that is left out: then, whether [`of_type`] tells all of them.
fn fills(kind: &Expression) -> Option<bool> {
    let Expression::FuncCall(call) = kind else { return None };
    let mut all: Option<bool> = None;
    for argument in call.args.iter() {
        let members: Vec<&Expression> = match argument {
            Expression::Object(object) => object.iter().map(|(_, value)| value.expr()).collect(),
            // Of a collection nobody knows which of its objects leave something out.
            Expression::Array(items) => {
                all = items.iter().find_map(fills).map(|_| false).or(all);
                continue;
            }
            other => {
                all = fills(other).map(|_| false).or(all);
                continue;
            }
        };
        for member in members {
            let told = match member {
                Expression::FuncCall(call) if call.name.name.as_str() == "optional" => {
                    match (call.args.get(0).and_then(fills), call.args.get(1)) {
                        (None, given) => given.map(|_| true),
                        (told, Some(Expression::Object(_))) => told,
                        (Some(_), _) => Some(false),
                    }
                }
                other => fills(other),
            };
            all = told.map(|told| told && all.unwrap_or(true)).or(all);
        }
    }
    all
}

/// What the members of a variable's type have that need not be given: `optional(type, default)`.
pub(super) fn members_left_out(kind: Expr<'_>) -> Option<StaticValue> {
    match kind {
        Expr::Hcl(kind) => of_type(kind),
        Expr::Sliced(slice) if slice.text.contains("optional") => of_type(slice.parsed()?),
        // Types in JSON are texts.
        Expr::Sliced(_) | Expr::Json(_) => None,
    }
}

fn of_type(kind: &Expression) -> Option<StaticValue> {
    let Expression::FuncCall(call) = kind else { return None };
    let (name, Some(Expression::Object(object))) = (call.name.name.as_str(), call.args.get(0)) else {
        return None;
    };
    let mut members = Vec::new();
    for (key, value) in object.iter().filter(|_| name == "object") {
        let name = match key {
            hcl_edit::expr::ObjectKey::Ident(name) => name.as_str(),
            hcl_edit::expr::ObjectKey::Expression(key) => key.as_str()?,
        };
        let left_out = match value.expr() {
            Expression::FuncCall(call) if call.name.name.as_str() == "optional" => {
                let inner = call.args.get(0).and_then(of_type);
                let given = call.args.get(1).map(|given| evaluate(Expr::Hcl(given), &Scope::default()));
                match (given.unwrap_or(StaticValue::Null), inner) {
                    (given, Some(inner)) => Some(given.with_members_left_out(&inner)),
                    (given, None) => Some(given),
                }
            }
            kind => of_type(kind),
        };
        members.extend(left_out.map(|value| (name.to_owned(), value)));
    }
    (!members.is_empty()).then_some(StaticValue::Object(members))
}
