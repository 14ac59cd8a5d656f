"""The witness as a company would add it: one tool of each effect class, each with its way back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from governance.effects import EffectClass, LookupAnswer, UndoCall
from tools.contract import ApiKey, Call, Existing, Found, Retry, System, Tool, ToolModel
from tools.semantic import Semantic
from tools.simulated_ids import simulated_id

Subject = Annotated[str, Semantic("Subject")]
NoteId = Annotated[str, Semantic("NoteId")]
SETTLE = timedelta(seconds=4)
LAG = timedelta(seconds=0.5)
TIMEOUT = timedelta(seconds=3)
PATIENT = Retry(attempts=8, first=0.2, factor=2, most=2)


class About(ToolModel):
    """Whom or what it is about."""

    subject: Subject


class AboutLong(ToolModel):
    """What it is about, and how many seconds it takes."""

    subject: Subject
    seconds: float


class Thing(ToolModel):
    """What was made."""

    id: str


class Note(ToolModel):
    """The note that was made."""

    id: NoteId


class Ref(ToolModel):
    """A thing by its id."""

    id: str


async def _post(call: Call, path: str, body: dict[str, Any], *, expect: tuple[int, ...] = ()) -> tuple[int, Any]:
    headers = {"X-Deadline": str(call.deadline.timestamp()), "X-Settle": str(SETTLE.total_seconds())}
    if path in {"/charge", "/hold"}:
        headers["Idempotency-Key"] = call.key
    answer = await call.http.request("POST", path, json={**body, "reference": call.key}, headers=headers, expect=expect)
    return answer.status, answer.body


async def note(call: Call, wanted: About) -> Note | Existing:
    """Note the subject; there is one note for each."""
    status, body = await _post(call, "/note", wanted.model_dump(), expect=(409,))
    return Existing(Note(id=body["id"])) if status == 409 else Note(id=body["id"])


async def charge(call: Call, wanted: About) -> Thing:
    """Charge the subject; the witness knows our key."""
    return Thing(id=(await _post(call, "/charge", wanted.model_dump()))[1]["id"])


async def hold(call: Call, wanted: AboutLong) -> Thing:
    """As a charge, and the answer takes its time."""
    return Thing(id=(await _post(call, "/hold", wanted.model_dump()))[1]["id"])


async def place(call: Call, wanted: About) -> Thing:
    """Place one more; our key stands in its reference."""
    return Thing(id=(await _post(call, "/place", wanted.model_dump()))[1]["id"])


async def shout(call: Call, wanted: About) -> Thing:
    """Shout; nobody can say afterwards whether it was heard."""
    return Thing(id=(await _post(call, "/shout", wanted.model_dump()))[1]["id"])


async def take_back(_call: Call, wanted: Ref) -> Thing:
    """Nothing to do at the witness: the battery counts what was made."""
    return Thing(id=wanted.id)


async def _found(call: Call, path: str, subject: str) -> tuple[LookupAnswer, str]:
    found: Sequence[dict[str, str]] = (await call.http.request("GET", path, params={"subject": subject})).body["found"]
    for record in found:
        if record["reference"] == call.key:
            return LookupAnswer.OURS, record["id"]
    return (LookupAnswer.FOREIGN, found[0]["id"]) if found else (LookupAnswer.NONE, "")


async def look_for_note(call: Call, wanted: About) -> Found:
    """Whose note is there."""
    answer, found = await _found(call, "/note", wanted.subject)
    return Found(answer, Note(id=found) if found else None, evidence=found)


async def look_for_place(call: Call, wanted: About) -> Found:
    """Whose place is there."""
    answer, found = await _found(call, "/place", wanted.subject)
    return Found(answer, Thing(id=found) if found else None, evidence=found)


def _pretend(wanted: About | AboutLong, _key: str) -> Thing:
    return Thing(id=simulated_id("w-", 6, wanted.subject))


_BACK = UndoCall(tool="witness.take_back@1", args={"id": {"$ref": "output.id"}})

SYSTEM = System(name="witness", title="The witness", auth=ApiKey(), url="http://127.0.0.1:1", concurrency=32)
TOOLS = (
    Tool(
        name="witness.note",
        system="witness",
        summary="Note a subject.",
        input=About,
        output=Note,
        effect=EffectClass.NATURAL_KEY,
        run=note,
        lookup=look_for_note,
        simulate=lambda wanted, _key: Note(id=simulated_id("n-", 6, wanted.subject)),
        undo=_BACK,
        provides="witness.note",
        timeout=TIMEOUT,
        retry=PATIENT,
    ),
    Tool(
        name="witness.charge",
        system="witness",
        summary="Charge a subject.",
        input=About,
        output=Thing,
        effect=EffectClass.KEYED,
        key_lifetime=timedelta(days=1),
        run=charge,
        simulate=_pretend,
        undo=_BACK,
        provides="witness.charge",
        timeout=TIMEOUT,
        retry=PATIENT,
    ),
    Tool(
        name="witness.hold",
        system="witness",
        summary="Charge a subject and take long for it.",
        input=AboutLong,
        output=Thing,
        effect=EffectClass.KEYED,
        key_lifetime=timedelta(days=1),
        run=hold,
        simulate=_pretend,
        undo=_BACK,
        provides="witness.hold",
        timeout=timedelta(seconds=120),
        retry=PATIENT,
    ),
    Tool(
        name="witness.place",
        system="witness",
        summary="Place something for a subject.",
        input=About,
        output=Thing,
        effect=EffectClass.RECONCILABLE,
        settle=SETTLE,
        lag=LAG,
        run=place,
        lookup=look_for_place,
        simulate=_pretend,
        undo=_BACK,
        provides="witness.place",
        timeout=TIMEOUT,
        retry=PATIENT,
    ),
    Tool(
        name="witness.shout",
        system="witness",
        summary="Shout about a subject.",
        input=About,
        output=Thing,
        effect=EffectClass.UNSAFE,
        settle=SETTLE,
        run=shout,
        simulate=_pretend,
        irreversible="a shout cannot be called back",
        provides="witness.shout",
        timeout=TIMEOUT,
        retry=PATIENT,
    ),
    Tool(
        name="witness.take_back",
        system="witness",
        summary="Take a thing back.",
        input=Ref,
        output=Thing,
        effect=EffectClass.NATURAL_KEY,
        run=take_back,
        simulate=lambda wanted, _key: Thing(id=wanted.id),
        irreversible="it is the way back itself",
    ),
)
