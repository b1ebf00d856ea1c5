//! The files that expressions read, or name.

use std::ops::Range;

use hcl_edit::{
    Span,
    expr::{Expression, FuncCall, ObjectKey, TraversalOperator},
    template::{Directive, Element, Template},
};

use super::{
    Base, FileRead, StaticValue,
    evaluate::{Scope, evaluate, evaluate_elements},
    json::{Json, JsonValue},
    sieve,
    slice::Shape,
    source::Source,
    view::{Attribute, Body, Expr},
};

/// The functions whose first argument is a file that they read.
const READS: [&str; 10] = [
    "file",
    "fileexists",
    "filebase64",
    "filebase64sha256",
    "filebase64sha512",
    "filemd5",
    "filesha1",
    "filesha256",
    "filesha512",
    "templatefile",
];

/// Functions whose result is no path that anything reads, although a path goes in.
const NO_PATH: [&str; 6] = ["basename", "dirname", "abspath", "md5", "sha1", "sha256"];

/// The most parts that the paths of one file have together. Beyond it, one more read stands for the rest, of
/// which nothing is known.
const MAX_PARTS: usize = 200_000;

/// Whether paths that are merely named count: in the arguments of resources, which may read them, but not
/// in locals, which say nothing until they are used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    Counts,
    Ignored,
}

/// Collects the reads of a file.
pub(super) struct Reads<'s, 'a> {
    source: &'s Source<'a>,
    pub(super) found: Vec<FileRead>,
    /// Where an expression that was cut out of a JSON string stands.
    within: Option<Range<usize>>,
    /// Where the expression begins whose places are counted from its own beginning.
    shift: usize,
    left: usize,
}

impl<'s, 'a> Reads<'s, 'a> {
    pub(super) fn new(source: &'s Source<'a>) -> Self {
        Self { source, found: Vec::new(), within: None, shift: 0, left: MAX_PARTS }
    }

    /// All attributes and nested blocks of a block's body.
    pub(super) fn body(&mut self, body: Body<'_>, scope: &Scope, naming: Naming) {
        let attributes = body.attributes();
        let each = attributes.iter().find(|attribute| attribute.name == "for_each");
        let inner = match each {
            Some(each) => &scope.with_each(&evaluate(each.expression, scope)),
            None => scope,
        };
        for attribute in &attributes {
            let scope = if attribute.name == "for_each" { scope } else { inner };
            self.attribute(attribute, scope, naming);
        }
        for block in body.all_blocks() {
            match (block.kind, block.labels.first()) {
                ("dynamic", Some(label)) => self.dynamic(label, block.body, inner, naming),
                _ => self.body(block.body, inner, naming),
            }
        }
    }

    fn dynamic(&mut self, label: &str, body: Body<'_>, scope: &Scope, naming: Naming) {
        let attributes = body.attributes();
        let named = |name: &str| attributes.iter().find(|attribute| attribute.name == name);
        let each = named("for_each");
        let collection = each.map_or(StaticValue::Unknown, |each| evaluate(each.expression, scope));
        let iterator = named("iterator").map(|iterator| iterator.expression.spelled(self.source).value);
        let inner = scope.with_iterator(iterator.as_deref().unwrap_or(label), &collection);
        if let Some(each) = each {
            self.value(each.expression, scope, naming);
        }
        for block in body.all_blocks() {
            self.body(block.body, &inner, naming);
        }
    }

    pub(super) fn attribute(&mut self, attribute: &Attribute<'_>, scope: &Scope, naming: Naming) {
        if self.left == 0 {
            return;
        }
        if naming == Naming::Counts && self.is_taken_from_a_name(attribute.expression, scope) {
            let name = attribute.name;
            let path = evaluate(attribute.expression, scope);
            let counts = match &path {
                // `path.module` alone stands for a directory's contents only where a directory is asked for.
                StaticValue::Base(_) => name.ends_with("_dir"),
                StaticValue::Local(..) | StaticValue::Object(_) | StaticValue::OneOf(_) => names_a_path(name),
                StaticValue::Concat(_) => true,
                _ => false,
            };
            if counts {
                self.named(path, Some(attribute.expression.span()));
            }
        }
        self.value(attribute.expression, scope, naming);
    }

    /// Whether an expression takes something out of what is known by name here: a local, a path, what a loop
    /// goes through.
    fn is_taken_from_a_name(&self, expression: Expr<'_>, scope: &Scope) -> bool {
        let known = |text: &str| {
            text.ends_with(|c: char| c.is_alphanumeric() || "_-]*".contains(c))
                && scope.names().chain(["local", "path"]).any(|name| sieve::mentions(text, name))
        };
        match expression {
            Expr::Hcl(Expression::Traversal(_)) => known(self.source.spelled(expression.span())),
            Expr::Sliced(slice) => match slice.shape() {
                Shape::Names(text) => known(text),
                Shape::Other => known(slice.text) && matches!(slice.parsed(), Some(Expression::Traversal(_))),
                _ => false,
            },
            _ => false,
        }
    }

    fn value(&mut self, value: Expr<'_>, scope: &Scope, naming: Naming) {
        match value {
            Expr::Hcl(expression) => self.expression(expression, scope, naming),
            Expr::Json(json) => self.json(json, scope, naming),
            Expr::Sliced(slice) => match slice.shape() {
                Shape::Text(text) if naming == Naming::Counts => {
                    self.named_in_text(text, Some(slice.span()));
                }
                Shape::Other if sieve::may_read(slice.text, naming == Naming::Counts) => {
                    if let Some(expression) = slice.parsed() {
                        self.shift = slice.start;
                        self.expression(expression, scope, naming);
                        self.shift = 0;
                    }
                }
                _ => {}
            },
        }
    }

    fn expression(&mut self, expression: &Expression, scope: &Scope, naming: Naming) {
        match expression {
            Expression::Null(_) | Expression::Bool(_) | Expression::Number(_) | Expression::Variable(_) => {}
            Expression::String(text) => {
                if naming == Naming::Counts {
                    self.named_in_text(text, expression.span());
                }
            }
            Expression::Array(items) => {
                items.iter().for_each(|item| self.expression(item, scope, naming));
            }
            Expression::Object(object) => {
                for (key, value) in object {
                    if let ObjectKey::Expression(key) = key {
                        self.expression(key, scope, Naming::Ignored);
                    }
                    self.expression(value.expr(), scope, naming);
                }
            }
            Expression::StringTemplate(template) => {
                self.template(template, scope, naming, template.span());
            }
            Expression::HeredocTemplate(heredoc) => {
                self.template(&heredoc.template, scope, naming, heredoc.span());
            }
            Expression::Parenthesis(inner) => self.expression(inner.inner(), scope, naming),
            Expression::Conditional(conditional) => {
                self.expression(&conditional.cond_expr, scope, Naming::Ignored);
                self.expression(&conditional.true_expr, scope, naming);
                self.expression(&conditional.false_expr, scope, naming);
            }
            Expression::FuncCall(call) => self.call(call, scope, naming),
            Expression::Traversal(traversal) => {
                self.expression(&traversal.expr, scope, Naming::Ignored);
                for operator in &traversal.operators {
                    if let TraversalOperator::Index(index) = operator.value() {
                        self.expression(index, scope, Naming::Ignored);
                    }
                }
            }
            Expression::UnaryOp(operation) => self.expression(&operation.expr, scope, Naming::Ignored),
            Expression::BinaryOp(operation) => {
                self.expression(&operation.lhs_expr, scope, Naming::Ignored);
                self.expression(&operation.rhs_expr, scope, Naming::Ignored);
            }
            Expression::ForExpr(expression) => {
                self.expression(&expression.intro.collection_expr, scope, Naming::Ignored);
                let collection = evaluate(Expr::Hcl(&expression.intro.collection_expr), scope);
                let key = expression.intro.key_var.as_ref().map(|key| key.as_str());
                let inner = scope.with_for(key, expression.intro.value_var.as_str(), &collection);
                if let Some(key) = &expression.key_expr {
                    self.expression(key, &inner, Naming::Ignored);
                }
                self.expression(&expression.value_expr, &inner, naming);
                if let Some(condition) = &expression.cond {
                    self.expression(&condition.expr, &inner, Naming::Ignored);
                }
            }
        }
    }

    fn call(&mut self, call: &FuncCall, scope: &Scope, naming: Naming) {
        let name = call.name.name.as_str();
        let core = call.name.namespace.iter().all(|namespace| namespace.as_str() == "core");
        let mut arguments = call.args.iter();
        if core && READS.contains(&name) {
            if let Some(path) = arguments.next() {
                let value = evaluate(Expr::Hcl(path), scope);
                self.read(Some(name), value, call.span());
                self.expression(path, scope, Naming::Ignored);
            }
        } else if core && name == "fileset" {
            if let (Some(directory), Some(glob)) = (call.args.get(0), call.args.get(1)) {
                let directory = evaluate(Expr::Hcl(directory), scope);
                let glob = evaluate(Expr::Hcl(glob), scope);
                let set = StaticValue::FileSet(Box::new(directory.clone()), Box::new(glob));
                let slash = StaticValue::Literal("/".to_owned());
                self.read(Some(name), StaticValue::concat(vec![directory, slash, set]), call.span());
            }
            for argument in arguments {
                self.expression(argument, scope, Naming::Ignored);
            }
            return;
        }
        let inner = if NO_PATH.contains(&name) { Naming::Ignored } else { naming };
        for argument in arguments {
            self.expression(argument, scope, inner);
        }
    }

    fn template(&mut self, template: &Template, scope: &Scope, naming: Naming, span: Option<Range<usize>>) {
        if naming == Naming::Counts {
            self.named_in_template(template, scope, span.clone());
        }
        for element in template {
            match element {
                Element::Literal(_) => {}
                Element::Interpolation(interpolation) => {
                    self.expression(&interpolation.expr, scope, Naming::Ignored);
                }
                Element::Directive(directive) => match &**directive {
                    Directive::If(directive) => {
                        self.expression(&directive.if_expr.cond_expr, scope, Naming::Ignored);
                        self.template(&directive.if_expr.template, scope, naming, span.clone());
                        if let Some(otherwise) = &directive.else_expr {
                            self.template(&otherwise.template, scope, naming, span.clone());
                        }
                    }
                    Directive::For(directive) => {
                        let directive = &directive.for_expr;
                        self.expression(&directive.collection_expr, scope, Naming::Ignored);
                        let collection = evaluate(Expr::Hcl(&directive.collection_expr), scope);
                        let key = directive.key_var.as_ref().map(|key| key.as_str());
                        let inner = scope.with_for(key, directive.value_var.as_str(), &collection);
                        self.template(&directive.template, &inner, naming, span.clone());
                    }
                },
            }
        }
    }

    /// A JSON value in the place of an expression.
    pub(super) fn json(&mut self, json: &Json, scope: &Scope, naming: Naming) {
        match &json.value {
            JsonValue::String(text) if text.contains("${") || text.contains("%{") => {
                if let Ok(template) = hcl_edit::parser::parse_template(text) {
                    let outer = self.within.replace(json.span.clone());
                    self.template(&template, scope, naming, Some(json.span.clone()));
                    self.within = outer;
                }
            }
            JsonValue::String(text) if naming == Naming::Counts => {
                self.named_in_text(text, Some(json.span.clone()));
            }
            JsonValue::Array(items) => items.iter().for_each(|item| self.json(item, scope, naming)),
            JsonValue::Object(members) => {
                let each = members.iter().find(|member| member.name == "for_each");
                let inner = match each {
                    Some(each) => scope.with_each(&evaluate(Expr::Json(&each.value), scope)),
                    None => scope.clone(),
                };
                for member in members.iter().filter(|member| member.name != "//") {
                    self.json(&member.value, &inner, naming);
                }
            }
            _ => {}
        }
    }

    /// In a template: from each interpolation that may begin a path up to where the path must end. A
    /// command names files among other words.
    fn named_in_template(&mut self, template: &Template, scope: &Scope, span: Option<Range<usize>>) {
        let elements: Vec<&Element> = template.iter().collect();
        let mut at = 0;
        while at < elements.len() {
            match elements[at] {
                Element::Interpolation(interpolation)
                    if begins_a_path(&evaluate(Expr::Hcl(&interpolation.expr), scope)) =>
                {
                    let (value, next) = path_from(&elements, at, scope);
                    at = next;
                    if let Some(value) = value {
                        self.named(value, span.clone());
                    }
                }
                Element::Literal(text) => {
                    // The last word may go on in the interpolation that follows.
                    let open = at + 1 < elements.len() && !text.ends_with(ends_a_path);
                    let words = text.split(ends_a_path);
                    let count = text.split(ends_a_path).count();
                    for (i, word) in words.enumerate() {
                        if !is_relative(word) {
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

    fn named_in_text(&mut self, text: &str, span: Option<Range<usize>>) {
        for word in text.split(ends_a_path).filter(|word| is_relative(word)) {
            self.named(StaticValue::Literal(word.to_owned()), span.clone());
        }
    }

    fn named(&mut self, path: StaticValue, span: Option<Range<usize>>) {
        self.read(None, path, span);
    }

    fn read(&mut self, function: Option<&str>, path: StaticValue, span: Option<Range<usize>>) {
        let span = self.within.clone().or(span).unwrap_or_default();
        let span = span.start + self.shift..span.end + self.shift;
        let place = self.source.place(span);
        let parts = path.parts(self.left);
        if parts >= self.left {
            if self.left > 0 {
                let (function, path) = (Some("file".to_owned()), StaticValue::Unknown);
                self.found.push(FileRead { function, path, place });
            }
            self.left = 0;
            return;
        }
        self.left -= parts;
        let read = FileRead { function: function.map(str::to_owned), path, place };
        if self.found.last() != Some(&read) {
            self.found.push(read);
        }
    }
}

/// Whether an argument of this name may be a path, judged where its value is no more than a local.
fn names_a_path(name: &str) -> bool {
    ["file", "dir", "path", "source", "directory", "template", "filename", "program", "command", "content"]
        .iter()
        .any(|part| name.contains(part))
}

fn begins_a_path(value: &StaticValue) -> bool {
    match value {
        StaticValue::Base(_) | StaticValue::Local(..) => true,
        StaticValue::Concat(parts) => parts.first().is_some_and(begins_a_path),
        _ => false,
    }
}

fn is_relative(word: &str) -> bool {
    ["./", "../"].iter().any(|start| word.len() > start.len() && word.starts_with(start))
}

/// What cannot stand in the path of a file that a command line, a list or a sentence names. (It can, but
/// then it is quoted, and the quotes end it.)
fn ends_a_path(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'`;,|&<>()[]{}=:".contains(c)
}

/// The path that begins with the interpolation at `at`: everything up to a character that ends it. Whether
/// it names anything below its base: `path.module` alone in a sentence does not.
fn path_from(elements: &[&Element], at: usize, scope: &Scope) -> (Option<StaticValue>, usize) {
    let mut next = at + 1;
    let mut tail = String::new();
    let mut goes_on = false;
    while let Some(element) = elements.get(next) {
        if let Element::Literal(text) = element {
            if !goes_on && !text.starts_with('/') {
                return (None, next);
            }
            goes_on = true;
            if let Some(end) = text.find(ends_a_path) {
                tail = text[..end].to_owned();
                break;
            }
        } else if !goes_on {
            return (None, next);
        }
        next += 1;
    }
    if !goes_on {
        return (None, next);
    }
    let head = evaluate_elements(&elements[at..next.min(elements.len())], scope);
    let value = StaticValue::concat(vec![head, StaticValue::Literal(tail)]);
    let bare = matches!(&value, StaticValue::Concat(parts)
        if matches!(parts.as_slice(), [StaticValue::Base(Base::Module | Base::Root | Base::Cwd), StaticValue::Literal(text)] if text == "/"));
    (Some(value).filter(|_| !bare), next)
}
