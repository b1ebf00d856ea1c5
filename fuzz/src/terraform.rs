//! What one Terraform file states: by slices as by parsing the whole, without a panic, and with places that lie
//! in the file.

use infraflow_core::{
    catalog::{Dialect as _, TerraformDialect},
    proof::{Link, RepoPath},
    terraform::facts::{FileFacts, TerraformFile},
};

const NAMES: [&str; 10] = [
    "m/main.tf",
    "m/main.tf.json",
    "m/x_override.tofu",
    "m/main.tofu.json",
    "m/a.tftest.hcl",
    "m/a.tftest.json",
    "m/terraform.tfvars",
    "m/a.auto.tfvars.json",
    "m/.terraform.lock.hcl",
    "m/a.tfmock.hcl",
];

/// The first byte chooses the name of the file, the rest is its content.
///
/// # Panics
/// Where a place is wrong, or slices say something else than the whole.
pub fn run(data: &[u8]) {
    let Some((&name, content)) = data.split_first() else { return };
    let Ok(path) = RepoPath::parse(NAMES[usize::from(name) % NAMES.len()]) else { return };
    let facts = TerraformDialect.facts(&path, content);
    TerraformDialect.definitions(&path, content, &|_| true);
    TerraformDialect.check(&path, content);
    for reference in &facts.references {
        let place = reference.place;
        assert!(place.start <= place.end && place.end <= content.len(), "{reference:?}");
        let link = Link::at(path.clone(), content, place.range(), "");
        assert_eq!((link.line, link.column), (place.line, place.column), "{reference:?}");
    }
    if let Ok(whole) = TerraformFile::parse(&path, content) {
        match TerraformFile::stated(&path, content) {
            Ok(found) => assert_eq!(found, stated(whole)),
            Err(error) => panic!("the whole parses, and slices of it do not: {error}"),
        }
    } else {
        TerraformFile::salvage(&path, content);
    }
}

/// What [`TerraformFile::stated`] keeps of all facts.
fn stated(facts: FileFacts) -> FileFacts {
    let mut kept = FileFacts::default();
    kept.calls = facts.calls;
    kept.backends = facts.backends;
    kept.providers = facts.providers;
    kept.reads = facts.reads;
    kept.values = facts.values;
    kept
}
