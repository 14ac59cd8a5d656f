"""A choice among options that the plan declares, made when the run gets there: by rules, first match; else by a person.

A step with ``decide`` has an agent asked before the person. The facts are what the plan hands in, from the request and from
steps before. A rule compares facts with values that stand in the plan, nothing else, and an agent names one of the options,
nothing else, so no text that came from outside can choose what is not declared.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from tools.contract import ToolModel

LONGEST = 300
"""Letters of a reason."""

Fact = str | int | float | bool | None


class ChoiceRule(ToolModel):
    """``choose`` when every fact in ``where`` has this value, or one of these. An empty ``where`` always holds."""

    where: dict[str, Fact | tuple[Fact, ...]] = Field(default_factory=dict)
    choose: str
    because: str = Field(min_length=1, max_length=LONGEST)

    def holds(self, facts: dict[str, Any]) -> bool:
        """Whether the facts are as the rule wants them. A fact that is not there is as nobody wants it."""
        return all(name in facts and _is(facts[name], wanted) for name, wanted in self.where.items())


class Choosing(ToolModel):
    """What is to be chosen, among what, by which rules, on which facts; and who is asked when no rule holds.

    ``to`` is a person's address or a role.
    """

    question: str = Field(min_length=1, max_length=2_000)
    options: tuple[str, ...] = Field(min_length=2, max_length=20)
    facts: dict[str, Any] = Field(default_factory=dict)
    rules: tuple[ChoiceRule, ...] = Field(default=(), max_length=50)
    to: str

    @model_validator(mode="after")
    def _declared(self) -> Self:
        if len(set(self.options)) < len(self.options):
            raise ValueError("an option stands there twice")
        unknown = sorted({rule.choose for rule in self.rules} - set(self.options))
        if unknown:
            raise ValueError(f"a rule chooses {', '.join(unknown)}, which is no option")
        return self

    def first(self) -> ChoiceRule | None:
        """The first rule that holds."""
        return next((rule for rule in self.rules if rule.holds(self.facts)), None)

    def passed_over(self) -> tuple[ChoiceRule, ...]:
        """The rules that hold as well and come later: what would have been chosen without the first."""
        holding = [rule for rule in self.rules if rule.holds(self.facts)]
        chosen = {rule.choose for rule in holding[:1]}
        later = {rule.choose: rule for rule in reversed(holding) if rule.choose not in chosen}
        return tuple(reversed(later.values()))


class Chosen(ToolModel):
    """One of the options, why, and who chose: ``rule``, ``model:<name>`` or a person's address."""

    choice: str
    because: str = Field(max_length=LONGEST)
    by: str


def pretended(given: Choosing) -> Chosen:
    """What a dry run takes: the rules' choice, or the first option."""
    rule = given.first()
    if rule is None:
        return Chosen(choice=given.options[0], because="no rule holds; somebody would be asked", by="simulation")
    return Chosen(choice=rule.choose, because=rule.because, by="rule")


def _is(value: Any, wanted: Any) -> bool:
    among = wanted if isinstance(wanted, tuple) else (wanted,)
    return any(value == each and isinstance(value, bool) == isinstance(each, bool) for each in among)
