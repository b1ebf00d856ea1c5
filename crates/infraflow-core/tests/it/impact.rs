//! Tests of impact.
