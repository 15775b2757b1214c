"""Declarations of annotators: the name, the attributes that are judged, where the code is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import field, frozen

from lacelang.registry import Place, imported

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lacelang.progress import Progress

Measure: TypeAlias = "Callable[[NDArray[np.uint8]], Mapping[str, Any]]"

YES_OR_NO = ("0", "1")
"""The classes of a yes-or-no attribute."""


@frozen
class Annotator:
    """An annotator of images.

    Attributes:
        name: what it is called.
        doc: what it judges, one line.
        code: a function of the number of CPU threads and a `Progress` or None, or where it is:
            `package.module:function`. It loads the annotator: a function of an image, uint8
            (H, W, 3) RGB, that returns numbers or arrays by name. One thread at a time uses it.
        attributes: the classes of each attribute that it judges, in their order; () of a number.
        size: side in pixels that square images are scaled to for it; 0 takes every image as it is.
        reading: `package.module:function` of a function that turns what was measured into values
            by attribute; by default they are measured under the attributes' names.
        version: raised when a measure changes, so that older ones in a cache are not used.
        features: the name of what it measures that is a vector of image features, if it does.
        identity: the name of what it measures that is a vector, similar for pictures of the same
            subject, if it does.
        beside: the annotator whose pictures it describes as well, where variety is measured.
    """

    name: str
    doc: str
    code: Place
    attributes: Mapping[str, tuple[str, ...]] = field(hash=False)
    size: int = 0
    reading: Place = ""
    version: int = 1
    features: str = ""
    identity: str = ""
    beside: str = ""

    def load(self, threads: int = 1, progress: Progress | None = None) -> Measure:
        """Load it, for so many CPU threads; `progress` shows downloads on first use.

        Returns:
            A function of an image. It raises a ValueError where that is not uint8 (H, W, 3), or
            not square and to be scaled.

        Raises:
            ResourceError: weights cannot be had or are damaged, or a package is missing.
        """
        measure: Measure = imported(self.code)(threads, progress)

        def measured(image: NDArray[np.uint8]) -> Mapping[str, Any]:
            if image.dtype != "uint8" or image.ndim != 3 or image.shape[2] != 3:
                raise ValueError(f"expected uint8 (H, W, 3), got {image.dtype} {image.shape}")
            if self.size and image.shape[:2] != (self.size, self.size):
                from lacelang.annotators.images import resize

                if image.shape[0] != image.shape[1]:
                    raise ValueError(f"expected a square image, got {image.shape}")
                image = resize(image, self.size)
            return measure(image)

        return measured

    def require(self) -> None:
        """Import its code; a package that it needs and is missing is a ResourceError."""
        imported(self.code)

    def values(self, measured: Mapping[str, Any]) -> dict[str, float]:
        """Return for each attribute the number of a class, or a quantity; NaN for nothing."""
        found = imported(self.reading)(measured) if self.reading else measured
        return {name: float(found[name]) for name in self.attributes}
