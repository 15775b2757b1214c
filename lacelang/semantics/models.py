"""Model declarations: from `model ffhq { … }` to a `ModelSpec`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

from attrs import define, evolve

from lacelang import ir
from lacelang.generators import Layout
from lacelang.semantics.context import Frame, LostError, Suggestion, did_you_mean
from lacelang.semantics.weights import is_imported, layout_of
from lacelang.storage.user_models import imported_file, recorded_digest
from lacelang.syntax import nodes
from lacelang.syntax.grammar import UNITS

_LARGEST, _NARROWEST = 1e9, 1e-4

MOST_LAYERS = 256
"""Of a generator; there are a few dozen at most."""

T = TypeVar("T", bound=nodes.Node)
N = TypeVar("N", bound=str)

_YES_OR_NO = frozenset({"bool", "boolean", "flag", "yesno", "bit"})
_SPACES: tuple[ir.Space, ...] = ("z", "w", "image")
_UNITS: tuple[ir.Unit, ...] = ("deg", "years")
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_PACKAGE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9._+!-]*)")
_FILE = re.compile(r".+\.[A-Za-z0-9]+")


def declare(node: nodes.Model, frame: Frame) -> ir.ModelSpec | None:
    """Return the model that `node` declares, or None if its declaration is wrong."""
    return _Declaration(node, frame).spec()


@define
class _Declaration:
    node: nodes.Model
    frame: Frame
    wrong: bool = False
    layout: Layout | None = None

    def say(self, code: str, message: str, at: nodes.Node, hint: str | None = None) -> LostError:
        self.wrong = True
        return self.frame.say(code, message, at, hint)

    def spec(self) -> ir.ModelSpec | None:
        generator = self._only(nodes.Generator, "generator")
        classifiers = self._only(nodes.Classifiers, "classifiers")
        name = self.node.name
        if generator is None:
            list(self._attributes())  # for what is wrong with them
            if not self.frame.module.broken:
                hint = "add `generator mobilestylegan from …`"
                self.say("LACE401", f"the model `{name.name}` has no generator", name, hint)
            return None
        digest = generator.sha256
        if digest is not None and not _DIGEST.fullmatch(digest.value):
            message = "a SHA-256 checksum has 64 hexadecimal digits"
            self.say("LACE406", message, digest, f"these are {len(digest.value)} characters")
        origin = self._origin(generator.source)
        spec = ir.ModelSpec(
            name.name,
            generator.architecture.name,
            package=origin.get("package"),
            version=origin.get("version"),
            file=origin.get("file"),
            sha256=None if digest is None else digest.value.lower(),
            classifiers=None if classifiers is None else classifiers.file.value,
            space=self._space(classifiers),
            path=self.frame.module.folder,
        )
        if is_imported(spec):
            spec = evolve(spec, sha256=recorded_digest(imported_file(spec.name)))
        self.layout = layout_of(spec, self.frame.module.root)
        spec = evolve(spec, layout=self.layout, attributes=tuple(self._attributes()))
        return None if self.wrong else spec

    def _only(self, kind: type[T], name: str) -> T | None:
        found = [item for item in self.node.items if isinstance(item, kind)]
        for item in found[1:]:
            message = f"the model `{self.node.name.name}` has a second `{name}`"
            self.say("LACE401", message, item, "keep one of them")
        return found[0] if found else None

    def _origin(self, source: nodes.Text | None) -> dict[str, str]:
        if source is None:
            return {}
        package = _PACKAGE.fullmatch(source.value)
        if package is not None:
            return {"package": package[1], "version": package[2]}
        if "=" in source.value or not _FILE.fullmatch(source.value):
            message = f'`"{source.value}"` is neither a package with its version nor a file'
            hint = 'write `"random-face==2021.7.21.1"` or `"weights.safetensors"`'
            self.say("LACE406", message, source, hint)
        return {"file": source.value}

    def _space(self, classifiers: nodes.Classifiers | None) -> ir.Space:
        word = classifiers.space if classifiers is not None else None
        found = _named(word, _SPACES)
        if word is not None and found is None:
            hint = did_you_mean(word.name, _SPACES, "classifiers read one of")
            self.say("LACE109", f"`on` does not know `{word.name}`", word, hint)
        return found or "w"

    # Attributes

    def _attributes(self) -> Iterator[ir.Attribute]:
        first: dict[str, nodes.Attribute] = {}
        for item in self.node.items:
            if not isinstance(item, nodes.Attribute):
                continue
            before = first.setdefault(item.name.name, item)
            if before is not item:
                message = f"the attribute `{item.name.name}` is declared twice"
                hint = f"it is in line {before.span.line} already"
                self.say("LACE110", message, item.name, hint)
                continue
            with suppress(LostError):
                yield self._attribute(item)

    def _attribute(self, node: nodes.Attribute) -> ir.Attribute:
        layers = layers_of(node.layers, self.layout, self.say) or None
        name, kind = node.name.name, node.kind
        if isinstance(kind, nodes.RangeKind):
            return self._continuous(node, kind, layers)
        if node.points:
            message = f"only a measured attribute has named points; `{name}` has none"
            self.say("LACE402", message, node.points[0], "leave the braces out")
        if isinstance(kind, nodes.ChoiceKind):
            return ir.ChoiceAttribute(name, self._values(name, kind), layers)
        word = kind.word.name
        if word == "binary":
            return ir.BinaryAttribute(name, layers)
        hint = did_you_mean(word, ("binary",))
        if word.lower() in _YES_OR_NO:
            hint = "for yes or no, write `binary`"
        hint = hint or "write `binary`, `one of a, b` or a range such as `0..70 years`"
        raise self.say("LACE402", f"there is no kind `{word}`", kind, hint)

    def _values(self, name: str, kind: nodes.ChoiceKind) -> tuple[str, ...]:
        if kind.word.name != "one":
            message = f"`{kind.word.name} of` is no kind"
            raise self.say("LACE402", message, kind.word, "write `one of`")
        values: dict[str, None] = {}
        for word in kind.values:
            if word.name in values:
                self.say("LACE110", f"`{name}` has the value `{word.name}` twice", word)
            values[word.name] = None
        if len(values) < 2:
            message = f"`{name}` needs two values or more to choose from"
            raise self.say("LACE402", message, kind, "for yes or no, write `binary`")
        return tuple(values)

    def _continuous(
        self, node: nodes.Attribute, kind: nodes.RangeKind, layers: tuple[int, ...] | None
    ) -> ir.Attribute:
        low, high = kind.low.number, kind.high.number
        text = f"{kind.low.text}..{kind.high.text}"
        unit = self._unit(kind.high) or self._unit(kind.low)
        if not (math.isfinite(low) and math.isfinite(high)):
            raise self.say("LACE402", "the range has no end", kind)
        if low >= high:
            turned = f"{kind.high.text}..{kind.low.text}"
            swap = Suggestion(f"write `{turned}`", turned, span=kind.span) if low > high else None
            raise self.say("LACE402", f"the range {text} is empty", kind, swap)
        largest = max(abs(low), abs(high))
        if largest > _LARGEST or high - low < max(_NARROWEST, largest * _NARROWEST):
            hint = f"it lies within ±{_LARGEST:g}, and is {_NARROWEST:g} wide or more"
            raise self.say("LACE402", f"float32 cannot tell values of the range {text}", kind, hint)
        points: dict[str, float] = {}
        for point in node.points:
            name, value = point.name.name, point.value.number
            written = self._unit(point.value)
            if name in points:
                self.say("LACE110", f"the point `{name}` is given twice", point.name)
            elif written not in (None, unit):
                message = f"`{node.name.name}` is {f'in {unit}' if unit else 'without a unit'}"
                self.say("LACE202", message, point.value, "leave the unit out")
            elif not low <= value <= high:
                self.say("LACE404", f"`{name}` lies outside {text}", point.value)
            points[name] = value
        return ir.ContinuousAttribute(node.name.name, low, high, unit, points, layers)

    def _unit(self, quantity: nodes.Quantity) -> ir.Unit | None:
        word = quantity.unit
        found = _named(word, _UNITS)
        if word is not None and found is None:
            self.say("LACE105", f"there is no unit `{word.name}`", word, unit_hint(word.name))
        return found


_UNITS_ELSEWHERE = {
    **dict.fromkeys(("y", "yo", "yr", "yrs", "year"), "years"),
    **dict.fromkeys(("d", "degree", "degrees", "rad", "radian", "radians"), "deg"),
}


def unit_hint(name: str) -> str | None:
    """Return the hint for a unit that there is not."""
    meant = _UNITS_ELSEWHERE.get(name.lower())
    if meant is None:
        return did_you_mean(name, UNITS, "the units are")
    turned = "; angles are in degrees" if name.lower().startswith("rad") else ""
    return f"write `{meant}`, or no unit at all{turned}"


def _named(word: nodes.Word | None, known: Sequence[N]) -> N | None:
    return next((each for each in known if word is not None and each == word.name), None)


def layers_of(
    layers: Sequence[nodes.Layer], layout: Layout | None, say: Callable[..., object]
) -> tuple[int, ...]:
    """Return the numbers of style layers written as `4..5, 10`, in rising order.

    Wrong ones are reported, as say(code, message, node), and left out. A generator whose layout is
    not known may have up to `MOST_LAYERS`.
    """
    numbers: set[int] = set()
    limit = (MOST_LAYERS if layout is None else layout.layers) - 1
    for layer in layers:
        first = layer.first.number
        last = layer.last.number if layer.last is not None else first
        if first.is_integer() and last.is_integer() and 0 <= first <= last <= limit:
            numbers.update(range(int(first), int(last) + 1))
        else:
            message = f"layers are whole numbers from 0 to {limit}, in rising order"
            say("LACE405", message, layer)
    return tuple(sorted(numbers))
