//! From HCL to the form that is evaluated.

use std::{ops::Range, sync::Arc};

use hcl_edit::{
    Span as _,
    expr::{BinaryOperator, Expression, ObjectKey, Traversal, TraversalOperator, UnaryOperator},
    structure,
    template::{Directive, Element, Template},
};

use super::{
    syntax::{Attribute, Binary, Block, Body, Expr, For, Kind, Operator, Part, Span},
    value::Value,
};
use crate::terraform::facts::{
    simple::{self, Simple},
    slice::SlicedBody,
};

/// Compiles what was parsed; `shift` is where the parsed text begins in the file.
pub(super) fn body(parsed: &structure::Body, shift: usize) -> Body {
    let mut body = Body::default();
    for structure in parsed.iter() {
        match structure {
            structure::Structure::Attribute(attribute) => {
                let value = expression(&attribute.value, shift);
                let start = Span::of(attribute.key.span(), shift).start;
                let span = Span { start, end: value.span.end };
                body.attributes.push(Attribute { name: attribute.key.as_str().into(), span, value });
            }
            structure::Structure::Block(block) => {
                let ident = block.ident.span().unwrap_or_default();
                let end =
                    block.labels.last().and_then(|label| label.span()).map_or(ident.end, |span| span.end);
                body.blocks.push(Block {
                    kind: block.ident.as_str().into(),
                    labels: block.labels.iter().map(|label| label.as_str().into()).collect(),
                    header: Span::of(Some(ident.start..end), shift),
                    body: Arc::new(self::body(&block.body, shift)),
                });
            }
        }
    }
    body
}

/// Compiles what was only cut into expressions, of which most are plain texts; `shift` as for [`body`]. `None`
/// where the whole has to be parsed to tell.
pub(super) fn sliced(cut: &SlicedBody<'_>, shift: usize) -> Option<Body> {
    let mut body = Body::default();
    for attribute in &cut.attributes {
        let from = shift + attribute.value.start;
        let value = match attribute.value.simple() {
            Some(simple) => plain(simple, from),
            None => expression(attribute.value.parsed()?, from),
        };
        let start = Span::of(Some(attribute.name_start..attribute.name_start), shift).start;
        let span = Span { start, end: value.span.end };
        body.attributes.push(Attribute { name: attribute.name.into(), span, value });
    }
    for block in &cut.blocks {
        body.blocks.push(Block {
            kind: block.kind.into(),
            labels: block.labels.iter().map(|&label| label.into()).collect(),
            header: Span::of(Some(block.header.clone()), shift),
            body: Arc::new(sliced(&block.body, shift)?),
        });
    }
    Some(body)
}

/// Compiles a plain expression.
fn plain(simple: Simple<'_>, shift: usize) -> Expr {
    let at = |range: Range<usize>| Span::of(Some(range), shift);
    let span = at(simple.span.clone());
    let kind = match simple.kind {
        simple::Kind::Text(text) => Kind::Constant(Value::text(text)),
        simple::Kind::Bool(value) => Kind::Constant(Value::Bool(value)),
        simple::Kind::Number(digits) => Kind::Constant(digits.parse().map_or(Value::Unknown, Value::Number)),
        simple::Kind::Null => Kind::Constant(Value::Null),
        simple::Kind::Names(names) => return named(names, simple.span.start, shift),
        simple::Kind::Template(parts) => {
            let mut parts = parts.into_iter().map(|part| match part {
                simple::Part::Literal(text) => Part::Text(text.into()),
                simple::Part::Names(names, span) => Part::Value(named(names, span.start, shift)),
            });
            // A template of one interpolation is that value itself.
            match (parts.next(), parts.next()) {
                (Some(Part::Value(value)), None) => return value,
                (first, second) => Kind::Template(first.into_iter().chain(second).chain(parts).collect()),
            }
        }
        simple::Kind::Call(name, arguments) => Kind::Call {
            name: name.into(),
            arguments: arguments.into_iter().map(|argument| plain(argument, shift)).collect(),
            spread: false,
        },
        simple::Kind::List(items) => Kind::List(items.into_iter().map(|item| plain(item, shift)).collect()),
        simple::Kind::Object(members) => {
            let members = members.into_iter().map(|(key, span, value)| {
                (Expr { span: at(span), kind: Kind::Constant(Value::text(key)) }, plain(value, shift))
            });
            Kind::Object(members.collect())
        }
    };
    Expr { span, kind }
}

/// Names with dots between them, of which the first begins at a place.
fn named(names: &str, start: usize, shift: usize) -> Expr {
    let (first, members) = names.split_once('.').map_or((names, None), |(first, rest)| (first, Some(rest)));
    let at = |end: usize| Span::of(Some(start..end), shift);
    let name = Expr { span: at(start + first.len()), kind: Kind::Name(first.into()) };
    let Some(members) = members else { return name };
    let members = members.split('.').map(|member| Operator::Member(member.into())).collect();
    Expr { span: at(start + names.len()), kind: Kind::Traversal(Box::new(name), members) }
}

/// A template of its own: a string of JSON. All of it is said to stand at `span`.
pub(super) fn template_at(template: &Template, span: Span) -> Expr {
    let mut compiled = whole_template(template, 0, span);
    place_all(&mut compiled, span);
    compiled
}

/// Expressions cut out of a JSON string stand where the string stands: its escapes shift every offset.
fn place_all(expr: &mut Expr, span: Span) {
    expr.span = span;
    match &mut expr.kind {
        Kind::Constant(_) | Kind::Name(_) => {}
        Kind::Template(parts) => place_parts(parts, span),
        Kind::List(items) => items.iter_mut().for_each(|item| place_all(item, span)),
        Kind::Object(members) => {
            for (key, value) in members {
                place_all(key, span);
                place_all(value, span);
            }
        }
        Kind::Traversal(base, operators) => {
            place_all(base, span);
            for operator in operators {
                if let Operator::Index(index) = operator {
                    place_all(index, span);
                }
            }
        }
        Kind::Call { arguments, .. } => arguments.iter_mut().for_each(|item| place_all(item, span)),
        Kind::Conditional(parts) => parts.iter_mut().for_each(|item| place_all(item, span)),
        Kind::For(each) => {
            place_all(&mut each.collection, span);
            place_all(&mut each.value, span);
            each.key.iter_mut().chain(&mut each.condition).for_each(|item| place_all(item, span));
        }
        Kind::Not(inner) | Kind::Negative(inner) => place_all(inner, span),
        Kind::Binary(_, sides) => sides.iter_mut().for_each(|item| place_all(item, span)),
    }
}

fn place_parts(parts: &mut [Part], span: Span) {
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::Value(value) => place_all(value, span),
            Part::If(condition, one, other) => {
                place_all(condition, span);
                place_parts(one, span);
                place_parts(other, span);
            }
            Part::For(collection, _, _, inner) => {
                place_all(collection, span);
                place_parts(inner, span);
            }
        }
    }
}

fn expression(expression: &Expression, shift: usize) -> Expr {
    let span = Span::of(expression.span(), shift);
    let inner = |expression: &Expression| Box::new(self::expression(expression, shift));
    let kind = match expression {
        Expression::Null(_) => Kind::Constant(Value::Null),
        Expression::Bool(value) => Kind::Constant(Value::Bool(*value.value())),
        Expression::Number(number) => {
            Kind::Constant(number.value().as_f64().map_or(Value::Unknown, Value::Number))
        }
        Expression::String(text) => Kind::Constant(Value::text(text.as_str())),
        Expression::Array(items) => {
            Kind::List(items.iter().map(|item| self::expression(item, shift)).collect())
        }
        Expression::Object(object) => {
            let members = object.iter().map(|(key, value)| {
                let key = match key {
                    ObjectKey::Ident(name) => {
                        let span = Span::of(name.span(), shift);
                        Expr { span, kind: Kind::Constant(Value::text(name.as_str())) }
                    }
                    ObjectKey::Expression(key) => self::expression(key, shift),
                };
                (key, self::expression(value.expr(), shift))
            });
            Kind::Object(members.collect())
        }
        Expression::StringTemplate(template) => return whole_template(template, shift, span),
        Expression::HeredocTemplate(heredoc) => {
            let mut heredoc = heredoc.clone();
            heredoc.dedent();
            return whole_template(&heredoc.template, shift, span);
        }
        Expression::Parenthesis(wrapped) => return self::expression(wrapped.inner(), shift),
        Expression::Variable(name) => Kind::Name(name.as_str().into()),
        Expression::Conditional(conditional) => Kind::Conditional(Box::new([
            self::expression(&conditional.cond_expr, shift),
            self::expression(&conditional.true_expr, shift),
            self::expression(&conditional.false_expr, shift),
        ])),
        Expression::FuncCall(call) => {
            let core = match call.name.namespace.as_slice() {
                [] => true,
                [namespace] => namespace.as_str() == "core",
                _ => false,
            };
            // A provider's function: nobody can tell what it gives.
            let name = if core { call.name.name.as_str() } else { "provider::" };
            Kind::Call {
                name: name.into(),
                arguments: call.args.iter().map(|argument| self::expression(argument, shift)).collect(),
                spread: call.args.expand_final(),
            }
        }
        Expression::Traversal(traversal) => self::traversal(traversal, shift),
        Expression::UnaryOp(operation) => match operation.operator.value() {
            UnaryOperator::Not => Kind::Not(inner(&operation.expr)),
            UnaryOperator::Neg => Kind::Negative(inner(&operation.expr)),
        },
        Expression::BinaryOp(operation) => {
            let sides = [&operation.lhs_expr, &operation.rhs_expr];
            Kind::Binary(
                binary(*operation.operator.value()),
                Box::new(sides.map(|side| self::expression(side, shift))),
            )
        }
        Expression::ForExpr(each) => Kind::For(Box::new(For {
            key_name: each.intro.key_var.as_ref().map(|key| key.as_str().into()),
            value_name: each.intro.value_var.as_str().into(),
            collection: self::expression(&each.intro.collection_expr, shift),
            key: each.key_expr.as_ref().map(|key| self::expression(key, shift)),
            value: self::expression(&each.value_expr, shift),
            condition: each.cond.as_ref().map(|condition| self::expression(&condition.expr, shift)),
            grouping: each.grouping,
        })),
    };
    Expr { span, kind }
}

fn traversal(traversal: &Traversal, shift: usize) -> Kind {
    let operators = traversal.operators.iter().map(|operator| match operator.value() {
        TraversalOperator::GetAttr(name) => Operator::Member(name.as_str().into()),
        TraversalOperator::LegacyIndex(index) => {
            #[allow(clippy::cast_precision_loss)] // an index beyond 2^53 finds nothing
            let index = *index.value() as f64;
            Operator::Index(Box::new(Expr {
                span: Span::of(operator.span(), shift),
                kind: Kind::Constant(Value::Number(index)),
            }))
        }
        TraversalOperator::Index(index) => Operator::Index(Box::new(expression(index, shift))),
        TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => Operator::Splat,
    });
    Kind::Traversal(Box::new(expression(&traversal.expr, shift)), operators.collect())
}

/// A template of one interpolation is that value itself.
fn whole_template(template: &Template, shift: usize, span: Span) -> Expr {
    if let Some(Element::Interpolation(interpolation)) = template.as_single_element() {
        return expression(&interpolation.expr, shift);
    }
    let mut parts = self::parts(template, shift);
    let kind = match parts.as_mut_slice() {
        [] => Kind::Constant(Value::text("")),
        [Part::Text(text)] => Kind::Constant(Value::Text(Arc::clone(text))),
        _ => Kind::Template(parts),
    };
    Expr { span, kind }
}

fn parts(template: &Template, shift: usize) -> Vec<Part> {
    let parts = template.iter().map(|element| match element {
        Element::Literal(text) => Part::Text(text.as_str().into()),
        Element::Interpolation(interpolation) => Part::Value(expression(&interpolation.expr, shift)),
        Element::Directive(directive) => match &**directive {
            Directive::If(directive) => Part::If(
                Box::new(expression(&directive.if_expr.cond_expr, shift)),
                self::parts(&directive.if_expr.template, shift),
                directive
                    .else_expr
                    .as_ref()
                    .map(|otherwise| self::parts(&otherwise.template, shift))
                    .unwrap_or_default(),
            ),
            Directive::For(directive) => Part::For(
                Box::new(expression(&directive.for_expr.collection_expr, shift)),
                directive.for_expr.key_var.as_ref().map(|key| key.as_str().into()),
                directive.for_expr.value_var.as_str().into(),
                self::parts(&directive.for_expr.template, shift),
            ),
        },
    });
    parts.collect()
}

fn binary(operator: BinaryOperator) -> Binary {
    match operator {
        BinaryOperator::Eq => Binary::Equal,
        BinaryOperator::NotEq => Binary::Unequal,
        BinaryOperator::LessEq => Binary::LessOrEqual,
        BinaryOperator::GreaterEq => Binary::GreaterOrEqual,
        BinaryOperator::Less => Binary::Less,
        BinaryOperator::Greater => Binary::Greater,
        BinaryOperator::Plus => Binary::Plus,
        BinaryOperator::Minus => Binary::Minus,
        BinaryOperator::Mul => Binary::Times,
        BinaryOperator::Div => Binary::Divided,
        BinaryOperator::Mod => Binary::Modulo,
        BinaryOperator::And => Binary::And,
        BinaryOperator::Or => Binary::Or,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read without a parser is what the parser reads, or nothing.
    fn is_the_same(text: &str) -> bool {
        let Some(simple) = Simple::read(text) else { return false };
        let parsed = hcl_edit::parser::parse_expr(text);
        let parsed = parsed.unwrap_or_else(|error| panic!("{text:?} is no expression: {error}"));
        assert_eq!(format!("{:?}", plain(simple, 3)), format!("{:?}", expression(&parsed, 3)), "{text:?}");
        true
    }

    #[test]
    fn plain_expressions_are_what_the_parser_reads() {
        for text in [
            "\"\"",
            "\"x y\"",
            "true",
            "null",
            "0",
            "42",
            "a",
            "a.b-c.d_e",
            "\"${a}\"",
            "\"${ a.b }\"",
            "\"x-${a.b}/${c}\"",
            "find_in_parent_folders(\"root.hcl\")",
            "merge(local.a, { b = \"c\" },)",
            "f()",
            "[]",
            "[\n  \"a\",\n  b,\n]",
            "{}",
            "{ a = 1, \"b c\" : [x.y] }",
            "{\n  a = \"b\"\n  c = {\n    d = e.f\n  }\n}",
        ] {
            assert!(is_the_same(text), "{text:?} is left to the parser");
        }
        for text in [
            "01",
            "1.5",
            "a[0]",
            "a.0",
            "a.*.b",
            "-1",
            "a + b",
            "f(a...)",
            "x::f(a)",
            "\"$${a}\"",
            "\"%{ if a }\"",
            "\"\\n\"",
            "[for a in b : a]",
            "{ for a, b in c : a => b }",
            "{ (a) = b }",
            "a ? b : c",
            "a # b",
            "",
        ] {
            assert!(!is_the_same(text), "{text:?} is read");
        }
    }

    #[test]
    fn whatever_is_read_is_what_the_parser_reads() {
        let words = [
            "a",
            "b.c",
            "true",
            "false.x",
            "null",
            "for",
            "1",
            "0",
            "01",
            "1.5",
            "\"x\"",
            "\"${a.b}\"",
            "\"${ a }y\"",
            "\"$${a}\"",
            "\"%{if a}\"",
            "\"a$b\"",
            "\"é\"",
            "é",
            "f(",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "=",
            ":",
            ",",
            ", ",
            " ",
            "\n",
            "\t",
            ".",
            "...",
            "-",
            "+",
            "?",
            "#",
            "//",
            "::",
            "a = ",
            "\"k\" = ",
            "\r\n",
        ];
        let (mut state, mut read) = (7_u64, 0);
        for round in 0..60_000 {
            let mut text = String::new();
            for _ in 0..1 + round % 9 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text += words[(state >> 33) as usize % words.len()];
            }
            let wrapped = ["", "[", "{ a = ", "f("][(state >> 50) as usize % 4];
            let close = ["", "]", "}", ")"][(state >> 50) as usize % 4];
            read += usize::from(is_the_same(&format!("{wrapped}{text}{close}")));
        }
        assert!(read > 1_000, "only {read} are read");
    }
}
