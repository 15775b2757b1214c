"""Latent classifiers: from truncated w to calibrated logits and values of every attribute."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lacelang.errors import UsageError
from lacelang.ir import Attribute

Arrangement = Literal["single", "separate"]
Outputs = dict[str, Tensor]

HIDDEN = (384, 256, 128)
SLOPE = 0.2


class Heads(nn.Module):
    """The classifiers of all attributes, evaluated in one batched pass (LACE sec. 4, MLPs on W).

    `single` shares one trunk, in -> `hidden` (LeakyReLU), with a linear head for each attribute;
    `separate` gives every attribute an MLP of its own. Without hidden layers both are linear.
    `members` > 1 averages the outputs of so many networks that differ by their initial weights. All
    are held as stacked weights (members * stacks, out, in), where `stacks` is 1, or the number of
    attributes for `separate`; a layer is one batched product. The mean output o is calibrated to
    o * gain + shift, by column.

    Attributes:
        columns: by attribute, where its outputs are, laid side by side.
        sigma: by continuous attribute, the spread of the truth around the output, in its unit.
    """

    mean: Tensor
    std: Tensor
    gain: Tensor
    shift: Tensor

    def __init__(
        self,
        attributes: Sequence[Attribute],
        *,
        arrangement: Arrangement = "single",
        members: int = 1,
        inputs: int,
        hidden: Sequence[int] = HIDDEN,
    ) -> None:
        super().__init__()
        if not attributes or len({a.name for a in attributes}) < len(attributes):
            raise UsageError("a classifier needs one or more attributes with different names")
        if arrangement not in ("single", "separate") or members < 1:
            raise UsageError(f"no such arrangement of heads: {members} times {arrangement!r}")
        self.attributes = tuple(attributes)
        self.arrangement: Arrangement = arrangement
        self.members = members
        self.sigma: dict[str, float] = {a.name: math.nan for a in attributes if not a.discrete}
        widths = [a.width for a in self.attributes]
        ends = list(accumulate(widths, initial=0))
        self.columns = {
            a.name: slice(*at) for a, at in zip(attributes, pairwise(ends), strict=True)
        }
        single = arrangement == "single"
        self.stacks = 1 if single else len(widths)
        self.hidden = tuple(hidden)
        sizes = pairwise((inputs, *hidden, sum(widths) if single else max(widths)))
        layers = [(members * self.stacks, out, into) for into, out in sizes]
        self.weights = nn.ParameterList(map(torch.zeros, layers))
        self.biases = nn.ParameterList(torch.zeros(n, 1, out) for n, out, _ in layers)
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("std", torch.ones(inputs))
        self.register_buffer("gain", torch.ones(sum(widths)))
        self.register_buffer("shift", torch.zeros(sum(widths)))

    @property
    def inputs(self) -> int:
        """The dimension of w."""
        return self.mean.shape[0]

    def initialise(self, generator: torch.Generator) -> None:
        """Draw fresh weights, uniform within 1/sqrt(fan in) like `torch.nn.Linear`."""
        with torch.no_grad():
            for weight, bias in zip(self.weights, self.biases, strict=True):
                bound = weight.shape[-1] ** -0.5
                weight.uniform_(-bound, bound, generator=generator)
                bias.uniform_(-bound, bound, generator=generator)

    def freeze(self) -> Heads:
        """Make the weights constants, so that gradients flow to w only."""
        self.requires_grad_(False)
        return self.eval()

    def round_and_freeze(self) -> Heads:
        """Round weights as in a saved file, so that a loaded classifier is the same one; freeze."""
        with torch.no_grad():
            for tensor in (*self.weights, *self.biases):
                tensor.copy_(tensor.half().float())
        return self.freeze()

    def standardise(self, w: Tensor) -> Tensor:
        """Return (w - mean) / std, column by column."""
        return (w - self.mean) / self.std

    def raw(
        self, x: Tensor, *, dropout: float = 0.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Run the networks on standardised input (N, inputs), or (networks, N, inputs).

        `dropout` is the share of hidden units dropped after each hidden layer. Returns uncalibrated
        outputs (members, N, columns).
        """
        networks, count = self.weights[0].shape[0], x.shape[-2]
        hidden = x.expand(networks, count, self.inputs)
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias, hidden, weight.transpose(1, 2))
            if layer < last:
                hidden = F.leaky_relu(hidden, SLOPE)
                if dropout:
                    kept = torch.rand(hidden.shape, generator=generator) >= dropout
                    hidden = hidden * kept / (1.0 - dropout)
        stacked = hidden.view(self.members, self.stacks, count, -1)
        if self.arrangement == "single":
            return stacked[:, 0]
        own = [stacked[:, k, :, : a.width] for k, a in enumerate(self.attributes)]
        return torch.cat(own, dim=-1)

    def forward(self, w: Tensor) -> Outputs:
        """Return outputs by attribute for truncated latents (N, inputs).

        They are calibrated logits (N, C), or of a continuous one its expected value (N,).
        """
        outputs = self.raw(self.standardise(w)).mean(dim=0) * self.gain + self.shift
        return {
            a.name: outputs[:, at] if a.discrete else outputs[:, at.start]
            for a, at in zip(self.attributes, self.columns.values(), strict=True)
        }


class SeveralHeads:
    """Classifiers from several files as one: each is evaluated, and none changes another's bits.

    Attributes:
        sigma: as of `Heads`.
        columns: the names of the attributes.
    """

    def __init__(self, parts: Sequence[Heads]) -> None:
        self.parts = tuple(parts)
        self.columns = frozenset(name for part in parts for name in part.columns)
        self.sigma: Mapping[str, float] = {n: s for part in parts for n, s in part.sigma.items()}

    def __call__(self, x: Tensor) -> Outputs:
        """Return the outputs of all by attribute; see `Heads.forward`."""
        return {name: output for part in self.parts for name, output in part(x).items()}
