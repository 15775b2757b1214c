"""The configuration of a StyleGAN2: sizes that determine its layers, and the shapes of these."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from attrs import frozen

from lacelang.generators.declaration import Layout
from lacelang.generators.stylegan2.sizes import (
    MappingConfig,
    Shape,
    channels,
    check_clamp,
    check_sizes,
    dense,
    mapping_shapes,
)

Kind: TypeAlias = Literal["skip", "resnet", "orig"]

RESOLUTIONS = tuple(4 << k for k in range(9))
"""Sides of the images that it can have, in pixels: 4 to 1024."""


@frozen
class Config(MappingConfig):
    """A generator of Karras et al. 2020 ("Analyzing and improving the image quality of StyleGAN").

    Attributes:
        channels: of the blocks, 4² first.
        kind: how the blocks make an image: each adds to it (`skip`), or the last makes it, with
            shortcuts around blocks (`resnet`) or without (`orig`).
        clamp: the limit of all activations, which networks trained in float16 have.
    """

    channels: tuple[int, ...]
    kind: Kind = "skip"
    clamp: float | None = None

    @property
    def resolution(self) -> int:
        """Side of the image, in pixels."""
        return 4 << (len(self.channels) - 1)

    @property
    def styles(self) -> int:
        """How many styles w+ has: 2 log2(resolution) − 2."""
        return 2 * len(self.channels)

    @property
    def layout(self) -> Layout:
        """The class is part of z; layers are numbered as its styles."""
        layers = tuple((layer,) for layer in range(self.styles))
        return Layout(self.z + self.classes, self.w, layers)


def config_of(said: Mapping[str, Any]) -> Config:
    """Return the configuration that a file says, checked.

    Raises:
        ValueError: it makes no sense, or is larger than any that is known.
    """
    try:
        config = Config(
            **{**said, "hidden": tuple(said["hidden"]), "channels": tuple(said["channels"])}
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"it lacks {error}") from None
    blocks = ("blocks", len(config.channels), 1, len(RESOLUTIONS))
    check_sizes(config, blocks, *channels(config.channels))
    check_clamp(config.clamp)
    if config.kind not in ("skip", "resnet", "orig") or config.hidden[-1] != config.w:
        raise ValueError("its blocks, or its mapping network, are of an unknown kind")
    return config


def shapes_of(config: Config) -> dict[str, Shape]:
    """Return the shapes of all tensors, by name: `mapping.…` and `synthesis.…`."""
    return dict(_shapes(config))


def _shapes(config: Config) -> Iterator[tuple[str, Shape]]:
    def layer(name: str, inputs: int, outputs: int, size: int) -> Iterator[tuple[str, Shape]]:
        kernel = 3 if size else 1
        yield from dense(f"synthesis.{name}.affine", config.w, inputs)
        yield f"synthesis.{name}.weight", (outputs, inputs, kernel, kernel)
        yield f"synthesis.{name}.bias", (outputs,)
        if size:
            yield f"synthesis.{name}.noise", (size, size)

    yield from mapping_shapes(config)
    yield "synthesis.const", (config.channels[0], 4, 4)
    inputs = config.channels[0]
    for k, outputs in enumerate(config.channels):
        size, block = 4 << k, f"blocks.{k}"
        if k:
            yield from layer(f"{block}.conv0", inputs, outputs, size)
        yield from layer(f"{block}.conv1", outputs, outputs, size)
        if has_image(config, k):
            yield from layer(f"{block}.to_rgb", outputs, 3, 0)
        if k and config.kind == "resnet":
            yield f"synthesis.{block}.skip.weight", (outputs, inputs, 1, 1)
        inputs = outputs


def has_image(config: Config, block: int) -> bool:
    """Whether a block makes an image."""
    return config.kind == "skip" or block == len(config.channels) - 1


def published_parameters(config: Config) -> int:
    """How many parameters its authors count: noise is a number a layer, its image a buffer."""
    sizes = {name: math.prod(shape) for name, shape in shapes_of(config).items()}
    return sum(1 if name.endswith(".noise") else size for name, size in sizes.items())
