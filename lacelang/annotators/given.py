"""The annotator that a command line names: one made from prompts, or a function of the user's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang.annotators.declaration import Annotator, Measure
from lacelang.annotators.prompted import PROMPTED
from lacelang.errors import UsageError
from lacelang.progress import Progress
from lacelang.storage.checks import check_of
from lacelang.storage.files import read_regular

_LARGEST = 2**24


def annotator_named(
    name: str,
    classes: Mapping[str, tuple[str, ...]],
    *,
    prompts: Path | None = None,
    weights: Path | None = None,
    network: str | None = None,
) -> Annotator:
    """Return the annotator `name` of a model's attributes.

    Args:
        name: one of `PROMPTED`, or `module:function`, which takes an image, uint8 (H, W, 3) RGB,
            and returns a mapping from attributes to class names, class numbers or values. An
            `Annotator` in place of the function is taken as it is.
        classes: of each attribute of the model, () of a number.

    Raises:
        UsageError: there is no such annotator, or it and the files do not fit.
        ResourceError: a file or a package is missing.
    """
    if name in PROMPTED:
        if prompts is None:
            raise UsageError(
                f"the annotator {name} needs prompts, a file that says what each class looks like"
            )
        return PROMPTED[name].annotator(prompts, classes, weights, network)
    if prompts is not None or weights is not None or network is not None:
        whose = " and ".join(PROMPTED)
        raise UsageError(f"prompts and weights belong to the annotators {whose}")
    if ":" not in name:
        known = ", ".join(PROMPTED)
        raise UsageError(f"no annotator {name!r}: there are {known}, or name module:function")
    found = function_at(name)
    if isinstance(found, Annotator):
        return found
    # Another function, or a changed one, is another annotator in the cache.
    file = getattr(sys.modules[found.__module__], "__file__", None)
    source = (read_regular(Path(file), _LARGEST) if file else None) or b""
    key = check_of(name.encode() + source)
    code = OfFunction(name, os.getcwd(), tuple(classes.items()))
    return Annotator(f"function_{key}", f"the function {name}", code, classes)


def function_at(place: str) -> Any:
    """Return what `module:name` is; modules of the current folder are found, too.

    Raises:
        UsageError: there is nothing, or it cannot be called.
    """
    module, _, name = place.partition(":")
    if not (module and name):
        raise UsageError(f"`{place}` is no annotator: name it as module:function")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found = import_module(module)
    except Exception as error:
        raise UsageError(f"the module {module} cannot be imported: {error}") from error
    function = getattr(found, name, None)
    if not callable(function) and not isinstance(function, Annotator):
        raise UsageError(f"the module {module} has no function {name}")
    return function


@frozen
class OfFunction:
    """Loads an annotator that is a function of the user's, in any process."""

    place: str
    folder: str
    classes: tuple[tuple[str, tuple[str, ...]], ...]

    def __call__(self, threads: int = 1, progress: Progress | None = None) -> Measure:
        """Import the function."""
        if self.folder not in sys.path:
            sys.path.insert(0, self.folder)
        function: Callable[[NDArray[np.uint8]], Any] = function_at(self.place)

        def measure(image: NDArray[np.uint8]) -> Mapping[str, float]:
            try:
                said = function(image)
            except Exception as error:
                what = f"{type(error).__name__}: {error}"
                raise UsageError(f"the annotator {self.place} failed: {what}") from error
            if not isinstance(said, Mapping):
                raise UsageError(
                    f"the annotator {self.place} returned {said!r}, and no values by attribute"
                )
            return {name: self._value(name, values, said) for name, values in self.classes}

        return measure

    def _value(self, name: str, values: tuple[str, ...], said: Mapping[str, Any]) -> float:
        one = said.get(name)
        if one is None:
            return float("nan")
        if isinstance(one, str) and one in values:
            return float(values.index(one))
        try:
            number = float(one)
        except (TypeError, ValueError):
            number = float("inf")
        if np.isinf(number) or (
            values and not np.isnan(number) and number not in range(len(values))
        ):
            meant = f"one of {', '.join(values)}" if values else "a number"
            raise UsageError(f"the annotator {self.place} says {one!r} of {name}, which is {meant}")
        return number
