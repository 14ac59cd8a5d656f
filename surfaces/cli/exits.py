"""Exit statuses, and how an error is told: one sentence, the way out, the findings; never a stack trace."""

from __future__ import annotations

from enum import IntEnum

from governance.errors import InvalidInput, Refused, StewardError, Unavailable
from surfaces.cli.screen import Screen


class Status(IntEnum):
    """What a process says when it ends; docs/reference/cli.md has the same table."""

    OK = 0
    FAILED = 1
    BAD_INPUT = 2
    REFUSED = 3
    UNAVAILABLE = 4
    INTERRUPTED = 130


def status_of(error: StewardError) -> Status:
    """The exit status that an error leads to."""
    match error:
        case InvalidInput():
            return Status.BAD_INPUT
        case Refused():
            return Status.REFUSED
        case Unavailable():
            return Status.UNAVAILABLE
        case _:
            return Status.FAILED


def tell(screen: Screen, error: StewardError) -> None:
    """Write an error for a person, on stderr."""
    screen.say(_sentence(str(error)), style="red")
    if isinstance(error, InvalidInput):
        for finding in error.findings:
            fix = f" ({finding.fix})" if finding.fix else ""
            screen.say(f"  {finding.place}: {finding.sentence}{fix}")
    if error.hint:
        screen.say(_sentence(error.hint), style="dim")


def _sentence(text: str) -> str:
    """Text as a sentence: a capital first, a full stop last."""
    text = text.strip()
    if not text:
        return text
    begins = text[0].upper() if text[:2].isalpha() and not text.partition(" ")[0].count(".") else text[0]
    return begins + text[1:] + ("" if text[-1] in ".?!:" else ".")
