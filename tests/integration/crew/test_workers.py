"""`steward worker --processes 2` for real: runs are shared, a killed worker comes back, nothing is lost, nobody is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from governance.events import RunStatus
from runtime.application import Application
from tests.acceptance.terminal import environment
from tests.conftest import DatabaseUrls
from tests.fixtures.company import HR, person, steward_on
from tests.integration.crew.test_crew import lives, until

RUNS = 20
STAMP = '''
"""A stamp that notes which process stamped what, once for each key."""

import os
from pathlib import Path

from governance.effects import EffectClass, LookupAnswer
from tools.contract import ApiKey, Call, Existing, Found, System, Tool, ToolModel

SYSTEM = System(name="stamp", title="Stamp", auth=ApiKey(), url="http://127.0.0.1:9", secret="env:STAMP_KEY")
FOLDER = Path(os.environ["STAMP_FOLDER"])


class Sheet(ToolModel):
    """What is stamped."""

    sheet: str


class Stamped(ToolModel):
    """What was stamped."""

    sheet: str


async def stamp(call: Call, given: Sheet) -> Stamped | Existing:
    """Make the mark, which takes a moment; a second one is not made."""
    await call.clock.sleep(0.3)
    call.leaving()
    try:
        with (FOLDER / given.sheet).open("x", encoding="utf-8") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        return Existing(Stamped(sheet=given.sheet))
    return Stamped(sheet=given.sheet)


async def find(call: Call, given: Sheet) -> Found:
    """Whether there is a mark."""
    there = (FOLDER / given.sheet).exists()
    return Found(LookupAnswer.OURS, Stamped(sheet=given.sheet)) if there else Found(LookupAnswer.NONE)


TOOLS = (
    Tool(
        name="stamp.press",
        system="stamp",
        summary="stamp a sheet",
        input=Sheet,
        output=Stamped,
        effect=EffectClass.NATURAL_KEY,
        run=stamp,
        lookup=find,
        simulate=lambda given, _key: Stamped(sheet=given.sheet),
        irreversible="ink stays",
        provides="stamp.mark",
    ),
)
'''
PLAYBOOK: dict[str, Any] = {
    "name": "stamp",
    "version": 1,
    "title": "Stamp {request.sheet}",
    "summary": "Stamps a sheet.",
    "phrases": ["stamp"],
    "request": {"type": "object", "required": ["sheet"], "properties": {"sheet": {"type": "string", "x-ask": "?"}}},
    "goals": [{"id": "mark", "provides": "stamp.mark", "args": {"sheet": {"$ref": "request.sheet"}}, "reason": "r"}],
}
POLICY = {
    "rules": [{"name": "all", "then": "go", "when": {"$eq": [{"$ref": "tool"}, "stamp.press@1"]}, "because": "b"}]
}


@dataclass
class Led:
    """`steward worker --processes 2`, and what it has said."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    @property
    def workers(self) -> list[int]:
        """Its workers so far, dead ones too, in order."""
        found = (re.match(r"Worker process \d is (\d+)\.", line) for line in self.lines)
        return [int(each[1]) for each in found if each]

    async def listen(self) -> None:
        """Take down what it says."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.lines.append(line.decode().strip())


@asynccontextmanager
async def led(urls: DatabaseUrls, folder: Path) -> AsyncIterator[Led]:
    """Two workers and who leads them; none of them is there afterwards."""
    own = {
        "STEWARD_DATABASE_URL": urls.app_url,
        "STEWARD_DATABASE_OWNER_URL": urls.owner_url,
        "STEWARD_HOME": str(folder / "acme"),
        "STEWARD_STATE": str(folder / "state"),
        "STEWARD_WORKER_SLOTS": "2",
        "STAMP_KEY": "ink",
        "STAMP_FOLDER": str(folder / "marks"),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "surfaces.cli.main", "worker", "--processes", "2"),
        cwd=folder,
        env={**environment(), **own},
        stderr=asyncio.subprocess.PIPE,
    )
    found = Led(process)
    listening = asyncio.create_task(found.listen())
    try:
        yield found
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await listening
        for pid in found.workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def office(urls: DatabaseUrls, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Application]:
    """An application that does no work itself, over a company with a stamp."""
    for name in ("acme/tools", "acme/playbooks", "marks"):
        (folder / name).mkdir(parents=True)
    (folder / "acme/tools/stamp.py").write_text(STAMP, encoding="utf-8")
    (folder / "acme/playbooks/stamp@1.yaml").write_text(yaml.safe_dump(PLAYBOOK), encoding="utf-8")
    (folder / "acme/policy.yaml").write_text(yaml.safe_dump(POLICY), encoding="utf-8")
    monkeypatch.setenv("STAMP_KEY", "ink")
    monkeypatch.setenv("STAMP_FOLDER", str(folder / "marks"))
    async with steward_on(urls, folder / "acme", state=folder / "state") as steward:
        yield steward


def marks(folder: Path) -> Counter[int]:
    """How many sheets each process has stamped."""
    texts = [path.read_text("utf-8") for path in (folder / "marks").iterdir()]
    return Counter(int(text) for text in texts if text)


async def ended(steward: Application, count: int) -> None:
    """Return when so many runs are done."""
    async with asyncio.timeout(240):
        async for _ in steward.stirred():
            if len(await steward.runs(limit=1_000, status=RunStatus.DONE)) == count:
                return


async def stamp(steward: Application, first: int) -> None:
    """Ask for twenty sheets."""
    for number in range(first, first + RUNS):
        await steward.start("stamp", {"sheet": f"sheet-{number}"}, by=person(steward, HR))


@pytest.mark.timeout(600)
async def test_two_processes_share_the_work_and_lose_none_of_it(
    database_urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty runs by two; one is killed at work and replaced, and twenty more are done; SIGTERM ends all in good order."""
    async with office(database_urls, tmp_path, monkeypatch) as steward, led(database_urls, tmp_path) as crew:
        await stamp(steward, 0)
        await ended(steward, RUNS)
        shares = marks(tmp_path)
        if len(shares) == 1:  # the other came when all was done: it has its part in the next ones
            await until(lambda: len(crew.workers) == 2)
        await stamp(steward, 100)
        await until(lambda: sum(marks(tmp_path).values()) > RUNS + 2, seconds=240)
        (victim, _), *_ = (marks(tmp_path) - shares).most_common(1)
        os.kill(victim, signal.SIGKILL)
        await ended(steward, 2 * RUNS)
        await until(lambda: len(crew.workers) == 3)
        assert any("killed by SIGKILL" in line for line in crew.lines)
        stamped = marks(tmp_path)
        assert sum(stamped.values()) == 2 * RUNS
        assert len(stamped) >= 2
        assert (await steward.verify()).ok
        crew.process.terminate()
        assert await crew.process.wait() == 0
        assert not any(lives(pid) for pid in crew.workers)
        assert "The workers have stopped; nothing is lost." in crew.lines


@pytest.mark.timeout(600)
async def test_killed_it_leaves_no_worker_and_no_work(
    database_urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few seconds after SIGKILL nobody is left; the next ones find every run, and no sheet is stamped twice."""
    async with office(database_urls, tmp_path, monkeypatch) as steward:
        async with led(database_urls, tmp_path) as crew:
            await stamp(steward, 0)
            await until(lambda: len(marks(tmp_path)) > 0 and len(crew.workers) == 2, seconds=240)
            crew.process.kill()
            await crew.process.wait()
            await until(lambda: not any(lives(pid) for pid in crew.workers), seconds=30)
        async with led(database_urls, tmp_path):
            await ended(steward, RUNS)
        assert sum(marks(tmp_path).values()) == RUNS
        assert (await steward.verify()).ok
