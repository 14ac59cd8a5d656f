"""A STEWARD_HOME with one dangerous tool: it writes down each call, and may end its process or take its time."""

from __future__ import annotations

from pathlib import Path

_TOOL = '''"""Fuses: what is lit may take the process with it."""

import asyncio
import os

from datetime import timedelta
from pathlib import Path

from governance.effects import EffectClass, UndoCall
from tools.contract import ApiKey, Call, System, Tool, ToolModel

LOG = Path("@LOG@")


class Fuse(ToolModel):
    """Which fuse."""

    name: str


async def light(call: Call, wanted: Fuse) -> Fuse:
    """Write it down; a bomb ends the process, a slow one takes three seconds."""
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"begin {wanted.name} {os.getpid()}\\n")
    if wanted.name == "bomb":
        os._exit(1)
    if wanted.name == "slow":
        await asyncio.sleep(3)
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"end {wanted.name} {os.getpid()}\\n")
    return wanted


async def cut(_call: Call, wanted: Fuse) -> Fuse:
    """Take it back."""
    return wanted


SYSTEM = System(name="fuses", title="Fuses", auth=ApiKey(), url="http://127.0.0.1:9")
TOOLS = (
    Tool(
        name="fuses.light",
        system="fuses",
        summary="Light a fuse.",
        input=Fuse,
        output=Fuse,
        effect=EffectClass.KEYED,
        key_lifetime=timedelta(days=1),
        run=light,
        simulate=lambda wanted, _key: wanted,
        undo=UndoCall(tool="fuses.cut@1", args={"name": {"$ref": "output.name"}}),
        provides="fuses.lit",
        timeout=timedelta(seconds=20),
    ),
    Tool(
        name="fuses.cut",
        system="fuses",
        summary="Cut a fuse.",
        input=Fuse,
        output=Fuse,
        effect=EffectClass.NATURAL_KEY,
        run=cut,
        simulate=lambda wanted, _key: wanted,
        irreversible="it is an undo",
    ),
)
'''
_PLAYBOOK = """name: fuse
version: 1
title: "Light {request.name}"
summary: A fuse is lit.
request:
  type: object
  required: [name]
  properties:
    name: {type: string, x-ask: "Which fuse?"}
goals:
  - id: lit
    provides: fuses.lit
    args: {name: {$ref: request.name}}
    reason: somebody wants it lit
"""


def fuse_home(folder: Path) -> tuple[Path, Path]:
    """The home, and the file in which the tool writes ``begin|end <name> <pid>``."""
    home, log = folder / "home", folder / "calls.txt"
    for part, name, text in (("tools", "fuses.py", _TOOL), ("playbooks", "fuse@1.yaml", _PLAYBOOK)):
        (home / part).mkdir(parents=True)
        (home / part / name).write_text(text.replace("@LOG@", str(log)), encoding="utf-8")
    log.touch()
    return home, log
