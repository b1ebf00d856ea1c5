//! Tests of terraform.
