"""`steward playbook check`: can these playbooks work with the tools and people there are?"""

from __future__ import annotations

from pathlib import Path

from governance.errors import InvalidInput
from governance.findings import Finding
from playbooks.check import check_playbook
from playbooks.company import read_company
from playbooks.loader import read_playbook
from playbooks.model import Playbook
from surfaces.cli.exits import Status
from surfaces.cli.knowledge import findings_status, report
from surfaces.cli.screen import Screen
from surfaces.cli.session import know, read_settings
from surfaces.cli.shapes import plain
from surfaces.cli.tables import count


def check(screen: Screen, path: Path | None) -> Status:
    """Check the playbooks of a company's folder, one playbook's file, or all that are in use.

    Raises:
        InvalidInput: there is no such file or folder.
        InvalidSettings: the folder's tools cannot be loaded.

    """
    if path is not None and not path.exists():
        raise InvalidInput(f"There is no file or folder {path}.")
    home = path if path is not None and path.is_dir() else read_settings().home
    found, findings = _read(path, home)
    if not findings:
        known = know(read_settings().model_copy(update={"home": home}))
        specs = {tool.id: tool.spec for tool in known.catalog.tools}
        findings = [each for book in found for each in check_playbook(book, specs, known.directory)]
    status = findings_status(findings)
    if screen.json:
        screen.data({"ok": status is Status.OK, "playbooks": [book.id for book in found], "findings": plain(findings)})
    screen.show(report(findings, f"{count(len(found), 'playbook')} ({', '.join(book.id for book in found)})"))
    return status


def _read(path: Path | None, home: Path | None) -> tuple[tuple[Playbook, ...], list[Finding]]:
    if path is not None and path.is_file():
        one, findings = read_playbook(path)
        return (one,) if one else (), findings
    company, findings = read_company(home)
    return company.playbooks, findings
