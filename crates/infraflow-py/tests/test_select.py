"""Which test cases run, by what is known of earlier runs."""

import pytest

from infraflow import (
    Catalog,
    Configuration,
    Contents,
    History,
    RecordedRun,
    Repository,
    TestPlan,
    detect,
    impact,
    nightly,
    select,
)

CALL = 'module "it" {\n  source = "../.."\n}\n'
NOW = "2026-01-31T12:00:00Z"
TOOL = "terraform 1.11.4"
NAMES = ("a", "b", "c")


def case(name: str) -> str:
    return f"modules/{name}/examples/basic"


def run(name: str, outcome: str, run: str, content: str | None = None) -> RecordedRun:
    at = "2026-01-30T02:00:00Z" if outcome == "failed" else "2026-01-29T02:00:00Z"
    return RecordedRun(case=case(name), run=run, outcome=outcome, seconds=600, at=at, content=content)


@pytest.fixture
def change(make_repo):
    files = {f"modules/{name}/main.tf": "locals {}\n" for name in NAMES}
    files |= {f"{case(name)}/main.tf": CALL for name in NAMES}
    repo = make_repo(files)
    repo.git("checkout", "-q", "-b", "feature")
    repo.commit("feat: more", {f"modules/{name}/main.tf": "locals {\n  x = 1\n}\n" for name in NAMES})
    repository = Repository(repo.path)
    changes = detect(repository)
    head = Catalog.build(repository)
    return repository, head, impact(changes, Catalog.build(repository, changes.merge_base), head)


def test_what_failed_runs_first_and_a_budget_names_what_it_leaves_out(change):
    _, head, affected = change
    history = History([run("c", "failed", "r1"), run("a", "passed", "r1")])
    assert history.seconds_of(case("a")) == 600 and history.seconds_of(case("b")) is None
    tests = select(affected, head, history=history, at=NOW)
    assert [shard.cases[0] for shard in tests.shards] == [case("c")]
    short = select(affected, head, history=history, budget_minutes=20, at=NOW)
    assert [planned.id for planned in short.cases] == [case("a"), case("c")]
    (left_out,) = short.skipped
    assert (left_out.id, left_out.reasons[0].rule) == (case("b"), "budget")
    assert short.budget.left_out == 1 and "1 of 3 cases" in short.warnings[0]
    assert TestPlan.from_json(short.to_json()) == short


def test_what_passed_with_the_same_content_is_skipped_with_the_run_that_proves_it(change, tmp_path):
    repository, head, affected = change
    contents = Contents.of(repository, "HEAD", head, tool=TOOL)
    history = History([run("a", "passed", "r7", contents.digest_of(case("a")))])
    file = tmp_path / "history.jsonl"
    history.append_file(file)
    assert History.read_file(file) == history
    tests = select(affected, head, history=History.read_file(file), contents=contents, skip_green=True, at=NOW)
    (skipped,) = tests.skipped
    assert (skipped.id, skipped.reasons[0].rule, skipped.proof.run) == (case("a"), "green", "r7")
    assert tests.contents_of.tool == TOOL and tests.cases[0].content == contents.digest_of(case("b"))
    newer = Contents.of(repository, "HEAD", head, tool="terraform 1.12.0")
    assert not select(affected, head, history=history, contents=newer, skip_green=True, at=NOW).skipped
    assert len(nightly(head, history=history, contents=contents, at=NOW).cases) == 3
    with pytest.raises(ValueError, match="contents"):
        select(affected, head, history=history, skip_green=True)


def test_a_quarantine_holds_until_its_day(change):
    _, head, affected = change
    text = "[[select.quarantine]]\ncases = 'modules/a/**'\nuntil = '2026-01-31'\nreason = 'flaky'\nwho = 'ada'\n"
    configuration = Configuration.parse(text)
    first = select(affected, head, configuration=configuration, at=NOW).cases[0]
    assert (first.quarantine.until, first.quarantine.who) == ("2026-01-31", "ada")
    after = select(affected, head, configuration=configuration, at="2026-02-01T00:00:00Z")
    assert after.cases[0].quarantine is None and "ended on 2026-01-31" in after.warnings[0]
