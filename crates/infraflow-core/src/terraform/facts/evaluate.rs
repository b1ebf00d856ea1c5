//! What an expression's value can be said to be without running anything.

use std::sync::Arc;

use hcl_edit::{
    expr::{Expression, ForExpr, FuncCall, ObjectKey, Traversal, TraversalOperator},
    template::{Directive, Element, Template},
};

use super::{
    Base, StaticValue, Step,
    functions::function,
    json::{Json, JsonValue},
    simple::{Kind, Part, Simple},
    slice::{Shape, Slice},
    view::Expr,
};

/// The most parts that one value keeps. A value beyond it is [`StaticValue::Unknown`] in its larger parts,
/// which is matched conservatively.
const MAX_PARTS: usize = 2_000;

/// The most parts of a value that a name is bound to, and of all that an expression takes from such names. Loops within
/// loops would multiply them.
const MAX_BOUND: usize = 10_000;

/// Data sources whose paths are those that they are given.
const GIVES_WHAT_IT_IS_GIVEN: [&str; 4] =
    ["archive_file", "local_file", "local_sensitive_file", "template_file"];

/// The names that are bound where an expression stands: the variables of `for`, `each` of a block with
/// `for_each`, the iterator of a `dynamic` block.
#[derive(Clone, Default)]
pub(super) struct Scope {
    bound: Vec<(String, Arc<StaticValue>)>,
}

impl Scope {
    /// The same with `each.key` and `each.value` of a collection.
    pub(super) fn with_each(&self, collection: &StaticValue) -> Self {
        self.with_iterator("each", collection)
    }

    /// The same with `NAME.key` and `NAME.value` of a collection.
    pub(super) fn with_iterator(&self, name: &str, collection: &StaticValue) -> Self {
        let members = vec![
            ("key".to_owned(), collection.clone().keys()),
            ("value".to_owned(), collection.clone().step(Step::Any)),
        ];
        self.with(name, StaticValue::Object(members))
    }

    /// The same with the variables that a `for` over a collection binds.
    pub(super) fn with_for(&self, key: Option<&str>, value: &str, collection: &StaticValue) -> Self {
        let mut scope = self.clone();
        if let Some(key) = key {
            scope = scope.with(key, collection.clone().keys());
        }
        scope.with(value, collection.clone().step(Step::Any))
    }

    fn with(&self, name: &str, value: StaticValue) -> Self {
        let mut scope = self.clone();
        let value = if value.parts(MAX_BOUND) < MAX_BOUND { value } else { StaticValue::Unknown };
        scope.bound.push((name.to_owned(), Arc::new(value)));
        scope
    }

    /// The names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.bound.iter().map(|(name, _)| name.as_str())
    }

    fn get(&self, name: &str) -> Option<&StaticValue> {
        self.bound.iter().rev().find(|(bound, _)| bound == name).map(|(_, value)| &**value)
    }
}

/// What is known of an expression's value.
pub(super) fn evaluate(expression: Expr<'_>, scope: &Scope) -> StaticValue {
    let mut evaluator = Evaluator { scope: scope.clone(), left: MAX_PARTS, bound_left: MAX_BOUND };
    match expression {
        Expr::Hcl(expression) => evaluator.expression(expression),
        Expr::Sliced(slice) => evaluator.slice(slice),
        Expr::Json(json) => evaluator.json(json),
    }
}

/// What is known of the text that a run of template elements yields.
pub(super) fn evaluate_elements(elements: &[&Element], scope: &Scope) -> StaticValue {
    let mut evaluator = Evaluator { scope: scope.clone(), left: MAX_PARTS, bound_left: MAX_BOUND };
    evaluator.elements(elements.iter().copied())
}

struct Evaluator {
    scope: Scope,
    left: usize,
    /// How many more parts may be taken from names that are bound.
    bound_left: usize,
}

impl Evaluator {
    fn slice(&mut self, slice: &Slice<'_>) -> StaticValue {
        match slice.shape() {
            Shape::Text(text) | Shape::Constant(text) => StaticValue::Literal(text.to_owned()),
            Shape::Null => StaticValue::Null,
            Shape::Names(names) => self.names(names),
            Shape::Other => {
                if let Some(simple) = slice.simple() {
                    return self.simple(simple);
                }
                match slice.parsed() {
                    Some(expression) => self.expression(expression),
                    None => StaticValue::Unknown,
                }
            }
        }
    }

    fn simple(&mut self, simple: Simple<'_>) -> StaticValue {
        if !self.spend() {
            return StaticValue::Unknown;
        }
        match simple.kind {
            Kind::Text(text) | Kind::Number(text) => StaticValue::Literal(text.to_owned()),
            Kind::Bool(value) => StaticValue::Literal(value.to_string()),
            Kind::Null => StaticValue::Null,
            Kind::Names(names) => self.names(names),
            Kind::Template(parts) => {
                let parts = parts.into_iter().map(|part| match part {
                    Part::Literal(text) => StaticValue::Literal(text.to_owned()),
                    Part::Names(names, _) => self.names(names),
                });
                StaticValue::concat(parts.collect())
            }
            Kind::List(items) => StaticValue::List(items.into_iter().map(|item| self.simple(item)).collect()),
            Kind::Object(members) => {
                let members = members.into_iter();
                StaticValue::Object(
                    members.map(|(name, _, value)| (name.to_owned(), self.simple(value))).collect(),
                )
            }
            Kind::Call(name, arguments) => {
                let arguments = arguments.into_iter().map(|argument| self.simple(argument)).collect();
                given(name, arguments)
            }
        }
    }

    /// What names with dots between them stand for.
    fn names(&mut self, names: &str) -> StaticValue {
        let mut names = names.split('.');
        let root = names.next().unwrap_or_default();
        self.under_name(root, names.map(|name| Step::Member(name.to_owned())).collect())
    }

    fn json(&mut self, json: &Json) -> StaticValue {
        if !self.spend() {
            return StaticValue::Unknown;
        }
        match &json.value {
            JsonValue::String(text) => self.json_text(text),
            JsonValue::Bool(value) => StaticValue::Literal(value.to_string()),
            JsonValue::Null => StaticValue::Null,
            JsonValue::Number => StaticValue::Unknown,
            JsonValue::Array(items) => StaticValue::List(items.iter().map(|item| self.json(item)).collect()),
            JsonValue::Object(members) => {
                let members =
                    members.iter().map(|member| (self.json_text(&member.name), self.json(&member.value)));
                members_of(members.collect())
            }
        }
    }

    /// A text of JSON is a template.
    fn json_text(&mut self, text: &str) -> StaticValue {
        if !text.contains("${") && !text.contains("%{") {
            return StaticValue::Literal(text.to_owned());
        }
        match hcl_edit::parser::parse_template(text) {
            Ok(template) => self.template(&template),
            Err(_) => StaticValue::Unknown,
        }
    }

    fn expression(&mut self, expression: &Expression) -> StaticValue {
        if !self.spend() {
            return StaticValue::Unknown;
        }
        match expression {
            Expression::String(text) => StaticValue::Literal(text.to_string()),
            Expression::Bool(value) => StaticValue::Literal(value.value().to_string()),
            Expression::Number(number) => StaticValue::Literal(number.value().to_string()),
            Expression::StringTemplate(template) => self.template(template),
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template),
            Expression::Parenthesis(inner) => self.expression(inner.inner()),
            Expression::Conditional(conditional) => StaticValue::one_of(vec![
                self.expression(&conditional.true_expr),
                self.expression(&conditional.false_expr),
            ]),
            Expression::Variable(name) => self.bound(name.as_str(), &[]).unwrap_or(StaticValue::Unknown),
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::FuncCall(call) => self.call(call),
            Expression::ForExpr(expression) => self.for_expression(expression),
            Expression::Array(items) => {
                StaticValue::List(items.iter().map(|item| self.expression(item)).collect())
            }
            Expression::Object(object) => {
                let members = object.iter().map(|(key, value)| {
                    let value = self.expression(value.expr());
                    (self.object_key(key), value)
                });
                members_of(members.collect())
            }
            Expression::Null(_) => StaticValue::Null,
            Expression::UnaryOp(_) | Expression::BinaryOp(_) => StaticValue::Unknown,
        }
    }

    fn object_key(&mut self, key: &ObjectKey) -> StaticValue {
        match key {
            ObjectKey::Ident(name) => StaticValue::Literal(name.as_str().to_owned()),
            ObjectKey::Expression(expression) => self.expression(expression),
        }
    }

    fn template(&mut self, template: &Template) -> StaticValue {
        self.elements(template.iter())
    }

    fn elements<'e>(&mut self, elements: impl Iterator<Item = &'e Element>) -> StaticValue {
        let parts = elements
            .map(|element| match element {
                Element::Literal(text) => StaticValue::Literal(text.to_string()),
                Element::Interpolation(interpolation) => self.expression(&interpolation.expr),
                Element::Directive(directive) => match &**directive {
                    Directive::If(directive) => StaticValue::one_of(vec![
                        self.template(&directive.if_expr.template),
                        match &directive.else_expr {
                            Some(otherwise) => self.template(&otherwise.template),
                            None => StaticValue::Literal(String::new()),
                        },
                    ]),
                    Directive::For(_) => StaticValue::Unknown,
                },
            })
            .collect();
        StaticValue::concat(parts)
    }

    fn traversal(&mut self, traversal: &Traversal) -> StaticValue {
        let Expression::Variable(root) = &traversal.expr else {
            let steps = self.steps(&traversal.operators);
            return steps.into_iter().fold(self.expression(&traversal.expr), StaticValue::step);
        };
        let steps = self.steps(&traversal.operators);
        self.under_name(root.as_str(), steps)
    }

    /// What is taken out of what a name stands for.
    fn under_name(&mut self, root: &str, steps: Vec<Step>) -> StaticValue {
        if let Some(bound) = self.bound(root, &steps) {
            return bound;
        }
        let mut steps = steps.into_iter();
        let Some(Step::Member(name)) = steps.next() else { return StaticValue::Unknown };
        match (root, name.as_str()) {
            ("path", "module") => StaticValue::Base(Base::Module),
            ("path", "root") => StaticValue::Base(Base::Root),
            ("path", "cwd") => StaticValue::computed("abspath", vec![StaticValue::Base(Base::Cwd)]),
            ("local", _) => StaticValue::Local(name, steps.collect()),
            ("var", _) => StaticValue::Variable(name, steps.collect()),
            ("count" | "each" | "self" | "terraform" | "path", _) => StaticValue::Unknown,
            // What other data sources find may be anything.
            ("data", _) if !GIVES_WHAT_IT_IS_GIVEN.contains(&name.as_str()) => StaticValue::Unknown,
            // A resource or another module. What is bound has been found before.
            _ => StaticValue::Made,
        }
    }

    fn steps(&mut self, operators: &[hcl_edit::Decorated<TraversalOperator>]) -> Vec<Step> {
        operators
            .iter()
            .map(|operator| match operator.value() {
                TraversalOperator::GetAttr(name) => Step::Member(name.as_str().to_owned()),
                TraversalOperator::LegacyIndex(index) => Step::Item(*index.value()),
                TraversalOperator::Index(index) => self.index(index),
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => Step::Any,
            })
            .collect()
    }

    fn index(&mut self, index: &Expression) -> Step {
        match self.expression(index) {
            StaticValue::Literal(text) => match index.as_number().and_then(hcl_edit::Number::as_u64) {
                Some(number) => Step::Item(number),
                None => Step::Member(text),
            },
            _ => Step::Any,
        }
    }

    fn for_expression(&mut self, expression: &ForExpr) -> StaticValue {
        let collection = self.expression(&expression.intro.collection_expr);
        let key = expression.intro.key_var.as_ref().map(|key| key.as_str());
        let inner = self.scope.with_for(key, expression.intro.value_var.as_str(), &collection);
        let outer = std::mem::replace(&mut self.scope, inner);
        let key_of_each = expression.key_expr.as_ref().map(|key| self.expression(key));
        let value = self.expression(&expression.value_expr);
        self.scope = outer;
        let Some(key) = key_of_each else { return StaticValue::Many(Box::new(value)) };
        // Of those with one key a list is made.
        let value = if expression.grouping { StaticValue::Many(Box::new(value)) } else { value };
        StaticValue::Map(Box::new(key), Box::new(value))
    }

    fn call(&mut self, call: &FuncCall) -> StaticValue {
        let core = match call.name.namespace.as_slice() {
            [] => true,
            [namespace] => namespace.as_str() == "core",
            _ => false,
        };
        if !core {
            return StaticValue::Unknown;
        }
        let mut arguments: Vec<_> = call.args.iter().map(|arg| self.expression(arg)).collect();
        // `merge(local.maps...)`: each item is an argument.
        if call.args.expand_final() {
            match arguments.pop() {
                Some(StaticValue::List(items)) => arguments.extend(items),
                last => arguments.extend(last.map(|last| last.step(Step::Any))),
            }
        }
        given(call.name.name.as_str(), arguments)
    }

    /// What is taken out of what a name is bound to, if it is.
    fn bound(&mut self, name: &str, steps: &[Step]) -> Option<StaticValue> {
        let value = self.scope.get(name)?.taken(steps);
        self.bound_left = self.bound_left.saturating_sub(value.parts(MAX_BOUND));
        Some(if self.bound_left > 0 { value } else { StaticValue::Unknown })
    }

    fn spend(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }
}

/// Functions that make many parts of few.
const MAKES_MANY: [&str; 5] = ["formatlist", "range", "regexall", "setproduct", "split"];

/// So many are made where they are written.
const FEW_MADE: usize = 64;

/// What a function gives. More than a few parts are made when somebody asks for them: a file may ask for many, and
/// be kept.
fn given(name: &str, arguments: Vec<StaticValue>) -> StaticValue {
    if !MAKES_MANY.contains(&name) {
        return function(name, arguments);
    }
    let value = function(name, arguments.clone());
    if value.parts(FEW_MADE) < FEW_MADE { value } else { StaticValue::Computed(name.to_owned(), arguments) }
}

/// An object of these members, or a computed map where not all keys are known.
fn members_of(members: Vec<(StaticValue, StaticValue)>) -> StaticValue {
    if members.iter().all(|(key, _)| matches!(key, StaticValue::Literal(_))) {
        let named = members.into_iter().filter_map(|(key, value)| match key {
            StaticValue::Literal(name) => Some((name, value)),
            _ => None,
        });
        return StaticValue::Object(named.collect());
    }
    let (keys, values) = members.into_iter().unzip();
    StaticValue::Map(Box::new(StaticValue::one_of(keys)), Box::new(StaticValue::one_of(values)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: impl Into<String>) -> StaticValue {
        StaticValue::Literal(text.into())
    }

    #[test]
    fn many_parts_are_made_when_somebody_asks_for_them() {
        assert!(matches!(given("range", vec![text("3")]), StaticValue::List(_)));
        for (name, arguments) in [
            ("range", vec![text("1000")]),
            ("split", vec![text(""), text("a".repeat(1_000))]),
            ("regexall", vec![text("a"), text("a".repeat(1_000))]),
        ] {
            let value = given(name, arguments);
            assert!(value.parts(FEW_MADE) < FEW_MADE, "{name}");
            let item = StaticValue::computed(
                name,
                match value {
                    StaticValue::Computed(_, arguments) => arguments,
                    other => panic!("{other:?}"),
                },
            );
            assert!(matches!(item, StaticValue::List(_)), "{name}");
        }
    }

    #[test]
    fn a_text_is_not_repeated_without_end() {
        let (pattern, long) = ("%[1]s".repeat(10_000), text("a".repeat(50_000)));
        assert_eq!(given("format", vec![text(pattern), long.clone()]), StaticValue::Unknown);
        let many = StaticValue::List(vec![text("b"); 1_000]);
        let list = given("formatlist", vec![text("%s%s"), many.clone(), long.clone()]);
        assert!(super::super::collections::size(&list) < 200_000);
        let joined = given("join", vec![long, many]);
        assert!(super::super::collections::size(&joined) < 200_000);
    }
}
