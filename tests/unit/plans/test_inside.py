"""Steps that act inside Steward: the form is the type of its answers, and a child's request is held against its playbook."""

from __future__ import annotations

from typing import Any

import pytest

from governance.policy import Policy, PolicyRule, RulingKind
from plans.checked import Startable
from plans.checker import check
from tests.unit.plans.company import CATALOG, KATHERINE, plan, premises, step
from tools.inside import TOOLS

TOOL_SPECS = {**CATALOG, **{tool.id: tool.spec for tool in TOOLS}}
FREE = Policy((PolicyRule(name="all", then=RulingKind.GO, because="it is a test"),))
SHIRT = {
    "type": "object",
    "properties": {"size": {"enum": ["S", "M"]}, "days": {"type": "integer", "minimum": 0, "maximum": 30}},
    "required": ["days"],
}
COURSE = {"type": "object", "properties": {"email": {"type": "string", "format": "email"}}, "required": ["email"]}

ASKER = KATHERINE.model_copy(update={"permissions": frozenset({"welcome:*"})})
STARTABLE = {"course": Startable(COURSE), "secret": Startable(COURSE, "vault:open")}


def codes(*steps: dict[str, Any]) -> list[tuple[str, str]]:
    """The errors of a plan, as code and place."""
    more = {"tools": TOOL_SPECS, "policy": FREE, "startable": STARTABLE, "requester": ASKER}
    return [(finding.code, finding.place) for finding in check(plan(*steps), premises((), **more)).errors]


def ask(schema: Any) -> dict[str, Any]:
    """A form."""
    return step("ask", "people.ask", {"to": "hr", "question": "Which?", "schema": schema})


def test_the_form_is_the_type_of_the_answers() -> None:
    """A required integer goes into an integer; a choice does not; an optional field may be missing; others there are none."""

    def wait(path: str) -> dict[str, Any]:
        return step("wait", "clock.wait", {"for_seconds": {"$ref": path}})

    assert codes(ask(SHIRT), wait("ask.answers.days")) == []
    assert codes(ask(SHIRT), wait("ask.by")) == [("type-mismatch", "steps.wait.args.for_seconds")]
    assert [code for code, _ in codes(ask(SHIRT), wait("ask.answers.size"))] != []
    assert codes(ask(SHIRT), wait("ask.answers.sise")) == [("unknown-reference", "steps.wait.args.for_seconds")]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": {"type": "object"}}},
        {"type": "object", "properties": {"a": {"type": "integer", "minimum": "one"}}},
        {"type": "object", "properties": {"a": {"type": "string", "title": {"$ref": "request.email"}}}},
    ],
)
def test_what_is_no_flat_form_is_refused(schema: Any) -> None:
    """Before anybody is asked."""
    assert ("bad-literal", "steps.ask.args.schema") in codes(ask(schema))


@pytest.mark.parametrize("args", [{}, {"for_seconds": 3, "until": "2027-02-01T08:00:00Z"}])
def test_a_wait_is_for_one_moment(args: dict[str, Any]) -> None:
    """Neither none nor two."""
    assert codes(step("wait", "clock.wait", args)) == [("bad-literal", "steps.wait.args")]


def test_a_childs_request_is_held_against_its_playbook() -> None:
    """Types, missing and unknown fields, the playbook's name and its permission."""

    def start(playbook: str, **request: Any) -> list[tuple[str, str]]:
        return codes(step("child", "runs.start", {"playbook": playbook, "request": request}))

    place = "steps.child.args"
    assert start("course", email={"$ref": "request.email"}) == []
    assert [code for code, _ in start("course")] == ["bad-literal"]
    assert start("cuorse", email="a@acme.example") == [("bad-literal", f"{place}.playbook")]
    assert start("course", email={"$ref": "request.email"}, more=1) == [("unknown-argument", f"{place}.request.more")]
    assert start("secret", email={"$ref": "request.email"}) == [("not-permitted", f"{place}.playbook")]


PARCEL = {
    "type": "object",
    "properties": {"days": {"type": "integer", "minimum": 0, "maximum": 30}, "carrier": {"enum": ["North", "South"]}},
    "required": ["days"],
}
EVENT: dict[str, Any] = {"type": "parcel.sent", "schema": PARCEL, "for_seconds": 60}


def awaited(**changes: Any) -> dict[str, Any]:
    """A wait for an event; what is None is left out."""
    args = {name: value for name, value in {**EVENT, **changes}.items() if value is not None}
    return step("sent", "events.await", args)


def test_the_schema_is_the_type_of_an_events_data() -> None:
    """A required integer goes into an integer; an optional choice does not; what is not declared is not there."""

    def wait(path: str) -> dict[str, Any]:
        return step("wait", "clock.wait", {"for_seconds": {"$ref": path}})

    assert codes(awaited(), wait("sent.data.days")) == []
    assert codes(awaited(), wait("sent.source")) == [("type-mismatch", "steps.wait.args.for_seconds")]
    assert [code for code, _ in codes(awaited(), wait("sent.data.carrier"))] != []
    assert codes(awaited(), wait("sent.data.weight")) == [("unknown-reference", "steps.wait.args.for_seconds")]
    assert codes(awaited(schema=None), wait("sent.data.days")) == [("unknown-reference", "steps.wait.args.for_seconds")]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"type": {"$ref": "request.email"}}, ".type"),
        ({"schema": {"type": "string"}}, ".schema"),
        ({"schema": {"type": "object", "properties": {"a": {"type": "object"}}}}, ".schema"),
        (
            {"schema": {"type": "object", "properties": {"a": {"type": "string", "title": {"$ref": "request.email"}}}}},
            ".schema",
        ),
        ({"for_seconds": None}, ""),
        ({"until": "2027-02-01T08:00:00Z"}, ""),
        ({"match": {"a..b": "x"}}, ""),
        ({"match": {"$a": "x"}}, ""),
        ({"match": {"": {"$ref": "request.email"}}}, ""),
        ({"match": {f"f{n}": n for n in range(9)}}, ""),
    ],
)
def test_what_is_no_wait_for_an_event_is_refused(changes: dict[str, Any], place: str) -> None:
    """Its type, its names and its schema stand in the plan, and it ends."""
    assert codes(awaited(**changes)) != []
    assert {where for _, where in codes(awaited(**changes))} & {f"steps.sent.args{place}", "steps.sent.args.match"}


def test_what_is_matched_may_be_a_value_of_the_run() -> None:
    """Text, number or truth value, by reference or written; a moment may be one too."""
    match = {"who": {"$ref": "request.email"}, "order.number": 7, "express": True}
    assert codes(awaited(match=match, subject={"$ref": "request.email"})) == []
    assert codes(awaited(match={"who": {"$ref": "request.phones"}})) != []


def test_an_event_is_not_trusted() -> None:
    """What it says does not go into a sensitive argument unseen."""
    tainted = PolicyRule(
        name="outside",
        then=RulingKind.GATE,
        when={"$eq": [{"$ref": "tainted_sensitive"}, True]},
        because="it came from outside",
        approvers=("finance",),
    )
    find = step("find", "identity.find_account", {"email": {"$ref": "request.email"}})
    schema = {"type": "object", "properties": {"group": {"enum": ["sales", "staff"]}}, "required": ["group"]}
    args = {"user_id": {"$ref": "find.user_id"}, "group": {"$ref": "sent.data.group"}}
    more = {"tools": TOOL_SPECS, "policy": Policy((*FREE.rules, tainted)), "requester": ASKER}
    asker = KATHERINE.model_copy(update={"permissions": frozenset({"*"})})
    document = plan(awaited(schema=schema), find, step("join", "identity.add_to_group", args))
    checked = check(document, premises((), **{**more, "requester": asker}))
    assert checked.errors == ()
    assert {each.step: each.kind for each in checked.rulings}["join"] is RulingKind.GATE
