//! The files that expressions read, or name.

use std::ops::Range;

use hcl_edit::{
    Span,
    expr::{Expression, FuncCall, ObjectKey, TraversalOperator},
    structure,
    template::{Directive, Element, Template},
};

use super::{
    Base, FileRead, StaticValue,
    evaluate::{Scope, evaluate, evaluate_elements},
    json::{Json, JsonValue},
    source::Source,
    view::Expr,
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

/// Whether paths that are merely named count: in the arguments of resources, which may read them, but not
/// in locals, which say nothing until they are used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    Counts,
    Ignored,
}

/// Collects the reads of a file.
pub(super) struct Reads<'s, 'a> {
    pub(super) source: &'s Source<'a>,
    pub(super) found: Vec<FileRead>,
    /// Where an expression that was cut out of a JSON string stands.
    within: Option<Range<usize>>,
}

impl<'s, 'a> Reads<'s, 'a> {
    pub(super) fn new(source: &'s Source<'a>) -> Self {
        Self { source, found: Vec::new(), within: None }
    }

    /// All attributes and nested blocks of a block's body.
    pub(super) fn body(&mut self, body: &structure::Body, scope: &Scope, naming: Naming) {
        let each =
            body.get_attribute("for_each").map(|attribute| evaluate(Expr::Hcl(&attribute.value), scope));
        let inner = each.map_or_else(|| scope.clone(), |each| scope.with_each(&each));
        for attribute in body.attributes() {
            let scope = if attribute.has_key("for_each") { scope } else { &inner };
            self.attribute(attribute.key.as_str(), &attribute.value, scope, naming);
        }
        for block in body.blocks() {
            match (block.ident.as_str(), block.labels.first()) {
                ("dynamic", Some(label)) => self.dynamic(label.as_str(), &block.body, &inner, naming),
                _ => self.body(&block.body, &inner, naming),
            }
        }
    }

    fn dynamic(&mut self, label: &str, body: &structure::Body, scope: &Scope, naming: Naming) {
        let collection = body
            .get_attribute("for_each")
            .map_or(StaticValue::Unknown, |attribute| evaluate(Expr::Hcl(&attribute.value), scope));
        let iterator = body.get_attribute("iterator").and_then(|attribute| attribute.value.as_variable());
        let inner = scope.with_iterator(iterator.map_or(label, |name| name.as_str()), &collection);
        if let Some(attribute) = body.get_attribute("for_each") {
            self.expression(&attribute.value, scope, naming);
        }
        for block in body.blocks() {
            self.body(&block.body, &inner, naming);
        }
    }

    pub(super) fn attribute(&mut self, name: &str, value: &Expression, scope: &Scope, naming: Naming) {
        if naming == Naming::Counts && matches!(value, Expression::Traversal(_)) {
            match evaluate(Expr::Hcl(value), scope) {
                // `path.module` alone stands for a directory's contents only where a directory is asked for.
                path @ StaticValue::Base(_) if name.ends_with("_dir") => self.named(path, value.span()),
                path @ (StaticValue::Local(..) | StaticValue::Object(_) | StaticValue::OneOf(_))
                    if names_a_path(name) =>
                {
                    self.named(path, value.span());
                }
                path @ StaticValue::Concat(_) => self.named(path, value.span()),
                _ => {}
            }
        }
        self.expression(value, scope, naming);
    }

    pub(super) fn expression(&mut self, expression: &Expression, scope: &Scope, naming: Naming) {
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

    pub(super) fn template(
        &mut self,
        template: &Template,
        scope: &Scope,
        naming: Naming,
        span: Option<Range<usize>>,
    ) {
        if naming == Naming::Counts {
            self.named_in_template(template, scope, span);
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
                        self.template(&directive.if_expr.template, scope, naming, None);
                        if let Some(otherwise) = &directive.else_expr {
                            self.template(&otherwise.template, scope, naming, None);
                        }
                    }
                    Directive::For(directive) => {
                        let directive = &directive.for_expr;
                        self.expression(&directive.collection_expr, scope, Naming::Ignored);
                        let collection = evaluate(Expr::Hcl(&directive.collection_expr), scope);
                        let key = directive.key_var.as_ref().map(|key| key.as_str());
                        let inner = scope.with_for(key, directive.value_var.as_str(), &collection);
                        self.template(&directive.template, &inner, naming, None);
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
        let read = FileRead { function: function.map(str::to_owned), path, place: self.source.place(span) };
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
