"""One step of an edit: latents moved by a sampler until the step's line holds.

Edits move in coordinates u of w that are halfway between its own and whitened ones; see `Model`.
What a step must not change is told by what was before it, which differs from sample to sample; a
sampler knows nothing of that. So the latent that it is given carries its own past,
[u | u before the step | head outputs before the first step]: the energy is flat in all but u, and
the flow leaves the rest as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from attrs import frozen
from torch import Tensor

from lacelang.compiler import DISPLACEMENT, changes
from lacelang.energy import ConditionalEnergy, Node, Outputs, Penalty, conjunction
from lacelang.engine.loading import ATYPICALITY, Model, atypicality
from lacelang.engine.sampling import TYPICAL_SIGMA
from lacelang.ir import SamplerChoice
from lacelang.rows import in_blocks, named_in_blocks
from lacelang.samplers import SAMPLERS
from lacelang.samplers.options import TYPICAL
from lacelang.samplers.problem import OnStep
from lacelang.samplers.solution import Solution

_TOLERANCES = ("tolerance", "atol")


@frozen(eq=False)
class Stepper:
    """Makes steps on the latents of one model.

    Attributes:
        model: whose classifiers judge w.
        truncation: psi of the samples.
        sampler: with its options.
    """

    model: Model
    truncation: float
    sampler: SamplerChoice

    def place(self, w: Tensor) -> Tensor:
        """Edit coordinates of truncated w (N, d), row by row the same in any company."""
        (u,) = in_blocks(lambda block: (self.model.to_edit_coordinates(block, self.truncation),), w)
        return u

    def placed(self, u: Tensor) -> Tensor:
        """Truncated w of edit coordinates (N, d), row by row the same in any company."""
        (w,) = in_blocks(
            lambda block: (self.model.from_edit_coordinates(block, self.truncation),), u
        )
        return w

    def outputs(self, u: Tensor) -> Outputs:
        """What the classifiers say at coordinates (N, d), row by row the same in any company."""
        with torch.no_grad():
            return named_in_blocks(self._outputs, u)

    def move(
        self, u: Tensor, before: Outputs, node: Node, rows: list[int], *, on_step: OnStep
    ) -> Solution:
        """Descend a condition from where some of the samples stand.

        Args:
            u: coordinates (N, d) of all samples.
            before: their head outputs at the very start.
            node: the condition.
            rows: the n samples that are to meet it.
            on_step: see `OnStep`.

        Returns:
            The sampler's solution, with z the new coordinates (n, d).
        """
        u, before = u[rows], {name: head[rows] for name, head in before.items()}
        past = _Past({name: head.shape[1:] for name, head in before.items()})
        wide = torch.cat([u, u, past.packed(before)], dim=1)
        options: dict[str, Any] = dict(self.sampler.options)
        typical = float(options.get(TYPICAL.name, 0.0))
        # Tolerances are of the root mean square over all coordinates, and only u moves.
        for name in _TOLERANCES:
            if name in options:
                options[name] *= math.sqrt(u.shape[1] / wide.shape[1])
        if typical:
            node = conjunction([node, Penalty(ATYPICALITY, 1.0)])
        energy = ConditionalEnergy(lambda x: self._features(x, past, typical), node)
        solution = SAMPLERS[self.sampler.name](energy, wide, **options, on_step=on_step)
        return Solution(
            solution.z[:, : u.shape[1]], solution.energy, solution.status, solution.stats
        )

    def _outputs(self, u: Tensor) -> Outputs:
        return self.model.heads_at(self.model.from_edit_coordinates(u, self.truncation))

    def _features(self, wide: Tensor, past: _Past, typical: float) -> Outputs:
        d = self.model.generator.w_mean.shape[0]
        u, start, rest = wide[:, :d], wide[:, d : 2 * d].detach(), wide[:, 2 * d :].detach()
        w, w_start = (
            self.model.from_edit_coordinates(u, self.truncation),
            self.model.from_edit_coordinates(start, self.truncation),
        )
        outputs = self.model.heads_at(w)
        # A sample that is beyond the bound already may stay where it is, and go no further. Within
        # the bound there is no pull at all: where nothing is wanted, nothing moves.
        bound = atypicality(self.model.whitened(start)).clamp_min(typical)
        beyond = ((atypicality(self.model.whitened(u)) - bound) / TYPICAL_SIGMA).clamp_min(0.0)
        return {
            **outputs,
            **changes(outputs, past.unpacked(rest)),
            ATYPICALITY: 0.5 * beyond.square(),
            DISPLACEMENT: (u - start).square().sum(dim=1) + (w - w_start).square().sum(dim=1),
        }


@frozen(eq=False)
class _Past:
    """Head outputs side by side in one tensor.

    Attributes:
        shapes: by head, of one sample's output: () or (C,).
    """

    shapes: Mapping[str, torch.Size]

    def packed(self, outputs: Outputs) -> Tensor:
        return torch.cat(
            [outputs[name].reshape(-1, _width(s)) for name, s in self.shapes.items()], 1
        )

    def unpacked(self, columns: Tensor) -> Outputs:
        parts = torch.split(columns, [_width(shape) for shape in self.shapes.values()], dim=1)
        return {
            name: part.reshape(-1, *shape)
            for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }


def _width(shape: torch.Size) -> int:
    return math.prod(shape)
