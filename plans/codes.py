"""Every code that the checker can give, once: its title, what it means and what to do. The page of findings is this."""

from __future__ import annotations

from dataclasses import dataclass

from governance.findings import Finding, Severity


@dataclass(frozen=True)
class Code:
    """A kind of finding. Calling it makes a :class:`Finding`."""

    name: str
    title: str
    explanation: str
    severity: Severity = Severity.ERROR

    def __call__(self, place: str, sentence: str, fix: str = "") -> Finding:
        """The finding of this kind at ``place``."""
        return Finding(code=self.name, place=place, sentence=sentence, fix=fix, severity=self.severity)


NOT_JSON = Code(
    "not-json",
    "The document is not JSON that can be kept",
    "A plan is kept as canonical JSON: no NaN or infinity, no whole number beyond 2^53, no text that is not Unicode, "
    "and nothing nested deeper than 64 levels. Nothing else is looked at before this is mended.",
)
MALFORMED = Code(
    "plan-malformed",
    "The document does not have the shape of a plan",
    "A field is missing, is unknown, or has the wrong kind of value. The shape is in `plan.schema.json`. Steps that "
    "are well formed are still checked.",
)
SCHEMA_VERSION = Code(
    "unknown-schema-version",
    "The plan is written in a version of the language that is not known",
    "`schema` says which version of the plan language the document uses. Leave it out, or give the one in "
    "`plan.schema.json`.",
)
TOO_MANY_STEPS = Code(
    "too-many-steps",
    "The plan is over its budget of steps",
    "A run may have so many steps and no more. Nothing but the shape is looked at before the plan is shorter.",
)
DUPLICATE_STEP = Code(
    "duplicate-step",
    "Two steps have the same id",
    "References, reviews and the journal know a step by its id. Give the second one another.",
)
RESERVED_STEP_ID = Code(
    "reserved-step-id",
    "The step's id is a word of the language",
    "`request`, `item` and `run` mean something else in references. Choose another id.",
)
NOT_RUN_YET = Code(
    "construct-not-run",
    "The language has this, but the dispatcher does not run it yet",
    "References to `run` are part of the language and are refused until the dispatcher runs them. Refer to the request or "
    "to a step.",
)
UNKNOWN_TOOL = Code(
    "unknown-tool",
    "There is no such tool",
    "The catalog of this run has no tool of that name. The fix names the nearest one.",
)
UNKNOWN_VERSION = Code(
    "unknown-version",
    "The tool exists, but not in this version",
    "Plans name a tool with its version, `identity.create_account@1`, because a run pins what it uses.",
)
UNKNOWN_ARGUMENT = Code(
    "unknown-argument",
    "The tool does not take this argument",
    "Inputs are closed: what they do not name is refused. The fix names the nearest argument.",
)
MISSING_ARGUMENT = Code(
    "missing-argument",
    "A required argument is not given",
    "The fix names a reference that would fit, where there is one.",
)
BAD_LITERAL = Code(
    "bad-literal",
    "A literal value does not fit its argument",
    "The value is compared with the input's JSON Schema: type, format, enum, pattern, lengths and limits.",
)
BAD_EXPRESSION = Code(
    "bad-expression",
    "A value is neither a literal nor a well-formed expression",
    "An object with a key that begins with `$` is an expression and has exactly that key: `$ref` with a path, `$text` "
    "with a template, or `$first` with a list of values.",
)
UNKNOWN_REFERENCE = Code(
    "unknown-reference",
    "A reference names something that is not there",
    "The first word of a path is `request` or the id of a step; the others name fields of the request's schema or of "
    "the output of that step's tool.",
)
UNSURE_REFERENCE = Code(
    "unsure-reference",
    "A reference names a step that may be skipped",
    "A step with `when` has an output only if it ran. Give the referring step the same or a stronger `when`, or write "
    "`$first` with a fallback that is surely there, or pass the value to an optional argument.",
)
MAY_BE_MISSING = Code(
    "may-be-missing",
    "A value that may be missing or null goes where one is needed",
    "An optional or nullable field does not fit a required argument that takes no null. Write `$first` with a "
    "fallback, or guard the step with `when: {$exists: …}`.",
)
TYPE_MISMATCH = Code(
    "type-mismatch",
    "The value's type does not fit the argument's",
    "Every value that the referenced field can have must be one that the argument takes: type, format, enum, pattern, "
    "lengths, limits, items and properties. A field of the request is judged by the value that this run has.",
)
SEMANTIC_MISMATCH = Code(
    "semantic-mismatch",
    "The value is of another kind than the argument wants",
    "Both are text, but one is, say, an `EmployeeId` and the other an `AccountId`. A text made by `$text` has no such "
    "kind; it passes as `Email` and as `PersonName` only.",
)
BAD_TEXT = Code(
    "bad-text",
    "A text template stands where no text goes, or is made from what is no scalar",
    "`$text` fills an argument that takes a string, from strings, numbers and booleans that are surely there.",
)
BAD_CONDITION = Code(
    "bad-condition",
    "A condition is not well formed",
    "`when` uses a closed grammar: comparisons of literals and references, `$exists`, `$all`, `$any`, `$not`.",
)
INCOMPARABLE = Code(
    "incomparable",
    "A condition compares what cannot be compared, or can only have one answer",
    "Both sides must have a type in common, order needs two numbers or two texts, membership needs a list, and a "
    "literal that is compared with an enum must be one of its values.",
)
CYCLE = Code(
    "cycle",
    "Steps wait for each other in a circle",
    "A step waits for every step that its arguments, its `when` and its `after` name. The sentence names the circle.",
)
UNKNOWN_AFTER = Code(
    "unknown-after",
    "`after` names a step that is not in the plan",
    "`after` lists ids of steps of the same plan.",
)
NO_UNDO = Code(
    "no-undo",
    "The tool has an effect, but neither an undo nor a reason why there is none",
    "The tool's contract is incomplete, and no plan may use it: declare `undo` or `irreversible` in the tool's file.",
)
BAD_UNDO = Code(
    "bad-undo",
    "The tool's undo would not work",
    "The tool that takes the effect back is not in the catalog, or its arguments do not fit. They refer to `input.…` "
    "and `output.…` of the effect.",
)
IRREVERSIBLE_EARLY = Code(
    "irreversible-too-early",
    "An effect that can be undone runs after one that cannot",
    "Once something irreversible has happened there is no way back, so all that could still fail and be undone comes "
    "before it.",
)
IRREVERSIBLE_UNORDERED = Code(
    "irreversible-unordered",
    "An irreversible effect does not wait for the effects that can be undone",
    "It could run first by chance. The fix is the `after` that the irreversible step needs.",
)
GATE_AFTER_PIVOT = Code(
    "gate-after-pivot",
    "Somebody may say no after the point of no return",
    "Among effects that cannot be undone, those that a person decides on come before those that go by themselves: a no "
    "after the first of them would leave half of the work done, with no way back and no way on.",
)
IRREVERSIBLE_UNGATED = Code(
    "irreversible-ungated",
    "An irreversible effect passes by a rule that does not speak of it",
    "An irreversible effect needs a gate, or a rule that lets it pass by name: one whose condition looks at `tool`, "
    "`system` or `reversible`. A rule that lets everything pass is no consent to what cannot be taken back.",
)
GOAL_UNREACHED = Code(
    "goal-unreached",
    "No step reaches a goal of the playbook",
    "`goal_steps` names, for each goal, the step that reaches it. A goal whose condition is false for this request "
    "needs none.",
)
GOAL_WRONG_TOOL = Code(
    "goal-wrong-tool",
    "The step that is to reach a goal provides something else",
    "A goal says what must exist; only a tool that provides exactly this reaches it.",
)
GOAL_ARGS = Code(
    "goal-args-differ",
    "The step that is to reach a goal has other arguments than the goal binds",
    "A goal may bind arguments of the step that reaches it. They must be written as the goal has them, or have the "
    "same value for this request.",
)
GOAL_NARROWED = Code(
    "goal-narrowed",
    "The step that is to reach a goal may be skipped when the goal holds",
    "The step's `when` must hold whenever the goal's does: leave it out or write the goal's.",
)
GOAL_ORDER = Code(
    "goal-order",
    "A goal is reached before the goals that it comes after",
    "A goal's `after` names goals that must be reached first. The fix is the `after` that the step needs.",
)
UNKNOWN_GOAL = Code(
    "unknown-goal",
    "`goal_steps` names a goal that the playbook does not have",
    "The keys of `goal_steps` are the ids of the playbook's goals.",
)
UNDO_NOT_PERMITTED = Code(
    "undo-not-permitted",
    "The requester may do this, but not take it back",
    "A run takes back with the permissions of the person who asked for it. What they may not undo they may not do: the "
    "fix names people who hold the permission.",
)
NOT_PERMITTED = Code(
    "not-permitted",
    "The requester may not use this tool",
    "A run acts with the permissions of the person who asked for it. The fix names people who hold the permission.",
)
FORBIDDEN = Code(
    "forbidden",
    "The policy forbids this step",
    "The sentence names the rule and its reason. Nobody can approve a forbidden step; plan without it.",
)
NO_APPROVER = Code(
    "no-approver",
    "The step is gated and nobody could open the gate",
    "The rule's approvers must come to at least one person other than the requester, unless the rule lets requesters "
    "decide. Where no rule matches, a step is gated and has no approvers: the policy needs a rule for it.",
)
APPROVER_UNKNOWN = Code(
    "approver-unknown",
    "One of a gate's approvers is nobody",
    "A role without members, a person who is not in the directory, or a manager where there is none. Others can still "
    "answer, so this is a warning.",
    Severity.WARNING,
)
TAINTED = Code(
    "tainted-sensitive",
    "Untrusted data reaches a sensitive argument without a gate",
    "Text from a mail or a web form, or what was computed from it, must not decide a sensitive argument unless a "
    "person has looked; neither must a value that the planner made up. Take it from the request or a goal, or gate the step "
    "by a rule on `tainted_sensitive`.",
)
BEGUN_CHANGED = Code(
    "begun-changed",
    "A step that has already begun is not what it was",
    "A step's id is bound to one tool, version and arguments from the moment it begins. A revision that needs "
    "something else gives it a new id.",
)

ITEM_KEY = Code(
    "item-key",
    "The key of `for_each` does not tell the items apart, or stands where it must not",
    "Each item's step is known by its key: in ids, reviews and the journal. The key refers to `item`, differs from item "
    "to item, is legible and at most 60 characters long, and is no e-mail address or name of a person, because ids stay "
    "when a person's data is erased.",
)
NOTHING_TO_DECIDE = Code(
    "nothing-to-decide",
    "`decide` stands where an agent has nothing to choose, or nothing to choose by",
    "`decide` belongs to a step of `choice.make`, among whose options an agent then chooses where none of its rules holds. "
    "The agent looks at the step's `facts` and at nothing else, so there is at least one, and the question is written out in "
    "the plan.",
)
TOO_MANY_ITEMS = Code(
    "too-many-items",
    "The list of `for_each` is longer than its `max`",
    "`max` is 100 where the step does not say otherwise, and at most 1000.",
)
MAY_BE_EMPTY = Code(
    "goal-for-none",
    "A goal is to be reached by a step for each item of a list that may be empty",
    "For an empty list a step with `for_each` does nothing and is done, so it reaches a goal only if the list surely "
    "has an item: a list that is written out, a field of the request that has one, or an output with `minItems`.",
)
OVER_BUDGET = Code(
    "over-budget",
    "The plan spends more than the run's budget",
    "The amounts that are known before the run, of steps that surely run, come to more than the playbook's "
    "`budget.money`. What is known only later is counted when the run comes to it.",
)
FAILED_KEPT = Code(
    "failed-step-kept",
    "A revision has a step that failed in this run",
    "A revision after a failure leaves the failed step out. What takes its place has a new id.",
)
BEGUN_DROPPED = Code(
    "begun-dropped",
    "A revision lacks a step that was done, or that may have been",
    "What was done stands in every later revision, so that it is seen, referred to and undone.",
)

CODES: tuple[Code, ...] = tuple(value for value in tuple(globals().values()) if isinstance(value, Code))


def page() -> str:
    """The page ``docs/reference/findings.md``: a section for each code."""
    head = (
        "# Findings\n\n"
        "What the checker can say about a plan. A finding has a code, a place such as `steps.badge.args.site`, a "
        "sentence, and a proposed fix where there is one. An error forbids the plan; a warning is shown and lets it "
        "pass. This page is made from `plans/codes.py`.\n"
    )
    sections = [f"\n## {c.name}\n\n**{c.title}** ({c.severity.value}).\n\n{c.explanation}\n" for c in CODES]
    return head + "".join(sections)
