from __future__ import annotations

import numpy as np
import pytest

from lacelang.classifiers.few_labels import Prior
from lacelang.ir import BinaryAttribute, ContinuousAttribute
from lacelang.teaching.asking import BATCH, Known, next_questions

POOL = np.random.default_rng(0).standard_normal((400, 8)).astype(np.float32)
PRIOR = Prior.of(POOL)
HAT = BinaryAttribute("hat")
NOTHING = Known(POOL[:0], np.zeros(0, np.float32))


def labelled(rows: np.ndarray, threshold: float = 0.0) -> Known:
    return Known(POOL[rows], (POOL[rows, 0] > threshold).astype(np.float32))


def test_the_first_questions_are_plain_draws() -> None:
    questions = next_questions(POOL, NOTHING, (), HAT, PRIOR)
    assert {q.index for q in questions} == set(range(400, 400 + BATCH))
    assert {q.asked for q in questions} == {"random"}


def test_the_same_labels_give_the_same_questions_and_none_twice() -> None:
    known, asked = labelled(np.arange(40)), set(range(40)) | {400, 402}
    questions = next_questions(POOL, known, asked, HAT, PRIOR)
    assert questions == next_questions(POOL.copy(), labelled(np.arange(40)), asked, HAT, PRIOR)
    indices = [q.index for q in questions]
    assert len(set(indices)) == BATCH
    assert not set(indices) & asked
    plain = [q.index for q in questions if q.asked == "random"]
    assert sorted(plain) == [401, 403, 404]


def test_uncertain_images_are_asked_about_that_differ() -> None:
    known = labelled(np.arange(60))
    questions = next_questions(POOL, known, range(60), HAT, PRIOR)
    chosen = [q.index for q in questions if q.asked == "chosen"]
    margin = np.abs(POOL[chosen, 0])
    assert np.median(margin) < np.median(np.abs(POOL[60:, 0]))
    points = POOL[chosen]
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)[np.triu_indices(len(chosen), 1)]
    assert apart.min() > 1.5


def test_a_rare_class_is_looked_for() -> None:
    known = labelled(np.arange(150), threshold=1.5)
    assert 2 <= known.values.sum() < 20
    questions = next_questions(POOL, known, range(150), HAT, PRIOR)
    chosen = [q.index for q in questions if q.asked == "chosen"]
    assert (POOL[chosen, 0] > 1.0).sum() >= 3


def test_a_number_is_asked_about_over_its_range() -> None:
    rows = np.arange(40)
    size = ContinuousAttribute("size", -9.0, 9.0)
    known = Known(POOL[rows], POOL[rows, 0])
    questions = next_questions(POOL, known, range(40), size, PRIOR)
    chosen = np.array([q.index for q in questions if q.asked == "chosen"])
    assert len(set(chosen)) == 9
    assert np.ptp(POOL[chosen, 0]) > 2.5


@pytest.mark.parametrize("count", [1, 5, 24])
def test_any_number_can_be_asked(count: int) -> None:
    questions = next_questions(POOL, labelled(np.arange(40)), range(40), HAT, PRIOR, count)
    assert len({q.index for q in questions}) == count
