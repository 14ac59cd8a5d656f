"""What the declarations of all tools must say, and what their simulators give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from governance.effects import EffectClass
from plans.schemas import Same
from plans.undo import undo_problems
from tests.contract.world import BY_ID, FILES, TOOLS, as_json, undo_args
from tools.contract import Tool

EVERY = pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)


def test_there_are_tools_enough() -> None:
    """At least 40 tools on twelve systems, each id once, each system with a way to be reached."""
    assert len(TOOLS) >= 40
    assert len(BY_ID) == sum(len(file.TOOLS) for file in FILES)
    assert len({file.SYSTEM.name for file in FILES}) == 12
    assert len({file.SYSTEM.url for file in FILES}) == 12
    assert all(file.SYSTEM.secret.startswith("practice:") for file in FILES)
    assert {tool.effect for tool in TOOLS.values()} == set(EffectClass)


@EVERY
def test_names_and_words(tool: Tool) -> None:
    """A tool carries its system's name, has a summary for people and a permission of its system."""
    assert tool.name.startswith(f"{tool.system}.")
    assert tool.summary.endswith(".")
    kind = "read" if tool.effect is EffectClass.READ else "write"
    assert tool.permission == f"{tool.system}:{kind}"
    assert not tool.provides or tool.provides.startswith(f"{tool.system}.")
    assert {tool.amount} - {""} | tool.sensitive | tool.closed <= set(tool.input.model_fields)
    assert 5 <= tool.timeout.total_seconds() <= 10


@EVERY
def test_effects_are_recoverable_as_their_class_says(tool: Tool) -> None:
    """Reads have neither undo nor lookup; effects an undo or a sentence why not; keys a lifetime; searches a lookup."""
    if tool.effect is EffectClass.READ:
        assert (tool.undo, tool.irreversible, tool.lookup) == (None, "", None)
        return
    assert (tool.undo is None) == bool(tool.irreversible)
    assert not tool.irreversible or tool.irreversible.endswith(".")
    assert tool.settle.total_seconds() > 0
    assert (tool.effect is EffectClass.KEYED) == (tool.key_lifetime is not None)
    if tool.effect in {EffectClass.KEYED, EffectClass.RECONCILABLE}:
        assert tool.lookup is not None
    if tool.effect is EffectClass.UNSAFE:
        assert tool.lookup is None


@EVERY
def test_undo_arguments_fit_by_type(tool: Tool) -> None:
    """The undo's tool is on the same system, and the checker finds that it gets what it takes, semantic types included."""
    if tool.undo is None:
        return
    target = BY_ID[tool.undo.tool]
    assert target.system == tool.system
    assert undo_problems(Same(tool.spec), Same(target.spec)) == ()


@pytest.mark.parametrize("name", TOOLS)
@given(data=st.data())
def test_a_simulator_answers_any_input_as_the_system_would(name: str, data: st.DataObject) -> None:
    """Its output fits the schema, is the same each time, and the undo's arguments made from it are valid."""
    tool = TOOLS[name]
    schema = tool.spec.input
    args = data.draw(_values(schema, schema.get("$defs", {})))
    wanted = tool.input.model_validate(args)
    pretended = tool.simulate(wanted, "a-key")
    assert type(pretended) is tool.output
    output = as_json(tool.output.model_validate(as_json(pretended)))
    Draft202012Validator(tool.spec.output, format_checker=FormatChecker()).validate(output)
    assert as_json(tool.simulate(wanted, "a-key")) == output
    if tool.undo is not None:
        BY_ID[tool.undo.tool].input.model_validate(undo_args(tool.undo, as_json(wanted), output))


def test_specs_are_json_and_differ() -> None:
    """Each contract can be written down, and no two have the same digest."""
    assert all(json.dumps(tool.spec.model_dump(mode="json")) for tool in TOOLS.values())
    assert len({tool.spec.digest for tool in TOOLS.values()}) == len(TOOLS)


def _values(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """JSON values of a schema, as far as tool inputs go."""
    if "$ref" in schema:
        return _values(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return st.one_of([_values(option, definitions) for option in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("format") == "date":
        return st.dates().map(lambda day: day.isoformat())
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True).map(str.strip)
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "string": st.text(min_size=schema.get("minLength", 0), max_size=schema.get("maxLength", 40)),
        "integer": st.integers(schema.get("minimum"), schema.get("maximum")),
        "null": st.none(),
    }
    if schema["type"] == "array":
        return st.lists(_values(schema["items"], definitions), max_size=3)
    if schema["type"] == "object":
        return _objects(schema, definitions)
    return kinds[schema["type"]]


def _objects(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    fields = {name: _values(field, definitions) for name, field in schema.get("properties", {}).items()}
    required = {name: fields[name] for name in schema.get("required", ())}
    optional = {name: field for name, field in fields.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)
