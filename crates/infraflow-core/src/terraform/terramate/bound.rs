//! Names that an expression can use where it stands: of a loop around it, of a `tm_dynamic` or `map` block, of `lets`.

use std::sync::Arc;

use hcl_edit::{
    expr::{Expression, ForExpr, FuncCall},
    structure::{Block, Body},
    template::Element,
};

use super::{Evaluator, Value};
use crate::terraform::facts::Place;

/// In so many ways at most the names around one expression are bound.
const MOST_WAYS: usize = 1_000;

/// What binds names.
#[derive(Clone, Debug)]
pub(crate) enum Bound {
    /// The items of a collection, and where they are.
    Loop { key: Option<String>, value: String, of: Expression },
    /// The same as members of one name.
    Iterator { name: String, of: Option<Expression> },
    /// Each its value, as members of `let`.
    Lets(Vec<(String, Expression)>),
}

/// A call of a function that looks at files. What binds names is shared by all calls in it.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) call: FuncCall,
    pub(crate) bound: Vec<Arc<Bound>>,
    pub(crate) place: Place,
}

/// A module that generated code calls.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) source: Expression,
    pub(crate) bound: Vec<Arc<Bound>>,
    pub(crate) place: Place,
}

/// What expressions are in one way.
pub(crate) struct Way {
    pub(crate) values: Vec<Value>,
    /// How the first of them begins where it is a text of which not all is known.
    pub(crate) begins: String,
}

impl Bound {
    pub(super) fn by(expression: &ForExpr) -> Self {
        let intro = &expression.intro;
        Self::Loop {
            key: intro.key_var.as_ref().map(|key| key.as_str().to_owned()),
            value: intro.value_var.as_str().to_owned(),
            of: intro.collection_expr.clone(),
        }
    }

    /// What a `tm_dynamic` block binds, by its label or `iterator`, or a `map` block.
    pub(super) fn by_block(block: &Block) -> Option<Self> {
        let usual = match block.ident.as_str() {
            "tm_dynamic" => block.labels.first()?.as_str(),
            "map" => "element",
            _ => return None,
        };
        let iterator = block.body.get_attribute("iterator").and_then(|iterator| iterator.value.as_variable());
        let name = iterator.map_or(usual, |iterator| iterator.as_str()).to_owned();
        let of = block.body.get_attribute("for_each").map(|each| each.value.clone());
        Some(Self::Iterator { name, of })
    }

    /// What the `lets` of a block bind.
    pub(super) fn by_lets(body: &Body) -> Option<Self> {
        let lets = body.get_blocks("lets").flat_map(|block| block.body.attributes());
        let lets: Vec<(String, Expression)> =
            lets.map(|attribute| (attribute.key.as_str().to_owned(), attribute.value.clone())).collect();
        (!lets.is_empty()).then_some(Self::Lets(lets))
    }
}

impl Evaluator<'_> {
    /// What expressions are for each way in which the names around them are bound.
    pub(crate) fn ways(&mut self, bound: &[Arc<Bound>], expressions: &[&Expression]) -> Vec<Way> {
        let mut found = Vec::new();
        self.each_way(bound, expressions, &mut found);
        found
    }

    fn each_way(&mut self, bound: &[Arc<Bound>], expressions: &[&Expression], found: &mut Vec<Way>) {
        if found.len() >= MOST_WAYS {
            return;
        }
        let Some((first, rest)) = bound.split_first() else {
            let values: Vec<Value> = expressions.iter().map(|expression| self.value(expression)).collect();
            let begins = match (values.first(), expressions.first()) {
                (Some(Value::Unknown), Some(first)) => self.beginning(first),
                _ => String::new(),
            };
            found.push(Way { values, begins });
            return;
        };
        let depth = self.names.len();
        for names in self.names_of(first) {
            self.names.extend(names);
            self.each_way(rest, expressions, found);
            self.names.truncate(depth);
        }
    }

    fn names_of(&mut self, bound: &Bound) -> Vec<Vec<(String, Value)>> {
        match bound {
            Bound::Loop { key, value, of } => {
                let items = self.items(Some(of)).into_iter();
                items
                    .map(|(at, item)| {
                        let key = key.iter().map(|key| (key.clone(), at.clone()));
                        key.chain([(value.clone(), item.clone())]).collect()
                    })
                    .collect()
            }
            Bound::Iterator { name, of } => {
                let items = self.items(of.as_ref()).into_iter();
                items
                    .map(|(at, item)| {
                        let members =
                            [("key", at), ("value", item.clone()), ("new", item), ("old", Value::Unknown)];
                        let members = members.map(|(name, value)| (name.to_owned(), value));
                        vec![(name.clone(), Value::Object(members.into()))]
                    })
                    .collect()
            }
            Bound::Lets(lets) => {
                let depth = self.names.len();
                let mut members: Vec<(String, Value)> = Vec::with_capacity(lets.len());
                // One may name another, in any order.
                for _ in 0..2 {
                    for (at, (name, value)) in lets.iter().enumerate() {
                        self.names.push(("let".to_owned(), Value::Object(members.clone())));
                        let value = self.value(value);
                        self.names.truncate(depth);
                        match members.get_mut(at) {
                            Some(member) => member.1 = value,
                            None => members.push((name.clone(), value)),
                        }
                    }
                }
                for (_, value) in &mut members {
                    // What failed may have asked for what comes still later.
                    if *value == Value::Fails {
                        *value = Value::Unknown;
                    }
                }
                vec![vec![("let".to_owned(), Value::Object(members))]]
            }
        }
    }

    /// The items of a collection with where they are; one of which nothing is known, where it is not.
    fn items(&mut self, of: Option<&Expression>) -> Vec<(Value, Value)> {
        let Some(of) = of else { return vec![(Value::Unknown, Value::Unknown)] };
        match self.value(of) {
            Value::List(items) => {
                #[allow(clippy::cast_precision_loss)] // bounded
                items.into_iter().enumerate().map(|(at, item)| (Value::Number(at as f64), item)).collect()
            }
            Value::Object(members) => {
                members.into_iter().map(|(name, value)| (Value::Text(name), value)).collect()
            }
            _ => vec![(Value::Unknown, Value::Unknown)],
        }
    }

    /// The text up to the first part of which nothing is known.
    fn beginning(&mut self, expression: &Expression) -> String {
        let mut text = String::new();
        let Expression::StringTemplate(template) = expression else { return text };
        for element in template {
            let part = match element {
                Element::Literal(literal) => Some(literal.to_string()),
                Element::Interpolation(inner) => self.value(&inner.expr).spelled(),
                Element::Directive(_) => None,
            };
            match part {
                Some(part) => text.push_str(&part),
                None => break,
            }
        }
        text
    }
}
