"""Draws from the prior, not decoded to images, each with a value of every attribute.

A classifier does not say what a draw shows but how likely each value is. `drawn` therefore gives a
draw a value at random: a class by its calibrated probability, a number from the normal around the
classifier's value with the held-out residual as its spread. A draw then has one value of each
attribute, as a labelled picture has, so that any logic over attributes is true or false of it and
the laws of logic hold. `decided` is the classifiers' verdict instead: the likeliest class, the
value itself.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray

from lacelang.ir import Attribute, ContinuousAttribute
from lacelang.memory import Memory
from lacelang.progress import Progress
from lacelang.rows import named_in_blocks
from lacelang.samplers.streams import POPULATION, stream
from lacelang.system.threads import Pool, checkpoint
from lacelang.system.torch_state import isolated

if TYPE_CHECKING:
    from lacelang.engine.loading import Model, Outputs

Columns = dict[str, NDArray[np.float32]]

DRAWS = 100_000
#: Draws that share a stream of random numbers, and are judged in one pass. A stream for each draw,
#: as samples have, takes as long as the networks do.
BLOCK = 5_000
# Columns of twelve attributes take 10 MB.
_MOST_KEPT = 4
_MOST_THREADS = 16


@frozen(eq=False)
class Population:
    """Draws from the prior at one truncation, by attribute.

    Attributes:
        drawn, decided: float32 (N,) by attribute: class numbers, or values in its unit.
    """

    drawn: Columns
    decided: Columns

    def __len__(self) -> int:
        return len(next(iter(self.drawn.values()), ()))


_kept: Memory[Model, Population] = Memory(_MOST_KEPT)


def population(
    model: Model,
    attributes: Sequence[Attribute],
    truncation: float,
    seed: int,
    progress: Progress,
    draws: int = DRAWS,
) -> Population:
    """Return the population of a model, a function of truncation, seed and the attributes' order.

    The last few are kept, so that statements and prompts that ask the same again do not wait.

    Args:
        model: whose latents are drawn and whose classifiers judge them.
        attributes: in the order of declaration.
        truncation: psi of w' = mean + psi (w - mean).
        seed: of the draws.
        progress: where to show how far it is.
        draws: how many.

    Raises:
        ResourceError: the classifiers cannot be had.
    """

    def make() -> Population:
        blocks = []
        with progress.stage("measuring", draws) as stage:
            numbers = range(-(-draws // BLOCK))
            # Threads of our own, each with torch's work in it alone: how many there are changes
            # no block.
            with Pool(min(os.cpu_count() or 1, _MOST_THREADS), "prior draws") as pool:
                make_block = partial(_block, model, attributes, truncation, seed, draws)
                for job in [pool.submit(make_block, number) for number in numbers]:
                    checkpoint()
                    blocks.append(job.result())
                    stage.advance(len(blocks[-1]))
        drawn, decided = [block.drawn for block in blocks], [block.decided for block in blocks]
        return Population(_joined(drawn), _joined(decided))

    names = tuple(attribute.name for attribute in attributes)
    return _kept.get(model, (names, truncation, seed, draws), make)


def _block(
    model: Model,
    attributes: Sequence[Attribute],
    truncation: float,
    seed: int,
    draws: int,
    number: int,
) -> Population:
    """The draws of block `number`, of which the last one has what is left."""
    random = stream(seed, number, POPULATION)
    count = min(BLOCK, draws - number * BLOCK)
    dim = model.generator.latent_dim
    z = torch.from_numpy(random.standard_normal((BLOCK, dim), dtype=np.float32)[:count])
    drawn: Columns = {}
    decided: Columns = {}
    with isolated(), torch.no_grad():
        features = model.features(truncation)
        outputs = named_in_blocks(features, z.to(model.device))
        for attribute in attributes:
            noise = random.random(BLOCK), random.standard_normal(BLOCK)
            drawn[attribute.name], decided[attribute.name] = _values(
                attribute, outputs, model, noise[0][:count], noise[1][:count]
            )
    return Population(drawn, decided)


def _values(
    attribute: Attribute,
    outputs: Outputs,
    model: Model,
    uniform: NDArray[np.float64],
    normal: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A value of one attribute for each draw, at random and by verdict, float32 (N,)."""
    output = outputs[attribute.name].double()
    if isinstance(attribute, ContinuousAttribute):
        verdict = output.cpu().numpy()
        value = verdict + model.sigma[attribute.name] * normal
        # Nobody is minus three years old, whatever the residual's tail says.
        low, high = attribute.low, attribute.high
        return (
            np.clip(value, low, high).astype(np.float32),
            np.clip(verdict, low, high).astype(np.float32),
        )
    up_to = output.softmax(dim=1).cumsum(dim=1).cpu().numpy()
    # All but the last: the sum of all may be a little below 1.
    value = (uniform[:, None] >= up_to[:, :-1]).sum(axis=1)
    return value.astype(np.float32), output.argmax(dim=1).cpu().numpy().astype(np.float32)


def _joined(parts: Sequence[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
