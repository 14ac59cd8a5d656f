"""The README is what tool authors build from: it lists exactly the operations that there are."""

import re

from fastapi.routing import APIRoute

from sandbox.company import SYSTEMS
from sandbox.engine.auth import TOKEN_OPERATION
from tests.sandbox.running import ROOT

_ROW = re.compile(r"^\| `([A-Z]+) ([^`?]+)[^`]*` \| `(\w+)` \|", re.MULTILINE)


def test_the_readme_lists_every_operation_of_every_system() -> None:
    """Method, path and operation name, in the section of the system."""
    readme = (ROOT / "sandbox" / "README.md").read_text(encoding="utf-8")
    for system in SYSTEMS:
        section = readme.partition(f"\n## {system.name}\n")[2].partition("\n## ")[0]
        listed = {(method, _nameless(path), name) for method, path, name in _ROW.findall(section)}
        routes = [route for route in system.router.routes if isinstance(route, APIRoute)]
        real = {
            (method, _nameless(route.path), route.name)
            for route in routes
            for method in route.methods or ()
            if route.name != TOKEN_OPERATION
        }
        assert listed == real, system.name


def _nameless(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)
