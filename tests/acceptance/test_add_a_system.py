"""docs/how-to/add-a-system.md, done as it says: a tenth system with one tool file and one goal, no file of ours changed."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from markdown_it import MarkdownIt

from governance.effects import LookupAnswer
from governance.events import RunEnded, StepReconciled
from governance.reviews import approve
from tests.conftest import DatabaseUrls
from tests.fixtures.company import ADA, FINANCE, HR, SECURITY, home_of, open_reviews, person, steward_on, until
from tests.house import docs_blocks
from tests.house.docs_blocks import Block, Session
from tests.house.tree import ROOT, product_files
from tests.sandbox.running import Company

PAGE = ROOT / "docs" / "how-to" / "add-a-system.md"
KEY = "shelf-7"


def marked(mark: str) -> Block:
    """The page's block under the comment that ends with ``mark``."""
    comment = ""
    for token in MarkdownIt().parse(PAGE.read_text(encoding="utf-8")):
        if token.type == "fence" and comment.removesuffix("-->").strip().endswith(mark):
            return Block(PAGE, (token.map or [0])[0] + 2, token.info, token.content)
        comment = token.content.strip() if token.type == "html_block" else ""
    raise AssertionError(f"the page has no block marked {mark}")


@contextmanager
def library(folder: Path) -> Iterator[str]:
    """The page's practice system, forgetful; its address."""
    (folder / "library.py").write_text(marked("this is library.py").text, encoding="utf-8")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [sys.executable, "library.py", str(port), "--forgetful"]
    with subprocess.Popen(command, cwd=folder, env={**os.environ, "LIBRARY_KEY": KEY}) as process:
        url = f"http://127.0.0.1:{port}"
        transport = httpx.HTTPTransport(retries=8)  # connects again, later and later, until it listens
        with httpx.Client(base_url=url, transport=transport) as client:
            assert (
                client.get("/loans", params={"borrower": "nobody"}, headers={"X-Api-Key": "wrong"}).status_code == 401
            )
        try:
            yield url
        finally:
            process.terminate()


@pytest.fixture
def library_url(tmp_path: Path) -> Iterator[str]:
    """The practice system's address."""
    with library(tmp_path) as url:
        yield url


@pytest.fixture
def acme(tmp_path: Path, company: Company, library_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """STEWARD_HOME as a reader of the page has it by then, with the addresses of this test's systems."""
    (tmp_path / "playbooks").symlink_to(ROOT / "playbooks")
    (tmp_path / "goal.yaml").write_text(marked("step: goal").text, encoding="utf-8")
    script = marked("step: folders").text + marked("step: playbook").text
    subprocess.run(["/bin/sh", "-e"], input=script, text=True, cwd=tmp_path, check=True)
    home = home_of(company, tmp_path / "acme")
    (home / "tools" / "library.py").write_text(marked("this is acme/tools/library.py").text, encoding="utf-8")
    addresses = home / "systems.yaml"
    systems = {**yaml.safe_load(addresses.read_text("utf-8")), "library": {"url": library_url}}
    addresses.write_text(yaml.safe_dump(systems), encoding="utf-8")
    monkeypatch.setenv("LIBRARY_KEY", KEY)
    return home


def fingerprint() -> dict[str, str]:
    """What our own files hold."""
    ours = [*product_files(), *(ROOT / "playbooks").rglob("*.yaml")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in ours}


async def test_the_tenth_system_holds_the_record_once(
    database_urls: DatabaseUrls, acme: Path, company: Company, library_url: str
) -> None:
    """The loan is made once although its answer was lost; the nine others hold theirs; nothing of ours changed."""
    before = fingerprint()
    async with steward_on(database_urls, acme) as steward, steward.working():
        run = await steward.start("onboarding", ADA, by=person(steward, HR))
        assert run.playbook == "onboarding@2"
        await until(steward, run.id, "review.asked", count=2)
        asked = await open_reviews(steward, run.id)
        assert set(asked) == {"employee", "badge"}, "a loan can be taken back: nobody is asked about it"
        await steward.decide(asked["badge"].card.id, approve(), by=person(steward, SECURITY))
        await steward.decide(asked["employee"].card.id, approve(), by=person(steward, FINANCE))
        await until(steward, run.id, "run.ended")
        view = await steward.show(run.id)
        assert view.timeline[-1].parsed() == RunEnded(status="done")
        employee, loan = (next(s for s in view.steps if s.id == name) for name in ("employee", "welcome_book"))
        assert loan.args == {"employee_id": (employee.output or {})["employee_id"], "title": "The Mythical Man-Month"}
        answers = [body.answer for body in (e.parsed() for e in view.timeline) if isinstance(body, StepReconciled)]
        assert answers == [LookupAnswer.OURS]
        assert (await steward.verify(run.id)).ok
    (held,) = loans_of(library_url, str(loan.args["employee_id"]))
    assert (held["book"], held["returned"]) == ("The Mythical Man-Month", False)
    assert (loan.output or {})["number"] == held["number"]
    counted = {system: company.effect_count(system) for system in company.ports if system != "control"}
    untouched = {"procurement", "support", "billing"}  # an onboarding has nothing to do there
    assert {system for system, count in counted.items() if not count} == untouched
    counted = {system: count for system, count in counted.items() if count}
    assert len(counted) == 9
    assert all(counted.values())
    assert fingerprint() == before


@pytest.mark.parametrize("step", ["check", "plan"])
async def test_the_commands_of_the_page_show_what_it_says(acme: Path, tmp_path: Path, step: str) -> None:
    """`steward playbook check`, `tool` and `plan` know the new tool and goal."""
    env = {**os.environ, "STEWARD_HOME": str(acme), "STEWARD_STATE": str(tmp_path / "state")}
    await docs_blocks.run(marked(f"step: {step}"), Session(folder=tmp_path, env=env))


def test_every_part_of_the_tool_file_is_explained() -> None:
    """What the file gives to ``Tool`` is in the page's table."""
    tools = marked("this is acme/tools/library.py").text.partition("TOOLS = (")[2]
    given = set(re.findall(r"^        (\w+)=", tools, re.MULTILINE))
    explained = PAGE.read_text(encoding="utf-8").partition("What each part is for")[2]
    obvious = {"name", "system", "summary", "input", "output", "run", "args", "tool"}
    assert [name for name in sorted(given - obvious) if f"`{name}`" not in explained] == []


def loans_of(url: str, borrower: str) -> list[dict[str, Any]]:
    """What the library itself says."""
    answer = httpx.get(f"{url}/loans", params={"borrower": borrower}, headers={"X-Api-Key": KEY})
    found: list[dict[str, Any]] = answer.json()
    return found
