use std::{collections::BTreeMap, sync::Arc};

use hcl_edit::{
    expr::{BinaryOperator, Expression, ForExpr, FuncCall, ObjectKey, TraversalOperator, UnaryOperator},
    template::{Directive, Element, Template},
};

use super::{
    Value, functions,
    globals::{Table, is_unset},
};

/// The most that one evaluation takes: expressions it goes through, and values it copies. Beyond it, nothing
/// more is known.
const MOST_STEPS: usize = 100_000;

/// How deep expressions go, over globals too. A level takes about a kilobyte of the stack.
const DEEPEST: usize = 200;

/// The largest text that is made.
pub(super) const LARGEST: usize = 1 << 20;

/// The files that functions read. Paths are as the expression has them: relative to the directory that the
/// functions start at, or, where they begin with `/`, of the machine that Terramate runs on.
pub(crate) trait Files {
    /// The bytes of a file.
    fn read(&mut self, path: &str) -> Option<Arc<[u8]>>;

    /// Whether a file is there.
    fn exists(&mut self, path: &str) -> bool;

    /// The files below a directory that match, relative to it and sorted; `None` where nobody can tell.
    fn matching(&mut self, directory: &str, glob: &str) -> Option<Vec<String>>;
}

/// Evaluates expressions of Terramate's language without running anything.
pub(crate) struct Evaluator<'f> {
    pub(super) files: &'f mut dyn Files,
    pub(super) names: Vec<(String, Value)>,
    globals: Option<&'f Table>,
    /// Globals that are known, and those that are being worked out, which nobody can tell.
    known: BTreeMap<String, Value>,
    left: usize,
    depth: usize,
}

impl<'f> Evaluator<'f> {
    pub(crate) fn new(files: &'f mut dyn Files) -> Self {
        Self { files, names: Vec::new(), globals: None, known: BTreeMap::new(), left: MOST_STEPS, depth: 0 }
    }

    /// The same with globals.
    #[must_use]
    pub(crate) fn with_globals(mut self, globals: &'f Table) -> Self {
        self.globals = Some(globals);
        self
    }

    /// The same with a name that expressions can use.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.names.push((name.to_owned(), value));
        self
    }

    pub(crate) fn value(&mut self, expression: &Expression) -> Value {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || self.depth == DEEPEST {
            return Value::Unknown;
        }
        self.depth += 1;
        let value = self.of(expression);
        self.depth -= 1;
        value
    }

    /// A copy of a value, as far as there is room for it.
    fn copied(&mut self, value: &Value) -> Value {
        match self.left.checked_sub(value.size()) {
            Some(left) => {
                self.left = left;
                value.clone()
            }
            None => {
                self.left = 0;
                Value::Unknown
            }
        }
    }

    fn of(&mut self, expression: &Expression) -> Value {
        match expression {
            Expression::Null(_) => Value::Null,
            Expression::Bool(value) => Value::Bool(*value.value()),
            Expression::Number(number) => number.value().as_f64().map_or(Value::Unknown, Value::Number),
            Expression::String(text) => Value::Text(text.to_string()),
            Expression::StringTemplate(template) => self.template(template),
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template),
            Expression::Parenthesis(inner) => self.value(inner.inner()),
            Expression::Array(items) => {
                let items: Vec<Value> = items.iter().map(|item| self.value(item)).collect();
                if items.contains(&Value::Fails) { Value::Fails } else { Value::List(items) }
            }
            Expression::Object(object) => {
                let mut members = Vec::with_capacity(object.len());
                for (key, value) in object {
                    let name = match key {
                        ObjectKey::Ident(name) => Some(name.as_str().to_owned()),
                        ObjectKey::Expression(key) => self.value(key).spelled(),
                    };
                    let Some(name) = name else { return Value::Unknown };
                    match self.value(value.expr()) {
                        Value::Fails => return Value::Fails,
                        value => members.push((name, value)),
                    }
                }
                Value::Object(members)
            }
            Expression::Conditional(conditional) => match self.value(&conditional.cond_expr) {
                Value::Bool(true) => self.value(&conditional.true_expr),
                Value::Bool(false) => self.value(&conditional.false_expr),
                Value::Fails => Value::Fails,
                _ => Value::Unknown,
            },
            Expression::Variable(name) => self.name(name.as_str()),
            Expression::Traversal(traversal) => {
                let mut operators = traversal.operators.iter().peekable();
                let of_globals =
                    matches!(&traversal.expr, Expression::Variable(name) if name.as_str() == "global");
                let root = match operators.peek().map(|operator| operator.value()) {
                    Some(TraversalOperator::GetAttr(name)) if of_globals => Some(name.as_str()),
                    Some(TraversalOperator::Index(Expression::String(name))) if of_globals => {
                        Some(name.as_str())
                    }
                    _ => None,
                };
                let mut value = match root {
                    Some(root) => {
                        operators.next();
                        self.global(root)
                    }
                    None => self.value(&traversal.expr),
                };
                for operator in operators {
                    value = match operator.value() {
                        TraversalOperator::GetAttr(name) => value.member(name.as_str()),
                        TraversalOperator::LegacyIndex(at) => value.item(&Value::Number(*at.value() as f64)),
                        TraversalOperator::Index(index) => value.item(&self.value(index)),
                        TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => Value::Unknown,
                    };
                }
                value
            }
            Expression::FuncCall(call) => self.call(call),
            Expression::UnaryOp(operation) => match (operation.operator.value(), self.value(&operation.expr))
            {
                (UnaryOperator::Not, Value::Bool(value)) => Value::Bool(!value),
                (UnaryOperator::Neg, Value::Number(number)) => Value::Number(-number),
                _ => Value::Unknown,
            },
            Expression::BinaryOp(operation) => {
                let (left, right) = (self.value(&operation.lhs_expr), self.value(&operation.rhs_expr));
                binary(*operation.operator.value(), &left, &right)
            }
            Expression::ForExpr(expression) => self.for_expression(expression),
        }
    }

    fn name(&mut self, name: &str) -> Value {
        let found = self.names.iter().rposition(|(known, _)| known == name);
        let Some(at) = found else { return Value::Unknown };
        let value = std::mem::replace(&mut self.names[at].1, Value::Unknown);
        let copy = self.copied(&value);
        self.names[at].1 = value;
        copy
    }

    /// The value of a global, all that is defined within it laid over it.
    fn global(&mut self, root: &str) -> Value {
        let Some(table) = self.globals else { return Value::Unknown };
        if !self.known.contains_key(root) {
            // Who comes here again while it is worked out asks for itself.
            self.known.insert(root.to_owned(), Value::Unknown);
            let missing = if table.is_open { Value::Unknown } else { Value::Fails };
            let mut whole = missing.clone();
            for (path, value) in table.of(root) {
                let value = match value {
                    Some(value) if is_unset(value) => missing.clone(),
                    Some(value) => self.value(value),
                    None => Value::Unknown,
                };
                whole = laid(whole, &path[1..], value);
            }
            self.known.insert(root.to_owned(), whole);
        }
        let value = self.known.remove(root).unwrap_or(Value::Unknown);
        let copy = self.copied(&value);
        self.known.insert(root.to_owned(), value);
        copy
    }

    fn template(&mut self, template: &Template) -> Value {
        let mut text = String::new();
        for element in template {
            let part = match element {
                Element::Literal(literal) => Some(literal.to_string()),
                Element::Interpolation(interpolation) => match self.value(&interpolation.expr) {
                    Value::Fails => return Value::Fails,
                    value => value.spelled(),
                },
                Element::Directive(directive) => match &**directive {
                    Directive::If(directive) => match self.value(&directive.if_expr.cond_expr) {
                        Value::Bool(true) => self.template(&directive.if_expr.template).spelled(),
                        Value::Bool(false) => match &directive.else_expr {
                            Some(otherwise) => self.template(&otherwise.template).spelled(),
                            None => Some(String::new()),
                        },
                        _ => None,
                    },
                    Directive::For(_) => None,
                },
            };
            match part {
                Some(part) if text.len() + part.len() <= LARGEST => text.push_str(&part),
                _ => return Value::Unknown,
            }
        }
        Value::Text(text)
    }

    fn for_expression(&mut self, expression: &ForExpr) -> Value {
        let items: Vec<(Value, Value)> = match self.value(&expression.intro.collection_expr) {
            Value::List(items) => {
                items.into_iter().enumerate().map(|(at, item)| (Value::Number(at as f64), item)).collect()
            }
            Value::Object(members) => {
                members.into_iter().map(|(name, value)| (Value::Text(name), value)).collect()
            }
            _ => return Value::Unknown,
        };
        let depth = self.names.len();
        let (mut list, mut members) = (Vec::new(), Vec::new());
        for (key, value) in items {
            if let Some(name) = &expression.intro.key_var {
                self.names.push((name.as_str().to_owned(), key));
            }
            self.names.push((expression.intro.value_var.as_str().to_owned(), value));
            let kept = match &expression.cond {
                Some(condition) => self.value(&condition.expr),
                None => Value::Bool(true),
            };
            let made = (kept == Value::Bool(true)).then(|| {
                let key = expression.key_expr.as_ref().map(|key| self.value(key).spelled());
                (key, self.value(&expression.value_expr))
            });
            self.names.truncate(depth);
            match (kept, made) {
                (Value::Bool(false), _) => {}
                (_, Some((None, value))) => list.push(value),
                (_, Some((Some(Some(name)), value))) if !expression.grouping => members.push((name, value)),
                _ => return Value::Unknown,
            }
        }
        if expression.key_expr.is_some() { Value::Object(members) } else { Value::List(list) }
    }

    fn call(&mut self, call: &FuncCall) -> Value {
        let name = call.name.name.as_str();
        let Some(name) = name.strip_prefix("tm_").filter(|_| call.name.namespace.is_empty()) else {
            return Value::Unknown;
        };
        match name {
            // The first argument that can be evaluated; one that is unknown may be an error, or not.
            "try" | "ternary" if call.args.is_empty() => Value::Unknown,
            "ternary" if call.args.len() == 3 => {
                let mut arguments = call.args.iter();
                let condition = arguments.next().map(|argument| self.value(argument));
                let (yes, no) = (arguments.next(), arguments.next());
                match condition {
                    Some(Value::Bool(true)) => yes.map_or(Value::Unknown, |yes| self.value(yes)),
                    Some(Value::Bool(false)) => no.map_or(Value::Unknown, |no| self.value(no)),
                    _ => Value::Unknown,
                }
            }
            "try" => {
                let values = call.args.iter().map(|argument| self.value(argument));
                values.into_iter().find(|value| *value != Value::Fails).unwrap_or(Value::Fails)
            }
            "can" if call.args.len() == 1 => match call.args.get(0).map(|argument| self.value(argument)) {
                Some(Value::Fails) => Value::Bool(false),
                Some(value) if value.is_known() => Value::Bool(true),
                _ => Value::Unknown,
            },
            _ => {
                let arguments: Vec<Value> = call.args.iter().map(|argument| self.value(argument)).collect();
                if arguments.contains(&Value::Fails) {
                    return Value::Fails;
                }
                let value = functions::call(name, arguments, self.files);
                self.copied(&value)
            }
        }
    }
}

/// A value with another one laid into it: at a path of names of objects.
fn laid(whole: Value, path: &[String], value: Value) -> Value {
    let Some((name, rest)) = path.split_first() else { return value };
    let mut members = match whole {
        Value::Object(members) => members,
        Value::Fails => Vec::new(),
        _ => return Value::Unknown,
    };
    let at = members.iter().position(|(member, _)| member == name);
    let before = at.map_or(Value::Fails, |at| members.remove(at).1);
    members.push((name.clone(), laid(before, rest, value)));
    Value::Object(members)
}

fn binary(operator: BinaryOperator, left: &Value, right: &Value) -> Value {
    use BinaryOperator as Op;
    match (operator, left, right) {
        (Op::And, Value::Bool(false), _) | (Op::And, _, Value::Bool(false)) => Value::Bool(false),
        (Op::Or, Value::Bool(true), _) | (Op::Or, _, Value::Bool(true)) => Value::Bool(true),
        (Op::And, Value::Bool(one), Value::Bool(two)) => Value::Bool(*one && *two),
        (Op::Or, Value::Bool(one), Value::Bool(two)) => Value::Bool(*one || *two),
        (Op::Eq | Op::NotEq, _, _) if left.is_known() && right.is_known() => {
            Value::Bool((left == right) == (operator == Op::Eq))
        }
        (_, Value::Number(one), Value::Number(two)) => match operator {
            Op::Less => Value::Bool(one < two),
            Op::LessEq => Value::Bool(one <= two),
            Op::Greater => Value::Bool(one > two),
            Op::GreaterEq => Value::Bool(one >= two),
            Op::Plus => Value::Number(one + two),
            Op::Minus => Value::Number(one - two),
            Op::Mul => Value::Number(one * two),
            Op::Div => Value::Number(one / two),
            Op::Mod => Value::Number(one % two),
            _ => Value::Unknown,
        },
        _ => Value::Unknown,
    }
}
