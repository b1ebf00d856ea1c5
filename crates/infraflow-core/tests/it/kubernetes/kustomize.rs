use infraflow_core::catalog::CatalogRules;

use super::{after, check, row};
use crate::{
    catalog::{catalog_at, dialects, rules},
    fixture::Repo,
    impact::{chain, impact, modules, units},
};

const OVERLAY: &str = "# prod\nresources:\n  - ../../base\nnamePrefix: prod-\n";

#[test]
fn a_change_reaches_overlays_over_bases_and_components_and_says_by_which_lines() {
    let (_, impact) = after(
        Repo::with(&[
            ("base/kustomization.yaml", "resources: [app.yaml]\ncomponents:\n- ../components/tls\n"),
            ("base/app.yaml", "kind: ConfigMap\n"),
            ("components/tls/kustomization.yaml", "kind: Component\npatches:\n  - path: tls.yaml\n"),
            ("components/tls/tls.yaml", "kind: x\n"),
            ("overlays/prod/kustomization.yaml", OVERLAY),
            ("overlays/other/kustomization.yaml", "namePrefix: a-\n"),
        ]),
        &[("components/tls/tls.yaml", Some("kind: y\n"))],
    );
    assert_eq!(units(&impact), ["overlays/prod"]);
    assert_eq!(modules(&impact), ["base", "components/tls"]);
    assert_eq!(impact.units[0].dialect.as_str(), "kustomize");
    let reason = &impact.units[0].reasons[0];
    assert_eq!(
        reason.text,
        "overlays/prod calls base, which calls components/tls, which reads components/tls/tls.yaml, which was modified"
    );
    assert_eq!(
        chain(reason),
        [
            ("components/tls/tls.yaml".into(), 1, 1, "modified".into()),
            ("components/tls/kustomization.yaml".into(), 3, 11, "patches: tls.yaml".into()),
            ("base/kustomization.yaml".into(), 3, 3, "components: ../components/tls".into()),
            ("overlays/prod/kustomization.yaml".into(), 3, 5, "resources: ../../base".into()),
        ]
    );
    let link = &reason.chain[3];
    assert_eq!(&OVERLAY[link.start..link.end], "../../base");
}

const FIELDS: &[(&str, &str)] = &[
    (
        "live/kustomization.yml",
        "resources: [r.yaml]\nbases: [../old]\ncrds: [crd.json]\nconfigurations: [conf.yaml]\n\
         configMapGenerator: [{name: a, files: [x.txt, k=y.txt], envs: [e.env], env: f.env}]\n\
         secretGenerator: [{name: s, files: [../shared/s.txt]}]\n\
         patches: [{path: p.yaml}]\npatchesJson6902: [{target: {name: a}, path: j.yaml}]\n\
         patchesStrategicMerge: [m.yaml, 'kind: inline']\nreplacements: [{path: rep.yaml}]\n\
         openapi: {path: schema.json}\ntransformers: [t.yaml, fns]\n\
         generators:\n- |\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n  metadata: {name: q}\n  files: [gen.txt]\n",
    ),
    ("old/Kustomization", "resources: [o.yaml]\n"),
    ("live/t.yaml", "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npath: inner.yaml\n"),
    ("live/fns/kustomization.yaml", "resources: [f.yaml]\n"),
    (
        "live/fns/f.yaml",
        "apiVersion: acme.org/v1\nkind: Own\nmetadata: {name: x}\nspec: {templates: tpl/, level: high}\n",
    ),
    ("live/README.md", "a"),
    ("live/unused.yaml", "a"),
];

#[test]
fn everything_that_a_build_reads_counts_whether_it_is_there_or_not() {
    let live: &[&str] = &["live"];
    let mut rows = Vec::new();
    let read = [
        "live/r.yaml",
        "live/crd.json",
        "live/conf.yaml",
        "live/x.txt",
        "live/y.txt",
        "live/e.env",
        "live/f.env",
        "shared/s.txt",
        "live/p.yaml",
        "live/j.yaml",
        "live/m.yaml",
        "live/rep.yaml",
        "live/schema.json",
        "live/inner.yaml",
        "live/gen.txt",
        "live/tpl/deep/a.txt",
    ];
    let edits: Vec<[super::Edit; 1]> = read.iter().map(|&path| [(path, Some("new"))]).collect();
    for (path, edit) in read.iter().zip(&edits) {
        rows.push(row(path, edit, live, &[]));
    }
    rows.extend([
        row("a resource of a base", &[("old/o.yaml", Some("x"))], live, &["old"]),
        row("a base's own file", &[("old/Kustomization", Some("resources: []\n"))], live, &["old"]),
        row("a configuration of functions", &[("live/t.yaml", Some("kind: x\n"))], live, &[]),
        row("one of a directory", &[("live/fns/f.yaml", Some("kind: x\n"))], live, &["live/fns"]),
        row("a file that nothing names", &[("live/unused.yaml", Some("b"))], &[], &[]),
        row("a text", &[("live/README.md", Some("b"))], &[], &[]),
    ]);
    check(FIELDS, &rows);
}

#[test]
fn what_is_deleted_moved_or_comes_later_is_seen_from_both_ends() {
    let files: &[(&str, &str)] = &[
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("base/a.yaml", "kind: A\n"),
        ("live/x/kustomization.yaml", "resources:\n- ../../base\n- ../../later\n"),
        ("live/y/kustomization.yaml", "resources:\n- z.yaml\n"),
    ];
    check(
        files,
        &[
            row("a base is gone", &[("base/kustomization.yaml", None)], &["live/x"], &[]),
            row("a resource is gone", &[("base/a.yaml", None)], &["live/x"], &["base"]),
            row(
                "a base that was missing",
                &[("later/kustomization.yaml", Some("resources: []\n"))],
                &["live/x"],
                &["later"],
            ),
            row("what was missing is a file", &[("later", Some("kind: A\n"))], &["live/x"], &[]),
            row("a file that was missing", &[("live/y/z.yaml", Some("kind: A\n"))], &["live/y"], &[]),
        ],
    );
    let impact = impact(files, |repo| {
        repo.git(&["mv", "live/y", "live/w"]);
    });
    assert_eq!(units(&impact), ["live/w"]);
    assert_eq!(impact.removed_units[0].id.to_string(), "live/y");
    assert!(impact.renamed_units.is_empty(), "a kustomization has no state: {:?}", impact.renamed_units);
}

#[test]
fn an_overlay_is_a_unit_and_what_others_refer_to_a_module() {
    let files = [
        ("base/kustomization.yaml", "resources: []\n"),
        ("overlays/dev/kustomization.yaml", "resources: [../../base]\n"),
        ("overlays/prod/kustomization.yaml", "resources: [../dev]\n"),
        ("components/c/kustomization.yaml", "kind: Component\n"),
        ("modules/m/kustomization.yaml", "resources: []\n"),
        ("base/examples/e/kustomization.yaml", "resources: [../..]\n"),
        ("flux/kustomization.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"),
    ];
    let repo = Repo::with(&files);
    let names = |rules: &CatalogRules| {
        let catalog = catalog_at(&repo, "HEAD", rules);
        let units: Vec<_> = catalog.units().unwrap().iter().map(|unit| unit.id.to_string()).collect();
        let modules: Vec<_> = catalog.modules().unwrap().iter().map(|one| one.path.to_string()).collect();
        let cases: Vec<_> = catalog.cases().unwrap().iter().map(|case| case.id.to_string()).collect();
        (units, modules, cases)
    };
    let (units, modules, cases) = names(&CatalogRules::default());
    assert_eq!(units, ["overlays/prod"]);
    assert_eq!(modules, ["base", "components/c", "flux", "modules/m", "overlays/dev"]);
    assert_eq!(cases, ["base/examples/e"]);
    let (units, ..) = names(&rules(&["overlays/*"]));
    assert_eq!(units, ["overlays/dev", "overlays/prod"]);
}

#[test]
fn a_remote_base_of_this_very_repository_counts_where_it_follows_the_trunk() {
    let base = |query: &str| format!("resources:\n- https://github.com/acme/infra//base{query}\n");
    for (query, expected) in [("", true), ("?ref=main", true), ("?ref=v1.0.0", false)] {
        let repo = Repo::with(&[
            ("base/kustomization.yaml", "resources: [a.yaml]\n"),
            ("base/a.yaml", "kind: A\n"),
            ("live/kustomization.yaml", &base(query)),
        ]);
        repo.git(&["remote", "add", "origin", "git@github.com:acme/infra.git"]);
        let (_, impact) = after(repo, &[("base/a.yaml", Some("kind: B\n"))]);
        assert_eq!(units(&impact).contains(&"live".to_owned()), expected, "{query}: {:?}", units(&impact));
    }
}

#[test]
fn links_on_the_way_are_followed_and_count() {
    let repo = Repo::with(&[
        ("shared/base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("shared/base/a.yaml", "kind: A\n"),
        ("shared/patch.yaml", "kind: P\n"),
        ("live/kustomization.yaml", "resources: [base]\npatches: [{path: patch.yaml}]\n"),
    ]);
    std::os::unix::fs::symlink("../shared/base", repo.path.join("live/base")).unwrap();
    std::os::unix::fs::symlink("../shared/patch.yaml", repo.path.join("live/patch.yaml")).unwrap();
    repo.commit("feat: links");
    for path in ["shared/base/a.yaml", "shared/patch.yaml"] {
        repo.checkout("main");
        repo.git(&["checkout", "-q", "-B", "feature"]);
        repo.write(path, "kind: B\n");
        repo.commit("feat: change");
        let impact = crate::impact::impact_with(&repo, &CatalogRules::default());
        assert_eq!(units(&impact), ["live"], "{path}");
    }
}

#[test]
fn what_cannot_be_understood_counts_for_whatever_could_be_in_it_and_is_told() {
    let files: &[(&str, &str)] = &[
        ("a/kustomization.yaml", "resources:\n- ../base\n- {\n"),
        ("b/kustomization.yaml", "resources: [../base]\n"),
        ("b/Kustomization", "resources: [x.yaml]\n"),
        ("base/kustomization.yaml", "resources: []\n"),
    ];
    let (_, broken) = after(Repo::with(files), &[("a/anything.yaml", Some("x"))]);
    assert_eq!(units(&broken), ["a"]);
    assert_eq!(broken.unparsable[0].path.to_string(), "a/kustomization.yaml");
    let (_, both) = after(Repo::with(files), &[("b/x.yaml", Some("x"))]);
    assert_eq!(units(&both), ["b"]);
    let warnings = both.warnings.join("\n");
    assert!(
        warnings.contains("refuses a directory with both Kustomization and kustomization.yaml"),
        "{warnings}"
    );
    let (_, base) = after(Repo::with(files), &[("base/kustomization.yaml", Some("namespace: x\n"))]);
    assert_eq!(units(&base), ["a", "b"]);
}

#[test]
fn more_paths_than_a_module_may_leave_open_are_all_seen() {
    let names: Vec<String> = (0..700).map(|i| format!("r{i}.yaml")).collect();
    let list = format!("resources:\n- {}\n", names.join("\n- "));
    let (_, impact) =
        after(Repo::with(&[("a/kustomization.yaml", &list)]), &[("a/r699.yaml", Some("kind: A\n"))]);
    assert_eq!(units(&impact), ["a"]);
    assert!(impact.warnings.is_empty(), "{:?}", impact.warnings);
}

#[test]
fn cycles_towers_and_bombs_neither_hang_nor_drop_anything() {
    let deep = format!("resources: {}\n", "[".repeat(100_000));
    let mut bomb = String::from("a0: &a0 [x.yaml, x.yaml]\n");
    for i in 1..100 {
        bomb.push_str(&format!("a{i}: &a{i} [*a{0}, *a{0}]\n", i - 1));
    }
    bomb.push_str("resources: *a99\n");
    let large = format!("resources: [x.yaml]\n#{}\n", "x".repeat(50 << 20));
    let files: &[(&str, &str)] = &[
        ("one/kustomization.yaml", "resources: [../two, a.yaml]\n"),
        ("two/kustomization.yaml", "resources: [../one]\n"),
        ("self/kustomization.yaml", "resources: [., .., ../self]\n"),
        ("live/kustomization.yaml", "resources: [../one]\n"),
        ("deep/kustomization.yaml", &deep),
        ("bomb/kustomization.yaml", &bomb),
        ("large/kustomization.yaml", &large),
    ];
    let edits = ["one/a.yaml", "deep/x.yaml", "bomb/x.yaml", "large/x.yaml"].map(|path| (path, Some("x")));
    let (_, impact) = after(Repo::with(files), &edits);
    assert_eq!(units(&impact), ["bomb", "deep", "large", "live"]);
    assert_eq!(modules(&impact), ["one", "two"]);
    assert_eq!(impact.unparsable.len(), 3, "{:?}", impact.unparsable);
}

#[test]
fn a_kept_index_gives_what_reading_anew_gives() {
    use infraflow_core::{
        catalog::{Catalog, CatalogCache},
        detect::{ChangeDetector, GitDetector},
        git::{Repository, Revision},
        impact::assess,
        proof::Document,
    };
    let repo = Repo::with(&[
        (
            "base/kustomization.yaml",
            "resources: [a.yaml]\nhelmCharts: [{name: c}]\nhelmGlobals: {chartHome: ../charts}\n",
        ),
        ("base/a.yaml", "kind: A\n"),
        ("charts/c/Chart.yaml", "name: c\ndependencies: [{name: d, repository: 'file://../d'}]\n"),
        ("charts/c/templates/x.yaml", "{{ .Values.x }}\n"),
        ("charts/c/notes.txt", "a"),
        ("charts/d/Chart.yaml", "name: d\n"),
        ("live/x/kustomization.yaml", "resources: [../../base]\n"),
        ("live/y/kustomization.yaml", "transformers: [t.yaml]\nresources: [later]\n"),
        ("live/y/t.yaml", "apiVersion: builtin\nkind: PatchTransformer\npath: p.yaml\n"),
        ("live/y/main.tf", "terraform {\n  backend \"local\" {}\n}\n"),
    ]);
    let rules = CatalogRules::default();
    let steps: [&[super::Edit]; 8] = [
        &[("base/a.yaml", Some("kind: B\n"))],
        &[("charts/c/templates/x.yaml", Some("{{ .Files.Get \"notes.txt\" }}\n"))],
        &[("charts/c/notes.txt", Some("b"))],
        &[("live/y/t.yaml", Some("apiVersion: builtin\nkind: PatchTransformer\npath: q.yaml\n"))],
        &[("live/y/q.yaml", Some("x")), ("live/y/later/kustomization.yaml", Some("resources: []\n"))],
        &[("charts/c/.helmignore", Some("*.txt\n"))],
        &[("charts/d/Chart.yaml", None), ("base/kustomization.yml", Some("resources: []\n"))],
        &[("live/y/main.tf", None), ("charts/c/charts/e/Chart.yaml", Some("name: e\n"))],
    ];
    let folder = tempfile::tempdir().unwrap();
    for (at, edits) in steps.iter().enumerate() {
        repo.git(&["checkout", "-q", "-b", &format!("step{at}")]);
        for (path, text) in *edits {
            match text {
                Some(text) => repo.write(path, text),
                None => repo.remove(path),
            }
        }
        repo.commit("step");
        let repository = Repository::open(&repo.path).unwrap();
        let base = Revision::Commit(repository.resolve("main").unwrap());
        let head = repository.revision("HEAD").unwrap();
        let changes = GitDetector::new().detect(&repository, &base, &head).unwrap();
        let (old, new) = (repository.tree(&base).unwrap(), repository.tree(&head).unwrap());
        let (before, after) =
            CatalogCache::in_folder(folder.path()).ends(&old, &new, &dialects(), &rules).unwrap();
        let anew = [&old, &new].map(|tree| Catalog::build(tree, &dialects(), &rules).unwrap());
        assert_eq!(after.units().unwrap(), anew[1].units().unwrap(), "step {at}");
        assert_eq!(after.modules().unwrap(), anew[1].modules().unwrap(), "step {at}");
        assert_eq!(after.references().unwrap(), anew[1].references().unwrap(), "step {at}");
        assert_eq!(
            assess(&changes, &before, &after).unwrap().to_json().unwrap(),
            assess(&changes, &anew[0], &anew[1]).unwrap().to_json().unwrap(),
            "step {at}"
        );
    }
}
