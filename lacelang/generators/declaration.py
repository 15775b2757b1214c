"""What a generator architecture says of itself: its name, its latents, and where its code is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from attrs import frozen

from lacelang.errors import ResourceError
from lacelang.registry import Place, imported

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from lacelang.generators.generator import Generator
    from lacelang.progress import Progress
    from lacelang.storage.fetch import Archive, WeightsFile
    from lacelang.storage.photos import Photo

Weights: TypeAlias = "Archive | WeightsFile | None"
"""Where a generator's weights are; None of one that has none."""

Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda", "mps")
WITHOUT_FLOAT64 = frozenset({"mps"})
"""Devices that compute in float32 only."""


@frozen
class Layout:
    """The latents that a generator takes.

    Attributes:
        latent_dim: length of z.
        w_dim: length of w.
        style_layers: for each of its styles, the layers that it stands for in `layers` clauses.
    """

    latent_dim: int
    w_dim: int
    style_layers: tuple[tuple[int, ...], ...]

    @property
    def layers(self) -> int:
        """How many layers there are."""
        return 1 + max(layer for layers in self.style_layers for layer in layers)


@frozen(eq=False)
class Found:
    """A generator in a published file.

    Attributes:
        text: what it is, in a few words.
        layout: what its latents look like.
        notes: what a person is told of it.
        save: writes its weights to a file, as `Architecture.load` reads them.
    """

    text: str
    layout: Layout
    notes: Sequence[str]
    save: Callable[[Path, Progress], None]


@frozen(eq=False)
class Cut:
    """The part of a photograph that a generator is to make, as it would show it.

    Attributes:
        image: uint8 (side, side, 3) RGB.
        known: float32 (side, side): 1 where the photograph shows something, 0 where it does not.
        corners: (3, 2), where its top left, top right and bottom left are in the upright
            photograph, as shares of the width and the height.
    """

    image: NDArray[np.uint8]
    known: NDArray[np.float32]
    corners: NDArray[np.float64]


@frozen(eq=False)
class Inverted:
    """What came of a photograph.

    Attributes:
        styles: float32 (styles, d).
        figures: how alike the photograph and the decoder's image are, by name.
        steps: how often the decoder's gradient was taken.
    """

    styles: NDArray[np.float32]
    figures: Mapping[str, float]
    steps: int


class Inverter(Protocol):
    """Finds the styles of which a generator makes what a photograph shows."""

    @property
    def digest(self) -> str:
        """What its answers depend on beside the photograph."""

    def cut(self, photo: Photo, shown: str, number: int) -> Cut:
        """Cut out what is to be inverted: the face, say, of this number, from 1, largest first.

        Raises:
            ResourceError: the photograph, which messages call `shown`, has none of that number.
        """

    def invert(self, cut: Cut, fast: bool) -> Inverted:
        """Find the styles; `fast` ones with few steps, so that they are less alike."""

    def seen(self, images: torch.Tensor) -> torch.Tensor:
        """Whitened w (N, d) that an encoder sees in images (N, 3, S, S), in [−1, 1] on the CPU.

        Differentiable, and without any refinement.
        """

    def paste(self, photo: Photo, cut: Cut, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Put an image of the generator's back in the place of what was cut out, blended.

        Args:
            photo: the photograph, of any size.
            cut: what was cut out of it.
            image: uint8 (side, side, 3).

        Returns:
            The photograph with it, uint8 (H, W, 3), and what lies outside of the cut as it was.
        """


@frozen
class Architecture:
    """A generator architecture.

    Attributes:
        name: as `generator` in a `model` declaration calls it.
        doc: what it is, one line.
        code: the function that loads it, with the arguments of `load`, or where it is:
            `package.module:function`.
        layout: what its latents look like; None where that depends on the weights.
        weights: what a declaration gives after `from`: a published `package`, a `file`, or `none`.
        ready: `package.module:function` of a function of its weights (see `is_ready`); by default
            it always is.
        layout_of: `package.module:function` of a function of its weights (see `layout_for`), where
            `layout` is None; it imports no torch, and says None of weights that it cannot read.
        published: `package.module:function` of what finds such a generator in a published file
            (see `find`).
        truncation: psi of statements that name none; 1 where truncation costs more than it gives.
        flow: defaults of the samplers' options for `sample`, in place of their own: a longer `time`
            where the gradients of classifiers are small.
        inverts: `package.module:function` of what takes photographs in (see `inverter`); nothing
            does by default.
        pixels: whether classifiers can judge its images while they steer, because its decoder is
            differentiable and takes some ten milliseconds.
    """

    name: str
    doc: str
    code: Place
    layout: Layout | None
    weights: Literal["package", "file", "none"] = "package"
    ready: Place = ""
    layout_of: Place = ""
    published: Place = ""
    truncation: float = 0.7
    flow: tuple[tuple[str, float], ...] = ()
    pixels: bool = False
    inverts: Place = ""

    def layout_for(self, weights: Weights) -> Layout | None:
        """Return what its latents look like with these weights; None if that cannot be known."""
        if self.layout is not None or not self.layout_of:
            return self.layout
        layout: Layout | None = imported(self.layout_of)(weights)
        return layout

    def is_ready(self, weights: Weights) -> bool:
        """Whether loading it needs neither a download nor a conversion of its weights."""
        return not self.ready or bool(imported(self.ready)(weights))

    def find(self, value: object) -> Found | None:
        """Return the generator of a published file, as `storage.published` reads it.

        None of a file of others.

        Raises:
            RefusedError: it holds such a generator, which is not whole or not known.
        """
        found: Found | None = imported(self.published)(value) if self.published else None
        return found

    def load(
        self,
        weights: Weights,
        device: torch.device,
        *,
        progress: Progress | None = None,
        help_: str = "",
        threads: int = 0,
    ) -> Generator:
        """Load a generator, fetching and converting its weights on first use.

        Args:
            weights: what `weights` says.
            device: where mapping and, other than on a CPU, decoding run.
            progress: where to show fetching and converting.
            help_: the command that takes the archive from a file, for the error without a network.
            threads: CPU threads of the decoder; 0 means all.

        Raises:
            ResourceError: the weights cannot be had, or are damaged.
        """
        loaded: Generator = imported(self.code)(
            weights, device, progress=progress, help_=help_, threads=threads
        )
        return loaded


def inverter(architecture: Architecture, generator: Generator, progress: Progress) -> Inverter:
    """Return what takes photographs in for a loaded generator.

    Raises:
        ResourceError: its weights cannot be had, or are of another generator's.
    """
    found: Inverter = imported(architecture.inverts)(generator, progress)
    return found


def choose_device(name: str) -> torch.device:
    """Turn one of `DEVICES` into a device; one that is not on this machine is a ResourceError."""
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    available = [device for device in there if there[device]] + ["cpu"]
    if name == "auto":
        return torch.device(available[0])
    if name not in available:
        raise ResourceError(
            f"there is no {name} device here", f"use one of: auto, {', '.join(available)}"
        )
    return torch.device(name)
