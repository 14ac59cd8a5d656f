"""The reference says what the code says: pages made from it are current, the others leave nothing out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from markdown_it import MarkdownIt

from governance.policy import PolicyRule, RulingKind, StepFacts
from playbooks.check import check_playbook, check_policy
from playbooks.loader import read_playbook
from playbooks.policy import read_policy
from runtime.application import Application
from runtime.knowledge import load_knowledge
from runtime.settings import Settings
from surfaces.cli.decisions import RunFirst
from surfaces.cli.main import app
from tests.house.reference_pages import FOLDER, PAGES
from tests.house.tree import ROOT, place
from tools.contract import System, Tool

DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_is_made_from_the_code_is_current(name: str) -> None:
    """``python -m tests.house.reference_pages`` would change nothing."""
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name]()


def test_every_setting_is_described() -> None:
    """A variable without a word about it helps nobody."""
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_contract_page_has_every_field() -> None:
    """Each field of a tool and of a system has its line, and nothing else has."""
    rows = set(re.findall(r"`(\w+)`", "".join(first_cells("tool-contract.md"))))
    fields = {field.name for kind in (Tool, System) for field in dataclasses.fields(kind)}
    assert fields - rows == set()
    assert {name for name in rows if not name.startswith("tool_")} - fields == set()


def test_the_contract_page_has_every_finding() -> None:
    """What can be wrong with a tool file is what the code can say, no more and no less."""
    said = set(re.findall(r"`(tool_\w+)`", (FOLDER / "tool-contract.md").read_text("utf-8")))
    code = "".join(
        (ROOT / "tools" / name).read_text("utf-8") for name in ("toolcheck.py", "toolfile.py", "companyfiles.py")
    )
    assert said == set(re.findall(r'"(tool_\w+)"', code)) - {"tool_file"}


def test_the_policy_page_has_every_fact_and_field() -> None:
    """Rules can look at what the page lists, and are made of what it lists."""
    facts = StepFacts("s", "t@1", "t", "read", reversible=True, confidence=1).fields
    listed = set(re.findall(r"`(\w+)`", "".join(first_cells("policy.md"))))
    assert listed == set(facts) | set(PolicyRule.model_fields)


def test_the_policy_of_the_page_is_one(tmp_path: Path) -> None:
    """The example loads, its approvers exist, and it uses every kind of ruling."""
    file = tmp_path / "policy.yaml"
    file.write_text(example("policy.md"), encoding="utf-8")
    rules, findings = read_policy(file)
    assert [*findings, *check_policy(rules, load_knowledge(None).directory)] == []
    assert {rule.then for rule in rules} == set(RulingKind)


def test_the_playbook_of_the_page_is_one(tmp_path: Path) -> None:
    """The example loads and can work with the tools and people there are."""
    file = tmp_path / "course@1.yaml"
    file.write_text(example("playbooks.md"), encoding="utf-8")
    playbook, findings = read_playbook(file)
    assert findings == []
    assert playbook is not None
    known = load_knowledge(None)
    assert check_playbook(playbook, known.catalog.specs, known.directory) == ()


def test_the_python_page_has_every_method() -> None:
    """Whatever an application offers is named on the page."""
    page = (FOLDER / "python.md").read_text(encoding="utf-8")
    offered = {name for name, value in vars(Application).items() if not name.startswith("_") and value is not None} | {
        "graph"
    }
    assert [name for name in sorted(offered) if not re.search(rf"`{name}[`(]", page)] == []


def test_every_page_of_the_reference_is_in_its_index() -> None:
    """Nothing has to be guessed."""
    index = (FOLDER / "index.md").read_text(encoding="utf-8")
    assert [
        path.name for path in FOLDER.glob("*.md") if path.name != "index.md" and f"({path.name})" not in index
    ] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=place)
def test_the_commands_that_a_document_names_exist(document: Path) -> None:
    """Each `steward …` in code, with its options."""
    assert [f"steward {line}" for line in command_lines(document) if not exists(line.split())] == []


def test_a_command_that_does_not_exist_is_seen() -> None:
    """Or the test above could not fail."""
    assert exists(["run", "onboarding", "--text", "x"])
    assert exists(["audit", "verify"])
    assert not exists(["walk"])
    assert not exists(["run", "onboarding", "--fast"])
    assert not exists(["audit", "burn"])
    assert exists(["decisions", "01a2b3c4", "--html", "page.html"])
    assert not exists(["decisions", "01a2b3c4", "--fast"])


def command_lines(document: Path) -> Iterator[str]:
    """What follows `steward` in fenced and inline code."""
    for token in MarkdownIt().parse(document.read_text(encoding="utf-8")):
        texts = token.content.splitlines() if token.type == "fence" and token.info != "python" else []
        texts += [child.content for child in token.children or () if child.type == "code_inline"]
        for text in texts:
            found = re.match(r"(?:\$ )?(?:\.venv/bin/)?steward ([a-z].*)", text)
            if found:
                yield re.sub(r'"[^"]*"|#.*|&$', "", found[1]).strip()


def exists(words: list[str]) -> bool:
    """Whether there is such a command with such options."""
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "commands") and not words[0].startswith(("-", "[")):  # a group's own options
        words = command.spelled_out(words) if isinstance(command, RunFirst) else words
        command, words = command.commands.get(words[0]), words[1:]
    if command is None:
        return False
    options = {
        "--help",
        *(name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]),
    }
    return all(word in options for each in words if (word := each.strip("[]").partition("/")[0]).startswith("--"))


def first_cells(name: str) -> list[str]:
    """The first cells of a page's tables, without their heads."""
    page = (FOLDER / name).read_text(encoding="utf-8")
    return [cell for cell in re.findall(r"^\| (`[^|]*)\|", page, re.MULTILINE) if not cell.startswith("`tool_file")]


def example(name: str) -> str:
    """The first YAML block of a page."""
    found = re.search(r"```yaml\n(.*?)```", (FOLDER / name).read_text(encoding="utf-8"), re.DOTALL)
    assert found
    assert yaml.safe_load(found[1])
    return found[1]
