use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::UnitId;
use crate::{
    proof::RepoPath,
    terraform::facts::{Place, Text},
};

/// A module call with a constant source, as a bump needs it: the source with its bytes, and who calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModuleCall {
    /// The file it stands in.
    pub in_file: RepoPath,
    /// The call's name.
    pub name: String,
    /// The header.
    pub place: Place,
    /// `source`, with the place between its quotes.
    pub source: Text,
    /// `version`, with the place between its quotes.
    pub version: Option<Text>,
    /// The units it stands in: none in a module, several where they share the directory. Sorted as the units of
    /// the catalog.
    pub units: Vec<UnitId>,
    /// The module it stands in, where it stands in one.
    pub module: Option<RepoPath>,
    /// The directory it calls, where that is one of this repository.
    pub target: Option<RepoPath>,
}

impl ModuleCall {
    /// The bytes of the source address, between its quotes.
    pub fn source_span(&self) -> Range<usize> {
        self.source.place.range()
    }
}
