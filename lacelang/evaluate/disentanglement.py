"""Did each edit do what it was asked, and nothing else? DES and identity of sequential edits."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang import ir
from lacelang.evaluate.films import Film
from lacelang.evaluate.scores import scores

Array: TypeAlias = NDArray[np.floating]


def accuracies(steps: Sequence[ir.Predicate], film: Film) -> Array:
    """The accuracy of every line's comparison at every moment, (lines + 1, lines).

    Of a class the share of faces that show it, of a number 1 − mean |Δ| / range.

    Args:
        steps: what each line asks for, one comparison each.
        film: what was seen.
    """
    return np.array(
        [
            [scores([(step, film.at(moment))])[0].accuracy for step in steps]
            for moment in range(len(steps) + 1)
        ]
    )


def strengths(accuracy: Array, least: float) -> tuple[Array, Array]:
    """The disentangled edit strength of every line, as published and without its division.

    D_i = a_i − max over j ≠ i of |a_j|, where a is what line i adds to the accuracies, as published
    as shares of what there was to add, 1 − the accuracy before (LACE section 3.2). Their means over
    the lines are the DES.

    Args:
        accuracy: of `accuracies`, (lines + 1, lines).
        least: what there is to add at least, so that nothing is divided by 0: what one face counts.
    """
    added = np.diff(accuracy, axis=0)
    return _apart(added / np.maximum(1 - accuracy[:-1], least)), _apart(added)


def _apart(added: Array) -> Array:
    own = np.diag(added)
    others = np.abs(added)
    np.fill_diagonal(others, 0.0)
    apart: Array = own - others.max(axis=1, initial=0.0)
    return apart


def drift(
    attributes: Iterable[ir.Attribute], film: Film, asked: Container[str]
) -> dict[str, float]:
    """How far each attribute that no line speaks of has gone, from before all lines to after them.

    Of a class the share of faces that changed it, of a number the mean change over the range.

    Args:
        attributes: of the model.
        film: what was seen; faces in which nothing was seen at either end are left out.
        asked: names of the attributes that lines speak of.
    """
    found: dict[str, float] = {}
    for attribute in attributes:
        column = film.columns.get(attribute.name)
        if column is None or attribute.name in asked:
            continue
        change = np.abs(column[:, -1] - column[:, 0])
        change = change[~np.isnan(change)]
        if attribute.limits is not None:
            low, high = attribute.limits
            change = change / (high - low)
        else:
            change = change > 0
        if len(change):
            found[attribute.name] = float(change.mean())
    return found


@frozen
class Likeness:
    """How alike faces are before and after.

    Attributes:
        distance: mean Euclidean distance of their descriptors.
        cosine: mean cosine of the descriptors, seen from the mean face: 1 for the same face, 0 on
            average for two people.
        alike: what `cosine` would be if each face had moved by the mean move of all and no
            further: an edit that ages everybody takes everybody from where they were.
        own: mean cosine without the mean move, each side seen from its own mean: 1 for faces that
            stay what sets them apart from the others, 0 for other people.
        nearest: share of faces to which none of the other faces before is nearer than their own.
    """

    distance: float
    cosine: float
    alike: float
    own: float
    nearest: float


def likeness(before: Array, after: Array, mean: Array) -> Likeness:
    """Compare descriptors (N, D) of the same N faces before and after.

    Args:
        before, after: row i is face i.
        mean: the mean descriptor (D,) of the generator's faces. Descriptors all lie on one side of
            the origin: cosines as seen from there are near 1 whoever is compared.
    """
    apart = np.linalg.norm(after[:, None] - before[None], axis=2)
    own = np.diag(apart)
    seen, since = before.mean(axis=0), after.mean(axis=0)
    return Likeness(
        distance=float(own.mean()),
        cosine=_cosine(before - mean, after - mean),
        alike=_cosine(before - mean, before - seen + since - mean),
        own=_cosine(before - seen, after - since),
        nearest=float((own <= apart.min(axis=1)).mean()),
    )


def _cosine(a: Array, b: Array) -> float:
    """Mean cosine of the rows of (N, D) with each other; NaN where one has no length."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(((a * b).sum(axis=1) / lengths).mean())


def strangers(descriptors: Array) -> float:
    """Mean distance of two different faces of (N, D), N > 1."""
    apart = np.linalg.norm(descriptors[:, None] - descriptors[None], axis=2)
    n = len(apart)
    return float(apart.sum() / (n * (n - 1)))
