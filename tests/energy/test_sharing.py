"""Equal nodes are one, so that a condition costs what its different terms cost."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from attrs import evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from lacelang import energy, ir
from lacelang.compiler import Settings, lower
from lacelang.energy import And, Node, NormalAbove, NormalAt, Not, Or, Scope, Surprisal
from lacelang.engine.truth import truth
from lacelang.semantics import defaults
from lacelang.semantics.check import check


def distinct(node: Node) -> set[Node]:
    found: set[Node] = set()
    left = [node]
    while left:
        node = left.pop()
        if node not in found:
            found.add(node)
            left.extend(node.children)
    return found


def made() -> Iterator[Node]:
    smile, old = Surprisal("smile", [1]), NormalAbove("age", 60.0, 5.0)
    yield from (smile, old, Not(smile), And((smile, old), (1.0, 2.0)), Or((smile, old), (1.0, 1.0)))
    yield from (energy.tempered(smile, 0.5), energy.Contrast(old, 0.1))
    yield energy.Balanced((smile, old), (1.0, 3.0), (1.0, 1.0))
    yield energy.Formula((smile, Not(smile), old, Not(old)), (((0, 0), (1, 1)), ((2, 2), (3, 1))))


def test_equal_nodes_are_one_object() -> None:
    once, again = list(made()), list(made())
    assert all(one is other for one, other in zip(once, again, strict=True))
    assert len(set(once)) == len(once)


@pytest.mark.parametrize("node", list(made()), ids=lambda node: type(node).__name__)
def test_copies_and_pickles_are_the_node_itself(node: Node) -> None:
    assert copy.copy(node) is node
    assert copy.deepcopy(node) is node
    assert pickle.loads(pickle.dumps(node)) is node


def test_what_nobody_has_is_dropped() -> None:
    nodes = [Not(NormalAt("age", 1e6 + i, 5.0)) for i in range(1000)]
    kept = [weakref.ref(each) for node in nodes for each in (node, node.term)]
    assert all(reference() is not None for reference in kept)
    del nodes
    gc.collect()
    assert all(reference() is None for reference in kept)


class Plain(Node):
    """A node of a user's, which says nothing of its fields."""

    def __init__(self, offset: float) -> None:
        self.offset = offset

    def evaluate(self, scope: Scope, holds: bool, complement: bool) -> torch.Tensor:
        return scope.constant(self.offset)


@frozen(eq=False)
class Listed(Plain):
    """One with a field that has no hash."""

    offset: list[float]


@frozen(eq=False)
class Keyword(Plain):
    """One with a field that is given by name only."""

    offset: float = field(kw_only=True)


class Renamed(NormalAt):
    """One that is made of other arguments than the class above it."""

    def __init__(self, age: float) -> None:
        super().__init__("age", age, 5.0)


@pytest.mark.parametrize(
    "node",
    [Plain(1.0), Listed([1.0]), Keyword(offset=1.0), Renamed(40.0)],
    ids=lambda node: type(node).__name__,
)
def test_nodes_of_users_need_not_be_shared(node: Plain) -> None:
    for again in (pickle.loads(pickle.dumps(node)), copy.copy(node), copy.deepcopy(node)):
        assert type(again) is type(node)
        attribute = "value" if isinstance(node, NormalAt) else "offset"
        assert getattr(again, attribute) == getattr(node, attribute)
    joined = And((node, node), (1.0, 1.0))
    assert joined is And((node, node), (1.0, 1.0))


def test_threads_make_one_node() -> None:
    def make(_: int) -> list[Node]:
        return [Not(NormalAt("age", 2e6 + i, 5.0)) for i in range(200)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(make, range(16)))
    assert all(one is other for row in found for one, other in zip(row, found[0], strict=True))


def test_numbers_of_other_types_do_not_reach_a_node() -> None:
    assert NormalAt("age", 40, 5) is NormalAt("age", 40.0, 5.0)


TERMS = [f"age > {5 * i + 3}" for i in range(13)] + [f"yaw > {i - 40}" for i in range(0, 80, 2)]
TERMS += [f"pitch > {i - 25}" for i in range(11)]


def where(text: str) -> ir.Predicate:
    (statement,) = check(f"sample from ffhq where {text} as x").statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.where is not None
    return statement.where


SIGMA = {"age": 5.0, "yaw": 3.0, "pitch": 3.0}
OUTPUTS = {name: torch.linspace(-1.0, 60.0, 7) for name in SIGMA}


def settings_of(negation: ir.Negation) -> Settings:
    return Settings(SIGMA, evolve(defaults.CONDITION_OPTIONS, negation=negation))


NEGATIONS: list[ir.Negation] = [("complement",), ("contrast", 0.1)]


@pytest.mark.parametrize("negation", NEGATIONS)
def test_a_xor_of_64_terms_costs_64_steps(negation: ir.Negation) -> None:
    settings = settings_of(negation)
    node = lower(where(" xor ".join(TERMS)), settings)
    assert len(TERMS) == 64
    assert len(distinct(node)) < 10 * 64
    evaluated = Scope(OUTPUTS)
    assert evaluated.energy(node).isfinite().all()
    assert len(evaluated._found) < 40 * 64


@given(
    st.lists(
        st.sampled_from(["age > 20", "yaw > 0", "pitch < 3", "not age > 40"]),
        min_size=2,
        max_size=5,
    )
)
def test_a_xor_is_what_it_abbreviates(terms: list[str]) -> None:
    condition = where(" xor ".join(terms))
    written_out = ir.expanded(condition)
    assert not any(isinstance(each, ir.Xor) for each in ir.walk(written_out))
    assert len(list(ir.comparisons(written_out))) == ir.expanded_size(condition)
    assert written_out.text == condition.text
    for negation in NEGATIONS:
        settings = settings_of(negation)
        assert lower(written_out, settings) is lower(condition, settings)
    columns = {name: values.numpy() for name, values in OUTPUTS.items()}
    assert (truth(condition, columns) == truth(written_out, columns)).all()
