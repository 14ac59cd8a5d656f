"""Random catalogs, requests and plans, and a tiny interpreter that runs a plan on random outputs.

Everything is drawn from one ``Random``, which Hypothesis may own.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from graphlib import TopologicalSorter
from typing import Any

from jsonschema import Draft202012Validator

from governance.conditions import Truth
from governance.effects import EffectClass, UndoCall
from plans.checked import CheckedPlan, Premises
from plans.expressions import parse
from plans.language import Step
from plans.loops import key_text, looks_at_item
from plans.resolve import evaluate_expression, resolve_args, should_run
from plans.schemas import formats
from tests.unit.plans.company import premises
from tools.contract import ToolSpec

Schema = dict[str, Any]
_WORDS = ("ash", "birch", "cedar", "oak")


@dataclass(frozen=True)
class World:
    """What a plan is checked against, and the plan."""

    premises: Premises
    document: dict[str, Any]


def schema(rng: random.Random, depth: int = 0) -> Schema:
    """A random type. A small number of kinds, so that types meet."""
    kinds = ["string", "semantic", "semantic", "date", "enum", "integer", "number", "boolean", "bounded", "short"]
    kind = rng.choice(kinds if depth > 1 else [*kinds, "array", "object", "ref"])
    match kind:
        case "semantic":
            return {"type": "string", "x-semantic": rng.choice(["AccountId", "EmployeeId"])}
        case "date":
            return {"type": "string", "format": "date"}
        case "enum":
            return {"type": "string", "enum": rng.sample(_WORDS, rng.randint(1, 3))}
        case "bounded":
            low = rng.randint(0, 3)
            return {"type": rng.choice(["integer", "number"]), "minimum": low, "maximum": low + rng.randint(0, 5)}
        case "short":
            return {"type": "string", "minLength": rng.randint(0, 2), "maxLength": rng.randint(3, 9)}
        case "array":
            return {"type": "array", "items": schema(rng, depth + 1), "maxItems": rng.randint(1, 4)}
        case "object":
            return record(rng, depth + 1)
        case "ref":
            return {"$ref": f"#/$defs/{rng.choice(['Place', 'Person'])}"}
        case plain:
            return {"type": plain}


def record(rng: random.Random, depth: int = 0) -> Schema:
    """A closed object of up to three fields; some are optional, some may be null."""
    properties = {name: schema(rng, depth) for name in rng.sample(["a", "b", "c", "d"], rng.randint(1, 3))}
    properties = {
        name: {"anyOf": [node, {"type": "null"}]} if rng.random() < 0.15 else node for name, node in properties.items()
    }
    required = [name for name in properties if rng.random() < 0.75]
    found = {"type": "object", "additionalProperties": False, "properties": properties, "required": required}
    if depth == 0:
        found["$defs"] = {
            "Place": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"room": {"type": "integer"}, "site": {"type": "string", "enum": ["oak", "ash"]}},
                "required": ["room", "site"],
            },
            "Person": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"id": {"type": "string", "x-semantic": "AccountId"}, "boss": {"$ref": "#/$defs/Person"}},
                "required": ["id"],
            },
        }
    return found


def sample(node: Schema, root: Schema, rng: random.Random, depth: int = 0) -> Any:
    """A random value of a type."""
    if "$ref" in node:
        return sample(root["$defs"][node["$ref"].rpartition("/")[2]], root, rng, depth + 1)
    if "anyOf" in node:
        return sample(rng.choice(node["anyOf"]), root, rng, depth)
    if "enum" in node:
        return rng.choice(node["enum"])
    if node.get("format") == "date":
        return (date(2027, 1, 1) + timedelta(days=rng.randint(0, 400))).isoformat()
    if node["type"] == "object":
        names = [n for n in node["properties"] if n in node.get("required", ()) or (rng.random() < 0.5 and depth < 4)]
        return {name: sample(node["properties"][name], root, rng, depth + 1) for name in names}
    if node["type"] == "array":
        return [sample(node["items"], root, rng, depth + 1) for _ in range(rng.randint(0, node.get("maxItems", 3)))]
    return _scalar(node, rng)


def _scalar(node: Schema, rng: random.Random) -> Any:
    low, high = node.get("minimum", -9), node.get("maximum", 9)
    match node["type"]:
        case "string":
            return "x" * rng.randint(node.get("minLength", 0), node.get("maxLength", 12))
        case "integer":
            return rng.randint(low, high)
        case "number":
            return rng.choice([low, high, low + (high - low) / 3])
        case "boolean":
            return rng.random() < 0.5
        case _:
            return None


def catalog(rng: random.Random) -> dict[str, ToolSpec]:
    """A few tools; each does something that can be undone, or only reads."""
    nothing: Schema = {"type": "object", "additionalProperties": False, "properties": {}}
    end = ToolSpec(
        id="lab.undo@1",
        system="lab",
        summary="undo",
        input=nothing,
        output=nothing,
        effect=EffectClass.NATURAL_KEY,
        irreversible="it is an end",
    )
    found = {end.id: end}
    for number in range(rng.randint(3, 6)):
        is_read = rng.random() < 0.5
        spec = ToolSpec(
            id=f"lab.do{number}@1",
            system="lab",
            summary="do",
            input=record(rng),
            output=record(rng),
            effect=EffectClass.READ if is_read else EffectClass.KEYED,
            undo=None if is_read else UndoCall(tool=end.id),
        )
        found[spec.id] = spec
    return found


def world(rng: random.Random) -> World:
    """A catalog, a request and a plan of up to eight steps; most plans are written with some care."""
    tools = catalog(rng)
    request_schema = record(rng)
    request = sample(request_schema, request_schema, rng)
    given = premises(tools=tools, request_schema=request_schema, request=request)
    care = rng.choice([1.0, 1.0, 0.97, 0.8])
    writer = _Writer(rng, tools, request_schema, care)
    steps = [writer.step(number) for number in range(rng.randint(2, 8))]
    rng.shuffle(steps)
    return World(given, {"playbook": "lab@1", "steps": steps})


@dataclass
class _Writer:
    rng: random.Random
    tools: dict[str, ToolSpec]
    request_schema: Schema
    care: float

    def __post_init__(self) -> None:
        self.sources: list[tuple[str, Schema, bool, Any]] = [
            (f"request.{name}", node, name in self.request_schema["required"], None)
            for name, node in self.request_schema["properties"].items()
        ]

    def step(self, number: int) -> dict[str, Any]:
        rng = self.rng
        spec = self.tools[rng.choice([each for each in self.tools if each != "lab.undo@1"])]
        when = self._when() if rng.random() < 0.25 else None
        node = spec.input
        names = [n for n in node["properties"] if n in node["required"] or rng.random() < 0.5]
        if rng.random() > self.care:
            names = names[1:]
        args = {name: self._value(node["properties"][name], node, name in node["required"], when) for name in names}
        step_id = f"s{number}"
        for name, output in reversed(list(spec.output["properties"].items())):
            self.sources.insert(0, (f"{step_id}.{name}", output, name in spec.output["required"], when))
        found = {"id": step_id, "tool": spec.id, "args": args, "reason": "-", "confidence": rng.random()}
        found |= {"when": when} if when else {}
        return self._repeated(found, spec) if rng.random() < 0.15 else found

    def _repeated(self, step: dict[str, Any], spec: ToolSpec) -> dict[str, Any]:
        """The step for each item of a list whose items its first argument is taken from."""
        taken = next(iter(step["args"]), None)
        if taken is None:
            return step
        node = spec.input["properties"][taken]
        lists = [path for path, kind, _, _ in self.sources if kind.get("type") == "array" and kind.get("items") == node]
        written = [
            {"code": f"k{n}", "value": sample(node, spec.input, self.rng)} for n in range(self.rng.randint(0, 3))
        ]
        items: Any = {"$ref": lists[0]} if lists and self.rng.random() < 0.7 else written
        root = "item.value" if items is written else "item"
        key = {"$ref": "item.code"} if items is written else {"$ref": "item"}
        self.sources = [each for each in self.sources if not each[0].startswith(f"{step['id']}.")]
        args = {**step["args"], taken: {"$ref": root}}
        self.sources.append((f"{step['id']}.items", {"type": "array", "items": spec.output}, True, step.get("when")))
        return {**step, "args": args, "for_each": {"items": items, "key": key}}

    def _when(self) -> dict[str, Any]:
        path, node, sure, _ = self.rng.choice(self.sources) if self.sources else ("request.z", {}, False, None)
        value = sample(node, self.request_schema, self.rng) if "$ref" not in str(node) and node else None
        there = {"$exists": {"$ref": path}}
        equal = {self.rng.choice(["$eq", "$ne"]): [{"$ref": path}, value]}
        if sure and self.rng.random() < self.care - 0.1 and "anyOf" not in node:
            return equal
        return there if self.rng.random() < 0.5 else {"$all": [there, equal]}

    def _value(self, node: Schema, root: Schema, required: bool, when: Any) -> Any:
        rng = self.rng
        if rng.random() > self.care:
            return self._careless(node, root)
        ok = [p for p, n, sure, w in self.sources if n == node and ((sure and w in (None, when)) or not required)]
        roll = rng.random()
        if ok and roll < 0.85:
            path = ok[0] if rng.random() < 0.6 else rng.choice(ok)
            return {"$ref": path}
        if node == {"type": "string"} and roll < 0.95:
            texts = [p for p, n, sure, w in self.sources if sure and not w and n.get("type") == "string"]
            return {"$text": f"to {{{texts[0]}}}"} if texts else "plain"
        maybe = [p for p, n, _, _ in self.sources if n == node]
        literal = sample(node, root, rng)
        if maybe and literal is not None and roll < 0.98:
            return {"$first": [{"$ref": maybe[0]}, literal]}
        if node.get("type") == "object" and roll < 0.995:
            return {n: self._value(node["properties"][n], root, True, when) for n in node["required"]}
        return literal

    def _careless(self, node: Schema, root: Schema) -> Any:
        path = self.rng.choice(self.sources)[0] if self.sources else "request.a"
        other = schema(self.rng, 2)
        return self.rng.choice(
            [
                {"$ref": path},
                {"$ref": path},
                {"$text": f"{{{path}}}"},
                sample(other, other, self.rng),
                {"$first": [{"$ref": path}, sample(node, root, self.rng)]},
                [{"$ref": path}],
            ]
        )


def run(plan: CheckedPlan, request: dict[str, Any], rng: random.Random) -> int:
    """Run a checked plan in an order that it allows, each tool answering at random; how many steps ran.

    Raises:
        AssertionError: an input does not fit, or a condition has no answer.
        Unresolved: a reference is not there.

    """
    scope: dict[str, Any] = {"request": request}
    ran = 0
    for step_id in TopologicalSorter(plan.needs).static_order():
        step = plan.plan.step(step_id)
        spec = plan.tools[step.tool]
        truth = Truth.YES if looks_at_item(step.when) else should_run(step, scope)
        assert truth is not Truth.UNKNOWN, f"{step_id}: {step.when} has no answer in {scope}"
        if truth is Truth.NO:
            continue
        scope[step_id] = _output(step, spec, scope, rng)
        ran += 1
    return ran


def _output(step: Step, spec: ToolSpec, scope: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """What a step gives, once its arguments were seen to fit; a list of that for a step with ``for_each``."""
    if step.for_each is not None:
        one = step.model_copy(update={"for_each": None})
        items = evaluate_expression(parse(step.for_each.items), scope)
        keys = [evaluate_expression(parse(step.for_each.key), {**scope, "item": item}) for item in items]
        # An empty text has the type of a key and is none: what is told of it then is tested with the dispatcher.
        assert all(key_text(key) is not None or key == "" for key in keys), f"{step.id}: {keys}"
        return {"items": [_output(one, spec, {**scope, "item": item}, rng) for item in items]}
    args = resolve_args(step, scope, spec)
    errors = list(Draft202012Validator(spec.input, format_checker=formats()).iter_errors(args))
    assert not errors, f"{step.id}: {args} does not fit: {errors[0].message}"
    found: dict[str, Any] = sample(spec.output, spec.output, rng)
    return found
