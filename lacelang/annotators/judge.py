"""Judging many images, and how far the annotators agree with themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs
import numpy as np
from numpy.typing import NDArray

from lacelang.annotators.annotation import BINARY, Annotation
from lacelang.annotators.annotator import Annotators

Image = NDArray[np.uint8]


def judge(
    images: Iterable[Image],
    annotators: Annotators | None = None,
    on_face: Callable[[Annotation], None] | None = None,
) -> list[Annotation]:
    """Annotate images one after another, uint8 (S, S, 3) RGB each.

    Args:
        images: may be a generator: an image is dropped once it is judged.
        annotators: loaded ones; by default new ones on one thread.
        on_face: called with each annotation as it is made, to show progress.

    Raises:
        ResourceError: the annotators' weights cannot be had.
        ValueError: an image is not square RGB of at least 512 px.
    """
    annotators = annotators or Annotators()
    results = []
    for image in images:
        results.append(annotators.annotate(image))
        if on_face is not None:
            on_face(results[-1])
    return results


@attrs.frozen
class Agreement:
    """How two judgements of the same faces compare.

    Attributes:
        faces: number of faces that both judged.
        same: share with the same class; NaN for a continuous attribute.
        noise: standard deviation of one judgement about their mean, in the attribute's units;
            NaN for a discrete attribute.
    """

    faces: int
    same: float
    noise: float


def agreement(pairs: Iterable[tuple[Annotation, Annotation]], attribute: str) -> Agreement:
    """Compare one attribute of faces and their mirror images.

    Yaw changes its sign and light3 its side in a mirror; all else should stay. What differs is the
    annotators' own noise, a floor to every figure that they measure.
    """
    values = np.array(
        [(a.value(attribute), _unmirrored(b, attribute)) for a, b in pairs if a.found and b.found]
    ).reshape(-1, 2)
    values = values[np.isfinite(values).all(1)]
    if len(values) == 0:
        return Agreement(0, float("nan"), float("nan"))
    if attribute in BINARY or attribute == "haircolor":
        return Agreement(len(values), float((values[:, 0] == values[:, 1]).mean()), float("nan"))
    # The difference of two judgements has twice the variance of one.
    noise = float(np.sqrt(((values[:, 0] - values[:, 1]) ** 2).mean() / 2))
    return Agreement(len(values), float("nan"), noise)


def _unmirrored(annotation: Annotation, attribute: str) -> float:
    value = annotation.value(attribute)
    if attribute == "yaw":
        return -value
    return 1.0 - value if attribute == "light3" else value
