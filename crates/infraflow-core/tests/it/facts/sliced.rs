//! What is found without parsing the whole of a file is what parsing the whole finds.

use infraflow_core::terraform::facts::{Defined, FileFacts, TerraformFile};

use super::{
    generate::{Chance, file},
    path,
};

/// What [`TerraformFile::stated`] keeps of all facts.
fn stated(facts: &FileFacts) -> FileFacts {
    let mut kept = FileFacts::default();
    let facts = facts.clone();
    kept.calls = facts.calls;
    kept.backends = facts.backends;
    kept.providers = facts.providers;
    kept.reads = facts.reads;
    kept.values = facts.values;
    kept
}

fn same(name: &str, text: &str) -> bool {
    let path = path(name);
    let Ok(whole) = TerraformFile::parse(&path, text.as_bytes()) else { return false };
    let found = TerraformFile::stated(&path, text.as_bytes()).unwrap();
    assert_eq!(found, stated(&whole), "{name}: {text}");
    let Defined { locals, defaults, .. } = TerraformFile::defined(&path, text.as_bytes(), &|_| true).unwrap();
    assert_eq!(locals, whole.locals, "{name}: {text}");
    let defaults: Vec<_> = defaults.into_iter().map(|local| (local.name, local.value)).collect();
    let whole: Vec<_> = whole
        .variables
        .into_iter()
        .filter_map(|variable| Some((variable.name, variable.default_value?)))
        .collect();
    assert_eq!(defaults, whole, "{name}: {text}");
    true
}

#[test]
fn what_is_found_in_slices_of_a_file_is_what_the_whole_of_it_says() {
    let files = std::env::var("INFRAFLOW_FACTS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(600);
    let mut parsed = 0;
    for seed in 0..files {
        let text = file(&mut Chance::new(seed));
        // Arguments ask for paths in blocks of resources alone: a file without any need not be cut.
        let text = format!("{text}\n# resource\n");
        parsed += u64::from(same("m/main.tf", &text));
        same("m/x_override.tofu", &text);
    }
    assert!(parsed > files / 2, "only {parsed} of {files} parse");
}
