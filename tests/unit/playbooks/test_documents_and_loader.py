"""Playbook files: what loads, and that every problem of every file is named at once."""

from pathlib import Path

import pytest

from governance.errors import InvalidSettings
from playbooks.company import load_company
from playbooks.documents import read_document
from playbooks.loader import load_playbooks

OURS = ["billing-dispute@1", "offboarding@1", "onboarding@1", "purchase-approval@1", "support-triage@1"]
GOOD = """
name: {name}
version: {version}
title: Order for {{request.who}}
summary: Orders a thing.
request:
  type: object
  required: [who]
  properties: {{who: {{type: string, x-ask: "For whom?"}}}}
goals:
  - {{id: thing, provides: shop.thing, reason: somebody wants it}}
"""


def _home(tmp_path: Path, **files: str) -> Path:
    folder = tmp_path / "playbooks"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return tmp_path


def test_ours_ship_and_load() -> None:
    """Both playbooks that ship are there, ordered by name."""
    assert [playbook.id for playbook in load_playbooks()] == OURS


def test_a_companys_playbook_is_loaded_beside_ours(tmp_path: Path) -> None:
    """STEWARD_HOME/playbooks adds to what ships."""
    home = _home(tmp_path, **{"order@2": GOOD.format(name="order", version=2)})
    assert [playbook.id for playbook in load_playbooks(home)] == sorted([*OURS, "order@2"])


def test_a_new_version_of_ours_is_welcome(tmp_path: Path) -> None:
    """A company changes onboarding by taking the next version."""
    home = _home(tmp_path, **{"onboarding@2": GOOD.format(name="onboarding", version=2)})
    assert "onboarding@2" in [playbook.id for playbook in load_playbooks(home)]


def test_the_same_name_and_version_as_ours_is_refused(tmp_path: Path) -> None:
    """Runs are pinned to a version, so its content may not be shadowed; the fix names the next version."""
    home = _home(tmp_path, **{"onboarding@1": GOOD.format(name="onboarding", version=1)})
    with pytest.raises(InvalidSettings) as caught:
        load_playbooks(home)
    (finding,) = caught.value.findings
    assert finding.code == "playbook-taken"
    assert finding.fix == "take the next version: onboarding@2"
    assert "onboarding@1.yaml: version" in finding.place


def test_every_problem_of_every_file_is_named_at_once(tmp_path: Path) -> None:
    """Three broken files, four findings, each with its file and the path in it."""
    home = _home(
        tmp_path,
        **{
            "a@1": "name: a\nversion: [",
            "b@1": GOOD.format(name="b", version=0).replace("summary: Orders a thing.", "sumary: typo"),
            "c@1": GOOD.format(name="d", version=1),
        },
    )
    with pytest.raises(InvalidSettings) as caught:
        load_playbooks(home)
    found = [(finding.code, finding.place.rpartition("/")[2]) for finding in caught.value.findings]
    assert found == [
        ("file-not-yaml", "a@1.yaml"),
        ("file-does-not-fit", "b@1.yaml: version"),
        ("file-does-not-fit", "b@1.yaml: summary"),
        ("file-does-not-fit", "b@1.yaml: sumary"),
        ("playbook-misnamed", "c@1.yaml: name"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\na: 2\n", "'a' is given twice"),
        ("a: &x [1]\nb: *x\n", "anchors and aliases"),
        ("a: !!python/object/apply:os.system ['true']\n", "could not determine a constructor"),
        ("a: .nan\n", "no JSON form"),
        ("? [2]\n: two\n", "a key is one word"),
        ("1: one\n", "no JSON form"),
        ("a: \x00", "not YAML text"),
    ],
)
def test_only_plain_json_comes_out_of_a_file(tmp_path: Path, text: str, words: str) -> None:
    """Keys given twice, anchors, tags and what JSON has not are refused with a sentence."""
    path = tmp_path / "file.yaml"
    path.write_text(text)
    value, findings = read_document(path)
    assert value is None
    assert words in findings[0].sentence


def test_dates_stay_as_they_are_written(tmp_path: Path) -> None:
    """YAML would make a date of it, JSON knows text only."""
    path = tmp_path / "file.yaml"
    path.write_text("day: 2027-01-01\n")
    assert read_document(path) == ({"day": "2027-01-01"}, [])


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    """No traceback for what cannot be read."""
    value, findings = read_document(tmp_path / "none.yaml")
    assert (value, findings[0].code) == (None, "file-unreadable")


def test_all_files_of_a_company_are_judged_together(tmp_path: Path) -> None:
    """A broken playbook, policy and people file are named in one answer."""
    home = _home(tmp_path, **{"a@1": "]"})
    (home / "policy.yaml").write_text("rules: 3")
    (home / "people.yaml").write_text("people: {}")
    with pytest.raises(InvalidSettings) as caught:
        load_company(home)
    assert [finding.code for finding in caught.value.findings] == ["file-not-yaml", "policy-form", "people-form"]


def test_a_home_that_is_no_folder_is_said(tmp_path: Path) -> None:
    """One clear sentence with the way out."""
    with pytest.raises(InvalidSettings, match="not a folder"):
        load_company(tmp_path / "nowhere")
