"""The words by which people speak of a tool: what it does and what it deals with, from its name, summary and fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from tools.contract import ToolSpec

_ACTS = (
    "create make add put new place set",
    "open start",
    "give assign issue hand book reserve provide",
    "remove take withdraw drop cancel revoke end close release return delete",
    "give_back release return",
    "lock deactivate disable block suspend",
    "unlock reactivate enable unblock",
    "enrol enroll register sign book",
    "employ hire",
    "grant allow set change",
    "send write",
    "find look read get list show check see tell search up",
)
_CUT = re.compile(r"[;:,(]|\b(?:that|with|for|to|in|into|out|of|under|at|on|from|by|has|opens|how)\b")
# What says how and to whom, not what: it needs no tool to explain it.
NEUTRAL = frozenset(
    [
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "those",
        "my",
        "our",
        "your",
        "his",
        "her",
        "hers",
        "their",
        "its",
        "it",
        "him",
        "them",
        "she",
        "he",
        "they",
        "we",
        "i",
        "you",
        "me",
        "us",
        "to",
        "for",
        "of",
        "in",
        "into",
        "at",
        "on",
        "from",
        "with",
        "by",
        "as",
        "and",
        "or",
        "out",
        "up",
        "down",
        "so",
        "please",
        "kindly",
        "can",
        "could",
        "would",
        "will",
        "shall",
        "should",
        "may",
        "want",
        "need",
        "like",
        "let",
        "have",
        "has",
        "had",
        "having",
        "is",
        "are",
        "be",
        "been",
        "was",
        "were",
        "do",
        "does",
        "did",
        "get",
        "gets",
        "got",
        "also",
        "just",
        "now",
        "then",
        "there",
        "here",
        "some",
        "any",
        "person",
        "people",
        "employee",
        "colleague",
        "user",
        "someone",
        "somebody",
        "everybody",
        "everyone",
        "who",
        "which",
        "what",
        "one",
        "thanks",
        "thank",
        "hi",
        "hello",
        "steward",
        "ok",
        "okay",
        "work",
        "company",
        "acme",
    ]
)
_SAME = {
    "seat": "desk", "workplace": "desk", "pass": "badge", "keycard": "badge", "boss": "manager", "supervisor": "manager",
    "enroll": "enrol", "enrolled": "enrol", "pay": "salary", "paid": "salary", "earn": "salary", "earns": "salary",
    "wage": "salary", "price": "cost", "costs": "cost", "location": "site", "office": "site", "offices": "site",
    "mail": "email", "e-mail": "email", "role": "title", "position": "title", "position_id": "position",
    "begin": "start", "begins": "start", "started": "start", "starts": "start", "joined": "start", "join": "start",
    "left": "left", "spend": "limit", "lead": "head", "leads": "head", "heads": "head", "runs": "head",
    "team": "department", "training": "course", "trainings": "course",
}  # fmt: skip


def stem(word: str) -> str:
    """A word as it is compared: lower case, singular, the usual one of several that mean the same."""
    low = word.lower().replace("\u2019", "'").removesuffix("'s").strip("'")
    if low in _SAME:
        return _SAME[low]
    if low.endswith("ies") and len(low) > 4:
        low = low[:-3] + "y"
    elif low.endswith("s") and not low.endswith("ss") and len(low) > 3:
        low = low[:-1]
    return _SAME.get(low, low)


def words_of(text: str) -> list[str]:
    """The words of a text, stemmed, in order, without those that mean nothing by themselves."""
    found = re.findall(r"[^\W_][\w&'\u2019-]*", text.replace("_", " "))
    return [stem(word) for word in found if word.lower() not in NEUTRAL and stem(word) not in NEUTRAL]


@dataclass(frozen=True)
class ToolWords:
    """One tool's words."""

    spec: ToolSpec

    @cached_property
    def acts(self) -> frozenset[str]:
        """Words for what it does: its own, and those that people use in their place."""
        own = {stem(self._act[0]), *words_of(self.spec.summary)[:1]}
        alike = (set(group.split()) for group in _ACTS)
        return frozenset(own.union(*(group for group in alike if group & own)))

    @cached_property
    def things(self) -> frozenset[str]:
        """Words for what it deals with: everything in its name, summary and inputs."""
        return frozenset(
            {
                *words_of(" ".join(self._act[1:])),
                *words_of(self.spec.provides.replace(".", " ")),
                *words_of(self.spec.summary.partition(";")[0]),
                *words_of(self.spec.system),
                *(word for name in self.spec.input.get("properties", {}) for word in words_of(name)),
            }
        )

    @cached_property
    def head(self) -> frozenset[str]:
        """Words that must be said for it to be meant: what stands first in its summary."""
        first = " ".join(self.spec.summary.split()[1:])
        cut = _CUT.split(first.lower(), maxsplit=1)[0]
        return frozenset(words_of(cut)) - self.acts

    @property
    def _act(self) -> list[str]:
        return self.spec.name.rpartition(".")[2].split("_")


def newest(tools: Mapping[str, ToolSpec]) -> tuple[ToolSpec, ...]:
    """The newest version of each tool, by name."""
    found: dict[str, ToolSpec] = {}
    for spec in sorted(tools.values(), key=lambda spec: int(spec.id.rpartition("@")[2] or 0)):
        found[spec.name] = spec
    return tuple(found[name] for name in sorted(found))
