"""Asking a person at the terminal, without holding up the worker that runs in the same event loop."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable

from rich.text import Text

from governance.errors import InvalidInput
from surfaces.cli.screen import Screen

_CHUNK = 65_536


class Terminal:
    """Lines that somebody types. One for each process, because it keeps what was typed ahead."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._typed = b""

    async def ask(self, question: str) -> str:
        """The answer to a question, without outer blanks. Raises InvalidInput when nobody answers (end of input)."""
        self._screen.out.print(Text.assemble((f"{question} ", "bold"), ("> ", "cyan")), end="")
        self._screen.out.file.flush()
        return (await self._line()).strip()

    async def choose(self, question: str, choices: Iterable[str]) -> str:
        """One of the choices, or the beginning of one; asked until it is."""
        options = list(choices)
        while True:
            said = (await self.ask(f"{question} ({'/'.join(options)})")).casefold()
            fitting = [option for option in options if said and option.startswith(said)]
            if len(fitting) == 1:
                return fitting[0]
            self._screen.show(Text(f"One of {', '.join(options)}, please.", style="yellow"))

    async def _line(self) -> str:
        while b"\n" not in self._typed:
            chunk = await _read_when_there()
            if not chunk:
                raise InvalidInput("Nobody answered: the input ended.")
            self._typed += chunk
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode(errors="replace")


async def _read_when_there() -> bytes:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    descriptor = sys.stdin.fileno()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, _CHUNK)
