#!/usr/bin/env bash
# The one command that tests everything, from a fresh clone: Rust unit, integration and documentation tests,
# the wheel built and installed into .venv, pytest, and the type stubs held against the extension.
# Ends with one line, "N passed, N failed, N skipped"; exits 1 unless everything that ran passed.
#   CI            set: a missing git, terraform or python fails instead of being skipped
#   CARGO_TARGET_DIR, PIP_*   as cargo and pip have them
set -uo pipefail
cd "$(dirname "$0")" || exit 2

passed=0 failed=0
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
export INFRAFLOW_SKIPPED="$work/skipped"
: >"$INFRAFLOW_SKIPPED"

say() { printf '\n== %s\n' "$*"; }
skipped_so_far() { wc -l <"$INFRAFLOW_SKIPPED"; }
fail() { # what could not be done, and what to do about it
    printf 'error: %s\n  help: %s\n' "$1" "$2" >&2
    failed=$((failed + 1))
}
skip() { printf '%s\n' "$1" >>"$INFRAFLOW_SKIPPED"; }
finish() {
    local skipped
    skipped=$(skipped_so_far)
    if [ "$skipped" -gt 0 ]; then
        say "$skipped skipped, each with what it needs:"
        sort "$INFRAFLOW_SKIPPED" | sed 's/^/  /'
    fi
    printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" -eq 0 ]
    exit
}

for program in cargo git cc; do
    command -v "$program" >/dev/null || {
        fail "cannot test: $program is not on the PATH" "install Rust (https://rustup.rs), git and a C compiler"
        finish
    }
done

# --- Rust ------------------------------------------------------------------------------------------------
rust() { # what, cargo arguments…
    local what=$1 log="$work/cargo.log" status counts skipped
    shift
    say "$what"
    skipped=$(skipped_so_far)
    cargo test --no-fail-fast --features infraflow-core/conformance "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    # "test result: ok. 12 passed; 0 failed; 1 ignored; …", once per binary
    counts=$(awk '/^test result: / { p += $4; f += $6 } END { print p + 0, f + 0 }' "$log")
    read -r p f <<<"$counts"
    # A test without its program returns early, or leaves out the part that needs it, and cargo counts it as
    # passed: here it counts as skipped.
    passed=$((passed + p - ($(skipped_so_far) - skipped)))
    failed=$((failed + f))
    sed -n 's/^test \(.*\) \.\.\. ignored\(, \)\{0,1\}\(.*\)$/\1 is marked as ignored: \3/p' "$log" | sed 's/: $//' \
        >>"$INFRAFLOW_SKIPPED"
    if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
        fail "cannot run the Rust tests: cargo ended with $status" "the compiler's messages stand above"
    fi
}
# Without a choice of targets cargo also builds the example programs, which tests start.
rust "Rust: unit, integration and documentation tests"

# --- Python ----------------------------------------------------------------------------------------------
say "Python: the wheel, pytest, stubtest"
python=${PYTHON:-python3}
if ! command -v "$python" >/dev/null; then
    if [ -n "${CI:-}" ]; then
        fail "cannot test the Python extension: $python is not on the PATH" "install Python 3.10 or newer"
    else
        skip "the Python extension needs python3"
    fi
    finish
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
    fail "cannot test the Python extension with $("$python" --version): its test tools need 3.10" \
        "set PYTHON to a newer one (the wheel itself runs on 3.9 and newer)"
    finish
}
requirements=crates/infraflow-py/requirements.txt
if ! cmp -s "$requirements" .venv/requirements.txt || ! .venv/bin/python -c '' 2>/dev/null; then
    rm -rf .venv
    "$python" -m venv .venv || {
        fail "cannot make a virtual environment at .venv" "install the venv module (Debian: python3-venv)"
        finish
    }
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$requirements" </dev/null || {
        fail "cannot install $requirements: pip failed, see above" \
            "go online, or set PIP_FIND_LINKS to a folder with these wheels; the second run needs no network"
        finish
    }
    cp "$requirements" .venv/requirements.txt
fi
rm -rf "$work/wheel"
.venv/bin/maturin build --quiet --profile dev -m crates/infraflow-py/Cargo.toml -i "$PWD/.venv/bin/python" \
    --out "$work/wheel" </dev/null || {
    fail "cannot build the wheel: maturin failed, see above" "the compiler's messages stand above"
    finish
}
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall \
    "$work"/wheel/*.whl || {
    fail "cannot install the wheel" "pip's message stands above"
    finish
}

# The tests write their skips to INFRAFLOW_SKIPPED themselves, so that both languages are counted alike.
.venv/bin/python -m pytest -q -rs -p no:cacheprovider --junit-xml "$work/pytest.xml" crates/infraflow-py/tests </dev/null
status=$?
if [ -f "$work/pytest.xml" ]; then
    read -r p f < <(.venv/bin/python - "$work/pytest.xml" <<'PY'
import sys, xml.etree.ElementTree as xml
suites = list(xml.parse(sys.argv[1]).getroot().iter("testsuite"))
total, bad, skipped = (sum(sum(int(s.get(k)) for k in keys) for s in suites)
                       for keys in (["tests"], ["failures", "errors"], ["skipped"]))
print(total - bad - skipped, bad)
PY
    )
    passed=$((passed + p)) failed=$((failed + f))
fi
if [ "$status" -ne 0 ] && [ "${f:-0}" -eq 0 ]; then
    fail "cannot run pytest: it ended with $status" "its message stands above"
fi

# stubtest imports the installed package, and compares it with what its stubs say.
if (cd "$work" && "$OLDPWD/.venv/bin/python" -m mypy.stubtest infraflow --concise </dev/null); then
    passed=$((passed + 1))
else
    fail "the stubs of the Python package are not what the extension has" \
        "bring crates/infraflow-py/python/infraflow/_infraflow.pyi up to date"
fi
finish
