"""What a person in chat wants, by rule. An approval is heard only in a plain order; anything doubtful is UNCLEAR."""

from __future__ import annotations

import re

from agents.offline.passages import plain
from agents.ports import Ask, Wish

_POLITE = r"(?:(?:please|ok|okay|yes|well|so|hi|hello|hey|steward|thanks|right|then|and|now|just)\b[\s,.!]*|(?:i(?:'d like to|'ll| will| want to| would like to| hereby)?|we|let'?s|you (?:can|may)|can you|could you|go ahead and|looks good|lgtm)\b[\s,.!]*)*"
_BECAUSE = re.compile(
    r"(?:[\s,;:.-]+(?:because|since|as|due to|for the reason that|reason\s*(?::|is)?)[\s:]+|\s*[:;]\s*|\s-\s|,\s*)",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:don'?t|do not|never|not|can'?t|cannot|won'?t|wouldn'?t|shouldn'?t|without)\b", re.IGNORECASE
)
_QUESTION = re.compile(r"\s*(?:who|what|which|why|when|where|how|should|shall|may|must|is|are|was|were|has|have|had|do|does|did)\b", re.IGNORECASE)  # fmt: skip
_ASKED = re.compile(
    r"\s*(?:who(?:'s|se|m)?|what(?:'s)?|which|when|where|in which|on which|since when|how (?:many|much|long)|is|are|does|do|did|has|have)\b.{3}",
    re.IGNORECASE,
)
_ABOUT_ORDERS = re.compile(
    r"\b(?:approv|reject|cancel|resum|declin|accept|grant|refus|sign off|undo|you\b)", re.IGNORECASE
)
_FILLER = re.compile(
    r"^(?:(?:the|this|that|it|review|run|step|request|for|of|on|my|with|please|now|number|no\.?|#)\b[\s:#]*)+",
    re.IGNORECASE,
)

_ORDERS: tuple[tuple[Ask, re.Pattern[str]], ...] = tuple(
    (ask, re.compile(rf"\s*{_POLITE}(?:{verbs})\b(?P<rest>.*)", re.IGNORECASE | re.DOTALL))
    for ask, verbs in (
        (Ask.APPROVE, r"approved?|approves|accept|grant|sign off(?: on)?|give (?:it )?(?:the )?go-?ahead(?: for| to)?"),
        (Ask.REJECT, r"rejects?|rejected|refuse|decline|deny|turn down|veto|disapprove"),
        (Ask.CANCEL, r"cancel|abort|stop|call off|withdraw|forget|never mind|nevermind|start over"),
        (Ask.RESUME, r"resume|continue|retry|try again|carry on|go on|unpark"),
    )
)
_HELP = re.compile(r"\s*(?:help\b.*|\?+|hi|hello|hey|what can (?:you|i|steward) do.*|how does this work.*|how do i .*)\s*[!?.]*\s*", re.IGNORECASE | re.DOTALL)  # fmt: skip
_WHY = re.compile(
    r"\b(?:why|how come|for what reason|what is the reason|explain)\b(?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
_WAITING = re.compile(
    r"\b(?:wait(?:s|ing)? (?:for|on) (?:me|my|us)|(?:my|open|pending) (?:reviews?|approvals?|decisions?)|needs? (?:me|my)\b"
    r"|(?:what|anything|something).{0,30}\b(?:approve|decide|review|do for me|inbox|to-?do)\b|^\s*(?:reviews?|inbox|approvals?)\s*[?.!]*$)",
    re.IGNORECASE,
)
_STATUS = re.compile(
    r"\b(?:status|progress|how (?:is|are|far)|what is (?:happening|going on|the state)|what'?s (?:happening|up with|going on)|where (?:is|are|do|does)"
    r"|(?:is|are) .{0,60}(?:done|ready|finished|through)|(?:has|have) .{0,60}(?:finished|started|ended|been)|my runs|list (?:the )?runs|show)\b(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_TARGET = re.compile(
    r"\b(?:rv-[0-9a-f]{4,12}|[0-9a-f]{8}(?:-[0-9a-f]{4}){0,3}(?:-[0-9a-f]{1,12})?)\b|[\w.+-]+@[\w.-]+\w", re.IGNORECASE
)
_START = re.compile(r"\b(?:on-?board(?:s|ing)?|off-?board(?:s|ing)?|hir(?:e|es|ing)|new (?:hire|starter|joiner|colleague|employee)|joins?|leaves|leaving|resigned|start|run|plan)\b", re.IGNORECASE)  # fmt: skip
_LONGEST = 4_000
_TALKS = 4  # words: from here on a sentence is taken for a request; triage says what it cannot do


class OfflineListener:
    """Hears wishes by rule, whatever their case and politeness."""

    def hear(self, text: str, *, drafting: bool) -> Wish:
        """The wish in a message. Total: any text has an answer, and only a plain order is an order."""
        said = re.sub(r"\s+", " ", plain(text[:_LONGEST])).strip()
        if _HELP.fullmatch(said):
            return Wish(Ask.HELP, text=text)
        wish = _order(said) or _enquiry(said)
        if wish is None and drafting and said:
            wish = Wish(Ask.ANSWER)
        if wish is None and said and (_START.search(said) or len(said.split()) >= _TALKS) and not _QUESTION.match(said):
            wish = Wish(Ask.START)
        if wish is None and _ASKED.match(said) and not _ABOUT_ORDERS.search(said):
            wish = Wish(Ask.QUESTION)
        wish = wish or Wish(Ask.UNCLEAR)
        return Wish(wish.ask, wish.target, wish.reason, text)


def _order(said: str) -> Wish | None:
    """Approve, reject, cancel or resume; UNCLEAR when an order is denied, asked about, or comes with its opposite."""
    for ask, pattern in _ORDERS:
        match = pattern.match(said)
        if match is None:
            continue
        target, reason = _parts(match["rest"])
        opposite = Ask.REJECT if ask is Ask.APPROVE else Ask.APPROVE
        verbs = {Ask.APPROVE: r"\bapproved?\b|\baccept\b", Ask.REJECT: r"\breject(?:ed)?\b|\bdecline\b|\brefuse\b"}
        both = ask in verbs and re.search(verbs[opposite], target, re.IGNORECASE)
        if said.endswith("?") or both or _DENIED.search(target):
            return Wish(Ask.UNCLEAR)
        return Wish(ask, target, reason)
    denied = re.search(rf"{_DENIED.pattern}.*\b(?:approve|reject|cancel|resume|accept|decline)\b", said, re.IGNORECASE)
    denied = None if _START.match(said) else denied
    return Wish(Ask.UNCLEAR) if denied else None


def _enquiry(said: str) -> Wish | None:
    """Why, what waits for me, status: nothing happens by asking."""
    for ask, pattern in ((Ask.WHY, _WHY), (Ask.WAITING, _WAITING), (Ask.STATUS, _STATUS)):
        match = pattern.search(said)
        if match is None or (ask is Ask.STATUS and _START.match(said)):
            continue
        named = _TARGET.search(said)
        rest = match.groupdict().get("rest") or ""
        target = named[0] if named else _cleaned(rest) if ask is not Ask.WAITING else ""
        return Wish(ask, target)
    return None


def _parts(rest: str) -> tuple[str, str]:
    """What an order is about, and its reason after "because" or a dash."""
    match = _BECAUSE.search(rest)
    before, reason = (rest[: match.start()], rest[match.end() :]) if match else (rest, "")
    lead = re.match(r"(?:because|since|as|reason\s*:?)\s+", before.strip(), re.IGNORECASE)
    if lead:
        return "", before.strip()[lead.end() :].strip(" .!")
    reason = re.sub(r"^(?:because|since|as|reason\s*:?)\s+", "", reason.strip(), flags=re.IGNORECASE)
    named = _TARGET.search(before)
    return (named[0] if named else _cleaned(before)), reason.strip(" .!") if reason.strip() != "please" else ""


def _cleaned(words: str) -> str:
    """The thing itself, without articles and politeness."""
    thing = _FILLER.sub("", words.strip(" ,.!?"))
    return re.sub(r"[\s,]+(?:please|now|thanks?(?: you)?|then|review|run|step)$", "", thing, flags=re.IGNORECASE).strip(
        " ,.!?"
    )
