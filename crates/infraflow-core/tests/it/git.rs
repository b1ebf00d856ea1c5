//! Tests of git.
