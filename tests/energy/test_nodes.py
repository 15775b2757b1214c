"""Atoms row by row of the table of meanings, the refusals, and the conditional energy."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor

from lacelang.energy import (
    ATYPICALITY,
    DISPLACEMENT,
    And,
    Atom,
    Balanced,
    BernoulliKL,
    ConditionalEnergy,
    Contrast,
    Formula,
    LogitTempered,
    Node,
    NormalAbove,
    NormalAt,
    NormalBelow,
    NormalInside,
    Not,
    Or,
    Outputs,
    Quantity,
    Scope,
    Surprisal,
    Tempered,
    Wanted,
    atoms,
    conjunction,
    disjunction,
    map_atoms,
    map_children,
    negation,
    relaxed,
    tempered,
)
from lacelang.energy.numerics import LARGEST
from lacelang.errors import UsageError

LOGITS = torch.tensor([[1.0, -0.5, 2.0], [0.0, 3.0, 0.5]], dtype=torch.float64)
HEADS = {"hair": LOGITS, "age": torch.tensor([20.0, 47.0], dtype=torch.float64)}
P = LOGITS.softmax(dim=1)


def test_discrete() -> None:
    assert torch.allclose(Surprisal("hair", {1})(HEADS), -P[:, 1].log())
    assert torch.allclose(Surprisal("hair", {0, 2})(HEADS), -(P[:, 0] + P[:, 2]).log())
    assert torch.equal(Surprisal("hair", {0, 1, 2})(HEADS), torch.zeros(2, dtype=torch.float64))


def test_degree_is_zero_where_the_classifier_says_so() -> None:
    p = P[:, 0]
    d = 0.6
    expected = d * (d / p).log() + (1 - d) * ((1 - d) / (1 - p)).log()
    assert torch.allclose(BernoulliKL("hair", 0, d)(HEADS), expected)
    assert BernoulliKL("hair", 0, p[0].item())(HEADS)[0].item() == pytest.approx(0.0, abs=1e-12)
    assert torch.allclose(BernoulliKL("hair", 0, 1.0)(HEADS), -p.log())
    assert torch.allclose(BernoulliKL("hair", 0, 0.0)(HEADS), -(1 - p).log())


def test_continuous() -> None:
    normal = torch.distributions.Normal(HEADS["age"], 4.0)
    below = [normal.cdf(torch.tensor(bound, dtype=torch.float64)) for bound in (18.0, 25.0)]
    assert torch.allclose(NormalAt("age", 25.0, 4.0)(HEADS), (HEADS["age"] - 25.0) ** 2 / 32.0)
    assert torch.allclose(NormalBelow("age", 18.0, 4.0)(HEADS)[:1], -below[0].log()[:1])
    assert torch.allclose(NormalAbove("age", 18.0, 4.0)(HEADS)[:1], -(1 - below[0]).log()[:1])
    inside = below[1] - below[0]
    assert torch.allclose(NormalInside("age", 18.0, 25.0, 4.0)(HEADS)[:1], -inside.log()[:1])
    outside = negation(NormalInside("age", 18.0, 25.0, 4.0))(HEADS)[:1]
    assert torch.allclose(outside, -(1 - inside).log()[:1])


def test_the_paper_s_temperature() -> None:
    centred = LOGITS - LOGITS.mean(dim=1, keepdim=True)
    expected = -centred[:, 1] / 0.5 + centred.logsumexp(dim=1)
    assert torch.allclose(LogitTempered("hair", {1}, 0.5)(HEADS), expected)
    shifted = {"hair": LOGITS + 7.0}
    assert torch.allclose(LogitTempered("hair", {1}, 0.5)(shifted), expected)
    assert torch.allclose(LogitTempered("hair", {1}, 1.0)(HEADS), Surprisal("hair", {1})(HEADS))


def test_contrast_is_minus_lambda_e() -> None:
    atom = Surprisal("hair", {1})
    assert torch.allclose(Contrast(atom, 0.1)(HEADS), -0.1 * atom(HEADS))
    both = conjunction([Contrast(atom, 0.1), NormalAt("age", 20.0, 1.0)])
    assert torch.allclose(both(HEADS), -0.1 * atom(HEADS) + NormalAt("age", 20.0, 1.0)(HEADS))


@pytest.mark.parametrize("inner", [Contrast(Surprisal("hair", {1}), 0.1)])
def test_negative_energies_have_no_complement(inner: Node) -> None:
    atom = Surprisal("hair", {0})
    for node in (inner, conjunction([inner, atom]), disjunction([atom, tempered(inner, 2.0)])):
        assert not node.closed
        with pytest.raises(UsageError, match="complement"):
            negation(node)
    with pytest.raises(UsageError, match="complement"):
        negation(LogitTempered("hair", {1}, 0.5))


@pytest.mark.parametrize("slack", [1e-3, 0.1, 2.0])
def test_what_holds_well_enough_has_no_energy(slack: float) -> None:
    atom = Surprisal("hair", {1})
    odds = torch.linspace(-30.0, 30.0, 400, dtype=torch.float64).requires_grad_()
    outputs = {"hair": torch.stack([torch.zeros_like(odds), odds], dim=1)}
    own, eased = atom(outputs), relaxed(atom, slack)(outputs)
    (slope,) = torch.autograd.grad(eased.sum(), odds)
    own, eased = own.detach(), eased.detach()
    assert (eased[own <= slack] == 0.0).all()
    assert (slope[own <= slack] == 0.0).all()
    assert (slope <= 0.0).all()
    beyond = own - slack
    assert ((eased <= beyond.clamp_min(0.0)) & (eased >= beyond - slack)).all()


@pytest.mark.parametrize(
    "term",
    [
        Contrast(Surprisal("hair", {1}), 0.1),
        LogitTempered("hair", {1}, 0.5),
        tempered(Contrast(Surprisal("hair", {1}), 0.1), 2.0),
    ],
    ids=["contrast", "logit", "tempered contrast"],
)
def test_what_has_no_least_energy_is_not_relaxed(term: Node) -> None:
    """It is no probability, so no energy of it is enough."""
    assert relaxed(term, 0.1) is term
    atom = Surprisal("hair", {0})
    both = relaxed(conjunction([term, atom], [2.0, 1.0]), 0.1)
    assert torch.equal(both(HEADS), 2.0 * term(HEADS) + relaxed(atom, 0.1)(HEADS))


def test_each_outermost_term_is_relaxed_and_keeps_its_weight() -> None:
    atoms = Surprisal("hair", {1}), NormalAt("age", 20.0, 1.0)
    node = relaxed(conjunction(atoms, [2.0, 1.0]), 0.1)
    assert isinstance(node, And)
    assert node.weights == (2.0, 1.0)
    both = [relaxed(atom, 0.1)(HEADS) for atom in atoms]
    assert torch.allclose(node(HEADS), 2.0 * both[0] + both[1])
    assert relaxed(atoms[0], 0.0) is atoms[0]
    with pytest.raises(UsageError, match="complement"):
        negation(node)
    with pytest.raises(UsageError, match="slack"):
        relaxed(atoms[0], -1.0)


OLD, BROWN = NormalAbove("age", 30.0, 9.0), Surprisal("hair", {1})
COMPOSED = {
    "atom": BROWN,
    "and": conjunction([OLD, BROWN], [0.5, 2.0]),
    "or": disjunction([OLD, BROWN], [1.0, 3.0]),
    "tempered": tempered(disjunction([OLD, BROWN]), 2.5),
    "tempered and": tempered(conjunction([OLD, BROWN]), 0.4),
    "not": negation(conjunction([OLD, negation(BROWN)])),
    "nothing": conjunction([]),
}


@pytest.mark.parametrize("name", COMPOSED)
@pytest.mark.parametrize("holds", [True, False])
def test_a_complement_is_one_minus_the_probability(name: str, holds: bool) -> None:
    node = COMPOSED[name]
    energy = Scope(HEADS).energy(node, holds)
    found = Scope(HEADS).energy(node, holds, complement=True)
    if name == "nothing":  # certain; its denial has the largest energy, not an infinite one
        sides = (0.0, LARGEST) if holds else (LARGEST, 0.0)
        assert (energy[0].item(), found[0].item()) == sides
        return
    assert torch.allclose(torch.exp(-energy) + torch.exp(-found), torch.ones(2).double())


def test_a_formula_is_the_sum_over_the_paths_of_its_diagram() -> None:
    """Two of three hold, or hair is of class 2: against the truth table."""
    old, long = NormalAbove("age", 30.0, 9.0), Surprisal("length", {1})
    hair = [Surprisal("hair", {each}) for each in range(3)]
    terms = (old, negation(old), long, negation(long), *hair)
    # From below: hair decides alone; with one of the others; with none of them but class 2.
    one_more = ((4, 0), (5, 1), (6, 1))
    class_2 = ((4, 0), (5, 0), (6, 1))
    diagram = (one_more, class_2, ((2, 1), (3, 2)), ((2, 2), (3, 3)), ((0, 4), (1, 5)))
    heads = {**HEADS, "length": torch.tensor([[0.3, -0.2], [-1.0, 2.0]], dtype=torch.float64)}
    p_old = torch.exp(-old(heads))
    p_long = torch.exp(-long(heads))
    expected = torch.zeros(2, dtype=torch.float64)
    for is_old, is_long, kind in product((False, True), (False, True), range(3)):
        if is_old + is_long + (kind == 1) >= 2 or kind == 2:
            weight = P[:, kind] * (p_old if is_old else 1 - p_old)
            expected += weight * (p_long if is_long else 1 - p_long)
    formula = Formula(terms, diagram)
    assert torch.allclose(formula(heads), -expected.log())
    for holds, complement, share in (
        (True, True, 1 - expected),
        (False, False, 1 - expected),
        (False, True, expected),
    ):
        found = Scope(heads).energy(formula, holds, complement)
        assert torch.allclose(found, -share.log())
    with pytest.raises(UsageError, match="a formula needs terms that are probabilities"):
        Formula((Contrast(old, 0.1),), (((0, 1),),))


def test_a_group_of_nothing_asks_for_nothing() -> None:
    empty = disjunction([Surprisal("hair", {1})], [0.0])
    assert torch.equal(empty(HEADS), torch.zeros(2, dtype=torch.float64))
    assert conjunction([empty, Surprisal("hair", {1})]) == Surprisal("hair", {1})


HAIR = Surprisal("hair", {1})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Surprisal("hair", set()), "a condition on hair names no class"),
        (
            lambda: BernoulliKL("hair", 0, 1.5),
            "a degree lies between 0 and 1, 1.5 does not",
        ),
        (lambda: BernoulliKL("hair", 0, -0.1), "a degree lies between 0 and 1, -0.1 does not"),
        (lambda: NormalAt("age", 1.0, 0.0), "the spread of age is positive, 0.0 is not"),
        (lambda: NormalAt("age", 1.0, math.inf), "the spread of age is positive, inf is not"),
        (lambda: NormalInside("age", 3.0, 3.0, 1.0), "age in 3.0..3.0 is empty"),
        (lambda: NormalInside("age", 2.0, 3.0, -1.0), "the spread of age is positive, -1.0 is not"),
        (lambda: conjunction([HAIR], [-1.0]), "a weight is 0 or more, -1.0 is not"),
        (lambda: disjunction([HAIR], [math.nan]), "a weight is 0 or more, nan is not"),
        (lambda: disjunction([HAIR], [math.inf]), "a weight is 0 or more, inf is not"),
        (lambda: conjunction([HAIR], [1.0, 1.0]), "1 terms have 2 weights"),
        (lambda: Or((), ()), "an `or` needs a term"),
        (lambda: And((HAIR,), (1.0, 1.0)), "every term needs a positive weight"),
        (lambda: And((HAIR,), (0.0,)), "every term needs a positive weight"),
        (lambda: Or((HAIR,), (math.inf,)), "every term needs a positive weight"),
        (lambda: tempered(HAIR, 0.0), "a temperature is positive, 0.0 is not"),
        (lambda: tempered(HAIR, 1e-320), "a temperature is positive, 1e-320 is not"),
        (lambda: LogitTempered("hair", {1}, -1.0), "a temperature is positive, -1.0 is not"),
        (lambda: LogitTempered("hair", set(), 1.0), "a condition on hair names no class"),
        (lambda: Contrast(HAIR, math.inf), "the strength of a contrast is positive, inf is not"),
        (
            lambda: negation(Contrast(HAIR, 0.1)),
            "the complement of a contrast or of `temp logit(t)` is not defined; "
            "use `temp t`, or the complement negation throughout",
        ),
    ],
)
def test_nonsense_is_refused_in_words(make: Callable[[], Node], words: str) -> None:
    with pytest.raises(UsageError) as refused:
        make()
    assert str(refused.value) == words


@pytest.mark.parametrize(("holds", "complement"), [(False, False), (True, True), (False, True)])
def test_what_may_be_negative_is_only_asserted(holds: bool, complement: bool) -> None:
    with pytest.raises(UsageError, match=r"^a contrast has no complement$"):
        Scope(HEADS).energy(Contrast(HAIR, 0.1), holds, complement)
    if not holds and complement:
        return  # of an atom the complement of its denial is itself
    with pytest.raises(UsageError, match=r"^this condition on hair has no complement$"):
        Scope(HEADS).energy(LogitTempered("hair", {1}, 0.5), holds, complement)


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (Surprisal("beard", {1}), "no classifier for the attribute beard; there are: hair, age"),
        (Surprisal("hair", {5}), "classes 0 to 2"),
        (Surprisal("age", {1}), "does not give logits"),
        (NormalAt("hair", 1.0, 1.0), "does not give a continuous value"),
    ],
)
def test_a_head_that_does_not_fit_is_named(node: Node, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        node(HEADS)


def test_different_atoms_from_left_to_right() -> None:
    old, brown = NormalAbove("age", 60.0, 4.0), Surprisal("hair", {1})
    shared = conjunction([brown, old])
    node = disjunction([shared, negation(shared), BernoulliKL("hair", 0, 0.5)])
    assert atoms(node) == (brown, old, BernoulliKL("hair", 0, 0.5))


def test_one_pass_of_the_features_gives_energy_and_gradient() -> None:
    calls = []

    def features(z: Tensor) -> Outputs:
        calls.append(len(z))
        return {"hair": z @ torch.ones(2, 3, dtype=z.dtype), "age": z.square().sum(dim=1)}

    node = conjunction(
        [Surprisal("hair", {1}), NormalAt("age", 1.0, 0.5), NormalBelow("age", 2.0, 0.5)]
    )
    energy = ConditionalEnergy(features, node)
    z = torch.randn(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    value, gradient = energy.value_and_grad(z)
    assert len(calls) == 1
    assert not value.requires_grad
    assert not gradient.requires_grad
    leaf = z.clone().requires_grad_()
    assert torch.allclose(energy(leaf), value)
    (expected,) = torch.autograd.grad(energy(leaf).sum(), leaf)
    assert torch.allclose(gradient, expected)
    assert torch.allclose(energy.prior(z), 0.5 * z.square().sum(dim=1))


def test_a_condition_on_nothing_has_a_zero_gradient() -> None:
    energy = ConditionalEnergy(lambda z: {"hair": z}, Surprisal("hair", {0, 1, 2}))
    value, gradient = energy.value_and_grad(torch.ones(2, 3))
    assert torch.equal(value, torch.zeros(2))
    assert torch.equal(gradient, torch.zeros(2, 3))


def test_a_shared_definition_is_evaluated_once() -> None:
    """Twenty doublings make a million paths; each node is computed once."""
    node: Node = Surprisal("hair", {1})
    for _ in range(20):
        node = negation(conjunction([node, negation(node)], [2.0, 0.5]))
    assert node(HEADS).isfinite().all()
    assert atoms(node) == (Surprisal("hair", {1}),)


def test_classes_go_from_0_to_the_last() -> None:
    """Of an attribute with three: neither -1, which Python would count from the end, nor 3."""
    for classes in ({0}, {2}, {0, 2}):
        assert Surprisal("hair", classes)(HEADS).isfinite().all()
    for classes in ({-1}, {3}, {0, 3}, {-1, 0, 1}):
        with pytest.raises(UsageError) as refused:
            Surprisal("hair", classes)(HEADS)
        assert str(refused.value) == f"hair has the classes 0 to 2, not {sorted(classes)}"


def test_every_atom_of_a_tree_is_changed_wherever_it_stands() -> None:
    old, brown = NormalAbove("age", 60.0, 4.0), Surprisal("hair", {1})
    named = {"age": NormalBelow("age", 20.0, 4.0), "hair": negation(Surprisal("hair", {2}))}
    seen: list[Atom] = []

    def change(atom: Atom) -> Node:
        seen.append(atom)
        return named[str(atom.attribute)]

    def tree(a: Node, b: Node) -> Node:
        inner = Or((And((a, Tempered(b, 2.0)), (1.0, 3.0)), Contrast(a, 0.1)), (2.0, 1.0))
        return And((Balanced((inner, b), (1.0, 5.0), (1.0, 1.0)), Not(b)), (0.5, 1.0))

    assert map_atoms(tree(old, brown), change) is tree(named["age"], named["hair"])
    assert seen == [old, brown, old, brown, brown]
    formula = Formula((old, Not(old), brown), (((0, 0), (1, 1)), ((2, 2),)))
    changed = map_atoms(formula, change)
    below = named["age"]
    assert changed is Formula((below, Not(below), named["hair"]), formula.diagram)
    nothing = And((), ())
    assert map_atoms(nothing, change) is nothing
    assert map_children(old, lambda node: brown) is old
    assert map_children(Not(old), lambda node: brown) is Not(brown)


def test_keys_of_outputs_name_themselves() -> None:
    """They stand in messages, and in the order of coordinates."""
    assert str(Quantity("latent displacement")) == str(DISPLACEMENT)
    assert [str(each) for each in (ATYPICALITY, DISPLACEMENT)] == [
        "latent atypicality",
        "latent displacement",
    ]
    assert str(Wanted("age")) == "wanted age"
    heads = {Wanted("age"): HEADS["age"], ATYPICALITY: HEADS["age"]}
    with pytest.raises(UsageError) as refused:
        NormalAt("age", 0.0, 1.0)(heads)
    assert str(refused.value) == (
        "no classifier for the attribute age; there are: wanted age, latent atypicality"
    )
    with pytest.raises(UsageError, match=r"there are: none$"):
        NormalAt("age", 0.0, 1.0)({})
    distance = NormalAt(Wanted("age"), 0.0, 2.0)(heads)
    assert torch.allclose(distance, HEADS["age"] ** 2 / 8.0)


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_a_formula_of_independent_terms(count: int) -> None:
    """At least one of them, all of them, and an odd number of them, against their products."""
    random = torch.Generator().manual_seed(count)
    names = [f"a{k}" for k in range(count)]
    heads = {n: torch.randn(4, 2, dtype=torch.float64, generator=random) for n in names}
    yes = [Surprisal(name, {1}) for name in names]
    terms = tuple(each for atom in yes for each in (atom, negation(atom)))
    p = torch.stack([torch.exp(-atom(heads)) for atom in yes])
    one, every = [], []
    odd: list[tuple[tuple[int, int], ...]] = []
    wanted, unwanted = 1, 0  # ends at which an odd number, or an even one, has been seen
    for k in reversed(range(count)):
        one.append(((2 * k, 1), (2 * k + 1, 1 + len(one) if one else 0)))
        every.append(((2 * k, 1 + len(every) if every else 1), (2 * k + 1, 0)))
        nodes = [((2 * k, wanted), (2 * k + 1, unwanted)), ((2 * k, unwanted), (2 * k + 1, wanted))]
        if k == 0:
            odd.append(nodes[0])
            continue
        odd += [nodes[1], nodes[0]]
        wanted, unwanted = len(odd), len(odd) + 1
    for diagram, share in (
        (one, 1 - (1 - p).prod(dim=0)),
        (every, p.prod(dim=0)),
        (odd, (1 - (1 - 2 * p).prod(dim=0)) / 2),
    ):
        formula = Formula(terms, tuple(diagram))
        assert torch.allclose(torch.exp(-formula(heads)), share)
        denied = Scope(heads).energy(formula, holds=False)
        assert torch.allclose(torch.exp(-denied), 1 - share)
