"""Who may see a run."""

from __future__ import annotations

from governance.people import Person
from governance.seeing import is_theirs, may_see
from playbooks.people import PeopleDirectory

ASKER = Person(id="asker@x.example", name="Asker")
ASKED = Person(id="asked@x.example", name="Asked", delegate="deputy@x.example")
DEPUTY = Person(id="deputy@x.example", name="Deputy")
BOSS = Person(id="boss@x.example", name="Boss", permissions=frozenset({"runs:manage"}))
OTHER = Person(id="other@x.example", name="Other", permissions=frozenset({"payroll:*"}))


def test_its_requester_its_managers_and_who_was_asked_may_see_a_run() -> None:
    """And whoever stands in for one who was asked; nobody else, and nobody who has left."""
    directory = PeopleDirectory([ASKER, ASKED, DEPUTY, BOSS, OTHER])
    seen = {who.name for who in directory.everyone() if may_see(ASKER.id, [ASKED.id], who, directory)}
    assert seen == {"Asker", "Asked", "Deputy", "Boss"}
    gone = PeopleDirectory([ASKED])
    assert not may_see(ASKER.id, [ASKED.id], ASKER, gone)
    assert not may_see("", [], ASKER, directory)
    assert is_theirs(ASKER.id, BOSS)
    assert not is_theirs(ASKER.id, ASKED)
