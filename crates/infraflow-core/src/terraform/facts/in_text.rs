//! Paths that stand in texts, where no function says so.

use std::ops::Range;

use hcl_edit::template::{Element, Template};

use super::{
    StaticValue,
    evaluate::{Scope, evaluate, evaluate_elements},
    named::{
        Naming, begins_a_path, begins_relative, ends_a_path, is_one_path, is_relative, is_word, path_from,
    },
    reads::Reads,
    view::Expr,
};

impl Reads<'_, '_> {
    /// In a template: from each interpolation that may begin a path up to where the path must end. A
    /// command names files among other words.
    pub(super) fn named_in_template(
        &mut self,
        template: &Template,
        scope: &Scope,
        naming: Naming,
        span: Option<Range<usize>>,
    ) {
        let elements: Vec<&Element> = template.iter().collect();
        // Of a text of several lines, which is mostly a file of its own, the words alone name nothing.
        let has_lines = |element: &&Element| matches!(element, Element::Literal(text) if text.contains('\n'));
        let words_count =
            [Naming::Command, Naming::Script].contains(&naming) || !elements.iter().any(has_lines);
        if naming == Naming::Path {
            let whole = evaluate_elements(&elements, scope);
            if is_one_path(&whole) {
                return self.named(whole, span);
            }
        }
        let mut at = 0;
        while at < elements.len() {
            match elements[at] {
                Element::Interpolation(interpolation)
                    if begins_a_path(&evaluate(Expr::Hcl(&interpolation.expr), scope), naming) =>
                {
                    let (value, next) = path_from(&elements, at, scope);
                    at = next;
                    if let Some(value) = value {
                        self.named(value, span.clone());
                    }
                }
                Element::Literal(text)
                    if !words_count || naming != Naming::Command && !begins_relative(text) =>
                {
                    at += 1;
                }
                Element::Literal(text) => {
                    // The last word may go on in the interpolation that follows.
                    let open = at + 1 < elements.len() && !text.ends_with(ends_a_path);
                    let words = text.split(ends_a_path);
                    let count = text.split(ends_a_path).count();
                    for (i, word) in words.enumerate() {
                        if !(is_relative(word) || naming == Naming::Command && is_word(word, naming)) {
                            continue;
                        }
                        let mut value = StaticValue::Literal(word.to_owned());
                        if open && i + 1 == count {
                            value = StaticValue::concat(vec![value, StaticValue::Unknown]);
                        }
                        self.named(value, span.clone());
                    }
                    at += 1;
                }
                _ => at += 1,
            }
        }
    }

    pub(super) fn named_in_text(&mut self, text: &str, naming: Naming, span: Option<Range<usize>>) {
        // Only a relative path counts wherever it stands, and of a text of several lines only what is a command.
        let counts = match naming {
            Naming::Ignored => false,
            Naming::Counts => begins_relative(text) && !text.contains('\n'),
            Naming::Script => begins_relative(text),
            Naming::Path => !text.contains('\n'),
            Naming::Command => true,
        };
        if !counts {
            return;
        }
        let mut before = "";
        for word in text.split(ends_a_path) {
            // Where one goes in a command is where the others begin.
            let entered =
                naming == Naming::Command && before == "cd" && !word.starts_with(['/', '~', '-', '$']);
            let whole = naming == Naming::Path && word.len() == text.len();
            if is_relative(word)
                || !word.is_empty() && entered
                || (whole || naming == Naming::Command) && is_word(word, naming)
            {
                self.named(StaticValue::Literal(word.to_owned()), span.clone());
            }
            before = word;
        }
    }
}
