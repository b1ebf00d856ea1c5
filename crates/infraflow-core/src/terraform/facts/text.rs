use serde::{Deserialize, Serialize};

use crate::proof::Place;

/// A constant text and where it stands.
///
/// The place covers what is between the quotes. Where `verbatim` holds, the bytes there are the value
/// itself, so that an offset into the value is an offset into the file; otherwise the source spells it
/// with escapes, and can only be replaced as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Text {
    /// The text, escapes resolved.
    pub value: String,
    /// The bytes between its quotes.
    pub place: Place,
    /// Whether those bytes are the value, byte by byte.
    pub verbatim: bool,
}
