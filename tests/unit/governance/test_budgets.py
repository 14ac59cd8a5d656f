"""Budgets and what people add to them."""

from __future__ import annotations

import pytest

from governance.budgets import Budget, Money, Raise, raised
from governance.canonical import digest
from governance.errors import InvalidInput
from playbooks.loader import SHIPPED, read_playbook
from playbooks.model import Playbook
from surfaces.cli.runs import _raise


def test_a_raise_is_added_to_every_limit_there_is() -> None:
    """Money to the cent; a limit that is not there stays away."""
    more = Raise(steps=1, calls=2, money=0.1, hours=3)
    assert raised(Budget(money=Money(amount=0.2), hours=1), more) == Budget(
        steps=201, calls=2002, money=Money(amount=0.3), hours=4
    )
    assert raised(Budget(), more) == Budget(steps=201, calls=2002)
    assert str(more) == "1 more steps, 2 more calls, 0.1 more money, 3 more hours"


def test_more_is_written_as_name_and_number() -> None:
    """What is no number, unknown or negative is refused with a hint."""
    assert _raise(["calls=500", "money=0.5"]) == Raise(calls=500, money=0.5)
    assert not _raise([])
    for wrong in ("calls", "calls=many", "time=3", "calls=-1", "calls=nan"):
        with pytest.raises(InvalidInput, match="cannot be added"):
            _raise([wrong])


def test_a_playbook_that_says_nothing_of_budgets_keeps_its_digest() -> None:
    """Runs that pinned it go on; one that does say something has another."""
    (path,) = SHIPPED.glob("onboarding@1.yaml")
    book, _ = read_playbook(path)
    assert book is not None
    data = book.model_dump(mode="json")
    for goal in data["goals"]:
        del goal["decide"]
    later = {"budget", "escalation", "on_refusal", "open_goals", "priority"}
    assert book.digest == digest({name: value for name, value in data.items() if name not in later})
    assert Playbook.model_validate({**data, "budget": {"calls": 3}}).digest != book.digest
