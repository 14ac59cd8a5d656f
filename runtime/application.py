"""The application: what every surface may do, in words of the trade. ``runtime.wiring.build`` makes it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

from agents.ports import NotUnderstood, Understood, Wish
from governance.budgets import Raise
from governance.chain import Entry, Verified, verify
from governance.clock import Clock
from governance.deciding import may_decide, require_answer, require_in_time, require_may_decide
from governance.decisions import Decision
from governance.errors import AlreadyDecided, InvalidInput, NotFound, NotPermitted, Refused
from governance.events import RunStatus
from governance.forms import require_filled_in
from governance.models import ModelsStatus
from governance.outside import OutsideEvent, Published, read_event
from governance.people import Directory, Person
from governance.priority import Priority
from governance.record import Wanted
from governance.reviews import Choice, ReviewCard, ReviewKind, Verdict
from governance.runs import InputKind, ReviewRow, RunRow
from governance.seeing import is_theirs, may_see
from governance.signatures import Signatures
from governance.systems import SystemStatus
from governance.templates import TemplateRow
from governance.text import text_problem
from graphs.engine import Engine
from graphs.fold import Phase
from graphs.machine import Graph
from graphs.revision import as_next, check_plan, edited
from graphs.transitions import fold
from playbooks.model import Playbook
from runtime.autonomy import AutonomyDesk
from runtime.callbacks import Answered, call_back
from runtime.export import decision_lines, lines
from runtime.fork import fork
from runtime.knowledge import Knowledge
from runtime.ports import ChatStore, Store, Workshop
from runtime.preview import preview
from runtime.questions import Questions
from runtime.record import KINDS
from runtime.show import decisions_view, run_view
from runtime.templates import drop_template, templates_view
from runtime.views import Preview, RunDecisions, RunView, TemplatesView, Told
from tools.arguments import output_problems
from tools.contract import ToolSpec
from triggers.admission import Admission, Ask, may_start


@dataclass(frozen=True)
class Application:
    """Everything behind one door. Every method that acts takes ``by``: who is asking, from a log-in, never from input.

    ``who_decides``: models or rules, in one sentence. ``signatures``: what the door for events looks at.
    """

    knowledge: Knowledge
    who_decides: str
    engine: Engine
    store: Store
    clock: Clock
    admission: Admission
    graph: Graph
    workshop: Workshop
    autonomy: AutonomyDesk
    questions: Questions
    signatures: Signatures

    @property
    def directory(self) -> Directory:
        """Who is who."""
        return self.knowledge.directory

    @property
    def chats(self) -> ChatStore:
        """Threads of the chat."""
        return self.store.chats

    def named(self, sentence: str) -> str:
        """A sentence with people's names instead of their ids."""
        for person in self.directory.everyone():
            sentence = sentence.replace(person.id, person.name)
        return sentence

    def playbooks(self) -> tuple[Playbook, ...]:
        """All playbooks, by name and version."""
        return tuple(self.knowledge.playbooks[name] for name in sorted(self.knowledge.playbooks))

    def tools(self) -> tuple[ToolSpec, ...]:
        """All tools' contracts, by name."""
        return tuple(sorted((tool.spec for tool in self.knowledge.catalog.tools), key=lambda spec: spec.id))

    def tool(self, name: str) -> ToolSpec:
        """One tool's contract. Raises NotFound."""
        return self.knowledge.tool(name)

    def hear(self, text: str, *, drafting: bool) -> Wish:
        """What a person in chat wants; ``drafting``: a request is being completed. Nothing is done."""
        return self.knowledge.listener.hear(text, drafting=drafting)

    async def understand(self, text: str, *, by: Person, draft: Understood | None = None) -> Understood | NotUnderstood:
        """Words as a typed request; with ``draft``, the words answer what was missing in it. Nothing is started."""
        allowed = [playbook for playbook in self.playbooks() if may_start(by, playbook)]
        return await self.knowledge.understand(text, allowed, by=by, today=self.clock.now().date(), draft=draft)

    async def ask(self, text: str, *, by: Person) -> Told:
        """Answer a question from what tools read, with sources. No run is made, nothing is changed. Raises InvalidInput."""
        return await self.questions.ask(text, by=by)

    async def preview(self, playbook: str, request: dict[str, Any], *, by: Person) -> Preview:
        """What a run would do. Touches nothing. Raises NotFound, InvalidRequest."""
        return await preview(self.knowledge, playbook, request, by)

    async def start(
        self,
        playbook: str,
        request: dict[str, Any],
        *,
        by: Person,
        source: str = "api",
        dedupe: str | None = None,
        understanding: Decision | None = None,
        priority: Priority | None = None,
    ) -> RunRow:
        """Admit a run, due at once. The same ``dedupe`` again gives the run that it gave before.

        Without a ``priority`` it has its playbook's.

        Raises:
            NotFound: no such playbook.
            NotPermitted: the person may not start it.
            InvalidRequest: every problem of the request at once.

        """
        ask = Ask(self.knowledge.playbook(playbook), request, by, source, dedupe, understanding, priority)
        return await self.admission.admit(ask)

    async def runs(self, *, limit: int = 50, status: RunStatus | None = None) -> list[RunRow]:
        """The newest runs first."""
        return await self.store.runs.list(limit=limit, status=status)

    async def systems(self) -> tuple[SystemStatus, ...]:
        """The state of every system over all workers: breaker, calls in flight, limits."""
        return await self.store.systems()

    async def templates(self) -> TemplatesView:
        """The plans that are kept, what they saved, and why others were not taken from one."""
        return await templates_view(self.engine, self.store.templates)

    async def drop_template(self, template: str, *, reason: str, by: Person) -> TemplateRow:
        """Use a kept plan no more; the same plan is not kept again. Raises NotFound, Refused, NotPermitted."""
        return await drop_template(self.store.templates, template, reason=reason, by=by, at=self.clock.now())

    async def models(self) -> ModelsStatus:
        """Who decides here, the limits of models, and what they took today over all processes."""
        return await self.store.models()

    async def show(self, run: str) -> RunView:
        """A run, whole, by its id or the beginning of it. Raises NotFound."""
        row = await self.store.runs.find_prefix(run)
        entries = await self.store.journal.read(row.id)
        reviews = await self.store.reviews.list(run_id=row.id, open_only=False)
        view = run_view(row, entries, reviews, self.engine.specs, self.clock.now())
        return replace(view, children=tuple(await self.store.runs.children(row.id)))

    async def decisions(self, run: str, *, by: Person | None = None) -> RunDecisions:
        """Every decision of a run, each with the journal entry that proves it, and whether the journal holds.

        ``by`` is who looks: where given, a run that is not theirs to see is not there.

        Raises:
            NotFound: no such run, or none that ``by`` may see.

        """
        row = await self.store.runs.find_prefix(run)
        if by is not None:
            questions = await self.store.reviews.list(run_id=row.id, open_only=False)
            asked = [each for asking in questions for each in (*asking.card.approvers, asking.decided_by or "")]
            if not may_see(row.requester, asked, by, self.directory):
                raise NotFound(
                    f"There is no run {run!r} that {by.name} may see.",
                    hint="Its requester may, or who is asked about it.",
                )
        return decisions_view(row, await self.store.journal.read(row.id))

    async def export_decisions(self, wanted: Wanted) -> AsyncIterator[str]:
        """The wanted decisions of all runs as lines of JSON, run by run; a line is in ``decision.schema.json``."""
        async for line in decision_lines(self.store.journal.deciding(KINDS, wanted), wanted):
            yield line

    async def events(self, run: str, *, after: int = 0, follow: bool = True) -> AsyncIterator[Entry]:
        """The run's journal from ``after`` on; with ``follow`` until the run has ended."""
        row = await self.store.runs.find_prefix(run)
        async for entry in self.store.follow(row.id, after=after, follow=follow):
            yield entry

    def stirred(self) -> AsyncGenerator[None, None]:
        """Yields at once, when any run may have changed, and at least once a second: a hint to look again."""
        return self.store.stirred()

    async def reviews(
        self, *, person: Person | None = None, run: str | None = None, open_only: bool = True
    ) -> list[ReviewRow]:
        """Reviews, oldest first; with ``person`` those that the person may decide."""
        run_id = (await self.store.runs.find_prefix(run)).id if run else None
        rows = await self.store.reviews.list(run_id=run_id, open_only=open_only)
        return [row for row in rows if person is None or may_decide(row.card, person, self.directory)]

    async def review(self, review: str) -> ReviewRow:
        """One review by its id or the beginning of it. Raises NotFound."""
        return await self.store.reviews.find_prefix(review)

    async def decide(self, review: str, verdict: Verdict, *, by: Person) -> ReviewRow:
        """Answer a question. Of many answers at once exactly one wins.

        Raises:
            NotFound: no such review.
            NotPermitted: not this person's to decide (role, four eyes).
            AlreadyDecided: decided, expired or withdrawn before; the sentence says by whom and when.
            InvalidInput: no answer to this question, a reason is missing, or an edit does not pass the check.

        """
        row = await self.store.reviews.find_prefix(review)
        require_may_decide(row.card, by, self.directory)
        require_answer(row.card, verdict)
        if row.card.kind is ReviewKind.FORM:
            require_filled_in(row.card.args.get("schema", {}), verdict.args)
        require_in_time(row.escalation, self.clock.now())
        if verdict.choice is Choice.EDIT:
            await self._check_edit(row.card, verdict.args or {})
        elif verdict.args is not None and row.card.kind is not ReviewKind.FORM:
            self._check_output(row.card, verdict.args)
        try:
            return await self.store.reviews.decide(row.card.id, verdict, by=by.id, at=self.clock.now())
        except AlreadyDecided as error:
            raise AlreadyDecided(self.named(str(error)), hint=error.hint) from error

    async def call_back(self, address: str, body: Any) -> Answered:
        """Take an answer for a deferred step, from whoever knows the step's address. Repeats get the first answer.

        ``body`` is the output of the step's tool, or ``{"error": "why not"}``. It is valid from the moment that the
        step's intent is durable: before the tool's own answer, and after the worker died.

        Raises:
            NotFound: no step has this address.
            Refused: the step or its run has ended.
            InvalidInput: the body is not what the tool gives.

        """
        return await call_back(self.store, self.engine, address, body)

    async def publish(self, event: OutsideEvent) -> Published:
        """Take an event that another system publishes: it goes to every step that waits for it (``events.await``).

        An event is known by its source and id for a week at least, and a repeat changes nothing. Who may publish is for the
        door to say; what the event says is trusted by nobody.

        Raises:
            InvalidInput: the event cannot be kept.
            DatabaseUnavailable: whether it was taken is not known; publish it again.

        """
        return await self.store.events.publish(read_event(event.envelope), self.clock.now())

    async def cancel(self, run: str, *, reason: str, by: Person) -> RunRow:
        """Ask a run to stop. Calls in flight end first, then what can be taken back is, newest first. Raises NotFound, Refused, NotPermitted."""
        return await self._tell(run, InputKind.CANCEL, reason, by)

    async def resume(self, run: str, *, reason: str, by: Person, more: Raise | None = None) -> RunRow:
        """Send a parked run on: what failed is tried again; ``more`` is added to its budget.

        Raises NotFound, Refused, NotPermitted.
        """
        return await self._tell(run, InputKind.RESUME, reason, by, **({"more": more.model_dump()} if more else {}))

    async def fork(self, run: str, *, by: Person, at: int | None = None) -> RunView:
        """What would happen from the event number ``at`` on (default: the last), simulated on a thread of its own.

        The run itself is not touched; the view's row id is the thread that holds the fork's checkpoints.

        Raises:
            NotFound: no such run.
            NotPermitted: not this person's run.
            InvalidInput: no such event, or the run was erased.

        """
        row = await self.store.runs.find_prefix(run)
        self._require_manages(row, by, "fork")
        entries = await self.store.journal.read(row.id)
        forked, journal = await fork(self.graph, row, entries, at or len(entries), self.engine.entropy)
        return run_view(forked, journal, (), self.engine.specs, self.clock.now())

    async def erase(self, run: str, *, reason: str, by: Person) -> RunRow:
        """Erase the personal data of an ended run; its chain stays valid. Raises NotFound, Refused, NotPermitted."""
        row = await self.store.runs.find_prefix(run)
        require_reason(reason, "erase")
        if not by.may("privacy:erase"):
            raise NotPermitted(
                f"{by.name} may not erase data.", hint="It takes the permission privacy:erase in people.yaml."
            )
        await self.store.erase(row.id, by=by.id, reason=reason)
        return await self.store.runs.find_prefix(row.id)

    async def verify(self, run: str | None = None) -> Verified:
        """Verify the chain of one run, or of all, and that rows and journals agree on which runs there are and have ended."""
        run_id = (await self.store.runs.find_prefix(run)).id if run else None
        found = verify([entry async for entry in self.store.journal.all_entries(run_id)])
        return replace(found, broken=(*found.broken, *await self.store.journal.loose_ends(run_id)))

    async def export(self, run: str | None = None) -> AsyncIterator[str]:
        """The journal of one run, or of all, as lines of JSON."""
        run_id = (await self.store.runs.find_prefix(run)).id if run else None
        async for line in lines(self.store.journal.all_entries(run_id)):
            yield line

    def working(self) -> AbstractAsyncContextManager[None]:
        """``async with``: an in-process worker for as long as the block lasts."""
        return self.workshop.working()

    async def work_forever(self) -> None:
        """Work until SIGTERM or SIGINT, then hand back what is not finished."""
        await self.workshop.work_forever()

    async def _check_edit(self, card: ReviewCard, args: dict[str, Any]) -> None:
        state = fold(card.run_id, await self.store.journal.read(card.run_id))
        if state.written is None:
            return
        await self.engine.autonomy.refresh(self.clock.now())
        written = state.written.model_copy(update={"plan": edited(state, card, args), "revision": state.revision + 1})
        checked, _ = check_plan(self.engine, as_next(state, written), written.plan, begun_in=state)
        if not checked.ok:
            raise InvalidInput("The edited arguments do not pass the check.", findings=checked.findings)

    def _check_output(self, card: ReviewCard, output: dict[str, Any]) -> None:
        tool = self.engine.tools.get(card.tool)
        problems = output_problems(tool, output) if tool else ()
        if problems:
            raise InvalidInput(f"That is not what {card.tool} gives: {'; '.join(problems)}.")

    async def _tell(self, run: str, kind: InputKind, reason: str, by: Person, **beside: Any) -> RunRow:
        row = await self.store.runs.find_prefix(run)
        # The journal knows first: the row follows when the worker hands the run back.
        state = fold(row.id, await self.store.journal.read(row.id))
        if state.phase is Phase.END:
            raise Refused(f"Run {row.id[:13]} has ended; nothing can be changed any more.")
        if kind is InputKind.RESUME and state.parked is None:
            raise Refused(f"Run {row.id[:13]} is not parked; there is nothing to resume.")
        if kind is InputKind.CANCEL and state.undoing is not None:
            raise Refused(
                f"Run {row.id[:13]} is being taken back already.",
                hint="If it is stuck, it has a question: resume or close.",
            )
        self._require_manages(row, by, kind.value)
        require_reason(reason, kind.value)
        await self.store.inbox.put(row.id, kind, {"by": by.id, "reason": reason, **beside})
        return row

    @staticmethod
    def _require_manages(row: RunRow, by: Person, what: str) -> None:
        if not is_theirs(row.requester, by):
            raise NotPermitted(f"{by.name} may not {what} this run.", hint="Its requester may, or who has runs:manage.")


_ACTS = {"cancel": "Cancelling", "resume": "Resuming", "erase": "Erasing"}


def require_reason(reason: str, what: str) -> None:
    """Raises InvalidInput when there is none, or one that cannot be kept: others will read it."""
    if not reason.strip():
        raise InvalidInput(f"{_ACTS.get(what, what)} a run needs a reason.")
    problem = text_problem(reason)
    if problem:
        raise InvalidInput(f"The reason {problem}.", hint="Write it again, shorter or without it.")
