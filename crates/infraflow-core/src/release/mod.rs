//! History and interface to versions, tags and notes.
