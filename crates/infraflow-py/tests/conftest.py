"""Repositories made by real git, and the one place where a Python test says that a program is missing."""

import os
import shutil

import pytest


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
