"""What every tool must do, whatever its system: called for real, one scene a tool."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from governance.effects import EffectClass, LookupAnswer
from governance.errors import Ambiguous
from tests.contract.scenes import SCENES
from tests.contract.world import BY_ID, TOOLS, World, undo_args

# One event loop for all, because the systems' clients live as long as the session.
pytestmark = pytest.mark.asyncio(loop_scope="session")

EFFECTS = tuple(name for name, tool in TOOLS.items() if tool.effect is not EffectClass.READ)
READS = tuple(name for name in TOOLS if name not in EFFECTS)
UNDOABLE = tuple(name for name in EFFECTS if TOOLS[name].undo)
LOOKED_UP = tuple(name for name in EFFECTS if TOOLS[name].lookup)
REPEATABLE = frozenset({EffectClass.NATURAL_KEY, EffectClass.KEYED})
# Identity keeps no word of who added a member, security of who set a level: their lookups may never claim one.
CLAIMED = tuple(name for name in LOOKED_UP if name not in {"identity.add_to_group", "security.grant_access"})
# Of these there may well be two alike, both meant: only a key tells them apart, and another's is no reason to ask.
ALIKE = frozenset(
    {
        "procurement.place_order",
        "procurement.reserve_budget",
        "support.open_ticket",
        "billing.issue_credit_note",
    }
)


async def test_no_tool_is_without_a_scene() -> None:
    """A new tool cannot stay untested."""
    assert set(SCENES) == set(TOOLS)


@pytest.mark.parametrize("name", READS)
async def test_a_read_answers_and_changes_nothing(world: World, name: str) -> None:
    """The answer fits the tool's schema, and the system counts no effect."""
    args = await SCENES[name](world)
    before = world.count(TOOLS[name].system)
    answer = await world.call(name, **args)
    Draft202012Validator(TOOLS[name].spec.output).validate(answer.output)
    assert world.count(TOOLS[name].system) == before


@pytest.mark.parametrize("name", EFFECTS)
async def test_an_effect_happens_once_a_call(world: World, name: str) -> None:
    """The answer fits the tool's schema, says that it was made and not found, and the system counts one effect."""
    args = await SCENES[name](world)
    before = world.count(TOOLS[name].system)
    answer = await world.call(name, **args)
    Draft202012Validator(TOOLS[name].spec.output).validate(answer.output)
    assert not answer.found
    assert world.count(TOOLS[name].system) == before + 1


@pytest.mark.parametrize("name", [name for name in EFFECTS if TOOLS[name].effect in REPEATABLE])
async def test_the_same_call_again_has_no_second_effect(world: World, name: str) -> None:
    """Natural-key and keyed tools may be called again with their key."""
    args = await SCENES[name](world)
    before = world.count(TOOLS[name].system)
    first = await world.call(name, **args)
    again = await world.call(name, first.key, **args)
    assert world.count(TOOLS[name].system) == before + 1
    if TOOLS[name].lookup and name in CLAIMED:
        assert (again.output, again.found) == (first.output, False), "what our own key made is ours"


@pytest.mark.parametrize("name", CLAIMED)
async def test_a_lookup_tells_whether_a_lost_call_happened(world: World, name: str) -> None:
    """NONE before the call; OURS with an output once it happened, although its answer was lost."""
    args = await SCENES[name](world)
    tool = TOOLS[name]
    assert (await world.look_up(name, "lost-answer", **args)).answer is LookupAnswer.NONE
    before = world.count(tool.system)
    method = "PUT" if tool.system == "orgchart" else "POST"
    world.company.order_fault(system=tool.system, method=method, kind="error_after")
    with pytest.raises(Ambiguous):
        await world.call(name, "lost-answer", **args)
    world.catch_up()
    found = await world.look_up(name, "lost-answer", **args)
    assert found.answer is LookupAnswer.OURS
    assert isinstance(found.output, tool.output)
    assert found.evidence
    assert world.count(tool.system) == before + 1


@pytest.mark.parametrize("name", LOOKED_UP)
async def test_a_lookup_never_claims_what_another_key_made(world: World, name: str) -> None:
    """FOREIGN: it is there, and somebody else made it. Before it is there, or where two may be alike: NONE."""
    args = await SCENES[name](world)
    assert (await world.look_up(name, "ours", **args)).answer is LookupAnswer.NONE
    await world.call(name, "somebody-else", **args)
    world.catch_up()
    found = await world.look_up(name, "ours", **args)
    assert found.answer is (LookupAnswer.NONE if name in ALIKE else LookupAnswer.FOREIGN)
    assert found.evidence


@pytest.mark.parametrize("name", UNDOABLE)
async def test_an_undo_undoes_and_twice_is_harmless(world: World, name: str) -> None:
    """Its arguments fit the undo's tool; the second time, done as the class of that tool says, changes nothing."""
    args = await SCENES[name](world)
    done = await world.call(name, **args)
    undo = TOOLS[name].undo
    assert undo is not None
    tool = BY_ID[undo.tool]
    arguments = undo_args(undo, args, done.output)
    before = world.count(tool.system)
    first = await world.call(tool.name, **arguments)
    assert not first.found
    world.catch_up()
    if tool.effect in REPEATABLE:
        await world.call(tool.name, first.key, **arguments)
    else:
        assert (await world.look_up(tool.name, first.key, **arguments)).answer is LookupAnswer.OURS
    assert world.count(tool.system) == before + 1


@pytest.mark.parametrize("name", [name for name in UNDOABLE if TOOLS[name].effect is EffectClass.NATURAL_KEY])
async def test_what_was_there_already_is_found_and_not_made(world: World, name: str) -> None:
    """Another key finds it: Existing, which is never undone, and no effect."""
    args = await SCENES[name](world)
    await world.call(name, **args)
    before = world.count(TOOLS[name].system)
    assert (await world.call(name, "another", **args)).found
    assert world.count(TOOLS[name].system) == before
