use super::{
    Declared, Interface,
    compare::{Found, rule},
    expression,
    type_expression::{Fit, Type},
};
use crate::terraform::facts::Variable;

pub(super) fn compare(old: &Interface, new: &Interface, found: &mut Found<'_>) {
    for (name, variable) in &old.variables {
        let subject = format!("variable.{name}");
        match new.variables.get(name) {
            None => found.add(
                rule!("variable_removed"),
                variable.link(subject),
                format!("the interface lost variable {name:?}"),
            ),
            Some(now) => compare_one(variable, now, &subject, found),
        }
    }
    for (name, variable) in &new.variables {
        if old.variables.contains_key(name) {
            continue;
        }
        let link = variable.link(format!("variable.{name}"));
        if variable.item.default.is_some() {
            found.add(
                rule!("variable_added_optional"),
                link,
                format!("variable {name:?} was added, with a default"),
            );
        } else {
            found.add(
                rule!("variable_added_required"),
                link,
                format!("the required variable {name:?} was added"),
            );
        }
    }
}

fn compare_one(old: &Declared<Variable>, new: &Declared<Variable>, subject: &str, found: &mut Found<'_>) {
    let name = &new.item.name;
    let link = || new.link(subject);
    match (&old.item.default, &new.item.default) {
        (Some(_), None) => found.add(
            rule!("default_removed"),
            link(),
            format!("variable {name:?} lost its default, and is required now"),
        ),
        (None, Some(_)) => {
            found.add(rule!("default_added"), link(), format!("variable {name:?} has a default now"));
        }
        (Some(a), Some(b)) if !expression::same(&a.value, &b.value) => {
            found.add(rule!("default_changed"), link(), format!("the default of variable {name:?} changed"))
        }
        _ => {}
    }
    compare_type(&old.item, &new.item, &link, found);
    match (old.item.nullable.unwrap_or(true), new.item.nullable.unwrap_or(true)) {
        (true, false) if new.item.default.is_some() => found.add_for_some(
            rule!("nullable_removed_with_default"),
            link(),
            format!("variable {name:?} takes its default where null is passed"),
        ),
        (true, false) => found.add_for_some(
            rule!("nullable_removed"),
            link(),
            format!("variable {name:?} no longer takes null, and has no default"),
        ),
        (false, true) => {
            found.add(rule!("nullable_added"), link(), format!("variable {name:?} takes null now"));
        }
        _ => {}
    }
    match (old.item.sensitive.unwrap_or(false), new.item.sensitive.unwrap_or(false)) {
        (false, true) => found.add(
            rule!("variable_made_sensitive"),
            link(),
            format!("variable {name:?} was made sensitive"),
        ),
        (true, false) => found.add(
            rule!("variable_sensitive_removed"),
            link(),
            format!("variable {name:?} is no longer sensitive"),
        ),
        _ => {}
    }
    match (old.item.ephemeral.unwrap_or(false), new.item.ephemeral.unwrap_or(false)) {
        (false, true) => found.add(
            rule!("variable_made_ephemeral"),
            link(),
            format!("variable {name:?} was made ephemeral"),
        ),
        (true, false) => found.add_for_some(
            rule!("variable_ephemeral_removed"),
            link(),
            format!("variable {name:?} is no longer ephemeral"),
        ),
        _ => {}
    }
    compare_validations(&old.item, &new.item, &link, found);
}

fn compare_type(
    old: &Variable,
    new: &Variable,
    link: &dyn Fn() -> crate::proof::Link,
    found: &mut Found<'_>,
) {
    let name = &new.name;
    // No type is any.
    let text =
        |variable: &Variable| variable.type_text.as_ref().map_or("any".to_owned(), |t| t.value.clone());
    let (old_text, new_text) = (text(old), text(new));
    if expression::same(&old_text, &new_text) {
        return;
    }
    let (Some(old_type), Some(new_type)) = (Type::parse(&old_text), Type::parse(&new_text)) else {
        found.add(rule!("type_unclear"), link(), format!("the type of variable {name:?} changed"));
        return;
    };
    match old_type.fits(&new_type) {
        Fit::All if old_type == new_type => {}
        Fit::All => {
            for attribute in old_type.changed_defaults(&new_type) {
                found.add(
                    rule!("attribute_default_changed"),
                    link(),
                    format!("the default of the attribute {attribute:?} of variable {name:?} changed"),
                );
            }
            found.add(
                rule!("type_widened"),
                link(),
                format!("the type of variable {name:?} changed, and takes all that it took"),
            );
        }
        Fit::Refused { why, value_dependent } => {
            let text = format!("the type of variable {name:?} changed: {why}");
            if value_dependent {
                found.add_for_some(rule!("type_narrowed"), link(), text);
            } else {
                found.add(rule!("type_narrowed"), link(), text);
            }
        }
    }
}

fn compare_validations(
    old: &Variable,
    new: &Variable,
    link: &dyn Fn() -> crate::proof::Link,
    found: &mut Found<'_>,
) {
    let name = &new.name;
    let missing = |from: &Variable, of: &Variable| -> Vec<String> {
        of.validations
            .iter()
            .map(|condition| condition.value.clone())
            .filter(|condition| {
                !from.validations.iter().any(|other| expression::same(&other.value, condition))
            })
            .collect()
    };
    let mut gone = missing(new, old);
    let changed = !gone.is_empty();
    for condition in missing(old, new) {
        let wider = |before: &String| match (
            expression::allowed_values(before),
            expression::allowed_values(&condition),
        ) {
            (Some(before), Some(after)) => before.is_subset(&after),
            _ => false,
        };
        if let Some(at) = gone.iter().position(wider) {
            gone.remove(at);
            found.add(
                rule!("validation_widened"),
                link(),
                format!("a validation of variable {name:?} allows more values"),
            );
        } else if changed {
            gone.pop();
            found.add_for_some(
                rule!("validation_changed"),
                link(),
                format!("a validation of variable {name:?} changed"),
            );
        } else {
            found.add_for_some(
                rule!("validation_added"),
                link(),
                format!("variable {name:?} has a new validation"),
            );
        }
    }
    if !gone.is_empty() {
        found.add(rule!("validation_removed"), link(), format!("variable {name:?} has a validation less"));
    }
}
