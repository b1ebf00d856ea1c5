//! What a kept index gives, with trees laid over it, is what reading everything anew gives.

use infraflow_core::{
    catalog::{Catalog, CatalogCache, CatalogRules},
    detect::{ChangeDetector, GitDetector},
    git::{CommitId, Repository, Revision},
    impact::assess,
    proof::Document as _,
};
use rayon::prelude::*;

use super::{
    Scratch,
    generate::{self, Lot},
    model::{Tree, apply},
    number,
};
use crate::catalog::{dialects, rules, told};

/// A repository, and what each of a branch's commits leaves of it.
fn chain(seed: u64, length: usize) -> Vec<Tree> {
    let mut lot = Lot(seed ^ 0xc0ff_ee00);
    let mut trees = vec![generate::repository(&mut lot)];
    while trees.len() < length {
        let last = &trees[trees.len() - 1];
        let ops = generate::change(&mut lot, last);
        trees.push(apply(last, &ops));
    }
    trees
}

/// Where two texts part.
fn parting(whole: &str, laid: &str) -> String {
    let at = whole.lines().zip(laid.lines()).position(|(one, two)| one != two);
    let at = at.unwrap_or_else(|| whole.lines().count().min(laid.lines().count()));
    let around = |text: &str| text.lines().skip(at.saturating_sub(4)).take(9).collect::<Vec<_>>().join("\n");
    format!("anew:\n{}\nlaid over:\n{}", around(whole), around(laid))
}

/// One question, asked of a cache and of nothing; what differs.
fn ask(
    repository: &Repository,
    cache: &CatalogCache,
    rules: &CatalogRules,
    [base, head]: [CommitId; 2],
) -> Result<(), String> {
    let (from, to) = (Revision::Commit(base), Revision::Commit(head));
    let changes = GitDetector::new().endpoints().detect(repository, &from, &to).unwrap();
    let (from, to) = (repository.tree(&from).unwrap(), repository.tree(&to).unwrap());
    let build = |tree| Catalog::build(tree, &dialects(), rules).unwrap();
    let whole = [build(&from), build(&to)];
    let (base, head) = cache.ends(&from, &to, &dialects(), rules).unwrap();
    let laid = [base, head];
    for (whole, laid) in whole.iter().zip(&laid) {
        let (whole, laid) = (told(whole), told(laid));
        if whole != laid {
            return Err(parting(&whole, &laid));
        }
    }
    let whole = assess(&changes, &whole[0], &whole[1]).unwrap().to_json().unwrap();
    let laid = assess(&changes, &laid[0], &laid[1]).unwrap().to_json().unwrap();
    if whole == laid { Ok(()) } else { Err(format!("anew:\n{whole}\nlaid over:\n{laid}")) }
}

#[test]
fn a_kept_index_answers_what_reading_everything_anew_answers_over_chains_of_commits() {
    const LENGTH: usize = 5;
    let scratch = Scratch::new();
    let seeds: Vec<u64> = match number("INFRAFLOW_ORACLE_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("INFRAFLOW_ORACLE_REPOSITORIES").unwrap_or(1_000) / 10).collect(),
    };
    let chains: Vec<Vec<Tree>> = seeds.iter().map(|&seed| chain(seed, LENGTH)).collect();
    let trees: Vec<Tree> = chains.iter().flatten().cloned().collect();
    let commits = scratch.commit_chain(&trees, LENGTH);
    let rules = rules(&["live/**"]);
    let wrong: Vec<String> = seeds
        .par_iter()
        .zip(commits.par_chunks(LENGTH))
        .filter_map(|(seed, commits)| {
            let folder = tempfile::tempdir().unwrap();
            let cache = CatalogCache::in_folder(folder.path());
            // The first question fills the cache; then trunk stays and the branch grows; then trunk follows; and
            // then everything is asked backwards.
            let growing = (1..LENGTH).map(|at| [0, at]);
            let following = (1..LENGTH).map(|at| [at - 1, at]);
            let backwards = (1..LENGTH).rev().map(|at| [at, at - 1]);
            let mut questions = growing.chain(following).chain(backwards);
            questions.find_map(|[base, head]| {
                let asked = ask(&scratch.repository, &cache, &rules, [commits[base], commits[head]]);
                asked.err().map(|why| format!("seed {seed}, from commit {base} to commit {head}:\n{why}"))
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} chains differ; {}", wrong.len(), seeds.len(), wrong[0]);
}
