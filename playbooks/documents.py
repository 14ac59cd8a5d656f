"""YAML files as plain JSON values: nothing else may come out of a file that people write by hand."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from governance.canonical import canonical_json
from governance.findings import Finding

LIMIT = 1_000_000  # bytes; a file of this kind is a few thousand


class _JsonLoader(yaml.SafeLoader):
    """Safe YAML whose dates stay strings, without anchors (they can blow up) and without keys given twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it untyped
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.composer.ComposerError(None, None, "anchors and aliases are not used here", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key.value, str):
                raise yaml.constructor.ConstructorError(None, None, "a key is one word", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is given twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_JsonLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_document(path: Path) -> tuple[Any, list[Finding]]:
    """The JSON value in a YAML file, and what is wrong with the file (then the value is None)."""
    try:
        text = path.read_bytes()[: LIMIT + 1]
        if len(text) > LIMIT:
            return None, [_finding(path, "file-unreadable", f"the file is larger than {LIMIT:,} bytes")]
        value = yaml.load(text.decode(), Loader=_JsonLoader)  # noqa: S506 - a SafeLoader, narrowed further
        canonical_json(value)
    except OSError as error:
        return None, [_finding(path, "file-unreadable", f"the file cannot be read: {error.strerror}")]
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        return None, [_finding(path, "file-not-yaml", f"this is not YAML that can be used{line}: {error.problem}")]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return None, [_finding(path, "file-not-yaml", f"this is not YAML text: {error}")]
    except (ValueError, RecursionError) as error:
        return None, [_finding(path, "file-not-json", f"a value here has no JSON form: {error}")]
    return value, []


def misfits(path: Path, error: ValidationError, under: str = "") -> Iterator[Finding]:
    """What pydantic says about a file's value, as findings with file and path in the place."""
    for problem in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in problem["loc"])
        yield Finding(
            code="file-does-not-fit",
            place=place(path, ".".join(part for part in (under, where) if part)),
            sentence=problem["msg"],
        )


def place(path: Path, where: str = "") -> str:
    """How findings name a spot in a file: ``onboarding@1.yaml: goals.2.when``."""
    return f"{path}: {where}" if where else str(path)


def _finding(path: Path, code: str, sentence: str) -> Finding:
    return Finding(code=code, place=str(path), sentence=sentence)
