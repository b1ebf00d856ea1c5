//! Reasons: why something is in an answer.

use infraflow_core::proof;

use crate::data::record;

record! {
    /// Why something is in an answer: the rule that put it there, a sentence for people, and the references
    /// that lead from the changed file to the thing.
    Reason(proof::Reason) { rule, text, chain, links_left_out }
}

record! {
    /// One step of a reason: a place in a file. Bytes count from 0, lines and columns (in bytes) from 1.
    Link(proof::Link) { path, start, end, line, column, reference }
}
