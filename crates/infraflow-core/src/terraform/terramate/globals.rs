//! The globals of one stack: what its directory and those above it define, the nearest one of a path counting.

use std::collections::BTreeMap;

use hcl_edit::expr::Expression;

/// Definitions by their path.
#[derive(Debug, Default)]
pub(crate) struct Table {
    by_path: BTreeMap<Vec<String>, Option<Expression>>,
    /// Whether there may be more that nobody knows of: then a name that is not there may be.
    pub(crate) is_open: bool,
}

impl Table {
    /// Adds a definition; it takes the place of one of the same path.
    pub(crate) fn define(&mut self, path: Vec<String>, value: Option<Expression>) {
        self.by_path.insert(path, value);
    }

    /// Takes a definition out.
    pub(crate) fn take_out(&mut self, path: &[String]) {
        self.by_path.remove(path);
    }

    /// The definitions of a global and of what is in it, the shortest path first. A value that is not known is
    /// `None`.
    pub(super) fn of<'a>(
        &'a self,
        root: &'a str,
    ) -> impl Iterator<Item = (&'a [String], Option<&'a Expression>)> {
        let from = self.by_path.range(vec![root.to_owned()]..);
        let same = from.take_while(move |(path, _)| path.first().is_some_and(|first| first == root));
        same.map(|(path, value)| (path.as_slice(), value.as_ref()))
    }
}

/// Whether an expression is the word that takes a global away.
pub(crate) fn is_unset(expression: &Expression) -> bool {
    matches!(expression, Expression::Variable(name) if name.as_str() == "unset")
}
