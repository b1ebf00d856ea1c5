//! What applying would do, and drift.
