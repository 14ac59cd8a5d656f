"""The catalog loads our tools and a company's, and refuses what does not keep the contract, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance.errors import InvalidSettings, NotFound
from tools.catalog import OURS, load_catalog

HEAD = """
from datetime import timedelta
from governance.effects import EffectClass, UndoCall
from tools.contract import ApiKey, System, Tool, ToolModel

class Wanted(ToolModel):
    name: str

class Thing(ToolModel):
    thing_id: str

async def run(call, wanted):
    return Thing(thing_id="t-1")

def simulate(wanted, key):
    return Thing(thing_id="t-1")

def tool(name, effect=EffectClass.READ, **more):
    base = dict(system="shop", summary="x", input=Wanted, output=Thing, run=run, simulate=simulate)
    return Tool(name=name, effect=effect, **{**base, **more})

SYSTEM = System(name="shop", title="Shop", auth=ApiKey(), url="http://127.0.0.1:9")
"""


def company(home: Path, tools: str, *, head: str = HEAD, name: str = "shop") -> Path:
    """Write a tool file of a company."""
    folder = home / "tools"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(f"{head}\nTOOLS = ({tools},)\n")
    return home


def codes(home: Path, ours: tuple[str, ...] = ()) -> list[str]:
    """The codes of all findings."""
    with pytest.raises(InvalidSettings) as refused:
        load_catalog(home, ours=ours)
    return sorted(finding.code for finding in refused.value.findings)


def test_our_nine_systems_keep_the_contract() -> None:
    """Our nine systems keep the contract."""
    catalog = load_catalog(None)
    assert {name.removeprefix("tools.") for name in OURS} == set(catalog.systems)
    assert len(catalog) >= 25
    assert len(catalog.digest) == 64


def test_ids_versions_and_suggestions() -> None:
    """Ids versions and suggestions."""
    catalog = load_catalog(None)
    latest = catalog.latest("identity.create_account")
    assert latest is not None
    assert catalog[latest.id] is latest
    assert catalog.specs[latest.id] == latest.spec
    assert catalog.suggest("identity.create_acount@1") == "identity.create_account@1"
    assert catalog.suggest("create_account") == "identity.create_account@1"
    assert catalog.suggest("zzzzzz") == ""
    with pytest.raises(NotFound) as unknown:
        catalog["payrol.create_employee@1"]
    assert unknown.value.hint == "did you mean payroll.create_employee@1?"


def test_a_companys_tools_stand_beside_ours_and_change_the_digest(tmp_path: Path) -> None:
    """A companys tools stand beside ours and change the digest."""
    catalog = load_catalog(company(tmp_path, 'tool("shop.read"), tool("shop.read", version=2)'))
    newest = catalog.latest("shop.read")
    assert newest is not None
    assert newest.version == 2
    assert "identity.create_account@1" in catalog
    assert catalog.systems["shop"].title == "Shop"
    assert catalog.digest != load_catalog(None).digest


def test_the_newest_version_is_the_highest_number(tmp_path: Path) -> None:
    """The newest version is the highest number."""
    catalog = load_catalog(company(tmp_path, 'tool("shop.read", version=9), tool("shop.read", version=10)'), ours=())
    newest = catalog.latest("shop.read")
    assert newest is not None
    assert newest.version == 10


@pytest.mark.parametrize(
    ("tools", "code"),
    [
        ('tool("shop.read"), tool("shop.read")', "tool_duplicate"),
        ('tool("shop.make", EffectClass.UNSAFE)', "tool_no_undo"),
        ('tool("shop.make", EffectClass.RECONCILABLE, irreversible="x")', "tool_no_lookup"),
        ('tool("shop.make", EffectClass.KEYED, irreversible="x")', "tool_no_key_lifetime"),
        (
            'tool("shop.make", EffectClass.UNSAFE, provides="shop.thing", undo=UndoCall(tool="shop.gone@1"))',
            "tool_undo_unknown",
        ),
        (
            (
                'tool("shop.make", EffectClass.UNSAFE, provides="shop.thing", undo=UndoCall(tool="shop.undo@1")),'
                'tool("shop.undo", EffectClass.UNSAFE, irreversible="x")'
            ),
            "tool_undo_args",
        ),
        (
            (
                'tool("shop.make", EffectClass.UNSAFE, provides="shop.thing",'
                'undo=UndoCall(tool="shop.undo@1", args={"name": {"$ref": "output.nothing"}})),'
                'tool("shop.undo", EffectClass.UNSAFE, irreversible="x")'
            ),
            "tool_undo_args",
        ),
        (
            (
                'tool("shop.make", EffectClass.UNSAFE,'
                'undo=UndoCall(tool="shop.undo@1", args={"name": {"$ref": "output.thing_id"}})),'
                'tool("shop.undo", EffectClass.UNSAFE, irreversible="x")'
            ),
            "tool_no_provides",
        ),
        (
            (
                'tool("shop.make", EffectClass.UNSAFE, provides="shop.thing",'
                'undo=UndoCall(tool="shop.undo@1", args={"name": {"$ref": "output.thing_id"}})),'
                'tool("shop.undo", EffectClass.UNSAFE, irreversible="x", deferred=timedelta(hours=1))'
            ),
            "tool_undo_deferred",
        ),
        ('tool("shop.read", sensitive=frozenset({"salary"}))', "tool_unknown_input"),
        ('tool("shop.read", amount="salary")', "tool_unknown_input"),
        ('tool("shop.read", undo=UndoCall(tool="shop.read@1", args={"name": "x"}))', "tool_read_with_effect"),
        ('tool("shop.read", system="mail")', "tool_system"),
        ('tool("Read It")', "tool_name"),
        ('tool("shop.read", timeout=timedelta(0))', "tool_limits"),
        ('"not a tool"', "tool_file_incomplete"),
    ],
)
def test_a_broken_contract_is_a_finding(tmp_path: Path, tools: str, code: str) -> None:
    """A broken contract is a finding."""
    assert codes(company(tmp_path, tools)) == [code]


def test_a_company_may_not_replace_our_tools_or_systems(tmp_path: Path) -> None:
    """A company may not replace our tools or systems."""
    company(tmp_path, 'tool("mail.send", system="mail", version=7)', head=HEAD.replace('name="shop"', 'name="mail"'))
    assert codes(tmp_path, OURS) == ["tool_shadows", "tool_system"]


def test_a_company_may_add_a_tool_to_our_system(tmp_path: Path) -> None:
    """A company may add a tool to our system."""
    company(tmp_path, 'tool("mail.count", system="mail")', head=HEAD + "\nfrom tools.mail import SYSTEM\n")
    assert "mail.count@1" in load_catalog(tmp_path)


def test_all_problems_of_all_files_come_at_once_and_one_file_does_not_hide_another(tmp_path: Path) -> None:
    """All problems of all files come at once and one file does not hide another."""
    company(tmp_path, 'tool("shop.make", EffectClass.UNSAFE)')
    company(tmp_path, "tool(", head="", name="broken")
    company(tmp_path, "", head="1 / 0", name="divided")
    assert codes(tmp_path) == ["tool_file_broken", "tool_file_broken", "tool_no_undo"]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("x = 1\ny = (\n", "tools/bad.py:2", "SyntaxError"),
        ("x = 1\n\nraise RuntimeError('no\\nTraceback')", "tools/bad.py:3", "RuntimeError: no"),
        ("import no_such_module_anywhere", "tools/bad.py:1", "No module named 'no_such_module_anywhere'"),
        ("def f():\n    return g()\n\nf()", "tools/bad.py:2", "NameError"),
        ("raise SystemExit", "tools/bad.py:1", "SystemExit"),
    ],
)
def test_a_broken_file_is_named_with_its_line_and_no_trace(tmp_path: Path, text: str, place: str, said: str) -> None:
    """A broken file is named with its line and no trace."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "bad.py").write_text(text)
    with pytest.raises(InvalidSettings) as refused:
        load_catalog(tmp_path, ours=())
    (finding,) = refused.value.findings
    assert finding.place == place
    assert said in finding.sentence
    assert "Traceback" not in str(refused.value)
