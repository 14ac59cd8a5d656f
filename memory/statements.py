"""The loader of ``sql/*.sql``: whole files, or files of blocks that begin with a line ``-- name: <name>``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources

_NAME = re.compile(rb"^-- name: *(\w+) *$", re.MULTILINE)


def script(file: str) -> bytes:
    """The whole of ``sql/<file>.sql``."""
    return resources.files("memory").joinpath("sql", f"{file}.sql").read_bytes()


def statements(file: str) -> Mapping[str, bytes]:
    """The blocks of ``sql/<file>.sql`` by name; bytes, because psycopg takes no text that is not a literal."""
    _, *parts = _NAME.split(script(file))
    names = [name.decode() for name in parts[::2]]
    return dict(zip(names, (block.strip() for block in parts[1::2]), strict=True))
