"""What `langgraph dev` is told to serve can be served: no database, no claim, nothing touched."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.studio import graph

ASK = {
    "playbook": "onboarding",
    "by": "katherine.johnson@acme.example",
    "request": {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "job_title": "Software Engineer",
        "department": "R&D",
        "start_date": "2027-02-01",
        "manager": "grace.hopper@acme.example",
    },
}


# The server hands on an empty context when its client gives none.
@pytest.mark.parametrize("given", [{}, {"context": {}}], ids=["no context", "an empty context"])
async def test_a_run_in_studio_is_dry_to_its_end(given: dict[str, Any]) -> None:
    """A request runs through every node on simulated effects, and its journal says so."""
    async with graph() as served:
        state = await served.ainvoke({"ask": ASK}, **given)
    assert state["phase"] == "end"
    assert '"dry":true' in state["dry"][0]["body"]
