use super::{
    Interface,
    compare::{Found, rule},
    expression,
};

pub(super) fn compare(old: &Interface, new: &Interface, found: &mut Found<'_>) {
    for (name, output) in &old.outputs {
        let subject = format!("output.{name}");
        let Some(now) = new.outputs.get(name) else {
            found.add(
                rule!("output_removed"),
                output.link(subject),
                format!("the interface lost output {name:?}"),
            );
            continue;
        };
        let link = || now.link(subject.as_str());
        let text = |value: &Option<crate::terraform::facts::Text>| {
            value.as_ref().map(|text| text.value.clone()).unwrap_or_default()
        };
        if !expression::same(&text(&output.item.value), &text(&now.item.value)) {
            found.add_for_some(
                rule!("output_value_changed"),
                link(),
                format!("the expression of output {name:?} changed"),
            );
        }
        match (output.item.sensitive.unwrap_or(false), now.item.sensitive.unwrap_or(false)) {
            (false, true) => found.add(
                rule!("output_made_sensitive"),
                link(),
                format!("output {name:?} was made sensitive"),
            ),
            (true, false) => found.add(
                rule!("output_sensitive_removed"),
                link(),
                format!("output {name:?} is no longer sensitive"),
            ),
            _ => {}
        }
        match (output.item.ephemeral.unwrap_or(false), now.item.ephemeral.unwrap_or(false)) {
            (false, true) => found.add(
                rule!("output_made_ephemeral"),
                link(),
                format!("output {name:?} was made ephemeral"),
            ),
            (true, false) => found.add(
                rule!("output_ephemeral_removed"),
                link(),
                format!("output {name:?} is no longer ephemeral"),
            ),
            _ => {}
        }
    }
    for (name, output) in &new.outputs {
        if !old.outputs.contains_key(name) {
            found.add(
                rule!("output_added"),
                output.link(format!("output.{name}")),
                format!("output {name:?} was added"),
            );
        }
    }
}
