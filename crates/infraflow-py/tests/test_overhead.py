"""The benchmark that tells what Python costs, on a small repository: Rust and Python answer with the same bytes."""

import os
import pathlib
import subprocess
import sys

import pytest


def test_rust_and_python_answer_with_the_same_json():
    root = pathlib.Path(__file__).parents[3]
    program = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "debug" / "python"
    if not program.is_file():
        said = "test_rust_and_python_answer_with_the_same_json needs target/debug/python: cargo build -p infraflow-benches"
        if file := os.environ.get("INFRAFLOW_SKIPPED"):
            with open(file, "a", encoding="utf-8") as skipped:
                skipped.write(said + "\n")
        pytest.skip(said)
    done = subprocess.run([program, "--quick", "--python", sys.executable], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the JSON of both is the same, byte by byte" in done.stdout
    assert all(row in done.stdout for row in ("cold (1 runs)", "warm (10 runs)", "one that imports infraflow"))
