"""The documents tell the truth: their code runs, their links lead somewhere, their lists are complete."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from tests.house import docs_blocks
from tests.house.docs_blocks import Session, Wrong
from tests.house.tree import ROOT, place, project

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


@pytest.mark.parametrize("document", [path for path in DOCUMENTS if any(docs_blocks.blocks(path))], ids=place)
async def test_the_code_of_a_document_runs(document: Path, reader: Session) -> None:
    """Every `python` block and every `$ steward …` of a document works as shown, in order."""
    for block in docs_blocks.blocks(document):
        await docs_blocks.run(block, reader)


@pytest.mark.parametrize("document", DOCUMENTS, ids=place)
def test_the_links_of_a_document_lead_somewhere(document: Path) -> None:
    """A relative link names a file that is there."""
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    local = [target.split("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]
    assert [target for target in local if not (document.parent / target).exists()] == []


def test_every_page_can_be_reached_from_the_index() -> None:
    """No page of docs/ is an orphan: following links from docs/index.md finds it."""
    seen: set[Path] = set()
    queue = [ROOT / "docs" / "index.md"]
    while queue:
        page = queue.pop()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        queue += [
            (page.parent / target.split("#")[0]).resolve() for target in LINK.findall(page.read_text(encoding="utf-8"))
        ]
    assert {place(page) for page in (ROOT / "docs").rglob("*.md")} - {place(page) for page in seen} == set()


def test_every_direct_dependency_is_explained() -> None:
    """docs/dependencies.md lists what pyproject.toml declares: no more, no less, each with reason, licence, rivals."""
    rows = re.findall(r"^\| `([^`]+)` \|(.+)\|$", (ROOT / "docs" / "dependencies.md").read_text("utf-8"), re.MULTILINE)
    declared = [*project()["project"]["dependencies"], *project()["dependency-groups"]["dev"]]
    assert len(rows) == len({name for name, _ in rows})
    assert {name for name, _ in rows} == {re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in declared}
    assert [name for name, cells in rows if not all(cell.strip() for cell in cells.split("|"))] == []


def test_only_marked_languages_are_run(tmp_path: Path) -> None:
    """Blocks in other languages, and those marked so, are not run; the others are, with their place."""
    found = list(docs_blocks.blocks(written(tmp_path, "```yaml\na: 1\n```\n<!-- not run -->\n```python\n1/0\n```\n")))
    assert found == []
    (block,) = docs_blocks.blocks(written(tmp_path, "# T\n\n<!-- fails -->\n```console\n$ steward x\n```\n"))
    assert (block.language, block.line, block.fails) == ("console", 5, True)


async def test_python_blocks_share_names_and_may_await(tmp_path: Path, session: Session) -> None:
    """A later block sees what an earlier one made."""
    text = """
        ```python
        import asyncio
        seen = await asyncio.sleep(0, "made")
        ```
        Then:
        ```python
        assert seen == "made"
        seen = "used"
        ```
    """
    for block in docs_blocks.blocks(written(tmp_path, text)):
        await docs_blocks.run(block, session)
    assert session.names["seen"] == "used"


async def test_a_wrong_python_block_fails_with_its_line(tmp_path: Path, session: Session) -> None:
    """The traceback names the document and the line in it."""
    document = written(tmp_path, "# A page\n\n```python\nfine = 1\nassert fine == 2\n```\n")
    with pytest.raises(AssertionError) as caught:
        await docs_blocks.run(next(docs_blocks.blocks(document)), session)
    assert (caught.traceback[-1].path, caught.traceback[-1].lineno) == (document, 4)


async def test_console_blocks_run_steward_and_compare_what_is_shown(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit status and shown lines are checked; other commands are not run."""
    program = tmp_path / "steward"
    program.write_text('#!/bin/sh\necho "run 0192-77 of $1"\necho done\nexit ${2:-0}\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(docs_blocks, "STEWARD", str(program))

    async def run(text: str) -> None:
        for block in docs_blocks.blocks(written(tmp_path, text)):
            await docs_blocks.run(block, session)

    await run("```text notes/ada.txt\nhello\n```\n```console\n$ export A=b=c\n```\n")
    assert (tmp_path / "notes" / "ada.txt").read_text("utf-8") == "hello\n"
    assert session.env["A"] == "b=c"
    await run("```console\n$ rm -rf nothing\n$ steward ada\nrun … of ada\ndone\n```\n")
    await run("<!-- fails -->\n```console\n$ steward ada 3\n```\n")
    with pytest.raises(Wrong, match="does not show 'run … of grace'"):
        await run("```console\n$ steward ada\nrun … of grace\n```\n")
    with pytest.raises(Wrong, match="does not show 'run … of ada'"):
        await run("```console\n$ steward ada\ndone\nrun … of ada\n```\n")
    with pytest.raises(Wrong, match="line 2: `steward ada 3` ended with 3"):
        await run("```console\n$ steward ada 3\n```\n")
    with pytest.raises(Wrong, match="ended with 0"):
        await run("<!-- fails -->\n```console\n$ steward ada\n```\n")


def written(folder: Path, text: str) -> Path:
    """A document with that text."""
    document = folder / "page.md"
    document.write_text(textwrap.dedent(text), encoding="utf-8")
    return document
