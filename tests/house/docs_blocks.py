"""Reads the code blocks of a document and runs them as a reader would: in order, in one session per document.

`python` blocks run as if typed (``await`` may stand at the top). In `console` blocks, every ``$ steward …`` is run; the
lines under it must appear in its output in that order, where ``…`` stands for anything. Other commands are only shown.
``$ export NAME=value`` holds for the commands after it. A block of any other language whose fence names a path
(```` ```yaml acme/people.yaml ````) is written there first. A comment on the line before a block changes that:
``<!-- not run -->``, or ``<!-- fails -->`` when its commands must end with a failure.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

RUN = {"python", "console"}
STEWARD = str(Path(sys.executable).parent / "steward")
SECONDS = 100


@dataclass(frozen=True)
class Block:
    """A fenced block that is to be run, or written to ``path``. ``line`` is where its text begins, counted from 1."""

    document: Path
    line: int
    language: str
    text: str
    fails: bool = False
    path: str = ""


@dataclass
class Session:
    """What the blocks of one document share: names for Python, environment and folder for commands."""

    folder: Path
    names: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=lambda: dict(os.environ))


class Wrong(AssertionError):
    """A document that does not tell the truth; says where."""


def blocks(document: Path) -> Iterator[Block]:
    """The blocks of a Markdown file that are to be run."""
    comment = ""
    for token in MarkdownIt().parse(document.read_text(encoding="utf-8")):
        language, _, path = token.info.partition(" ")
        if token.type == "fence" and (language in RUN or path) and "not run" not in comment:
            assert token.map is not None
            yield Block(document, token.map[0] + 2, language, token.content, "fails" in comment, path)
        comment = token.content.strip() if token.type == "html_block" else ""


async def run(block: Block, session: Session) -> None:
    """Run one block, or write it.

    Raises:
        Wrong: a command ended otherwise than the document says, or showed something else.
        Exception: whatever a Python block raises, with the document's own line in its traceback.

    """
    if block.path:
        file = session.folder / block.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")
        return
    if block.language == "python":
        await _run_python(block, session.names)
        return
    for command, shown in commands(block.text):
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            session.env[name] = value
        if command.split(" ")[0] == "steward":
            await _run_command(block, session, command, shown)


def commands(text: str) -> list[tuple[str, list[str]]]:
    """The commands of a console block, each with the output shown under it."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ ").strip(), []))
        elif found and line.strip():
            found[-1][1].append(line.strip())
    return found


async def _run_python(block: Block, names: dict[str, Any]) -> None:
    text = "\n" * (block.line - 1) + block.text  # so that a traceback shows the document's line
    code = compile(text, str(block.document), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)
    if inspect.iscoroutine(result):
        await result


async def _run_command(block: Block, session: Session, command: str, shown: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        STEWARD,
        *shlex.split(command)[1:],
        cwd=session.folder,
        env={**session.env, "COLUMNS": "200", "NO_COLOR": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(SECONDS):
            output = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    where = f"{block.document.name}, block at line {block.line}: `{command}`"
    if (process.returncode != 0) is not block.fails:
        raise Wrong(f"{where} ended with {process.returncode}:\n{output}")
    missing = absent(shown, output)
    if missing:
        raise Wrong(f"{where} does not show {missing!r}:\n{output}")


def absent(shown: list[str], output: str) -> str:
    """The first line that the document shows and the output lacks (``…`` stands for anything), or nothing."""
    position = 0
    for line in shown:
        pattern = re.compile(".*".join(re.escape(part) for part in line.split("…")))
        match = pattern.search(output, position)
        if match is None:
            return line
        position = match.end()
    return ""
