//! Apply what was planned and approved, and verify it.
