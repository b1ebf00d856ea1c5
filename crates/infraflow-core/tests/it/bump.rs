//! Tests of bump.
