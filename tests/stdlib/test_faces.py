"""stdlib/faces.lace: every name is a condition that ffhq knows and that its faces can meet."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from lacelang import ir
from lacelang.classifiers.labels import Labels, load
from lacelang.resources import shipped
from lacelang.semantics.check import check
from lacelang.syntax import nodes
from lacelang.syntax.parser import read


def _names() -> list[str]:
    file = shipped("stdlib") / "faces.lace"
    program = read(file.read_text(encoding="utf-8"), str(file)).program
    return [s.name.name for s in program.statements if isinstance(s, nodes.Let)]


NAMES = _names()


@cache
def _labels() -> Labels:
    return load(shipped("stdlib") / "ffhq.labels.safetensors")


def _predicate(condition: str) -> ir.Predicate:
    program = check(f"import faces sample from ffhq where {condition}", pedantic=True)
    assert not program.warnings
    (statement,) = program.statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.where is not None
    return statement.where


def _met(predicate: ir.Predicate) -> NDArray[np.bool_]:
    """Which of the labelled faces meet the condition."""
    columns = _labels().columns
    match predicate:
        case ir.And():
            return np.logical_and.reduce([_met(term) for term in predicate.terms])
        case ir.Discrete():
            return np.isin(columns[predicate.attribute.name], sorted(predicate.classes))
        case ir.AtLeast():
            return columns[predicate.attribute.name] >= predicate.bound
        case ir.AtMost():
            return columns[predicate.attribute.name] <= predicate.bound
        case ir.Between():
            values = columns[predicate.attribute.name]
            return (values >= predicate.low) & (values <= predicate.high)
    raise AssertionError(predicate)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"half_smiling"}))
def test_some_faces_are_so_and_some_are_not(name: str) -> None:
    met = _met(_predicate(name))
    assert 30 <= met.sum() <= 0.9 * len(met)


def test_a_half_smile_is_a_degree() -> None:
    predicate = _predicate("half_smiling")
    assert isinstance(predicate, ir.Degree)
    assert (predicate.attribute.name, predicate.degree) == ("smile", 0.5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("child", "adult"),
        ("toddler", "teenager"),
        ("young", "middle_aged"),
        ("child", "senior"),
        ("boy", "girl"),
        ("grandpa", "grandma"),
        ("bearded", "clean_shaven"),
        ("bald_headed", "with_fringe"),
        ("turned_left", "turned_right"),
        ("frontal", "turned_left"),
        ("looking_up", "looking_down"),
        ("broad_faced", "narrow_faced"),
        ("evenly_lit", "lit_from_left"),
        ("well_lit", "lit_from_right"),
    ],
)
def test_opposites_exclude_one_another(one: str, other: str) -> None:
    assert not (_met(_predicate(one)) & _met(_predicate(other))).any()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("toddler", "young"),
        ("grandpa", "man"),
        ("profile_left", "turned_left"),
        ("profile_right", "turned_right"),
        ("senior", "adult"),
    ],
)
def test_the_narrower_is_among_the_wider(one: str, other: str) -> None:
    assert not (_met(_predicate(one)) & ~_met(_predicate(other))).any()
