"""What the CLI writes on: data on stdout, messages on stderr, colours and live drawing only at a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType
from rich.segment import Segment
from rich.text import Text

PLAIN_WIDTH = 100
# What others typed must not steer a terminal: control characters are shown, not sent.
_SHOWN = (
    {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
    | {0x7F: 0x2421}
    | dict.fromkeys(range(128, 160), "�")
)


class SafeConsole(Console):
    """A rich console on which text is only ever text: no markup, no emoji codes, no control characters."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render, with control characters in text made visible."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(segment.text.translate(_SHOWN), segment.style)


@dataclass(frozen=True)
class Screen:
    """Both consoles. ``json``: stdout is for one JSON value and nothing else."""

    out: Console
    err: Console
    json: bool = False

    @property
    def live(self) -> bool:
        """Whether something may be drawn over and over: stdout is a terminal, and is for people."""
        return self.out.is_terminal and not self.json

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there to answer: stdin and stdout are a terminal."""
        return self.live and sys.stdin is not None and sys.stdin.isatty()

    def say(self, text: str, *, style: str = "") -> None:
        """A message for a person, on stderr."""
        self.err.print(Text(text, style=style), soft_wrap=not self.err.is_terminal)

    def show(self, *parts: RenderableType) -> None:
        """Output for a person, on stdout; nothing where JSON is wanted."""
        if self.json:
            return
        if self.out.is_terminal:
            self.out.print(*parts, sep="\n")
            return
        with self.out.capture() as text:
            self.out.print(*parts, sep="\n")
        self.out.file.writelines(line.rstrip() + "\n" for line in text.get().splitlines())
        self.out.file.flush()

    def data(self, value: Any) -> None:
        """The JSON value of this call, on stdout."""
        self.out.file.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Say on stderr what takes a moment, at a terminal only."""
        if not self.err.is_terminal:
            yield
            return
        with self.err.status(what):
            yield


def open_screen(*, json: bool = False) -> Screen:
    """The screen of this process."""
    return Screen(console(sys.stdout), console(sys.stderr), json)


def console(file: IO[str], *, width: int | None = None) -> Console:
    """A console on ``file``; where that is no terminal: plain text, 100 columns, no control codes."""
    terminal = file.isatty() and os.environ.get("TERM") != "dumb"
    return SafeConsole(
        file=file,
        width=width or (None if terminal else PLAIN_WIDTH),
        force_terminal=terminal,
        no_color=None if terminal else True,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=False,
    )


def rule(title: str) -> ConsoleRenderable:
    """A heading."""
    return Text(f"\n{title}", style="bold")
