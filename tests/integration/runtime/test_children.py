"""Child runs through the whole application: planned by goals, shown from both sides, within the requester's permissions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
import yaml

from governance.events import RunStatus
from runtime.application import Application
from tests.conftest import DatabaseUrls
from tests.fixtures.company import HR, person, steward_on, until

COURSE = "security-awareness"
ADA = "ada.lovelace@acme.example"


def _playbook(name: str, goal: dict[str, Any], **more: Any) -> str:
    document = {
        "name": name,
        "version": 1,
        "title": f"{name} for {{request.email}}",
        "summary": "somebody gets ready",
        "request": {
            "type": "object",
            "required": ["email"],
            "properties": {"email": {"type": "string", "format": "email", "x-semantic": "Email", "x-ask": "Who?"}},
        },
        "goals": [{"id": "wanted", "reason": "it is wanted", **goal}],
        "chain": ["hr"],
        **more,
    }
    return yaml.safe_dump(document)


@pytest_asyncio.fixture
async def steward(database_urls: DatabaseUrls, home: Path) -> AsyncIterator[Application]:
    """Steward with a playbook that mails, and one that starts it as a run of its own."""
    (home / "playbooks").mkdir()
    looked = {"provides": "identity.account", "args": {"display_name": "Ada Lovelace"}}
    (home / "playbooks" / "inner@1.yaml").write_text(_playbook("inner", looked), encoding="utf-8")
    started = {
        "provides": "runs.run",
        "args": {"playbook": "inner", "request": {"email": {"$ref": "request.email"}}},
    }
    (home / "playbooks" / "outer@1.yaml").write_text(_playbook("outer", started), encoding="utf-8")
    async with steward_on(database_urls, home, state=home / "state") as opened:
        yield opened


async def test_a_goal_starts_a_child_and_both_sides_show_it(steward: Application) -> None:
    """The parent ends with the child's summary; `show` names the child, and the child its parent and step."""
    for name in ("inner", "outer"):
        seen = await steward.preview(name, {"email": ADA}, by=person(steward, HR))
        assert seen.findings == (), name
    async with steward.working():
        row = await steward.start("outer", {"email": ADA}, by=person(steward, HR))
        await until(steward, row.id, "run.ended")
    view = await steward.show(row.id)
    (child,) = view.children
    assert (child.status, child.parent_id, child.parent_step) == (RunStatus.DONE, row.id, view.steps[0].id)
    inner = await steward.show(child.id)
    assert inner.row.requester == HR
    assert view.steps[0].output == {"run_id": child.id, "status": "done", "summary": inner.report}
    assert (await steward.verify()).ok
