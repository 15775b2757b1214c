"""What a model's declaration says: its attributes, and where its weights come from."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

from attrs import evolve, field, frozen

from lacelang.generators.declaration import Layout
from lacelang.record import Record
from lacelang.text.columns import columns_of, padded
from lacelang.text.names import nfc
from lacelang.text.numerals import number_text

Unit: TypeAlias = Literal["deg", "years"]
Space: TypeAlias = Literal["z", "w", "image"]


class _WithClasses(Record):
    """What attributes with classes answer, a logit for each class."""

    __slots__ = ()

    discrete: ClassVar[Literal[True]] = True
    limits: ClassVar[None] = None
    unit: ClassVar[None] = None
    paper_sigma: ClassVar[None] = None

    @property
    def values(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits."""
        return ("0", "1")

    @property
    def width(self) -> int:
        """How many outputs a classifier has for it: a logit for each class."""
        return len(self.values)

    @property
    def text(self) -> str:
        """What the attribute can be, for a reader."""
        return f"one of {', '.join(self.values)}"

    @property
    def named(self) -> Mapping[str, str]:
        """The words for its values, and what a reader is told of each."""
        return dict.fromkeys(self.values, self.text)


@frozen(eq=False, repr=False)
class BinaryAttribute(_WithClasses):
    """A yes-or-no attribute: class 0 means absent, class 1 present.

    `layers` are the style layers (numbered as its generator's `Layout` says) that an edit of it
    may replace; None means all.
    """

    kind: ClassVar[Literal["binary"]] = "binary"
    text: ClassVar[str] = "binary: 0 or 1"
    example: ClassVar[str] = "1"

    name: str
    layers: tuple[int, ...] | None = None


@frozen(eq=False, repr=False)
class ChoiceAttribute(_WithClasses):
    """One of several named values; class i is `values[i]`, in the order of the logits."""

    kind: ClassVar[Literal["choice"]] = "choice"

    name: str
    values: tuple[str, ...]
    layers: tuple[int, ...] | None = None

    @property
    def example(self) -> str:
        """A value that it can have."""
        return self.values[0]


@frozen(eq=False, repr=False)
class ContinuousAttribute(Record):
    """A measured quantity in `low`..`high`, in `unit`, with names for some of its points.

    It has no classes: `values` are none.
    """

    kind: ClassVar[Literal["continuous"]] = "continuous"
    discrete: ClassVar[Literal[False]] = False
    values: ClassVar[tuple[str, ...]] = ()
    width: ClassVar[int] = 1

    name: str
    low: float
    high: float
    unit: Unit | None = None
    points: Mapping[str, float] = field(factory=dict, hash=False)
    layers: tuple[int, ...] | None = None

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of its range, in `unit`."""
        return self.low, self.high

    @property
    def paper_sigma(self) -> float:
        """The paper's sigma in `unit`: sigma^2 = 0.01 of values put on [0, 1] (LACE eq. 4)."""
        return 0.1 * (self.high - self.low)

    @property
    def text(self) -> str:
        """What the attribute can be, for a reader: `-45..45 deg (left = -25, front = 0)`."""
        points = ", ".join(f"{name} = {number_text(at)}" for name, at in self.points.items())
        return f"{self._range} ({points})" if points else self._range

    @property
    def example(self) -> str:
        """A value that it can have."""
        return next(iter(self.points), number_text((self.low + self.high) / 2))

    @property
    def named(self) -> Mapping[str, str]:
        """The words for its points, and what a reader is told of each."""
        unit = f" {self.unit}" if self.unit else ""
        return {
            name: f"{number_text(at)}{unit}, of {self._range}" for name, at in self.points.items()
        }

    @property
    def _range(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{number_text(self.low)}..{number_text(self.high)}{unit}"


Attribute: TypeAlias = BinaryAttribute | ChoiceAttribute | ContinuousAttribute


def fields_of(attribute: Attribute) -> dict[str, Any]:
    """Return an attribute as JSON values for `attribute_of`, without points and layers."""
    low, high = attribute.limits or (0.0, 1.0)
    return {
        "name": attribute.name,
        "kind": attribute.kind,
        "values": attribute.values,
        "low": low,
        "high": high,
        "unit": attribute.unit,
    }


def attribute_of(
    name: str,
    kind: str,
    values: Sequence[str],
    low: float,
    high: float,
    unit: Unit | None,
    layers: Sequence[int] | None = None,
) -> Attribute:
    """Return the attribute of a file; a ValueError where the fields contradict themselves."""
    name, values = nfc(name), tuple(map(nfc, values))
    replaced = None if layers is None else tuple(layers)
    match kind, values:
        case "binary", ("0", "1"):
            return BinaryAttribute(name, replaced)
        case "choice", (_, _, *_) if len(set(values)) == len(values):
            return ChoiceAttribute(name, values, replaced)
        case "continuous", () if -math.inf < low < high < math.inf:
            return ContinuousAttribute(name, low, high, unit, layers=replaced)
    raise ValueError(f"the attribute {name} contradicts itself")


@frozen(eq=False, repr=False)
class ModelSpec(Record):
    """A model as declared: a generator, where its weights come from, what can be asked of it.

    Attributes:
        name: what programs call it.
        generator: the architecture, e.g. `mobilestylegan`.
        package, version: the archive that carries the weights, from `from "package==version"`.
        sha256: the archive's digest, 64 hexadecimal digits.
        classifiers: file name of the latent classifiers, e.g. `ffhq.safetensors`.
        space: the space that the classifiers judge.
        attributes: in the order of declaration.
        path: folder of the declaring file; None for a program without a file.
        file: the local weight file, where `from` names no package.
        layout: what the generator's latents look like; None where that is not known.
        taught: the files of those attributes that the user has taught, by name; each has a
            classifier of its own.
        damaged: attributes that were taught and whose files cannot be used, with the reason.
    """

    name: str
    generator: str
    package: str | None = None
    version: str | None = None
    sha256: str | None = None
    classifiers: str | None = None
    space: Space = "w"
    attributes: tuple[Attribute, ...] = ()
    path: Path | None = None
    file: str | None = None
    layout: Layout | None = None
    taught: Mapping[str, Path] = field(factory=dict, hash=False)
    damaged: Mapping[str, str] = field(factory=dict, hash=False)

    @property
    def identity(self) -> str:
        """What tells its generator from others: the digest of its weights, or its name."""
        return self.sha256 or self.generator

    @property
    def declared(self) -> tuple[Attribute, ...]:
        """The attributes of the declaration, without those that were taught."""
        return tuple(a for a in self.attributes if a.name not in self.taught)

    def using(self, names: Container[str]) -> ModelSpec:
        """Return it without the taught attributes that have none of these names.

        A statement knows only those that it uses, so that teaching one changes no other statement.
        """
        if not self.taught and not self.damaged:
            return self
        taught = {name: file for name, file in self.taught.items() if name in names}
        kept = (a for a in self.attributes if a.name not in self.taught or a.name in taught)
        return evolve(self, attributes=tuple(kept), taught=taught, damaged={})

    @property
    def origin(self) -> str | None:
        """Where its weights come from: a package with its version, or a file."""
        return f"{self.package}=={self.version}" if self.package is not None else self.file

    @property
    def attribute_lines(self) -> list[str]:
        """A line for each attribute: its name, and what it can be."""
        width = max((columns_of(attribute.name) for attribute in self.attributes), default=0)
        marks = {name: "  (taught)" for name in self.taught}
        return [
            f"{padded(a.name, width)}  {a.text}{marks.get(a.name, '')}" for a in self.attributes
        ]

    def attribute(self, name: str) -> Attribute:
        """Return the attribute called `name`, or raise a `KeyError`."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute
        raise KeyError(name)
