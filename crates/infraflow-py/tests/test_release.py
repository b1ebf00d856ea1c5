"""Versions and tags of modules, planned and made from Python, with a real remote."""

import subprocess

import pytest

from infraflow import (
    Catalog,
    Configuration,
    Identity,
    ModuleTags,
    ReleaseError,
    ReleasePlan,
    Repository,
    observe_tags,
)

ADA = Identity(name="Ada", email="ada@example.com", when="2026-01-02T00:00:00Z")
CALL = 'module "network" {\n  source = "../network"\n}\n'


@pytest.fixture
def modules(make_repo, tmp_path):
    repo = make_repo(
        {
            "modules/network/main.tf": 'variable "name" {}\n',
            "modules/cluster/main.tf": CALL,
            "modules/dns/main.tf": 'variable "zone" {}\n',
        }
    )
    subprocess.run(["git", "clone", "-q", "--bare", str(repo.path), str(tmp_path / "origin.git")], check=True)
    repo.git("remote", "add", "origin", f"file://{tmp_path}/origin.git")
    repo.git("fetch", "-q", "origin")
    return repo, Repository(repo.path)


def planned(repository: Repository, **options) -> ReleasePlan:
    return ModuleTags().plan(repository, Catalog.build(repository), tagger=ADA, **options)


def test_changed_modules_and_those_that_call_them_get_versions_in_one_push(modules):
    repo, repository = modules
    first = planned(repository, trunk="main")
    assert [(release.module, release.next, release.bump) for release in first.releases] == [
        ("modules/cluster", "1.0.0", "initial"),
        ("modules/dns", "1.0.0", "initial"),
        ("modules/network", "1.0.0", "initial"),
    ]
    made = ModuleTags().execute(ReleasePlan.from_json(first.to_json()), repository)
    assert [tag.state for tag in made.tags] == ["created"] * 3
    again = ModuleTags().execute(first, repository)
    assert [tag.state for tag in again.tags] == ["already_there"] * 3
    assert [tag.name for tag in observe_tags(repository)] == [release.tag for release in first.releases]

    repo.commit("feat: a suffix", {"modules/network/main.tf": 'variable "name" {}\nvariable "suffix" { default = "" }\n'})
    second = planned(repository, tags=observe_tags(repository))
    versions = {release.module: (release.previous, release.next, release.bump) for release in second.releases}
    assert versions == {
        "modules/cluster": ("1.0.0", "1.0.1", "patch"),
        "modules/network": ("1.0.0", "1.1.0", "minor"),
    }
    assert [unchanged.module for unchanged in second.unchanged] == ["modules/dns"]
    (network,) = [release for release in second.releases if release.module == "modules/network"]
    assert [change.severity for change in network.interface] == ["addition"]
    assert network.commits[0].subject == "feat: a suffix" and "a suffix" in network.notes


def test_a_plan_is_the_same_every_time_and_an_under_bump_is_refused(modules):
    repo, repository = modules
    ModuleTags().execute(planned(repository), repository)
    repo.commit("fix: tidy", {"modules/network/main.tf": 'variable "title" {}\n'})
    tags = observe_tags(repository)
    plan = planned(repository, tags=tags)
    assert plan.digest == planned(repository, tags=tags).digest
    (network,) = [release for release in plan.releases if release.module == "modules/network"]
    assert (network.next, network.bump) == ("2.0.0", "major")
    with pytest.raises(ReleaseError, match="needs a major version") as caught:
        planned(repository, tags=tags, versions={"modules/network": "1.0.1"})
    assert caught.value.kind == "under_bump" and "release network/v2.0.0" in caught.value.help


def test_a_commit_that_the_trunk_does_not_hold_is_not_tagged(modules):
    repo, repository = modules
    repo.commit("feat: not pushed", {"modules/dns/main.tf": 'variable "zone" {}\n# more\n'})
    plan = planned(repository, trunk="main", tags=[])
    with pytest.raises(ReleaseError) as caught:
        ModuleTags().execute(plan, repository)
    assert caught.value.kind == "not_on_trunk"
    assert observe_tags(repository) == ()


def test_the_configuration_names_the_tags(modules):
    _, repository = modules
    configuration = Configuration.parse('[release]\ntag = "{module}-{version}"\n')
    plan = ModuleTags(configuration).plan(repository, Catalog.build(repository), tagger=ADA)
    assert [release.tag for release in plan.releases] == ["cluster-1.0.0", "dns-1.0.0", "network-1.0.0"]
