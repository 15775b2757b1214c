"""Which images to ask about next: plain draws, uncertain ones that differ, and the rarest class.

Plain draws keep the shares of the classes known; they come from beyond the pool, which the others
are chosen from, so that no choice takes any of them away.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray

from lacelang.classifiers.few_labels import Floats, Prior, trained
from lacelang.ir import Attribute

BATCH = 12
#: Of a batch, the share of plain draws, and of what is probably the class with the fewest labels.
RANDOM_SHARE = 0.25
RARE_SHARE = 0.25
#: A class counts as rare while it has less than this share of an even division.
_RARE = 0.8
#: Candidates for each question, of which those are taken that differ most.
_CANDIDATES = 6
#: Labels of a class from which a classifier is trained.
_FEWEST = 2


@frozen
class Question:
    """A draw to ask about, by its index, and why."""

    index: int
    asked: Literal["random", "chosen"]


@frozen(eq=False)
class Known:
    """What is known of the draws: inputs of the classifier (N, d), and class numbers or values."""

    inputs: Floats
    values: Floats


def next_questions(
    pool: Floats,
    known: Known,
    asked: Collection[int],
    attribute: Attribute,
    prior: Prior,
    count: int = BATCH,
) -> list[Question]:
    """Choose the next draws to ask about; the same arguments give the same answer.

    Args:
        pool: inputs of the classifier at draws 0 … M − 1, (M, d).
        known: the labels so far.
        asked: indices of all draws that were asked about, skipped ones too.
        attribute: that is taught.
        prior: of the inputs.
        count: how many to ask.
    """
    free = np.array([i for i in range(len(pool)) if i not in asked], np.int64)
    chosen: list[int] = []
    if len(free) and _can_train(known, attribute):
        wanted = count - max(1, round(RANDOM_SHARE * count))
        chosen = _chosen(pool, free, known, attribute, prior, wanted)
    plain: list[int] = []
    index = len(pool)
    while len(plain) + len(chosen) < count:
        if index not in asked:
            plain.append(index)
        index += 1
    questions = [Question(i, "chosen") for i in chosen] + [Question(i, "random") for i in plain]
    # Nobody should see from its place why an image is asked about.
    return sorted(questions, key=lambda question: question.index * 2654435761 % 2**32)


def _can_train(known: Known, attribute: Attribute) -> bool:
    if not attribute.discrete:
        return len(known.values) >= BATCH and len(np.unique(known.values)) > 1
    counts = _counts(known, attribute)
    return int((counts >= _FEWEST).sum()) >= 2


def _counts(known: Known, attribute: Attribute) -> NDArray[np.int64]:
    return np.bincount(known.values.astype(np.int64), minlength=attribute.width)


def _chosen(
    pool: Floats,
    free: NDArray[np.int64],
    known: Known,
    attribute: Attribute,
    prior: Prior,
    count: int,
) -> list[int]:
    heads = trained(known.inputs, known.values, attribute, prior)
    with torch.no_grad():
        x = heads.standardise(torch.from_numpy(pool[free]))
        outputs = heads.raw(x).mean(dim=0)
    points = x.numpy()
    if not attribute.discrete:
        # A number is asked about over its whole range.
        bands = np.array_split(np.argsort(outputs[:, 0].numpy(), kind="stable"), count)
        return [int(free[band[_spread(points[band], 1)[0]]]) for band in bands if len(band)]
    probabilities = outputs.softmax(dim=1).numpy()
    taken: list[int] = []
    counts = _counts(known, attribute)
    rarest = int(counts.argmin())
    if counts[rarest] < _RARE * counts.sum() / attribute.width:
        likely = np.argsort(-probabilities[:, rarest], kind="stable")
        some = round(RARE_SHARE * count / (1 - RANDOM_SHARE))
        taken += _differing(points, likely[: _CANDIDATES * some], some)
    first, second = np.sort(probabilities, axis=1)[:, ::-1][:, :2].T
    unsure = np.argsort(first - second, kind="stable")
    unsure = unsure[~np.isin(unsure, taken)]
    some = count - len(taken)
    taken += _differing(points, unsure[: _CANDIDATES * some], some)
    return [int(free[row]) for row in taken]


def _differing(points: Floats, rows: NDArray[np.int64], count: int) -> list[int]:
    """Take those of some rows that differ most from each other, the first of them included."""
    return [int(rows[k]) for k in _spread(points[rows], count)]


def _spread(points: Floats, count: int) -> list[int]:
    """Return the places of up to `count` points: each is the farthest from those before it.

    (Gonzalez 1985, greedy k-center.)
    """
    taken, distance = list[int](), np.full(len(points), np.inf)
    while len(taken) < min(count, len(points)):
        # The first stands before the others, in whose order they came.
        place = int(distance.argmax()) if taken else 0
        taken.append(place)
        distance = np.minimum(distance, np.square(points - points[place]).sum(axis=1))
        distance[taken] = -1.0
    return taken
