//! Files that somebody wrote to stop whoever reads them.

use std::time::{Duration, Instant};

use infraflow_core::catalog::{Dialect, Facts, TerraformDialect};

use super::path;

fn facts(name: &str, bytes: &[u8]) -> (Facts, Duration) {
    let start = Instant::now();
    let facts = TerraformDialect.facts(&path(name), bytes);
    TerraformDialect.definitions(&path(name), bytes, &|_| true);
    (facts, start.elapsed())
}

#[test]
fn a_file_of_a_gibibyte_is_told_to_be_too_large_without_being_read() {
    let (facts, time) = facts("m/main.tf", &vec![0; 1 << 30]);
    assert!(facts.unparsable[0].why.contains("more than the limit"));
    assert!(time.as_secs() < 2, "{time:?}");
}

#[test]
fn mock_data_of_a_test_is_read_from_the_directory_that_it_names() {
    let text = "mock_provider \"aws\" {\n  source = \"tests/mocks\"\n}\n";
    let (facts, _) = facts("m/a.tftest.hcl", text.as_bytes());
    assert_eq!(facts.references.len(), 1, "{facts:?}");
}
