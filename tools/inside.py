"""The tools that act inside Steward: waiting for a moment or an event, asking people, choosing, starting runs. No wire.

The dispatcher performs ``clock.wait``, ``events.await``, ``people.ask`` and ``choice.make`` itself; ``triggers.children`` performs
``runs.…``. Here are their contracts, and what they come to in a dry run.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Self

from pydantic import AwareDatetime, Field, model_validator

from governance.effects import EffectClass, UndoCall
from governance.errors import Permanent
from tools.awaiting import AwaitedEvent, CameEvent
from tools.choosing import Choosing, Chosen, pretended
from tools.contract import Call, Tool, ToolModel

SYSTEM_NAME = "steward"
CLOCK_WAIT, PEOPLE_ASK, RUNS_START, RUNS_CANCEL = "clock.wait@1", "people.ask@1", "runs.start@1", "runs.cancel@1"
CHOOSE, EVENTS_AWAIT = "choice.make@1", "events.await@1"
LONGEST = timedelta(days=3660)
CHILD_TIME = timedelta(days=30)
_DRY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_SAMPLES: dict[str, Any] = {"string": "simulated", "integer": 1, "number": 1, "boolean": True}


class Wait(ToolModel):
    """A moment, or so many seconds from when the step's turn comes."""

    until: AwareDatetime | None = None
    for_seconds: int | None = Field(default=None, ge=0, le=int(LONGEST.total_seconds()))

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.until is None) == (self.for_seconds is None):
            raise ValueError("give either until or for_seconds")
        return self

    def ends_at(self, now: datetime) -> datetime:
        """When the wait is over, if it begins now."""
        return self.until.astimezone(UTC) if self.until else now + timedelta(seconds=self.for_seconds or 0)


class Waited(ToolModel):
    """The moment that was waited for."""

    waited_until: datetime


class Question(ToolModel):
    """What is asked, whom (a person's address or a role), and the fields of the answer as a JSON Schema."""

    to: str
    question: str = Field(max_length=2_000)
    schema_: dict[str, Any] = Field(alias="schema")


class Answers(ToolModel):
    """The fields as they were filled in, and by whom."""

    answers: dict[str, Any]
    by: str


class NewRun(ToolModel):
    """A playbook, by name or id, and a request under it."""

    playbook: str
    request: dict[str, Any]


class RunOver(ToolModel):
    """The run that was started, and how it ended."""

    run_id: str
    status: str
    summary: str


class RunId(ToolModel):
    """A run."""

    run_id: str


async def _nowhere(_call: Call, _given: Any) -> ToolModel:
    raise Permanent("This is done inside Steward and has no system to be sent to.", code="inside")


def _waited(given: Wait, _key: str) -> Waited:
    return Waited(waited_until=given.ends_at(_DRY_MOMENT))


def _answers(given: Question, _key: str) -> Answers:
    fields = given.schema_.get("properties", {})
    return Answers(answers={name: _sample(field) for name, field in fields.items()}, by="simulation")


def _sample(field: dict[str, Any]) -> Any:
    options = field.get("enum")
    return options[0] if options else field.get("default", _SAMPLES.get(str(field.get("type")), "simulated"))


def _came(given: AwaitedEvent, key: str) -> CameEvent:
    fields = given.schema_.get("properties", {})
    return CameEvent(
        id=f"simulated-{key[:8]}",
        type=given.type,
        source=given.source or "simulation",
        subject=given.subject,
        time=None,
        data={name: _sample(field) for name, field in fields.items()},
    )


def _over(given: NewRun, key: str) -> RunOver:
    return RunOver(run_id=f"simulated-{key[:8]}", status="done", summary=f"a run of {given.playbook}, simulated")


TOOLS = (
    Tool(
        name="clock.wait",
        system=SYSTEM_NAME,
        summary="wait until a moment, or for so many seconds",
        input=Wait,
        output=Waited,
        effect=EffectClass.READ,
        run=_nowhere,
        simulate=_waited,
    ),
    Tool(
        name="events.await",
        system=SYSTEM_NAME,
        summary="wait for an event that another system publishes",
        input=AwaitedEvent,
        output=CameEvent,
        effect=EffectClass.READ,
        run=_nowhere,
        simulate=_came,
        untrusted_output=True,
    ),
    Tool(
        name="people.ask",
        system=SYSTEM_NAME,
        summary="ask a person, or whoever has a role, to fill in a form",
        input=Question,
        output=Answers,
        effect=EffectClass.READ,
        run=_nowhere,
        simulate=_answers,
    ),
    Tool(
        name="choice.make",
        system=SYSTEM_NAME,
        summary="choose among declared options by the plan's rules, or ask a person where no rule holds",
        input=Choosing,
        output=Chosen,
        effect=EffectClass.READ,
        run=_nowhere,
        simulate=lambda given, _key: pretended(given),
        provides="choice.made",
    ),
    Tool(
        name="runs.start",
        system=SYSTEM_NAME,
        summary="start a run of another playbook and wait for its end",
        input=NewRun,
        output=RunOver,
        effect=EffectClass.NATURAL_KEY,
        run=_nowhere,
        simulate=_over,
        undo=UndoCall(tool=RUNS_CANCEL, args={"run_id": {"$ref": "output.run_id"}}),
        provides="runs.run",
        deferred=CHILD_TIME,
    ),
    Tool(
        name="runs.cancel",
        system=SYSTEM_NAME,
        summary="ask a run that this one started to stop",
        input=RunId,
        output=RunId,
        effect=EffectClass.NATURAL_KEY,
        run=_nowhere,
        simulate=lambda given, _key: RunId(run_id=given.run_id),
        irreversible="a run that was told to stop has stopped; start another one",
    ),
)
