"""Which work a text asks for: a playbook's phrases where they are meant, not where they are denied or only talked about."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from agents.offline.passages import cue_pattern
from playbooks.model import Playbook

_DENIED = re.compile(
    r"(?:\b(?:no (?:more )?need to|do not|don't|does not|doesn't|is not|isn't|are not|aren't|never|not|no|nobody|without|welcome)\s+(?:\w+\s+)?"
    r"|\b(?:stop|cancel|abort|undo|revert|reverse|withdraw|postpone|delay|pause|resume|change|update|correct|move|call off)"
    r"\s+(?:(?:the|this|that|her|his|their|our|my|\w+'s?)\s+)?"
    r"|\b(?:need|want|wish for|look(?:ing)? for|search(?:ing)? for)\s+an?\s+)$",
    re.IGNORECASE,
)
# "Can you …?" asks for work; "Is … done?" asks about it.
_ABOUT = re.compile(
    r"^[\s,.!-]*(?:(?:hi|hello|hey|please|and|so|but|steward)\b[\s,!]*)*"
    r"(?:what|what's|whats|why|who|whom|whose|when|where|which|how|did|does|do|has|have|had|is|are|was|were|show|explain"
    r"|(?:can|could|would) (?:you|someone|somebody) (?:please )?(?:explain|tell|show|describe))\b",
    re.IGNORECASE,
)
_ONLY_ABOUT = re.compile(
    r"\s+(?:documentation|docs?|guides?|wiki|pages?|articles?|polic(?:y|ies)|freeze|checklists?|experience|best practices?"
    r"|materials?|budget|plans?|numbers?|statistics|survey|manual|handbook|for (?:lunch|dinner|today|home|vacation|holidays?)"
    r"|early|late|at \d)\b",
    re.IGNORECASE,
)
_NEAR, _LONG = 0.9, 5
_SENTENCE = re.compile(r"[.!?]+(?=\s|$)|\n\s*\n")


# What people also say for a phrase that a playbook has; a playbook's own content is pinned by the runs that wait.
_ALSO = {
    "hire": ("employ", "employs"),
    "new colleague": ("is our new", "on board as"),
    "offboard": ("exit of", "exit process", "parting ways with"),
    "resigned": ("resignation", "resigns", "handed in her notice", "handed in his notice", "quits"),
    "last day is": ("last day was",),
    "purchase": (
        "purchasing",
        "buying request",
        "raise a po",
        "requisition",
        "order form",
        "need to spend",
        "approval to spend",
        "approval for a",
        "i want to order",
        "can you order",
    ),
    "triage": (
        "support request",
        "support case",
        "support inbox",
        "customer request",
        "customer complaint",
        "classify and route",
    ),
    "dispute": ("wants a credit note", "does not accept the invoice", "don't accept the invoice"),
    "leaves us": ("retires", "contract ends", "employment ends"),
}


def asked_for(playbooks: Sequence[Playbook], text: str) -> list[Playbook]:
    """The playbooks whose phrases are meant in the text."""
    return [
        playbook for playbook in playbooks if any(_meant(text, match) for match in _said(playbook, playbooks, text))
    ]


def spoken_phrases(playbook: Playbook, playbooks: Sequence[Playbook], text: str) -> tuple[str, ...]:
    """The playbook's phrases, what else people say for them, and how the text misspells them."""
    also = (word for phrase in playbook.phrases for word in _ALSO.get(phrase, ()))
    return (*playbook.phrases, playbook.name, *also, *_misspelt(playbook, playbooks, text))


def _said(playbook: Playbook, playbooks: Sequence[Playbook], text: str) -> Iterator[re.Match[str]]:
    pattern = cue_pattern(spoken_phrases(playbook, playbooks, text))
    return re.finditer(pattern, text, re.IGNORECASE) if pattern else iter(())


def _meant(text: str, match: re.Match[str]) -> bool:
    if _DENIED.search(text[: match.start()]) or _ONLY_ABOUT.match(text, match.end()):
        return False
    ends = [end.end() for end in _SENTENCE.finditer(text)]
    begin = max((end for end in ends if end <= match.start()), default=0)
    end = min((end for end in ends if end >= match.end()), default=len(text))
    sentence = text[begin:end]
    return not (
        _ABOUT.match(sentence) and ("?" in sentence or re.match(r"\s*(?:show|explain)\b", sentence, re.IGNORECASE))
    )


def _misspelt(playbook: Playbook, playbooks: Sequence[Playbook], text: str) -> set[str]:
    """Words of the text that are nearly a long phrase of this playbook, and of no other one as nearly."""
    words = [match[0] for match in re.finditer(r"[^\W\d_]+", text)]
    pairs = [f"{one} {two}" for one, two in pairwise(words)]
    known = {phrase: one for one in playbooks for phrase in (*one.phrases, one.name) if len(phrase) > _LONG}
    found = set()
    for said in (*words, *pairs):
        bare = said.casefold().replace(" ", "")
        if len(bare) <= _LONG or (" " in said and bare not in known):
            continue
        near = difflib.get_close_matches(bare, [phrase for phrase in known if " " not in phrase], 1, _NEAR)
        if near and near[0] != said.casefold() and known[near[0]].name == playbook.name:
            found.add(said)
    return found
