"""What is called impossible is impossible, whatever the attributes are."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from lacelang import ir
from lacelang.errors import ProgramError
from lacelang.semantics.check import check
from lacelang.semantics.contradictions import follows, never_together

SMILE, GLASSES = ir.BinaryAttribute("smile"), ir.BinaryAttribute("glasses")
HAIR = ir.ChoiceAttribute("hair", ("black", "brown", "red"))
AGE = ir.ContinuousAttribute("age", 0.0, 70.0)

# Bounds stand at tens. The ages between them are what a condition on them can tell apart, and the
# tens themselves, which only an `age = v` asks for.
BOUNDS = (10.0, 20.0, 30.0)
AGES = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0)
WORLDS = [
    {"smile": smile, "glasses": glasses, "hair": hair, "age": age}
    for smile, glasses, hair, age in itertools.product((0, 1), (0, 1), (0, 1, 2), AGES)
]


@st.composite
def _atoms(draw: st.DrawFn) -> ir.Predicate:
    kind = draw(st.integers(0, 5))
    bound = draw(st.sampled_from(BOUNDS))
    if kind == 0:
        classes = draw(st.sets(st.integers(0, 2), min_size=1))
        return ir.Discrete(HAIR, frozenset(classes))
    if kind == 1:
        attribute = draw(st.sampled_from([SMILE, GLASSES]))
        return ir.Discrete(attribute, frozenset({draw(st.integers(0, 1))}))
    if kind == 2:
        return ir.AtLeast(AGE, bound)
    if kind == 3:
        return ir.AtMost(AGE, bound)
    if kind == 4:
        return ir.Equals(AGE, bound)
    return ir.Between(AGE, 10.0, draw(st.sampled_from((20.0, 30.0))))


def _grow(inner: st.SearchStrategy[ir.Predicate]) -> st.SearchStrategy[ir.Predicate]:
    terms = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(terms.map(ir.And), terms.map(ir.Or), inner.map(ir.Not))


PREDICATES = st.recursive(_atoms(), _grow, max_leaves=8)


def _holds(predicate: ir.Predicate, world: Mapping[str, float]) -> bool:
    match predicate:
        case ir.Discrete(attribute=a, classes=classes):
            return world[a.name] in classes
        case ir.Equals(attribute=a, value=value):
            return world[a.name] == value
        case ir.AtLeast(attribute=a, bound=bound):
            return world[a.name] > bound
        case ir.AtMost(attribute=a, bound=bound):
            return world[a.name] < bound
        case ir.Between(attribute=a, low=low, high=high):
            return low < world[a.name] < high
        case ir.And(terms=terms):
            return all(_holds(term, world) for term in terms)
        case ir.Or(terms=terms):
            return any(_holds(term, world) for term in terms)
        case ir.Not(term=term):
            return not _holds(term, world)
    raise AssertionError(predicate)


def _somewhere(predicate: ir.Predicate) -> bool:
    """Whether it holds at some age that is not an end of its stretches, where nothing is sure."""
    return any(_holds(predicate, world) for world in WORLDS if world["age"] not in BOUNDS)


@settings(max_examples=300, deadline=None)
@given(PREDICATES)
def test_what_is_called_impossible_holds_nowhere(predicate: ir.Predicate) -> None:
    if never_together([predicate]):
        assert not _somewhere(predicate)


@settings(max_examples=300, deadline=None)
@given(PREDICATES, PREDICATES)
def test_what_is_said_to_follow_does(consequence: ir.Predicate, premise: ir.Predicate) -> None:
    if follows(consequence, premise):
        assert not _somewhere(ir.And((premise, ir.Not(consequence))))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(_atoms(), st.booleans()), min_size=1, max_size=5))
def test_comparisons_that_exclude_one_another_are_all_found(
    literals: list[tuple[ir.Predicate, bool]],
) -> None:
    terms = [ir.Not(atom) if denied else atom for atom, denied in literals]
    possible = any(all(_holds(term, world) for term in terms) for world in WORLDS)
    if not possible and not any(isinstance(atom, ir.Equals) for atom, _ in literals):
        assert never_together(terms)


def _said(condition: str) -> list[tuple[str, str]]:
    try:
        warnings = check(f"sample from ffhq where {condition}").warnings
    except ProgramError as error:
        warnings = error.diagnostics
    return [(d.code, d.message) for d in warnings]


def test_a_definition_for_all_cases_may_be_used_for_one() -> None:
    assert _said("yaw=left xor yaw=right") == []
    assert _said("smile=1 and (smile=1 implies glasses=1)") == []
    assert _said("not (smile=1 and smile=0)") == []


def test_what_weighs_nothing_contradicts_nothing() -> None:
    assert {code for code, _ in _said("smile=1 [weight 0] and smile=0")} == {"LACE503"}


def test_long_conditions_are_named_shortly() -> None:
    chain = " or ".join(f"age={i}" for i in range(20))
    ((_, message),) = _said(f"age > 60 and ({chain})")
    assert len(message) < 120
