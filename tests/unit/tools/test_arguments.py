"""Arguments that do not fit are refused with every problem named and a way out; intents resolve what they can."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from governance.effects import EffectClass, Failure, FailureClass
from tests.unit.tools.stage import KEY, START, Thing, Wanted, make_tool, order
from tools.arguments import read_arguments, read_output
from tools.contract import ToolModel
from tools.intents import intent_for

TOOL = make_tool(EffectClass.KEYED)


class Level(StrEnum):
    STAFF = "staff"
    LAB = "lab"


class Badge(ToolModel):
    level: Level
    holder: Wanted


def refused(args: dict[str, Any], **changes: Any) -> Failure:
    """The failure that the arguments come to."""
    result = read_arguments(make_tool(EffectClass.KEYED, **changes), args)
    assert isinstance(result, Failure)
    assert result.failure is FailureClass.PERMANENT
    return result


def test_every_problem_is_named_with_the_nearest_name_or_choice() -> None:
    """Every problem is named with the nearest name or choice."""
    failure = refused({"nmae": "lamp", "size": "smal"})
    assert "name is missing" in failure.message
    assert "nmae is not a field of it (did you mean name?)" in failure.message
    assert "size must be 'small' or 'large' (did you mean small?)" in failure.message
    assert "rename nmae to name" in failure.fix
    assert "set size to small" in failure.fix


def test_nested_fields_and_enums_have_suggestions_too() -> None:
    """Nested fields and enums have suggestions too."""
    failure = refused({"level": "Lab", "holder": {"name": "x", "sice": "small"}}, input=Badge)
    assert "level must be 'staff' or 'lab' (did you mean lab?)" in failure.message
    assert "holder.sice is not a field of it (did you mean size?)" in failure.message


def test_values_stay_out_of_the_sentence() -> None:
    """Values stay out of the sentence."""
    assert "4711" not in refused({"name": 4711}).message


def test_good_arguments_become_the_input() -> None:
    """Good arguments become the input."""
    assert read_arguments(TOOL, {"name": "lamp"}) == Wanted(name="lamp")


def test_only_what_fits_the_output_is_an_output() -> None:
    """Only what fits the output is an output."""
    assert read_output(TOOL, Thing(thing_id="t-1", name="lamp")) == {"thing_id": "t-1", "name": "lamp"}
    assert read_output(TOOL, Thing(thing_id="t-1", name="lamp").model_copy(update={"thing_id": None})) is None
    assert read_output(TOOL, Wanted(name="lamp")) is None
    assert read_output(TOOL, {"thing_id": "t-1", "name": "lamp"}) is None


def test_the_intent_has_key_deadline_life_of_the_key_and_the_undo_as_far_as_it_is_known() -> None:
    """The intent has key deadline life of the key and the undo as far as it is known."""
    intent = intent_for(order(TOOL), Wanted(name="lamp"), now=START)
    assert (intent.key, intent.began, intent.deadline) == (KEY, START, START + TOOL.timeout)
    assert TOOL.key_lifetime is not None
    assert intent.key_expires == START + TOOL.key_lifetime
    assert intent.undo is not None
    assert intent.undo.args == {"thing_id": {"$ref": "output.thing_id"}, "why": "lamp"}
