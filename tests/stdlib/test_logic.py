"""stdlib/logic.lace: what each definition says, by truth table and by energy."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
import torch

from lacelang import ir
from lacelang.compiler import Settings, lower
from lacelang.energy import Node
from lacelang.resources import shipped
from lacelang.semantics import defaults
from lacelang.semantics.check import check
from lacelang.syntax import nodes
from lacelang.syntax.parser import read

ATTRIBUTES = ("smile", "glasses", "beard", "gender")
TERMS = ("smile=1", "glasses=1", "beard=1", "gender=male")
CERTAIN = 20.0
"""A logit at which a classifier is all but certain."""


def _count(low: int, high: int) -> Callable[..., bool]:
    return lambda *terms: low <= sum(terms) <= high


MEANINGS: dict[str, Callable[..., bool]] = {
    "exactly_one": _count(1, 1),
    "at_most_one": _count(0, 1),
    "neither": _count(0, 0),
    "iff": lambda a, b: a == b,
    "unless": lambda a, b: a or b,
    "if_else": lambda condition, then, otherwise: then if condition else otherwise,
    **{f"none_of_{n}": _count(0, 0) for n in (3, 4)},
    **{f"all_or_none_of_{n}": lambda *terms: len(set(terms)) == 1 for n in (3, 4)},
    **{f"exactly_one_of_{n}": _count(1, 1) for n in (3, 4)},
    **{f"exactly_two_of_{n}": _count(2, 2) for n in (3, 4)},
    "exactly_three_of_4": _count(3, 3),
    **{f"at_least_two_of_{n}": _count(2, n) for n in (3, 4)},
    "at_least_three_of_4": _count(3, 4),
    **{f"at_most_one_of_{n}": _count(0, 1) for n in (3, 4)},
    **{f"at_most_two_of_{n}": _count(0, 2) for n in (3, 4)},
    "at_most_three_of_4": _count(0, 3),
}


def _parameters() -> dict[str, int]:
    file = shipped("stdlib") / "logic.lace"
    program = read(file.read_text(encoding="utf-8"), str(file)).program
    found = (s for s in program.statements if isinstance(s, nodes.Def))
    return {s.name.name: len(s.parameters) for s in found}


def _predicate(name: str, count: int) -> ir.Predicate:
    call = f"{name}({', '.join(TERMS[:count])})"
    (statement,) = check(f"import logic sample from ffhq where {call}", Path("t.lace")).statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.where is not None
    return statement.where


def _holds(predicate: ir.Predicate, terms: dict[str, bool]) -> bool:
    match predicate:
        case ir.And():
            return all(_holds(term, terms) for term in predicate.terms)
        case ir.Or():
            return any(_holds(term, terms) for term in predicate.terms)
        case ir.Not():
            return not _holds(predicate.term, terms)
        case ir.Discrete():
            return terms[predicate.attribute.name]
    raise AssertionError(predicate)


def _energies(node: Node, rows: list[tuple[bool, ...]], scale: float) -> list[float]:
    outputs = {
        name: torch.tensor(
            [[-scale, scale] if row[i] else [scale, -scale] for row in rows], dtype=torch.float64
        )
        for i, name in enumerate(ATTRIBUTES[: len(rows[0])])
    }
    return node(outputs).tolist()


PARAMETERS = _parameters()


def test_every_definition_has_a_meaning() -> None:
    assert set(PARAMETERS) == set(MEANINGS)


@pytest.mark.parametrize("name", sorted(MEANINGS))
def test_truth_table(name: str) -> None:
    count = PARAMETERS[name]
    predicate = _predicate(name, count)
    for row in product((False, True), repeat=count):
        terms = dict(zip(ATTRIBUTES, row, strict=False))
        assert _holds(predicate, terms) == MEANINGS[name](*row), row


@pytest.mark.parametrize("name", sorted(set(MEANINGS) - {"unless"}))
def test_no_case_that_holds_is_favoured_over_another(name: str) -> None:
    """Where classifiers are certain, the energy tells right from wrong and nothing else."""
    count = PARAMETERS[name]
    node = lower(_predicate(name, count), Settings({}, defaults.CONDITION_OPTIONS))
    rows = list(product((False, True), repeat=count))
    energies = _energies(node, rows, CERTAIN)
    right = [e for e, row in zip(energies, rows, strict=True) if MEANINGS[name](*row)]
    wrong = [e for e, row in zip(energies, rows, strict=True) if not MEANINGS[name](*row)]
    assert max(right) - min(right) < 1e-6
    # An `or` of k arms, one of them met, has energy log k.
    assert max(right) <= math.log(len(rows)) + 1e-6
    assert min(wrong) > CERTAIN


_AS_ONE_OR = [n for n in MEANINGS if n.startswith(("exactly", "at_least", "all", "iff", "if_"))]


@pytest.mark.parametrize("name", sorted(_AS_ONE_OR))
def test_energy_of_cases_is_the_probability_of_their_union(name: str) -> None:
    """Cases that exclude one another: arms times e^-E is how probable it is that one holds."""
    count = PARAMETERS[name]
    predicate = _predicate(name, count)
    assert isinstance(predicate, ir.Or)
    logits = torch.linspace(-1.5, 2.0, count, dtype=torch.float64)
    outputs = {
        attribute: torch.stack([-logits[i : i + 1], logits[i : i + 1]], dim=1)
        for i, attribute in enumerate(ATTRIBUTES[:count])
    }
    p = torch.sigmoid(2 * logits).tolist()
    expected = sum(
        math.prod(q if held else 1 - q for q, held in zip(p, row, strict=True))
        for row in product((False, True), repeat=count)
        if MEANINGS[name](*row)
    )
    energy = lower(predicate, Settings({}, defaults.CONDITION_OPTIONS))(outputs).item()
    assert len(predicate.terms) * math.exp(-energy) == pytest.approx(expected, rel=1e-9)
