use std::process::Command;

use super::{after, check, row};
use crate::{
    fixture::Repo,
    impact::{modules, units},
};

const LIVE: &str =
    "helmGlobals: {chartHome: ../../charts}\nhelmCharts:\n- name: app\n  valuesFile: values.yaml\n";

fn chart(more: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        ("charts/app/Chart.yaml", more),
        ("charts/app/values.yaml", "port: 80\n"),
        ("charts/app/values.schema.json", "{}"),
        ("charts/app/templates/deploy.yaml", "port: {{ .Values.port }}\n"),
        ("charts/app/templates/tests/t.yaml", "kind: Pod\n"),
        ("charts/app/crds/crd.yaml", "kind: CustomResourceDefinition\n"),
        ("charts/app/README.md", "a"),
        ("charts/app/files/a.txt", "a"),
        ("live/prod/kustomization.yaml", LIVE),
        ("live/prod/values.yaml", "port: 81\n"),
    ]
}

const ALONE: &str = "apiVersion: v2\nname: app\nversion: 0.1.0\n";

#[test]
fn what_helm_template_prints_counts_and_a_readme_does_not() {
    let touched: &[&str] = &["live/prod"];
    let app: &[&str] = &["charts/app"];
    check(
        &chart(ALONE),
        &[
            row("a template", &[("charts/app/templates/deploy.yaml", Some("port: 1\n"))], touched, app),
            row(
                "a test of the chart",
                &[("charts/app/templates/tests/t.yaml", Some("kind: X\n"))],
                touched,
                app,
            ),
            row("a new template", &[("charts/app/templates/new.yaml", Some("kind: X\n"))], touched, app),
            row("its values", &[("charts/app/values.yaml", Some("port: 2\n"))], touched, app),
            row("their schema", &[("charts/app/values.schema.json", Some("true"))], touched, app),
            row("a definition", &[("charts/app/crds/crd.yaml", Some("kind: X\n"))], touched, app),
            row("the chart's own file", &[("charts/app/Chart.yaml", Some("name: app\n"))], touched, app),
            row("a lock", &[("charts/app/Chart.lock", Some("digest: x\n"))], touched, app),
            row("an archive", &[("charts/app/charts/dep-1.tgz", Some("x"))], touched, app),
            row("values of the overlay", &[("live/prod/values.yaml", Some("port: 3\n"))], touched, &[]),
            row("a README", &[("charts/app/README.md", Some("b"))], &[], &[]),
            row("a file that no template reads", &[("charts/app/files/a.txt", Some("b"))], &[], &[]),
            row("a hidden file of templates", &[("charts/app/templates/.x.swp", Some("b"))], &[], &[]),
        ],
    );
}

#[test]
fn files_that_templates_read_count_unless_they_are_ignored() {
    let mut files = chart(ALONE);
    files.push(("charts/app/templates/_files.tpl", "{{ (.Files.Glob \"files/*\").AsConfig }}\n"));
    files.push(("charts/app/.helmignore", "*.bak\nci/\n/files/own.txt\n"));
    let touched: &[&str] = &["live/prod"];
    let app: &[&str] = &["charts/app"];
    check(
        &files,
        &[
            row("a file", &[("charts/app/files/a.txt", Some("b"))], touched, app),
            row("a README may be read as well", &[("charts/app/README.md", Some("b"))], touched, app),
            row("an ignored name", &[("charts/app/files/a.bak", Some("b"))], &[], &[]),
            row("what is below an ignored directory", &[("charts/app/ci/x/v.yaml", Some("b"))], &[], &[]),
            row("one path", &[("charts/app/files/own.txt", Some("b"))], &[], &[]),
            row("the rules themselves", &[("charts/app/.helmignore", Some("*.txt\n"))], touched, app),
        ],
    );
}

#[test]
fn charts_reach_those_that_need_them() {
    let mut files =
        chart("apiVersion: v2\nname: app\ndependencies:\n- name: lib\n  repository: file://../lib\n");
    files.extend([
        ("charts/lib/Chart.yaml", "apiVersion: v2\nname: lib\ntype: library\n"),
        ("charts/lib/templates/_l.tpl", "{{ define \"x\" }}{{ end }}\n"),
        ("charts/app/charts/kept/Chart.yaml", "apiVersion: v2\nname: kept\n"),
        ("charts/app/charts/kept/templates/k.yaml", "kind: K\n"),
        ("charts/app/charts/kept/README.md", "a"),
        ("charts/old/Chart.yaml", "name: old\n"),
        ("charts/old/requirements.yaml", "dependencies:\n- {name: lib, repository: 'file://../lib'}\n"),
    ]);
    let touched: &[&str] = &["live/prod"];
    check(
        &files,
        &[
            row(
                "a library of another directory",
                &[("charts/lib/templates/_l.tpl", Some("{{ define \"y\" }}{{ end }}\n"))],
                touched,
                &["charts/app", "charts/lib", "charts/old"],
            ),
            row(
                "a chart that is kept in it",
                &[("charts/app/charts/kept/templates/k.yaml", Some("kind: L\n"))],
                touched,
                &["charts/app", "charts/app/charts/kept"],
            ),
            row("its README", &[("charts/app/charts/kept/README.md", Some("b"))], &[], &[]),
        ],
    );
}

#[test]
fn a_chart_behind_a_link_and_a_linked_template_are_followed() {
    let repo = Repo::with(&chart(ALONE));
    repo.write_all(&[
        ("shared/common/Chart.yaml", "name: common\n"),
        ("shared/common/templates/_c.tpl", "{{ define \"c\" }}{{ end }}\n"),
        ("shared/_helpers.tpl", "{{ define \"h\" }}{{ end }}\n"),
    ]);
    std::fs::create_dir_all(repo.path.join("charts/app/charts")).unwrap();
    std::os::unix::fs::symlink("../../../shared/common", repo.path.join("charts/app/charts/common")).unwrap();
    std::os::unix::fs::symlink(
        "../../../shared/_helpers.tpl",
        repo.path.join("charts/app/templates/_helpers.tpl"),
    )
    .unwrap();
    repo.commit("feat: links");
    let edits: &[super::Edit] = &[("shared/common/templates/_c.tpl", Some("x\n"))];
    let (repo, impact) = after(repo, edits);
    assert_eq!(units(&impact), ["live/prod"]);
    assert_eq!(modules(&impact), ["charts/app", "shared/common"]);
    repo.checkout("main");
    repo.git(&["checkout", "-q", "-b", "other"]);
    repo.write("shared/_helpers.tpl", "y\n");
    repo.commit("feat: change");
    let impact = crate::impact::impact_with(&repo, &Default::default());
    assert_eq!(
        (units(&impact), modules(&impact)),
        (vec!["live/prod".to_owned()], vec!["charts/app".to_owned()])
    );
}

#[test]
fn a_chart_that_terraform_names_counts_for_the_unit_that_names_it() {
    let release = "terraform {\n  backend \"local\" {}\n}\nresource \"helm_release\" \"app\" {\n  name  = \"app\"\n  chart = \"${path.module}/../../charts/app\"\n}\n";
    let mut files = chart(ALONE);
    files.push(("live/tf/main.tf", release));
    check(
        &files,
        &[row(
            "a template",
            &[("charts/app/templates/deploy.yaml", Some("port: 1\n"))],
            &["live/prod", "live/tf"],
            &["charts/app"],
        )],
    );
}

/// What real Helm prints for a chart; `None` where it is not there.
fn rendered(helm: &std::ffi::OsStr, chart: &std::path::Path) -> String {
    let mut command = Command::new(helm);
    command.args(["template", "r", "--include-crds"]).arg(chart).env("HOME", "/nonexistent");
    let output = command.output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), output.status)
}

#[test]
fn what_changes_the_output_of_real_helm_is_affected() {
    let Some(helm) = std::env::var_os("INFRAFLOW_HELM") else {
        eprintln!(
            "skipped: what_changes_the_output_of_real_helm_is_affected needs INFRAFLOW_HELM, the path of helm"
        );
        return;
    };
    let mut files = chart(ALONE);
    files.push(("charts/app/templates/cm.yaml", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\ndata:\n{{ (.Files.Glob \"**\").AsConfig | indent 2 }}\n"));
    files.push(("charts/app/.helmignore", "*.bak\nci/\n/files/own.txt\nfiles/*.md\n"));
    files.extend([
        ("charts/app/charts/kept/Chart.yaml", "apiVersion: v2\nname: kept\nversion: 0.1.0\n"),
        ("charts/app/charts/kept/templates/k.yaml", "kind: K\napiVersion: v1\nmetadata: {name: k}\n"),
    ]);
    let paths = [
        "values.yaml",
        "README.md",
        "files/a.txt",
        "files/a.bak",
        "files/own.txt",
        "files/x/own.txt",
        "files/y.md",
        "files/z/y.md",
        "ci/a/b.yaml",
        "x/ci/c.yaml",
        "templates/.hidden",
        "templates/sub/new.yaml",
        "top.bak",
        "charts/kept/templates/k.yaml",
        "charts/kept/README.md",
        "charts/kept/values.yaml",
        "crds/new.yaml",
        "templates/deploy.yaml",
        "charts/_x/y",
        "charts/note.txt",
        "Chart.lock",
        "values.schema.json",
        ".hidden",
    ];
    let (mut missed, mut extra) = (Vec::new(), Vec::new());
    for path in paths {
        let repo = Repo::with(&files);
        let chart = repo.path.join("charts/app");
        let before = rendered(&helm, &chart);
        let full = format!("charts/app/{path}");
        let text = if path.ends_with("json") {
            "{\"a\": 1}\n"
        } else {
            "kind: N\napiVersion: v1\nmetadata: {name: n}\n"
        };
        repo.branch("feature");
        repo.write(&full, text);
        repo.commit("feat: change");
        let differs = rendered(&helm, &chart) != before;
        let impact = crate::impact::impact_with(&repo, &Default::default());
        let named = modules(&impact).contains(&"charts/app".to_owned());
        if differs && !named {
            missed.push(path);
        } else if named && !differs {
            extra.push(path);
        }
    }
    eprintln!("charts named without need: {extra:?}");
    assert!(missed.is_empty(), "{missed:?}");
}
