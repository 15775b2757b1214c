"""What readers of published generators share: modules of a pickle, and the tensors they hand on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from lacelang.storage.published.records import Global, Record, refuse, shown
from lacelang.storage.published.tensors import plain, shape_of, tensor

Array: TypeAlias = NDArray[Any]

PERSISTENT = Global("torch_utils.persistence", "_reconstruct_persistent_obj")
MOST_NUMBERS = 1 << 28
"""Of a generator; those of the releases have 3e7."""
_DICTIONARIES = {
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
    ("dnnlib", "EasyDict"),
    ("dnnlib.util", "EasyDict"),
}


def dictionary(value: Any) -> dict[Any, Any]:
    """Return a dictionary, also where the file has a subclass of it; an empty one of others."""
    if isinstance(value, Record) and (value.of.module, value.of.name) in _DICTIONARIES:
        return value.items
    return value if isinstance(value, dict) else {}


@frozen(eq=False)
class Module:
    """A module of the file: its class, and its attributes, which are data.

    What is asked of it and is not there is refused, with its name.
    """

    kind: str
    path: str
    state: dict[Any, Any]

    def modules(self) -> dict[str, Module]:
        """The modules in it, by name."""
        found = {}
        for name, value in dictionary(self.state.get("_modules")).items():
            inner = module_of(value, f"{self.path}{name}.") if isinstance(name, str) else None
            if inner is not None:
                found[name] = inner
        return found

    def module(self, name: str) -> Module:
        """The module in it of this name."""
        inner = module_of(dictionary(self.state.get("_modules")).get(name), f"{self.path}{name}.")
        if inner is None:
            refuse(f"it lacks `{shown(self.path + name)}`")
        return inner

    def tensors(self) -> dict[str, Any]:
        """Its own parameters and buffers, by name."""
        both = dictionary(self.state.get("_parameters")), dictionary(self.state.get("_buffers"))
        return {name: value for each in both for name, value in each.items() if value is not None}

    def has(self, name: str) -> bool:
        """Whether it has a tensor of this name."""
        return name in self.tensors()

    def tensor(self, name: str) -> Array:
        """Return its tensor of this name."""
        found = self.tensors().get(name)
        if found is None:
            refuse(f"it lacks the tensor `{shown(self.path + name)}`")
        if math.prod(shape_of(found)) > MOST_NUMBERS:
            refuse(f"`{shown(self.path + name)}` is larger than any that is known")
        return tensor(found)

    def number(self, name: str, default: Any = None) -> Any:
        """Return an attribute that is a number, or several; `default` where there is none."""
        value = plain(self.state.get(name, default))
        if value is None and default is None:
            refuse(f"it does not say `{shown(self.path + name)}`")
        return value


def module_of(value: Any, path: str) -> Module | None:
    """Return the module that a value is; None of one that is none."""
    if not isinstance(value, Record) or value.of != PERSISTENT or len(value.args) != 1:
        return None
    meta = dictionary(value.args[0])
    kind, state = meta.get("class_name"), dictionary(meta.get("state"))
    return Module(kind, path, state) if isinstance(kind, str) else None


@frozen(eq=False)
class Taken:
    """Tensors taken from a file, under this project's names.

    Attributes:
        arrays: float32, by name.
        notes: what a person is told of the file.
    """

    arrays: dict[str, Array] = field(factory=dict)
    notes: list[str] = field(factory=list)

    def take(self, name: str, values: Array, gain: float = 1.0) -> None:
        """Take a tensor, times a constant that is folded into it."""
        self.arrays[name] = np.asarray(values * np.float32(gain), np.float32, order="C")

    def check(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Refuse tensors that are missing, too many, of another shape, or not finite."""
        missing = sorted(shapes.keys() - self.arrays.keys())
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            refuse(f"it lacks `{missing[0]}`{more}")
        odd = sorted(self.arrays.keys() - shapes.keys())
        if odd:
            refuse(f"it has `{odd[0]}`, which such a network has not")
        for name, shape in shapes.items():
            found = self.arrays[name]
            if found.shape != shape:
                wanted = "×".join(map(str, shape)) or "a number"
                here = "×".join(map(str, found.shape)) or "a number"
                refuse(f"its `{name}` is {here}, and {wanted} is needed")
            if not np.isfinite(found).all():
                refuse(f"its `{name}` has numbers that are not finite")


def fan_in(weight: Array) -> int:
    """How many numbers an output of a layer is a sum of, at least 1, for equalised rates."""
    return max(1, math.prod(weight.shape[1:]))


def embedded(taken: Taken, classes: int) -> int:
    """Return in how many dimensions classes are embedded; 0 without classes."""
    bias = taken.arrays.get("mapping.embed.bias")
    if classes and bias is None:
        refuse("it has classes, and lacks `mapping.embed`")
    return 0 if bias is None or not classes else len(bias)


def numbered(names: Iterator[str] | list[str], prefix: str) -> list[int]:
    """Return the numbers n of names `prefix` + n, in rising order."""
    ends = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    return sorted(int(end) for end in ends if end.isdecimal() and len(end) < 6)
