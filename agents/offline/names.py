"""Names of people in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agents.offline.passages import Passage, cue_pattern

_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*\.?")
_SAID_AFTER = re.compile(r"(?:is|will|has|joins|leaves|resigned|retires|quits)\b", re.IGNORECASE)  # a name comes before
_PARTICLES = frozenset(
    {"van", "von", "der", "den", "de", "di", "da", "del", "della", "dos", "la", "le", "bin", "al", "ten", "ter"}
)
_BEFORE = r"(?:\s|[:=-]|,?\s*\b(?:a|an|the|our|of|for|new|colleague|employee|hire|starter|joiner|name|named|called|is|dr|mr|ms|mrs|prof)\b\.?)*"
_LEADS_ON = r"(?:is (?:joining|leaving|starting)|joins|joined|starts|will (?:join|start|leave)|leaves|is to start|has resigned|resigned|resigns)"
# Capitalised words that begin something else, and lower-case ones that are not a name though they follow "onboard".
_NO_NAME_WORDS = """
a an the as in on at for from with and or to of by is new our my this that it him her them me us you i we he she they
someone somebody anyone person people colleague employee hire starter joiner joiners please starting starts start
manager department team role title email mail job site based reporting reports who whose will would should can could
software engineer developer designer analyst accountant intern everyone everybody nobody another one two three
if so but because also then now soon asap
remote remotely hybrid office next today tomorrow what how when why where dear hi hello hey thanks
"""
_TITLES = """
account accountant administrator administrators analyst architect assistant associate consultant controller data
designer developer developers director engineer engineering engineers executive head human intern interns junior
lead manager managers marketing officer partner people product programmer project recruiter recruiters resources
sales scientist scientists senior software specialist staff student students support system systems team trainee
summer colleagues contractors
"""
_TITLE_WORDS = frozenset(_TITLES.split())
_HONORIFICS = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "professor"})
_NOT_NAMES = frozenset(_NO_NAME_WORDS.split()) | _TITLE_WORDS
_NOT_CAPITALISED_NAMES = _NOT_NAMES - {"will", "can", "one"}  # Will is a first name too
_MOST_WORDS = 5
_ABBREVIATED, _DOTTED = 3, frozenset({"prof.", "miss."})
_CLOSES = re.compile(
    r"\s*(?:[,;:.?!()/|\x1f\n]|-\s|$|(?:as|from|in|for|on|with|at|who|to|starting|starts|start|begins|joins|and)\b)"
)


@dataclass(frozen=True)
class NameReading:
    """A name in a text. ``sure`` is False for one in lower case, or when a second person is named beside."""

    start: int
    end: int
    quote: str
    first: str
    last: str
    sure: bool = True
    another: str = ""


def read_name(passage: Passage, phrases: Iterable[str]) -> NameReading | None:
    """The person that the sentence is about, found by the words around the name."""
    text, phrases = passage.free, tuple(phrases)
    before = _before_a_verb(text, frozenset(word.casefold() for phrase in phrases for word in phrase.split()))
    if before is not None:
        return before
    lead = cue_pattern([*(phrase for phrase in phrases if not _SAID_AFTER.match(phrase)), "name", "named", "called"])
    for match in re.finditer(rf"{lead}'?s?{_BEFORE}", text, re.IGNORECASE) if lead else ():
        found = name_at(text, match.end())
        if found is not None:
            return found
    return None


def name_at(text: str, start: int, *, lenient: bool = False) -> NameReading | None:
    """The name that begins at ``start``: capitalised words and particles; lower-case words only as a doubtful one."""
    words = _without_title(_capitalised(text, start))
    sure = bool(words)
    if not words:
        words = _plain_words(text, start, least=1 if lenient else 2)
    if not words:
        return None
    if not sure and not lenient:
        sure = len(words) == 2 and _is_closed(text, words[-1].end())
    begin, end = words[0].start(), words[-1].end()
    spoken = [re.sub(r"'s$", "", word[0]).rstrip(".") if word is words[-1] else word[0] for word in words]
    end -= len(words[-1][0]) - len(spoken[-1])
    first, last = _split([_cased(word) for word in spoken])
    another = _second(text, end)
    return NameReading(begin, end, text[begin:end], first, last, sure and not another, another)


def _is_closed(text: str, end: int) -> bool:
    """Whether a name in small letters is surely over: punctuation, a preposition or a job follows."""
    following = _WORD.match(text, end + 1)
    return bool(_CLOSES.match(text, end)) or (following is not None and following[0].casefold() in _TITLE_WORDS)


def _capitalised(text: str, start: int) -> list[re.Match[str]]:
    words: list[re.Match[str]] = []
    for word in _run(text, start):
        lowered = word[0].casefold()
        if lowered in _PARTICLES and words and not word[0][0].isupper():
            words.append(word)
        elif (
            word[0][0].isupper()
            and (lowered.rstrip(".") not in _NOT_CAPITALISED_NAMES or (lowered in _TITLE_WORDS and _only_titles(words)))
            and len(words) < _MOST_WORDS
        ):
            words.append(word)
            if re.search(r"'s$", word[0]):
                break
        else:
            break
    while words and words[-1][0].casefold() in _PARTICLES and not words[-1][0][0].isupper():
        words.pop()
    return words


def _only_titles(words: list[re.Match[str]]) -> bool:
    return all(word[0].casefold() in _TITLE_WORDS for word in words)


def is_no_name(word: str) -> bool:
    """Whether a word is no part of a name, even with a capital."""
    return word.casefold().rstrip(".") in _NOT_CAPITALISED_NAMES


def _without_title(words: list[re.Match[str]]) -> list[re.Match[str]]:
    """Without "Mrs" or "Account Executive" in front; nothing where only such words are."""
    while words and words[0][0].casefold().rstrip(".") in _HONORIFICS | _TITLE_WORDS:
        words = words[1:]
    return words


def _plain_words(text: str, start: int, *, least: int) -> list[re.Match[str]]:
    words: list[re.Match[str]] = []
    for word in _run(text, start):
        if word[0].casefold() in _NOT_NAMES or len(words) == 3:
            break
        words.append(word)
    return words if least <= len(words) <= 3 else []


def _run(text: str, start: int) -> Iterable[re.Match[str]]:
    """Words one after the other with nothing but a blank between them."""
    at = start
    while (word := _WORD.match(text, at)) is not None:
        yield word
        if word[0].endswith(".") and len(word[0]) > _ABBREVIATED and word[0].casefold() not in _DOTTED:
            return
        if text[word.end() : word.end() + 1] != " ":
            return
        at = word.end() + 1


def _before_a_verb(text: str, leading: frozenset[str]) -> NameReading | None:
    """The name in "Ada Lovelace joins us" and in "Ada Lovelace's last day"."""
    for match in re.finditer(rf"\s+{_LEADS_ON}\b|'s\s+(?:last|first|start)", text):
        words = list(_WORD.finditer(text, 0, match.start()))
        begin = None
        for word in reversed(words[-_MOST_WORDS:]):
            gap = text[word.end() : begin if begin is not None else match.start()]
            if gap.strip() or word[0].casefold() in _NOT_CAPITALISED_NAMES | leading:
                break
            if not (word[0][0].isupper() or word[0].casefold() in _PARTICLES):
                break
            begin = word.start()
        found = name_at(text[: match.start()], begin) if begin is not None else None
        if found is not None and found.sure:
            return found
    return None


def _second(text: str, end: int) -> str:
    """A second person named right after the first: "… and Grace Hopper"."""
    match = re.match(r"\s*(?:,|and|&|,\s*and)\s+", text[end:])
    if match is None or ("," in match[0] and "and" not in match[0]):
        return ""
    words = _capitalised(text, end + match.end())
    return text[words[0].start() : words[-1].end()] if len(words) >= 2 else ""


def _split(words: list[str]) -> tuple[str, str]:
    """First and last name: the last word, with the particles before it, is the last name."""
    cut = len(words) - 1
    while cut > 1 and words[cut - 1].casefold() in _PARTICLES and not words[cut - 1][0].isupper():
        cut -= 1
    return (" ".join(words[:cut]), " ".join(words[cut:])) if len(words) > 1 else (words[0], "")


def _cased(word: str) -> str:
    if (word.islower() and word not in _PARTICLES) or (word.isupper() and len(word) > 2):
        return "-".join(part[:1].upper() + part[1:].lower() for part in word.split("-"))
    return word
