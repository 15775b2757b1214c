"""Make outputs mean what they say on held-out prior draws: probabilities, values and spreads.

The logic adds probabilities up, so a head that is right nine times in ten must say 0.9.
"""

from __future__ import annotations

import math

import torch
from attrs import frozen
from torch import Tensor
from torch.nn import functional as F

BINS = 15


@frozen(eq=False)
class Calibration:
    """Turns raw outputs o into o * gain + shift.

    Attributes:
        gain: the inverse temperature of a discrete head; the slope of a continuous one.
        shift: (C,) added to the logits; (1,) offset of a continuous head, in its unit.
    """

    gain: float
    shift: Tensor

    def __call__(self, raw: Tensor) -> Tensor:
        """Calibrate (N, C) logits or (N,) values."""
        return raw * self.gain + (self.shift if raw.ndim > 1 else self.shift[0])


def fit_discrete(logits: Tensor, classes: Tensor) -> Calibration:
    """Fit a temperature and a bias for each class by the likelihood of held-out labels.

    One standard normal prior on the logarithm of the temperature and on each bias keeps them
    finite where a head makes no mistake or a class never occurs; beside hundreds of rows it
    weighs nothing. (Guo et al. 2017, temperature and bias-corrected scaling.)

    Args:
        logits: (N, C), raw.
        classes: int64 (N,).
    """
    logits = logits.detach().double()
    log_gain = torch.zeros((), dtype=torch.float64, requires_grad=True)
    shift = torch.zeros(logits.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [log_gain, shift], max_iter=200, tolerance_grad=1e-9, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        nll = F.cross_entropy(logits * log_gain.exp() + shift, classes, reduction="sum")
        penalised = nll + 0.5 * (log_gain**2 + (shift**2).sum())
        penalised.backward()  # type: ignore[no-untyped-call]
        return penalised

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return Calibration(float(log_gain.detach().exp()), shift.detach().float())


def fit_continuous(outputs: Tensor, values: Tensor) -> Calibration:
    """Fit slope and offset by least squares, so that the mean of the truth given f is f.

    Args:
        outputs, values: (N,). A constant output gets slope 1.
    """
    x, y = outputs.detach().double(), values.double()
    spread = ((x - x.mean()) ** 2).mean()
    slope = float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 0 else 1.0
    return Calibration(slope, (y.mean() - slope * x.mean()).reshape(1).float())


def residual(outputs: Tensor, values: Tensor) -> float:
    """Return sigma: the root mean square of value - output, in the attribute's unit."""
    return math.sqrt(float(((values.double() - outputs.double()) ** 2).mean()))


def expected_calibration_error(logits: Tensor, classes: Tensor, bins: int = BINS) -> float:
    """Return the mean gap between confidence and accuracy (Guo et al. 2017, eq. 3).

    Args:
        logits: (N, C).
        classes: int64 (N,).
        bins: how many equally wide bins of the winner's probability.
    """
    confidence, winner = logits.double().softmax(dim=1).max(dim=1)
    right = (winner == classes).double()
    place = (confidence * bins).long().clamp_(max=bins - 1)
    gap = torch.zeros(bins, dtype=torch.float64).index_add_(0, place, right - confidence)
    return float(gap.abs().sum() / len(classes))
