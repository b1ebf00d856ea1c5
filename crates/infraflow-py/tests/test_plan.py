"""What a plan of real Terraform does, and its secrets out of its log."""

import json
import os
import subprocess

import pytest

from infraflow import PlanSummary, SecretRedactor, TerraformError, plan_summary

CONFIGURATION = """
variable "password" {
  type      = string
  sensitive = true
}
resource "terraform_data" "a" {
  input            = { name = "a", password = var.password }
  triggers_replace = [var.password]
}
output "name" {
  value = "plain"
}
"""


@pytest.fixture
def terraform(needs, tmp_path):
    needs("terraform")
    (tmp_path / "main.tf").write_text(CONFIGURATION)

    def run(*arguments: str, password: str = "correct horse") -> bytes:
        environment = {**os.environ, "TF_VAR_password": password, "TF_IN_AUTOMATION": "1"}
        done = subprocess.run(["terraform", *arguments], cwd=tmp_path, env=environment, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    run("init", "-input=false")
    return run


def test_a_replacement_counts_once_and_shows_no_value(terraform):
    terraform("apply", "-auto-approve", "-input=false")
    terraform("plan", "-input=false", "-out=plan", password="battery staple")
    summary = plan_summary(terraform("show", "-json", "plan"))
    assert (summary.counts.replace, summary.counts.create, summary.counts.delete) == (1, 0, 0)
    (change,) = summary.changes
    assert (change.address, change.type, change.mode) == ("terraform_data.a", "terraform_data", "managed")
    assert change.actions == ("delete", "create") and change.import_ is False
    assert "triggers_replace" in change.forced_by[0]
    assert summary.counts.import_ == summary.counts.move == 0
    assert "battery" not in summary.to_json() and "horse" not in summary.to_json()
    assert PlanSummary.from_json(summary.to_json()) == summary
    assert "import_=False" in repr(change) and type(change).from_json(change.to_json()) == change
    rebuilt = {name: getattr(change, name) for name in ("address", "type", "mode", "actions", "reason")}
    assert type(change)(**rebuilt, attributes=change.attributes, forced_by=change.forced_by, import_=False) == change


def test_what_is_no_plan_is_a_typed_error():
    for bad in (b"", b"{}", b'{"format_version": "9.0"}', b"[1]"):
        with pytest.raises(TerraformError):
            plan_summary(bad)


def test_secrets_are_taken_out_whatever_the_chunking(terraform):
    log = terraform("plan", "-input=false", "-no-color") + json.dumps({"p": "correct horse"}).encode()
    redactor = SecretRedactor({"var.password": "correct horse", "flag": "true"})
    whole, report = redactor.redact(log)
    assert b"correct horse" not in whole
    assert [(found.name, found.count) for found in report.redacted] == [("var.password", 1)]
    assert [(left.name, left.why) for left in report.left_alone] == [("flag", "trivial")]
    for size in (1, 7, 64):
        redaction = redactor.start()
        shown = b"".join(redaction.push(log[at : at + size]) for at in range(0, len(log), size))
        rest, again = redaction.finish()
        assert (shown + rest, again) == (whole, report)
    with pytest.raises(ValueError, match="finished"):
        redaction.push(b"more")
    assert "horse" not in repr(redactor)
