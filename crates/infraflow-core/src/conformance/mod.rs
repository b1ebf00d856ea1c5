//! Test suites that anyone's implementation of a trait can run.
