"""`disjunction exact`: energies of formulas against truth tables that are summed by brute force."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping

import pytest
import torch
from attrs import evolve
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from test_laws import SIGMA, exactly, node, outputs
from torch import Tensor

from lacelang import ir
from lacelang.compiler import Settings, lower
from lacelang.energy import (
    And,
    ConditionalEnergy,
    Formula,
    Node,
    NormalAbove,
    NormalInside,
    Not,
    Outputs,
    Scope,
    Surprisal,
)
from lacelang.energy.reduced import Reduced, reduce
from lacelang.errors import UsageError
from lacelang.semantics import defaults
from lacelang.semantics.check import check
from lacelang.testing.programs import predicates

EXACT = evolve(defaults.CONDITION_OPTIONS, disjunction="exact")
NEVER = Not(And((), ()))
law = settings(deadline=None, max_examples=30)
formulas = predicates(odds=False, max_leaves=5)
short_formulas = predicates(odds=False, max_leaves=2)
seeds = st.integers(0, 2**32 - 1)
temps = st.sampled_from([None, None, 0.5])


def where_of(condition: str) -> ir.Predicate:
    (statement,) = check(f"sample from ffhq where {condition}").statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.where is not None
    return ir.simplified(statement.where, sums=False)


# The oracle: every combination of single classes, of intervals between all bounds, and of events.

World = Mapping[object, object]


def probability(where: ir.Predicate, heads: Outputs, options: ir.ConditionOptions) -> Tensor:
    """P(where) (N,), weight and temperature of the whole included, from the truth table."""
    power = where.weight / (where.temp or 1.0)
    bare = evolve(where, weight=1.0, temp=None)
    if isinstance(where, ir.Comparison):
        settings = Settings(SIGMA, evolve(options, disjunction="equal"))
        return torch.exp(-where.weight * lower(evolve(where, weight=1.0), settings)(heads))
    choices: dict[object, list[tuple[object, Tensor]]] = {}
    for leaf in leaves(bare, options):
        if is_event(leaf, options):
            p = probability(leaf, heads, options)
            choices[event(leaf, options)] = [(True, p), (False, 1 - p)]
        elif isinstance(leaf, ir.Discrete):
            every = heads[leaf.attribute.name].softmax(dim=1)
            choices[leaf.attribute.name] = list(enumerate(every.unbind(dim=1)))
        else:
            choices[leaf.attribute.name] = []
    for name in [name for name, cells in choices.items() if not cells]:
        every = [each for each in leaves(bare, options) if isinstance(each, ir.NumberComparison)]
        ends = {e for each in every if each.attribute.name == name for e in each.interval()}
        bounds = sorted(ends | {-math.inf, math.inf})
        up_to = [
            torch.special.ndtr((bound - heads[str(name)]) / SIGMA[str(name)]) for bound in bounds
        ]
        pairs = zip(itertools.pairwise(bounds), itertools.pairwise(up_to), strict=True)
        choices[name] = [(cell, above - below) for cell, (below, above) in pairs]
    assume(math.prod(map(len, choices.values())) < 3000)
    result = torch.zeros(()).double()
    for picked in itertools.product(*choices.values()):
        world = dict(zip(choices, (value for value, _ in picked), strict=True))
        if holds(bare, world, options):
            result = result + math.prod((p for _, p in picked), start=torch.ones(()).double())
    return result**power


def event(leaf: ir.Predicate, options: ir.ConditionOptions) -> ir.Predicate:
    """The event that it is, whether its temperature is its own or the statement's."""
    temp = options.temp if leaf.temp is None and isinstance(leaf, ir.ClassComparison) else leaf.temp
    return evolve(leaf, temp=1.0 if temp is None else temp)


def is_event(leaf: ir.Predicate, options: ir.ConditionOptions) -> bool:
    penalty = isinstance(leaf, ir.Degree | ir.Equals)
    return leaf.weight != 1 or event(leaf, options).temp != 1 or penalty


def leaves(where: ir.Predicate, options: ir.ConditionOptions) -> list[ir.Predicate]:
    if is_event(where, options) or isinstance(where, ir.Comparison):
        return [where]
    return [leaf for child in where.children for leaf in leaves(child, options)]


def holds(where: ir.Predicate, world: World, options: ir.ConditionOptions) -> bool:
    if is_event(where, options):
        return bool(world[event(where, options)])
    if isinstance(where, ir.Discrete):
        return world[where.attribute.name] in where.classes
    if isinstance(where, ir.NumberComparison):
        low, high = world[where.attribute.name]  # type: ignore[misc]
        least, most = where.interval()
        return bool(least <= low and high <= most)
    found = [holds(child, world, options) for child in where.children]
    if isinstance(where, ir.Xor):
        return sum(found) % 2 == 1
    if isinstance(where, ir.Not):
        return not found[0]
    return all(found) if isinstance(where, ir.And) else any(found)


@law
@given(formulas, temps, seeds)
@example("(age > 20 and age < 30) or age = 50", None, 0)
@example("haircolor = black or haircolor in {gray, black} and not haircolor = red", None, 0)
@example("glasses=1 xor smile=1 xor (age in 20..30 or yaw > 5)", None, 0)
@example("(glasses=1 or smile=1) [temp 2] or glasses=1", 0.5, 0)
@example("(age > 20 and age < 30) [weight 2] and glasses=1", None, 1)
@example(
    "((glasses=1 or age > 9) and (age > 9 or smile=1)) [weight 2] and beard=1 or yaw > 3", None, 1
)
@example("not ((glasses=1 or age > 30) [weight 2] and (glasses=1 or age > 30) [weight 2])", None, 1)
def test_the_energy_is_that_of_the_truth_table(
    condition: str, temp: float | None, seed: int
) -> None:
    where, options = where_of(condition), evolve(EXACT, temp=temp)
    heads = outputs("drawn", seed, 4.0)
    found = torch.exp(-lower(where, Settings(SIGMA, options))(heads))
    expected = probability(where, heads, options).expand(len(found))
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-6)


@settings(deadline=None, max_examples=25)
@given(short_formulas, short_formulas, seeds)
def test_abbreviations_are_what_they_abbreviate(p: str, q: str, seed: int) -> None:
    heads = outputs("drawn", seed)
    for short, long in (
        (f"({p}) xor ({q})", f"(({p}) or ({q})) and not (({p}) and ({q}))"),
        (f"({p}) xor ({q})", f"(({p}) and not ({q})) or (not ({p}) and ({q}))"),
        (f"({p}) implies ({q})", f"not ({p}) or ({q})"),
        (f"not (({p}) implies ({q}))", f"({p}) and not ({q})"),
    ):
        one, other = exactly(short)(heads), exactly(long)(heads)
        assert torch.allclose(one, other, rtol=1e-6, atol=1e-6), (short, long)


@pytest.mark.parametrize(
    "condition",
    [
        "glasses=1",
        "not glasses=1",
        "not age in 20..30",
        "glasses=1 and smile=0 and age > 30 and yaw=front",
        "glasses=1 [weight 2] and not smile=1 [temp 0.5] and age=30 and beard ~ 0.3",
        "(glasses=1 and age > 30) [temp 2] and haircolor in {black, red}",
    ],
)
def test_without_an_or_on_different_attributes_it_is_the_usual_energy(condition: str) -> None:
    for dtype in (torch.float32, torch.float64):
        heads = outputs("drawn", 5, dtype=dtype)
        assert torch.equal(exactly(condition)(heads), node(condition)(heads))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("haircolor=black or haircolor=gray", Surprisal("haircolor", {0, 3})),
        ("haircolor in {black, gray} and not haircolor=gray", Surprisal("haircolor", {0})),
        ("age > 20 and age < 30", NormalInside("age", 20.0, 30.0, SIGMA["age"])),
        ("age in 20..30 or age > 25", NormalAbove("age", 20.0, SIGMA["age"])),
        ("glasses=1 or glasses=1 and smile=1", Surprisal("glasses", {1})),
        ("(glasses=1 or smile=1) and (glasses=1 or not smile=1)", Surprisal("glasses", {1})),
        ("glasses=1 or glasses=0", And((), ())),
        ("age > 30 and glasses=1 and glasses=0", NEVER),
    ],
)
def test_what_comes_to_one_comparison_is_that(condition: str, expected: object) -> None:
    assert exactly(condition) is expected


@law
@given(formulas, st.integers(0, 20))
def test_energies_of_independent_terms_add(condition: str, seed: int) -> None:
    assume(exactly(condition) is not NEVER)
    heads = outputs("drawn", seed)
    both = exactly(f"({condition}) and pitch > 3 and (width > 0.3 or bald > 0.5)")(heads)
    parts = ("pitch > 3", "width > 0.3 or bald > 0.5", condition)
    sum_of_parts = sum(exactly(part)(heads) for part in parts)
    assert torch.allclose(both, torch.as_tensor(sum_of_parts), rtol=1e-9, atol=1e-9)


def coordinates(energy: Node, heads: Outputs) -> tuple[Reduced, Tensor]:
    """The energy as a function of what it reads, and what that is for these heads."""
    z = torch.zeros(len(heads["age"]), 1, dtype=torch.float64)
    reduced = reduce(lambda z: heads, energy, z)
    columns = [
        heads[str(k)][:, 1:] - heads[str(k)][:, :1] if width else heads[str(k)][:, None]
        for k, width in reduced.widths.items()
    ]
    return reduced, torch.cat(columns, dim=1)


@settings(deadline=None, max_examples=30)
@given(short_formulas, seeds)
def test_curvature_is_finite_far_out(condition: str, seed: int) -> None:
    reduced, o = coordinates(exactly(condition), outputs("drawn", seed, 1e4))
    for each in reduced.expand(o):
        assert each.isfinite().all()


@pytest.mark.parametrize(
    "condition",
    [
        "glasses=1 or smile=1",
        "(haircolor=red or age > 30) and (haircolor in {red, gray} or age < 50)",
        "glasses=1 xor age in 20..40 xor yaw > 3",
        "((glasses=1 or age > 30) [weight 2] and smile=1) or haircolor=red [temp 0.5]",
    ],
)
def test_the_curvature_is_the_slope_s_derivative(condition: str) -> None:
    reduced, o = coordinates(exactly(condition), outputs("drawn", 3, 3.0))
    _, curvature = reduced.expand(o)
    way = torch.randn(o.shape[1], generator=torch.Generator().manual_seed(1)).double()
    ahead, behind = (reduced.slope(o + sign * 1e-5 * way)[1] for sign in (1, -1))
    bent = (curvature * way).sum(dim=2)
    assert torch.allclose(bent, (ahead - behind) / 2e-5, rtol=1e-4, atol=1e-6)


def test_digits_are_kept_where_the_formula_is_all_but_impossible_or_certain() -> None:
    """The sum over paths has no difference of two probabilities in it."""
    heads = {
        "glasses": torch.tensor([[0.0, -200.0], [0.0, 40.0]], requires_grad=True),
        "smile": torch.tensor([[0.0, -300.0], [0.0, 45.0]]),
    }
    either = exactly("glasses=1 or smile=1")
    energy = either(heads)
    assert energy[0].item() == pytest.approx(200.0)
    (slope,) = torch.autograd.grad(energy.sum(), heads["glasses"])
    assert slope[0].tolist() == pytest.approx([1.0, -1.0])
    neither = exactly("not (glasses=1 or smile=1)")({k: v.detach() for k, v in heads.items()})
    assert neither[1].item() == pytest.approx(85.0)


CHAIN = " or ".join(
    f"({one} and {other})"
    for one, other in itertools.pairwise(
        ["smile=1", "glasses=1", "beard=1", "gender=male", "haircolor=red", "age > 30", "yaw > 5",
         "pitch > 2", "bald > 0.3", "width > 0.4", "light0 > 0.5", "light3 > 0.5"]
    )
)  # fmt: skip


def test_22_comparisons_of_twelve_attributes_are_a_small_diagram() -> None:
    where = where_of(CHAIN)
    start = time.perf_counter()
    (diagram,) = ir.parts(where, EXACT)
    spent = time.perf_counter() - start
    assert isinstance(diagram, ir.Diagram)
    assert len(diagram.nodes) <= 24
    assert spent < 1.0  # milliseconds, on a machine that has nothing else to do
    heads = outputs("drawn", 1)
    scope = Scope(heads)
    scope.energy(exactly(CHAIN))
    # Every comparison and its opposite once, and the formula.
    assert len(scope._found) <= 2 * 12 + 1


def test_a_xor_of_64_terms_is_a_small_formula() -> None:
    terms = [f"age > {5 * i + 3}" for i in range(13)] + [f"yaw > {i - 40}" for i in range(0, 80, 2)]
    terms += [f"pitch > {i - 25}" for i in range(11)]
    energy = exactly(" xor ".join(terms))
    assert isinstance(energy, Formula)
    assert len(energy.diagram) == 5
    assert energy(outputs("drawn", 1)).isfinite().all()


def test_too_large_formulas_are_refused_in_time() -> None:
    ages, yaws = ([f"{name}={i}" for i in range(1, 21)] for name in ("age", "yaw"))
    pairs = " or ".join(f"({a} and {y})" for a, y in zip(ages, yaws, strict=True))
    where = where_of(f"({' or '.join(ages)}) and ({pairs})")
    start = time.perf_counter()
    with pytest.raises(ir.FormulaTooLargeError):
        ir.require_small(where, EXACT)
    with pytest.raises(ir.FormulaTooLargeError):
        ir.require_small(where_of(" or ".join(f"age={i / 10}" for i in range(300))), EXACT)
    # Inside of an event too.
    with pytest.raises(ir.FormulaTooLargeError):
        ir.require_small(ir.And((evolve(where, weight=2.0),)), EXACT)
    assert time.perf_counter() - start < 10
    ir.require_small(where_of(" and ".join(f"age={i / 200}" for i in range(1000))), EXACT)


def test_a_formula_is_of_probabilities() -> None:
    partial = lower(
        evolve(where_of("glasses=1"), logit_temp=0.5), Settings(SIGMA, defaults.CONDITION_OPTIONS)
    )
    with pytest.raises(UsageError, match="energies of 0 or more"):
        Formula((partial, Surprisal("smile", {1})), (((0, 1), (1, 0)),))


def test_through_features_rows_have_the_same_bits_in_any_block() -> None:
    random = torch.Generator().manual_seed(0)

    def features(z: Tensor) -> Outputs:
        # Without products, which some processors round by where in memory a row begins.
        return {"glasses": z[:, :2], "smile": z[:, 2:4], "haircolor": z[:, :5], "age": z[:, 7]}

    where = "(glasses=1 or age > 1) and (smile=1 or haircolor=red) xor (age < 3 and glasses=0)"
    energy = ConditionalEnergy(features, exactly(where))
    assert isinstance(energy.node, Formula)
    z = torch.randn(70, 8, generator=random)
    values, gradients = energy.value_and_grad(z)
    for rows in (slice(0, 1), slice(3, 36), slice(69, 70), slice(5, 70)):
        part, slopes_ = energy.value_and_grad(z[rows])
        assert torch.equal(part, values[rows])
        assert torch.equal(slopes_, gradients[rows])


@pytest.mark.parametrize("holds", [True, False])
def test_it_is_a_pure_function(holds: bool) -> None:
    where = "(glasses=1 or age > 1) and (smile=1 or age < 5)"
    energy = exactly(where if holds else f"not ({where})")

    def of(x: Tensor) -> Tensor:
        heads = {"age": x[:1], "glasses": x[None, 1:3], "smile": x[None, 3:5]}
        return energy(heads)[0]

    x = torch.randn(5, 5, generator=torch.Generator().manual_seed(2)).double()
    gradient = torch.func.vmap(torch.func.grad(of))(x)
    one_by_one = [torch.autograd.functional.jacobian(of, row) for row in x]
    assert torch.allclose(gradient, torch.stack(one_by_one))
