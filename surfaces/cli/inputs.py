"""What people hand over: request files, and arguments as `name=value`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from governance.errors import InvalidInput

LONGEST = 1_000_000
"""Bytes of a file that is read as a request."""
LONGEST_TEXT = 20_000
"""Characters of a sentence."""


def read_object(path: Path) -> dict[str, Any]:
    """The JSON or YAML object in a file, or on stdin for ``-``. Raises InvalidInput, with the place where it can be named."""
    import yaml  # noqa: PLC0415 - `--help` must not wait for it

    name = "stdin" if str(path) == "-" else str(path)
    text = _text(path, name)
    if not text.strip():
        raise InvalidInput(f"{name} is empty.", hint="It needs one object with fields, as JSON or YAML")
    try:
        value = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"{name} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from error
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        raise InvalidInput(f"{name} is neither JSON nor YAML: {getattr(error, 'problem', error)}{line}.") from error
    except (RecursionError, ValueError) as error:
        raise InvalidInput(f"{name} cannot be read as JSON or YAML.") from error
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise InvalidInput(f"{name} holds no object.", hint='It needs fields with values: {"first_name": "Ada", …}')
    return value


def read_words(text: str) -> str:
    """A request in words. Raises InvalidInput when it is empty or far too long."""
    if not text.strip():
        raise InvalidInput("The text is empty.", hint='Say what you want: --text "onboard Ada Lovelace, …"')
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(f"The text has {len(text):,} characters; at most {LONGEST_TEXT:,} are read.")
    return text


def read_settings_of(pairs: Sequence[str], present: dict[str, Any]) -> dict[str, Any]:
    """``present`` with each ``name=value`` put over it. Values are JSON where they are JSON, and text otherwise.

    Raises InvalidInput naming every pair that is none.
    """
    wrong = [pair for pair in pairs if "=" not in pair or not pair.partition("=")[0].strip()]
    if wrong:
        raise InvalidInput(f"--set takes name=value, not {', '.join(wrong)}.")
    changed = dict(present)
    for pair in pairs:
        name, _, value = pair.partition("=")
        changed[name.strip()] = _value(value, present.get(name.strip()))
    return changed


def _value(text: str, before: Any) -> Any:
    if isinstance(before, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(path: Path, name: str) -> str:
    try:
        raw = sys.stdin.buffer.read(LONGEST + 1) if str(path) == "-" else _begin_of(path)
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read: {error.strerror}.") from error
    if len(raw) > LONGEST:
        raise InvalidInput(f"{name} is larger than {LONGEST:,} bytes; a request is far smaller.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name} is not text in UTF-8 (byte {error.start}).") from error
    if "\0" in text:
        raise InvalidInput(f"{name} is not text: it holds NUL characters.")
    return text


def _begin_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LONGEST + 1)
