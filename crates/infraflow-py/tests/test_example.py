"""The example script, run as a user runs it."""

import json
import os
import pathlib
import re
import subprocess
import sys

from infraflow import BumpPlan

README = pathlib.Path(__file__).parents[3] / "README.md"
SCRIPT = pathlib.Path(__file__).parents[3] / "examples" / "python" / "detect_to_bump.py"
PACKAGE = "git::https://git.example.com/acme/modules.git"


def call(module: str, version: str) -> str:
    return f'module "it" {{\n  source = "{PACKAGE}//modules/{module}?ref={module}/v{version}"\n}}\n'


def test_detect_to_bump_runs_as_it_is(make_repo, tmp_path):
    modules = make_repo(
        {"modules/network/main.tf": 'variable "name" {}\n', "modules/dns/main.tf": 'variable "zone" {}\n'}, "modules"
    )
    for module in ("network", "dns"):
        modules.git("tag", "-a", "-m", "first", f"{module}/v1.0.0")
    modules.git("checkout", "-q", "-b", "feature")
    modules.commit("feat: a suffix", {"modules/network/main.tf": 'variable "name" {}\nvariable "suffix" { default = "" }\n'})
    live = make_repo(
        {
            "infraflow.toml": '[catalog]\nlive = ["*/*"]\n[environments.dev]\nunits = ["dev/**"]\norder = 1\n'
            '[environments.prod]\nunits = ["prod/**"]\norder = 2\n',
            "dev/network/main.tf": call("network", "1.0.0"),
            "dev/dns/main.tf": call("dns", "1.0.0"),
            "prod/network/main.tf": call("network", "1.0.0"),
        },
        "live",
    )

    def run(*more: str) -> subprocess.CompletedProcess:
        words = ["--repo", modules.path, "--live-repo", live.path, "--package", PACKAGE, "--date", "2026-01-02T00:00:00Z"]
        return subprocess.run([sys.executable, SCRIPT, *words, *more], capture_output=True, text=True, cwd=tmp_path)

    done = run()
    assert done.returncode == 0, done.stderr
    assert "to be tagged: network/v1.1.0 (minor: " in done.stdout and "dns" not in done.stdout
    assert "reaches prod/network, which is at network/v1.0.0" in done.stdout

    done = run("--json", "--out", "plan.json", "--execute", "bump/dev")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (tmp_path / "plan.json").read_text()
    plan = BumpPlan.from_json(done.stdout)
    assert [(edit.unit, edit.from_, edit.to) for edit in plan.edits] == [("dev/network", "network/v1.0.0", "network/v1.1.0")]
    assert json.loads(run("--json").stdout)["digest"] == plan.digest
    assert live.git("show", "bump/dev:dev/network/main.tf") == call("network", "1.1.0").rstrip()
    assert live.git("diff", "--name-only", "main", "bump/dev") == "dev/network/main.tf"

    failed = run("--head", "nowhere")
    assert failed.returncode == 2 and failed.stderr.startswith("error: cannot resolve") and "help: " in failed.stderr


def test_the_example_is_typed_by_the_stubs(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path, SCRIPT],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout


def test_the_ten_lines_of_the_readme_run_as_they_are(make_repo, tmp_path):
    (ten_lines,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    repo = make_repo(
        {
            "modules/net/main.tf": "# net\n",
            "modules/net/examples/x/main.tf": 'module "net" {\n  source = "../.."\n}\n',
            "live/a/main.tf": 'module "net" {\n  source = "../../modules/net"\n}\n',
            "infraflow.toml": "[catalog]\nlive = ['live/*']\n",
        }
    )
    repo.git("checkout", "-q", "-b", "feature")
    repo.commit("feat: more", {"modules/net/main.tf": "# more\n"})
    environment = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    for _ in ("nothing kept", "from the kept index"):
        done = subprocess.run([sys.executable, "-c", ten_lines], capture_output=True, text=True, cwd=repo.path, env=environment)
        assert done.returncode == 0, done.stderr
        planned, tested = done.stdout.splitlines()
        assert planned.startswith("plan live/a because ") and tested.startswith("test modules/net/examples/x because ")
    script = tmp_path / "ten_lines.py"
    script.write_text(ten_lines, encoding="utf-8")
    words = ["-m", "mypy", "--strict", "--cache-dir", tmp_path, script]
    typed = subprocess.run([sys.executable, *words], capture_output=True, text=True, cwd=tmp_path)
    assert typed.returncode == 0, typed.stdout
