"""Every way of breaking a good plan is caught, with the right code, at the right place."""

from __future__ import annotations

import pytest

from plans.checker import check
from tests.unit.plans.good_plans import GOOD
from tests.unit.plans.mutations import MUTATORS, Mutator


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("mutator", MUTATORS, ids=lambda mutator: str(mutator.__name__))
def test_every_mutation_is_caught(name: str, mutator: Mutator) -> None:
    """One of the expected codes, at the place, and no plan."""
    document, given = GOOD[name]
    for mutant in mutator(document, given):
        checked = check(mutant.document, mutant.premises)
        found = [(finding.code, finding.place) for finding in checked.errors]
        hit = [code for code, place in found if code in mutant.codes and place.startswith(mutant.place)]
        assert hit, f"{mutant.what} was not caught: {found}"
        assert checked.plan is None


@pytest.mark.parametrize("mutator", MUTATORS, ids=lambda mutator: str(mutator.__name__))
def test_every_mutator_bites(mutator: Mutator) -> None:
    """Each finds something to break in some plan, most of them much."""
    count = sum(1 for document, given in GOOD.values() for _ in mutator(document, given))
    assert count >= 3
