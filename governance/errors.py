"""Every error that Steward raises, in one tree.

StewardError
├── InvalidInput          a person gave something that cannot be used; says what, by field
│   ├── InvalidRequest    a request does not fit its playbook's schema
│   ├── InvalidPlan       a plan has findings
│   ├── InvalidSettings   settings, people.yaml, policy.yaml, a playbook or a tool file
│   └── NotFound          no such run, review, tool, playbook or person
├── Refused               understood, and not allowed
│   ├── NotPermitted      the person may not do this (role, four eyes)
│   └── AlreadyDecided    somebody, or something, was first
├── Unavailable           try again later; nothing is lost
│   ├── DatabaseUnavailable
│   └── SystemUnavailable
├── CallFailed            a tool's call did not end well
│   ├── Transient         the same call may work later
│   ├── Permanent         the same call can never work
│   └── Ambiguous         it may or may not have happened
├── Fenced                this worker does not own the run any more: stop, write nothing
│   └── TailMoved         the journal's tail is not the expected one: read it, fold, go on
└── Corrupt               the journal or a checkpoint contradicts itself: a person must look
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar

from governance.findings import Finding


class Remedy(StrEnum):
    """What the caller must do next."""

    RETRY = "retry"
    FAIL = "fail"
    ASK = "ask"
    STOP = "stop"


class StewardError(Exception):
    """Base of the tree. ``str(error)`` is one sentence for a person; ``hint`` is the way out, or empty."""

    remedy: ClassVar[Remedy] = Remedy.FAIL

    def __init__(self, sentence: str, *, hint: str = "") -> None:
        super().__init__(sentence)
        self.hint = hint


class InvalidInput(StewardError):
    """Something given by a person cannot be used. ``findings`` names every problem at once, by place."""

    def __init__(self, sentence: str, *, hint: str = "", findings: Sequence[Finding] = ()) -> None:
        super().__init__(sentence, hint=hint)
        self.findings = tuple(findings)


class InvalidRequest(InvalidInput):
    """A request does not fit its playbook's schema."""


class InvalidPlan(InvalidInput):
    """A plan has findings that forbid running it."""


class InvalidSettings(InvalidInput):
    """A setting, or a file in STEWARD_HOME, cannot be used."""


class NotFound(InvalidInput):
    """There is no such run, review, tool, playbook or person."""


class Refused(StewardError):
    """Understood, and not allowed."""


class NotPermitted(Refused):
    """This person may not do this."""


class AlreadyDecided(Refused):
    """Somebody, or something, was first; the sentence says who or what, and when."""


class Unavailable(StewardError):
    """A part is not reachable now; nothing is lost."""

    remedy: ClassVar[Remedy] = Remedy.RETRY


class DatabaseUnavailable(Unavailable):
    """PostgreSQL cannot be reached or started."""


class SystemUnavailable(Unavailable):
    """A system that tools act on cannot be reached."""


class CallFailed(StewardError):
    """A tool's call did not end well. ``retry_after`` is what the system asked for; ``fix`` is a proposal for the input."""

    def __init__(
        self, sentence: str, *, hint: str = "", code: str = "", retry_after: timedelta | None = None, fix: str = ""
    ) -> None:
        super().__init__(sentence, hint=hint)
        self.code = code
        self.retry_after = retry_after
        self.fix = fix


class Transient(CallFailed):
    """The call did not happen, and the same call may work later."""

    remedy: ClassVar[Remedy] = Remedy.RETRY


class Permanent(CallFailed):
    """The call did not happen, and the same call can never work."""


class Ambiguous(CallFailed):
    """The call may or may not have happened: find out before anything else."""

    remedy: ClassVar[Remedy] = Remedy.ASK


class Fenced(StewardError):
    """This worker does not own the run any more. Stop and write nothing."""

    remedy: ClassVar[Remedy] = Remedy.STOP


class TailMoved(Fenced):
    """The journal's tail is not the one expected. Drop the slice, read the tail, fold, go on."""


class Corrupt(StewardError):
    """The journal or a checkpoint contradicts itself. A person must look."""

    remedy: ClassVar[Remedy] = Remedy.ASK
