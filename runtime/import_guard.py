"""Run before anything else of ours: each of our packages must be ours, and checkpoints must be strict.

Steward's packages are flat (docs/decisions/0001-flat-packages.md), so another distribution can hide one of them
(`openai-agents` ships a top-level `agents`). Every door imports this module first; importing it is the check.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "agents",
    "governance",
    "graphs",
    "memory",
    "plans",
    "playbooks",
    "runtime",
    "sandbox",
    "surfaces",
    "tools",
    "triggers",
)
STRICT = "LANGGRAPH_STRICT_MSGPACK"


def guard() -> None:
    """Make checkpoints strict and see that every package of ours is found under our root. Cheap; may be called again.

    Raises:
        SystemExit: with one sentence: another distribution hides a package of ours, or LangGraph was imported before
            strict mode was set (CVE-2026-28277: a checkpoint could otherwise name any function to be called).

    """
    _make_checkpoints_strict()
    for name in PACKAGES:
        place = _place(name)
        if place is None or place.parent != ROOT:
            raise SystemExit(_sentence(name, place))


def _make_checkpoints_strict() -> None:
    os.environ[STRICT] = "true"
    serializer = sys.modules.get("langgraph.checkpoint.serde._msgpack")
    if serializer is not None and not getattr(serializer, "STRICT_MSGPACK_ENABLED", False):
        raise SystemExit(
            f"LangGraph was imported before {STRICT}=true was set, so its checkpoints would not be safe to load: "
            "import runtime.import_guard first, or set the variable yourself."
        )


def _place(name: str) -> Path | None:
    """The folder (or file) that ``import name`` finds first, or None."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        return None
    found = next(iter(spec.submodule_search_locations or ()), spec.origin)
    return Path(found).resolve() if found else None


def _sentence(name: str, place: Path | None) -> str:
    if place is None:
        return f"Steward's package `{name}` cannot be found; it belongs in {ROOT}. Run `make setup` there."
    owners = importlib.metadata.packages_distributions().get(name, [])
    foreign = [f"`{owner}`" for owner in dict.fromkeys(owners) if owner != "steward"]
    owner = f"the distribution {' and '.join(foreign)}" if foreign else "another folder on the Python path"
    remedy = f"uninstall {' and '.join(foreign)}" if foreign else "take that folder off PYTHONPATH"
    return (
        f"`import {name}` finds {place}, which comes from {owner}, instead of Steward's own in {ROOT}: "
        f"{remedy}, or run Steward in its own environment (`make setup`)."
    )


guard()
