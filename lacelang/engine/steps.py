"""One step of an edit: latents moved by a sampler until the step's line holds.

Edits move in coordinates u of w that are halfway between its own and whitened ones; see `Model`.
What a step must not change is told by what was before it, which differs from sample to sample:
where the step began, and the outputs before the first step, are arguments of the energy.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from attrs import frozen
from torch import Tensor

from lacelang.compiler import changes
from lacelang.energy import (
    ATYPICALITY,
    DISPLACEMENT,
    ConditionalEnergy,
    Node,
    Outputs,
    Penalty,
    conjunction,
)
from lacelang.engine.loading import Model, atypicality
from lacelang.engine.sampling import TYPICAL_SIGMA
from lacelang.ir import SamplerChoice
from lacelang.rows import in_blocks, named_in_blocks
from lacelang.samplers import SAMPLERS
from lacelang.samplers.declaration import TYPICAL
from lacelang.samplers.problem import OnStep, Target
from lacelang.samplers.solution import Solution


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

    def to_edit_coordinates(self, w: Tensor) -> Tensor:
        """Edit coordinates of truncated w (N, d), row by row the same in any company."""
        (u,) = in_blocks(lambda block: (self.model.to_edit_coordinates(block, self.truncation),), w)
        return u

    def from_edit_coordinates(self, u: Tensor) -> Tensor:
        """Truncated w of edit coordinates (N, d), row by row the same in any company."""
        (w,) = in_blocks(lambda block: (self._w(block),), u)
        return w

    def outputs(self, u: Tensor) -> Outputs:
        """What the classifiers say at coordinates (N, d), row by row the same in any company."""
        with torch.no_grad():
            return named_in_blocks(lambda block: self.model.heads_at(self._w(block)), u)

    def move(
        self, u: Tensor, before: Outputs, node: Node, rows: list[int], *, on_step: OnStep
    ) -> Solution:
        """Descend a condition from where some of the samples stand.

        Args:
            u: coordinates (N, d) of all samples.
            before: their head outputs at the very start.
            node: the condition, and what it regularises of `changes` and `DISPLACEMENT`.
            rows: the n samples that are to meet it.
            on_step: see `OnStep`.

        Returns:
            The sampler's solution, with z the new coordinates (n, d).
        """
        start = u[rows]
        options: dict[str, Any] = dict(self.sampler.options)
        typical = float(options.get(TYPICAL.name, 0.0))
        if typical:
            node = conjunction([node, Penalty(ATYPICALITY, 1.0)])
        energy = ConditionalEnergy(partial(self._features, list(before), typical), node)
        args = (start, self.from_edit_coordinates(start), *(head[rows] for head in before.values()))
        sampler = SAMPLERS[self.sampler.name]
        return sampler(Target.of(energy, args), start, **options, on_step=on_step)

    def _w(self, u: Tensor) -> Tensor:
        return self.model.from_edit_coordinates(u, self.truncation)

    def _features(
        self,
        names: Sequence[str],
        typical: float,
        u: Tensor,
        start: Tensor,
        w_start: Tensor,
        *before: Tensor,
    ) -> Outputs:
        w = self._w(u)
        outputs = self.model.heads_at(w)
        # A sample that is beyond the bound already may stay where it is, and go no further. Within
        # the bound there is no pull at all: where nothing is wanted, nothing moves.
        bound = atypicality(self.model.whitened(start)).clamp_min(typical)
        beyond = ((atypicality(self.model.whitened(u)) - bound) / TYPICAL_SIGMA).clamp_min(0.0)
        return {
            **outputs,
            **changes(outputs, dict(zip(names, before, strict=True))),
            ATYPICALITY: 0.5 * beyond.square(),
            DISPLACEMENT: (u - start).square().sum(dim=1) + (w - w_start).square().sum(dim=1),
        }
