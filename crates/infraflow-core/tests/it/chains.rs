//! All chains of references to what is affected, held against counting them by hand; and the places of links,
//! held against the bytes.

use std::collections::{BTreeMap, BTreeSet};

use infraflow_core::{
    catalog::{Catalog, CatalogRules},
    detect::{ChangeDetector as _, ChangeSet, GitDetector},
    git::{Repository, Revision},
    impact::{AffectedModule, Graph, Impact, ImpactOptions, ReasonsFor, Scope, assess_with},
    policy::Configuration,
    proof::{Document as _, Link, Reason, RepoPath},
};

use crate::{
    catalog::{dialects, path},
    fixture::Repo,
    oracle::generate::Lot,
};

/// Calls between modules: from which, in which line, to which.
type Calls = Vec<(usize, usize, usize)>;
/// A chain as file and line.
type Chain = Vec<(String, usize)>;

fn file(module: usize) -> String {
    format!("m/{module}/main.tf")
}

/// Every way from changed modules to one that meets none twice, by walking all of them.
fn by_hand(calls: &Calls, changed: &BTreeSet<usize>, at: usize, met: &mut Vec<usize>) -> Vec<Chain> {
    let mut found = Vec::new();
    if changed.contains(&at) {
        found.push(vec![(file(at), 1)]);
    }
    for &(from, line, to) in calls.iter().filter(|(from, ..)| *from == at) {
        if !met.contains(&to) {
            met.push(to);
            for mut chain in by_hand(calls, changed, to, met) {
                chain.push((file(from), line));
                found.push(chain);
            }
            met.pop();
        }
    }
    found
}

type Ends = (ChangeSet, Catalog, Catalog);

fn ends(repo: &Repo) -> Ends {
    let repository = Repository::open(&repo.path).unwrap();
    let base = Revision::Commit(repository.resolve("main").unwrap());
    let head = repository.revision("HEAD").unwrap();
    let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
    let build = |revision: &Revision| {
        Catalog::build(&repository.tree(revision).unwrap(), &dialects(), &CatalogRules::default()).unwrap()
    };
    (changes, build(&base), build(&head))
}

fn assess((changes, base, head): &Ends, reasons: ReasonsFor) -> Impact {
    let options = ImpactOptions::default().with_reasons_for(reasons);
    assess_with(changes, base, head, &options).unwrap()
}

fn assessed(repo: &Repo, reasons: ReasonsFor) -> Impact {
    assess(&ends(repo), reasons)
}

/// A repository of modules that call each other, on a branch that changes some of them.
fn repository(modules: usize, calls: &Calls, changed: &BTreeSet<usize>) -> Repo {
    let repo = Repo::empty();
    for module in 0..modules {
        let mut text = String::new();
        for (at, (_, _, to)) in calls.iter().filter(|(from, ..)| *from == module).enumerate() {
            text += &format!("module \"c{at}\" {{ source = \"../{to}\" }}\n");
        }
        repo.write(&file(module), text + "# 1\n");
    }
    repo.commit("feat: begin");
    repo.branch("feature");
    for &module in changed {
        let text = std::fs::read_to_string(repo.path.join(file(module))).unwrap();
        repo.write(&file(module), text + "# 2\n");
    }
    repo.commit("feat: change");
    repo
}

fn chain(reason: &Reason) -> Chain {
    reason.chain.iter().map(|link| (link.path.to_string(), link.line)).collect()
}

fn calls_by_lot(lot: &mut Lot, modules: usize, circles: bool) -> Calls {
    let mut calls = Calls::new();
    for from in 0..modules {
        let (least, most) = if circles { (0, modules) } else { (from + 1, modules) };
        let number = lot.below(4).min(most - least);
        let wanted: Vec<usize> =
            (0..number).map(|_| least + lot.below(most - least)).filter(|&to| to != from).collect();
        calls.extend(wanted.into_iter().enumerate().map(|(at, to)| (from, at + 1, to)));
    }
    calls
}

#[test]
fn all_chains_are_those_that_are_found_by_hand() {
    for seed in 0..24 {
        let mut lot = Lot(seed);
        let modules = 4 + lot.below(5);
        let calls = calls_by_lot(&mut lot, modules, seed % 3 == 0);
        let changed: BTreeSet<usize> = (0..=lot.below(3)).map(|_| lot.below(modules)).collect();
        let repo = repository(modules, &calls, &changed);
        let ends = ends(&repo);
        let impact = assess(&ends, ReasonsFor::EachChain);
        let named: BTreeMap<String, &AffectedModule> =
            impact.modules.iter().map(|module| (module.path.to_string(), module)).collect();
        for module in 0..modules {
            let mut right = by_hand(&calls, &changed, module, &mut vec![module]);
            right.sort_by_key(|chain| (chain.len(), chain.clone()));
            let told = named.get(&format!("m/{module}"));
            let more = told.and_then(|told| told.chains_left_out);
            let mut found: Vec<Chain> = told.iter().flat_map(|told| told.reasons.iter().map(chain)).collect();
            assert!(found.is_sorted_by_key(Vec::len), "seed {seed}: {found:?}");
            found.sort_by_key(|chain| (chain.len(), chain.clone()));
            if right.len() <= ReasonsFor::MOST_CHAINS {
                assert_eq!(found, right, "seed {seed}, module {module}: {calls:?}");
                assert_eq!(more, None, "seed {seed}");
            } else {
                let lengths = |chains: &[Chain]| chains.iter().map(Vec::len).collect::<Vec<_>>();
                assert_eq!(lengths(&found), lengths(&right[..ReasonsFor::MOST_CHAINS]), "seed {seed}");
                assert!(found.iter().all(|chain| right.contains(chain)), "seed {seed}");
                let left_out = right.len() - ReasonsFor::MOST_CHAINS;
                assert!(
                    more.is_some_and(|more| (1..=left_out as u64).contains(&more)),
                    "seed {seed}: {more:?}"
                );
            }
        }
        let shortest = assess(&ends, ReasonsFor::TheThing);
        for module in &shortest.modules {
            let all = named[&module.path.to_string()];
            assert_eq!(
                chain(&module.reasons[0]).len(),
                chain(&all.reasons[0]).len(),
                "seed {seed}: {module:?}"
            );
        }
    }
}

fn module(impact: &Impact, number: usize) -> &AffectedModule {
    impact.modules.iter().find(|module| module.path == path(&format!("m/{number}"))).unwrap()
}

#[test]
fn how_many_chains_are_left_out_is_said() {
    // Each of 12 modules calls the next twice: 4,096 ways from one end to the other.
    let calls: Calls = (0..12).flat_map(|from| [(from, 1, from + 1), (from, 2, from + 1)]).collect();
    let impact = assessed(&repository(13, &calls, &BTreeSet::from([12])), ReasonsFor::EachChain);
    let first = module(&impact, 0);
    assert_eq!((first.reasons.len(), first.chains_left_out), (ReasonsFor::MOST_CHAINS, Some(4_096 - 64)));
    let few = module(&impact, 6);
    assert_eq!((few.reasons.len(), few.chains_left_out), (64, None));
    let json = impact.to_json().unwrap();
    assert!(json.contains("\"chains_left_out\":4032") || json.contains("\"chains_left_out\": 4032"));
    assert_eq!(Impact::from_json(&json).unwrap(), impact);
}

#[test]
fn more_ways_than_anyone_can_count_are_told_in_bounded_time() {
    // 40 layers of 12 modules, each of which calls all of the next layer: 12 to the power of 39 ways.
    let (layers, width) = (40, 12);
    let calls: Calls = (0..(layers - 1) * width)
        .flat_map(|from| (0..width).map(move |at| (from, at + 1, (from / width + 1) * width + at)))
        .collect();
    let changed = ((layers - 1) * width..layers * width).collect();
    let start = std::time::Instant::now();
    let impact = assessed(&repository(layers * width, &calls, &changed), ReasonsFor::EachChain);
    let first = module(&impact, 0);
    assert_eq!((first.reasons.len(), first.chains_left_out), (64, Some(1 << 53)));
    assert!(first.reasons.iter().all(|reason| (reason.chain.len(), reason.length()) == (32, layers)));
    let links: usize = impact.modules.iter().flat_map(|it| &it.reasons).map(|why| why.chain.len()).sum();
    assert!(links < ReasonsFor::MOST_LINKS + 100_000, "{links}");
    assert!(impact.modules.iter().all(|module| module.chains_left_out != Some(0)));
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn circles_without_end_are_told_in_bounded_time() {
    // Everybody calls everybody: more ways than anyone can count.
    let calls: Calls =
        (0..14).flat_map(|from| (0..14).filter(move |to| *to != from).map(move |to| (from, 1, to))).collect();
    let start = std::time::Instant::now();
    let impact = assessed(&repository(14, &calls, &BTreeSet::from([0])), ReasonsFor::EachChain);
    for module in impact.modules.iter().skip(1) {
        assert_eq!((module.reasons.len(), module.chains_left_out), (ReasonsFor::MOST_CHAINS, Some(1)));
    }
    // No way leads to the changed module but itself, which only walking all ways could tell.
    let own = &impact.modules[0];
    assert_eq!(
        (own.reasons.len(), own.reasons[0].rule.as_str(), own.chains_left_out),
        (1, "contains", Some(0))
    );
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn a_long_chain_is_told_by_its_ends() {
    let long = 2_000;
    let calls: Calls = (0..long).map(|from| (from, 1, from + 1)).collect();
    let repo = repository(long + 1, &calls, &BTreeSet::from([long]));
    let ends = ends(&repo);
    for reasons in [ReasonsFor::TheThing, ReasonsFor::EachChain] {
        let start = std::time::Instant::now();
        let impact = assess(&ends, reasons);
        assert_eq!(impact.modules.len(), long + 1);
        let first = module(&impact, 0);
        assert_eq!((first.reasons.len(), first.chains_left_out), (1, None));
        let reason = &first.reasons[0];
        // 2,000 calls and the file itself: 16 links from each end.
        assert_eq!((reason.chain.len(), reason.links_left_out, reason.gap()), (32, 1_969, Some(16)));
        let place = |at: usize| reason.chain[at].path.clone();
        assert_eq!((place(0), place(1)), (path(&file(long)), path(&file(long - 1))));
        assert_eq!(
            (place(15), place(16), place(31)),
            (path(&file(long - 15)), path(&file(15)), path(&file(0)))
        );
        assert!(
            reason.text.contains("and so on over 1969 more") && reason.text.len() < 1_500,
            "{}",
            reason.text
        );
        let scope = Scope::of(&impact, None, &Configuration::defaults().section().unwrap());
        assert_eq!((scope.depth, scope.deepest.as_deref()), (2_000, Some("m/0")));
        let drawn = Graph::of(&impact, 40);
        assert!(
            drawn.edges.iter().any(|edge| edge.reference.starts_with("… 1969 more, ")),
            "{:?}",
            drawn.edges
        );
        assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    }
}

#[test]
fn a_chain_whose_lines_moved_is_told_once_and_one_that_is_new_or_gone_too() {
    let call = |name: &str, to: usize| format!("module \"{name}\" {{ source = \"../{to}\" }}\n");
    let repo = Repo::with(&[
        (&file(0), &(call("a", 1) + &call("gone", 2))),
        (&file(1), &call("b", 2)),
        (&file(2), "# 1\n"),
    ]);
    repo.branch("feature");
    repo.write(&file(0), format!("# moved\n{}{}", call("a", 1), call("new", 2)));
    repo.write(&file(2), "# 2\n");
    repo.commit("feat: change");
    let impact = assessed(&repo, ReasonsFor::EachChain);
    let found: Vec<Vec<String>> = module(&impact, 0)
        .reasons
        .iter()
        .map(|why| why.chain.iter().map(|link| format!("{}:{}", link.reference, link.line)).collect())
        .collect();
    let right: [&[&str]; 4] = [
        &["modified:1"],
        &["modified:1", "module.new:3"],
        &["modified:1", "module.gone:2"],
        &["modified:1", "module.b:1", "module.a:2"],
    ];
    assert_eq!(found, right);
}

/// Whether a link says where its bytes stand, by the file at one of both ends.
pub fn stands(link: &Link, contents: [Option<Vec<u8>>; 2]) -> Result<(), String> {
    if (link.start, link.end) == (0, 0) {
        return if (link.line, link.column) == (1, 1) { Ok(()) } else { Err(format!("{link:?}")) };
    }
    let right = contents.iter().flatten().any(|content| {
        let expected = Link::at(link.path.clone(), content, link.start..link.end, link.reference.clone());
        let quoted = content.get(link.start..link.end).filter(|quoted| !quoted.is_empty());
        quoted.is_some_and(|quoted| !quoted[0].is_ascii_whitespace()) && expected == *link
    });
    if right { Ok(()) } else { Err(format!("{link:?} does not stand there")) }
}

#[test]
fn a_link_says_the_bytes_the_line_and_the_column_of_what_it_names() {
    let files = [
        (
            "live/a/main.tf",
            "# ü\nmodule \"net\" {\n\tsource = \"../../modules/net\"\n  /* é */ file = \"f.txt\"\n}\n",
        ),
        (
            "modules/net/main.tf",
            "variable \"file\" {}\nlocals {\n  a = file(\"${path.module}/x.txt\")\n  b = \"ä ${templatefile(\"${path.module}/${var.file}\", {})}\"\n}\n",
        ),
        ("modules/net/x.txt", "1"),
        ("modules/net/f.txt", "1"),
        ("modules/net/more.tf.json", "{\n  \"module\": {\"sub\": {\"source\": \"../sub\"}}\n}\n"),
        ("modules/sub/main.tf", "\u{feff}# 1\r\nlocals {\r\n  c = fileset(path.module, \"*.json\")\r\n}\r\n"),
    ];
    let repo = Repo::with(&files);
    repo.branch("feature");
    repo.write("modules/net/x.txt", "2");
    repo.write("modules/net/f.txt", "2");
    repo.write("modules/sub/new.json", "{}");
    repo.commit("feat: change");
    let impact = assessed(&repo, ReasonsFor::EachChain);
    let mut seen = BTreeSet::new();
    for reason in
        impact.units.iter().flat_map(|it| &it.reasons).chain(impact.modules.iter().flat_map(|it| &it.reasons))
    {
        for link in &reason.chain {
            let content = |path: &RepoPath| std::fs::read(path.below(&repo.path)).ok();
            stands(link, [content(&link.path), None]).unwrap();
            if link.end > 0 {
                let content = content(&link.path).unwrap();
                let quoted = String::from_utf8_lossy(&content[link.start..link.end]).into_owned();
                seen.insert(format!(
                    "{}:{}:{} {} = {quoted}",
                    link.path, link.line, link.column, link.reference
                ));
            }
        }
    }
    let right = [
        "live/a/main.tf:2:1 module.net = module \"net\"",
        "modules/net/main.tf:3:7 file(\"${path.module}/x.txt\") = file(\"${path.module}/x.txt\")",
        "modules/net/main.tf:4:13 templatefile(\"${path.module}/${var.file}\", {}) = templatefile(\"${path.module}/${var.file}\", {})",
        "modules/net/more.tf.json:2:14 module.sub = \"sub\"",
        "modules/sub/main.tf:3:7 fileset(path.module, \"*.json\") = fileset(path.module, \"*.json\")",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), right);
}
