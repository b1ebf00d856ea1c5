//! A whole tree: its catalog, and what a change touches, over a kept index as without one.

use infraflow_core::{
    catalog::{CatalogCache, CatalogRules, standard_dialects},
    detect::{ChangeDetector as _, Comparison, GitDetector},
    git::{FileEdit, Mode, Revision},
    impact::{Graph, ImpactOptions, ReasonsFor, assess_with, why},
    proof::{Document as _, RepoPath},
};

use crate::{parts, scratch};

/// Names of files, so that what the parts state can meet.
const NAMES: [&str; 16] = [
    "live/a/main.tf",
    "modules/m/main.tf",
    "modules/n/main.tf.json",
    "live/a/terragrunt.hcl",
    "root.hcl",
    "live/terragrunt.stack.hcl",
    "stacks/s/stack.tm.hcl",
    "stacks/s/main.tf",
    "modules/m/tests/a.tftest.hcl",
    "live/a/terraform.tfvars",
    "modules/m/f.txt",
    "modules/m/examples/e/main.tf",
    "modules/n/override.tf",
    "live/.terraform-version",
    "b/kustomization.yaml",
    "b/base/kustomization.yaml",
];

/// The parts of the input are files: the first two bytes of each choose its name, and whether it is a link or
/// is there at one end only; the rest is its content.
///
/// # Panics
/// Where the answer over a kept index is another than that without, or differs from run to run.
pub fn run(data: &[u8]) {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for part in parts(data).into_iter().take(12) {
        let [name, how, content @ ..] = part else { continue };
        let Ok(path) = RepoPath::parse(NAMES[usize::from(*name) % NAMES.len()]) else { continue };
        let mode = if how & 8 == 0 { Mode::File } else { Mode::Link };
        let edit = FileEdit::write(path, content).mode(mode);
        if how & 3 != 1 {
            old.push(edit.clone());
        }
        if how & 3 != 2 {
            new.push(edit);
        }
    }
    scratch::with(|repository, kept| {
        let Some((base, old)) = scratch::tree(repository, &old) else { return };
        let Some((head, new)) = scratch::tree(repository, &new) else { return };
        let (base, head) = (Revision::Commit(base), Revision::Commit(head));
        let detector = GitDetector::new().compare(Comparison::Endpoints);
        let changes = detector.detect(repository, &base, &head).expect("both ends are there");
        let (dialects, rules) = (standard_dialects(), CatalogRules::default());
        let mut answers = Vec::new();
        for cache in [
            CatalogCache::none(),
            CatalogCache::none(),
            CatalogCache::in_folder(&kept),
            CatalogCache::in_folder(&kept),
        ] {
            let (before, after) =
                cache.ends(&old, &new, &dialects, &rules).expect("files are never an error");
            let options = ImpactOptions::default().with_reasons_for(ReasonsFor::EachChain);
            let impact = assess_with(&changes, &before, &after, &options).expect("the trees are there");
            let graph = Graph::of(&impact, 50);
            let _ = (graph.mermaid(), graph.dot());
            why("live/a", &impact, &after, &options.rules).expect("the trees are there");
            answers.push(impact.to_json().expect("an impact has a canonical form"));
        }
        assert_eq!(answers[0], answers[1], "two runs answer differently");
        assert_eq!(answers[0], answers[2], "what fills a kept index changes the answer");
        assert_eq!(answers[0], answers[3], "a kept index changes the answer");
    });
}
