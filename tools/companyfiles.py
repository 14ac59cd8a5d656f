"""A company's own tool files: Python files outside of our checkout, executed under private module names."""

from __future__ import annotations

import hashlib
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, TracebackType

from governance.errors import InvalidInput, StewardError
from governance.findings import Finding
from tools.toolfile import ToolFile, tool_file

# What executing a file is known to raise, by name: the one blind ``except`` stands in tools/invocation.
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    StewardError,
    SyntaxError,
    SystemExit,
    TypeError,
    ValueError,
)


def load_company_files(folder: Path) -> tuple[list[ToolFile], list[Finding]]:
    """Every ``*.py`` of ``folder`` in the order of names (a missing folder has none), and what is wrong with the broken."""
    files: list[ToolFile] = []
    findings: list[Finding] = []
    for path in sorted(folder.glob("*.py")):
        place = f"tools/{path.name}"
        read = _execute(path, place)
        if isinstance(read, Finding):
            findings.append(read)
        else:
            files.append(tool_file(read, place=place))
    return files, findings


def _execute(path: Path, place: str) -> ModuleType | Finding:
    name = f"_steward_company_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        return Finding(code="tool_file_broken", place=place, sentence="cannot be read as a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module  # pydantic resolves annotations there
    try:
        spec.loader.exec_module(module)
    except _BROKEN as error:
        del sys.modules[name]
        return _broken(error, path, place)
    return module


def _broken(error: BaseException, path: Path, place: str) -> Finding:
    if isinstance(error, InvalidInput) and error.findings:  # it says itself what is wrong
        found = error.findings[0]
        sentence = "; ".join(dict.fromkeys(each.sentence for each in error.findings))
        return found.model_copy(update={"place": f"{place} {found.place}", "sentence": sentence})
    line = error.lineno if isinstance(error, SyntaxError) else _line_in(error.__traceback__, path)
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    first = next(iter(said.splitlines()), "")
    return Finding(
        code="tool_file_broken",
        place=f"{place}:{line}" if line else place,
        sentence=f"cannot be loaded: {type(error).__name__}" + (f": {first}" if first else ""),
        fix="mend the file, or move it out of the folder",
    )


def _line_in(trace: TracebackType | None, path: Path) -> int | None:
    """The line of the file itself that was being executed, the innermost."""
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
