"""Sizes that StyleGAN2 and 3 have in common: of the mapping network, and what is known of any."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from attrs import asdict, frozen

Shape: TypeAlias = tuple[int, ...]

WIDEST = 4096
"""Channels, dimensions of z and w, and pixels of a side."""
MOST_CLASSES = 10_000
DEEPEST = 32


@frozen
class MappingConfig:
    """A mapping network, and what the generator behind it adds.

    Attributes:
        z: dimensions of z, without those of the class.
        w: dimensions of w.
        classes: how many classes it was trained with; 0 if with none.
        embedded: dimensions that the class is embedded in; 0 without classes.
        hidden: widths of the layers, w's being the last.
    """

    z: int
    w: int
    classes: int
    embedded: int
    hidden: tuple[int, ...]

    @property
    def said(self) -> dict[str, Any]:
        """It as JSON values."""
        return asdict(self)


def check_sizes(config: MappingConfig, *others: tuple[str, int, int, int]) -> None:
    """Check the sizes of a mapping network, and others: a name, a number, its least and its most.

    Raises:
        ValueError: one is no whole number, or not one that is known.
    """
    for name, number, least, most in (
        ("dimensions of z", config.z, 1, WIDEST),
        ("dimensions of w", config.w, 1, WIDEST),
        ("classes", config.classes, 0, MOST_CLASSES),
        ("dimensions of the class", config.embedded, min(1, config.classes), WIDEST),
        ("layers of the mapping network", len(config.hidden), 1, DEEPEST),
        *channels(config.hidden),
        *others,
    ):
        if type(number) is not int or not least <= number <= most:
            raise ValueError(f"it has {str(number)[:20]} {name}, and {least} to {most} are known")


def channels(widths: Iterable[int]) -> Iterator[tuple[str, int, int, int]]:
    """Yield what `check_sizes` takes for numbers of channels."""
    return (("channels", width, 1, WIDEST) for width in widths)


def check_clamp(clamp: float | None) -> None:
    """Check the limit of activations; a ValueError for one that makes no sense."""
    if clamp is not None and not (isinstance(clamp, int | float) and 0 < clamp < math.inf):
        raise ValueError("its limit of activations makes no sense")


def dense(name: str, inputs: int, outputs: int) -> Iterator[tuple[str, Shape]]:
    """Yield the shapes of a fully connected layer."""
    yield f"{name}.weight", (outputs, inputs)
    yield f"{name}.bias", (outputs,)


def mapping_shapes(config: MappingConfig) -> Iterator[tuple[str, Shape]]:
    """Yield the shapes of a mapping network, by name: `mapping.…`."""
    if config.classes:
        yield from dense("mapping.embed", config.classes, config.embedded)
    before = config.z + config.embedded
    for number, width in enumerate(config.hidden):
        yield from dense(f"mapping.layers.{number}", before, width)
        before = width
