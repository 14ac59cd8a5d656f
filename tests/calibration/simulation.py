"""Simulated runs as real journals: sealed events, read back and scored by the code that scores real ones.

The decider knows something (surer means more often right) and is overconfident, each kind in its own way. Nothing of that
is told to the correction: it sees only what it was told before, run by run, as it would at work.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from governance import events as ev
from governance.calibration import Claim
from governance.chain import GENESIS, SALT_BYTES, Entry, Event, seal
from governance.decisions import Decision, DecisionKind
from governance.effects import FailureClass, StepStatus
from governance.policy import Ruling, RulingKind
from governance.reviews import ReviewCard, Verdict, approve, edit, reject
from governance.scores import Experience, Score
from governance.scoring import scored

BEGIN = datetime(2027, 1, 4, 9, tzinfo=UTC)
DECIDER = "model:simulated"
LEARN_EVERY = 25
"""Runs after which the correction is made anew."""
_TILT = {  # how much surer than right: slope and shift of the log-odds, and noise
    DecisionKind.TRIAGE: (1.6, 0.6, 0.4),
    DecisionKind.PLAN: (1.3, 1.1, 0.5),
    DecisionKind.ADVICE: (2.0, 0.5, 0.5),
    DecisionKind.DIAGNOSIS: (0.7, 0.9, 0.6),
}


@dataclass(frozen=True)
class Judged:
    """A decision with its confidence as stated and as experience of earlier runs corrected it."""

    kind: DecisionKind
    stated: Claim
    corrected: Claim


def simulate(runs: int, seed: int) -> list[Judged]:
    """So many runs, one after the other; each is judged by those before it and then learnt from."""
    rng = Random(seed)
    past: list[Score] = []
    experience = Experience(())
    judged: list[Judged] = []
    for number in range(runs):
        if number % LEARN_EVERY == 0:
            experience = Experience(past)
        found = scored(_journal(number, rng), {}).scores
        claims = [score for score in found if score.kind in _TILT]
        judged += [_judged(score, experience) for score in claims]
        past += claims
    return judged


def _judged(score: Score, experience: Experience) -> Judged:
    decision = _decision(score.kind, score.choice, score.confidence)
    found = experience.corrected(decision, score.playbook)
    return Judged(score.kind, score.claim, (found.confidence if found else score.confidence, score.right))


def _case(kind: DecisionKind, rng: Random) -> Claim:
    """A confidence, and whether it is right: by chance, with the odds that the confidence is a distorted view of."""
    odds = rng.gauss(1.0, 1.5)
    slope, shift, noise = _TILT[kind]
    seen = slope * odds + shift + rng.gauss(0, noise)
    return min(0.99, max(0.01, round(_share(seen), 2))), rng.random() < _share(odds)


def _share(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


def _decision(kind: DecisionKind, choice: str, confidence: float) -> Decision:
    return Decision(
        kind=kind, subject="simulated", choice=choice, reasoning="simulated", confidence=confidence, decider=DECIDER
    )


def _journal(number: int, rng: Random) -> Sequence[Entry]:
    """One run: understood, planned, checked, asked, perhaps failed once and diagnosed, ended."""
    run_id = str(UUID(int=rng.getrandbits(128)))
    at, head = BEGIN + timedelta(minutes=number), GENESIS
    entries: list[Entry] = []
    for seq, body in enumerate(_events(run_id, at, rng), 1):
        salt = rng.randbytes(SALT_BYTES)
        entries.append(seal(run_id, Event(f"cause-{seq}", body), seq=seq, at=at, prev_hash=head, salt=salt))
        head = entries[-1].hash
    return entries


def _events(run_id: str, at: datetime, rng: Random) -> Iterator[ev.Body]:
    playbook, requester = rng.choice(("onboarding@1", "offboarding@1")), "katherine.johnson@acme.example"
    triage, plan, advice = (_case(kind, rng) for kind in (DecisionKind.TRIAGE, DecisionKind.PLAN, DecisionKind.ADVICE))
    yield ev.RunAdmitted(
        playbook=playbook, playbook_digest="0" * 64, request={}, requester=requester, source="test", title="simulated"
    )
    yield ev.RequestUnderstood(request={}, decision=_decision(DecisionKind.TRIAGE, playbook, triage[0]))
    yield _plan(1, DECIDER, plan[0])
    gate = Ruling(step="badge", kind=RulingKind.GATE, rule="badge-needs-security", because="simulated")
    yield ev.PlanChecked(revision=1, ok=True, plan_digest="0" * 64, rulings=(gate,))
    if not triage[1]:  # the requester meant something else
        yield ev.CancelAsked(by=requester, reason="not what was asked for")
        yield ev.RunEnded(status="cancelled")
        return
    yield ev.ReviewAsked(card=_card(run_id, requester, at, advice[0]))
    yield _answer(advice, rng)
    yield from _failure(rng)
    if not plan[1]:
        yield _plan(2, "person:annie.easley@acme.example", 1)
    yield ev.RunEnded(status="done")


def _plan(revision: int, author: str, confidence: float) -> ev.PlanWritten:
    decision = _decision(DecisionKind.PLAN, "plan", confidence)
    return ev.PlanWritten(revision=revision, plan={"steps": []}, author=author, decision=decision)


def _card(run_id: str, requester: str, at: datetime, confidence: float) -> ReviewCard:
    return ReviewCard(
        id="rv-000000000001",
        run_id=run_id,
        step="badge",
        title="simulated",
        tool="security.issue_badge@1",
        question="May this happen?",
        triggered_by="badge-needs-security: simulated",
        approvers=("annie.easley@acme.example",),
        requester=requester,
        recommendation=_decision(DecisionKind.ADVICE, "approve", confidence),
        asked_at=at,
    )


def _answer(advice: Claim, rng: Random) -> ev.ReviewDecided:
    no: Verdict = reject(reason="no") if rng.random() < 0.5 else edit({}, reason="not so")
    verdict = approve() if advice[1] else no
    by = "annie.easley@acme.example"
    decision = Decision(
        kind=DecisionKind.VERDICT,
        subject="badge",
        choice=verdict.choice.value,
        reasoning="simulated",
        confidence=1,
        decider=f"person:{by}",
    )
    return ev.ReviewDecided(review_id="rv-000000000001", step="badge", by=by, verdict=verdict, decision=decision)


def _failure(rng: Random) -> Iterator[ev.Body]:
    """A step that failed, and whether trying it again was the right thing to do."""
    confidence, right = _case(DecisionKind.DIAGNOSIS, rng)
    yield ev.StepEnded(step="desk", tool="facilities.reserve_desk@1", status=StepStatus.FAILED)
    yield ev.FailureDiagnosed(
        step="desk",
        failure=FailureClass.TRANSIENT,
        choice=ev.Recovery.RETRY,
        decision=_decision(DecisionKind.DIAGNOSIS, "retry", confidence),
    )
    status = StepStatus.DONE if right else StepStatus.FAILED
    yield ev.StepEnded(step="desk", tool="facilities.reserve_desk@1", status=status)
