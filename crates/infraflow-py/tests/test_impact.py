"""From what changed to what is affected, tested, and of what nature: the same words as in Rust."""

import pytest

from infraflow import (
    Catalog,
    CatalogError,
    Configuration,
    GitError,
    Repository,
    StepGraph,
    detect,
    impact,
    nature,
    nightly,
    reach,
    select,
    steps,
)

CALL = 'module "{0}" {{\n  source = "{1}"\n}}\n'

MODULES = {
    "modules/network/main.tf": 'variable "name" {}\noutput "id" { value = var.name }\n',
    "modules/network/examples/basic/main.tf": CALL.format("network", "../.."),
    "modules/cluster/main.tf": CALL.format("network", "../network"),
    "modules/cluster/examples/basic/main.tf": CALL.format("cluster", "../.."),
    "modules/dns/main.tf": 'variable "zone" {}\n',
    "modules/dns/examples/basic/main.tf": CALL.format("dns", "../.."),
    "dev/cluster/main.tf": CALL.format("cluster", "../../modules/cluster"),
    "dev/dns/main.tf": CALL.format("dns", "../../modules/dns"),
    "infraflow.toml": '[catalog]\nlive = ["dev/*"]\n[environments.dev]\nunits = ["dev/**"]\norder = 1\n',
}


@pytest.fixture
def change(make_repo):
    repo = make_repo(MODULES)
    repo.git("checkout", "-q", "-b", "feature")
    repo.commit("feat: more", {"modules/network/main.tf": MODULES["modules/network/main.tf"] + "# more\n"})
    repository = Repository(repo.path)
    changes = detect(repository)
    base, head = Catalog.build(repository, changes.merge_base), Catalog.build(repository)
    return repo, base, head, impact(changes, base, head)


def test_a_catalog_tells_modules_units_and_cases_apart(change):
    _, _, head, _ = change
    assert [module.path for module in head.modules] == ["modules/cluster", "modules/dns", "modules/network"]
    assert [(unit.id, unit.environment) for unit in head.units] == [("dev/cluster", "dev"), ("dev/dns", "dev")]
    assert [case.module for case in head.cases] == ["modules/cluster", "modules/dns", "modules/network"]
    (call,) = [call for call in head.calls if call.unit == "dev/dns"]
    assert (call.in_file, call.name, call.target) == ("dev/dns/main.tf", "dns", "modules/dns")
    assert call.source == "../../modules/dns" and call.version is None
    (edge,) = [r for r in head.references if r.from_ == {"unit": "dev/dns"} and r.kind == "module_call"]
    assert edge.to == {"module": "modules/dns"} and edge.link.path == "dev/dns/main.tf"


def test_impact_is_transitive_and_every_thing_has_its_chain(change):
    _, _, _, affected = change
    assert [module.path for module in affected.modules] == ["modules/cluster", "modules/network"]
    assert [unit.id for unit in affected.units] == ["dev/cluster"]
    chain = affected.units[0].reasons[0].chain
    assert chain[0].path == "modules/network/main.tf"
    assert [link.reference for link in chain[1:]] == ["module.network", "module.cluster"]
    assert type(affected).from_json(affected.to_json()) == affected


def test_only_what_the_change_touches_is_tested(change):
    _, _, head, affected = change
    tests = select(affected, head, shards=2, seconds={"modules/network/examples/basic": 30})
    assert [case.module for case in tests.cases] == ["modules/cluster", "modules/network"]
    assert [case.id for case in tests.skipped] == ["modules/dns/examples/basic"]
    assert sorted(shard.estimate_seconds for shard in tests.shards) == [30, 600]
    assert len(nightly(head).cases) == 3


def test_the_nature_of_a_change_and_its_steps(change):
    _, _, head, affected = change
    of_change = nature(affected)
    assert of_change.nature == "both" and of_change.reasons
    graph = steps(of_change, affected, select(affected, head))
    assert StepGraph.from_json(graph.to_json()) == graph
    names = [step.id for step in graph.steps]
    assert "dry_run:dev/cluster" in names and "sandbox:modules/network/examples/basic" in names
    assert not any("dns" in name for name in names)


def test_a_change_is_cataloged_by_trunks_rules_unless_others_are_given(change):
    repo, *_ = change
    repo.commit("feat: my own rules", {"infraflow.toml": ""})
    repository = Repository(repo.path)
    assert [unit.environment for unit in Catalog.build(repository).units] == ["dev", "dev"]
    own = Catalog.build(repository, configuration=Configuration.read(repository, "HEAD"))
    assert "dev/dns" not in [unit.id for unit in own.units]
    named = Catalog.build(repository, configuration=Configuration(), live=["dev/dns"])
    assert "dev/dns" in [unit.id for unit in named.units]


def test_a_live_repository_is_reached_before_any_tag_exists(change, make_repo):
    *_, affected = change
    source = "git::https://example.com/org/modules.git//modules/network?ref=network/v1.2.0"
    live = make_repo({"prod/network/main.tf": CALL.format("network", source)})
    catalog = Catalog.build(Repository(live.path), live=["prod/*"])
    (reached,) = reach(affected, catalog, ["git::https://example.com/org/modules.git"])
    assert (reached.unit, reached.module, reached.pinned) == ("prod/network", "modules/network", "network/v1.2.0")
    assert reach(affected, catalog, ["git::https://example.com/org/others.git"]) == ()


def test_broken_configuration_is_never_ignored(change):
    repo, base, *_ = change
    repo.commit("feat: broken", {"modules/dns/main.tf": 'variable "zone" {\n'})
    repository = Repository(repo.path)
    head = Catalog.build(repository)
    assert [broken.path for broken in head.unparsable] == ["modules/dns/main.tf"]
    affected = impact(detect(repository), base, head)
    assert "modules/dns" in [module.path for module in affected.modules]
    assert affected.unparsable == head.unparsable


def test_an_unknown_revision_is_a_typed_error(change):
    repo, *_ = change
    with pytest.raises((GitError, CatalogError)) as caught:
        Catalog.build(Repository(repo.path), "nowhere")
    assert caught.value.kind == "unknown_revision"
