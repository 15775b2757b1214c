"""The configuration of a StyleGAN3: sizes that determine its layers, and the shapes of these."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from lacelang.generators.declaration import Layout
from lacelang.generators.stylegan2.sizes import (
    DEEPEST,
    WIDEST,
    MappingConfig,
    Shape,
    channels,
    check_clamp,
    check_sizes,
    dense,
    mapping_shapes,
)

_LARGEST = {"kernel": 7, "up": 8, "down": 8, "up_taps": 128, "down_taps": 128}


@frozen
class LayerConfig:
    """A layer: a modulated convolution, and a LeakyReLU at a higher sampling rate.

    Attributes:
        inputs, outputs: channels.
        kernel: side of the convolution's kernel.
        up, down: factors of the sampling rate before and after the LeakyReLU.
        up_taps, down_taps: lengths of the low-pass filters; 0 of one without.
        radial: whether the filter after it is one of two dimensions, and not one along each axis.
        padding: pixels added when it is upsampled: left, right, above, below; removed if negative.
        image: whether it makes the image: without LeakyReLU and demodulation.
    """

    inputs: int
    outputs: int
    kernel: int
    up: int
    down: int
    up_taps: int
    down_taps: int
    radial: bool
    padding: tuple[int, int, int, int]
    image: bool

    def size_after(self, size: int) -> int:
        """Side of what it makes of planes of side `size`."""
        low, high, *others = self.padding
        if [low, high] != others:
            raise ValueError("it has a layer that is not square")
        size = (size + self.kernel - 1) * self.up + low + high
        size = size - max(0, self.up_taps - 1) - max(0, self.down_taps - 1)
        return -(-size // self.down)


@frozen
class Config(MappingConfig):
    """A generator of Karras et al. 2021 ("Alias-free generative adversarial networks").

    Attributes:
        frequencies: how many waves its input has, which are as many channels.
        size: side of the input's planes, in samples.
        rate: its sampling rate.
        bandwidth: its bandwidth, beyond which waves fade.
        layers: in their order.
        clamp: the limit of activations.
        scale: what the image is multiplied by.
    """

    frequencies: int
    size: int
    rate: float
    bandwidth: float
    layers: tuple[LayerConfig, ...]
    clamp: float | None
    scale: float

    @property
    def resolution(self) -> int:
        """Side of the image, in pixels."""
        size = self.size
        for layer in self.layers:
            size = layer.size_after(size)
        return size

    @property
    def layout(self) -> Layout:
        """The class is part of z; style 0 is the input's, and each layer has one."""
        layers = tuple((layer,) for layer in range(len(self.layers) + 1))
        return Layout(self.z + self.classes, self.w, layers)


def config_of(said: Mapping[str, Any]) -> Config:
    """Return the configuration that a file says, checked.

    Raises:
        ValueError: it makes no sense, or is larger than any that is known.
    """
    try:
        layers = tuple(
            LayerConfig(**{**layer, "padding": tuple(layer["padding"])}) for layer in said["layers"]
        )
        config = Config(**{**said, "hidden": tuple(said["hidden"]), "layers": layers})
    except (KeyError, TypeError) as error:
        raise ValueError(f"it lacks {error}") from None
    widths = [each for layer in config.layers for each in (layer.inputs, layer.outputs)]
    check_sizes(
        config,
        ("layers", len(config.layers), 1, DEEPEST),
        ("samples", config.size, 1, WIDEST),
        *channels((config.frequencies, *widths)),
    )
    for number in (config.rate, config.bandwidth, config.scale):
        if not isinstance(number, int | float) or not 0 < number < math.inf:
            raise ValueError("its sampling rate, bandwidth or scale makes no sense")
    check_clamp(config.clamp)
    if config.hidden[-1] != config.w or not config.bandwidth < config.rate / 2:
        raise ValueError("its mapping network or its input is of an unknown kind")
    _check_layers(config)
    return config


def _check_layers(config: Config) -> None:
    before, size = config.frequencies, config.size
    for layer in config.layers:
        for name, most in _LARGEST.items():
            number = getattr(layer, name)
            if type(number) is not int or not 0 <= number <= most:
                raise ValueError(f"a layer has {str(number)[:20]} as its {name}")
        padding = layer.padding
        if len(padding) != 4 or not all(type(n) is int and abs(n) <= WIDEST for n in padding):
            raise ValueError("a layer has a padding that makes no sense")
        if min(layer.kernel, layer.up, layer.down) < 1 or layer.inputs != before:
            raise ValueError("its layers do not fit each other")
        before, size = layer.outputs, layer.size_after(size)
        if not 1 <= size <= WIDEST:
            raise ValueError(f"a layer has a side of {size} pixels")
    last = config.layers[-1]
    if not last.image or last.outputs != 3 or any(layer.image for layer in config.layers[:-1]):
        raise ValueError("its last layer, and no other, is to make an image of three channels")


def shapes_of(config: Config) -> dict[str, Shape]:
    """Return the shapes of all tensors, by name: `mapping.…` and `synthesis.…`."""
    return dict(_shapes(config))


def _shapes(config: Config) -> Iterator[tuple[str, Shape]]:
    yield from mapping_shapes(config)
    waves = config.frequencies
    yield from dense("synthesis.input.affine", config.w, 4)
    yield "synthesis.input.weight", (waves, waves)
    yield "synthesis.input.frequencies", (waves, 2)
    yield "synthesis.input.phases", (waves,)
    yield "synthesis.input.transform", (3, 3)
    for number, layer in enumerate(config.layers):
        name = f"synthesis.layers.{number}"
        yield from dense(f"{name}.affine", config.w, layer.inputs)
        yield f"{name}.weight", (layer.outputs, layer.inputs, layer.kernel, layer.kernel)
        yield f"{name}.bias", (layer.outputs,)
        yield f"{name}.gain", ()
        if layer.up_taps:
            yield f"{name}.up_filter", (layer.up_taps,)
        if layer.down_taps:
            yield f"{name}.down_filter", (layer.down_taps,) * (1 + layer.radial)


_BUFFERS = ("frequencies", "phases", "transform", "gain", "filter")


def published_parameters(config: Config) -> int:
    """How many parameters its authors count: filters and the input's waves are buffers."""
    sizes = {name: math.prod(shape) for name, shape in shapes_of(config).items()}
    return sum(size for name, size in sizes.items() if not name.endswith(_BUFFERS))
