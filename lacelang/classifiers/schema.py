"""What a classifier judges: names, kinds and values of attributes, apart from any program."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

from attrs import field, frozen

from lacelang.errors import ResourceError, UsageError
from lacelang.text.names import nfc

Kind = Literal["binary", "choice", "continuous"]
#: Name, kind and values of an attribute as a model declares it.
Declared = tuple[str, str, Sequence[str]]

BINARY_VALUES = ("0", "1")


def _names(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(nfc(value) for value in values)


@frozen
class Attribute:
    """One attribute of an image; a UsageError says where its parts contradict each other.

    Attributes:
        values: the classes of a discrete attribute in the order of its logits; none if continuous.
        low, high: the range of a continuous attribute, in `unit` (`deg`, `years` or None).
    """

    name: str = field(converter=nfc)
    kind: Kind
    values: tuple[str, ...] = field(default=(), converter=_names)
    low: float = 0.0
    high: float = 1.0
    unit: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.kind == "binary":
            if not self.values:
                object.__setattr__(self, "values", BINARY_VALUES)
            if self.values != BINARY_VALUES:
                raise UsageError(f"the binary attribute {self.name} has values other than 0 and 1")
        elif self.kind == "choice":
            if len(set(self.values)) < max(2, len(self.values)):
                raise UsageError(f"the choice {self.name} needs two or more different values")
        elif self.kind == "continuous":
            if self.values:
                raise UsageError(f"the continuous attribute {self.name} cannot list values")
            if not -math.inf < self.low < self.high < math.inf:
                raise UsageError(f"the range of {self.name}, {self.low}..{self.high}, is empty")
        else:
            raise UsageError(f"attribute {self.name} has the unknown kind {self.kind!r}")

    @property
    def discrete(self) -> bool:
        """Whether the attribute has classes rather than a number."""
        return self.kind != "continuous"

    @property
    def width(self) -> int:
        """How many outputs a head for it has: a logit for every class, or the one number."""
        return len(self.values) if self.discrete else 1


def require(known: Iterable[Attribute], declared: Iterable[Declared]) -> None:
    """Check that a classifier knows every attribute that a model declares, in the same sense.

    It may know more than that; a binary attribute may leave its values out.

    Raises:
        ResourceError: one is missing, or has another kind, other values or another order of them.
    """
    by_name = {attribute.name: attribute for attribute in known}
    wrong = []
    for name, kind, values in declared:
        mine = by_name.get(name)
        wanted = BINARY_VALUES if kind == "binary" else tuple(values)
        if mine is None:
            wrong.append(f"{name} is missing")
        elif mine.kind != kind:
            wrong.append(f"{name} is {mine.kind}, declared {kind}")
        elif mine.values != wanted:
            wrong.append(f"{name} is one of {', '.join(mine.values)}; declared {', '.join(wanted)}")
    if wrong:
        raise ResourceError(
            "the classifiers do not fit the model's declaration: " + "; ".join(wrong),
            "train them again with `lacelang train`, or correct the declaration",
        )
