//! Functions whose result depends on their arguments alone. What is not computed here is unknown.

use std::sync::Arc;

use super::{
    lists,
    path::{absolute, parent},
    source_file::json_data,
    texts::{format, join, path_part, text_function, whole},
    value::{MAX_ITEMS, Members, Value},
    yaml,
};

/// The result of a function; alternatives are gone through one by one.
pub(super) fn call(name: &str, arguments: &[Value]) -> Value {
    spread(name, arguments, 0)
}

fn spread(name: &str, arguments: &[Value], depth: usize) -> Value {
    // Those that look at whether a value is there see it as it is.
    if ["try", "can", "coalesce", "coalescelist", "merge", "deep_merge", "concat"].contains(&name) {
        return collect(name, arguments);
    }
    if arguments.iter().any(|argument| matches!(argument, Value::Failed)) {
        return Value::Failed;
    }
    let open = arguments.iter().position(|argument| matches!(argument, Value::OneOf(_) | Value::Usually(_)));
    let Some(at) = open.filter(|_| depth < 4) else {
        return match open {
            Some(_) => Value::Unknown,
            None => compute(name, arguments),
        };
    };
    let with = |value: &Value| {
        let mut arguments = arguments.to_vec();
        arguments[at] = value.clone();
        spread(name, &arguments, depth + 1)
    };
    match &arguments[at] {
        Value::OneOf(values) => Value::one_of(values.iter().map(with).collect()),
        Value::Usually(inner) => Value::usually(with(inner)),
        _ => Value::Unknown,
    }
}

fn collect(name: &str, arguments: &[Value]) -> Value {
    match name {
        "try" => {
            let mut possible = Vec::new();
            for argument in arguments {
                match argument {
                    Value::Failed => {}
                    Value::Unknown | Value::OneOf(_) | Value::Each(_) => possible.push(argument.clone()),
                    known => {
                        possible.push(known.clone());
                        return Value::one_of(possible);
                    }
                }
            }
            if possible.is_empty() { Value::Failed } else { Value::one_of(possible) }
        }
        "can" => match arguments {
            [Value::Failed] => Value::Bool(false),
            [Value::Unknown | Value::OneOf(_)] => Value::Unknown,
            _ => Value::Bool(true),
        },
        "coalesce" | "coalescelist" => {
            let mut possible = Vec::new();
            for argument in arguments {
                match argument {
                    Value::Null => {}
                    Value::Text(text) if text.is_empty() => {}
                    Value::List(items) if items.is_empty() => {}
                    Value::Usually(_) | Value::Unknown | Value::OneOf(_) | Value::Each(_) => {
                        possible.push(argument.clone());
                    }
                    known => {
                        possible.push(known.clone());
                        break;
                    }
                }
            }
            if possible.is_empty() { Value::Failed } else { Value::one_of(possible) }
        }
        "concat" => {
            let mut items = Vec::new();
            let mut open = false;
            for argument in arguments {
                match argument {
                    Value::Failed => return Value::Failed,
                    Value::List(more) => items.extend(more.iter().cloned()),
                    other => {
                        open = true;
                        items.push(other.any_item());
                    }
                }
            }
            if open || items.len() > MAX_ITEMS {
                Value::each(Value::one_of(items))
            } else {
                Value::list(items)
            }
        }
        _ => merge(arguments, name == "deep_merge"),
    }
}

/// Objects laid over one another. What an unknown one brings may replace what was there.
pub(super) fn merge(arguments: &[Value], deep: bool) -> Value {
    let mut members = Members::new();
    for argument in arguments {
        lay_over(&mut members, argument, deep, 0);
        if members.len() > MAX_ITEMS {
            return Value::Unknown;
        }
    }
    Value::object(members)
}

fn lay_over(members: &mut Members, value: &Value, deep: bool, depth: usize) {
    match value {
        Value::Object(more) => {
            for (name, value) in more.iter() {
                let below = members.get(name).filter(|_| deep && depth < 32);
                let laid = match (below, value) {
                    (Some(Value::Object(below)), Value::Object(_)) => {
                        let mut inner = (**below).clone();
                        lay_over(&mut inner, value, deep, depth + 1);
                        Value::object(inner)
                    }
                    (Some(Value::List(below)), Value::List(above)) => {
                        Value::list(below.iter().chain(above.iter()).cloned().collect())
                    }
                    _ => value.clone(),
                };
                members.insert(Arc::clone(name), laid);
            }
        }
        Value::Null | Value::Failed => {}
        Value::Usually(inner) => lay_over(members, inner, deep, depth),
        other => {
            for value in members.values_mut() {
                *value = Value::usually(value.clone());
            }
            members.insert("".into(), other.any_item());
        }
    }
}

fn compute(name: &str, arguments: &[Value]) -> Value {
    let text = |at: usize| arguments.get(at).and_then(Value::as_text);
    match name {
        "tostring" => arguments.first().and_then(Value::as_text).map_or(Value::Unknown, Value::Text),
        "tonumber" => text(0).and_then(|text| text.parse().ok()).map_or(Value::Unknown, Value::Number),
        "tobool" => arguments.first().and_then(Value::as_bool).map_or(Value::Unknown, Value::Bool),
        "toset" => lists::set(&first(arguments)),
        "tolist" | "tomap" | "sensitive" | "nonsensitive" | "ephemeralasnull" => first(arguments),
        "abspath" | "pathexpand" => match text(0) {
            Some(text) => Value::Text(text),
            None => first(arguments),
        },
        "basename" | "dirname" => path_part(name, &first(arguments)),
        "join" => join(arguments),
        "format" => format(arguments),
        "jsondecode" => match &first(arguments) {
            Value::Content(file) => file.json(),
            Value::Text(text) => json_data(text).unwrap_or(Value::Failed),
            _ => Value::Unknown,
        },
        "yamldecode" => match &first(arguments) {
            Value::Content(file) => file.yaml(),
            Value::Text(text) => yaml::parse(text),
            _ => Value::Unknown,
        },
        "lookup" => lookup(arguments),
        "element" => match (arguments.first(), arguments.get(1).and_then(Value::as_index)) {
            (Some(Value::List(items)), Some(index)) if !items.is_empty() => {
                items[index % items.len()].clone()
            }
            (Some(value), _) => value.any_item(),
            _ => Value::Failed,
        },
        "length" => match &first(arguments) {
            Value::List(items) => number(items.len()),
            Value::Object(members) if !members.contains_key("") => number(members.len()),
            Value::Text(text) => number(text.chars().count()),
            _ => Value::Unknown,
        },
        "zipmap" => lists::zipmap(arguments),
        "range" => lists::range(arguments),
        "one" | "keys" | "values" | "compact" | "distinct" | "flatten" | "reverse" | "sort" | "slice"
        | "contains" | "index" | "setunion" => lists::list(name, arguments),
        "chunklist" | "formatlist" | "matchkeys" | "setintersection" | "setproduct" | "setsubtract" => {
            lists::made(name, arguments)
        }
        "abs" | "ceil" | "floor" | "max" | "min" | "signum" => {
            whole(name, arguments).unwrap_or(Value::Unknown)
        }
        _ => match text_function(name, arguments) {
            Some(value) => value,
            None => Value::Unknown,
        },
    }
}

pub(super) fn first(arguments: &[Value]) -> Value {
    arguments.first().cloned().unwrap_or(Value::Failed)
}

#[allow(clippy::cast_precision_loss)] // lengths are far below 2^53
pub(super) fn number(length: usize) -> Value {
    Value::Number(length as f64)
}

fn lookup(arguments: &[Value]) -> Value {
    let (Some(members), Some(name)) = (arguments.first(), arguments.get(1)) else { return Value::Failed };
    let default = arguments.get(2).cloned().unwrap_or(Value::Failed);
    match (members, name.as_text()) {
        (Value::Object(_), Some(name)) => match members.member(&name) {
            Value::Failed => default,
            Value::Unknown => Value::one_of(vec![Value::Unknown, default]),
            found => found,
        },
        _ => Value::one_of(vec![members.any_item(), default]),
    }
}

/// `abspath` of a text, from the directory in which Terragrunt runs.
pub(super) fn abspath(value: &Value, directory: &str) -> Value {
    match value {
        Value::Text(text) => Value::text(absolute(text, directory)),
        other => other.clone(),
    }
}

/// The directory of a file, both absolute.
pub(super) fn directory_of(path: &str) -> Arc<str> {
    parent(path).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(text: &str) -> Value {
        Value::text(text)
    }

    fn shown(value: &Value) -> String {
        match value {
            Value::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(",")),
            Value::Parts(items) => items.iter().map(shown).collect::<Vec<_>>().join("+"),
            Value::OneOf(items) => items.iter().map(shown).collect::<Vec<_>>().join("|"),
            Value::Usually(inner) => format!("~{}", shown(inner)),
            Value::Unknown => "?".to_owned(),
            Value::Failed => "!".to_owned(),
            other => other.as_text().map_or_else(|| format!("{other:?}"), |text| text.to_string()),
        }
    }

    #[test]
    fn functions_of_texts_and_lists_give_what_terragrunt_gives() {
        let list = Value::list(vec![t("b"), t("a"), t("")]);
        for (name, arguments, expected) in [
            ("basename", vec![t("/a/b.hcl")], "b.hcl"),
            ("dirname", vec![t("/a/b.hcl")], "/a"),
            ("dirname", vec![t("b.hcl")], "."),
            ("split", vec![t("/"), t("a/b")], "[a,b]"),
            ("join", vec![t("-"), list.clone()], "b-a-"),
            ("compact", vec![list.clone()], "[b,a]"),
            ("sort", vec![list.clone()], "[,a,b]"),
            ("reverse", vec![list.clone()], "[,a,b]"),
            ("element", vec![list.clone(), Value::Number(4.0)], "a"),
            ("length", vec![list.clone()], "3"),
            ("contains", vec![list.clone(), t("a")], "true"),
            ("format", vec![t("%s-%d%%"), t("x"), Value::Number(2.0)], "x-2%"),
            ("replace", vec![t("a-b"), t("-"), t("_")], "a_b"),
            ("replace", vec![t("a1b2"), t("/[0-9]/"), t("")], "ab"),
            ("regex", vec![t("^[a-z]+"), t("abc-1")], "abc"),
            ("regex", vec![t("^([a-z]+)-(.*)"), t("abc-1")], "[abc,1]"),
            ("substr", vec![t("hello"), Value::Number(1.0), Value::Number(3.0)], "ell"),
            ("trimprefix", vec![t("v1"), t("v")], "1"),
            ("title", vec![t("ab cd")], "Ab Cd"),
            ("lower", vec![Value::one_of(vec![t("A"), t("B")])], "a|b"),
            ("upper", vec![Value::usually(t("a"))], "~A"),
            ("try", vec![Value::Failed, t("x"), t("y")], "x"),
            ("try", vec![Value::Unknown, t("x"), t("y")], "?|x"),
            ("coalesce", vec![Value::Null, t(""), t("y")], "y"),
            ("lower", vec![Value::Failed], "!"),
            ("sha1", vec![t("a")], "?"),
            ("dirname", vec![t("/a/b/")], "/a/b"),
            ("dirname", vec![t("/a")], "/"),
            ("dirname", vec![t("a//b")], "a"),
            ("base64decode", vec![t("YS9i")], "a/b"),
            ("base64encode", vec![t("a/é")], "YS/DqQ=="),
            ("urlencode", vec![t("a b/é")], "a+b%2F%C3%A9"),
            ("strrev", vec![t("ab")], "ba"),
            ("upper", vec![t("éß")], "Éß"),
            ("lower", vec![t("ÉΣ")], "éσ"),
            ("title", vec![t("a_b c'd")], "A_b C'D"),
            ("substr", vec![t("abc"), Value::Number(-2.0), Value::Number(1.0)], "b"),
            ("regex", vec![t("\\w+"), t("é")], "?"),
            ("regexall", vec![t("[a-z]+"), t("ab 1 cd")], "[ab,cd]"),
            ("replace", vec![t("aéb"), t("/\\w/"), t("x")], "?"),
            ("format", vec![t("%03d-%5s"), Value::Number(7.0), t("a")], "007-    a"),
            ("max", vec![Value::Number(3.0), t("12")], "12"),
            ("min", vec![Value::Number(1.5)], "?"),
            ("abs", vec![Value::Number(-2.0)], "2"),
            ("range", vec![Value::Number(3.0), Value::Number(1.0)], "[3,2]"),
            ("range", vec![Value::Number(1.0), Value::Number(10.0), Value::Number(4.0)], "[1,5,9]"),
            ("range", vec![Value::Number(-2.0)], "[0,-1]"),
            ("range", vec![Value::Number(1.0), Value::Number(2.0), Value::Number(0.0)], "?"),
            ("toset", vec![list.clone()], "[,a,b]"),
            ("setunion", vec![list.clone(), Value::list(vec![t("a"), t("A")])], "[,A,a,b]"),
            ("setsubtract", vec![list.clone(), Value::list(vec![t("")])], "[a,b]"),
            ("setintersection", vec![list.clone(), Value::list(vec![t("a")])], "[a]"),
            (
                "setproduct",
                vec![Value::list(vec![t("b"), t("a")]), Value::list(vec![t("y")])],
                "[[b,y],[a,y]]",
            ),
            ("formatlist", vec![t("%s-%s"), Value::list(vec![t("a"), t("b")]), t("c")], "[a-c,b-c]"),
            ("chunklist", vec![list.clone(), Value::Number(2.0)], "[[b,a],[]]"),
            (
                "matchkeys",
                vec![
                    Value::list(vec![t("a"), t("b")]),
                    Value::list(vec![Value::Number(1.0), t("2")]),
                    Value::list(vec![t("1")]),
                ],
                "[a]",
            ),
            ("tobool", vec![t("true")], "true"),
            ("slice", vec![list, Value::Number(0.0), Value::Number(9.0)], "!"),
        ] {
            assert_eq!(shown(&call(name, &arguments)), expected, "{name}");
        }
    }

    #[test]
    fn an_unknown_object_hides_no_member_and_may_replace_one() {
        let known = Value::object(Members::from([("a".into(), t("1"))]));
        let merged = call("merge", &[known.clone(), Value::Unknown]);
        assert_eq!(shown(&merged.member("a")), "~1");
        assert_eq!(shown(&merged.member("b")), "?");
        assert_eq!(shown(&call("merge", &[Value::Unknown, known]).member("a")), "1");
    }
}
