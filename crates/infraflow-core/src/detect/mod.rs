//! Base and head to a change set.
