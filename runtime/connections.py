"""Where systems are and with which secrets: the tool files' defaults, a company's ``systems.yaml``, secret references.

A secret is never written in a file that is read here, only a reference: ``env:NAME``, ``file:/path``, or
``practice:…`` for the sandbox's published practice secrets, which is taken for this machine's own addresses only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from governance.errors import InvalidSettings
from governance.findings import Finding
from playbooks.documents import read_document
from tools.contract import System
from tools.credentials import Connection
from tools.practice import PRACTICE_PORT, PRACTICE_SYSTEMS

_OWN_ADDRESSES = frozenset({"127.0.0.1", "localhost", "::1"})
_LONGEST_SECRET = 64 * 1024  # bytes; a private key with its certificates fits
_PRACTICE_PORTS = range(PRACTICE_PORT + 1, PRACTICE_PORT + 1 + PRACTICE_SYSTEMS)


class SystemEntry(BaseModel):
    """One system of ``systems.yaml``; what is left out stays as the tool file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = None
    user: str | None = None
    secret: str | None = None
    concurrency: int | None = Field(default=None, ge=1, le=1000)
    rate: float | None = Field(default=None, ge=0)
    burst: int | None = Field(default=None, ge=1)


def limited(systems: Iterable[System], home: Path | None) -> list[System]:
    """The systems with the limits of ``systems.yaml``. What is wrong with the file is for ``connections`` to say."""
    known = {system.name: system for system in systems}
    entries, _ = _read(home / "systems.yaml" if home else None, known)
    return [replace(system, **_limits(entries.get(name, SystemEntry()))) for name, system in known.items()]


def _limits(entry: SystemEntry) -> dict[str, Any]:
    return entry.model_dump(include={"concurrency", "rate", "burst"}, exclude_none=True)


def connections(systems: Iterable[System], home: Path | None, sandbox_port: int) -> dict[str, Connection]:
    """Address and credentials of every system, by name.

    Raises:
        InvalidSettings: with all problems at once: unknown systems in the file, references that lead nowhere.

    """
    known = {system.name: system for system in systems}
    entries, findings = _read(home / "systems.yaml" if home else None, known)
    found: dict[str, Connection] = {}
    for name, system in known.items():
        entry = entries.get(name, SystemEntry())
        url = entry.url or system.url
        if not _is_readable(url):
            sentence = "this is not an address: one looks like https://host.example:8443/path"
            findings.append(Finding(code="system-url", place=f"systems.{name}.url", sentence=sentence))
            continue
        url = entry.url or _moved(url, sandbox_port)
        secret, problem = _resolve(entry.secret or system.secret, url)
        if problem:
            findings.append(Finding(code="system-secret", place=f"systems.{name}.secret", sentence=problem))
        found[name] = Connection(url=url, user=entry.user or system.user, secret=secret)
    if findings:
        raise InvalidSettings(
            f"{len(findings)} problem{'s' if len(findings) > 1 else ''} with the connections to systems",
            hint="mend systems.yaml in STEWARD_HOME, or set the variables that it names",
            findings=findings,
        )
    return found


def _read(path: Path | None, known: Mapping[str, System]) -> tuple[dict[str, SystemEntry], list[Finding]]:
    if path is None or not path.exists():
        return {}, []
    document, findings = read_document(path)
    if findings or document is None:
        return {}, findings
    if not isinstance(document, dict):
        return {}, [
            Finding(code="file-form", place=str(path), sentence="maps names of systems to url, user and secret")
        ]
    entries: dict[str, SystemEntry] = {}
    for name, given in document.items():
        if name not in known:
            sentence = f"there is no system {name}; there are {', '.join(sorted(known))}"
            findings.append(Finding(code="system-unknown", place=f"{path}: {name}", sentence=sentence))
            continue
        try:
            entries[name] = SystemEntry.model_validate(given)
        except ValidationError as error:
            findings += [
                Finding(code="system-form", place=f"{path}: {name}.{'.'.join(map(str, e['loc']))}", sentence=e["msg"])
                for e in error.errors()
            ]
    return entries, findings


def _is_readable(url: str) -> bool:
    """Whether the parts of an address can be asked for; whether it suits a system is for the systems' clients to say."""
    try:
        port = urlsplit(url).port
    except ValueError:
        return False
    return port != 0


def _moved(url: str, sandbox_port: int) -> str:
    """Practice addresses follow the sandbox to another base port."""
    parts = urlsplit(url)
    if parts.hostname in _OWN_ADDRESSES and parts.port is not None and parts.port in _PRACTICE_PORTS:
        return f"{parts.scheme}://{parts.hostname}:{sandbox_port + parts.port - PRACTICE_PORT}"
    return url


def _resolve(reference: str, url: str) -> tuple[str, str]:
    """The secret, and what is wrong with its reference (one of the two is empty)."""
    scheme, _, name = reference.partition(":")
    if not reference:
        return "", ""
    if scheme == "practice":
        if urlsplit(url).hostname in _OWN_ADDRESSES:
            return name, ""
        return (
            "",
            f"practice secrets are for the sandbox on this machine, and {url} is elsewhere: use env:NAME or file:PATH",
        )
    if scheme == "env":
        value = os.environ.get(name, "")
        return value, "" if value else f"the variable {name} is not set"
    if scheme == "file":
        return _content(name)
    return "", "a secret is a reference: env:NAME or file:PATH, never the secret itself"


def _content(name: str) -> tuple[str, str]:
    """The secret in a file, and what is wrong with the file (one of the two is empty)."""
    try:
        with Path(name).open("rb") as file:
            raw = file.read(_LONGEST_SECRET + 1)
        secret = raw.decode().strip()
    except OSError as error:
        return "", f"{name} cannot be read: {error.strerror}"
    except ValueError:  # bytes that are no UTF-8, or a path with a NUL in it
        return "", f"{name!r} is not a file of text"
    if len(raw) > _LONGEST_SECRET:
        return "", f"{name} is larger than {_LONGEST_SECRET:,} bytes: that is no secret"
    return secret, "" if secret else f"{name} is empty"
