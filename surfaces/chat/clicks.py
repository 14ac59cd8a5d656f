"""Buttons on cards. A click says what somebody wants; whether they may is asked of Steward's own rows, every time."""

from __future__ import annotations

from typing import Any, Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from governance.errors import InvalidInput, StewardError
from governance.people import Person
from governance.reviews import Choice, Verdict, fill_in
from runtime.application import Application
from surfaces.chat.forms import args_from

_OTHER = "Other"
_log = structlog.get_logger("steward.chat")


class Click(BaseModel):
    """What a card sends. A reason is a code from the list and words of one's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    review: str = Field(min_length=1, max_length=64)
    choice: Choice
    code: Literal["", "Data is wrong", "Not needed", "Against a rule", "Needs more information", "Other"] = ""
    text: str = Field(default="", max_length=1000)
    response: Literal["", "happened", "did_not_happen", "resume", "undo", "close", "answered"] = ""
    values: dict[str, str] | None = None


class Clicks:
    """Answers clicks."""

    def __init__(self, steward: Application) -> None:
        self._steward = steward

    async def decide(self, payload: Any, by: Person) -> dict[str, Any]:
        """Decide a review as ``by``. Never raises: the card shows what is told."""
        try:
            click = Click.model_validate(payload)
            await self._steward.decide(click.review, await self._verdict(click), by=by)
        except ValidationError:
            return _problem(
                InvalidInput("This card sent something that Steward does not know.", hint="Reload the page.")
            )
        except StewardError as error:
            return _problem(error)
        except Exception:  # noqa: BLE001 - the boundary to a person, who must never see a stack trace
            _log.exception("a click could not be answered")
            return _problem(StewardError("Something went wrong here, and nothing was decided. It is in the log."))
        return {"ok": True}

    async def _verdict(self, click: Click) -> Verdict:
        reason = _reason(click)
        if click.response == "answered":
            row = await self._steward.review(click.review)
            return fill_in(args_from(row.card.args.get("schema", {}), click.values or {}), reason=reason)
        if click.choice is not Choice.EDIT:
            return Verdict(choice=click.choice, reason=reason, response=click.response)
        row = await self._steward.review(click.review)
        args = args_from(self._steward.tool(row.card.tool).input, click.values or {})
        return Verdict(choice=click.choice, reason=reason, args=args)


def _reason(click: Click) -> str:
    text = click.text.strip()
    if click.choice in {Choice.APPROVE, Choice.RESPOND}:
        return text
    if not click.code:
        raise InvalidInput("Choose a reason.")
    if not text:
        raise InvalidInput("Say in your words why: it is what the requester will read.")
    return text if click.code == _OTHER else f"{click.code}: {text}"


def _problem(error: StewardError) -> dict[str, Any]:
    findings = [str(finding) for finding in error.findings] if isinstance(error, InvalidInput) else []
    return {"ok": False, "sentence": str(error), "hint": error.hint, "findings": findings}
