"""The rows of the report: OWASP's ids for models (2025) and for agents (2026), what answers each, and what does not."""

from __future__ import annotations

from typing import NamedTuple

HERE = "tests/adversary"
DOUBT = "tests/unit/plans/test_doubt.py"


class Row(NamedTuple):
    """One risk."""

    id: str
    risk: str
    answer: str
    proof: str
    not_promised: str


ROWS = (
    Row("LLM01:2025", "Prompt injection", "Plans are data; labels on values; gates", HERE, "Texts that people read may mislead"),
    Row("LLM02:2025", "Sensitive information disclosure", "Secrets by reference, recipients are sensitive", DOUBT, "Content of a mail to a trusted recipient"),
    Row("LLM03:2025", "Supply chain", "Lock file; outside tools pinned by hash", "tests/house/test_locks.py", "A tool file in STEWARD_HOME"),
    Row("LLM04:2025", "Data and model poisoning", "A model's word is never a permission", HERE, "Quality of a poisoned model's advice"),
    Row("LLM05:2025", "Improper output handling", "Typed outputs, typed arguments", HERE, "Wrong values in low-risk fields"),
    Row("LLM06:2025", "Excessive agency", "The requester's permissions bind every call", HERE, "Undoable steps within them go unasked"),
    Row("LLM07:2025", "System prompt leakage", "Prompts hold no secrets and grant nothing", "not tested here", "That prompts stay private"),
    Row("LLM08:2025", "Vector and embedding weaknesses", "What is recalled is advice, never an argument", "not tested here", "Quality of recalled cases"),
    Row("LLM09:2025", "Misinformation", "Cards show exact actions; confidence is calibrated", "tests/calibration", "That an approver reads them"),
    Row("LLM10:2025", "Unbounded consumption", "Budgets of steps, calls, money and time", "not tested here", "Drain below the budgets"),
    Row("ASI01:2026", "Agent goal hijack", "Only calls of the checked plan; replans are put to people", HERE, "Goals of a requester who is deceived"),
    Row("ASI02:2026", "Tool misuse", "Checker, policy, sensitive arguments", HERE, "Arguments that a tool does not declare sensitive"),
    Row("ASI03:2026", "Identity and privilege abuse", "Permissions at check; four eyes at the door", HERE, "A malicious insider"),
    Row("ASI04:2026", "Agentic supply chain", "Tools pinned by digest in each plan", "not tested here", "A tool file in STEWARD_HOME"),
    Row("ASI05:2026", "Unexpected code execution", "A plan is data and never evaluated as code", HERE, "Tools that run code by themselves"),
    Row("ASI06:2026", "Memory and context poisoning", "A kept plan is checked anew; replans see typed summaries", "not tested here", "Advice from poisoned cases"),
    Row("ASI07:2026", "Insecure inter-agent communication", "A child run's request is labelled like an argument", DOUBT, "Systems that answer each other"),
    Row("ASI08:2026", "Cascading failures", "Breakers, undo, parking", "tests/chaos", "Systems without an undo"),
    Row("ASI09:2026", "Human-agent trust exploitation", "A grant is bound to the exact action shown", HERE, "Hasty approvals"),
    Row("ASI10:2026", "Rogue agents", "Worst case assumed: planner and reader are adversaries here", HERE, "More than the requester may do by hand"),
)  # fmt: skip
