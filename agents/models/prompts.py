"""Prompts are data with a version: what a model was told is named, with its digest, in every decision it made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

_DIGITS = 12


@dataclass(frozen=True)
class Prompt:
    """The standing part of a question. ``name`` has its version: ``plan@1``."""

    name: str
    text: str

    @property
    def digest(self) -> str:
        """The first digits of the text's SHA-256."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:_DIGITS]

    @property
    def id(self) -> str:
        """What decisions name: ``plan@1+`` and the digest."""
        return f"{self.name}+{self.digest}"


def prompt(name: str) -> Prompt:
    """The prompt of that name and version, from ``prompts/<name>.md``."""
    text = resources.files("agents").joinpath("models", "prompts", f"{name}.md").read_text(encoding="utf-8")
    return Prompt(name, text)


def fenced(name: str, value: Any) -> str:
    """A value as data in a prompt: JSON between marks that nothing inside it can close."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=False, default=str)
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e")
    return f"<{name}>\n{safe}\n</{name}>"
