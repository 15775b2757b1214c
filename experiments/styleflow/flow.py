"""StyleFlow: a conditional continuous normalising flow of w (Abdal, Zhu, Mitra and Wonka 2021).

Between whitened w and z ~ N(0, I) stands the flow of dx/dt = f(x, t, a), a the attributes:

    log p(w | a) = log N(z; 0, I) + ∫ tr(∂f/∂x) dt + log |det| of the normalisation before it

f has gated layers ("concatsquash" of FFJORD, Grathwohl et al. 2019), tanh between them:

    y = (W x + b) ⊙ σ(G c + g) + H c,     c = (t, a)

Conditional sampling solves the flow backwards from z. An edit solves it forwards under the
attributes that a face has, and backwards under the edited ones; some layers take the new styles.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
import torchdiffeq
from torch import Tensor, nn

from experiments.laboratory.loop import half_precision
from lacelang import ir

#: Layers of f, and their width.
LAYERS, WIDTH = 3, 512
#: Steps of the fixed solver (RK4) in training, and tolerances of dopri5 elsewhere.
TRAINING_STEPS, TOLERANCE = 4, 1e-4
_MOMENTUM = 0.01  # of the running mean and deviation


class Gated(nn.Module):
    """x (N, into) and c (N, K) → (N, out): see the module."""

    def __init__(self, into: int, out: int, given: int) -> None:
        super().__init__()
        self.linear = nn.Linear(into, out)
        self.gate = nn.Linear(given, out)
        self.shift = nn.Linear(given, out, bias=False)

    def forward(self, x: Tensor, given: Tensor) -> Tensor:
        """Return (W x + b) ⊙ σ(G c + g) + H c."""
        found: Tensor = self.linear(x) * torch.sigmoid(self.gate(given)) + self.shift(given)
        return found


class Dynamics(nn.Module):
    """f(x, t, a) of x (N, d), a scalar time and attributes a (N, K)."""

    def __init__(self, size: int, attributes: int) -> None:
        super().__init__()
        sizes = (size, *(WIDTH for _ in range(LAYERS - 1)), size)
        self.layers = nn.ModuleList(
            Gated(sizes[k], sizes[k + 1], attributes + 1) for k in range(LAYERS)
        )

    def forward(self, t: Tensor, x: Tensor, attributes: Tensor) -> Tensor:
        """Return dx/dt."""
        given = torch.cat([t.expand(len(x), 1), attributes], dim=1)
        for number, layer in enumerate(self.layers):
            x = layer(x if number == 0 else torch.tanh(x), given)
        return x


class MovingNorm(nn.Module):
    """(x − mean) / deviation, both running averages; invertible."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the normalised x (N, d) and log |det| of the map, a scalar."""
        if self.training:
            self.mean.lerp_(x.detach().mean(0), _MOMENTUM)
            self.deviation.lerp_(x.detach().std(0), _MOMENTUM)
        return (x - self.mean) / self.deviation, -self.deviation.log().sum()

    def inverse(self, x: Tensor) -> Tensor:
        """Return x times the deviation plus the mean."""
        return x * self.deviation + self.mean


class StyleFlow(nn.Module):
    """The flow between whitened w (N, d) and z ~ N(0, I) (N, d), given attributes (N, K)."""

    def __init__(self, size: int, attributes: int) -> None:
        super().__init__()
        self.norm = MovingNorm(size)
        self.dynamics = Dynamics(size, attributes)

    def log_likelihood(self, u: Tensor, attributes: Tensor, steps: int = TRAINING_STEPS) -> Tensor:
        """log p(u | a) (N,), with one random direction for the trace (Hutchinson), by RK4."""
        x, det = self.norm(u)
        probe = torch.randn_like(x)

        def slope(t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            with torch.enable_grad(), half_precision():
                at = state[0] if state[0].requires_grad else state[0].requires_grad_()
                found = self.dynamics(t, at, attributes).float()
                (row,) = torch.autograd.grad(found, at, probe, create_graph=self.training)
            return found, (row * probe).sum(1)

        state = x, x.new_zeros(len(x))
        z, trace = torchdiffeq.odeint(
            slope, state, torch.tensor([0.0, 1.0]), method="rk4", options={"step_size": 1 / steps}
        )
        normal = -0.5 * z[-1].square().sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi)
        found: Tensor = normal + trace[-1] + det
        return found

    def forwards(self, u: Tensor, attributes: Tensor) -> Tensor:
        """Whitened w (N, d) → z."""
        return self._solved(self.norm(u)[0], attributes, 0.0, 1.0)

    def backwards(self, z: Tensor, attributes: Tensor) -> Tensor:
        """z (N, d) → whitened w."""
        return self.norm.inverse(self._solved(z, attributes, 1.0, 0.0))

    def _solved(self, x: Tensor, attributes: Tensor, begin: float, end: float) -> Tensor:
        def slope(t: Tensor, x: Tensor) -> Tensor:
            found: Tensor = self.dynamics(t, x, attributes)
            return found

        with torch.no_grad():
            solved: Tensor = torchdiffeq.odeint(
                slope,
                x,
                torch.tensor([begin, end]),
                method="dopri5",
                rtol=TOLERANCE,
                atol=TOLERANCE,
            )[-1]
        return solved


class Attributes:
    """Attributes as rows of numbers: classes one by one, numbers between 0 and 1, then scaled.

    A binary attribute is one number; what was not seen is the mean of the labels.
    """

    def __init__(self, attributes: Sequence[ir.Attribute], columns: Mapping[str, Tensor]) -> None:
        self.attributes = tuple(attributes)
        self.mean = torch.zeros(self.size)
        self.deviation = torch.ones(self.size)
        raw = self._raw(columns)
        seen = ~raw.isnan()
        self.mean = torch.nanmean(raw, 0)
        spread = torch.where(seen, raw - self.mean, 0.0).square().sum(0) / seen.sum(0)
        self.deviation = spread.sqrt().clamp_min(1e-3)

    @property
    def size(self) -> int:
        """K, the length of a row."""
        return sum(_length(each) for each in self.attributes)

    def place(self, name: str) -> slice:
        """Where an attribute is in a row."""
        begin = 0
        for each in self.attributes:
            if each.name == name:
                return slice(begin, begin + _length(each))
            begin += _length(each)
        raise KeyError(name)

    def rows(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Labels by attribute, (N,) with NaN where nothing was seen → (N, K)."""
        return ((self._raw(columns) - self.mean) / self.deviation).nan_to_num(0.0)

    def asked(self, rows: Tensor, wanted: Sequence[ir.Comparison]) -> Tensor:
        """Rows (N, K) with what comparisons `a=v` ask for in the place of what they had."""
        rows = rows.clone()
        for atom in wanted:
            place = self.place(atom.attribute.name)
            if isinstance(atom, ir.ClassComparison):
                value = torch.tensor([float(min(atom.classes))])
            else:
                value = torch.tensor([float(atom.interval()[0])])
            raw = _encoded(atom.attribute, value)[0]
            rows[:, place] = (raw - self.mean[place]) / self.deviation[place]
        return rows

    def _raw(self, columns: Mapping[str, Tensor]) -> Tensor:
        parts = [_encoded(each, columns[each.name]) for each in self.attributes]
        return torch.cat(parts, dim=1)


def _length(attribute: ir.Attribute) -> int:
    return len(attribute.values) if attribute.discrete and len(attribute.values) > 2 else 1


def _encoded(attribute: ir.Attribute, column: Tensor) -> Tensor:
    """Values (N,) → (N, length): one of each class, or a number between 0 and 1."""
    if attribute.limits is not None:
        low, high = attribute.limits
        return ((column.float() - low) / (high - low))[:, None]
    if _length(attribute) == 1:
        return column.float()[:, None]
    classes = torch.arange(_length(attribute))
    found = (column[:, None] == classes).float()
    return torch.where(column[:, None].isnan(), torch.nan, found)
