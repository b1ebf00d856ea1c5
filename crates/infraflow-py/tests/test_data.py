"""The classes of data: frozen, compared by value, pickled, and the same JSON as the core's."""

import copy
import json
import pickle

import pytest

from infraflow import Link, PlannedCase, ProofError, Reason, Shard, SkippedCase, TestPlan


def link() -> Link:
    return Link(path="modules/a/main.tf", start=3, end=9, line=1, column=4, reference="module.network")


def reason() -> Reason:
    return Reason(rule="module_call", text="a calls b", chain=[link()])


def plan(seconds: int = 60) -> TestPlan:
    case = PlannedCase(
        id="modules/a/examples/x",
        module="modules/a",
        path="modules/a/examples/x",
        kind="example",
        reasons=[reason()],
    )
    return TestPlan(
        cases=[case],
        skipped=[SkippedCase(id="modules/b/examples/y", reasons=[])],
        shards=[Shard(cases=[case.id], estimate_seconds=seconds)],
    )


def test_members_are_what_was_given():
    case = plan().cases[0]
    assert (case.module, case.kind, case.reasons) == ("modules/a", "example", (reason(),))
    assert case.reasons[0].chain[0].reference == "module.network"


def test_a_value_of_the_wrong_shape_is_refused_and_named():
    with pytest.raises(ValueError, match="Reason: missing field `chain`"):
        Reason(rule="x", text="y")
    with pytest.raises(ValueError, match="unknown variant `exampel`"):
        PlannedCase(id="a", module="a", path="a", kind="exampel", reasons=[])
    with pytest.raises(ValueError, match=r"it has \. or \.\. in it"):
        Link(path="../etc/passwd", start=0, end=0, line=1, column=1, reference="")
    with pytest.raises(TypeError, match="object cannot stand in a document"):
        Reason(rule=object(), text="", chain=[])


@pytest.mark.parametrize("value", [link(), reason(), plan(), plan().cases[0], plan().shards[0]])
def test_data_is_frozen_and_survives_pickle_json_and_copy(value):
    for again in (
        pickle.loads(pickle.dumps(value)),
        copy.deepcopy(value),
        type(value).from_json(value.to_json()),
    ):
        assert again == value and hash(again) == hash(value)
        assert repr(again) == repr(value)
    with pytest.raises(AttributeError):
        value.reasons = ()
    with pytest.raises(AttributeError):
        value.something_new = 1


def test_equality_is_by_value_and_by_class():
    assert plan() == plan() and plan() != plan(61)
    assert reason() != link() and reason() != "a reason"
    assert len({reason(), reason(), link()}) == 2


def test_repr_can_be_read_back():
    assert eval(repr(reason())) == reason()  # noqa: S307
    assert repr(plan()) == (
        "TestPlan(cases=<1 items>, skipped=<1 items>, shards=<1 items>, contents_of=None, budget=None, "
        "warnings=<0 items>)"
    )


def test_a_member_is_made_once():
    value = plan()
    assert value.cases is value.cases


def test_a_document_has_kind_schema_version_and_digest():
    data = json.loads(plan().to_json())
    assert data["kind"] == TestPlan.kind == "test_plan"
    assert data["schema_version"] == TestPlan.schema_version == 1
    assert data["digest"] == plan().digest


def test_an_estimate_does_not_change_the_digest():
    assert plan(60).digest == plan(61).digest


def test_an_altered_document_is_refused():
    altered = plan().to_json().replace("modules/a/examples/x", "modules/a/examples/z")
    with pytest.raises(ProofError, match="altered after it was written") as caught:
        TestPlan.from_json(altered)
    assert caught.value.kind == "digest_mismatch"
    assert caught.value.help == "it was altered after it was written; plan again"
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.kind) == (str(caught.value), caught.value.kind)


def test_another_documents_json_is_refused():
    with pytest.raises(ProofError) as caught:
        TestPlan.from_json('{"kind": "impact", "schema_version": 1}')
    assert caught.value.kind == "wrong_kind"
