//! What an expression's value can be said to be without running anything.

use hcl_edit::{
    expr::{Expression, ForExpr, FuncCall, ObjectKey, Traversal, TraversalOperator},
    template::{Directive, Element, Template},
};

use super::{
    Base, StaticValue, Step,
    json::{Json, JsonValue},
    simple::{Kind, Part, Simple},
    slice::{Shape, Slice},
    view::Expr,
};

/// The most parts that one value keeps. A value beyond it is [`StaticValue::Unknown`] in its larger parts,
/// which is matched conservatively.
const MAX_PARTS: usize = 2_000;

/// Data sources whose paths are those that they are given.
const GIVES_WHAT_IT_IS_GIVEN: [&str; 4] =
    ["archive_file", "local_file", "local_sensitive_file", "template_file"];

/// The names that are bound where an expression stands: the variables of `for`, `each` of a block with
/// `for_each`, the iterator of a `dynamic` block.
#[derive(Clone, Default)]
pub(super) struct Scope {
    bound: Vec<(String, StaticValue)>,
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
        scope.bound.push((name.to_owned(), value));
        scope
    }

    /// The names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.bound.iter().map(|(name, _)| name.as_str())
    }

    fn get(&self, name: &str) -> Option<&StaticValue> {
        self.bound.iter().rev().find(|(bound, _)| bound == name).map(|(_, value)| value)
    }
}

/// What is known of an expression's value.
pub(super) fn evaluate(expression: Expr<'_>, scope: &Scope) -> StaticValue {
    let mut evaluator = Evaluator { scope: scope.clone(), left: MAX_PARTS };
    match expression {
        Expr::Hcl(expression) => evaluator.expression(expression),
        Expr::Sliced(slice) => evaluator.slice(slice),
        Expr::Json(json) => evaluator.json(json),
    }
}

/// What is known of the text that a run of template elements yields.
pub(super) fn evaluate_elements(elements: &[&Element], scope: &Scope) -> StaticValue {
    let mut evaluator = Evaluator { scope: scope.clone(), left: MAX_PARTS };
    evaluator.elements(elements.iter().copied())
}

struct Evaluator {
    scope: Scope,
    left: usize,
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
                function(name, arguments)
            }
        }
    }

    /// What names with dots between them stand for.
    fn names(&self, names: &str) -> StaticValue {
        let mut names = names.split('.');
        let root = names.next().unwrap_or_default();
        self.under_name(root, names.map(|name| Step::Member(name.to_owned())).collect())
    }

    fn json(&mut self, json: &Json) -> StaticValue {
        if !self.spend() {
            return StaticValue::Unknown;
        }
        match &json.value {
            JsonValue::String(text) if text.contains("${") || text.contains("%{") => {
                match hcl_edit::parser::parse_template(text) {
                    Ok(template) => self.template(&template),
                    Err(_) => StaticValue::Unknown,
                }
            }
            JsonValue::String(text) => StaticValue::Literal(text.clone()),
            JsonValue::Bool(value) => StaticValue::Literal(value.to_string()),
            JsonValue::Null => StaticValue::Null,
            JsonValue::Number => StaticValue::Unknown,
            JsonValue::Array(items) => StaticValue::List(items.iter().map(|item| self.json(item)).collect()),
            JsonValue::Object(members) => StaticValue::Object(
                members.iter().map(|member| (member.name.clone(), self.json(&member.value))).collect(),
            ),
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
            Expression::Variable(name) => {
                self.scope.get(name.as_str()).cloned().unwrap_or(StaticValue::Unknown)
            }
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::FuncCall(call) => self.call(call),
            Expression::ForExpr(expression) => self.for_expression(expression),
            Expression::Array(items) => {
                StaticValue::List(items.iter().map(|item| self.expression(item)).collect())
            }
            Expression::Object(object) => {
                let mut members = Vec::with_capacity(object.len());
                let mut all_named = true;
                for (key, value) in object {
                    let value = self.expression(value.expr());
                    match self.object_key(key) {
                        Some(name) => members.push((name, value)),
                        None => {
                            all_named = false;
                            members.push((String::new(), value));
                        }
                    }
                }
                if all_named {
                    StaticValue::Object(members)
                } else {
                    StaticValue::List(members.into_iter().map(|(_, value)| value).collect()).unordered()
                }
            }
            Expression::Null(_) => StaticValue::Null,
            Expression::UnaryOp(_) | Expression::BinaryOp(_) => StaticValue::Unknown,
        }
    }

    fn object_key(&mut self, key: &ObjectKey) -> Option<String> {
        match key {
            ObjectKey::Ident(name) => Some(name.as_str().to_owned()),
            ObjectKey::Expression(expression) => match self.expression(expression) {
                StaticValue::Literal(name) => Some(name),
                _ => None,
            },
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
    fn under_name(&self, root: &str, steps: Vec<Step>) -> StaticValue {
        let mut steps = steps.into_iter();
        if let Some(bound) = self.scope.get(root) {
            return steps.fold(bound.clone(), StaticValue::step);
        }
        let Some(Step::Member(name)) = steps.next() else { return StaticValue::Unknown };
        match (root, name.as_str()) {
            ("path", "module") => StaticValue::Base(Base::Module),
            ("path", "root") => StaticValue::Base(Base::Root),
            ("path", "cwd") => StaticValue::Base(Base::Cwd),
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
        let value = self.expression(&expression.value_expr);
        self.scope = outer;
        // Of an object too, whose keys nobody asks for by name.
        StaticValue::Many(Box::new(value))
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
        let arguments = call.args.iter().map(|arg| self.expression(arg)).collect();
        function(call.name.name.as_str(), arguments)
    }

    fn spend(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }
}

/// What a function gives.
fn function(name: &str, mut arguments: Vec<StaticValue>) -> StaticValue {
    let first = |arguments: Vec<StaticValue>| arguments.into_iter().next().unwrap_or(StaticValue::Unknown);
    match name {
        "abspath" | "pathexpand" | "tostring" | "tolist" | "tomap" | "sensitive" | "nonsensitive"
        | "ephemeralasnull" => first(arguments),
        "toset" | "sort" | "distinct" | "reverse" | "compact" | "slice" => first(arguments).unordered(),
        "trimspace" | "chomp" => without_space(first(arguments)),
        "try" | "coalesce" | "coalescelist" | "merge" => StaticValue::one_of(arguments),
        "concat" => concat(arguments),
        "setunion" => concat(arguments).unordered(),
        "flatten" => match first(arguments) {
            StaticValue::List(items) => {
                StaticValue::Many(Box::new(StaticValue::one_of(items.into_iter().map(item_of).collect())))
            }
            StaticValue::Many(item) => StaticValue::Many(Box::new(item_of(*item))),
            other => other,
        },
        "values" => StaticValue::Many(Box::new(first(arguments).step(Step::Any))),
        "keys" => StaticValue::Many(Box::new(first(arguments).keys())),
        "element" | "one" => first(arguments).step(Step::Any),
        // Whatever key is asked for, one of the values is found.
        "zipmap" if arguments.len() == 2 => arguments.swap_remove(1),
        "lookup" if arguments.len() >= 2 => {
            let default = arguments.get(2).cloned();
            let step = match &arguments[1] {
                StaticValue::Literal(name) => Step::Member(name.clone()),
                _ => Step::Any,
            };
            let found = arguments.swap_remove(0).step(step);
            StaticValue::one_of(std::iter::once(found).chain(default).collect())
        }
        "dirname" => StaticValue::Directory(Box::new(first(arguments))),
        "basename" => StaticValue::FileName(Box::new(first(arguments))),
        "fileset" if arguments.len() == 2 => {
            let glob = arguments.swap_remove(1);
            StaticValue::FileSet(Box::new(arguments.swap_remove(0)), Box::new(glob))
        }
        "join" if arguments.len() == 2 => match (&arguments[0], &arguments[1]) {
            (StaticValue::Literal(separator), StaticValue::List(items)) => {
                let mut parts = Vec::with_capacity(items.len() * 2);
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        parts.push(StaticValue::Literal(separator.clone()));
                    }
                    parts.push(item.clone());
                }
                StaticValue::concat(parts)
            }
            _ => StaticValue::Unknown,
        },
        "format" => match arguments.split_first() {
            Some((StaticValue::Literal(pattern), rest)) => format(pattern, rest),
            _ => StaticValue::Unknown,
        },
        "jsondecode" | "yamldecode" => match first(arguments) {
            StaticValue::Contents(path) => StaticValue::Decoded(path, Vec::new()),
            _ => StaticValue::Unknown,
        },
        "file" => StaticValue::Contents(Box::new(first(arguments))),
        "trimsuffix" if arguments.len() == 2 => without_end(first(arguments.clone()), &arguments[1]),
        name => of_constants(name, &arguments).unwrap_or(StaticValue::Unknown),
    }
}

/// A text without white space at its ends, as far as its parts tell. `chomp` takes off less, at the end alone:
/// no path that anybody reads begins or ends in white space.
fn without_space(text: StaticValue) -> StaticValue {
    match text {
        StaticValue::Literal(text) => StaticValue::Literal(text.trim().to_owned()),
        StaticValue::Concat(mut parts) => {
            if let Some(StaticValue::Literal(first)) = parts.first_mut() {
                *first = first.trim_start().to_owned();
            }
            if let Some(StaticValue::Literal(last)) = parts.last_mut() {
                *last = last.trim_end().to_owned();
            }
            StaticValue::concat(parts)
        }
        StaticValue::OneOf(values) => StaticValue::one_of(values.into_iter().map(without_space).collect()),
        other => other,
    }
}

/// What `concat` gives.
fn concat(arguments: Vec<StaticValue>) -> StaticValue {
    let known = arguments.iter().all(|argument| matches!(argument, StaticValue::List(_)));
    let items = arguments.into_iter().flat_map(|argument| match argument {
        StaticValue::List(items) => items,
        other => vec![other.step(Step::Any)],
    });
    let items = StaticValue::List(items.collect());
    if known { items } else { items.unordered() }
}

/// An item of what is flattened: a list's own items, whatever they are lists of.
fn item_of(value: StaticValue) -> StaticValue {
    match value {
        StaticValue::List(items) => StaticValue::one_of(items.into_iter().map(item_of).collect()),
        StaticValue::Many(item) => item_of(*item),
        StaticValue::OneOf(values) => StaticValue::one_of(values.into_iter().map(item_of).collect()),
        other => other,
    }
}

/// A text without what it may end in, as far as its last part tells.
fn without_end(text: StaticValue, end: &StaticValue) -> StaticValue {
    let StaticValue::Literal(end) = end else { return StaticValue::Unknown };
    let parts = match text {
        StaticValue::Literal(text) => vec![StaticValue::Literal(text)],
        StaticValue::Concat(parts) => parts,
        _ => return StaticValue::Unknown,
    };
    let mut parts = parts;
    match parts.last_mut() {
        Some(StaticValue::Literal(last)) if last.len() >= end.len() || last.ends_with(end.as_str()) => {
            if let Some(cut) = last.strip_suffix(end.as_str()) {
                *last = cut.to_owned();
            }
            StaticValue::concat(parts)
        }
        _ => StaticValue::Unknown,
    }
}

/// A text of more bytes than this is no part of a path that anybody reads (Linux: 4,096), whatever is done with it.
const LONGEST_TEXT: usize = 1 << 16;

/// Functions of texts, where all of the texts are known.
fn of_constants(name: &str, arguments: &[StaticValue]) -> Option<StaticValue> {
    let texts = arguments.iter().map(|argument| match argument {
        StaticValue::Literal(text) => Some(text.as_str()),
        _ => None,
    });
    let texts = texts.collect::<Option<Vec<&str>>>()?;
    let text = match (name, texts.as_slice()) {
        ("lower", [text]) => text.to_lowercase(),
        ("upper", [text]) => text.to_uppercase(),
        ("title", [text]) => {
            let mut before = ' ';
            let raised = text.chars().map(|c| {
                let raised = if before.is_alphanumeric() { c } else { c.to_ascii_uppercase() };
                before = c;
                raised
            });
            raised.collect()
        }
        ("trimprefix", [text, prefix]) => text.strip_prefix(prefix).unwrap_or(text).to_owned(),
        ("trim", [text, cut]) => text.trim_matches(|c| cut.contains(c)).to_owned(),
        // Between slashes stands a regular expression.
        ("replace", [text, from, to])
            if !(from.is_empty() || from.len() > 1 && from.starts_with('/') && from.ends_with('/')) =>
        {
            let grown = text.matches(from).count().saturating_mul(to.len());
            if grown.saturating_add(text.len()) > LONGEST_TEXT {
                return None;
            }
            text.replace(from, to)
        }
        ("substr", [text, from, length]) => {
            let (from, length): (usize, i64) = (from.parse().ok()?, length.parse().ok()?);
            let rest = text.chars().skip(from);
            match usize::try_from(length) {
                Ok(length) => rest.take(length).collect(),
                Err(_) => rest.collect(),
            }
        }
        ("split", [separator, text]) if !separator.is_empty() => {
            let parts = text.split(separator).map(|part| StaticValue::Literal(part.to_owned()));
            return Some(StaticValue::List(parts.collect()));
        }
        _ => return None,
    };
    Some(StaticValue::Literal(text))
}

/// `format`: plain `%s` and `%v` are filled in, every other verb is unknown.
fn format(pattern: &str, arguments: &[StaticValue]) -> StaticValue {
    let mut parts = Vec::new();
    let mut arguments = arguments.iter();
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        parts.push(StaticValue::Literal(rest[..at].to_owned()));
        let verb = &rest[at + 1..];
        if let Some(after) = verb.strip_prefix('%') {
            parts.push(StaticValue::Literal("%".to_owned()));
            rest = after;
        } else if let Some(after) = verb.strip_prefix(['s', 'v']) {
            parts.push(arguments.next().cloned().unwrap_or(StaticValue::Unknown));
            rest = after;
        } else {
            let end = verb.find(|c: char| c.is_ascii_alphabetic()).map_or(verb.len(), |end| end + 1);
            parts.push(StaticValue::Unknown);
            arguments.next();
            rest = &verb[end..];
        }
    }
    parts.push(StaticValue::Literal(rest.to_owned()));
    StaticValue::concat(parts)
}
