"""What people want in chat: orders only when they are plain orders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.offline.listener import OfflineListener
from agents.ports import Ask


def hear(text: str, *, drafting: bool = False) -> tuple[Ask, str, str]:
    """The wish, what it is about, and its reason."""
    wish = OfflineListener().hear(text, drafting=drafting)
    assert wish.text == text
    return wish.ask, wish.target, wish.reason


@pytest.mark.parametrize(
    ("text", "ask", "target", "reason"),
    [
        ("approve rv-0123456789ab", Ask.APPROVE, "rv-0123456789ab", ""),
        ("Approve rv-0123456789ab because the budget is there", Ask.APPROVE, "rv-0123456789ab", "the budget is there"),
        ("APPROVE THE BADGE BECAUSE IT IS FINE", Ask.APPROVE, "BADGE", "IT IS FINE"),
        ("please approve the payroll step", Ask.APPROVE, "payroll", ""),
        ("ok, approve it since I know her", Ask.APPROVE, "", "I know her"),
        ("Yes, I approve the badge.", Ask.APPROVE, "badge", ""),
        ("I'd like to approve badge - she is expected", Ask.APPROVE, "badge", "she is expected"),
        ("looks good, approve", Ask.APPROVE, "", ""),
        ("approved", Ask.APPROVE, "", ""),
        ("accept the review rv-abcd1234", Ask.APPROVE, "rv-abcd1234", ""),
        ("approve employee, reason: agreed with Mary", Ask.APPROVE, "employee", "agreed with Mary"),
        ("reject rv-0123456789ab because the salary is wrong", Ask.REJECT, "rv-0123456789ab", "the salary is wrong"),
        ("Reject the badge: she is remote", Ask.REJECT, "badge", "she is remote"),
        ("reject because not budgeted", Ask.REJECT, "", "not budgeted"),
        ("we decline the expenses, they are too high", Ask.REJECT, "expenses", "they are too high"),
        ("refuse badge", Ask.REJECT, "badge", ""),
        ("cancel", Ask.CANCEL, "", ""),
        ("Cancel run 0192a3b4 because she declined", Ask.CANCEL, "0192a3b4", "she declined"),
        ("stop the onboarding of Ada Lovelace", Ask.CANCEL, "onboarding of Ada Lovelace", ""),
        ("never mind", Ask.CANCEL, "", ""),
        ("resume 0192a3b4", Ask.RESUME, "0192a3b4", ""),
        ("try again please", Ask.RESUME, "", ""),
        ("continue the run 0192a3b4-1234 because payroll is back", Ask.RESUME, "0192a3b4-1234", "payroll is back"),
        ("status", Ask.STATUS, "", ""),
        ("What is the status of 0192a3b4?", Ask.STATUS, "0192a3b4", ""),
        ("how is Ada Lovelace doing", Ask.STATUS, "Ada Lovelace doing", ""),
        ("is the onboarding done?", Ask.STATUS, "", ""),
        ("what waits for me?", Ask.WAITING, "", ""),
        ("What's waiting for me", Ask.WAITING, "", ""),
        ("my open reviews", Ask.WAITING, "", ""),
        ("is there anything to approve?", Ask.WAITING, "", ""),
        ("reviews", Ask.WAITING, "", ""),
        ("why the badge?", Ask.WHY, "badge", ""),
        ("Why was rv-0123456789ab asked?", Ask.WHY, "rv-0123456789ab", ""),
        ("explain step employee", Ask.WHY, "employee", ""),
        ("Which desks are free in Berlin?", Ask.QUESTION, "", ""),
        ("who is Annie's manager?", Ask.QUESTION, "", ""),
        ("what does health-plus cost", Ask.QUESTION, "", ""),
        ("how many people are in Sales?", Ask.QUESTION, "", ""),
        ("does Grace have a badge?", Ask.QUESTION, "", ""),
        ("who should approve this?", Ask.UNCLEAR, "", ""),
        ("help", Ask.HELP, "", ""),
        ("?", Ask.HELP, "", ""),
        ("Hello!", Ask.HELP, "", ""),
        ("what can you do?", Ask.HELP, "", ""),
        ("Onboard Ada Lovelace as a software engineer", Ask.START, "", ""),
        ("please offboard ada.lovelace@acme.example", Ask.START, "", ""),
        ("order a laptop for Ada", Ask.START, "", ""),
        ("hmm", Ask.UNCLEAR, "", ""),
        ("", Ask.UNCLEAR, "", ""),
        ("asdf qwer", Ask.UNCLEAR, "", ""),
        ("don't approve the badge", Ask.UNCLEAR, "", ""),
        ("please do not approve it", Ask.UNCLEAR, "", ""),
        ("should I approve the badge?", Ask.UNCLEAR, "", ""),
        ("approve the badge?", Ask.UNCLEAR, "", ""),
        ("approve or reject the badge", Ask.UNCLEAR, "", ""),
        ("I would never approve that", Ask.UNCLEAR, "", ""),
        ("never approve this", Ask.UNCLEAR, "", ""),
    ],
)
def test_wishes(text: str, ask: Ask, target: str, reason: str) -> None:
    """Case, politeness and phrasing do not matter; denial, doubt and questions do."""
    assert hear(text) == (ask, target, reason)


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        ("Ada Lovelace", Ask.ANSWER),
        ("1 March", Ask.ANSWER),
        ("yes", Ask.ANSWER),
        ("no", Ask.ANSWER),
        ("hmm", Ask.ANSWER),
        ("start on Monday", Ask.ANSWER),
        ("cancel", Ask.CANCEL),
        ("status", Ask.STATUS),
        ("help", Ask.HELP),
        ("approve rv-0123456789ab", Ask.APPROVE),
        ("", Ask.UNCLEAR),
    ],
)
def test_while_drafting_what_is_no_order_is_an_answer(text: str, ask: Ask) -> None:
    """A request being completed takes every other text."""
    assert hear(text, drafting=True)[0] is ask


@given(st.text(), st.booleans())
def test_any_text_has_an_answer(text: str, drafting: bool) -> None:
    """Total."""
    assert hear(text, drafting=drafting)[0] in Ask


WORDS = [
    "approve",
    "reject",
    "not",
    "don't",
    "never",
    "the",
    "badge",
    "please",
    "because",
    "should",
    "I",
    "?",
    "or",
    "it",
    ",",
]


@given(st.lists(st.sampled_from(WORDS), max_size=7))
def test_nothing_denied_asked_or_two_sided_is_ever_an_approval(words: list[str]) -> None:
    """The one mistake that must not happen: what stands before a reason denies, asks or says both, and is no yes."""
    text = " ".join(words)
    head = words[: words.index("because")] if "because" in words else words
    if hear(text)[0] is Ask.APPROVE:
        assert not {"not", "don't", "never", "should"} & set(head[: head.index("approve") + 1])
        assert words[-1] != "?"
