"""What commands print: the documented commands and statuses, plain text, JSON, and no heavy start."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from typing import Any

import pytest
import typer
from rich.text import Text

from surfaces.cli.exits import Status
from surfaces.cli.inputs import read_settings_of
from surfaces.cli.main import app
from surfaces.cli.screen import PLAIN_WIDTH, console
from tests.acceptance.terminal import KATHERINE, ROOT, Here, Steward

PAGE = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")


def _commands() -> dict[str, set[str]]:
    """The commands, and of a group its own; ``show`` and what a bare group runs are the group's name."""
    top: Any = typer.main.get_command(app)
    return {
        name: set(getattr(command, "commands", {})) - {"show"}
        for name, command in top.commands.items()
        if name is not None
    }


def test_every_command_has_its_line_in_the_reference() -> None:
    """And the reference names no other."""
    lines = [cells[1] for cells in (re.split(r"(?<!\\)\|", line) for line in PAGE.splitlines()) if len(cells) > 2]
    lines = [cell.strip() for cell in lines if cell.strip().startswith("`steward ")]
    named: dict[str, set[str]] = {}
    for line in lines:
        first, *others = re.findall(r"`([^`]*)`", line)
        words = [word for word in first.split()[1:3] if re.fullmatch(r"[a-z]+", word)]
        named.setdefault(words[0], set()).update(words[1:], (word for word in others if re.fullmatch(r"[a-z]+", word)))
    assert named.keys() == _commands().keys()
    assert {name: subs for name, subs in named.items() if _commands()[name]} == {
        name: subs for name, subs in _commands().items() if subs
    }


def test_every_exit_status_is_documented() -> None:
    """The table's statuses are the ones there are."""
    assert {int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)} == {int(each) for each in Status}


def test_a_plan_is_shown_without_touching_anything(alone: Steward, ada: str) -> None:
    """Plain text of at most 100 columns, and neither a database nor a folder is needed."""
    said = alone("plan", "onboarding", "--request", ada, by=KATHERINE)
    assert said.status == 0, said
    for words in ("what a run would do", "◆ Mary Jackson decides: employee", "cannot be undone", "None: types"):
        assert words in said.out
    assert max(map(len, said.out.splitlines())) <= PLAIN_WIDTH
    assert not (alone.folder / "state").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "onboarding", "--request", "ada.json"),
        ("tools",),
        ("tool", "mail.send"),
        ("playbooks",),
        ("playbook", "onboarding"),
        ("playbook", "check"),
        ("people",),
        ("version",),
    ],
)
def test_json_is_all_there_is_on_stdout(here: Here, ada: str, words: tuple[str, ...]) -> None:
    """One value that parses, whatever the command."""
    said = here(*words, "--json")
    assert said.status == 0, said
    assert json.loads(said.out)


def test_help_does_not_load_what_it_does_not_need() -> None:
    """The engine, the checker and the tools are loaded by the commands that use them."""
    heavy = {"langgraph", "sqlalchemy", "jsonschema", "chainlit", "structlog", "yaml", "httpx"}
    code = f"import sys, surfaces.cli.main; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_others_typed_cannot_steer_a_terminal() -> None:
    """Control characters are shown, markup and emoji codes are text."""
    written = io.StringIO()
    console(written, width=60).print(Text("Ada\x1b[2J\x07"), "[bold]:boom:[/bold]")
    assert written.getvalue() == "Ada␛[2J [bold]:boom:[/bold]\n"


def test_set_keeps_text_as_text_and_reads_the_rest_as_json() -> None:
    """A code that looks like a number stays text where text stood before."""
    present = {"annual_salary": 72_000, "desk_code": "BER-2-014", "active": True}
    changed = read_settings_of(["annual_salary=70000", "desk_code=1", "active=false", "note=a=b"], present)
    assert changed == {"annual_salary": 70_000, "desk_code": "1", "active": False, "note": "a=b"}
