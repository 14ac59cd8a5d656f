"""What the battery breaks on purpose, to see that it would notice: one guard of the engine at a time.

Each is taken away in a process of its own or in a database of its own, so that nothing of it stays.
"""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from typing import Any

from governance.chain import Entry
from governance.effects import EffectClass
from governance.runs import RunRow
from memory import migrate, statements
from runtime.application import Application
from tools import invocation
from tools.reconcile import Move, Next, next_move
from triggers.admission import Register

EPOCH, RECONCILE, SETTLE, DEDUPE = "epoch", "reconcile", "settle", "dedupe"
_OWNED = re.compile(r"r\.owner = c\.owner\s+AND r\.epoch = c\.epoch")


def mutate(name: str) -> None:
    """Break this process for good: it is about to be forked into workers, and killed."""
    if name == EPOCH:
        _drop_epoch_test()
    elif name == RECONCILE:
        invocation.next_move = _always_call  # type: ignore[attr-defined]
    elif name == SETTLE:
        invocation.next_move = _settled_at_once  # type: ignore[attr-defined]
    elif name not in {"", DEDUPE}:
        raise ValueError(name)


def forgetful(steward: Application) -> Application:
    """The application with an admission that forgets what it admitted before."""
    register = _Forgetful(steward.admission.register)
    return dataclasses.replace(steward, admission=dataclasses.replace(steward.admission, register=register))


@dataclasses.dataclass(frozen=True)
class _Forgetful:
    register: Register

    async def admit(self, first: Entry, *, dedupe: str | None = None) -> RunRow:
        """Without the key."""
        return await self.register.admit(first)


def _drop_epoch_test() -> None:
    """Every start of a worker puts the functions into its database anew: here, without the test."""
    real = statements.script

    def script(file: str) -> bytes:
        text = real(file).decode()
        if file != "functions":
            return text.encode()
        mutated, found = _OWNED.subn("true", text)
        if not found:
            raise AssertionError("steward_append tests owner and epoch in other words now: mend this mutation")
        return mutated.encode()

    migrate.script = script  # type: ignore[attr-defined]


def _always_call(tool: Any, **known: Any) -> Next:
    """As the naive would: what may not have happened is done again."""
    step = next_move(tool, **known)
    if tool.effect is EffectClass.RECONCILABLE and known["may_call"]:
        return Next(Move.CALL, known["now"])
    return step


def _settled_at_once(tool: Any, **known: Any) -> Next:
    """As if no system ever applied a lost call late."""
    return next_move(dataclasses.replace(tool, settle=timedelta(0)), **known)
