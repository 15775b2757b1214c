"""Figures of terms on draws from the prior: exact splits of the energy and of its gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from small import Small, bespectacled, conditions, old, red, smiling, statement

from lacelang import ir
from lacelang.energy import Node, Or
from lacelang.engine.sampling import meaning_of
from lacelang.explain.measured import measured, split_gradient
from lacelang.explain.outline import Term, Tree, outline
from lacelang.samplers.streams import prior


def tree_of(where: ir.Predicate, **clauses: object) -> Tree:
    (tree,) = measured(outline(statement(where, **clauses), 0.7), Small()).trees  # type: ignore[arg-type]
    return tree


def shares(term: Term) -> list[float | None]:
    assert term.figures is not None
    return [term.figures.share, *(s for below in term.terms for s in shares(below))]


def meaning(of: ir.SampleStatement, model: object) -> Callable[[ir.Predicate], Node]:
    return meaning_of(of.options, of.model, model, 0.7)  # type: ignore[arg-type]


def energies(where: ir.Predicate, **clauses: object) -> torch.Tensor:
    model = Small()
    node = meaning(statement(where, **clauses), model)(where)  # type: ignore[arg-type]
    return node(model.features(0.7)(prior(3, range(64), 6)))  # type: ignore[operator]


def test_a_conjunction_s_shares_are_the_terms_parts_of_its_gradient() -> None:
    where = ir.And((evolve(smiling, weight=2.0), old, ir.Not(bespectacled)))
    tree = tree_of(where)
    assert tree.root is not None
    z = prior(3, range(64), 6).requires_grad_()
    outputs = Small().features(0.7)(z)  # type: ignore[operator]
    energy_of = meaning(statement(where), Small())
    parts = [
        torch.autograd.grad(energy_of(term)(outputs).sum(), z, retain_graph=True)[0]
        for term in where.terms
    ]
    whole = sum(parts)
    assert isinstance(whole, torch.Tensor)
    expected = [((part * whole).sum() / whole.square().sum()).item() for part in parts]
    found = [term.figures.share for term in tree.root.terms if term.figures is not None]
    assert found == pytest.approx(expected, rel=1e-4)
    assert tree.totals is not None
    assert tree.totals.gradient == pytest.approx(whole.norm(dim=1).mean().item(), rel=1e-4)


def test_figures_are_those_of_the_draws_that_the_samples_start_from() -> None:
    where = ir.And((evolve(old, weight=3.0, temp=2.0), smiling))
    root = tree_of(where).root
    assert root is not None
    assert root.figures is not None
    age, smile = root.terms
    assert age.figures is not None
    assert smile.figures is not None
    outputs = Small().features(0.7)(prior(3, range(64), 6))  # type: ignore[operator]
    assert age.figures.reading == pytest.approx(outputs["age"].mean().item(), rel=1e-5)
    assert age.sigma == 5.0
    assert smile.figures.reading == pytest.approx(
        outputs["smile"].softmax(dim=1)[:, 1].mean().item(), rel=1e-5
    )
    # Temperature included, weight left out.
    own = energies(evolve(old, temp=2.0)).double()
    assert age.figures.energy == pytest.approx(own.mean().item(), rel=1e-5)
    assert age.figures.spread == pytest.approx(own.std().item(), rel=1e-5)
    assert root.figures.energy == pytest.approx(energies(where).mean().item(), rel=1e-5)


@settings(max_examples=50, deadline=None)
@given(conditions, st.sampled_from(["equal", "balanced"]), st.sampled_from([None, 0.5]))
def test_shares_add_up_and_so_do_odds(
    where: ir.Predicate, disjunction: str, temp: float | None
) -> None:
    tree = tree_of(where, disjunction=disjunction, temp=temp)
    root, totals = tree.root, tree.totals
    assert root is not None
    assert totals is not None
    assert root.figures is not None
    assert totals.energy == pytest.approx(
        energies(where, disjunction=disjunction, temp=temp).double().mean().item(),
        rel=1e-4,
        abs=1e-6,
    )
    if root.figures.share is None:
        assert totals.gradient == 0.0
    elif totals.gradient > 1e-6:  # else it is what rounding leaves of none, as of `a or not a`
        assert root.figures.share == pytest.approx(1.0, abs=1e-3)
    for term in _all(root):
        if term.predicate.kind == "or":
            odds = [below.odds for below in term.terms]
            assert None not in odds
            assert sum(o for o in odds if o is not None) == pytest.approx(1.0)


@settings(max_examples=40, deadline=None)
@given(conditions)
def test_under_exact_an_attribute_has_one_share(where: ir.Predicate) -> None:
    where = without_odds(where)
    tree = tree_of(where, disjunction="exact")
    root, totals = tree.root, tree.totals
    assert root is not None
    assert root.figures is not None
    assert totals is not None
    expected = energies(where, disjunction="exact").double().mean().item()
    assert totals.energy == pytest.approx(expected, rel=1e-4, abs=1e-6)
    if root.predicate.weight > 0 and totals.gradient > 1e-6:
        assert root.figures.share == pytest.approx(1.0, abs=1e-3)
    for term in _all(root):
        assert term.odds is None


def without_odds(where: ir.Predicate) -> ir.Predicate:
    if isinstance(where, ir.Not):
        return evolve(where, term=without_odds(where.term))
    if not isinstance(where, ir.Group):
        return where
    terms = tuple(map(without_odds, where.terms))
    if isinstance(where, ir.Or):
        terms = tuple(evolve(term, weight=1.0) for term in terms)
    return evolve(where, terms=terms)


def test_under_exact_values_that_are_drawn_have_the_share_of_their_attribute() -> None:
    drawn = ir.DrawnValue(old.attribute, ((20.0, 1), (60.0, 1)))
    root = tree_of(ir.And((drawn, ir.Or((smiling, red)))), disjunction="exact").root
    assert root is not None
    age, either = shares(root)[1:3]
    assert age is not None
    assert either is not None
    assert age > 0.1
    assert age + either == pytest.approx(1.0, abs=1e-3)


def test_shares_of_what_an_exact_formula_names_twice() -> None:
    either = ir.Or((smiling, old))
    where = ir.And((either, ir.Xor((smiling, bespectacled)), red))
    root = tree_of(where, disjunction="exact").root
    assert root is not None
    first, second, hair = root.terms
    figures = [term.figures for term in (*first.terms, *second.terms, first, second, hair)]
    found = [None if each is None else each.share for each in figures]
    # smile, age; smile, glasses; both connectives name smiles; hair.
    assert [share is None for share in found] == [True, False, True, False, True, True, False]
    assert root.figures is not None
    assert root.figures.share == pytest.approx(1.0, abs=1e-3)


def _all(term: Term) -> Iterator[Term]:
    yield term
    for below in term.terms:
        yield from _all(below)


@settings(max_examples=50, deadline=None)
@given(conditions)
def test_the_odds_of_an_outline_are_those_of_the_compiled_energy(where: ir.Predicate) -> None:
    # Outlines are made without compiling anything.
    plain, looked_at = (tree.root for tree in (outline_tree(where), tree_of(where)))
    assert plain is not None
    assert looked_at is not None
    for before, after in zip(_all(plain), _all(looked_at), strict=True):
        assert before.odds == pytest.approx(after.odds)


@pytest.mark.parametrize(
    "arm",
    [
        ir.And((ir.Or((smiling, old)), evolve(red, weight=0.0))),
        ir.And((evolve(ir.And((ir.Or((smiling, old)), evolve(red, weight=0.0))), weight=1.0),)),
        ir.Or((evolve(ir.Or((smiling, old)), weight=3.0), evolve(red, weight=0.0))),
        ir.Not(ir.And((ir.Not(ir.Or((smiling, old))), evolve(red, weight=0.0)))),
    ],
)
def test_an_arm_that_comes_to_an_or_has_as_many_arms_as_that(arm: ir.Predicate) -> None:
    for tree in (outline_tree(ir.Or((arm, red))), tree_of(ir.Or((arm, red)))):
        assert tree.root is not None
        assert [term.odds for term in tree.root.terms] == pytest.approx([2 / 3, 1 / 3])


def outline_tree(where: ir.Predicate) -> Tree:
    (tree,) = outline(statement(where), 0.7).trees
    return tree


def test_what_has_weight_0_takes_no_part() -> None:
    none = evolve(ir.And((red, old)), weight=0.0)
    root = tree_of(ir.And((smiling, none))).root
    assert root is not None
    assert shares(root) == pytest.approx([1.0, 1.0, 0.0, 0.0, 0.0])
    arm = tree_of(ir.Or((evolve(smiling, weight=0.0), old))).root
    assert arm is not None
    assert [term.odds for term in arm.terms] == [0.0, 1.0]


def test_where_nothing_pulls_nobody_has_a_share() -> None:
    always = ir.Discrete(smiling.attribute, frozenset({0, 1}))
    tree = tree_of(ir.And((always, always)))
    assert tree.root is not None
    assert shares(tree.root) == [None, None, None]
    assert tree.totals is not None
    assert tree.totals.gradient == 0.0
    nothing = tree_of(evolve(smiling, weight=0.0))
    assert nothing.totals is not None
    assert nothing.totals.energy == 0.0


def test_a_term_that_the_others_overrule_has_a_negative_share() -> None:
    young = ir.AtMost(old.attribute, 30.0)
    root = tree_of(ir.And((evolve(old, weight=5.0), young))).root
    assert root is not None
    young_share = shares(root)[2]
    assert young_share is not None
    assert young_share < 0


def test_balanced_odds_are_read_from_draws() -> None:
    root = tree_of(ir.Or((smiling, red)), disjunction="balanced").root
    node = meaning(statement(None, disjunction="balanced"), Small())(  # type: ignore[arg-type]
        ir.Or((smiling, red))
    )
    assert root is not None
    assert isinstance(node, Or)
    expected = [weight / sum(node.weights) for weight in node.weights]
    assert [term.odds for term in root.terms] == pytest.approx(expected)
    assert expected[1] > 0.9


def test_the_split_keeps_no_graph() -> None:
    model = Small()
    node = meaning(statement(old), model)(old)  # type: ignore[arg-type]
    z = prior(0, range(3), 6).requires_grad_()
    split = split_gradient(node, model.features(1.0), z)  # type: ignore[arg-type]
    assert not split.energy.requires_grad
    assert not split.norm.requires_grad
    assert z.grad is None
