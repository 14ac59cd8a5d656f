"""The shape of the tree: small files, short functions, flat classes, honest names, nothing left unfinished."""

from __future__ import annotations

import ast
import builtins
import re
import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.house.tree import ROOT, files_of_tests, place, product_files

FILE, FUNCTION, CLASS_DEPTH, INIT, MEDIAN, P90 = 500, 60, 2, 40, 120, 300
VAGUE = {"utils", "util", "core", "common", "base", "manager", "helpers", "helper", "misc", "types", "logging"}
UNFINISHED = re.compile(r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b")
SLEEP_WITH_REASON = re.compile(r"# sleep: \w+")
BLIND = {"Exception", "BaseException"}
ERRORS = {
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree_of(path: Path) -> ast.Module:
    """A file, parsed once."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def lines_of(path: Path) -> int:
    """The length of a file."""
    return len(path.read_text(encoding="utf-8").splitlines())


def functions(path: Path) -> Iterator[Function]:
    """The functions of a file, methods and inner ones included."""
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def length(function: Function) -> int:
    """Lines of a function, its docstring not counted."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def depth(name: str, bases: dict[str, set[str]]) -> int:
    """How many of our own classes stand on top of one another; what is raised may form a tree, and counts as one."""
    own = {base for base in bases[name] if base in bases}
    return 0 if is_error(name, bases) else 1 + max((depth(base, bases) for base in own), default=0)


def is_error(name: str, bases: dict[str, set[str]]) -> bool:
    """Whether a class ends up under a built-in exception."""
    return name in ERRORS or any(is_error(base, bases) for base in bases.get(name, ()) if base != name)


def name_of(node: ast.expr) -> str:
    """The last word of a name, however it is written: ``a.b.C[D]`` is ``C``."""
    match node:
        case ast.Subscript(value=value):
            return name_of(value)
        case ast.Attribute(attr=attr):
            return attr
        case ast.Name(id=name):
            return name
        case _:
            return ""


def test_no_file_is_long() -> None:
    """A file of the product fits in a head."""
    assert [f"{place(path)}: {lines_of(path)}" for path in product_files() if lines_of(path) > FILE] == []


def test_most_files_are_short() -> None:
    """The middle and the tail stay small, not only the longest one."""
    sizes = sorted(lines_of(path) for path in product_files() if lines_of(path) > 3)
    assert statistics.median(sizes) <= MEDIAN
    assert sizes[int(len(sizes) * 0.9) - 1] <= P90


def test_no_function_is_long() -> None:
    """A function fits on a screen."""
    assert [
        f"{place(path)}:{function.lineno} {function.name}: {length(function)}"
        for path in product_files()
        for function in functions(path)
        if length(function) > FUNCTION
    ] == []


def test_class_trees_are_flat() -> None:
    """We compose; nothing is inherited through more than one class of ours."""
    bases: dict[str, set[str]] = {}
    for path in product_files():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(name_of(base) for base in node.bases)
                bases[node.name].discard(node.name)
    assert {name: depth(name, bases) for name in bases if depth(name, bases) > CLASS_DEPTH} == {}


def test_an_init_is_short_and_has_no_logic() -> None:
    """A package's front page says what is inside; it computes nothing."""
    fronts = [path for path in product_files() if path.name == "__init__.py"]
    assert [place(path) for path in fronts if lines_of(path) > INIT] == []
    allowed = (ast.Import, ast.ImportFrom, ast.Expr, ast.Assign, ast.AnnAssign)
    assert [place(path) for path in fronts if not all(isinstance(node, allowed) for node in tree_of(path).body)] == []
    assert [place(path) for path in fronts if any(isinstance(node, ast.Call) for node in ast.walk(tree_of(path)))] == []


def test_no_module_has_a_name_that_attracts_everything() -> None:
    """A module is a noun for what is inside."""
    assert [place(path) for path in product_files() if {path.stem, *path.relative_to(ROOT).parts} & VAGUE] == []


def test_nothing_is_left_unfinished() -> None:
    """What is not done yet is an issue, not a comment."""
    assert [
        f"{place(path)}:{number}"
        for path in [*product_files(), *files_of_tests()]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if UNFINISHED.search(line)
    ] == []


def test_tests_do_not_sleep() -> None:
    """Tests wait for events. ``sleep(0)`` only yields; any other sleep says why on its line: ``# sleep: reason``."""
    found = []
    for path in files_of_tests():
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(tree_of(path)):
            if not (isinstance(node, ast.Call) and name_of(node.func) == "sleep"):
                continue
            yields = bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
            if not yields and not SLEEP_WITH_REASON.search(lines[node.lineno - 1]):
                found.append(f"{place(path)}:{node.lineno}")
    assert found == []


def test_graphs_and_tools_catch_nothing_blindly() -> None:
    """LangGraph's control flow travels as exceptions: only the boundary in tools/invocation may catch them all."""
    found = []
    for path in product_files():
        where = place(path)
        if not where.startswith(("graphs/", "tools/")) or where.startswith("tools/invocation"):
            continue
        found += [
            f"{where}:{node.lineno}"
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.ExceptHandler) and is_blind(node) and not raises_again(node)
        ]
    assert found == []


def is_blind(handler: ast.ExceptHandler) -> bool:
    """Whether a handler catches everything."""
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(name_of(kind) in BLIND for kind in kinds)


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether a handler ends by raising what it caught."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


@pytest.mark.parametrize(
    ("code", "blind"),
    [
        ("except Exception: pass", True),
        ("except: pass", True),
        ("except (ValueError, BaseException): pass", True),
        ("except ValueError: pass", False),
    ],
)
def test_a_blind_handler_is_recognised(code: str, blind: bool) -> None:
    """The rule above sees every spelling."""
    handler = ast.parse(f"try: pass\n{code}").body[0]
    assert isinstance(handler, ast.Try)
    assert is_blind(handler.handlers[0]) is blind


def test_depth_counts_our_classes_and_not_errors() -> None:
    """Three of ours on top of one another are too many; a tree of errors is not."""
    bases = {"A": {"Protocol"}, "B": {"A"}, "C": {"B"}, "Oops": {"ValueError"}, "Worse": {"Oops"}, "Worst": {"Worse"}}
    assert {name: depth(name, bases) for name in bases} == {"A": 1, "B": 2, "C": 3, "Oops": 0, "Worse": 0, "Worst": 0}
