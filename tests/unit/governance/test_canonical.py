"""Canonical JSON: the compiled encoder is used only where it writes what RFC 8785 prescribes."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from governance.canonical import canonical_json

_SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
_TEXT = st.text()  # without surrogates, as the strategy is by itself
_VALUES = st.recursive(
    _SCALARS | _TEXT,
    lambda parts: st.lists(parts, max_size=5) | st.dictionaries(_TEXT, parts),
    max_leaves=20,
)


@given(_VALUES)
def test_it_is_what_the_scheme_prescribes(value: Any) -> None:
    """Any value: byte for byte what the reference library writes."""
    assert canonical_json(value) == rfc8785.dumps(value).decode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (-9911566314208624.0, "-9911566314208624"),
        ({"a": [1.0, 2.5], "b": 0.00001}, '{"a":[1,2.5],"b":0.00001}'),
        (0.97, "0.97"),
        (123456789012345680.0, "123456789012345680"),
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        ({"\U0001f600": 1, "\ufb33": 2}, '{"\U0001f600":1,"\ufb33":2}'),
        ("\u20ac\x0f\n/\u007f", '"\u20ac\\u000f\\n/\u007f"'),
    ],
)
def test_what_the_encoders_would_write_differently(value: Any, text: str) -> None:
    """Numbers, the order of keys and escapes as the scheme has them."""
    assert canonical_json(value) == text


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**53, "\ud800", {1: "a"}, {"a": object()}, {"\ud800": 1}]
)
def test_what_cannot_be_written_is_refused(value: Any) -> None:
    """Not-a-number, integers that lose digits, half a surrogate pair, what is not JSON."""
    with pytest.raises(ValueError, match=r"."):
        canonical_json(value)
