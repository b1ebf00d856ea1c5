//! How expressions are compared that nobody evaluates: by their words.

use std::collections::BTreeSet;

use super::type_expression::tokens;

/// Whether two expressions say the same, white space and comments aside.
pub(super) fn same(a: &str, b: &str) -> bool {
    match (tokens(a), tokens(b)) {
        (Some(a), Some(b)) => words(&a) == words(&b),
        _ => a.trim() == b.trim(),
    }
}

/// A comma before a closing bracket, and the line ends that stand for commas, mean nothing.
fn words<'a>(tokens: &[&'a str]) -> Vec<&'a str> {
    tokens
        .iter()
        .enumerate()
        .filter(|(at, token)| **token != "," || !matches!(tokens.get(at + 1), Some(&("]" | "}" | ")"))))
        .map(|(_, token)| *token)
        .collect()
}

/// `contains([…], var.NAME)` with nothing but constants in its list: the list.
pub(super) fn allowed_values(condition: &str) -> Option<BTreeSet<&str>> {
    let tokens = tokens(condition)?;
    let words = words(&tokens);
    let rest = words.strip_prefix(&["contains", "(", "["])?;
    let end = rest.iter().position(|word| *word == "]")?;
    let (list, rest) = rest.split_at(end);
    let subject = rest.strip_prefix(&["]", ","])?;
    if !matches!(subject, ["var", ".", _, ")"]) {
        return None;
    }
    let mut values = BTreeSet::new();
    for (at, word) in list.iter().enumerate() {
        match (at % 2, *word) {
            (0, word) if !word.contains("${") && !word.contains("%{") => values.insert(word),
            (1, ",") => continue,
            _ => return None,
        };
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_does_not_make_a_difference() {
        assert!(same("[1, 2]", "[\n  1, # one\n  2,\n]"));
        assert!(same("{ a = 1 }", "{a=1}"));
        assert!(!same("\"a b\"", "\"ab\""));
        assert!(!same("[1, 2]", "[12]"));
    }

    #[test]
    fn a_list_of_constants_is_read_out_of_its_condition() {
        let values = allowed_values("contains([\"a\", \"b\"], var.x)").unwrap();
        assert_eq!(values, BTreeSet::from(["\"a\"", "\"b\""]));
        assert!(allowed_values("contains([\"a\"], var.x) || true").is_none());
        assert!(allowed_values("contains([\"a${var.y}\"], var.x)").is_none());
        assert!(allowed_values("length(var.x) > 1").is_none());
    }
}
