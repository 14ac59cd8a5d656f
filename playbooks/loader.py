"""Loads playbooks: ours, and a company's from ``STEWARD_HOME/playbooks``. Every problem of every file at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from governance.errors import InvalidSettings
from governance.findings import Finding
from playbooks.documents import misfits, place, read_document
from playbooks.model import Playbook

SHIPPED = Path(__file__).parent


def load_playbooks(home: Path | None = None) -> tuple[Playbook, ...]:
    """All playbooks, ordered by name and version: ours and those under ``home``.

    Raises:
        InvalidSettings: with all findings of all files.

    """
    playbooks, findings = read_playbooks(home)
    if findings:
        raise InvalidSettings(
            f"{len(findings)} problem{'s' if len(findings) > 1 else ''} in playbook files",
            hint="mend the files named, then run `steward playbook check`",
            findings=findings,
        )
    return playbooks


def read_playbooks(home: Path | None = None) -> tuple[tuple[Playbook, ...], list[Finding]]:
    """What could be loaded and what was wrong. Never raises for a file's content."""
    found: dict[str, tuple[Playbook, Path]] = {}
    findings: list[Finding] = []
    for path in [*_files(SHIPPED), *(_files(home / "playbooks") if home else ())]:
        playbook, problems = read_playbook(path)
        findings.extend(problems)
        if playbook is None:
            continue
        if playbook.id in found:
            findings.append(_taken(playbook, path, found[playbook.id][1]))
            continue
        found[playbook.id] = (playbook, path)
    loaded = sorted((playbook for playbook, _ in found.values()), key=lambda p: (p.name, p.version))
    return tuple(loaded), findings


def read_playbook(path: Path) -> tuple[Playbook | None, list[Finding]]:
    """One file's playbook, or what is wrong with it. The file is named after the playbook: ``onboarding@1.yaml``."""
    value, findings = read_document(path)
    if findings:
        return None, findings
    try:
        playbook = Playbook.model_validate(value)
    except ValidationError as error:
        return None, list(misfits(path, error))
    if path.stem != playbook.id:
        wrong = Finding(
            code="playbook-misnamed",
            place=place(path, "name"),
            sentence=f"the file holds {playbook.id} and is called {path.name}",
            fix=f"call the file {playbook.id}.yaml",
        )
        return None, [wrong]
    return playbook, []


def _taken(playbook: Playbook, path: Path, first: Path) -> Finding:
    ours = first.parent == SHIPPED
    return Finding(
        code="playbook-taken",
        place=place(path, "version"),
        sentence=f"{playbook.id} is there already, {'it ships with Steward' if ours else f'in {first}'};"
        " runs are pinned to a version, so its content may not change",
        fix=f"take the next version: {playbook.name}@{playbook.version + 1}",
    )


def _files(folder: Path) -> Iterable[Path]:
    if not folder.is_dir():
        return ()
    names = [path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"} and path.is_file()]
    return sorted(path for path in names if folder != SHIPPED or "@" in path.stem)
