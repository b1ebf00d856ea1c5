//! Evaluates expressions as far as that is possible without running anything.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    Files, Finding, Generated, What, Written,
    files::{Purpose, Why},
    frame::Frame,
    functions,
    syntax::{Binary, ConfigFile, Expr, For, Kind, Operator, Part, Span},
    value::{Members, Value},
};
use crate::{proof::RepoPath, terraform::facts::StaticValue};

/// The most expressions that are evaluated for one scope. Beyond it, values are unknown.
const MAX_STEPS: usize = 200_000;

/// The deepest nesting of expressions, locals and files.
const MAX_DEPTH: usize = 192;

/// The most findings of one scope.
const MAX_FINDINGS: usize = 20_000;

/// A directory, and the name that is sought above it.
type Sought = (Arc<str>, Arc<str>);

/// The evaluation of one scope: a unit or a stack, and whatever it includes, reads or generates.
pub(super) struct Evaluation<'a> {
    pub(super) files: &'a mut dyn Files,
    pub(super) frames: Vec<Frame>,
    pub(super) findings: Vec<Finding>,
    /// Files that do not parse.
    pub(super) broken: Vec<Arc<ConfigFile>>,
    /// Results of `find_in_parent_folders`, by the directory it began in and the name.
    pub(super) sought: HashMap<Sought, Option<Arc<str>>>,
    /// Files that were read as configuration, by path.
    pub(super) read: HashMap<Arc<str>, usize>,
    /// Values of variables of the module that is run, each with its owner.
    pub(super) given: Vec<(Option<usize>, String, StaticValue)>,
    /// Names that written Terraform code gives to values.
    pub(super) written: Vec<(Option<usize>, Written)>,
    /// The units that are generated.
    pub(super) generated: Vec<Generated>,
    /// The generated unit that is gone through, by its place.
    owner: Option<usize>,
    /// The directory of the scope.
    pub(super) scope: Arc<str>,
    /// Directories that are generated, and what they are copies of.
    pub(super) copies: Vec<(Arc<str>, Arc<str>)>,
    bound: Vec<(Arc<str>, Value)>,
    /// `each` or `count` of the block that is expanded.
    pub(super) each: Option<(Arc<str>, Value)>,
    left: usize,
    depth: usize,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(files: &'a mut dyn Files, scope: Arc<str>) -> Self {
        Self {
            files,
            frames: Vec::new(),
            findings: Vec::new(),
            broken: Vec::new(),
            sought: HashMap::new(),
            read: HashMap::new(),
            given: Vec::new(),
            written: Vec::new(),
            generated: Vec::new(),
            owner: None,
            scope,
            copies: Vec::new(),
            bound: Vec::new(),
            each: None,
            left: MAX_STEPS,
            depth: 0,
        }
    }

    /// Whether the scope was too large to be evaluated wholly.
    pub(super) fn is_exhausted(&self) -> bool {
        self.left == 0 || self.findings.len() >= MAX_FINDINGS
    }

    pub(super) fn why(&self, frame: usize, purpose: Purpose, span: Span, text: Option<String>) -> Why {
        let file = &self.frames[frame].file;
        let text = text.unwrap_or_else(|| file.quote(span));
        Why { purpose, file: file.path.clone(), place: file.place(span), text: text.into() }
    }

    pub(super) fn find(&mut self, frame: usize, what: What, span: Span, text: Option<String>) {
        if self.findings.len() >= MAX_FINDINGS {
            return;
        }
        let file = &self.frames[frame].file;
        let text = text.unwrap_or_else(|| file.quote(span));
        let (file, place) = (file.path.clone(), file.place(span));
        self.findings.push(Finding { what, file, place, text, owner: self.owner });
    }

    /// A value of a variable of the module that is run.
    pub(super) fn give(&mut self, name: String, value: StaticValue) {
        self.given.push((self.owner, name, value));
    }

    /// The generated unit that is gone through is one.
    pub(super) fn stands(&mut self) {
        if let Some(unit) = self.owner.and_then(|owner| self.generated.get_mut(owner)) {
            unit.stands = true;
        }
    }

    /// A name that written code gives to a value.
    pub(super) fn define(&mut self, written: Written) {
        self.written.push((self.owner, written));
    }

    /// Evaluates for a unit that is generated: whatever is found is its own. What was found for others on the way
    /// is found again.
    pub(super) fn owned<T>(&mut self, owner: Option<usize>, evaluate: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.owner, owner);
        let read = std::mem::take(&mut self.read);
        let sought = std::mem::take(&mut self.sought);
        let bound = std::mem::take(&mut self.bound);
        self.files.owned_by(owner);
        let result = evaluate(self);
        self.files.owned_by(before);
        (self.owner, self.read, self.sought, self.bound) = (before, read, sought, bound);
        result
    }

    /// The file of the tree that an absolute path means: what a generated directory is a copy of.
    pub(super) fn actual(&self, absolute: &str) -> Option<RepoPath> {
        let mut path: std::borrow::Cow<'_, str> = absolute.into();
        // A copy may stand in the copy of a directory.
        for (copy, original) in self.copies.iter().rev() {
            if let Some(rest) =
                path.strip_prefix(&**copy).filter(|rest| rest.is_empty() || rest.starts_with('/'))
            {
                path = format!("{original}{rest}").into();
            }
        }
        super::path::repo_path(&path)
    }

    /// Evaluates where none of the names stand that are bound around the place that asks.
    pub(super) fn apart<T>(&mut self, evaluate: impl FnOnce(&mut Self) -> T) -> T {
        let bound = std::mem::take(&mut self.bound);
        let result = evaluate(self);
        self.bound = bound;
        result
    }

    /// Evaluates where these names stand, and none of those that are bound around.
    pub(super) fn with_names<T>(
        &mut self,
        names: Vec<(Arc<str>, Value)>,
        evaluate: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let bound = std::mem::replace(&mut self.bound, names);
        let result = evaluate(self);
        self.bound = bound;
        result
    }

    pub(super) fn eval(&mut self, frame: usize, expr: &Expr) -> Value {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || self.depth >= MAX_DEPTH {
            return Value::Unknown;
        }
        self.depth += 1;
        let value = self.evaluated(frame, expr);
        self.depth -= 1;
        value
    }

    fn evaluated(&mut self, frame: usize, expr: &Expr) -> Value {
        match &expr.kind {
            Kind::Constant(value) => value.clone(),
            Kind::Template(parts) => self.template(frame, parts),
            Kind::List(items) => Value::list(items.iter().map(|item| self.eval(frame, item)).collect()),
            Kind::Object(members) => self.object(frame, members),
            Kind::Name(name) => self.name(frame, name),
            Kind::Traversal(base, operators) => self.traversal(frame, base, operators),
            Kind::Call { name, arguments, spread } => self.call(frame, name, arguments, *spread, expr.span),
            Kind::Conditional(parts) => {
                let [condition, one, other] = &**parts;
                match self.eval(frame, condition) {
                    Value::Failed => Value::Failed,
                    known => match known.as_bool() {
                        Some(true) => self.eval(frame, one),
                        Some(false) => self.eval(frame, other),
                        None => Value::one_of(vec![self.eval(frame, one), self.eval(frame, other)]),
                    },
                }
            }
            Kind::For(each) => self.for_each(frame, each),
            Kind::Not(inner) => match self.eval(frame, inner) {
                Value::Failed => Value::Failed,
                value => value.as_bool().map_or(Value::Unknown, |value| Value::Bool(!value)),
            },
            Kind::Negative(inner) => {
                self.eval(frame, inner).as_number().map_or(Value::Unknown, |number| Value::Number(-number))
            }
            Kind::Binary(operator, sides) => {
                let one = self.eval(frame, &sides[0]);
                let other = self.eval(frame, &sides[1]);
                binary(*operator, &one, &other)
            }
        }
    }

    fn object(&mut self, frame: usize, members: &[(Expr, Expr)]) -> Value {
        let mut all = Members::new();
        let mut nameless = Vec::new();
        for (key, value) in members {
            let key = self.eval(frame, key);
            let value = self.eval(frame, value);
            match key.as_text() {
                Some(name) => {
                    all.insert(name, value);
                }
                None => nameless.push(value),
            }
        }
        if !nameless.is_empty() {
            all.insert("".into(), Value::one_of(nameless));
        }
        Value::object(all)
    }

    fn template(&mut self, frame: usize, parts: &[Part]) -> Value {
        let mut values = Vec::with_capacity(parts.len());
        for part in parts {
            values.push(match part {
                Part::Text(text) => Value::Text(Arc::clone(text)),
                Part::Value(value) => text_of(self.eval(frame, value)),
                Part::If(condition, one, other) => match self.eval(frame, condition).as_bool() {
                    Some(true) => self.template(frame, one),
                    Some(false) => self.template(frame, other),
                    None => Value::one_of(vec![self.template(frame, one), self.template(frame, other)]),
                },
                Part::For(collection, key, value, inner) => {
                    let collection = self.eval(frame, collection);
                    let mut texts = Vec::new();
                    let known = self.go_through(&collection, key.as_ref(), value, &mut |this| {
                        texts.push(this.template(frame, inner));
                    });
                    if known { Value::concat(texts) } else { Value::Unknown }
                }
            });
        }
        Value::concat(values)
    }

    fn for_each(&mut self, frame: usize, each: &For) -> Value {
        let collection = self.eval(frame, &each.collection);
        if matches!(collection, Value::Failed) {
            return Value::Failed;
        }
        let mut found: Vec<(Option<Value>, Value)> = Vec::new();
        let mut sure = true;
        sure &= self.go_through(&collection, each.key_name.as_ref(), &each.value_name, &mut |this| {
            if let Some(condition) = &each.condition {
                match this.eval(frame, condition).as_bool() {
                    Some(false) => return,
                    Some(true) => {}
                    None => sure = false,
                }
            }
            let key = each.key.as_ref().map(|key| this.eval(frame, key));
            found.push((key, this.eval(frame, &each.value)));
        });
        if each.key.is_none() {
            let items: Vec<Value> = found.into_iter().map(|(_, value)| value).collect();
            return if sure { Value::list(items) } else { Value::each(Value::one_of(items)) };
        }
        let mut members: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
        for (key, value) in found {
            let name = key.and_then(|key| key.as_text()).unwrap_or_default();
            members.entry(name).or_default().push(value);
        }
        let members = members.into_iter().map(|(name, mut values)| {
            let value = match (each.grouping, values.len()) {
                (true, _) => Value::list(values),
                (false, 1) => values.remove(0),
                (false, _) => Value::one_of(values),
            };
            (name, value)
        });
        let mut members: Members = members.collect();
        if !sure {
            members.entry("".into()).or_insert(Value::Unknown);
        }
        Value::object(members)
    }

    /// Binds the names of a `for` to each item in turn. Whether all items are known one by one.
    fn go_through(
        &mut self,
        collection: &Value,
        key_name: Option<&Arc<str>>,
        value_name: &Arc<str>,
        visit: &mut dyn FnMut(&mut Self),
    ) -> bool {
        let mut bind = |this: &mut Self, key: Value, value: Value| {
            let before = this.bound.len();
            if let Some(name) = key_name {
                this.bound.push((Arc::clone(name), key));
            }
            this.bound.push((Arc::clone(value_name), value));
            visit(this);
            this.bound.truncate(before);
        };
        match collection {
            Value::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    #[allow(clippy::cast_precision_loss)] // lists are far shorter than 2^53
                    bind(self, Value::Number(at as f64), item.clone());
                }
                true
            }
            Value::Object(members) => {
                let mut known = true;
                for (name, value) in members.iter() {
                    known &= !name.is_empty();
                    let key = if name.is_empty() { Value::Unknown } else { Value::Text(Arc::clone(name)) };
                    bind(self, key, value.clone());
                }
                known
            }
            Value::OneOf(all) => {
                for one in all.iter() {
                    self.go_through(one, key_name, value_name, visit);
                }
                false
            }
            Value::Usually(inner) => {
                self.go_through(inner, key_name, value_name, visit);
                false
            }
            other => {
                bind(self, Value::Unknown, other.any_item());
                false
            }
        }
    }

    fn name(&mut self, frame: usize, name: &str) -> Value {
        if let Some((_, value)) = self.bound.iter().rev().find(|(bound, _)| &**bound == name) {
            return value.clone();
        }
        match name {
            "local" => self.locals(frame),
            "include" => self.included(frame, None).unwrap_or(Value::Unknown),
            "values" => self.values(frame),
            "each" | "count" => self.expanded(name),
            _ => Value::Unknown,
        }
    }

    fn expanded(&self, name: &str) -> Value {
        match &self.each {
            Some((expanded, value)) if &**expanded == name => value.clone(),
            _ => Value::Unknown,
        }
    }

    fn traversal(&mut self, frame: usize, base: &Expr, operators: &[Operator]) -> Value {
        let (mut value, rest) = match (&base.kind, operators) {
            (Kind::Name(root), [Operator::Member(name), rest @ ..])
                if !self.bound.iter().any(|(bound, _)| bound == root) =>
            {
                match &**root {
                    "local" => (self.local(frame, name), rest),
                    "include" => match self.included(frame, Some(name)) {
                        Some(found) => (found, rest),
                        None => (self.included(frame, None).unwrap_or(Value::Unknown), operators),
                    },
                    "values" => (self.values(frame).member(name), rest),
                    "feature" => (self.feature(frame, name), rest),
                    "unit" | "stack" => (self.component(frame, root, name), rest),
                    "each" | "count" => (self.expanded(root).member(name), rest),
                    _ => (Value::Unknown, rest),
                }
            }
            _ => (self.eval(frame, base), operators),
        };
        for (at, operator) in rest.iter().enumerate() {
            value = match operator {
                Operator::Member(name) => self.member(&value, name),
                Operator::Index(index) => match self.eval(frame, index) {
                    Value::Text(name) => self.member(&value, &name),
                    index => value.index(&index),
                },
                Operator::Splat => return self.splat(frame, &value, &rest[at + 1..]),
            };
        }
        value
    }

    fn splat(&mut self, frame: usize, value: &Value, rest: &[Operator]) -> Value {
        let each = |this: &mut Self, item: &Value| {
            let mut item = item.clone();
            for operator in rest {
                item = match operator {
                    Operator::Member(name) => this.member(&item, name),
                    Operator::Index(index) => {
                        let index = this.eval(frame, index);
                        item.index(&index)
                    }
                    Operator::Splat => item.any_item(),
                };
            }
            item
        };
        match value {
            Value::List(items) => Value::list(items.iter().map(|item| each(self, item)).collect()),
            Value::Null => Value::list(Vec::new()),
            Value::Failed => Value::Failed,
            Value::Object(_) | Value::Text(_) | Value::Config(_) => Value::list(vec![each(self, value)]),
            other => Value::each(each(self, &other.any_item())),
        }
    }

    pub(super) fn member(&mut self, value: &Value, name: &str) -> Value {
        match value {
            Value::Config(frame) => self.config_member(*frame, name),
            Value::OneOf(all) => Value::one_of(all.iter().map(|one| self.member(one, name)).collect()),
            other => other.member(name),
        }
    }

    fn call(&mut self, frame: usize, name: &str, arguments: &[Expr], spread: bool, span: Span) -> Value {
        if name == "try" || name == "can" {
            // What stands after the first that surely succeeds is never looked at.
            let mut values = Vec::with_capacity(arguments.len());
            for argument in arguments {
                let value = self.eval(frame, argument);
                let sure = !matches!(value, Value::Failed | Value::Unknown | Value::OneOf(_));
                values.push(value);
                if sure {
                    break;
                }
            }
            return functions::call(name, &values);
        }
        let mut values: Vec<Value> = arguments.iter().map(|argument| self.eval(frame, argument)).collect();
        if spread {
            match values.pop() {
                Some(Value::List(items)) => values.extend(items.iter().cloned()),
                Some(other) => values.push(other.any_item()),
                None => {}
            }
        }
        if let Some(value) = self.builtin(frame, name, &values, span) {
            return value;
        }
        for value in &mut values {
            if let Value::Config(config) = value {
                *value = self.config_object(*config);
            }
        }
        functions::call(name, &values)
    }
}

/// A value in a template: the text of a file becomes part of it.
fn text_of(value: Value) -> Value {
    match value {
        Value::Content(file) => file.text().map_or(Value::Unknown, Value::text),
        Value::List(_) | Value::Object(_) => Value::Failed,
        other => other,
    }
}

fn binary(operator: Binary, one: &Value, other: &Value) -> Value {
    if matches!(one, Value::Failed) || matches!(other, Value::Failed) {
        return Value::Failed;
    }
    let truth = |value: Option<bool>| value.map_or(Value::Unknown, Value::Bool);
    let numbers = one.as_number().zip(other.as_number());
    let compare = |holds: fn(f64, f64) -> bool| truth(numbers.map(|(a, b)| holds(a, b)));
    let compute = |result: fn(f64, f64) -> f64| match numbers.map(|(a, b)| result(a, b)) {
        Some(number) if number.is_finite() => Value::Number(number),
        _ => Value::Unknown,
    };
    match operator {
        Binary::Equal => truth(one.same(other)),
        Binary::Unequal => truth(one.same(other).map(|same| !same)),
        Binary::And => match (one.as_bool(), other.as_bool()) {
            (Some(false), _) | (_, Some(false)) => Value::Bool(false),
            (Some(true), Some(true)) => Value::Bool(true),
            _ => Value::Unknown,
        },
        Binary::Or => match (one.as_bool(), other.as_bool()) {
            (Some(true), _) | (_, Some(true)) => Value::Bool(true),
            (Some(false), Some(false)) => Value::Bool(false),
            _ => Value::Unknown,
        },
        Binary::Less => compare(|a, b| a < b),
        Binary::LessOrEqual => compare(|a, b| a <= b),
        Binary::Greater => compare(|a, b| a > b),
        Binary::GreaterOrEqual => compare(|a, b| a >= b),
        Binary::Plus => compute(|a, b| a + b),
        Binary::Minus => compute(|a, b| a - b),
        Binary::Times => compute(|a, b| a * b),
        Binary::Divided => compute(|a, b| a / b),
        Binary::Modulo => compute(|a, b| a % b),
    }
}
