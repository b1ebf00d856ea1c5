"""References of a live repository brought to what a modules repository released, from Python."""

import asyncio

import pytest

from conftest import git_in
from infraflow import (
    BumpError,
    BumpPlan,
    BumpTarget,
    Catalog,
    Identity,
    ModuleTags,
    Repository,
    Scaffold,
    TerraformBumper,
)

ADA = Identity(name="Ada", email="ada@example.com", when="2026-01-02T00:00:00Z")
PACKAGE = "git::https://git.example.com/acme/modules.git"
UNIT = '# keep   this   line\r\nmodule "network" {{\n  source = "' + PACKAGE + '//modules/network?depth=1&ref={}"\n}}\n'
RULES = """
[catalog]
live = ["dev/*", "prod/*"]
[environments.dev]
units = ["dev/**"]
order = 1
[environments.prod]
units = ["prod/**"]
order = 2
"""


@pytest.fixture
def modules(make_repo):
    return Repository(
        make_repo(
            {
                "modules/network/main.tf": 'variable "name" {}\n',
                "modules/dns/main.tf": 'variable "zone" {\n  type = string\n}\nvariable "ttl" {\n  default = 300\n}\n',
            }
        ).path
    )


@pytest.fixture
def live(make_repo):
    files = {"infraflow.toml": RULES}
    for environment in ("dev", "prod"):
        files[f"{environment}/network/main.tf"] = UNIT.format("network/v0.9.0")
    return Repository(make_repo(files).path)


def released(modules: Repository) -> list:
    plan = ModuleTags().plan(modules, Catalog.build(modules), tagger=ADA)
    return BumpTarget.released(PACKAGE, plan)


def test_what_was_released_reaches_dev_byte_for_byte(modules, live):
    bumper, catalog = TerraformBumper(), Catalog.build(live)
    plan = bumper.plan(live, catalog, released(modules), environment="dev")
    (edit,) = plan.edits
    assert (edit.unit, edit.environment, edit.from_, edit.to) == (
        "dev/network",
        "dev",
        "network/v0.9.0",
        "network/v1.0.0",
    )
    before = live.read("main", edit.path)
    assert before[edit.start : edit.end].decode() == edit.before
    assert [(skipped.path, skipped.reasons[0].rule) for skipped in plan.skipped] == [
        ("prod/network/main.tf", "other_environment")
    ]
    commit = dict(base="main", branch="bump/dev", message="chore: bump dev", author=ADA)
    bumped = bumper.execute(BumpPlan.from_json(plan.to_json()), live, **commit)
    assert live.read("bump/dev", edit.path) == UNIT.format("network/v1.0.0").encode()
    assert live.read("main", edit.path) == before
    assert asyncio.run(bumper.execute_async(plan, live, **commit)) == bumped

    catalog = Catalog.build(live, "bump/dev")
    promoted = bumper.plan(live, catalog, revision="bump/dev", carried_from="dev", environment="prod")
    assert [(edit.unit, edit.to) for edit in promoted.edits] == [("prod/network", "network/v1.0.0")]


def test_a_module_is_deployed_for_the_first_time(modules, live):
    scaffold = Scaffold("dev/dns", "modules/dns", modules, values={"zone": '"example.com"'})
    plan = TerraformBumper().plan(live, Catalog.build(live), released(modules), environment="dev", scaffolds=[scaffold])
    (new,) = [edit for edit in plan.edits if edit.blob is None]
    assert (new.path, new.before, new.from_) == ("dev/dns/main.tf", "", None)
    assert 'zone = "example.com"' in new.after and "dns/v1.0.0" in new.after
    with pytest.raises(BumpError):
        TerraformBumper().plan(
            live,
            Catalog.build(live),
            released(modules),
            scaffolds=[Scaffold("dev/dns", "modules/dns", modules, values={"zoom": "1"})],
        )


def test_a_plan_whose_files_changed_is_refused(modules, live):
    plan = TerraformBumper().plan(live, Catalog.build(live), released(modules))
    path = live.root / "dev/network/main.tf"
    path.write_text(path.read_text() + "# somebody was faster\n")
    git_in(live.root, "commit", "-qam", "fix: faster")
    with pytest.raises(BumpError) as caught:
        TerraformBumper().execute(plan, live, base="main", branch="bump", message="x", author=ADA)
    assert caught.value.kind == "stale"
    assert "bump" not in live.branches()


def test_one_module_can_be_named(live):
    target = BumpTarget(f"{PACKAGE}//modules/network", "network/v2.0.0", only_from="network/v0.9.0")
    plan = TerraformBumper().plan(live, Catalog.build(live), [target])
    assert [edit.to for edit in plan.edits] == ["network/v2.0.0"] * 2
