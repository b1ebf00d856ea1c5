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

#[test]
fn a_file_is_found_to_parse_exactly_where_its_parser_takes_it() {
    let files = std::env::var("INFRAFLOW_FACTS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(600);
    let (mut taken, mut refused) = (0, 0);
    for seed in 0..files {
        let chance = &mut Chance::new(seed ^ 0x5eed);
        let mut text = file(chance);
        for _ in 0..chance.below(4) {
            let at = (0..=text.len())
                .rev()
                .find(|&at| at <= text.len() / 2 + chance.below(9) && text.is_char_boundary(at));
            let at = at.unwrap_or_default();
            let end =
                (at + chance.below(3)..=text.len()).find(|&end| text.is_char_boundary(end)).unwrap_or(at);
            let new = [
                "", "\"", "{", "}", "=", "\n", " ", "$", "${", "#", "[", ")", ",", "..", "-", "x = 1", "\\",
                "<<A", "é", "?", "1.", "/*", "%{", "for", "null", "x.y z", "a.0.b", "1e5", "!", "a[*]", "\r",
                "\u{b}",
            ];
            text.replace_range(at..end, chance.one(&new));
        }
        let path = path("m/main.tf");
        let (found, whole) =
            (TerraformFile::check(&path, text.as_bytes()), TerraformFile::parse(&path, text.as_bytes()));
        assert_eq!(found.as_ref().err(), whole.as_ref().err(), "{text}");
        *if whole.is_ok() { &mut taken } else { &mut refused } += 1;
    }
    assert!(taken > files / 8 && refused > files / 8, "{taken} taken, {refused} refused");
}
