"""Broken plans: for each finding code at least two, with the place where it must be found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from governance.effects import EffectClass, UndoCall
from governance.people import Person
from governance.policy import Policy, PolicyRule, RulingKind
from governance.reviews import action_digest
from plans.begun import begun_digest
from plans.checked import Premises
from plans.language import Step
from tests.unit.plans.company import (
    CATALOG,
    IN_OFFICE,
    KATHERINE,
    MAIL_GO,
    REQUEST,
    REVERSIBLE_GO,
    EmailIn,
    Nothing,
    eq,
    goal,
    plan,
    premises,
    ref,
    step,
    tool,
)
from tools.contract import ToolSpec

EMAIL = ref("request.email")
FIND = step("find", "identity.find_account", {"email": EMAIL})
MAYBE_DESK = step("desk", "facilities.find_free_desk", {"site": "Berlin"}, when=IN_OFFICE)
OPEN_ACCOUNT = {"email": EMAIL, "display_name": "Ada"}
OPEN_IT = step("it", "identity.create_account", OPEN_ACCOUNT)
EMPLOY = {
    "email": EMAIL,
    "legal_name": "Ada",
    "department": "R&D",
    "start_date": "2027-02-01",
    "annual_salary": ref("request.salary"),
}


@dataclass(frozen=True)
class Broken:
    """A document that must have a finding of this code at this place."""

    code: str
    place: str
    document: Any
    premises: Premises


BROKEN: list[Broken] = []


def add(code: str, place: str, document: Any, given: Premises | None = None) -> None:
    """One more broken plan."""
    BROKEN.append(Broken(code, place, document, given or premises()))


def one(args: dict[str, Any], tool_name: str = "identity.create_account", **more: Any) -> dict[str, Any]:
    """A plan of the two look-ups and one step, ``it``."""
    return plan(FIND, MAYBE_DESK, step("it", tool_name, args, **more))


def nested(levels: int) -> Any:
    """Lists in lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def mail(**more: Any) -> dict[str, Any]:
    """A mail's arguments."""
    return {"to": EMAIL, "subject": "Hello", "body": "Welcome.", **more}


def _documents() -> None:
    add("not-json", "", plan(step("a", "identity.find_account", {"email": float("nan")})))
    add("not-json", "", nested(5000))
    add("not-json", "", {"steps": {1, 2}})
    add("not-json", "", plan(step("a", "identity.find_account", {"email": "\ud800"})))
    add("not-json", "", plan(step("a", "identity.find_account", {"email": 2**60})))
    add("plan-malformed", "", [])
    add("plan-malformed", "steps", {"playbook": "x@1"})
    add("plan-malformed", "playbook", {"steps": []})
    add("plan-malformed", "steps.0", {"playbook": "x@1", "steps": ["a"]})
    add("plan-malformed", "steps.find.confidence", plan({**FIND, "confidence": 7}))
    add("plan-malformed", "steps.find.reasn", plan({**FIND, "reasn": "x"}))
    add("plan-malformed", "goal_steps.a", {"playbook": "x@1", "goal_steps": {"a": 1}, "steps": []})
    add("unknown-schema-version", "schema", {**plan(FIND), "schema": 2})
    add("unknown-schema-version", "schema", {**plan(FIND), "schema": "one"})
    add("too-many-steps", "steps", plan(*[step(f"s{n}", "identity.find_account") for n in range(201)]))
    add("too-many-steps", "steps", plan(FIND, MAYBE_DESK), premises(max_steps=1))
    add("duplicate-step", "steps.find.id", plan(FIND, FIND))
    add("duplicate-step", "steps.find.id", plan(FIND, MAYBE_DESK, step("find", "mail.read")))
    add("reserved-step-id", "steps.request.id", plan({**FIND, "id": "request"}))
    add("reserved-step-id", "steps.run.id", plan({**FIND, "id": "run"}))
    add("plan-malformed", "steps.find.for_each.key", plan({**FIND, "for_each": {"items": [1]}}))
    add("construct-not-run", "steps.it.args.email", one({"email": ref("run.email"), "display_name": "x"}))
    add("construct-not-run", "steps.it.args.display_name", one({"email": EMAIL, "display_name": ref("run.name")}))
    add("nothing-to-decide", "steps.find.decide", plan({**FIND, "decide": {}}))
    add("nothing-to-decide", "steps.it.decide", plan({**OPEN_IT, "decide": {"confidence_at_least": 0.9}}))


def _tools() -> None:
    add("unknown-tool", "steps.find.tool", plan({**FIND, "tool": "identity.find_acount@1"}))
    add("unknown-tool", "steps.find.tool", plan({**FIND, "tool": ""}))
    add("unknown-version", "steps.find.tool", plan({**FIND, "tool": "identity.find_account@2"}))
    add("unknown-version", "steps.find.tool", plan({**FIND, "tool": "identity.find_account"}))
    poor = Person(id="alan.turing@acme.example", name="Alan Turing", permissions=frozenset({"payroll:*"}))
    add("not-permitted", "steps.find.tool", plan(FIND), premises(requester=poor))
    none = Person(id="alan.turing@acme.example", name="Alan Turing")
    add("not-permitted", "steps.it.tool", one(EMPLOY, "payroll.create_employee"), premises(requester=none))
    begun = {"it": action_digest("mail.send@1", mail())}
    add("begun-changed", "steps.it", one(mail(subject="Bye"), "mail.send"), premises(begun=begun))
    add("begun-changed", "steps.it", one({"email": EMAIL}, "identity.find_account"), premises(begun=begun))


def _arguments() -> None:
    add("unknown-argument", "steps.it.args.mail", one({**OPEN_ACCOUNT, "mail": "x"}))
    add(
        "unknown-argument",
        "steps.it.args.address.city",
        one({"address": {"street": ref("request.site"), "number": 1, "city": "x"}}, "post.send_parcel"),
    )
    add("missing-argument", "steps.it.args.email", one({"display_name": "Ada"}))
    add(
        "missing-argument",
        "steps.it.args.address.number",
        one({"address": {"street": ref("request.site")}}, "post.send_parcel"),
    )
    add("bad-literal", "steps.it.args.email", one({"email": 5, "display_name": "Ada"}))
    add("bad-literal", "steps.it.args.group", one({"user_id": "u", "group": "enginering"}, "identity.add_to_group"))
    add("bad-literal", "steps.it.args.start_date", one({**EMPLOY, "start_date": "soon"}, "payroll.create_employee"))
    add("bad-literal", "steps.it.args.annual_salary", one({**EMPLOY, "annual_salary": -1}, "payroll.create_employee"))
    add("bad-literal", "steps.it.args.subject", one(mail(subject=""), "mail.send"))
    add("bad-expression", "steps.it.args.email", one({**OPEN_ACCOUNT, "email": {"$ref": 5}}))
    add("bad-expression", "steps.it.args.email", one({**OPEN_ACCOUNT, "email": {"$rf": "request.email"}}))
    add("bad-expression", "steps.it.args.email", one({**OPEN_ACCOUNT, "email": {"$first": []}}))
    add("bad-expression", "steps.it.args.email", one({**OPEN_ACCOUNT, "email": {**EMAIL, "x": 1}}))
    add("bad-expression", "steps.it.args.display_name", one({**OPEN_ACCOUNT, "display_name": {"$text": "{a b}"}}))


def _references() -> None:
    add("unknown-reference", "steps.it.args.email", one({**OPEN_ACCOUNT, "email": ref("request.mail")}))
    add("unknown-reference", "steps.it.args.email", one({**OPEN_ACCOUNT, "email": ref("fnd.email")}))
    add("unknown-reference", "steps.it.args.email", one({**OPEN_ACCOUNT, "email": ref("find.email")}))
    add("unknown-reference", "steps.it.when", one(OPEN_ACCOUNT, when=eq("find.activ", True)))
    add("unsure-reference", "steps.it.args.site", one({"site": ref("desk.site")}, "facilities.find_free_desk"))
    add(
        "unsure-reference",
        "steps.it.args.site",
        one({"site": ref("desk.site")}, "facilities.find_free_desk", when=eq("request.site", "Berlin")),
    )
    add("unsure-reference", "steps.it.when", one(OPEN_ACCOUNT, when=eq("desk.floor", 1)))
    add("unsure-reference", "steps.it.args.body", one(mail(body={"$first": [ref("desk.site")]}), "mail.send"))
    add("may-be-missing", "steps.it.args.body", one(mail(body=ref("find.alias")), "mail.send"))
    add("may-be-missing", "steps.it.args.body", one(mail(body=ref("request.nickname")), "mail.send"))
    add("may-be-missing", "steps.it.args.body", one(mail(body={"$text": "{find.alias}"}), "mail.send"))
    add("may-be-missing", "steps.it.when", one(OPEN_ACCOUNT, when={"$lt": [ref("find.alias"), "m"]}))
    add("type-mismatch", "steps.it.args.body", one(mail(body=ref("find.active")), "mail.send"))
    add("type-mismatch", "steps.it.args.subject", one(mail(subject={"$text": "{find.user_id}"}), "mail.send"))
    add("type-mismatch", "steps.it.args.start_date", one({**EMPLOY, "start_date": EMAIL}, "payroll.create_employee"))
    add("type-mismatch", "steps.it.args.address", one({"address": ref("find")}, "post.send_parcel"))
    add("type-mismatch", "steps.it.args.address", one({"address": [ref("find.user_id")]}, "post.send_parcel"))
    add("semantic-mismatch", "steps.it.args.email", one({**OPEN_ACCOUNT, "email": ref("find.user_id")}))
    add("semantic-mismatch", "steps.it.args.email", one({**OPEN_ACCOUNT, "email": ref("request.site")}))
    add(
        "semantic-mismatch",
        "steps.it.args.user_id",
        one({"user_id": {"$text": "{find.user_id}"}, "group": "staff"}, "identity.add_to_group"),
    )
    add("bad-text", "steps.it.args.body", one(mail(body={"$text": "{find}"}), "mail.send"))
    add(
        "bad-text",
        "steps.it.args.annual_salary",
        one({**EMPLOY, "annual_salary": {"$text": "1"}}, "payroll.create_employee"),
    )
    add(
        "bad-text",
        "steps.it.args.body",
        one(mail(body={"$text": "{request.phones}"}), "mail.send"),
        premises(request={**REQUEST, "phones": ["1"]}),
    )


def _each(items: Any, key: Any, args: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A plan whose step ``it`` adds somebody to a group for each item."""
    wanted = {"user_id": ref("find.user_id"), "group": ref("item")} if args is None else args
    return one(wanted, "identity.add_to_group", for_each={"items": items, "key": key, **more})


def _repetition() -> None:
    item, groups = ref("item"), ["engineering", "staff"]
    phones = premises(request={**REQUEST, "phones": ["1", "1"]})
    add("item-key", "steps.it.for_each.key", _each(groups, "same"))
    add("item-key", "steps.it.for_each.key", _each([*groups, "staff"], item))
    add("item-key", "steps.it.for_each.key", _each(["a[b]"], item))
    add("item-key", "steps.it.for_each.key", _each(["x" * 61], item))
    add("item-key", "steps.it.for_each.key", _each(ref("request.phones"), item), phones)
    team = {"type": "array", "items": {"type": "string", "x-semantic": "Email"}}
    schema = {**premises().request_schema, "properties": {**premises().request_schema["properties"], "team": team}}
    named = premises(request={**REQUEST, "team": [KATHERINE.id]}, request_schema=schema)
    add("item-key", "steps.it.for_each.key", _each(ref("request.team"), item), named)
    add("too-many-items", "steps.it.for_each.items", _each(groups, item, max=1))
    many = premises(request={**REQUEST, "phones": [str(number) for number in range(101)]})
    add("too-many-items", "steps.it.for_each.items", _each(ref("request.phones"), item), many)
    add("bad-expression", "steps.it.for_each.items", _each([ref("find.user_id")], item))
    add("type-mismatch", "steps.it.for_each.items", _each(ref("find.user_id"), item))
    add("may-be-missing", "steps.it.for_each.items", _each(ref("request.phones"), item))
    add("bad-literal", "steps.it.args.group", _each(["enginering"], item))
    add("type-mismatch", "steps.it.args.group", _each(ref("request.phones"), item), phones)
    add("unknown-reference", "steps.it.args.group", one({"user_id": "u", "group": item}, "identity.add_to_group"))
    add("unknown-reference", "steps.it.args.group", _each(groups, item, {"user_id": "u", "group": ref("item.name")}))
    after = plan(*_each(groups, item)["steps"], step("late", "mail.send", mail(body=ref("it.membership_id"))))
    add("unknown-reference", "steps.late.args.body", after)
    goals = [goal("group", "identity.membership")]
    few = {**premises().request_schema["properties"]["phones"], "items": schema["properties"]["department"]}
    list_of = tool("lab.list", EmailIn, Nothing).model_copy(
        update={"output": {"type": "object", "properties": {"all": few}, "required": ["all"]}}
    )
    listed = plan(
        FIND,
        step("list", "lab.list", {"email": EMAIL}),
        step("it", "identity.add_to_group", {"user_id": "u", "group": "staff"}),
        group="it",
    )
    listed["steps"][-1]["for_each"] = {"items": ref("list.all"), "key": item}
    add("goal-for-none", "goal_steps.group", listed, _with(list_of, goals=goals))
    add("goal-for-none", "goal_steps.group", {**_each([], item), "goal_steps": {"group": "it"}}, premises(goals))
    tainted = premises(request={**REQUEST, "phones": ["engineering"]}, untrusted=frozenset({"phones"}))
    body = {**one(mail(to=item), "mail.send", for_each={"items": ref("request.phones"), "key": item})}
    add("tainted-sensitive", "steps.it.args.to", body, tainted)


def _timing() -> None:
    add("bad-literal", "steps.it.not_before", one(OPEN_ACCOUNT, not_before="soon"))
    add("bad-literal", "steps.it.not_before", one(OPEN_ACCOUNT, not_before="2027-01-01T09:00:00"))
    add("type-mismatch", "steps.it.not_before", one(OPEN_ACCOUNT, not_before=EMAIL))
    add("unsure-reference", "steps.it.not_before", one(OPEN_ACCOUNT, not_before=ref("desk.site")))
    add("cycle", "steps.it", one(OPEN_ACCOUNT, not_before=ref("it.user_id")))


def _revisions() -> None:
    pay = {"employee_id": "e", "monthly_limit": 300}
    twice = plan(step("a", "expenses.open_account", pay), step("b", "expenses.open_account", pay))
    add("over-budget", "steps", twice, premises(max_money=Decimal(500)))
    each = one(
        {**pay, "monthly_limit": ref("item")}, "expenses.open_account", for_each={"items": [1, 2], "key": ref("item")}
    )
    add("over-budget", "steps", each, premises(max_money=Decimal("2.5")))
    it = one(OPEN_ACCOUNT)
    add("failed-step-kept", "steps.it", it, premises(dropped=frozenset({"it"})))
    begun = {"find": "", "it": ""}
    add("failed-step-kept", "steps.find", it, premises(dropped=frozenset({"find", "other"}), begun=begun))
    add("begun-dropped", "steps", it, premises(kept=frozenset({"find", "gone"})))
    add("begun-dropped", "steps", plan(FIND), premises(kept=frozenset({"desk"}), begun=begun))
    old = _each(["staff"], ref("item"))
    digest = begun_digest(Step.model_validate(old["steps"][-1]))
    add("begun-changed", "steps.it", _each(["engineering"], ref("item")), premises(begun={"it": digest}))


def _conditions() -> None:
    add("bad-condition", "steps.it.when", one(OPEN_ACCOUNT, when={"$is": [1, 2]}))
    add("bad-condition", "steps.it.when", one(OPEN_ACCOUNT, when={"$eq": [1]}))
    add("bad-condition", "steps.it.when", one(OPEN_ACCOUNT, when={"$eq": [{"$text": "x"}, 1]}))
    add("incomparable", "steps.it.when", one(OPEN_ACCOUNT, when=eq("request.work_mode", "remot")))
    add("incomparable", "steps.it.when", one(OPEN_ACCOUNT, when={"$lt": [ref("request.email"), 3]}))
    add("incomparable", "steps.it.when", one(OPEN_ACCOUNT, when={"$in": [ref("request.email"), "text"]}))
    add("incomparable", "steps.it.when", one(OPEN_ACCOUNT, when={"$eq": [ref("find.user_id"), ref("request.site")]}))


def _order() -> None:
    add("cycle", "steps.a", plan(step("a", "mail.read", after=["b"]), step("b", "mail.read", after=["a"])))
    add("cycle", "steps.a", plan(step("a", "identity.find_account", {"email": ref("a.email")})))
    add(
        "cycle",
        "steps.x",
        plan(
            FIND,
            step("x", "mail.read", after=["z"]),
            step("y", "mail.read", after=["x"]),
            step("z", "mail.read", after=["y"]),
        ),
    )
    add("unknown-after", "steps.it.after", one(OPEN_ACCOUNT, after=["fnd"]))
    add("unknown-after", "steps.it.after", one(mail(), "mail.send", after=["find", "nobody"]))
    sent = step("sent", "mail.send", mail())
    add(
        "irreversible-too-early",
        "steps.it",
        plan(sent, step("it", "identity.create_account", OPEN_ACCOUNT, after=["sent"])),
    )
    add(
        "irreversible-too-early",
        "steps.last",
        plan(
            sent,
            step("read", "mail.read", after=["sent"]),
            step("last", "identity.create_account", OPEN_ACCOUNT, after=["read"]),
        ),
    )
    add("irreversible-unordered", "steps.sent.after", plan(sent, step("it", "identity.create_account", OPEN_ACCOUNT)))
    add(
        "irreversible-unordered",
        "steps.sent.after",
        plan({**sent, "after": ["find"]}, FIND, step("it", "identity.create_account", OPEN_ACCOUNT, after=["find"])),
    )


def _with(spec: ToolSpec, **more: Any) -> Premises:
    return premises(tools={**CATALOG, spec.id: spec}, **more)


def _undo() -> None:
    natural = EffectClass.NATURAL_KEY
    do = plan(step("it", "lab.make", {"email": EMAIL}))
    add("no-undo", "steps.it.tool", do, _with(tool("lab.make", EmailIn, Nothing, natural)))
    add("no-undo", "steps.it.tool", do, _with(tool("lab.make", EmailIn, Nothing, EffectClass.UNSAFE, provides="x.y")))
    for args in ({}, {"user_id": {"$ref": "output.user_id"}}, {"user_id": {"$ref": "input.email"}}, {"id": "x"}):
        undo = UndoCall(tool="identity.close_account@1", args=args)
        add("bad-undo", "steps.it.tool", do, _with(tool("lab.make", EmailIn, Nothing, natural, undo=undo)))
    undo = UndoCall(tool="lab.unmake@1")
    made = tool("lab.make", EmailIn, Nothing, natural, undo=undo)
    unmake = tool("lab.unmake", Nothing, Nothing, natural, irreversible="an end", permission="lab:unmake")
    plain = Person(id=KATHERINE.id, name=KATHERINE.name, permissions=frozenset({"lab:use"}))
    for requester in (plain, Person(id="new@acme.example", name="New", permissions=frozenset({"lab:use", "lab:x"}))):
        given = premises(tools={**CATALOG, made.id: made, unmake.id: unmake}, requester=requester)
        add("undo-not-permitted", "steps.it.tool", do, given)
    gone = UndoCall(tool="lab.unmake@1")
    add("bad-undo", "steps.it.tool", do, _with(tool("lab.make", EmailIn, Nothing, natural, undo=gone)))


def _goals() -> None:
    account = goal("account", "identity.account")
    it = step("it", "identity.create_account", OPEN_ACCOUNT)
    add("goal-unreached", "goal_steps.account", plan(it), premises([account]))
    add("goal-unreached", "goal_steps.account", plan(it, account="ti"), premises([account]))
    add("goal-unreached", "goal_steps.desk", plan(), premises([goal("desk", "facilities.desk", when=IN_OFFICE)]))
    add("goal-wrong-tool", "goal_steps.account", plan(FIND, account="find"), premises([account]))
    add("goal-wrong-tool", "goal_steps.badge", plan(it, badge="it"), premises([goal("badge", "security.badge")]))
    bound = goal("account", "identity.account", args={"display_name": "Grace", "title": "Dr"})
    add("goal-args-differ", "steps.it.args.display_name", plan(it, account="it"), premises([bound]))
    add("goal-args-differ", "steps.it.args.title", plan(it, account="it"), premises([bound]))
    narrow = {**it, "when": IN_OFFICE}
    add("goal-narrowed", "steps.it.when", plan(narrow, account="it"), premises([account]))
    remote = goal("account", "identity.account", when=eq("request.work_mode", "hybrid"))
    narrower = {**it, "when": {"$all": [eq("request.work_mode", "hybrid"), eq("request.site", "Berlin")]}}
    add("goal-narrowed", "steps.it.when", plan(narrower, account="it"), premises([remote]))
    told = goal("told", "mail.message", after=("account",))
    sent = step("sent", "mail.send", mail())
    add("goal-order", "steps.sent.after", plan(it, sent, account="it", told="sent"), premises([account, told]))
    late = goal("account", "identity.account", after=("told",))
    add(
        "goal-order",
        "steps.it.after",
        plan(it, {**sent, "after": ["it"]}, account="it", told="sent"),
        premises([late, goal("told", "mail.message")]),
    )
    add("unknown-goal", "goal_steps.acount", plan(it, acount="it"), premises([account]))
    add("unknown-goal", "goal_steps.more", plan(it, account="it", more="it"), premises([account]))


def _rule(name: str, then: RulingKind, **more: Any) -> PolicyRule:
    return PolicyRule(name=name, then=then, because="it says so", **more)


def _gates() -> None:
    it = plan(step("it", "identity.create_account", OPEN_ACCOUNT))
    go, gate, forbid = RulingKind.GO, RulingKind.GATE, RulingKind.FORBID
    badge = plan(
        step("it", "security.issue_badge", {"employee_id": "e", "site": "Berlin", "level": ref("request.level")}),
    )
    sent = plan(step("sent", "mail.send", mail()))

    def under(*rules: PolicyRule, **more: Any) -> Premises:
        return premises(policy=Policy(rules), **more)

    add("forbidden", "steps.it", it, under(_rule("no", forbid)))
    add("forbidden", "steps.sent", sent, under(_rule("no", forbid, when=eq("system", "mail")), MAIL_GO))
    add("no-approver", "steps.it", it, under())
    add("no-approver", "steps.it", it, under(_rule("ask", gate)))
    add("no-approver", "steps.it", it, under(_rule("ask", gate, approvers=("hr",))))
    add("no-approver", "steps.it", it, under(_rule("ask", gate, approvers=(f"person:{KATHERINE.id}",))))
    add("approver-unknown", "steps.it", it, under(_rule("ask", gate, approvers=("nobody", "finance"))))
    add("approver-unknown", "steps.it", it, under(_rule("ask", gate, approvers=("person:x@acme.example", "manager"))))
    fire = step("end", "payroll.end_employment", {"employee_id": "e"})
    ask = _rule("ask", gate, when=eq("system", "payroll"), approvers=("finance",))
    first, then = step("sent", "mail.send", mail()), ["sent"]
    add("gate-after-pivot", "steps.end", plan(first, {**fire, "after": then}), under(ask, MAIL_GO))
    add("gate-after-pivot", "steps.sent.after", plan(first, fire), under(ask, MAIL_GO))
    add("irreversible-ungated", "steps.sent", sent, under(_rule("all", go)))
    add("irreversible-ungated", "steps.sent", sent, under(_rule("sure", go, when={"$gt": [ref("confidence"), 0.5]})))
    add("tainted-sensitive", "steps.sent.args.to", sent, premises(untrusted=frozenset({"email"})))
    read = step("read", "mail.read")
    reply = step("sent", "mail.send", {**mail(), "to": ref("read.sender")})
    add("tainted-sensitive", "steps.sent.args.to", plan(read, reply))
    asked = step("find", "orgchart.find_person", {"email": ref("read.sender")})
    through = step("it", "training.enrol", {"email": EMAIL, "course": "x"})
    add(
        "tainted-sensitive",
        "steps.sent.args.to",
        plan(read, asked, through, {**reply, "args": {**mail(), "to": {"$text": "{find.employee_id}@acme.example"}}}),
    )
    known = {**REQUEST, "level": "staff"}
    add(
        "tainted-sensitive",
        "steps.it.args.level",
        badge,
        under(REVERSIBLE_GO, request=known, untrusted=frozenset({"level"})),
    )


def _all() -> list[Broken]:
    parts: tuple[Callable[[], None], ...] = (
        _documents,
        _tools,
        _arguments,
        _references,
        _repetition,
        _timing,
        _revisions,
        _conditions,
        _order,
        _undo,
        _goals,
        _gates,
    )
    for part in parts:
        part()
    return BROKEN


CASES = tuple(_all())
