"""A request that is being completed in chat: how it is kept between messages, shown, and asked about."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from agents.ports import Understood
from playbooks.model import Playbook
from playbooks.requests import complete, title_of
from surfaces.chat.cards import Cards
from surfaces.chat.wording import plain

_DRAFT = TypeAdapter(Understood)


def kept(understood: Understood) -> str:
    """The draft as JSON."""
    return _DRAFT.dump_json(understood).decode()


def read(text: str | None) -> Understood | None:
    """The draft in a thread's row; None when there is none, or it is of another version of Steward."""
    if text is None:
        return None
    try:
        return _DRAFT.validate_json(text)
    except ValidationError:
        return None


def card(understood: Understood, playbook: Playbook, cards: Cards) -> dict[str, object]:
    """The draft as a card for a remark."""
    said = {name: value for name, value in understood.request.items() if name in understood.quotes}
    _, added = complete(playbook, said)
    whole = understood.request
    title = title_of(playbook, whole) if not understood.missing else f"{playbook.name.capitalize()}: the request so far"
    return {
        "name": "RequestCard",
        "props": cards.request(understood, title, list(playbook.request.get("properties", ())), added),
    }


def questions(understood: Understood) -> str:
    """What to ask, every question at once."""
    asked = [*understood.missing.values(), *understood.doubtful.values()]
    if len(asked) == 1:
        return f"One thing before I start: {plain(asked[0])}"
    lines = "\n".join(f"- {plain(question)}" for question in asked)
    return (
        f"Before I start I need to know:\n\n{lines}\n\nAnswer in one message or one by one; *cancel* drops the request."
    )
