"""From what changed to what is affected, tested, and of what nature: the same words as in Rust."""

import pickle

import pytest

from infraflow import (
    BranchAge,
    Catalog,
    CatalogCache,
    CatalogError,
    Configuration,
    GitError,
    Reach,
    Repository,
    StepGraph,
    detect,
    dot,
    graph,
    impact,
    mermaid,
    nature,
    nightly,
    reach,
    scope,
    select,
    steps,
    tell_renames,
    why,
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


def test_the_rules_of_an_impact_are_those_of_trunk(make_repo):
    rule = '[[impact.rules]]\npaths = ["modules/dns/**"]\ndo = "everything"\nreason = "all of it"\n'
    repo = make_repo({**MODULES, "infraflow.toml": MODULES["infraflow.toml"] + rule})
    repo.git("checkout", "-q", "-b", "feature")
    # The branch would do away with the rule that it is judged by.
    repo.commit("feat: more", {"modules/dns/notes.txt": "more", "infraflow.toml": MODULES["infraflow.toml"]})
    repository = Repository(repo.path)
    changes = detect(repository)
    ends = CatalogCache.none().ends(repository, changes.merge_base, changes.head)
    units = ["dev/cluster", "dev/dns"]
    assert [unit.id for unit in impact(changes, *ends).units] == units
    built = (Catalog.build(repository, changes.merge_base), Catalog.build(repository))
    assert [unit.id for unit in impact(changes, *built).units] == units
    of_branch = Configuration.read(repository, "feature")
    given = impact(changes, *ends, configuration=of_branch)
    assert "modules/dns/notes.txt" not in [ruled.path for ruled in given.ruled]
    mine = CatalogCache.none().ends(repository, changes.merge_base, changes.head, configuration=of_branch)
    assert impact(changes, *mine) == given
    assert why("dev/cluster", impact(changes, *ends), ends[1]).affected


def test_a_catalog_tells_modules_units_and_cases_apart(change):
    _, _, head, _ = change
    assert [module.path for module in head.modules] == ["modules/cluster", "modules/dns", "modules/network"]
    assert [(unit.id, unit.environment) for unit in head.units] == [("dev/cluster", "dev"), ("dev/dns", "dev")]
    assert [case.module for case in head.cases] == ["modules/cluster", "modules/dns", "modules/network"]
    (call,) = [call for call in head.calls if call.units == ("dev/dns",)]
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
    found = reach(affected, catalog, ["git::https://example.com/org/modules.git"])
    (reached,) = found.reached
    assert (found.head, found.live) == (affected.head, catalog.revision)
    assert Reach.from_json(found.to_json()) == found == pickle.loads(pickle.dumps(found))
    assert (reached.unit, reached.module, reached.pinned) == ("prod/network", "modules/network", "network/v1.2.0")
    assert reach(affected, catalog, ["git::https://example.com/org/others.git"]).reached == ()


def test_newest_tags_and_registries_are_told(change, make_repo):
    *_, affected = change
    git = "git::https://example.com/org/modules.git//modules/network?ref=network/v1.2.0"
    files = {"prod/a/main.tf": CALL.format("network", git), "prod/b/main.tf": CALL.format("n", "r.example.com/org/network/aws")}
    catalog = Catalog.build(Repository(make_repo(files).path), live=["prod/*"])
    rules = Configuration.parse(
        "[[impact.published]]\nsource = 'r.example.com/org/{name}/aws'\nmodule = 'modules/{name}'\n"
    )
    addresses = ["git::https://example.com/org/modules.git"]
    found = reach(affected, catalog, addresses, configuration=rules, tags=["network/v1.2.0", "network/v1.3.0"])
    assert [(it.unit, it.newest, it.is_newest, it.when) for it in found.reached] == [
        ("prod/a", "network/v1.3.0", False, "bumped"),
        ("prod/b", None, None, "released"),
    ]


def test_why_and_why_not_the_scope_and_the_graph(change):
    repo, _, head, affected = change
    yes = why("dev/cluster", affected, head)
    assert yes.affected and yes.things[0].reasons == affected.units[0].reasons
    no = why("dev/dns", affected, head)
    assert not no.affected and no.reasons[0].rule == "nothing_changed"
    assert type(no).from_json(no.to_json()) == no
    size = scope(affected, branch=BranchAge(ahead=1, behind=2, days=9))
    assert (size.files, size.modules, size.units, size.environments) == (1, 2, 1, ("dev",))
    assert [warning.rule for warning in size.warnings] == ["scope.days"] and size.branch.days == 9
    repository = Repository(repo.path)
    assert BranchAge.of(detect(repository), repository) == BranchAge(ahead=1, behind=0, days=0)
    drawn = graph(affected)
    assert len(drawn.nodes) == 6 and drawn.left_out == 0
    assert mermaid(drawn).startswith("flowchart LR\n") and dot(drawn).startswith("digraph affected {\n")
    assert graph(affected, most=2).left_out > 0


def test_rules_of_the_configuration_count_and_renamed_units_are_told(change):
    repo, base, *_ = change
    repo.git("mv", "dev/dns", "dev/zones")
    repo.commit("feat: rename", {"tools/run.sh": "1\n"})
    repository = Repository(repo.path)
    text = "[[impact.rules]]\npaths = ['tools/**']\ndo = 'everything'\nreason = 'it runs all'\n"
    head, changes = Catalog.build(repository), detect(repository)
    everything = impact(changes, base, head, configuration=Configuration.parse(text), reasons="each_change")
    assert [rule.action for rule in everything.ruled] == ["everything"] and nature(everything).nature == "global"
    told = tell_renames(everything, repository)
    (renamed,) = told.renamed_units
    assert (renamed.from_, renamed.to, renamed.state) == ("dev/dns", "dev/zones", "elsewhere")
    with pytest.raises(ValueError, match="shortest"):
        impact(changes, base, head, reasons="many")


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


def test_a_kept_index_answers_as_a_catalog_that_is_built_anew(change, tmp_path):
    repo, base, head, affected = change
    repository, folder = Repository(repo.path), tmp_path / "kept"
    cache = CatalogCache.in_folder(folder)
    for _ in ("made", "kept"):
        ends = cache.ends(repository, affected.merge_base, affected.head)
        assert [catalog.revision for catalog in ends] == [base.revision, head.revision]
        assert impact(detect(repository), *ends).to_json() == affected.to_json()
    assert len(list(folder.iterdir())) == 1
    assert cache.catalog(repository).units == head.units
    assert CatalogCache.none().ends(repository, "main", "HEAD")[1].references == head.references
    assert pickle.loads(pickle.dumps(cache)) == cache == eval(repr(cache)) != CatalogCache.none()  # noqa: S307
    assert cache.folder == folder and CatalogCache.none().folder is None and len({cache, CatalogCache.none()}) == 2
    with pytest.raises(GitError):
        cache.ends(repository, "nowhere", "HEAD")


def test_a_list_of_a_catalog_is_made_once(change):
    _, _, head, _ = change
    assert head.units is head.units and head.units != head.modules


def test_each_chain_of_references_is_told_on_request(make_repo):
    repo = make_repo({
        "modules/net/main.tf": "# net\n",
        "modules/a/main.tf": CALL.format("net", "../net"),
        "modules/b/main.tf": CALL.format("net", "../net"),
        "live/x/main.tf": CALL.format("a", "../../modules/a") + CALL.format("b", "../../modules/b"),
        "infraflow.toml": "[catalog]\nlive = ['live/*']\n",
    })
    repo.git("checkout", "-q", "-b", "feature")
    repo.commit("feat: more", {"modules/net/main.tf": "# more\n", "modules/net/more.tf": "# more\n"})
    repository = Repository(repo.path)
    changes = detect(repository)
    base, head = CatalogCache.none().ends(repository, changes.merge_base, changes.head)
    chains = {
        words: [
            [link.reference for link in reason.chain[1:]] for reason in impact(changes, base, head, reasons=words).units[0].reasons
        ]
        for words in ("shortest", "each_change", "all")
    }
    ways = [["module.net", "module.a"], ["module.net", "module.b"]]
    assert chains["shortest"] == ways[:1]
    assert chains["each_change"] == [ways[0], ways[0]]
    assert sorted(chains["all"]) == sorted(ways + ways)


def test_how_many_chains_and_links_are_left_out_is_told(make_repo):
    files = {f"m/{at}/main.tf": CALL.format("a", f"../{at + 1}") + CALL.format("b", f"../{at + 1}") for at in range(50)}
    repo = make_repo(files | {"m/50/main.tf": "# end\n"})
    repo.git("checkout", "-q", "-b", "feature")
    repo.commit("feat: more", {"m/50/main.tf": "# more\n"})
    repository = Repository(repo.path)
    changes = detect(repository)
    base, head = CatalogCache.none().ends(repository, changes.merge_base, changes.head)
    found = {
        module.path: module
        for module in impact(changes, base, head, reasons="all").modules
    }
    assert (len(found["m/0"].reasons), found["m/0"].chains_left_out) == (64, 2**50 - 64)
    assert (len(found["m/49"].reasons), found["m/49"].chains_left_out) == (2, None)
    for reason in found["m/0"].reasons:
        assert (len(reason.chain), reason.links_left_out) == (32, 51 - 32)
    assert impact(changes, base, head).modules[0].chains_left_out is None
