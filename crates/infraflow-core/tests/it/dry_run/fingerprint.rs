//! What makes two dry runs mean the same.

use super::*;

#[tokio::test]
async fn a_fingerprint_is_the_same_again_elsewhere_and_differs_with_what_was_planned() {
    if !fixture::has(
        "terraform",
        "a_fingerprint_is_the_same_again_elsewhere_and_differs_with_what_was_planned",
    ) {
        return;
    }
    let mut live = Live::new();
    let text = |provisioner: &str| {
        format!(
            "variable \"size\" {{ default = 1 }}\nvariable \"pw\" {{\n  default = \"{SECRET}\"\n  sensitive = true\n}}\n\
             module \"m\" {{ source = \"../../modules/m\" }}\n\
             resource \"terraform_data\" \"a\" {{\n  input = [var.size, var.pw, abspath(path.root), file(\"../../shared.txt\")]\n  provisioner \"local-exec\" {{ command = \"{provisioner}\" }}\n}}\n"
        )
    };
    live.unit("dev/a", &text("true"));
    live.repo.write("modules/m/main.tf", "resource \"terraform_data\" \"m\" {}\n");
    live.repo.write("shared.txt", "shared");
    live.repo.write("other/file.txt", "other");
    live.repo.commit("feat: a unit");
    let first = live.dry_run(&["dev/a"]).await;
    let fingerprint = |outcome: &DryRunOutcome| {
        assert_eq!(outcome.dry_run.units[0].outcome, UnitOutcome::Changes, "{:?}", outcome.dry_run);
        outcome.dry_run.fingerprint().unwrap()
    };
    let original = fingerprint(&first);
    assert_eq!(fingerprint(&live.dry_run(&["dev/a"]).await), original, "another folder, another time");
    assert_ne!(
        live.dry_run(&["dev/a"]).await.dry_run.digest().unwrap(),
        first.dry_run.digest().unwrap(),
        "another file"
    );

    live.repo.write("other/file.txt", "changed");
    live.repo.commit("docs: elsewhere");
    assert_eq!(fingerprint(&live.dry_run(&["dev/a"]).await), original, "nothing of the unit's closure");

    live.repo.write("dev/a/main.tf", text("false"));
    live.repo.commit("fix: a provisioner");
    let other = live.dry_run(&["dev/a"]).await;
    assert_eq!(unit(&other, "dev/a").plan, unit(&first, "dev/a").plan);
    assert_ne!(fingerprint(&other), original, "a provisioner, which no resource change shows");
    live.repo.write("dev/a/main.tf", text("true"));

    live.repo.write("dev/a/terraform.tfvars", "size = 2\n");
    live.repo.commit("feat: larger");
    assert_ne!(fingerprint(&live.dry_run(&["dev/a"]).await), original, "a variable");
    live.repo.remove("dev/a/terraform.tfvars");

    live.repo.write("modules/m/main.tf", "# another\nresource \"terraform_data\" \"m\" {}\n");
    live.repo.commit("feat: a module");
    assert_ne!(fingerprint(&live.dry_run(&["dev/a"]).await), original, "a module's file");
    live.repo.write("modules/m/main.tf", "resource \"terraform_data\" \"m\" {}\n");

    live.repo.commit("revert: all of it");
    assert_eq!(fingerprint(&live.dry_run(&["dev/a"]).await), original, "the same files again");
    let hmac = std::mem::replace(&mut live.hmac, Hmac::new(b"another key"));
    assert_ne!(fingerprint(&live.dry_run(&["dev/a"]).await), original, "another store's key");
    live.hmac = hmac;

    let text = text("true").replace(SECRET, "hunter2-hunter2");
    live.repo.write("dev/a/main.tf", &text);
    live.repo.commit("fix: another secret");
    assert_ne!(fingerprint(&live.dry_run(&["dev/a"]).await), original, "a secret");
}

#[tokio::test]
async fn the_fingerprint_of_an_update_or_replacement_does_not_hang_on_random_ids() {
    if !fixture::has("terraform", "the_fingerprint_of_an_update_or_replacement_does_not_hang_on_random_ids") {
        return;
    }
    let text = |value: &str| {
        format!(
            "resource \"terraform_data\" \"replaced\" {{ triggers_replace = \"{value}\" }}\n\
             resource \"terraform_data\" \"deleted\" {{ count = \"{value}\" == \"one\" ? 1 : 0 }}\n\
             resource \"terraform_data\" \"updated\" {{ input = [\"{value}\", \"of ${{terraform_data.replaced.id}}\"] }}\n\
             output \"id\" {{ value = terraform_data.replaced.id }}\n"
        )
    };
    let mut fingerprints = Vec::new();
    for _ in 0..2 {
        let live = Live::new();
        // Where the state lies is part of the configuration; it is told here instead.
        let state = live.repo.folder.path().join("state.tfstate");
        live.repo
            .write("dev/a/main.tf", format!("terraform {{\n  backend \"local\" {{}}\n}}\n{}", text("one")));
        live.repo.commit("feat: one");
        let clone = live.repo.path.join("dev/a");
        let driver = tool().driver(&clone).environment(live.environment.clone());
        let setting = format!("path={}", state.display());
        let init = InitOptions::default().with_backend(&setting);
        driver.init(&init, &live.cancel, &Discard).await.unwrap();
        driver.apply(&live.cancel, &Discard).await.unwrap();
        live.repo
            .write("dev/a/main.tf", format!("terraform {{\n  backend \"local\" {{}}\n}}\n{}", text("two")));
        live.repo.git(&["add", "dev/a/main.tf"]);
        live.repo.git(&["commit", "-q", "-m", "feat: two"]);
        let mut plan = live.plan("HEAD", &["dev/a"]);
        plan.units[0].id = UnitId::parse(&format!("dev/a#backend={setting}")).unwrap();
        let outcome = live.run(&plan).await;
        let unit = &outcome.dry_run.units[0];
        assert_eq!(unit.counts, Counts { replace: 1, delete: 1, update: 1, ..Counts::default() });
        fingerprints.push(unit.fingerprint.clone().unwrap());
    }
    assert_eq!(fingerprints[0], fingerprints[1]);
}

#[tokio::test]
async fn a_module_at_a_tag_is_part_of_the_fingerprint() {
    if !fixture::has("terraform", "a_module_at_a_tag_is_part_of_the_fingerprint") {
        return;
    }
    let modules = Repo::with(&[("modules/network/main.tf", "resource \"terraform_data\" \"n\" {}\n")]);
    modules.git(&["tag", "network/v1.0.0"]);
    modules.write("modules/network/main.tf", "# changed\nresource \"terraform_data\" \"n\" {}\n");
    modules.commit("fix: network");
    modules.git(&["tag", "network/v1.0.1"]);
    let live = Live::new();
    let source = |version: &str| {
        format!(
            "module \"network\" {{\n  source = \"git::file://{}//modules/network?ref=network/v{version}\"\n}}\n",
            modules.path.display()
        )
    };
    live.unit("dev/a", &source("1.0.0"));
    live.repo.commit("feat: network 1.0.0");
    let first = live.dry_run(&["dev/a"]).await;
    assert_eq!(first.dry_run.units[0].outcome, UnitOutcome::Changes, "{:?}", first.dry_run);
    assert_eq!(live.dry_run(&["dev/a"]).await.dry_run.fingerprint(), first.dry_run.fingerprint());
    // A tag that was moved: the unit's own files are the same.
    modules.git(&["tag", "-f", "network/v1.0.0", "network/v1.0.1"]);
    let moved = live.dry_run(&["dev/a"]).await;
    assert_ne!(moved.dry_run.fingerprint(), first.dry_run.fingerprint());
}
