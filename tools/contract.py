"""The contract of a tool: what it takes and gives, what its effect is, and how that is found again and taken back.

A tool file declares its :class:`System` and its tools and names both at its end: ``SYSTEM = …``, ``TOOLS = (…)``.
Nothing registers itself; the catalog reads these names, from our folder and from a company's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from governance.canonical import digest
from governance.clock import Clock
from governance.effects import EffectClass, Failure, Intent, LookupAnswer, UndoCall
from governance.reviews import Grant


class ToolModel(BaseModel):
    """Base of inputs and outputs: unknown fields are refused, values cannot change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class OAuth2:
    """Client credentials at ``token_path``; the token is kept until it expires and fetched anew once on a 401."""

    token_path: str = "/oauth/token"  # noqa: S105 - a path, not a secret


@dataclass(frozen=True)
class ApiKey:
    """A secret in a header."""

    header: str = "X-Api-Key"


@dataclass(frozen=True)
class Basic:
    """User name and password."""


Auth = OAuth2 | ApiKey | Basic


@dataclass(frozen=True)
class System:
    """Something outside that tools act on. ``secret`` is a reference (``env:NAME``, ``file:path``), never a secret.

    ``url``, ``secret`` and the limits are defaults that ``systems.yaml`` in STEWARD_HOME may replace. Over all workers at
    most ``concurrency`` calls are in flight, and ``rate`` leave in a second (0: no limit), ``burst`` of them at once.
    """

    name: str
    title: str
    auth: Auth
    url: str = ""
    user: str = ""
    secret: str = ""
    concurrency: int = 8
    rate: float = 0
    burst: int = 0

    @property
    def most_at_once(self) -> int:
        """The burst; when none is given, a second's worth."""
        return self.burst or max(1, round(self.rate))


class Http(Protocol):
    """What a tool may do on the wire: its own system's host, with its credentials, under the call's time-out."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        expect: tuple[int, ...] = (),
    ) -> HttpAnswer:
        """Send and return the answer, for 2xx and for the statuses in ``expect``.

        Raises:
            Transient, Permanent, Ambiguous: everything else, classified (before the first byte may have left:
            never Ambiguous).

        """
        ...


@dataclass(frozen=True)
class HttpAnswer:
    """Status and JSON body (an empty object when there was none)."""

    status: int
    body: Any


@dataclass(frozen=True)
class Call:
    """What a tool is given beside its input.

    ``key`` is the idempotency key, also the reference to put into a searchable field; ``deadline`` is when this
    attempt's time is over. ``callback``, of a deferred tool, is where the system is to send its answer: a secret that
    belongs into the request and nowhere else.
    """

    http: Http
    key: str
    clock: Clock
    deadline: datetime
    callback: str = field(default="", repr=False)


@dataclass(frozen=True)
class Found:
    """A lookup's answer. ``output`` is there for OURS (and for FOREIGN where it is known); ``evidence`` for people.

    OURS without an output, from a deferred tool: accepted, and still being worked on.
    """

    answer: LookupAnswer
    output: ToolModel | None = None
    evidence: str = ""


@dataclass(frozen=True)
class Existing:
    """Returned by a natural-key tool that found what it was to make: it is not this run's and never undone."""

    output: ToolModel


@dataclass(frozen=True)
class Deferred:
    """Returned by a deferred tool: accepted, the answer comes later.

    ``until`` is when it must have come, where that is sooner than the tool says; ``why`` what people read meanwhile.
    """

    until: datetime | None = None
    why: str = ""


@dataclass(frozen=True)
class Retry:
    """How a transient failure is retried: seconds, factor, attempts all told; jitter of 20% comes on top."""

    attempts: int = 4
    first: float = 1.0
    factor: float = 2.0
    most: float = 60.0


Run = Callable[[Call, Any], Awaitable[ToolModel | Existing | Deferred]]
Lookup = Callable[[Call, Any], Awaitable[Found]]
Simulate = Callable[[Any, str], ToolModel]


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A typed function on a system.

    ``provides`` is what exists afterwards (``payroll.employee``), the name that goals use. ``undo`` is data, so that
    it can be checked before and shown: arguments refer to ``input.…`` and ``output.…``. A tool with an effect has an
    undo or says in ``irreversible`` why there is none. ``settle`` is how long after the deadline the system may still
    apply a lost call; ``lag`` how long its search may be behind. ``amount`` names the argument that is money;
    ``sensitive`` those that untrusted data must not reach without a gate. ``deferred`` is how long an answer may take
    at most, of a tool that may return :class:`Deferred`. ``closed`` names the arguments that are only looked up among
    the system's own records: untrusted data in them does not make the answer untrusted.
    """

    name: str
    version: int = 1
    system: str
    summary: str
    input: type[ToolModel]
    output: type[ToolModel]
    effect: EffectClass
    run: Run
    simulate: Simulate
    lookup: Lookup | None = None
    undo: UndoCall | None = None
    irreversible: str = ""
    provides: str = ""
    key_lifetime: timedelta | None = None
    settle: timedelta = timedelta(0)
    lag: timedelta = timedelta(0)
    timeout: timedelta = timedelta(seconds=10)
    retry: Retry = field(default_factory=Retry)
    permission: str = ""
    data_classes: frozenset[str] = frozenset()
    sensitive: frozenset[str] = frozenset()
    amount: str = ""
    untrusted_output: bool = False
    closed: frozenset[str] = frozenset()
    deferred: timedelta | None = None

    @property
    def id(self) -> str:
        """Name and version, as plans write it: ``identity.create_account@1``."""
        return f"{self.name}@{self.version}"

    @cached_property
    def spec(self) -> ToolSpec:
        """The part of the contract that is data: what planners, the checker and people read."""
        return ToolSpec(
            id=self.id,
            system=self.system,
            summary=self.summary,
            input=self.input.model_json_schema(),
            output=self.output.model_json_schema(mode="serialization"),
            effect=self.effect,
            undo=self.undo,
            irreversible=self.irreversible,
            provides=self.provides,
            has_lookup=self.lookup is not None,
            permission=self.permission,
            data_classes=tuple(sorted(self.data_classes)),
            sensitive=tuple(sorted(self.sensitive)),
            amount=self.amount,
            untrusted_output=self.untrusted_output,
            closed=tuple(sorted(self.closed)),
            key_lifetime_s=self.key_lifetime.total_seconds() if self.key_lifetime else None,
            settle_s=self.settle.total_seconds(),
            lag_s=self.lag.total_seconds(),
            timeout_s=self.timeout.total_seconds(),
            deferred_s=self.deferred.total_seconds() if self.deferred else None,
        )


class ToolSpec(BaseModel):
    """A tool's contract as data. ``input`` and ``output`` are JSON Schemas (definitions may be behind ``$defs``)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    system: str
    summary: str
    input: dict[str, Any]
    output: dict[str, Any]
    effect: EffectClass
    undo: UndoCall | None = None
    irreversible: str = ""
    provides: str = ""
    has_lookup: bool = False
    permission: str = ""
    data_classes: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    amount: str = ""
    untrusted_output: bool = False
    closed: tuple[str, ...] = ()
    key_lifetime_s: float | None = None
    settle_s: float = 0
    lag_s: float = 0
    timeout_s: float = 10
    deferred_s: float | None = None

    @property
    def name(self) -> str:
        """The name without its version."""
        return self.id.rpartition("@")[0]

    @cached_property
    def digest(self) -> str:
        """What a run pins: changes when any part of the contract does."""
        # What is not declared does not count: contracts from before the field was there keep their digest.
        unsaid = {name for name in ("deferred_s", "closed") if not getattr(self, name)}
        return digest(self.model_dump(mode="json", exclude=unsaid))


# --- invocation's side of the contract -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Order:
    """A step that is to be performed now. ``intent`` and ``attempts`` are what the journal already says of it.

    ``new_intent`` makes the intent if there is none (reads: None). ``ambiguous`` is True when the last word about an
    open intent is that nobody knows (an ambiguous attempt, or a crash). ``settle_only`` (a run that is cancelled or
    failing): find out whether an open intent happened, by its lookup where there is one, and do not start it anew:
    NONE ends in Stopped. ``deadline`` is when the answer to what was sent last cannot come any more; without it an
    open intent is counted from now. ``callback`` and ``mark``, of a deferred tool: where its answer is to go, and the
    hash of that. ``overdue``: it was accepted, and its answer is waited for no longer; find out, and do not call.
    """

    run_id: str
    step: str
    tool: Tool
    args: dict[str, Any]
    key: str
    intent: Intent | None = None
    attempts: int = 0
    ambiguous: bool = False
    settle_only: bool = False
    deadline: datetime | None = None
    grant: Grant | None = None
    callback: str = field(default="", repr=False)
    mark: str = ""
    overdue: bool = False


@dataclass(frozen=True)
class Done:
    """It happened. ``found``: it was there already and is not ours."""

    output: dict[str, Any]
    found: bool = False


@dataclass(frozen=True)
class Failed:
    """It did not happen and will not: permanent, or transient with its attempts exhausted."""

    failure: Failure


@dataclass(frozen=True)
class Unknown:
    """It may have happened, and no machine can say: ask a person."""

    failure: Failure


@dataclass(frozen=True)
class Later:
    """Nothing more can be done before ``at`` (business time): a long retry, a settle time, a lagging search."""

    at: datetime
    why: str


@dataclass(frozen=True)
class Awaiting:
    """Accepted: its answer comes from outside, at most by ``until``. ``stopping``: it was told to stop."""

    until: datetime
    why: str
    stopping: bool = False


@dataclass(frozen=True)
class Stopped:
    """The run was cancelled or drained between attempts: nothing is in flight, the journal says how far it came."""


Outcome = Done | Failed | Unknown | Later | Awaiting | Stopped


class Ledger(Protocol):
    """Where invocation writes before and after it touches the world. Each method returns once it is durable."""

    async def intended(self, intent: Intent) -> None:
        """The note before an effect."""
        ...

    async def trying(self, step: str) -> None:
        """An open intent is about to be sent again. Durable before the first byte, so that every send is fenced."""
        ...

    async def attempted(self, step: str, number: int, failure: Failure, retry_at: datetime | None) -> None:
        """An attempt failed; ``number`` counts from 1 over the whole life of the step."""
        ...

    async def reconciled(self, step: str, answer: LookupAnswer, evidence: str) -> None:
        """The system was asked whether a lost call had happened."""
        ...


class Brake(Protocol):
    """Says whether a step may go on between attempts, and wakes a sleeping retry when it may not."""

    @property
    def pulled(self) -> bool:
        """True once nothing new may start."""
        ...

    async def wait(self) -> None:
        """Return when the brake is pulled."""
        ...


class Invoker(Protocol):
    """Performs orders. One implementation calls systems, one simulates."""

    async def perform(self, order: Order, ledger: Ledger, brake: Brake) -> Outcome:
        """Bring the order to an outcome.

        Raises:
            Fenced: the ledger says that this worker no longer owns the run. Nothing else for a call's own failure.

        """
        ...
