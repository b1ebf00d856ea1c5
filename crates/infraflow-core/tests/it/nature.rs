//! Tests of nature.
