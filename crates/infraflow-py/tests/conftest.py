"""Repositories made by real git, and the one place where a Python test says that a program is missing."""

import os
import pathlib
import shutil
import subprocess

import pytest

NOBODYS_CONFIGURATION = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    **{f"GIT_{role}_NAME": "Ada" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "ada@example.com" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_DATE": "2026-01-01T00:00:00Z" for role in ("AUTHOR", "COMMITTER")},
}


def git_in(folder: pathlib.Path, *arguments: str) -> str:
    """Runs git with a fixed identity and date, and nobody's configuration."""
    command = ["git", "-c", "protocol.file.allow=always", *arguments]
    environment = {**os.environ, **NOBODYS_CONFIGURATION}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout.rstrip("\n")


class Repo:
    """A repository with a trunk called `main`, a fixed author and fixed dates."""

    def __init__(self, path: pathlib.Path, files: dict[str, str]) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.commit("feat: begin", files)

    def git(self, *arguments: str) -> str:
        return git_in(self.path, *arguments)

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def commit(self, message: str, files: dict[str, str] | None = None) -> str:
        self.write(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def make_repo(tmp_path: pathlib.Path, needs):
    """`make_repo({"path": "text"})`: a repository whose first commit has these files."""
    needs("git")
    made = 0

    def make(files: dict[str, str], name: str | None = None) -> Repo:
        nonlocal made
        made += 1
        return Repo(tmp_path / (name or f"repo{made}"), files)

    return make


@pytest.fixture
def needs(request: pytest.FixtureRequest):
    """`needs("terraform")`: skips the test, aloud, where the program is missing; in CI, fails it."""

    def check(program: str) -> None:
        if shutil.which(program):
            return
        said = f"{request.node.nodeid} needs {program}"
        if os.environ.get("CI") and program in ("git", "terraform"):
            pytest.fail(f"{said}, which is not on the PATH")
        if file := os.environ.get("INFRAFLOW_SKIPPED"):
            with open(file, "a", encoding="utf-8") as skipped:
                skipped.write(said + "\n")
        pytest.skip(said)

    return check
