"""The type of what people fill in: a ``people.ask`` step's own form says it, not its tool."""

from __future__ import annotations

from governance.forms import closed, schema_problem
from plans.language import Step
from plans.schemas import Interface, Shape
from tools.inside import PEOPLE_ASK


def output_of(step: Step, tool: Interface) -> Shape:
    """The type of a step's output."""
    schema = step.args.get("schema")
    if step.tool != PEOPLE_ASK or schema_problem(schema) or not isinstance(schema, dict):
        return tool.output
    fields = {"answers": closed(schema), "by": {"type": "string"}}
    node = {"type": "object", "properties": fields, "required": ["answers", "by"], "additionalProperties": False}
    return Shape(node, node)
