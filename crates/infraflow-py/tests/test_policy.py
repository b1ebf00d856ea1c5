"""The configuration and trunk's policy, read from Python."""

import pytest

from infraflow import Configuration, Policy, PolicyError, Repository

TOML = """
[environments.dev]
units = ["dev/**"]
order = 1

[environments.prod]
units = ["prod/**"]
order = 2
"""


def test_a_policy_is_trunks_whatever_the_branch_says(make_repo):
    repo = make_repo({"infraflow.toml": TOML})
    repo.git("checkout", "-q", "-b", "feature")
    repo.commit("feat: my own gate", {"infraflow.toml": TOML.replace("prod", "nothing")})
    repository = Repository(repo.path)
    policy = Policy.read(repository)
    assert policy.promotion_order == (("dev",), ("prod",))
    assert policy.environment_of("prod/database") == "prod" and policy.environment_of("docs") is None
    assert policy == Policy.read(repository, "main") != Policy.read(repository, "feature")
    assert policy == Policy.of(Configuration.read(repository, "main"))


def test_a_misspelt_key_names_the_nearest_one():
    with pytest.raises(PolicyError, match='did you mean "environments"') as caught:
        Configuration.parse("[enviroments.dev]\nunits = []\n")
    assert caught.value.kind == "unknown_key"
