//! Tests of select: what earlier runs change about a plan, and what proves that a case need not run.

use std::{collections::BTreeSet, fmt::Write as _};

use infraflow_core::detect::{ChangeDetector as _, GitDetector};
use infraflow_core::{
    catalog::{Case, CaseId, Catalog, CatalogRules},
    git::{Repository, Revision, Tree},
    impact::{Impact, Rules, assess},
    policy::Configuration,
    proof::{Document as _, RepoPath, RunId, Timestamp},
    select::{
        Content, Contents, Evidence, History, ImpactSelector, Nightly, RecordedRun, RunOutcome, SelectRules,
        Sharding, Terms, TestPlan, TestSelector,
    },
    store::Store,
    terraform::ToolVersion,
};

use crate::{catalog::catalog_at, fixture::Repo, nature::impact};

fn case(path: &str) -> Case {
    let module = path.split("/examples").next();
    serde_json::from_value(serde_json::json!({"id": path, "module": module, "path": path, "kind": "example"}))
        .unwrap()
}

fn id(path: &str) -> CaseId {
    CaseId::new(RepoPath::parse(path).unwrap())
}

fn run(case: &str, name: &str, outcome: RunOutcome, seconds: u64, at: &str) -> RecordedRun {
    RecordedRun::new(id(case), RunId::parse(name).unwrap(), outcome, seconds, moment(at))
}

fn moment(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn now() -> Timestamp {
    moment("2026-01-31T12:00:00Z")
}

fn ids<'a>(ids: impl IntoIterator<Item = &'a CaseId>) -> Vec<String> {
    ids.into_iter().map(ToString::to_string).collect()
}

fn rules(text: &str) -> SelectRules {
    Configuration::parse(text, "infraflow.toml").unwrap().section().unwrap()
}

fn tool() -> ToolVersion {
    ToolVersion::parse("terraform 1.11.4").unwrap()
}

#[test]
fn what_fails_runs_first_then_what_failed_recently_then_the_unknown_then_the_longest() {
    use RunOutcome::{Failed, Passed};
    let names = ["failing", "recent", "unknown", "long", "short"].map(|name| format!("{name}/examples/x"));
    let [failing, recent, _, long, short] = &names;
    let history = History::of([
        run(failing, "r2", Failed, 5, "2026-01-30T00:00:00Z"),
        run(failing, "r1", Passed, 5, "2026-01-29T00:00:00Z"),
        run(recent, "r2", Passed, 6, "2026-01-30T00:00:00Z"),
        run(recent, "r1", Failed, 6, "2026-01-20T00:00:00Z"),
        run(long, "r1", Failed, 900, "2026-01-10T00:00:00Z"),
        run(long, "r2", Passed, 900, "2026-01-30T00:00:00Z"),
        run(short, "r2", Passed, 7, "2026-01-30T00:00:00Z"),
    ]);
    let cases: Vec<Case> = names.iter().map(|name| case(name)).collect();
    let nightly = Nightly::on(Terms::default().with_evidence(Evidence::at(now()).with_history(history)));
    let plan = nightly.all(&cases);
    assert_eq!(ids(&plan.shards[0].cases), names);
    assert_eq!(plan.shards[0].estimate_seconds, 5 + 6 + 600 + 900 + 7);
    let two = Nightly::on(nightly.terms.with_sharding(Sharding::over(2))).all(&cases);
    assert_eq!(ids(&two.shards[0].cases), [long.as_str()]);
    assert_eq!(plan.digest().unwrap(), two.digest().unwrap());
}

fn touched(paths: &[&str], direct: &[&str]) -> Impact {
    let mut impact = impact(&[], &[], &[], paths);
    for case in &mut impact.cases {
        let module = case.module.clone();
        let file = if direct.contains(&case.path.to_string().as_str()) {
            module.join("main.tf")
        } else {
            RepoPath::parse("modules/base/main.tf").unwrap()
        };
        case.reasons[0].chain = vec![infraflow_core::proof::Link::whole(file, "modified")];
    }
    impact
}

#[test]
fn a_budget_goes_to_what_failed_then_to_what_the_change_touches_then_to_the_cheap_and_names_the_rest() {
    use RunOutcome::{Failed, Passed};
    let names = ["cheap", "dear", "direct", "failed", "whole"].map(|name| format!("{name}/examples/x"));
    let [cheap, dear, direct, failed, whole] = &names;
    let at = "2026-01-30T00:00:00Z";
    let history = History::of([
        run(cheap, "r", Passed, 60, at),
        run(dear, "r", Passed, 300, at),
        run(direct, "r", Passed, 240, at),
        run(failed, "r", Failed, 290, at),
        run(whole, "r", Passed, 601, at),
    ]);
    let paths: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut cases: Vec<Case> = paths.iter().map(|path| case(path)).collect();
    cases.push(case("other/examples/x"));
    let selector =
        ImpactSelector::on(Terms::default().with_evidence(Evidence::at(now()).with_history(history)))
            .within_minutes(10);
    let plan = selector.select(&touched(&paths, &[direct]), &cases);
    assert_eq!(ids(plan.cases.iter().map(|case| &case.id)), [cheap, direct, failed].map(String::as_str));
    let skipped: Vec<(String, &str)> =
        plan.skipped.iter().map(|case| (case.id.to_string(), case.reasons[0].rule.as_str())).collect();
    let of = |name: &str, rule| (name.to_owned(), rule);
    assert_eq!(skipped, [of(dear, "budget"), of("other/examples/x", "not_affected"), of(whole, "budget")]);
    assert!(plan.skipped[2].reasons[0].text.contains("longer than the budget"));
    let budget = plan.budget.clone().unwrap();
    assert_eq!((budget.left_out, budget.planned_seconds, budget.left_out_seconds), (2, 590, 901));
    assert_eq!(plan.warnings.len(), 1);
    assert!(
        plan.warnings[0].starts_with("2 of 5 cases are left out: 10 min on 1 machine"),
        "{}",
        plan.warnings[0]
    );
    assert_eq!(ids(&plan.shards[0].cases), [failed, direct, cheap].map(String::as_str));
    assert_eq!(TestPlan::from_json(&plan.to_json().unwrap()).unwrap(), plan);

    let enough = ImpactSelector::on(selector.terms.with_sharding(Sharding::over(3)))
        .within_minutes(30)
        .select(&touched(&paths, &[]), &cases);
    assert_eq!((enough.cases.len(), enough.budget.unwrap().left_out, enough.warnings.len()), (5, 0, 0));
}

#[test]
fn no_machine_works_longer_than_the_budget_whatever_the_durations() {
    let names: Vec<String> = (0..200).map(|n| format!("m{n:03}/examples/x")).collect();
    let cases: Vec<Case> = names.iter().map(|name| case(name)).collect();
    let paths: Vec<&str> = names.iter().map(String::as_str).collect();
    for (shards, minutes) in [(1, 1), (3, 20), (7, 13), (64, 15)] {
        let seconds = |n: u64| 1 + (n * 7919 + shards) % 1000;
        let known = cases.iter().zip(0..).map(|(case, n)| (case.id.clone(), seconds(n))).collect();
        let sharding = Sharding::over(usize::try_from(shards).unwrap()).with_seconds(known);
        let selector = ImpactSelector::on(Terms::default().with_sharding(sharding)).within_minutes(minutes);
        let plan = selector.select(&touched(&paths, &[]), &cases);
        assert!(plan.shards.iter().all(|shard| shard.estimate_seconds <= minutes * 60));
        assert_eq!(plan.cases.len() + plan.skipped.len(), cases.len());
        let left_out = plan.skipped.iter().filter(|case| case.reasons[0].rule == "budget").count();
        assert_eq!(left_out, plan.budget.as_ref().unwrap().left_out);
        // What is left out is not more than it has to be: all the time but the longest gap is used, or all run.
        let planned = plan.budget.unwrap().planned_seconds;
        assert!(
            left_out == 0 || planned * 10 >= shards * minutes * 60 * 6,
            "{planned} of {}",
            shards * minutes * 60
        );
    }
}

#[test]
fn a_quarantined_case_runs_and_says_so_and_a_quarantine_that_is_over_is_warned_about() {
    let text = "[[select.quarantine]]\ncases = 'a/**'\nuntil = '2026-01-31'\nreason = 'issue 7'\nwho = 'ada'\n\
                [[select.quarantine]]\ncases = 'b/**'\nuntil = '2026-01-30'\nreason = 'issue 8'\nwho = 'bob'\n\
                [[select.quarantine]]\ncases = 'gone/**'\nuntil = '2026-02-30'\nreason = 'issue 9'\nwho = 'eve'\n"
        .replace("2026-02-30", "2026-02-28");
    let cases = [case("a/examples/x"), case("b/examples/x")];
    let evidence = Evidence::at(now()).with_rules(rules(&text));
    let plan = Nightly::on(Terms::default().with_evidence(evidence.clone())).all(&cases);
    assert_eq!(plan.cases.len(), 2, "quarantined cases run");
    let held = plan.cases[0].quarantine.as_ref().unwrap();
    assert_eq!((held.until.to_string().as_str(), held.who.as_str()), ("2026-01-31", "ada"));
    assert_eq!(plan.cases[1].quarantine, None);
    assert!(plan.warnings[0].contains("b/** ended on 2026-01-30 (issue 8; bob)"), "{:?}", plan.warnings);
    assert!(plan.warnings[1].contains("gone/** is about no test case"), "{:?}", plan.warnings);
    // It is worth least where time is short.
    let selector = ImpactSelector::on(Terms::default().with_evidence(evidence)).within_minutes(10);
    let short = selector.select(&touched(&["a/examples/x", "b/examples/x"], &["a/examples/x"]), &cases);
    assert_eq!(ids(short.cases.iter().map(|case| &case.id)), ["b/examples/x"]);
}

#[tokio::test]
async fn records_are_read_back_from_a_file_and_from_a_store_and_old_ones_are_left_out() {
    use RunOutcome::{Failed, Passed};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.jsonl");
    let (old, new) = (
        run("a/examples/x", "r1", Passed, 5, "2025-01-01T00:00:00Z"),
        run("a/examples/x", "r2", Failed, 6, "2026-01-30T00:00:00Z"),
    );
    let since = SelectRules::default().history_since(now());
    assert_eq!(History::read_file(&file, since).unwrap(), History::default());
    History::append_file(&file, std::slice::from_ref(&old)).unwrap();
    // A process died in the middle of a line.
    std::fs::write(&file, [std::fs::read(&file).unwrap(), b"{\"case\": \"a/ex".to_vec()].concat()).unwrap();
    History::append_file(&file, std::slice::from_ref(&new)).unwrap();
    let read = History::read_file(&file, since).unwrap();
    assert_eq!(read.runs().collect::<Vec<_>>(), [&new]);
    assert!(
        read.warnings().len() == 1 && read.warnings()[0].contains("history.jsonl:2"),
        "{:?}",
        read.warnings()
    );
    let mut long = vec![b'x'; 200_000];
    long.push(b'\n');
    std::fs::write(&file, [long, std::fs::read(&file).unwrap()].concat()).unwrap();
    assert_eq!(
        History::read_file(&file, since).unwrap().runs().count(),
        1,
        "a line without end is passed over"
    );

    let store = Store::memory();
    History::append_store(&store, &[]).await.unwrap();
    for runs in [vec![old.clone()], vec![new.clone()], vec![new.clone()]] {
        History::append_store(&store, &runs).await.unwrap();
    }
    let kept = store.list(&infraflow_core::store::Key::parse("tests").unwrap()).await.unwrap();
    assert_eq!(kept.len(), 2, "the same record is there once: {kept:?}");
    assert_eq!(History::read_store(&store, since).await.unwrap(), History::of([new.clone()]));
    assert_eq!(History::read_store(&store, Timestamp::from_unix(0)).await.unwrap(), History::of([old, new]));
    store.put(&kept[1], "garbage").await.unwrap();
    let read = History::read_store(&store, since).await.unwrap();
    assert_eq!((read.runs().count(), read.warnings().len()), (0, 1));
}

const BASIC: &str = "modules/net/examples/basic";
const CALL: &str = "module \"m\" {\n  source = \"../..\"\n}\n";

/// A repository with a module that reads files and calls another, and a second one that nobody calls.
fn repo() -> Repo {
    Repo::with(&[
        (
            "modules/net/main.tf",
            "module \"base\" {\n  source = \"../base\"\n}\nlocals {\n  p = templatefile(\"${path.module}/t/a.tpl\", {})\n  all = fileset(path.module, \"policies/*.json\")\n}\n",
        ),
        ("modules/net/t/a.tpl", "one\n"),
        ("modules/net/t/b.tpl", "not read\n"),
        ("modules/net/policies/a.json", "{}\n"),
        ("modules/net/README.md", "# net\n"),
        ("modules/net/tests/all.tftest.hcl", "run \"a\" {}\n"),
        ("modules/net/examples/basic/main.tf", CALL),
        ("modules/net/examples/basic/expect.toml", "[outputs]\n"),
        ("modules/net/examples/basic/.terraform.lock.hcl", "# lock\n"),
        ("modules/base/main.tf", "locals {}\n"),
        ("modules/dns/main.tf", "locals {}\n"),
        ("modules/dns/examples/basic/main.tf", CALL),
        (".terraform-version", "1.11.4\n"),
    ])
}

fn tree(repo: &Repo) -> Tree {
    let repository = Repository::open(&repo.path).unwrap();
    repository.tree(&repository.revision("HEAD").unwrap()).unwrap()
}

fn contents_with(repo: &Repo, rules: &SelectRules, impact: &Rules) -> Contents {
    let catalog = catalog_at(repo, "HEAD", &CatalogRules::default());
    Contents::of(&tree(repo), &catalog, &tool(), rules, impact).unwrap()
}

fn contents(repo: &Repo) -> Contents {
    contents_with(repo, &SelectRules::default(), &Rules::default())
}

fn known(contents: &Contents, case: &str) -> String {
    match contents.of_case(&id(case)) {
        Some(Content::Known(digest)) => digest.to_string(),
        other => panic!("{case}: {other:?}"),
    }
}

fn unknown(contents: &Contents, case: &str) -> String {
    match contents.of_case(&id(case)) {
        Some(Content::Unknown(reason)) => {
            assert_eq!(reason.rule, "unproven");
            reason.text.clone()
        }
        other => panic!("{case}: {other:?}"),
    }
}

#[test]
fn a_content_changes_with_everything_that_the_case_reaches_and_with_nothing_else() {
    let repo = repo();
    let before = known(&contents(&repo), BASIC);
    for (path, counts) in [
        ("modules/net/main.tf", true),
        ("modules/net/new.tf", true),
        ("modules/net/t/a.tpl", true),
        ("modules/net/policies/b.json", true),
        ("modules/base/main.tf", true),
        ("modules/net/examples/basic/expect.toml", true),
        ("modules/net/examples/basic/.terraform.lock.hcl", true),
        ("modules/net/examples/basic/terraform.tfvars", true),
        (".terraform-version", true),
        ("modules/net/README.md", false),
        ("modules/net/tests/all.tftest.hcl", false),
        ("modules/dns/main.tf", false),
        ("other.txt", false),
    ] {
        let base = repo.git(&["rev-parse", "HEAD"]);
        let old = std::fs::read_to_string(repo.path.join(path)).unwrap_or_default();
        repo.write(path, format!("{old}# more\n"));
        repo.commit("feat: more");
        assert_eq!(known(&contents(&repo), BASIC) != before, counts, "{path}");
        repo.git(&["reset", "-q", "--hard", base.trim()]);
        assert_eq!(known(&contents(&repo), BASIC), before);
    }
    let other = ToolVersion::parse("terraform 1.12.0").unwrap();
    let catalog = catalog_at(&repo, "HEAD", &CatalogRules::default());
    let newer =
        Contents::of(&tree(&repo), &catalog, &other, &SelectRules::default(), &Rules::default()).unwrap();
    assert_ne!(known(&newer, BASIC), before, "another tool");
    assert_ne!(known(&contents(&repo), "modules/dns/examples/basic"), before);
    assert_ne!(known(&contents(&repo), "modules/net/tests/all.tftest.hcl"), before);
}

#[test]
fn what_cannot_be_told_is_told_so_with_its_place() {
    let add = |path: &str, text: &str| {
        let repo = repo();
        repo.write(path, text);
        repo.commit("feat: more");
        contents(&repo)
    };
    let call = |source: &str| format!("module \"x\" {{\n  source = \"{source}\"\n}}\n");
    for (text, said) in [
        (call("git::https://example.com/net.git?ref=v1"), "ref \\\"v1\\\" can be moved"),
        (call("git::https://example.com/net.git"), "names no ref"),
        (call("acme/net/aws"), "names no version"),
        (call("../../../out"), "outside"),
        ("locals {\n  x = file(var.anything)\n}\nvariable \"anything\" {}\n".to_owned(), "only a plan knows"),
        (
            "locals {\n  x = fileset(var.anything, \"*\")\n}\nvariable \"anything\" {}\n".to_owned(),
            "only a plan knows",
        ),
        ("module \"x\" {\n  source = var.source\n}\n".to_owned(), "source only a plan knows"),
        ("locals {\n".to_owned(), "could not be understood"),
    ] {
        let contents = add("modules/base/more.tf", &text);
        let reason = unknown(&contents, BASIC);
        assert!(reason.contains(&said.replace('\\', "")), "{text}: {reason}");
        // What is handed in by a caller is told at the call.
        assert!(
            reason.contains("modules/base/more.tf") || reason.contains("modules/net/main.tf:1"),
            "{reason}"
        );
        known(&contents, "modules/dns/examples/basic");
    }
    let commit = add(
        "modules/base/more.tf",
        &call(&format!("git::https://example.com/net.git?ref={}", "a1".repeat(20))),
    );
    known(&commit, BASIC);
}

#[test]
fn a_link_counts_with_what_it_leads_to_and_one_that_leads_out_cannot_be_told() {
    let repo = repo();
    repo.write("shared/common.tf", "locals {\n  c = 1\n}\n");
    std::os::unix::fs::symlink("../../shared/common.tf", repo.path.join("modules/base/common.tf")).unwrap();
    repo.commit("feat: link");
    let before = known(&contents(&repo), BASIC);
    repo.write("shared/common.tf", "locals {\n  c = 2\n}\n");
    repo.commit("feat: other content");
    assert_ne!(known(&contents(&repo), BASIC), before);
    std::os::unix::fs::symlink("/etc/hostname", repo.path.join("modules/base/out.tf")).unwrap();
    repo.commit("feat: out");
    assert!(unknown(&contents(&repo), BASIC).contains("modules/base/out.tf"));
}

#[test]
fn modules_that_call_each_other_in_a_circle_have_a_content() {
    let repo = repo();
    repo.write("modules/base/main.tf", "module \"net\" {\n  source = \"../net\"\n}\n");
    repo.commit("feat: circle");
    known(&contents(&repo), BASIC);
}

#[test]
fn a_dependency_that_no_file_says_cannot_be_told_and_tags_are_trusted_where_a_rule_says_so() {
    let repo = repo();
    let text =
        "[[impact.depends_also]]\nmodules = ['modules/base']\non = ['schemas/**']\nreason = 'generated'\n";
    let impact: Rules = Configuration::parse(text, "infraflow.toml").unwrap().section().unwrap();
    let told = contents_with(&repo, &SelectRules::default(), &impact);
    assert!(unknown(&told, BASIC).contains("generated"));
    known(&told, "modules/dns/examples/basic");
    repo.write(
        "modules/base/x.tf",
        "module \"x\" {\n  source = \"git::https://example.com/n.git?ref=v1.2.3\"\n}\n",
    );
    repo.commit("feat: tag");
    unknown(&contents(&repo), BASIC);
    known(&contents_with(&repo, &rules("select.immutable = 'versions'"), &Rules::default()), BASIC);
}

struct Change {
    repo: Repo,
    impact: Impact,
    catalog: Catalog,
}

impl Change {
    /// From main to the head of a branch, with these files written.
    fn of(repo: Repo, files: &[(&str, &str)]) -> Self {
        repo.branch("feature");
        let impact = impact(&[], &[], &[], &[]);
        let catalog = catalog_at(&repo, "HEAD", &CatalogRules::default());
        let mut change = Self { repo, impact, catalog };
        change.go_on(files);
        change
    }

    fn go_on(&mut self, files: &[(&str, &str)]) {
        for (path, text) in files {
            self.repo.write(path, text);
        }
        self.repo.commit("feat: more");
        let repository = Repository::open(&self.repo.path).unwrap();
        let base = Revision::Commit(repository.resolve("main").unwrap());
        let head = repository.revision("HEAD").unwrap();
        let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
        let before = catalog_at(&self.repo, "main", &CatalogRules::default());
        self.catalog = catalog_at(&self.repo, "HEAD", &CatalogRules::default());
        self.impact = assess(&changes, &before, &self.catalog).unwrap();
    }

    fn plan(&self, history: &History, at: Timestamp) -> TestPlan {
        let cases: Vec<Case> = self.catalog.cases().unwrap();
        let evidence = Evidence::at(at).with_history(history.clone()).with_contents(contents(&self.repo));
        ImpactSelector::on(Terms::default().with_evidence(evidence))
            .skipping_green()
            .select(&self.impact, &cases)
    }
}

fn ran(plan: &TestPlan, name: &str, outcome: RunOutcome) -> Vec<RecordedRun> {
    let contents = plan.contents().unwrap();
    let runs = plan.cases.iter().map(|case| {
        let run = run(&case.id.to_string(), name, outcome, 60, "2026-01-31T00:00:00Z");
        contents.digest_of(&case.id).into_iter().fold(run, |run, digest| run.of_content(digest.clone()))
    });
    runs.collect()
}

fn why(plan: &TestPlan) -> String {
    let mut text = String::new();
    for case in &plan.cases {
        let _ = writeln!(text, "run {}", case.id);
    }
    for case in &plan.skipped {
        let _ = writeln!(text, "skip {}: {}", case.id, case.reasons[0].rule);
    }
    text
}

#[test]
fn what_passed_is_skipped_until_something_it_is_made_of_changes() {
    let more = ("modules/base/main.tf", "locals {\n  x = 1\n}\n");
    let mut change = Change::of(repo(), &[more]);
    let mut history = History::default();
    let first = change.plan(&history, now());
    let all = "run modules/net/examples/basic\nrun modules/net/tests/all.tftest.hcl\nskip modules/dns/examples/basic: not_affected\n";
    assert_eq!(why(&first), all);
    history.add(ran(&first, "r7", RunOutcome::Passed));

    let second = change.plan(&history, now());
    assert!(second.cases.is_empty(), "{}", why(&second));
    let green = second.skipped.iter().find(|case| case.id == id(BASIC)).unwrap();
    assert_eq!((green.reasons[0].rule.as_str(), green.proof.as_ref().unwrap().run.as_str()), ("green", "r7"));
    assert!(
        green.reasons[0].text.starts_with("run r7 passed on 2026-01-31T00:00:00Z"),
        "{}",
        green.reasons[0].text
    );

    change.go_on(&[("modules/net/README.md", "# other\n"), ("docs/a.md", "text\n")]);
    assert!(change.plan(&history, now()).cases.is_empty(), "what no test reads was changed");
    change.go_on(&[("modules/net/t/a.tpl", "two\n")]);
    assert_eq!(why(&change.plan(&history, now())), all);
    change.go_on(&[("modules/net/t/a.tpl", "one\n")]);
    assert!(change.plan(&history, now()).cases.is_empty(), "the same content again");

    assert_eq!(why(&change.plan(&history, moment("2026-03-31T00:00:00Z"))), all, "a proof ages");
    let mut failed = history.clone();
    failed.add(ran(&first, "r8", RunOutcome::Failed).into_iter().map(|mut run| {
        run.at = moment("2026-01-31T01:00:00Z");
        run
    }));
    let plan = change.plan(&failed, now());
    assert_eq!(why(&plan), all, "it passed and failed with the same content");
    assert!(
        plan.warnings[0].contains("passed in run r7 and failed in run r8 with the same content"),
        "{:?}",
        plan.warnings
    );
}

#[test]
fn a_nightly_run_skips_nothing_and_what_it_records_proves() {
    let change = Change::of(repo(), &[("modules/base/main.tf", "locals {\n  x = 1\n}\n")]);
    let cases: Vec<Case> = change.catalog.cases().unwrap();
    let evidence = Evidence::at(now()).with_contents(contents(&change.repo));
    let nightly = Nightly::on(Terms::default().with_evidence(evidence.clone())).all(&cases);
    assert_eq!((nightly.cases.len(), nightly.skipped.len()), (3, 0));
    let history = History::of(ran(
        &TestPlan::from_json(&nightly.to_json().unwrap()).unwrap(),
        "night-1",
        RunOutcome::Passed,
    ));
    let again =
        Nightly::on(Terms::default().with_evidence(evidence.with_history(history.clone()))).all(&cases);
    assert_eq!(again.cases.len(), 3, "all of them passed with the same content, and run");
    assert!(change.plan(&history, now()).cases.is_empty());
}

#[test]
fn what_cannot_be_proven_runs_and_says_why_and_a_rule_of_a_person_goes_beyond_proofs() {
    let more = [("modules/base/main.tf", "module \"x\" {\n  source = \"acme/net/aws\"\n}\n")];
    let change = Change::of(repo(), &more);
    let plan = change.plan(&History::default(), now());
    assert_eq!(plan.cases[0].reasons.last().unwrap().rule, "unproven");
    assert_eq!(plan.cases[0].reasons.last().unwrap().chain[0].path.to_string(), "modules/base/main.tf");

    let mut change = Change::of(repo(), &[("modules/base/main.tf", "locals {\n  x = 1\n}\n")]);
    let history = History::of(ran(&change.plan(&History::default(), now()), "r1", RunOutcome::Passed));
    change.impact.ruled = vec![
        serde_json::from_value(
            serde_json::json!({"path": "ci.yml", "action": "everything", "rule": "impact.rules[0]",
            "reason": "it hands values in", "of_all": true}),
        )
        .unwrap(),
    ];
    let plan = change.plan(&history, now());
    assert_eq!(plan.cases.len(), 2);
    assert!(plan.cases[0].reasons.last().unwrap().text.contains("ci.yml"));
}

#[test]
fn contents_of_another_revision_prove_nothing() {
    let mut change = Change::of(repo(), &[("modules/base/main.tf", "locals {\n  x = 1\n}\n")]);
    let history = History::of(ran(&change.plan(&History::default(), now()), "r1", RunOutcome::Passed));
    assert!(change.plan(&history, now()).cases.is_empty());
    change.impact.head = change.impact.base.into();
    assert_eq!(change.plan(&history, now()).cases.len(), 2);
    let distinct: BTreeSet<_> =
        change.catalog.cases().unwrap().into_iter().map(|case| case.id.clone()).collect();
    assert_eq!(distinct.len(), 3);
}

#[cfg(feature = "conformance")]
#[test]
fn both_selectors_hold_the_contract_and_one_that_forgets_a_case_does_not() {
    use infraflow_core::conformance::test_selector;
    let change = Change::of(repo(), &[("modules/base/main.tf", "locals {\n  x = 1\n}\n")]);
    let cases: Vec<Case> = change.catalog.cases().unwrap();
    let history = History::of(ran(&change.plan(&History::default(), now()), "r1", RunOutcome::Passed));
    let evidence = Evidence::at(now()).with_history(history).with_contents(contents(&change.repo));
    let by_impact = ImpactSelector::on(Terms::default().with_sharding(Sharding::over(2)));
    let nightly =
        Nightly::on(Terms::default().with_sharding(Sharding::over(2)).with_evidence(evidence.clone()));
    let selectors: [&dyn TestSelector; 4] = [
        &by_impact.clone(),
        &ImpactSelector::on(by_impact.terms.clone().with_evidence(evidence)).skipping_green(),
        &by_impact.within_minutes(10),
        &nightly,
    ];
    for selector in selectors {
        assert_eq!(test_selector(selector, &change.impact, &cases), []);
    }

    struct Forgets;
    impl TestSelector for Forgets {
        fn select(&self, impact: &Impact, cases: &[Case]) -> TestPlan {
            let mut plan = ImpactSelector::default().select(impact, cases);
            plan.skipped.clear();
            plan.cases.reverse();
            plan
        }
    }
    let broken: BTreeSet<u32> = test_selector(&Forgets, &change.impact, &cases)
        .into_iter()
        .map(|violation| violation.contract)
        .collect();
    assert_eq!(broken, BTreeSet::from([1, 2]));
}
