"""The offline planner on small catalogs: where each argument comes from, and what it does when it cannot know."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.offline.planner import OfflinePlanner
from agents.ports import PlanningTask, Proposal
from governance.decisions import Decide
from governance.findings import Finding
from governance.goals import Goal
from plans.language import Plan, Step
from tests.unit.agents import catalogs as c
from tools.contract import ToolSpec
from tools.inside import TOOLS as INSIDE


async def _propose(tools: dict[str, ToolSpec], *goals: Goal, **changes: Any) -> Proposal:
    task = {"request": c.REQUEST, "request_schema": c.SCHEMA, **changes}
    return await OfflinePlanner().plan(PlanningTask(playbook="test@1", goals=goals, guidance="", tools=tools, **task))


async def _plan(tools: dict[str, ToolSpec], *goals: Goal, **changes: Any) -> Plan:
    return Plan.model_validate((await _propose(tools, *goals, **changes)).plan)


def _ids(plan: Plan) -> set[str]:
    return {step.id for step in plan.steps}


async def test_a_goal_becomes_the_step_that_provides_it_with_arguments_from_the_request() -> None:
    """By semantic type, and among two e-mail fields by whose they are."""
    plan = await _plan(c.catalog(c.CREATE_ACCOUNT, c.SEND), c.goal("account", "identity.account"))
    (step,) = plan.steps
    assert (step.id, step.tool) == ("account", "identity.create_account@1")
    assert step.args == {"email": {"$ref": "request.email"}, "display_name": {"$ref": "request.name"}}
    assert step.reason == "because of account"
    assert plan.goal_steps == {"account": "account"}


async def test_what_a_goal_binds_is_kept_as_it_is() -> None:
    """Bound arguments win over anything the planner could find."""
    bound = {"display_name": {"$text": "Dr {request.name}"}}
    plan = await _plan(c.catalog(c.CREATE_ACCOUNT), c.goal("account", "identity.account", args=bound))
    assert plan.steps[0].args["display_name"] == bound["display_name"]


async def test_who_chooses_is_the_goals_to_say() -> None:
    """Its ``decide`` stands on the step, and a choice with another one is another step."""
    args = {"question": "Which?", "options": ["a", "b"], "facts": {"site": {"$ref": "request.site"}}, "to": "it"}
    tools = {tool.id: tool.spec for tool in INSIDE}
    goal = c.goal("one", "choice.made", args=args)
    goals = [goal, *(goal.model_copy(update={"id": name, "decide": Decide()}) for name in ("two", "three"))]
    plan = await _plan(tools, *goals)
    assert [(step.id, step.decide) for step in plan.steps] == [("one", None), ("two", Decide())]
    assert plan.goal_steps == {"one": "one", "two": "two", "three": "two"}


async def test_a_planned_steps_output_is_shared_instead_of_looked_up() -> None:
    """One account for all, though a read could find it too: what this plan makes cannot be read before."""
    tools = c.catalog(c.CREATE_ACCOUNT, c.FIND_ACCOUNT, c.BADGE)
    plan = await _plan(tools, c.goal("badge", "security.badge"), c.goal("account", "identity.account"))
    assert _ids(plan) == {"badge", "account"}
    assert plan.step("badge").args == {"account_id": {"$ref": "account.user_id"}, "site": {"$ref": "request.site"}}


async def test_a_missing_value_is_read_by_the_cheapest_tool() -> None:
    """Without an account in the plan, a read finds it rather than an effect making one."""
    tools = c.catalog(c.CREATE_ACCOUNT, c.FIND_ACCOUNT, c.BADGE)
    plan = await _plan(tools, c.goal("badge", "security.badge"))
    assert _ids(plan) == {"badge", "find_account"}
    assert plan.step("find_account").args == {"email": {"$ref": "request.email"}}
    assert "account" not in plan.goal_steps


async def test_what_the_plan_is_to_make_cannot_be_read_before() -> None:
    """The pay of a contract comes from the job title, not from the contract that is yet to be signed."""
    schema = {"type": "object", "properties": {**c.SCHEMA["properties"], "job_title": {"type": "string"}}}
    request = {**c.REQUEST, "job_title": "Analyst"}
    tools = c.catalog(c.HIRE, c.FIND_CONTRACT, c.FIND_PAY)
    plan = await _plan(tools, c.goal("contract", "payroll.contract"), request=request, request_schema=schema)
    assert plan.step("contract").args["annual_salary"] == {"$ref": "find_usual_pay.annual_salary"}
    assert plan.step("contract").confidence > 0.9


async def test_a_read_is_preferred_to_an_effect_that_merely_mentions_a_value() -> None:
    """Revoking a badge need not wait for the desk to be released only because its answer names the account."""
    schema = {
        "type": "object",
        "properties": {**c.SCHEMA["properties"], "desk": {"type": "string", "x-semantic": "DeskCode"}},
    }
    goals = [c.goal("desk", "facilities.desk_released"), c.goal("badge", "security.badge_revoked")]
    task: dict[str, Any] = {"request": {**c.REQUEST, "desk": "BER-1"}, "request_schema": schema}
    plan = await _plan(c.catalog(c.RELEASE, c.REVOKE, c.FIND_ACCOUNT), *goals, **task)
    assert plan.step("badge").args == {"account_id": {"$ref": "find_account.user_id"}}
    without = await _plan(c.catalog(c.RELEASE, c.REVOKE), *goals, **task)
    assert without.step("badge").args == {"account_id": {"$ref": "desk.account_id"}}


async def test_an_effect_makes_what_no_read_can_find_and_is_trusted_less() -> None:
    """Only a tool that provides something may be added, and the confidence says that nobody asked for it."""
    plan = await _plan(c.catalog(c.CREATE_ACCOUNT, c.BADGE), c.goal("badge", "security.badge"))
    assert _ids(plan) == {"badge", "create_account"}
    assert plan.step("badge").confidence == 0.8


async def test_manager_and_employee_ids_are_not_confused() -> None:
    """Both are employee ids; the manager's comes from the record of the request's manager, in the same system."""
    tools = c.catalog(c.CREATE_EMPLOYEE, c.FIND_EMPLOYEE, c.FIND_PERSON, c.PLACE)
    plan = await _plan(tools, c.goal("position", "orgchart.position"), c.goal("employee", "payroll.employee"))
    assert plan.step("position").args == {
        "employee_id": {"$ref": "employee.employee_id"},
        "manager_id": {"$ref": "manager_find_person.employee_id"},
    }
    assert plan.step("manager_find_person").args == {"email": {"$ref": "request.manager"}}
    assert plan.step("manager_find_person").tool == "orgchart.find_person@1"
    assert plan.step("manager_find_person").reason == "finds the manager: employee id for position"


async def test_optional_inputs_are_filled_only_when_their_name_says_what_they_are() -> None:
    """``account_id`` is filled once there is an account; ``cc`` and ``note`` are wishes that nobody had."""
    tools = c.catalog(c.CREATE_ACCOUNT, c.CREATE_EMPLOYEE, c.FIND_PERSON, c.PLACE, c.SEND)
    goals = [
        c.goal("account", "identity.account"),
        c.goal("employee", "payroll.employee"),
        c.goal("position", "orgchart.position"),
        c.goal("mail", "mail.message"),
    ]
    plan = await _plan(tools, *goals)
    assert plan.step("position").args["account_id"] == {"$ref": "account.user_id"}
    assert "note" not in plan.step("position").args
    assert plan.step("mail").args == {"to": {"$ref": "request.email"}}


async def test_irreversible_effects_wait_for_all_that_can_be_taken_back() -> None:
    """``after`` names only the last of them."""
    tools = c.catalog(c.CREATE_ACCOUNT, c.CREATE_EMPLOYEE, c.BADGE, c.SEND)
    goals = [
        c.goal("mail", "mail.message"),
        c.goal("account", "identity.account"),
        c.goal("badge", "security.badge"),
        c.goal("employee", "payroll.employee"),
    ]
    plan = await _plan(tools, *goals)
    assert plan.step("mail").after == ("badge", "employee")
    assert all(not plan.step(step).after for step in ("account", "badge", "employee"))


async def test_goals_come_in_their_order() -> None:
    """``after`` of a goal becomes ``after`` of its step, unless the arguments say so already."""
    tools = c.catalog(c.CREATE_ACCOUNT, c.CREATE_EMPLOYEE, c.BADGE)
    goals = [
        c.goal("employee", "payroll.employee", after=("account",)),
        c.goal("badge", "security.badge", after=("account",)),
        c.goal("account", "identity.account"),
    ]
    plan = await _plan(tools, *goals)
    assert plan.step("employee").after == ("account",)
    assert plan.step("badge").after == ()


ONSITE = {"$eq": [{"$ref": "request.mode"}, "office"]}


async def test_a_support_step_runs_when_those_who_need_it_do() -> None:
    """It takes the condition of a goal that alone needs it, and none when somebody needs it always."""
    tools = c.catalog(c.FIND_ACCOUNT, c.FIND_EMPLOYEE, c.FIND_PERSON, c.PLACE, c.BADGE)
    conditional = c.goal("badge", "security.badge", when=ONSITE)
    alone = await _plan(tools, conditional)
    assert alone.step("find_account").when == ONSITE
    other = c.goal("other", "security.badge", args={"site": "London"})
    shared = await _plan(tools, conditional, other)
    assert shared.step("find_account").when is None
    either = {"$eq": [{"$ref": "request.site"}, "Berlin"]}
    both = await _plan(tools, conditional, other.model_copy(update={"when": either}))
    assert both.step("find_account").when == {"$any": [ONSITE, either]}


async def test_a_goal_that_cannot_hold_for_this_request_needs_no_step() -> None:
    """And the decision says why it is not there."""
    goals = [c.goal("badge", "security.badge", when=ONSITE), c.goal("account", "identity.account")]
    tools = c.catalog(c.CREATE_ACCOUNT, c.BADGE)
    proposal = await _propose(tools, *goals, request={**c.REQUEST, "mode": "remote"})
    assert list(proposal.plan["goal_steps"]) == ["account"]
    assert "badge needs no step: its condition is false for this request" in proposal.decision.evidence


async def test_a_choice_between_equals_lowers_the_confidence_and_is_said() -> None:
    """Two tools find the same id equally well: the first by name is asked, and nobody is told that it was sure."""
    tools = c.catalog(c.FIND_EMPLOYEE, c.FIND_PERSON, c.spec("hr.find_employee", c.ByEmail, c.Employee), c.BADGE)
    tools |= c.catalog(c.spec("benefits.enrol", c.Position, c.Position, provides="benefits.enrolment"))
    proposal = await _propose(tools, c.goal("health", "benefits.enrolment"))
    plan = Plan.model_validate(proposal.plan)
    assert plan.step("health").confidence == 0.6
    assert "Doubtful: employee_id: hr.find_employee was asked and orgchart.find_person" in plan.step("health").reason
    assert proposal.decision.confidence == 0.6
    assert proposal.decision.alternatives


async def test_two_request_fields_of_one_type_and_role_are_a_choice_between_equals() -> None:
    """Nothing tells the first address from the second."""
    schema = {
        "type": "object",
        "properties": {name: {"type": "string", "x-semantic": "Email"} for name in ("work_email", "email_address")},
    }
    request = {"work_email": "a@acme.example", "email_address": "b@acme.example"}
    tools = c.catalog(c.CREATE_EMPLOYEE)
    plan = await _plan(tools, c.goal("employee", "payroll.employee"), request=request, request_schema=schema)
    assert plan.steps[0].confidence == 0.6
    assert "would fit as well" in plan.steps[0].reason


async def test_what_cannot_be_found_is_left_out() -> None:
    """A plan with a hole, so that the checker can name it."""
    plan = await _plan(c.catalog(c.BADGE), c.goal("badge", "security.badge"))
    assert plan.steps[0].args == {"site": {"$ref": "request.site"}}


async def test_a_goal_that_no_tool_provides_is_said_and_has_no_step() -> None:
    """The rest of the plan is there."""
    goals = [c.goal("moon", "travel.moon"), c.goal("account", "identity.account")]
    proposal = await _propose(c.catalog(c.CREATE_ACCOUNT), *goals)
    assert proposal.plan["goal_steps"] == {"account": "account"}
    assert "no tool provides travel.moon, which the goal moon needs" in proposal.decision.evidence
    assert proposal.decision.confidence == 0


async def test_two_goals_that_are_the_same_act_share_a_step() -> None:
    """Nothing is made twice because it was wanted twice."""
    goals = [c.goal("account", "identity.account"), c.goal("login", "identity.account")]
    plan = await _plan(c.catalog(c.CREATE_ACCOUNT), *goals)
    assert plan.goal_steps == {"account": "account", "login": "account"}
    assert plan.steps[0].reason == "because of account; because of login"


async def test_a_goals_id_says_which_of_two_it_means() -> None:
    """Two course fields, two goals: each withdraws from the course whose word its id has."""
    schema = {
        "type": "object",
        "properties": {
            "email": {"type": "string", "x-semantic": "Email"},
            "safety_course": {"type": "string", "x-semantic": "CourseId"},
            "coding_course": {"type": "string", "x-semantic": "CourseId"},
        },
    }
    request = {"email": "a@acme.example", "safety_course": "s", "coding_course": "c"}
    goals = [c.goal(f"{word}_ended", "training.enrolment_ended") for word in ("coding", "safety")]
    plan = await _plan(c.catalog(c.FIND_ENROLMENT, c.WITHDRAW), *goals, request=request, request_schema=schema)
    for word in ("coding", "safety"):
        source = plan.step(f"{word}_ended").args["enrolment_id"]["$ref"].partition(".")[0]
        assert plan.step(source).args == {
            "email": {"$ref": "request.email"},
            "course": {"$ref": f"request.{word}_course"},
        }
    assert len(plan.steps) == 4


async def test_the_newest_version_of_a_tool_is_used() -> None:
    """Ten is newer than nine."""
    nine = c.spec("identity.create_account", c.NewAccount, c.Account, provides="identity.account", version=9)
    ten = c.spec("identity.create_account", c.NewAccount, c.Account, provides="identity.account", version=10)
    plan = await _plan(c.catalog(ten, nine), c.goal("account", "identity.account"))
    assert plan.steps[0].tool == "identity.create_account@10"


async def test_a_step_begun_otherwise_takes_a_new_id_everywhere() -> None:
    """The repair that only the journal can ask for: references, goals and ``after`` follow."""
    tools = c.catalog(c.CREATE_ACCOUNT, c.BADGE, c.SEND)
    goals = [c.goal("account", "identity.account"), c.goal("badge", "security.badge"), c.goal("mail", "mail.message")]
    previous = await _plan(tools, *goals)
    finding = Finding(code="begun-changed", place="steps.account", sentence="it has begun otherwise")
    proposal = await _propose(tools, *goals, previous=previous, findings=[finding])
    plan = Plan.model_validate(proposal.plan)
    assert _ids(plan) == {"account_2", "badge", "mail"}
    assert plan.step("badge").args["account_id"] == {"$ref": "account_2.user_id"}
    assert plan.goal_steps["account"] == "account_2"
    assert "account had begun otherwise" in proposal.decision.reasoning


async def test_any_other_finding_is_repaired_by_planning_anew() -> None:
    """A plan that somebody wrote wrongly is replaced."""
    wrong = Plan(playbook="test@1", steps=(Step(id="x", tool="no.tool@1", reason="?", confidence=1),))
    finding = Finding(code="unknown-tool", place="steps.x.tool", sentence="there is no such tool")
    goals = [c.goal("account", "identity.account")]
    plan = await _plan(c.catalog(c.CREATE_ACCOUNT), *goals, previous=wrong, findings=[finding])
    assert _ids(plan) == {"account"}


ALL = [c.CREATE_ACCOUNT, c.FIND_ACCOUNT, c.CREATE_EMPLOYEE, c.FIND_EMPLOYEE, c.FIND_PERSON, c.PLACE, c.BADGE, c.SEND]


@given(st.lists(st.sampled_from(ALL), unique_by=lambda spec: spec.id), st.permutations(ALL[::2]), st.booleans())
async def test_plans_are_deterministic_minimal_and_without_circles(
    tools: list[ToolSpec], wanted: list[ToolSpec], reverse: bool
) -> None:
    """Whatever the catalog: the same plan for any order of tools, every step serves a goal, and the order exists."""
    goals = [c.goal(f"goal_{number}", spec.provides) for number, spec in enumerate(wanted) if spec.provides]
    first = (await _propose(c.catalog(*tools), *goals)).plan
    again = (await _propose(c.catalog(*(reversed(tools) if reverse else tools)), *goals)).plan
    assert first == again
    plan = Plan.model_validate(first)
    needs = {
        step.id: {other for other in _ids(plan) if f"'{other}." in str(step.args)} | set(step.after)
        for step in plan.steps
    }
    useful = set(plan.goal_steps.values())
    for step_id in list(useful):
        waiting = [step_id]
        while waiting:
            more = needs[waiting.pop()] - useful
            useful |= more
            waiting.extend(more)
    assert useful == _ids(plan)
    done: set[str] = set()
    while ready := [step for step in needs if step not in done and needs[step] <= done]:
        done.update(ready)
    assert done == _ids(plan)
