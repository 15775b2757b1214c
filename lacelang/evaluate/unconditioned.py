"""Faces that nothing was asked of: what distances are taken to, and how near one can come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang.api import compile
from lacelang.evaluate import frechet
from lacelang.evaluate.judged import judge_groups

if TYPE_CHECKING:
    from lacelang.progress import Progress

REFERENCE_FACES = 1000
REFERENCE_SEED = 5000
FRESH_SEED = 5001


@frozen(eq=False)
class Unconditioned:
    """The generator's own distribution at one truncation, in image features.

    Attributes:
        reference: what distances are taken to.
        fresh: features (F, 1280) of other faces from the same distribution.
    """

    reference: frechet.Reference
    fresh: NDArray[np.float32]

    def distance(self, features: NDArray[np.float32]) -> float | None:
        """The Fréchet distance of features (N, 1280); None of too few to have a covariance."""
        if len(features) <= frechet.DIRECTIONS:
            return None
        return self.reference.distance(features)

    def floor(self, count: int) -> float | None:
        """The distance of `count` fresh faces: the mean over as many parts of them as there are.

        No conditioning can be expected to come nearer with so many faces. None of fewer than have
        a distance, or more than there are.
        """
        whole = len(self.fresh) // max(count, 1)
        parts = [self.distance(self.fresh[i * count : (i + 1) * count]) for i in range(whole)]
        found = [part for part in parts if part is not None]
        return float(np.mean(found)) if found else None


def unconditioned(progress: Progress, fresh: int, model: str = "ffhq") -> Unconditioned:
    """Paint and judge faces of the prior, or read them from the cache.

    Args:
        progress: where to show how far it is.
        fresh: how many faces that the reference does not hold.
        model: whose prior.

    Raises:
        ResourceError: weights cannot be had, or the cache cannot be written.
    """
    whole = f"sample {REFERENCE_FACES} from {model} seed {REFERENCE_SEED} as reference"
    (prior,) = judge_groups(compile(whole), progress, "painting the reference")
    others = f"sample {fresh} from {model} seed {FRESH_SEED} as fresh"
    (other,) = judge_groups(compile(others), progress, "painting fresh faces")
    return Unconditioned(frechet.reference(prior.features), other.features)
