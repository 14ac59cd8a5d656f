"""The evaluation: what counts as right, the least that a plan needs, the figures; and floors for the offline rules."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.evaluation.corpus import Answer, Case, Expected, load_corpus
from agents.evaluation.figures import Share, figures
from agents.evaluation.hearing import Heard, judge, same
from agents.evaluation.optimum import bound
from agents.evaluation.trial import Part, Result
from agents.ports import NotUnderstood, PlanningTask, Proposal, Understood
from governance.decisions import Decision, DecisionKind
from governance.errors import InvalidInput, InvalidSettings
from playbooks.requests import closed_schema, complete
from runtime.evaluation import document, evaluate, require_model, write_report
from runtime.knowledge import Knowledge, load_knowledge

SAMPLE = 50
KNOWN = {"onboarding", "offboarding", "question", "abstain"}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """What ships."""
    return load_knowledge(None)


def _no_tick(_: int, __: int) -> None:
    pass


def _decision(confidence: float = 0.9) -> Decision:
    return Decision(
        kind=DecisionKind.TRIAGE, subject="t", choice="c", reasoning="r", confidence=confidence, decider="rule:t"
    )


def _case(expect: Expected) -> Case:
    return Case(id="a-1", group="a", text="t", expect=expect)


def _understood(request: dict[str, Any], **open_: dict[str, str]) -> Understood:
    return Understood("onboarding@1", request, _decision(), **open_)


ADA = Expected(answer=Answer.WORK, playbook="onboarding", fields={"first_name": "ada"}, asked=("manager",))


@pytest.mark.parametrize(
    ("expect", "found", "faults"),
    [
        (ADA, _understood({"first_name": "Ada"}, missing={"manager": "Who?"}), 0),
        (ADA, _understood({"first_name": "Ada", "manager": "x"}), 1),  # invented
        (ADA, _understood({"first_name": "Eda"}, doubtful={"manager": "Who?"}), 1),
        (ADA, _understood({"first_name": "Ada"}, missing={"manager": "Who?"}, doubtful={"first_name": "Ada?"}), 1),
        (ADA, NotUnderstood("What?", _decision()), 1),
        (Expected(answer=Answer.ABSTAIN), NotUnderstood("What?", _decision()), 0),
        (Expected(answer=Answer.ABSTAIN), _understood({}, missing={"manager": "Who?"}), 1),
        (Expected(answer=Answer.ASK, among=("onboarding",)), _understood({}, missing={"manager": "Who?"}), 0),
        (Expected(answer=Answer.ASK, among=("onboarding",)), _understood({}), 1),
        (Expected(answer=Answer.ASK, among=("offboarding",)), _understood({}, missing={"manager": "Who?"}), 1),
        (Expected(answer=Answer.WORK, playbook="onboarding", never={"salary": 9}), _understood({"salary": 9}), 1),
        (Expected(answer=Answer.WORK, playbook="onboarding", either={"site": "Berlin"}), _understood({"site": "Rome"}), 1),
        (Expected(answer=Answer.WORK, playbook="onboarding", either={"site": "Berlin"}), _understood({}, missing={"site": "?"}), 0),
        (Expected(answer=Answer.WORK, playbook="offboarding"), _understood({}), 1),
    ],
)  # fmt: skip
def test_an_answer_is_right_by_its_properties(
    knowledge: Knowledge, expect: Expected, found: Understood | NotUnderstood, faults: int
) -> None:
    """Values, questions where there should be some and none elsewhere, nothing where nothing was asked for."""
    assert len(judge(_case(expect), found, knowledge.playbooks).faults) == faults


def test_values_are_compared_as_people_would() -> None:
    """Text in any case, a part where only a part is asked for, numbers by size; no is not zero."""
    assert same("R&D", "r&d")
    assert same("~laptop", "20 Laptops")
    assert same("~4200", 4200)
    assert same(47_000, 47_000.0)
    assert not same(0, False)
    assert not same("Berlin", None)


def test_the_corpus_is_whole_and_a_third_of_each_group_is_held_out() -> None:
    """As many as promised, every playbook's shapes known, and the draw fair to every group."""
    corpus = load_corpus()
    assert len(corpus.cases) >= 330
    for group in {case.group for case in corpus.cases}:
        cases = [case for case in corpus.cases if case.group == group]
        assert sum(case.held_out for case in cases) == round(len(cases) / 3), group


def test_a_corpus_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    """With every problem named."""
    about = "today: '2026-11-23'\nrequester: a@b.example\nchannel: chat\nheld_out_seed: 1\nplans: {}\n"
    case = "- {id: a-1, group: a, text: t, expect: {answer: work, plan: none-such}}\n"
    (tmp_path / "about.yaml").write_text(about, encoding="utf-8")
    (tmp_path / "a.yaml").write_text(case * 2, encoding="utf-8")
    with pytest.raises(InvalidSettings) as refused:
        load_corpus(tmp_path)
    said = " ".join(finding.sentence for finding in refused.value.findings)
    assert "a-1 is given twice" in said
    assert "none-such" in said


def test_a_sample_is_the_same_each_time_and_has_every_group() -> None:
    """A seed is a draw; another seed is another."""
    corpus = load_corpus()
    one, two, other = corpus.sample(40, 1), corpus.sample(40, 1), corpus.sample(40, 2)
    assert one == two != other
    assert {case.group for case in one.cases} == {case.group for case in corpus.cases}


@pytest.mark.parametrize(("mode", "steps", "path"), [("office", 13, 4), ("remote", 10, 4)])
def test_the_least_that_an_onboarding_needs(knowledge: Knowledge, mode: str, steps: int, path: int) -> None:
    """Counted by hand: a step for each goal, and a look-up each of the manager, the usual salary and a free desk."""
    playbook = knowledge.playbook("onboarding")
    said = {
        "first_name": "Ada", "last_name": "Lovelace", "job_title": "Accountant", "department": "Finance",
        "start_date": "2027-02-01", "manager": "mary.jackson@acme.example", "work_mode": mode,
    }  # fmt: skip
    left_out = {"engineering_training"} | ({"desk", "badge"} if mode == "remote" else set())
    goals = [goal for goal in playbook.goals if goal.id not in left_out]
    tools = {tool.id: tool.spec for tool in knowledge.catalog.tools}
    least = bound(goals, complete(playbook, said)[0], closed_schema(playbook), tools)
    assert (least.steps, least.path) == (steps, path)
    without = {name: spec for name, spec in tools.items() if not name.startswith("payroll.create")}
    assert bound(goals, complete(playbook, said)[0], closed_schema(playbook), without).steps == 0


def test_figures_leave_out_what_is_not_installed_and_divide_by_nothing_else() -> None:
    """Shares count what was measured; of nothing there is no share."""
    case = _case(Expected(answer=Answer.ABSTAIN))
    right, wrong = Heard("", (), 0.9, ready=False), Heard("onboarding", ("taken",), 0.9, ready=True)
    found = figures([Result(case, heard=right), Result(case, heard=wrong), Result(case, missing=True)])
    assert (found.n, found.triage, found.abstentions, found.misled) == (2, Share(1, 2), Share(1, 2), Share(1, 2))
    assert found.brier == pytest.approx((0.1**2 + 0.9**2) / 2)
    assert (found.valid.value, found.calls_per_run) == (None, None)
    assert figures([]).brier is None


class _Spoiler:
    """A planner whose first plans are another planner's without their first step."""

    def __init__(self, knowledge: Knowledge, wrong: int) -> None:
        self._planner, self._wrong, self._asked = knowledge.planner, wrong, 0

    async def plan(self, task: PlanningTask) -> Proposal:
        """Wrong as often as was said for each task, then right."""
        proposal = await self._planner.plan(task)
        self._asked = self._asked + 1 if task.findings else 1
        if self._asked > self._wrong:
            return proposal
        return replace(proposal, plan={**proposal.plan, "steps": proposal.plan["steps"][1:]})


@pytest.mark.parametrize(("wrong", "at_once", "valid"), [(0, True, True), (2, False, True), (9, False, False)])
async def test_plans_count_before_and_after_repair(
    knowledge: Knowledge, wrong: int, at_once: bool, valid: bool
) -> None:
    """A planner that needs its findings is worse at once and as good after; one that never learns is not."""
    spoilt = replace(knowledge, planner=_Spoiler(knowledge, wrong))
    found = await evaluate(spoilt, against="spoilt", parts=[Part.PLAN], tick=_no_tick, sample=7)
    whole = found.whole
    assert whole.at_once.n > 0
    assert whole.at_once.right == (whole.at_once.n if at_once else 0)
    assert whole.valid.right == whole.optimal.right == (whole.valid.n if valid else 0)


async def test_the_offline_rules_keep_their_floors_and_a_report_says_so(knowledge: Knowledge, tmp_path: Path) -> None:
    """On a sample of the corpus: what they understand, that they abstain, that their plans pass and are the least."""
    ticks: list[tuple[int, int]] = []
    found = await evaluate(
        knowledge, against="offline", parts=list(Part), tick=lambda *at: ticks.append(at), sample=SAMPLE
    )
    assert ticks[-1][0] == ticks[-1][1] == len(ticks)
    paths = await asyncio.to_thread(write_report, found, tmp_path / "new")
    assert [path.name for path in paths] == ["eval.json", "eval.md", "eval.svg"]
    written = json.loads(paths[0].read_text(encoding="utf-8"))
    assert written == document(found)
    known = figures(result for result in found.results if result.case.group in KNOWN)
    assert (known.triage.value or 0) >= 0.75
    assert (known.abstentions.value or 0) >= 0.9
    assert (known.misled.value or 0) <= 0.05
    assert (known.valid.value, known.optimal.value, known.calls_per_run) == (1, 1, 0)
    assert (known.brier or 1) < 0.2
    assert written["held_out"]["n"] < written["n"]
    held = {case.id for case in load_corpus().cases if case.held_out}
    assert not held & {fault["id"] for fault in written["faults"]}
    assert paths[2].read_text(encoding="utf-8").count("<circle") > 8


async def test_a_model_is_not_measured_where_there_is_none(knowledge: Knowledge) -> None:
    """The way out is in the hint."""
    with pytest.raises(InvalidInput, match="No model is set") as refused:
        require_model(knowledge)
    assert "STEWARD_MODEL" in refused.value.hint
    require_model(replace(knowledge, planner=_Spoiler(knowledge, 0)))
