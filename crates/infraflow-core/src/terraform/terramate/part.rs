//! Pieces of a file that count by what they say: an expression or a block without its comments and spacing,
//! with the globals and files that it names.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use hcl_edit::{
    Span,
    expr::{Expression, ForExpr, FuncCall, Traversal, TraversalOperator},
    structure::{Block, Body},
    visit::{self, Visit},
};

use super::{Bound, Read};
use crate::{
    proof::Digest,
    terraform::facts::{Place, READS, source::Source},
};

/// One piece of a file.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) place: Place,
    /// Of what stands there: comments, and how it is laid out, leave it as it is.
    pub(crate) digest: Digest,
    /// The globals that it names.
    pub(crate) globals: Globals,
    /// Its calls of functions that look at files.
    pub(crate) reads: Vec<Read>,
}

/// Globals by the first name of their path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Globals {
    These(BTreeSet<String>),
    /// Any: `global` is used as a whole.
    All,
}

impl Part {
    pub(super) fn of_expression(expression: &Expression, source: &Source<'_>) -> Self {
        let mut found = Found::default();
        found.visit_expr(expression);
        found.part(expression.span().unwrap_or_default(), source)
    }

    pub(super) fn of_body(body: &Body, span: Range<usize>, source: &Source<'_>) -> Self {
        let mut found =
            Found { bound: Bound::by_lets(body).into_iter().map(Arc::new).collect(), ..Found::default() };
        found.visit_body(body);
        found.part(span, source)
    }

    /// A piece that no parser took: all of it counts, and any global.
    pub(super) fn unread(span: Range<usize>, source: &Source<'_>) -> Self {
        let digest = Digest::of_bytes(source.spelled(span.clone()));
        Self { place: source.place(span), digest, globals: Globals::All, reads: Vec::new() }
    }
}

/// What an expression or a block names.
#[derive(Default)]
struct Found {
    globals: BTreeSet<String>,
    all: bool,
    reads: Vec<(FuncCall, Vec<Arc<Bound>>, Range<usize>)>,
    /// What binds names where the visit is.
    bound: Vec<Arc<Bound>>,
}

impl Found {
    fn part(self, span: Range<usize>, source: &Source<'_>) -> Part {
        let digest = Digest::of_bytes(without_comments(source.spelled(span.clone())));
        let reads = self.reads.into_iter();
        let reads =
            reads.map(|(call, bound, span)| Read { call, bound, place: source.place(span) }).collect();
        let globals = if self.all { Globals::All } else { Globals::These(self.globals) };
        Part { place: source.place(span), digest, globals, reads }
    }
}

impl Visit for Found {
    fn visit_traversal(&mut self, traversal: &Traversal) {
        if !matches!(&traversal.expr, Expression::Variable(name) if name.as_str() == "global") {
            return visit::visit_traversal(self, traversal);
        }
        match traversal.operators.first().map(|operator| operator.value()) {
            Some(TraversalOperator::GetAttr(name)) => {
                self.globals.insert(name.as_str().to_owned());
            }
            Some(TraversalOperator::Index(Expression::String(name))) => {
                self.globals.insert(name.to_string());
            }
            _ => self.all = true,
        }
        for operator in &traversal.operators {
            self.visit_traversal_operator(operator);
        }
    }

    fn visit_expr(&mut self, expression: &Expression) {
        if matches!(expression, Expression::Variable(name) if name.as_str() == "global") {
            self.all = true;
        }
        visit::visit_expr(self, expression);
    }

    fn visit_func_call(&mut self, call: &FuncCall) {
        let name = call.name.name.as_str().strip_prefix("tm_");
        if name.is_some_and(|name| READS.contains(&name) || name == "fileset") {
            self.reads.push((call.clone(), self.bound.clone(), call.span().unwrap_or_default()));
        }
        visit::visit_func_call(self, call);
    }

    fn visit_for_expr(&mut self, expression: &ForExpr) {
        self.visit_expr(&expression.intro.collection_expr);
        self.bound.push(Arc::new(Bound::by(expression)));
        expression.key_expr.iter().for_each(|key| self.visit_expr(key));
        self.visit_expr(&expression.value_expr);
        expression.cond.iter().for_each(|condition| self.visit_expr(&condition.expr));
        self.bound.pop();
    }

    fn visit_block(&mut self, block: &Block) {
        match Bound::by_block(block) {
            Some(bound) => {
                self.bound.push(Arc::new(bound));
                visit::visit_block(self, block);
                self.bound.pop();
            }
            None => visit::visit_block(self, block),
        }
    }
}

/// A text of HCL with its comments and runs of spaces each as one space, but for what stands in quotes. A
/// heredoc is left as it is, and everything with it: its spaces are its content.
fn without_comments(text: &str) -> String {
    if text.contains("<<") {
        return text.to_owned();
    }
    /// Where a byte stands: in code, so many braces deep, or in quotes.
    enum In {
        Code(usize),
        Quotes,
    }
    let bytes = text.as_bytes();
    let mut made: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut within = vec![In::Code(0)];
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let skipped = match within.last() {
            Some(In::Quotes) => {
                let length = match rest {
                    [b'\\', _, ..] => 2,
                    [b'$', b'$', b'{', ..] | [b'%', b'%', b'{', ..] => 3,
                    [b'$' | b'%', b'{', ..] => {
                        within.push(In::Code(0));
                        2
                    }
                    [b'"', ..] => {
                        within.pop();
                        1
                    }
                    _ => 1,
                };
                made.extend_from_slice(&rest[..length]);
                at += length;
                continue;
            }
            _ => match rest {
                [b'#', ..] | [b'/', b'/', ..] => memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
                [b'/', b'*', ..] => memchr::memmem::find(&rest[2..], b"*/").map_or(rest.len(), |end| end + 4),
                [b' ' | b'\t' | b'\r' | b'\n', ..] => 1,
                _ => 0,
            },
        };
        if skipped > 0 {
            // An end of line may end an attribute, another space means nothing.
            match (rest[0], made.last()) {
                (b'\n', last) if last != Some(&b'\n') => {
                    if last == Some(&b' ') {
                        made.pop();
                    }
                    made.push(b'\n');
                }
                (b'\n', _) | (_, Some(b' ' | b'\n') | None) => {}
                _ => made.push(b' '),
            }
            at += skipped;
            continue;
        }
        let inner = within.len() > 1;
        match (rest[0], within.last_mut()) {
            (b'"', _) => within.push(In::Quotes),
            (b'{', Some(In::Code(depth))) => *depth += 1,
            (b'}', Some(In::Code(0))) if inner => {
                within.pop();
            }
            (b'}', Some(In::Code(depth))) => *depth = depth.saturating_sub(1),
            _ => {}
        }
        made.push(rest[0]);
        at += 1;
    }
    String::from_utf8_lossy(&made).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_layout_are_left_out_and_texts_are_not() {
        let same = |one: &str, two: &str| assert_eq!(without_comments(one), without_comments(two));
        same("a = 1 # one\n", "a   =\t1 // two\n\n");
        same("a {\n  b = 1\n\n  /* x\n y */\n}", "a {\n    b = 1\n}");
        for (one, two) in [
            ("\"a  b\"", "\"a b\""),
            ("\"# a\"", "\"# b\""),
            ("\"${f(\"# a\")} # b\"", "\"${f(\"# a\")} # c\""),
            ("\"\\\"# a\"", "\"\\\"# b\""),
            ("a = 1\nb = 2", "a = 1 b = 2"),
            ("<<-E\n # a\nE\n", "<<-E\n # b\nE\n"),
        ] {
            assert_ne!(without_comments(one), without_comments(two), "{one}");
        }
    }
}
