"""A text from which words are taken: what one field has been read from cannot be read again for another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

TAKEN = "\x1f"  # stands for a taken character; belongs to no word, so it ends whatever is read next to it
_FILLER = r"(?:\s|[:=(<\"']|\bis\b|\bwill be\b|\bwould be\b|\bon\b|\bof\b|\bthe\b|\bat\b|\bto be\b|\bfrom\b)*"
_PLAIN = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u2013": "-", "\u2014": "-", "\u00a0": " ", "\u202f": " ", TAKEN: " "}
)


def plain(text: str) -> str:
    """The text with plain apostrophes, dashes and blanks, character for character, and no mark of ours."""
    return text.translate(_PLAIN)


@dataclass
class Passage:
    """A text and which of its characters are still free."""

    text: str

    def __post_init__(self) -> None:
        self.free = self.text

    def take(self, start: int, end: int) -> str:
        """Take a span; returns its words as they stand in the text."""
        self.free = self.free[:start] + TAKEN * (end - start) + self.free[end:]
        return self.text[start:end]

    def cue_before(self, start: int, cues: Iterable[str]) -> int | None:
        """Where a cue begins that leads up to ``start`` (only filler between), or None."""
        pattern = cue_pattern(cues)
        if pattern is None:
            return None
        found = None
        for match in re.finditer(rf"{pattern}{_FILLER}$", self.free[max(0, start - 60) : start], re.IGNORECASE):
            found = max(0, start - 60) + match.start()
        return found

    def cue_after(self, end: int, cues: Iterable[str]) -> int:
        """Where the words after ``end`` that say the cue are over: "… will be her manager"; 0 when they do not."""
        pattern = cue_pattern(cues)
        after = r"[\s,>)]*(?:is|will be|as)\s+(?:the|her|his|their|our)?\s*(?:new\s+)?"
        found = re.match(after + pattern, self.free[end : end + 60], re.IGNORECASE) if pattern else None
        return end + found.end() if found else 0


def cue_pattern(cues: Iterable[str]) -> str | None:
    """An alternative of whole words, the longest first; None without cues."""
    words = sorted((re.escape(cue) for cue in cues if cue), key=len, reverse=True)
    return rf"(?<![\w@.-])(?:{'|'.join(words)})(?![\w@-])" if words else None
