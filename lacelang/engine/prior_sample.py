"""Draws from the prior, not decoded to images, each with a value of every attribute.

A classifier does not say what a draw shows but how likely each value is. `drawn` therefore gives a
draw a value at random: a class by its calibrated probability, or a number from the normal around
the classifier's value with the held-out residual as its spread. So a draw has one value of each
attribute, as a labelled picture has, and the laws of logic hold. `decided` is the classifiers'
verdict instead: the likeliest class, or the value itself.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from torch import Tensor

from lacelang.ir import Attribute
from lacelang.progress import Progress
from lacelang.rows import named_in_blocks
from lacelang.samplers.streams import PRIOR_SAMPLE, stream
from lacelang.system.threads import Pool, checkpoint
from lacelang.system.torch_state import isolated

if TYPE_CHECKING:
    from lacelang.engine.loading import Model

Columns = dict[str, NDArray[np.float32]]

DRAWS = 100_000
#: Draws that share a stream of random numbers and one pass of the networks. A stream for each draw,
#: as samples have, takes as long as the networks do.
BLOCK = 5_000
_MOST_THREADS = 16


@frozen(eq=False)
class PriorSample:
    """Draws from the prior at one truncation.

    Attributes:
        drawn, decided: float32 (N,) by attribute: class numbers, or values in its unit.
    """

    drawn: Columns
    decided: Columns

    def __len__(self) -> int:
        return len(next(iter(self.drawn.values()), ()))


def prior_sample(
    model: Model,
    attributes: Sequence[Attribute],
    truncation: float,
    seed: int,
    progress: Progress,
    draws: int = DRAWS,
) -> PriorSample:
    """Return draws from the prior of a model; `attributes` are in the order of declaration.

    The model remembers the last few, so that nobody who asks the same again has to wait.

    Raises:
        ResourceError: the classifiers cannot be had.
    """

    def make() -> PriorSample:
        blocks = []
        # Threads of our own, in each of which torch works alone: their number changes no bit.
        threads = Pool(min(os.cpu_count() or 1, _MOST_THREADS), "prior draws")
        with progress.stage("measuring", draws) as stage, threads as pool:
            block = partial(_block, model, attributes, truncation, seed, draws)
            for job in [pool.submit(block, number) for number in range(-(-draws // BLOCK))]:
                checkpoint()
                blocks.append(job.result())
                stage.advance(len(blocks[-1]))
        return PriorSample(
            {a.name: np.concatenate([b.drawn[a.name] for b in blocks]) for a in attributes},
            {a.name: np.concatenate([b.decided[a.name] for b in blocks]) for a in attributes},
        )

    names = tuple(attribute.name for attribute in attributes)
    return model.remembered(("prior sample", names, truncation, seed, draws), make)


def _block(
    model: Model,
    attributes: Sequence[Attribute],
    truncation: float,
    seed: int,
    draws: int,
    number: int,
) -> PriorSample:
    """The draws of block `number`, of which the last one has what is left."""
    random = stream(seed, number, PRIOR_SAMPLE)
    count = min(BLOCK, draws - number * BLOCK)
    dim = model.generator.latent_dim
    z = torch.from_numpy(random.standard_normal((BLOCK, dim), dtype=np.float32)[:count])
    found = PriorSample({}, {})
    with isolated(), torch.no_grad():
        outputs = named_in_blocks(model.features(truncation), z.to(model.device))
        for attribute in attributes:
            uniform, normal = random.random(BLOCK)[:count], random.standard_normal(BLOCK)[:count]
            output = outputs[attribute.name].double()
            drawn: NDArray[Any]
            decided: NDArray[Any]
            if attribute.limits is not None:
                decided = output.cpu().numpy()
                drawn = decided + model.sigma[attribute.name] * normal
                # Nobody is minus three years old, whatever the residual's tail says.
                drawn, decided = (x.clip(*attribute.limits) for x in (drawn, decided))
            else:
                drawn, decided = _classes(output, uniform)
            found.drawn[attribute.name] = drawn.astype(np.float32)
            found.decided[attribute.name] = decided.astype(np.float32)
    return found


def _classes(logits: Tensor, uniform: NDArray[np.float64]) -> tuple[NDArray[np.int64], ...]:
    """A class for each of N draws, at random by its probability, and the likeliest."""
    up_to = logits.softmax(dim=1).cumsum(dim=1).cpu().numpy()
    # All but the last: the sum of all may be a little below 1.
    return (uniform[:, None] >= up_to[:, :-1]).sum(axis=1), logits.argmax(dim=1).cpu().numpy()
