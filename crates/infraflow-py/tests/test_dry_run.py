"""Real Terraform from Python: dry run, publish, open; with an observer and credentials written in Python."""

import asyncio
import os
import subprocess
import sys
import textwrap

import pytest

from infraflow import (
    AllowedSigners,
    Catalog,
    DryRun,
    DryRunPlan,
    ProcessError,
    PublishError,
    Repository,
    SealError,
    SealingKey,
    SharedKeySealer,
    SigningKey,
    Store,
    StorePublisher,
    TerraformDryRunner,
    detect,
    drift_report,
    impact,
    open_log,
    openings,
)

LIVE = {
    "infraflow.toml": '[catalog]\nlive = ["dev/*"]\n[environments.dev]\nunits = ["dev/**"]\norder = 1\n',
    "dev/network/main.tf": 'resource "terraform_data" "net" {\n  input = "10.0.0.0/16"\n}\n',
    "dev/database/main.tf": textwrap.dedent(
        """\
        variable "password" {
          type      = string
          sensitive = true
          default   = "correct horse battery"
        }
        resource "terraform_data" "db" {
          input = { name = "db", password = var.password }
        }
        """
    ),
}


@pytest.fixture
def live(make_repo, needs):
    needs("terraform")
    repo = make_repo(LIVE)
    repo.git("checkout", "-q", "-b", "feature")
    repo.commit("feat: bigger", {"dev/database/main.tf": LIVE["dev/database/main.tf"].replace('"db"\n', '"db2"\n') + "# more\n"})
    return Repository(repo.path)


@pytest.fixture
def change(live):
    changes = detect(live)
    head = Catalog.build(live)
    return head, impact(changes, Catalog.build(live, changes.merge_base), head)


def test_the_units_of_a_change_are_dry_run_and_no_others(live, change):
    head, affected = change
    runner = TerraformDryRunner(parallel=2, time_limit=120)
    assert runner.tool.startswith(("terraform 1.", "tofu 1."))
    plan = runner.plan(live, "HEAD", head, impact=affected)
    assert [(unit.id, unit.environment) for unit in plan.units] == [("dev/database", "dev")]
    assert DryRunPlan.from_json(plan.to_json()) == plan
    events = []
    with runner.observe(live, plan, observer=events.append) as outcome:
        (unit,) = outcome.dry_run.units
        assert (unit.outcome, unit.counts.create, unit.mocked) == ("changes", 1, False)
        assert unit.plan.changes[0].address == "terraform_data.db"
        assert DryRun.from_json(outcome.dry_run.to_json()) == outcome.dry_run
        assert "correct horse" not in outcome.dry_run.to_json()
        (files,) = outcome.artefacts
        assert files.log.is_file() and files.plan_file.is_file() and outcome.folder in files.log.parents
        folder = outcome.folder
    assert not folder.exists()
    with pytest.raises(ValueError, match="removed by close"):
        outcome.artefacts
    assert [event.happening for event in events if event.subject == "dev/database"][0] == "started"
    assert all(event.stage == "dry_run" for event in events)


def test_a_whole_revision_has_a_drift_report(live):
    runner = TerraformDryRunner()
    plan = runner.plan(live, "main", Catalog.build(live, "main"))
    with runner.observe(live, plan) as outcome:
        report = drift_report(plan, outcome.dry_run)
    assert [(unit.id, unit.outcome) for unit in report.units] == [("dev/database", "changes"), ("dev/network", "changes")]
    assert {place.address for unit in report.units for place in unit.disagreements} >= {"terraform_data.net"}


def test_credentials_written_in_python_are_all_that_a_tool_sees(live, change):
    head, affected = change
    runner = TerraformDryRunner()
    plan = runner.plan(live, "HEAD", head, impact=affected)

    class Provider:
        def __init__(self):
            self.asked = []

        async def credentials(self, environment, purpose):
            self.asked.append((environment, purpose, asyncio.get_running_loop()))
            await asyncio.sleep(0)
            return {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "TF_VAR_password": "from the provider"}

    provider = Provider()

    async def run():
        outcome = await runner.observe_async(live, plan, credentials=provider)
        with outcome:
            (files,) = outcome.artefacts
            return asyncio.get_running_loop(), outcome.dry_run.units[0].outcome, files.plan_json.read_text()

    loop, result, plan_json = asyncio.run(run())
    assert result == "changes" and "from the provider" in plan_json
    assert provider.asked == [("dev", "plan", loop)]

    class Broken:
        def credentials(self, environment, purpose):
            raise PermissionError("not on a Sunday")

    with runner.observe(live, plan, credentials=Broken()) as outcome:
        (unit,) = outcome.dry_run.units
        assert unit.outcome == "error" and "not on a Sunday" in unit.reasons[-1].text


def test_what_was_published_in_clear_has_no_secret_and_the_sealed_log_opens(live, change, tmp_path):
    head, affected = change
    runner, store = TerraformDryRunner(), Store.folder(tmp_path / "store")
    key, sealing = SigningKey.generate("ci"), SealingKey.generate()
    publisher = StorePublisher(
        store, repository="live", run="run-1", key=key, sealers={"dev": SharedKeySealer(sealing)}
    )
    with runner.observe(live, runner.plan(live, "HEAD", head, impact=affected), store=store) as outcome:
        plan = publisher.plan(outcome.dry_run)
        published = publisher.execute(plan, outcome)
        assert publisher.execute(plan, outcome).digest == published.digest
        log = outcome.artefacts[0].log.read_bytes()
    assert "dev/database" in published.text and "correct horse" not in published.to_json()
    for path in (tmp_path / "store").rglob("*"):
        assert path.is_dir() or b"correct horse" not in path.read_bytes()

    (unit,) = published.units
    signers = AllowedSigners(f"ci@example.com {key.verifying_key}\n")
    assert signers.principals == ("ci@example.com",)
    opened = open_log(
        store, unit.manifest, tmp_path / "log", signers=signers, sealer=SharedKeySealer(sealing), by="ada"
    )
    assert (tmp_path / "log").read_bytes() == log and opened.length == len(log)
    assert (opened.unit, opened.signers) == ("dev/database", ["ci@example.com"])
    assert [(opening.by, opening.item) for opening in openings(store, unit.manifest)] == [("ada", "log")]

    stranger = AllowedSigners(f"eve@example.com {SigningKey.generate().verifying_key}\n")
    with pytest.raises(PublishError) as caught:
        open_log(store, unit.manifest, tmp_path / "no", signers=stranger, sealer=SharedKeySealer(sealing), by="eve")
    assert caught.value.kind == "untrusted"
    wrong = SharedKeySealer(SealingKey.generate())
    with pytest.raises((PublishError, SealError)):
        open_log(store, unit.manifest, tmp_path / "no", signers=signers, sealer=wrong, by="eve")
    assert not (tmp_path / "no").exists()


def test_a_missing_tool_is_a_typed_error(tmp_path):
    with pytest.raises(ProcessError, match="No such file"):
        TerraformDryRunner(program=tmp_path / "terraform")


@pytest.fixture
def slow(make_repo, needs, tmp_path):
    """A repository, a terraform that never ends unless it is interrupted, and the file where it says so."""
    needs("terraform")
    marks, program = tmp_path / "marks", tmp_path / "terraform"
    program.write_text(
        "#!/bin/sh\n"
        'case "$*" in *version*) exec terraform "$@";; esac\n'
        f"trap 'echo interrupted >>{marks}; exit 1' INT\n"
        f"echo began >>{marks}\n"
        "while :; do sleep 0.05; done\n"
    )
    program.chmod(0o755)
    return make_repo(LIVE).path, program, marks


def test_a_cancelled_dry_run_interrupts_the_tool_and_waits_for_its_end(slow):
    path, program, marks = slow
    repository, runner = Repository(path), TerraformDryRunner(program=program, parallel=1)
    plan = runner.plan(repository, "main", Catalog.build(repository), units=["dev/network"])

    async def run():
        task = asyncio.ensure_future(runner.observe_async(repository, plan))
        while not marks.exists():
            await asyncio.sleep(0.02)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
    assert marks.read_text().splitlines() == ["began", "interrupted"]


def test_ctrl_c_interrupts_the_tool_and_waits_for_its_end(slow):
    path, program, marks = slow
    script = textwrap.dedent(
        """
        import os, pathlib, signal, sys, threading, time, infraflow
        path, program, marks = map(pathlib.Path, sys.argv[1:])
        repository, runner = infraflow.Repository(path), infraflow.TerraformDryRunner(program=program)
        plan = runner.plan(repository, "main", infraflow.Catalog.build(repository), units=["dev/network"])
        def strike():
            while not marks.exists():
                time.sleep(0.02)
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=strike).start()
        try:
            runner.observe(repository, plan)
        except KeyboardInterrupt:
            print(marks.read_text(), end="")
        """
    )
    command = [sys.executable, "-c", script, path, program, marks]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("began\ninterrupted\n", "")
