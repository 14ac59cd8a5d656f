"""The page and the screen of a run's decisions: foreign words stay words, costs are shown, a broken chain is said."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from governance.decisions import DecisionKind, ModelUse
from governance.events import PlanWritten, RunStatus
from governance.reviews import reject
from governance.runs import RunRow
from runtime.show import decisions_view
from runtime.views import RunDecisions
from surfaces.cli.decision_page import bar, decision_page
from surfaces.cli.screen import console
from surfaces.decided import dollars
from surfaces.http.decision_page import decision_html
from tests.fakes import FIRST_MOMENT
from tests.fixtures.stories import MARY, Story, decision

EVIL = '"><script>alert(1)</script>[bold]'


def told(story: Story, title: str = "Onboard Ada Lovelace") -> RunDecisions:
    """The decisions of a story's run."""
    row = RunRow(
        id=story.entries[0].run_id,
        playbook="onboarding@1",
        title=title,
        requester="katherine.johnson@acme.example",
        source="test",
        status=RunStatus.DONE,
        waiting_for="",
        admitted_at=FIRST_MOMENT,
        ended_at=None,
        wake_at=None,
        owner=None,
        epoch=0,
        fruitless=0,
    )
    return decisions_view(row, story.entries)


def name(person: str) -> str:
    """A person's name."""
    return "Mary Jackson" if person == MARY else person


def named(text: str) -> str:
    """A text with names."""
    return text.replace(MARY, "Mary Jackson")


def html(decided: RunDecisions) -> str:
    """The page."""
    return decision_html(decided, name, named)


def text(decided: RunDecisions, width: int = 80) -> str:
    """The screen."""
    out = io.StringIO()
    console(out, width=width).print(decision_page(decided, name, named))
    return out.getvalue()


def test_foreign_words_stay_words() -> None:
    """Whatever a model, a person or a request says, in a text or in an attribute, is shown and never run."""
    story = Story()
    steps = [{"id": EVIL, "tool": EVIL, "reason": EVIL, "confidence": 0.5}]
    use = ModelUse(model=EVIL, prompt=EVIL)
    said = decision(DecisionKind.PLAN, EVIL, f"model:{EVIL}", subject=EVIL, why=EVIL, evidence=(EVIL,), use=use)
    story.tell(PlanWritten(revision=1, plan={"steps": steps}, author="model:x", decision=said))
    story.answer(story.ask(step=EVIL, advice=EVIL), reject(reason=EVIL))
    page = html(told(story, title=EVIL))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 10
    assert 'data-step="&#34;&gt;&lt;script' in page
    assert "[bold]" in text(told(story, title=EVIL))


def test_what_a_model_took_and_what_people_overrode_are_shown() -> None:
    """Model, prompt, tokens, cost and time; who went against the advice and why."""
    story = Story()
    story.plan()
    story.answer(story.ask(advice="approve"), reject(reason="the budget is used up"))
    for shown in (html(told(story)), " ".join(text(told(story)).split())):
        assert "m-1, prompt plan@1: 1 call, 900 + 100 tokens, $0.0012, 0.8 s" in shown
        assert "Models were asked for 1 decision" in shown
        assert "the budget is used up" in shown
        assert "Mary Jackson" in shown
        assert MARY not in shown
    assert html(told(story)).count(" data-overridden") == 1
    assert "1 overridden by people" in text(told(story))


def test_a_journal_that_does_not_hold_is_said_on_the_page_and_on_the_screen() -> None:
    """Nobody relies on a record whose proof is broken."""
    story = Story()
    story.plan()
    story.entries[1] = replace(story.entries[1], hash=bytes(32))
    for shown in (html(told(story)), text(told(story))):
        assert "The journal does not hold" in shown
        assert "The journal that says so holds" not in shown


@pytest.mark.parametrize("width", [60, 80, 130])
def test_the_screen_keeps_to_its_width(width: int) -> None:
    """No line is longer than the terminal."""
    story = Story()
    story.plan()
    story.gate()
    story.answer(story.ask(advice="approve"), reject(reason="too much " * 30))
    assert max(len(line) for line in text(told(story), width).splitlines()) <= width


@pytest.mark.parametrize(("sure", "drawn"), [(0.0, "░░░░░░   0%"), (0.5, "███░░░  50%"), (1.0, "██████ 100%")])
def test_confidence_is_a_bar(sure: float, drawn: str) -> None:
    """Of the same length, however sure."""
    assert bar(sure).plain == drawn
    assert len(bar(None).plain) == len(drawn)


@pytest.mark.parametrize(("micro", "shown"), [(0, "$0.00"), (1, "$0.000001"), (1_200, "$0.0012"), (2_500_000, "$2.50")])
def test_small_costs_can_be_seen(micro: int, shown: str) -> None:
    """As many places as it takes."""
    assert dollars(micro) == shown
