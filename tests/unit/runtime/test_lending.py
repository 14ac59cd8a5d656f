"""What a LangChain program says are values, never expressions of the plan language."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.tools import ToolException

from runtime.lending import require_literal


@pytest.mark.parametrize("given", [{"a": {"$ref": "request.x"}}, {"a": [{"b": {"$text": "{request.x}"}}]}])
def test_expressions_are_refused_at_any_depth(given: dict[str, Any]) -> None:
    """A reference could carry another value than the one that was shown."""
    with pytest.raises(ToolException, match=r"\$"):
        require_literal(given)


def test_plain_values_pass() -> None:
    """Everything else is a value."""
    require_literal({"a": [1, "x", {"b": None}], "money": "$5"})
