"""Types that a step says itself, not its tool: the fields of a ``people.ask`` or of an event, the options of a choice."""

from __future__ import annotations

from governance.forms import closed, schema_problem
from plans.language import Step
from plans.schemas import Interface, Shape
from tools.choosing import LONGEST
from tools.inside import CHOOSE, EVENTS_AWAIT, PEOPLE_ASK


def output_of(step: Step, tool: Interface) -> Shape:
    """The type of a step's output."""
    if step.tool == CHOOSE:
        return _choice(step, tool)
    schema = step.args.get("schema")
    if step.tool == EVENTS_AWAIT:
        return _event(schema, tool)
    if step.tool != PEOPLE_ASK or schema_problem(schema) or not isinstance(schema, dict):
        return tool.output
    fields = {"answers": closed(schema), "by": {"type": "string"}}
    node = {"type": "object", "properties": fields, "required": ["answers", "by"], "additionalProperties": False}
    return Shape(node, node)


def _event(schema: object, tool: Interface) -> Shape:
    """Of an event's data a plan knows what its schema says, and nothing else."""
    known = schema if isinstance(schema, dict) and not schema_problem(schema) else {"type": "object", "properties": {}}
    properties = {**tool.output.node.get("properties", {}), "data": closed(known)}
    return Shape({**tool.output.node, "properties": properties}, tool.output.root)


def _choice(step: Step, tool: Interface) -> Shape:
    options = step.args.get("options")
    if not isinstance(options, list) or not options or not all(isinstance(option, str) for option in options):
        return tool.output
    text = {"type": "string"}
    fields = {
        "choice": {"type": "string", "enum": options},
        "because": {"type": "string", "maxLength": LONGEST},
        "by": text,
    }
    node = {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    return Shape(node, node)
