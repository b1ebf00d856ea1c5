"""The schemas in docs/schemas, held against documents of a real run."""

import json
import pathlib

import jsonschema

import infraflow

SCHEMAS = pathlib.Path(__file__).parents[3] / "docs" / "schemas"
UNIT = 'resource "terraform_data" "db" {{\n  input = "{}"\n}}\n'
CALL = 'module "network" {{\n  source = "{}"\n}}\n'
FILES = {
    "infraflow.toml": '[catalog]\nlive = ["dev/*"]\n[environments.dev]\nunits = ["dev/**"]\norder = 1\n',
    "modules/network/main.tf": 'variable "name" {}\n',
    "modules/network/examples/basic/main.tf": CALL.format("../.."),
    "dev/db/main.tf": UNIT.format("one"),
    "dev/net/main.tf": CALL.format("git::https://git.example.com/m.git//modules/network?ref=network/v1.0.0"),
}


def holds(document: object) -> None:
    data = json.loads(document.to_json())
    schema = json.loads((SCHEMAS / f"{data['kind']}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(data)


def test_every_document_of_a_run_is_what_its_schema_says(make_repo, needs):
    needs("terraform")
    repo = make_repo(FILES)
    repo.git("checkout", "-q", "-b", "feature")
    more = FILES["modules/network/main.tf"] + 'variable "more" { default = 1 }\n'
    repo.commit("feat: more", {"modules/network/main.tf": more, "dev/db/main.tf": UNIT.format("two")})
    repository = infraflow.Repository(repo.path)

    changes = infraflow.detect(repository)
    head = infraflow.Catalog.build(repository)
    affected = infraflow.impact(changes, infraflow.Catalog.build(repository, changes.merge_base), head)
    nature, tests = infraflow.nature(affected), infraflow.select(affected, head)
    assert changes.changes and affected.modules and affected.units and tests.cases
    for document in (changes, affected, nature, tests, infraflow.steps(nature, affected, tests)):
        holds(document)

    ada = infraflow.Identity(name="Ada", email="ada@example.com", when="2026-01-02T00:00:00Z")
    releases = infraflow.ModuleTags().plan(repository, head, tagger=ada)
    targets = infraflow.BumpTarget.released("git::https://git.example.com/m.git", releases)
    bump = infraflow.TerraformBumper().plan(repository, head, targets)
    assert releases.releases and (bump.edits or bump.skipped)
    holds(releases)
    holds(bump)

    runner = infraflow.TerraformDryRunner()
    plan = runner.plan(repository, "HEAD", head, units=["dev/db"])
    sealer = infraflow.SharedKeySealer(infraflow.SealingKey.generate())
    publisher = infraflow.StorePublisher(
        infraflow.Store.memory(), repository="live", run="run-1", key=infraflow.SigningKey.generate(), others=sealer
    )
    with runner.observe(repository, plan) as outcome:
        (unit,) = outcome.dry_run.units
        assert unit.outcome == "changes"
        publishing = publisher.plan(outcome.dry_run)
        published = publisher.execute(publishing, outcome)
        drift = infraflow.drift_report(plan, outcome.dry_run)
        for document in (plan, outcome.dry_run, unit.plan, drift, publishing, published):
            holds(document)
