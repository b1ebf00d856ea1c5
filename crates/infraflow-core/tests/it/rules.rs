//! Tests of the rules of `[impact]`: what a repository says of paths beyond what refers to them.

use infraflow_core::{
    catalog::{Catalog, CatalogRules},
    detect::{ChangeDetector as _, GitDetector},
    git::{Repository, Revision},
    impact::{Impact, ImpactOptions, References, RuleAction, Rules, assess_with},
    nature::{self, Nature},
    policy::{Configuration, PolicyError},
};

use crate::{
    catalog::{dialects, path},
    fixture::Repo,
};

const BACKEND: &str = "terraform {\n  backend \"local\" {}\n}\n";

fn rules(text: &str) -> Rules {
    Configuration::parse(text, "infraflow.toml").unwrap().section().unwrap()
}

fn refused(text: &str) -> String {
    let error: PolicyError =
        Configuration::parse(text, "infraflow.toml").unwrap().section::<Rules>().unwrap_err();
    error.to_string()
}

/// What the branch `feature` of a repository touches by these rules.
pub fn impact_by(repo: &Repo, rules: &Rules) -> Impact {
    let repository = Repository::open(&repo.path).unwrap();
    let base = Revision::Commit(repository.resolve("main").unwrap());
    let head = repository.revision("HEAD").unwrap();
    let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
    let build = |revision: &Revision| {
        let tree = repository.tree(revision).unwrap();
        Catalog::build(&tree, &dialects(), &CatalogRules::default()).unwrap()
    };
    let (base, head) = (build(&Revision::Commit(changes.merge_base)), build(&head));
    assess_with(&changes, &base, &head, &ImpactOptions::by(rules.clone())).unwrap()
}

/// Two modules, of which one calls the other, three units, and files that nobody reads.
pub fn repo_with_change(files: &[&str]) -> Repo {
    let call = |source: &str| format!("module \"m\" {{\n  source = \"{source}\"\n}}\n");
    let repo = Repo::with(&[
        ("modules/net/main.tf", ""),
        ("modules/app/main.tf", &call("../net")),
        ("modules/app/examples/a/main.tf", &call("../..")),
        ("live/dev/app/main.tf", &format!("{BACKEND}{}", call("../../../modules/app"))),
        ("live/prod/app/main.tf", &format!("{BACKEND}{}", call("../../../modules/app"))),
        (
            "live/prod/dns/main.tf",
            &format!("{BACKEND}locals {{\n  z = file(\"${{path.module}}/zone.txt\")\n}}\n"),
        ),
        ("live/prod/dns/zone.txt", "1"),
        ("live/prod/dns/deep/notes.json", "1"),
        ("schemas/net.json", "1"),
        ("policies/prod/a.rego", "1"),
        (".github/workflows/ci.yml", "1"),
        (".terraformrc", "1"),
        ("tools/run.sh", "1"),
    ]);
    repo.branch("feature");
    for file in files {
        repo.write(file, "2");
    }
    repo.commit("feat: change");
    repo
}

fn units(impact: &Impact) -> Vec<String> {
    impact.units.iter().map(|unit| unit.id.to_string()).collect()
}

fn modules(impact: &Impact) -> Vec<String> {
    impact.modules.iter().map(|module| module.path.to_string()).collect()
}

#[test]
fn a_file_that_is_part_of_a_module_touches_it_and_its_callers() {
    let rules = rules(
        "[[impact.rules]]\npaths = ['schemas/**']\ndo = 'part_of'\nof = ['modules/net']\nreason = 'generated from it'\n",
    );
    let impact = impact_by(&repo_with_change(&["schemas/net.json"]), &rules);
    assert_eq!(modules(&impact), ["modules/app", "modules/net"]);
    assert_eq!(units(&impact), ["live/dev/app", "live/prod/app"]);
    assert_eq!(impact.cases.len(), 1);
    let net = &impact.modules[1].reasons[0];
    assert_eq!(net.rule, "part_of");
    assert_eq!(
        net.text,
        "modules/net has for a part schemas/net.json, which was modified (impact.rules[0]: generated from it)"
    );
    assert_eq!(net.chain[0].path, path("schemas/net.json"));
    let unit = &impact.units[0].reasons[0];
    assert_eq!(unit.rule, "module_call");
    assert!(
        unit.text.contains("which calls modules/net, which has for a part schemas/net.json"),
        "{}",
        unit.text
    );
    assert_eq!(impact.ruled.len(), 1);
    assert_eq!((impact.ruled[0].action, impact.ruled[0].of_all), (RuleAction::PartOf, false));
}

#[test]
fn without_of_a_file_is_part_of_the_nearest_thing_above_it() {
    let rules = rules(
        "[[impact.rules]]\npaths = ['live/**/*.json', 'tools/*']\ndo = 'part_of'\nreason = 'the wrapper reads it'\n",
    );
    let impact = impact_by(&repo_with_change(&["live/prod/dns/deep/notes.json", "tools/run.sh"]), &rules);
    assert_eq!((units(&impact), modules(&impact).len()), (vec!["live/prod/dns".into()], 0));
}

#[test]
fn everything_is_touched_or_what_a_rule_narrows_it_to() {
    let repo = repo_with_change(&["tools/run.sh"]);
    let of = |more: &str| {
        let text = format!("[[impact.rules]]\npaths = ['tools/**']\ndo = 'everything'\nreason = 'r'\n{more}");
        impact_by(&repo, &rules(&text))
    };
    let all = of("");
    assert_eq!((modules(&all).len(), units(&all).len(), all.cases.len()), (2, 3, 1));
    let nature_rules = Configuration::defaults().section().unwrap();
    let nature = nature::of(&all, &nature_rules);
    assert_eq!((nature.nature, nature.reasons[0].rule.as_str()), (Nature::Global, "everything"));
    let prod = of("units = ['live/prod/**']\n");
    assert_eq!(
        (modules(&prod).len(), units(&prod)),
        (0, vec!["live/prod/app".into(), "live/prod/dns".into()])
    );
    assert_eq!(nature::of(&prod, &nature_rules).nature, Nature::Live);
    let net = of("modules = ['modules/net']\n");
    assert_eq!(modules(&net), ["modules/app", "modules/net"]);
    assert_eq!(units(&of("dialects = ['terragrunt']\n")).len(), 0);
}

#[test]
fn what_depends_also_on_a_file_or_a_module_is_touched_by_it() {
    let text = "[[impact.depends_also]]\nunits = ['live/prod/dns']\non = ['policies/prod/**', 'modules/net']\nreason = 'handed in'\n";
    let rules = rules(text);
    let by_file = impact_by(&repo_with_change(&["policies/prod/a.rego"]), &rules);
    assert_eq!((units(&by_file), modules(&by_file).len()), (vec!["live/prod/dns".into()], 0));
    assert_eq!(
        by_file.units[0].reasons[0].text,
        "live/prod/dns depends also on policies/prod/a.rego, which was modified (impact.depends_also[0]: handed in)"
    );
    let by_module = impact_by(&repo_with_change(&["modules/net/main.tf"]), &rules);
    assert_eq!(units(&by_module), ["live/dev/app", "live/prod/app", "live/prod/dns"]);
    let reason = &by_module.units[2].reasons[0];
    assert_eq!(reason.rule, "depends_also");
    assert_eq!(
        reason.text,
        "live/prod/dns depends also on modules/net (impact.depends_also[0]: handed in), whose main.tf was modified"
    );
    let found: Vec<_> = rules.also(&path("live/prod/dns")).map(|(name, _)| name.to_string()).collect();
    assert_eq!(
        (found, rules.also(&path("live/dev/app")).count()),
        (vec!["impact.depends_also[0]".into()], 0)
    );
}

#[test]
fn what_states_a_file_counts_though_it_is_ignored_unless_it_is_ignored_always() {
    let repo = repo_with_change(&["live/prod/dns/zone.txt"]);
    let of = |action: &str| {
        rules(&format!("[[impact.rules]]\npaths = ['**/*.txt']\ndo = '{action}'\nreason = 'not ours'\n"))
    };
    assert_eq!(units(&impact_by(&repo, &of("ignore"))), ["live/prod/dns"]);
    let always = impact_by(&repo, &of("ignore_always"));
    assert!(always.is_empty());
    assert_eq!(
        always.warnings,
        [
            "live/prod/dns/zone.txt is ignored, though it would touch live/prod/dns: not ours (impact.rules[0])"
        ]
    );
    // What nobody reads is ignored without a word.
    let quiet = impact_by(
        &repo_with_change(&["live/prod/dns/deep/notes.json"]),
        &rules("[[impact.rules]]\npaths = ['**/*.json']\ndo = 'ignore_always'\nreason = 'r'\n"),
    );
    assert!(quiet.is_empty() && quiet.warnings.is_empty() && quiet.ruled.len() == 1, "{quiet:?}");
}

#[test]
fn a_unit_that_is_deleted_is_told_though_its_files_are_ignored() {
    let repo = repo_with_change(&[]);
    repo.remove("live/prod/dns/main.tf");
    repo.commit("feat: no dns");
    let rules = rules("[[impact.rules]]\npaths = ['live/prod/**']\ndo = 'ignore_always'\nreason = 'r'\n");
    let impact = impact_by(&repo, &rules);
    assert_eq!(impact.removed_units.len(), 1);
}

#[test]
fn the_first_rule_that_holds_decides_unless_it_goes_on() {
    let text = |then: &str| {
        format!(
            "[[impact.rules]]\npaths = ['tools/**']\ndo = 'everything'\nunits = ['live/dev/*']\nthen = '{then}'\nreason = 'a'\n\
             [[impact.rules]]\npaths = ['tools/run.sh']\ndo = 'everything'\nunits = ['live/prod/dns']\nreason = 'b'\n"
        )
    };
    let repo = repo_with_change(&["tools/run.sh"]);
    assert_eq!(units(&impact_by(&repo, &rules(&text("references")))), ["live/dev/app"]);
    assert_eq!(units(&impact_by(&repo, &rules(&text("go_on")))), ["live/dev/app", "live/prod/dns"]);
    let stop = rules(&text("stop"));
    assert_eq!(stop.judge(&path("tools/run.sh")).references, References::None);
    assert_eq!(stop.judge(&path("elsewhere")).references, References::All);
}

#[test]
fn by_default_a_ci_file_warns_and_the_clis_configuration_touches_everything() {
    let ci = impact_by(&repo_with_change(&[".github/workflows/ci.yml"]), &Rules::default());
    assert!(ci.is_empty() && ci.warnings.len() == 1, "{:?}", ci.warnings);
    assert!(ci.warnings[0].starts_with(".github/workflows/ci.yml changed: a pipeline's configuration"));
    let nature_rules = Configuration::defaults().section().unwrap();
    assert_eq!(nature::of(&ci, &nature_rules).nature, Nature::Global);
    let all = impact_by(&repo_with_change(&[".terraformrc"]), &Rules::default());
    assert_eq!((units(&all).len(), modules(&all).len()), (3, 2));
    // A repository's own rule for a path comes first, and a list of its own replaces the defaults.
    let own = rules("[[impact.rules]]\npaths = ['.terraformrc']\ndo = 'warn'\nreason = 'unused'\n");
    assert!(impact_by(&repo_with_change(&[".terraformrc"]), &own).is_empty());
    let none = rules("[impact]\ndefaults = []\n");
    assert!(impact_by(&repo_with_change(&[".terraformrc"]), &none).warnings.is_empty());
}

#[test]
fn a_rule_that_makes_no_sense_names_its_place_and_what_to_do() {
    let rule = |more: &str| format!("[impact]\n[[impact.rules]]\npaths = ['a']\nreason = 'r'\n{more}");
    for (text, place, help) in [
        (rule("do = 'ignore'\nthem = 'stop'\n"), "infraflow.toml:6:1", "did you mean \"then\"?"),
        (rule("do = 'evrything'\n"), "infraflow.toml:5:6", "did you mean \"everything\"?"),
        (rule("do = 'everything'\nof = ['a']\n"), "infraflow.toml:2:", "it goes with do = \"part_of\""),
        (rule("do = 'part_of'\nunits = ['a']\n"), "infraflow.toml:2:", "they go with do = \"everything\""),
        (rule("do = 'ignore'\nthen = 'go_on'\n"), "infraflow.toml:2:", "leave it out"),
        (rule(""), "infraflow.toml:2:", "missing field `do`"),
        (rule("do = 'warn'\n").replace("'r'", "' '"), "infraflow.toml:2:", "say in reason"),
        (rule("do = 'warn'\n").replace("'a'", "'/a'"), "infraflow.toml:3:", "begin with a name"),
        (rule("do = 'warn'\n").replace("['a']", "[]"), "infraflow.toml:2:", "write paths"),
        ("[[impact.depends_also]]\non = ['a']\nreason = 'r'\n".into(), "infraflow.toml:1:", "nobody depends"),
        ("[impact]\nrule = []\n".into(), "infraflow.toml:2:1", "did you mean \"rules\"?"),
    ] {
        let told = refused(&text);
        assert!(told.contains(place) && told.contains(help), "{text}\n{told}");
    }
}

#[test]
fn ten_thousand_changed_files_are_judged_in_an_instant() {
    let rules = Rules::default();
    let paths: Vec<_> = (0..10_000).map(|n| path(&format!("live/team{}/unit{n}/main.tf", n % 50))).collect();
    let begin = std::time::Instant::now();
    assert!(paths.iter().all(|path| rules.judge(path).verdicts.is_empty()));
    // Unoptimised, on a busy machine; a hundredth of it otherwise.
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
}
