from __future__ import annotations

import numpy as np
import pytest
import torch

from lacelang.classifiers.few_labels import Prior, accuracy, learn, like_the_prior, matched, trained
from lacelang.errors import UsageError
from lacelang.ir import BinaryAttribute, ChoiceAttribute, ContinuousAttribute

RNG = np.random.default_rng(3)
W = RNG.standard_normal((4000, 12)).astype(np.float32)
PRIOR = Prior.of(W)
HAT = BinaryAttribute("hat")


def rare(noise: float = 0.3) -> np.ndarray:
    """A class that one draw in ten has."""
    score = W[:, 0] + noise * RNG.standard_normal(len(W))
    return (score > np.quantile(score, 0.9)).astype(np.float32)


def test_probabilities_have_the_shares_of_the_prior_whatever_was_labelled() -> None:
    y = rare()
    # As many of either class, as questions are chosen; a fifth are plain draws.
    plain = np.arange(60)
    chosen = np.concatenate([1000 + np.flatnonzero(y[1000:] == k)[:70] for k in (0, 1)])
    rows = np.concatenate([plain, chosen])
    random = np.arange(len(rows)) < 60
    learned = learn(W[rows], y[rows], HAT, PRIOR, random=random)
    with torch.no_grad():
        p = learned.heads(torch.from_numpy(W))["hat"].softmax(dim=1)[:, 1].numpy()
    assert p.mean() == pytest.approx(learned.figures["shares"]["1"], abs=0.01)
    assert learned.figures["random"] == 60
    misled = learn(W[rows], y[rows], HAT, PRIOR).figures["shares"]["1"]
    assert misled > 0.3


def test_the_interval_holds_the_accuracy_on_new_draws() -> None:
    y = rare()
    rows = np.arange(300)
    learned = learn(W[rows], y[rows], HAT, PRIOR)
    figures = learned.figures
    with torch.no_grad():
        logits = learned.heads(torch.from_numpy(W[300:]))["hat"].numpy()
    decided = (logits - np.log(list(figures["shares"].values()))).argmax(axis=1)
    truth = y[300:]
    balanced = np.mean([(decided[truth == k] == k).mean() for k in (0, 1)])
    # Held-out rows are judged by classifiers of nine tenths of the labels.
    assert figures["low"] <= balanced <= figures["high"] + 0.02
    assert figures["low"] < figures["balanced_accuracy"] < figures["high"]
    assert 0 <= figures["held_out"]["ece"] < 0.1


def test_weights_make_chosen_rows_like_the_prior() -> None:
    draws = np.random.default_rng(0).standard_normal((5000, 1))
    chosen = np.random.default_rng(1).uniform(-3, 3, (400, 1))
    drawn, labelled = (np.concatenate([-x, x], axis=1) for x in (draws, chosen))
    weights = like_the_prior(labelled, drawn)
    assert weights.sum() == pytest.approx(400)
    second = (weights * chosen[:, 0] ** 2).sum() / weights.sum()
    assert second == pytest.approx(1.0, abs=0.3)
    assert (chosen**2).mean() > 2.5


def test_accuracy_counts_classes_alike() -> None:
    decided, classes = np.zeros(100, np.int64), np.repeat([0, 1], [90, 10])
    found = accuracy(decided, classes, 2, np.ones(100))
    assert found["balanced_accuracy"] == 0.5
    assert found["low"] <= 0.5 <= found["high"] < 0.7
    everything = accuracy(classes, classes, 2, np.ones(100))
    assert everything["balanced_accuracy"] == everything["high"] == 1.0
    assert 0.7 < everything["low"] < 1.0


def test_choices_and_numbers_are_learned() -> None:
    side = np.digitize(W[:, 1], [-0.5, 0.5]).astype(np.float32)
    hair = ChoiceAttribute("hair", ("black", "brown", "blond"))
    learned = learn(W[:200], side[:200], hair, PRIOR)
    assert set(learned.figures["counts"]) == set(hair.values)
    assert sum(learned.figures["counts"].values()) == 200
    size = ContinuousAttribute("size", -10.0, 10.0)
    learned = learn(W[:100], 2 * W[:100, 2] + 1, size, PRIOR)
    assert learned.figures["held_out"]["r2"] > 0.8
    assert learned.heads.sigma["size"] == learned.figures["sigma"]
    with torch.no_grad():
        value = learned.heads(torch.from_numpy(W[500:600]))["size"].numpy()
    assert np.corrcoef(value, W[500:600, 2])[0, 1] > 0.95


def test_the_same_labels_give_the_same_weights() -> None:
    y = rare()[:100]
    one, other = (learn(W[:100], y, HAT, PRIOR).heads for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.weights, other.weights, strict=True))
    assert torch.equal(one.shift, other.shift)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.ones(60), "all 60 labels are 1"),
        (np.zeros(0), "all 0 labels"),
        (np.arange(10) < 2, "every class needs 5 labels or more, and 1 has 2"),
    ],
)
def test_too_little_is_refused(values: np.ndarray, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        learn(W[: len(values)], values.astype(np.float32), HAT, PRIOR)


def test_numbers_that_are_all_the_same_are_refused() -> None:
    size = ContinuousAttribute("size", 0.0, 10.0)
    with pytest.raises(UsageError, match="every label is 3"):
        learn(W[:50], np.full(50, 3, np.float32), size, PRIOR)
    with pytest.raises(UsageError, match="19 labels, and a number needs 20"):
        learn(W[:19], np.arange(19, dtype=np.float32), size, PRIOR)


def test_matching_reaches_any_shares() -> None:
    heads = trained(W[:200], rare()[:200], HAT, PRIOR)
    for share in (0.01, 0.5, 0.9):
        shares = torch.tensor([1 - share, share], dtype=torch.float64)
        found = matched(heads, 2.0, shares, PRIOR.draws)
        with torch.no_grad():
            raw = heads.raw(heads.standardise(PRIOR.draws)).mean(dim=0)
            mean = found(raw).softmax(dim=1).mean(dim=0)
        assert mean[1] == pytest.approx(share, abs=1e-3)
