"""Zero-shot classes by CLIP (Radford et al. 2021): image and prompts in one space.

The embedding of a class is the mean of its prompts' embeddings, in all templates; the class is that
with the largest cosine to the image. (LACE labels AFHQ so, appendix A.1.)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attrs import field, frozen
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lacelang.annotators.declaration import Measure
from lacelang.annotators.prompted.clip.network import Network, found_network
from lacelang.annotators.prompted.prompts import Described, Prompts, require_all
from lacelang.progress import Progress


@frozen
class ByPrompts:
    """Loads the annotator: prompts, and where the network is."""

    attributes: tuple[Described, ...]
    network: Network = field(repr=lambda network: network.digest)

    def __call__(self, threads: int = 1, progress: Progress | None = None) -> Measure:
        """Load the network and embed all prompts."""
        model, transform, tokenise = self.network.load()
        with torch.inference_mode():
            embedded = {
                each.name: torch.stack(
                    [_embedding(model, tokenise, each, k) for k in range(len(each.prompts))]
                )
                for each in self.attributes
            }

        def measure(image: NDArray[np.uint8]) -> Mapping[str, Any]:
            with torch.inference_mode():
                pixels = transform(Image.fromarray(image))[None]
                seen = model.encode_image(pixels, normalize=True)[0]
                return {name: int((classes @ seen).argmax()) for name, classes in embedded.items()}

        return measure


def make(
    prompts: Prompts, weights: Path, network: str | None, classes: Mapping[str, tuple[str, ...]]
) -> ByPrompts:
    """Check prompts and weights, and return what loads the annotator; see `Prompted.code`."""
    require_all(prompts, classes)
    found = ByPrompts(prompts.attributes, found_network(weights, network))
    # Wrong weights are an error here, before any worker has started.
    found.network.load()
    return found


def _embedding(model: Any, tokenise: Any, described: Described, number: int) -> Tensor:
    texts = model.encode_text(tokenise(described.sentences(number)), normalize=True)
    mean = texts.mean(dim=0)
    unit: Tensor = mean / mean.norm()
    return unit
