//! The files that expressions read, or name.

use std::ops::Range;

use hcl_edit::{
    Span,
    expr::{Expression, FuncCall, ObjectKey, TraversalOperator},
    template::{Directive, Element, Template},
};

use super::{
    FileRead, StaticValue, Step,
    evaluate::{Scope, evaluate},
    json::{Json, JsonValue},
    named::{COMMANDS_ALONE, Naming, begins_a_path, names_a_path},
    sieve,
    slice::{Shape, Slice, continues_name},
    source::Source,
    view::{Attribute, Body, Expr},
};

/// The functions whose first argument is a file that they read, or look for. Terragrunt has them too, and Terramate with
/// `tm_` before their names.
pub(in crate::terraform) const READS: [&str; 10] = [
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
const NO_PATH: [&str; 4] = ["basename", "md5", "sha1", "sha256"];

/// Functions that make one path of what goes in.
const MAKES_PATH: [&str; 15] = [
    "abspath",
    "chomp",
    "dirname",
    "format",
    "join",
    "lower",
    "pathexpand",
    "regex",
    "replace",
    "substr",
    "trim",
    "trimprefix",
    "trimspace",
    "trimsuffix",
    "upper",
];

/// The most parts that the paths of one file have together. Beyond it, one more read stands for the rest, of
/// which nothing is known.
const MAX_PARTS: usize = 200_000;

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

/// What a template reads by functions of its own, where it has any: of what it is given nothing is known. `None` of one
/// that may read a file and is of more bytes than are parsed, or does not parse here: Terraform parses more.
pub(crate) fn template_reads(text: &str, most: usize) -> Option<Vec<FileRead>> {
    // Within text alone nothing is called.
    if !sieve::may_read(text, false) || !(text.contains("${") || text.contains("%{")) {
        return Some(Vec::new());
    }
    if text.len() > most {
        return None;
    }
    let template = hcl_edit::parser::parse_template(text).ok()?;
    let source = Source::of(text);
    let mut reads = Reads::new(&source);
    reads.template(&template, &Scope::default(), Naming::Ignored, None);
    Some(reads.found)
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
                (COMMANDS_ALONE, _) if naming != Naming::Ignored => {
                    self.body(block.body, inner, Naming::Command);
                }
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
        let (name, expression) = (attribute.name, attribute.expression);
        let shape = match expression {
            Expr::Sliced(slice) => slice.shape(),
            _ => Shape::Other,
        };
        if matches!(shape, Shape::Constant(_) | Shape::Null) {
            return;
        }
        let naming = naming.of(name);
        if naming != Naming::Ignored && Self::is_taken_from_a_name(name, expression, shape, scope, naming) {
            self.taken(name, evaluate(expression, scope), naming, expression.span());
        }
        match expression {
            Expr::Hcl(expression) => self.expression(expression, scope, naming),
            Expr::Json(json) => self.json(json, scope, naming),
            Expr::Sliced(slice) => self.slice(slice, shape, scope, naming),
        }
    }

    /// What an argument takes from a name, where that may be a path.
    fn taken(&mut self, name: &str, path: StaticValue, naming: Naming, span: Range<usize>) {
        let asked = naming == Naming::Path;
        let counts = match path.place() {
            // `path.module` alone stands for a directory's contents only where a directory is asked for.
            StaticValue::Base(_) => name.ends_with("_dir"),
            StaticValue::Local(..) | StaticValue::Object(_) | StaticValue::OneOf(_) => {
                asked || names_a_path(name)
            }
            StaticValue::Variable(..) | StaticValue::FileSet(..) | StaticValue::Literal(_) => asked,
            StaticValue::Concat(_) => true,
            // An item of a list of paths: `sort(local.files)[0]`.
            item @ StaticValue::Computed(..) => begins_a_path(item, naming) && (asked || names_a_path(name)),
            _ => false,
        };
        if counts {
            self.named(path, Some(span));
        }
    }

    /// Whether an expression takes something out of what is known by name here: a local, a path, what a loop
    /// goes through.
    fn is_taken_from_a_name(
        argument: &str,
        expression: Expr<'_>,
        shape: Shape<'_>,
        scope: &Scope,
        naming: Naming,
    ) -> bool {
        let variable = (naming == Naming::Path).then_some("var");
        let known = || scope.names().chain(["local", "path"]).chain(variable);
        match (expression, shape) {
            // Its value tells.
            (Expr::Hcl(Expression::Traversal(_)), _) => true,
            (Expr::Sliced(_), Shape::Names(text)) => {
                let root = text.split_once('.').map_or(text, |(root, _)| root);
                match root {
                    // What a local stands for counts only where that may be a path.
                    "local" => naming == Naming::Path || names_a_path(argument),
                    root => known().any(|name| name == root),
                }
            }
            (Expr::Sliced(slice), Shape::Other) => {
                slice.text.ends_with(|c: char| c.is_alphanumeric() || "_-]*".contains(c))
                    && known().any(|name| sieve::mentions(slice.text, name))
                    && matches!(slice.parsed(), Some(Expression::Traversal(_)))
            }
            _ => false,
        }
    }

    fn value(&mut self, value: Expr<'_>, scope: &Scope, naming: Naming) {
        match value {
            Expr::Hcl(expression) => self.expression(expression, scope, naming),
            Expr::Json(json) => self.json(json, scope, naming),
            Expr::Sliced(slice) => self.slice(slice, slice.shape(), scope, naming),
        }
    }

    fn slice(&mut self, slice: &Slice<'_>, shape: Shape<'_>, scope: &Scope, naming: Naming) {
        match shape {
            Shape::Text(text) => self.named_in_text(text, naming, Some(slice.span())),
            Shape::Other
                if [Naming::Path, Naming::Command].contains(&naming)
                    || sieve::may_read(slice.text, [Naming::Counts, Naming::Script].contains(&naming)) =>
            {
                if let Some(expression) = slice.parsed() {
                    self.shift = slice.start;
                    self.expression(expression, scope, naming);
                    self.shift = 0;
                }
            }
            _ => {}
        }
    }

    fn expression(&mut self, expression: &Expression, scope: &Scope, naming: Naming) {
        match expression {
            Expression::Null(_) | Expression::Bool(_) | Expression::Number(_) | Expression::Variable(_) => {}
            Expression::String(text) => self.named_in_text(text, naming, expression.span()),
            Expression::Array(items) => {
                items.iter().for_each(|item| self.expression(item, scope, naming));
            }
            Expression::Object(object) => {
                for (key, value) in object {
                    let name = match key {
                        ObjectKey::Expression(key) => {
                            self.expression(key, scope, Naming::Ignored);
                            key.as_str().unwrap_or_default()
                        }
                        ObjectKey::Ident(name) => name.as_str(),
                    };
                    self.expression(value.expr(), scope, naming.of(name));
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
            Expression::FuncCall(call) => {
                if naming != Naming::Ignored && MAKES_PATH.contains(&call.name.name.as_str()) {
                    let path = evaluate(Expr::Hcl(expression), scope);
                    if begins_a_path(&path, naming) {
                        self.named(path, expression.span());
                    }
                }
                self.call(call, scope, naming);
            }
            Expression::Traversal(traversal) => {
                let whole = Expr::Hcl(expression);
                if naming == Naming::Path
                    && Self::is_taken_from_a_name("", whole, Shape::Other, scope, naming)
                {
                    self.taken("", evaluate(whole, scope), naming, whole.span());
                }
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
                let value = match evaluate(Expr::Hcl(path), scope) {
                    // A function of which more is not known took one out of several.
                    value @ (StaticValue::List(_)
                    | StaticValue::Many(_)
                    | StaticValue::Map(..)
                    | StaticValue::Object(_)) => value.step(Step::Any),
                    value => value,
                };
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
        let inner = match name {
            // A provider's function may read what it is given, wherever it stands.
            _ if !core => Naming::Counts,
            _ if NO_PATH.contains(&name) || MAKES_PATH.contains(&name) => Naming::Ignored,
            _ => naming,
        };
        for argument in arguments {
            self.expression(argument, scope, inner);
        }
    }

    fn template(&mut self, template: &Template, scope: &Scope, naming: Naming, span: Option<Range<usize>>) {
        if naming != Naming::Ignored {
            self.named_in_template(template, scope, naming, span.clone());
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
                    let elements: Vec<&Element> = template.iter().collect();
                    match elements.as_slice() {
                        // The value of the expression, not a text of it.
                        [Element::Interpolation(only)] => self.expression(&only.expr, scope, naming),
                        _ => self.template(&template, scope, naming, Some(json.span.clone())),
                    }
                    self.within = outer;
                }
            }
            JsonValue::String(text) => self.named_in_text(text, naming, Some(json.span.clone())),
            JsonValue::Array(items) => items.iter().for_each(|item| self.json(item, scope, naming)),
            JsonValue::Object(members) => {
                let each = members.iter().find(|member| member.name == "for_each");
                let inner = match each {
                    Some(each) => scope.with_each(&evaluate(Expr::Json(&each.value), scope)),
                    None => scope.clone(),
                };
                for member in members.iter().filter(|member| member.name != "//") {
                    let naming = naming.of(&member.name);
                    let taken = match &member.value.value {
                        JsonValue::String(text) if naming != Naming::Ignored => text,
                        _ => "",
                    };
                    if let Some(names) = taken.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'))
                        && ["local.", "each.", "path.", "var."].iter().any(|name| names.starts_with(name))
                        && (naming == Naming::Path || !names.starts_with("var."))
                        && names.bytes().all(|b| continues_name(b) || b == b'.')
                    {
                        let path = evaluate(Expr::Json(&member.value), &inner);
                        self.taken(&member.name, path, naming, member.value.span.clone());
                    }
                    self.json(&member.value, &inner, naming);
                }
            }
            _ => {}
        }
    }

    pub(super) fn named(&mut self, path: StaticValue, span: Option<Range<usize>>) {
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
