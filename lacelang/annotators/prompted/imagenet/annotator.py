"""Attributes as groups of ImageNet's classes.

The probability of a class of an attribute is that of its ImageNet classes together. The class 0 of
a binary attribute may be left without any: it is what is not 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang.annotators.declaration import Measure
from lacelang.annotators.prompted.prompts import Prompts
from lacelang.errors import UsageError
from lacelang.progress import Progress

_CLASSES = Path(__file__).with_name("classes.txt")
_BINARY = ("0", "1")
#: Of the probability of class 1, where class 0 has no ImageNet classes.
THRESHOLD = 0.5


@frozen
class Group:
    """An attribute: the numbers of ImageNet's classes for each of its classes.

    Attributes:
        threshold: the probability of all groups together below which nothing is seen; of a binary
            attribute whose 0 is empty, below which it is 0.
    """

    name: str
    numbers: tuple[tuple[int, ...], ...]
    threshold: float

    def seen(self, probabilities: NDArray[np.float64]) -> float:
        """Return the number of the class, or NaN."""
        shares = [float(probabilities[list(inside)].sum()) for inside in self.numbers]
        if not self.numbers[0]:
            return float(shares[1] >= self.threshold)
        return float(np.argmax(shares)) if sum(shares) >= self.threshold else np.nan


@frozen
class ByGroups:
    """Loads the annotator."""

    groups: tuple[Group, ...]

    def __call__(self, threads: int = 1, progress: Progress | None = None) -> Measure:
        """Load the network; its weights are fetched on first use."""
        from lacelang.annotators.images import resize
        from lacelang.annotators.networks import Network
        from lacelang.annotators.prompted.imagenet.network import SIDE

        network = Network(__package__, "imagenet", threads, progress)

        def measure(image: NDArray[np.uint8]) -> Mapping[str, Any]:
            logits = network(resize(image, SIDE)[None])[0][0].astype(np.float64)
            probabilities = np.exp(logits - logits.max())
            probabilities /= probabilities.sum()
            return {group.name: group.seen(probabilities) for group in self.groups}

        return measure


def make(
    prompts: Prompts, weights: None, network: None, classes: Mapping[str, tuple[str, ...]]
) -> ByGroups:
    """Look up the names of classes, and return what loads the annotator; see `Prompted.code`."""
    groups = []
    for attribute in prompts.attributes:
        wanted = classes[attribute.name]
        numbers = tuple(
            tuple(
                sorted({n for text in texts for n in _numbers(prompts.path, attribute.name, text)})
            )
            for texts in attribute.prompts
        )
        open_zero = wanted == _BINARY and not numbers[0]
        for key, inside in zip(wanted, numbers, strict=True):
            if not inside and not (open_zero and key == "0"):
                raise UsageError(
                    f"{prompts.path}: {attribute.name}: the class `{key}` has no ImageNet class"
                )
        threshold = attribute.threshold
        if threshold is None:
            threshold = THRESHOLD if open_zero else 0.0
        groups.append(Group(attribute.name, numbers, threshold))
    return ByGroups(tuple(groups))


@cache
def class_names() -> tuple[tuple[str, ...], ...]:
    """The names of each of the thousand classes, in the order of the network's outputs."""
    lines = _CLASSES.read_text("utf-8").splitlines()
    return tuple(tuple(name.strip() for name in line.split(",")) for line in lines)


def _numbers(path: str, attribute: str, text: str) -> list[int]:
    """The numbers of the classes that have a name; several have `crane`."""
    wanted = text.casefold()
    found = [k for k, names in enumerate(class_names()) if wanted in {n.casefold() for n in names}]
    if not found:
        whole = [name for names in class_names() for name in names]
        close = get_close_matches(text, whole, 3)
        near = f"; there are {', '.join(close)}" if close else ""
        raise UsageError(f"{path}: {attribute}: ImageNet has no class {text!r}{near}")
    return found
