use super::{value::Value, yaml};
use crate::terraform::facts::StaticValue;

/// What a YAML or JSON text says; unknown where it uses more of YAML than is read here. No more than `most` parts.
pub(crate) fn static_data(text: &str, most: usize) -> StaticValue {
    let mut left = most;
    converted(&yaml::parse(text), &mut left)
}

fn converted(value: &Value, left: &mut usize) -> StaticValue {
    *left = left.saturating_sub(1);
    if *left == 0 {
        return StaticValue::Unknown;
    }
    match value {
        Value::Null => StaticValue::Null,
        Value::Bool(value) => StaticValue::Literal(value.to_string()),
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            StaticValue::Literal(format!("{number:.0}"))
        }
        Value::Text(text) => StaticValue::Literal(text.to_string()),
        Value::List(items) => StaticValue::List(items.iter().map(|item| converted(item, left)).collect()),
        // Members that nobody knows the names of stand under the empty name.
        Value::Object(members) if members.contains_key("") => {
            let values = members.values().map(|member| converted(member, left)).collect();
            StaticValue::Map(Box::new(StaticValue::Unknown), Box::new(StaticValue::one_of(values)))
        }
        Value::Object(members) => StaticValue::Object(
            members.iter().map(|(name, member)| (name.to_string(), converted(member, left))).collect(),
        ),
        _ => StaticValue::Unknown,
    }
}
