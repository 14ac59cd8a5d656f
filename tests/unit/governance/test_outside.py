"""Outside events as values: what is read as one, what it is known by, and what tells two apart."""

from __future__ import annotations

from typing import Any

import pytest

from governance.errors import InvalidInput
from governance.outside import MOST_FIELDS, OutsideEvent, read_event

GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "warehouse",
    "type": "laptop.shipped",
    "subject": "A-1",
    "time": "2027-01-04T09:00:00Z",
    "datacontenttype": "application/json",
    "traceparent": "an extension",
    "data": {"asset": "A-1", "order": {"number": 7, "express": True}},
}


def test_an_event_is_known_by_its_plain_values() -> None:
    """By path, at any depth; its JSON form comes back to the same event."""
    event = read_event(GOOD)
    assert event.fields == {
        "type": "laptop.shipped",
        "source": "warehouse",
        "subject": "A-1",
        "data.asset": "A-1",
        "data.order.number": 7,
        "data.order.express": True,
    }
    assert read_event(event.envelope) == event
    least = read_event({"specversion": "1.0", "id": "e", "source": "s", "type": "t", "subject": None, "data": None})
    assert (least.subject, least.data, least.time) == ("", {}, None)


def test_what_cannot_be_compared_is_no_field() -> None:
    """Lists, null, long texts and names, names with dots, what lies too deep; and there is an end to their number."""
    deep: Any = 1
    for _ in range(9):
        deep = {"d": deep}
    data = {"list": [1], "none": None, "long": "x" * 201, "a.b": 1, "n" * 200: 1, "deep": deep, "ok": "x" * 200}
    event = OutsideEvent(id="e", type="t", source="s", data=data)
    assert event.fields.keys() == {"type", "source", "subject", "data.ok"}
    many = OutsideEvent(id="e", type="t", source="s", data={f"f{n}": n for n in range(2_000)})
    assert len(many.fields) == MOST_FIELDS


def test_source_and_id_tell_events_apart() -> None:
    """And nothing else does; no trick with their border makes two the same."""
    event = OutsideEvent(id="b", source="a", type="t")
    assert event.key == event.model_copy(update={"type": "other", "data": {"x": 1}}).key
    assert event.key != event.model_copy(update={"id": "c"}).key
    assert OutsideEvent(id='"b', source="a", type="t").key != OutsideEvent(id="b", source='a"', type="t").key


@pytest.mark.parametrize(
    "changes",
    [
        {"specversion": "0.3"},
        {"specversion": None},
        {"id": None},
        {"id": ""},
        {"id": 5},
        {"id": "x" * 201},
        {"source": None},
        {"type": ["t"]},
        {"time": "yesterday"},
        {"time": "2027-01-04T09:00:00"},
        {"data": [1]},
        {"data": "text"},
        {"data_base64": "AAAA"},
        {"data": {"x": "a\x00b"}},
        {"data": {"x": float("nan")}},
        {"data": {"x": 2**60}},
        {"data": {"x": "y" * 70_000}},
        {"subject": "\ud800"},
    ],
)
def test_what_is_no_event_is_refused(changes: dict[str, Any]) -> None:
    """With the field that is wrong, where it is one."""
    with pytest.raises(InvalidInput):
        read_event({**GOOD, **changes})


@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_an_event_is_an_object(value: Any) -> None:
    """Whatever else JSON has."""
    with pytest.raises(InvalidInput):
        read_event(value)
