//! Byte-exact edits of references, promotion, and the first-time scaffold.
