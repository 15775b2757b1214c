"""Model declarations: from `model ffhq { … }` to a `ModelSpec`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from lacelang import ir
from lacelang.semantics.report import Report, did_you_mean
from lacelang.semantics.scope import Module
from lacelang.semantics.values import unit_hint
from lacelang.syntax import nodes

STYLE_LAYERS = 18
"""Layers are numbered as in the 1024 x 1024 StyleGAN2, from 0."""

_LARGEST, _NARROWEST = 1e9, 1e-4

T = TypeVar("T", bound=nodes.Node)

_YES_OR_NO = frozenset({"bool", "boolean", "flag", "yesno", "bit"})
_SPACES: tuple[ir.Space, ...] = ("z", "w", "image")
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_PACKAGE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9._+!-]*)")
_FILE = re.compile(r".+\.[A-Za-z0-9]+")


def declare(node: nodes.Model, module: Module, report: Report) -> ir.ModelSpec | None:
    """Return the model that `node` declares, or None if its declaration is wrong."""
    return _Declaration(node, module, report).spec()


class _Declaration:
    def __init__(self, node: nodes.Model, module: Module, report: Report) -> None:
        self.node = node
        self.module = module
        self.report = report
        self.wrong = False

    def say(self, code: str, message: str, at: nodes.Node, hint: str | None = None) -> None:
        self.wrong = True
        self.report.say(code, message, at, self.module, hint)

    def spec(self) -> ir.ModelSpec | None:
        generator = self._only(nodes.Generator, "generator")
        classifiers = self._only(nodes.Classifiers, "classifiers")
        attributes = self._attributes()
        if generator is None:
            if not self.module.broken:
                message = f"the model `{self.node.name.name}` has no generator"
                self.say(
                    "LACE401", message, self.node.name, "add `generator mobilestylegan from …`"
                )
            return None
        package, version, file = self._source(generator)
        space = self._space(classifiers)
        digest = generator.sha256
        if digest is not None and not _DIGEST.fullmatch(digest.value):
            message = "a SHA-256 checksum has 64 hexadecimal digits"
            self.say("LACE406", message, digest, f"these are {len(digest.value)} characters")
        if self.wrong:
            return None
        return ir.ModelSpec(
            name=self.node.name.name,
            generator=generator.architecture.name,
            package=package,
            version=version,
            sha256=digest.value.lower() if digest is not None else None,
            classifiers=classifiers.file.value if classifiers is not None else None,
            space=space,
            attributes=tuple(attributes),
            path=self.module.folder,
            file=file,
        )

    def _only(self, kind: type[T], name: str) -> T | None:
        found = [item for item in self.node.items if isinstance(item, kind)]
        for item in found[1:]:
            message = f"the model `{self.node.name.name}` has a second `{name}`"
            self.say("LACE401", message, item, "keep one of them")
        return found[0] if found else None

    def _source(self, generator: nodes.Generator) -> tuple[str | None, str | None, str | None]:
        if generator.source is None:
            return None, None, None
        source = generator.source.value
        package = _PACKAGE.fullmatch(source)
        if package is not None:
            return package.group(1), package.group(2), None
        if "=" in source or not _FILE.fullmatch(source):
            message = f'`"{source}"` is neither a package with its version nor a file'
            hint = 'write `"random-face==2021.7.21.1"` or `"weights.safetensors"`'
            self.say("LACE406", message, generator.source, hint)
        return None, None, source

    def _space(self, classifiers: nodes.Classifiers | None) -> ir.Space:
        if classifiers is None or classifiers.space is None:
            return "w"
        written = classifiers.space.name
        for space in _SPACES:
            if space == written:
                return space
        hint = did_you_mean(written, _SPACES, "classifiers stand on one of")
        self.say("LACE109", f"`on` does not know `{written}`", classifiers.space, hint)
        return "w"

    def _attributes(self) -> list[ir.Attribute]:
        first: dict[str, nodes.Attribute] = {}
        result: list[ir.Attribute] = []
        for item in self.node.items:
            if not isinstance(item, nodes.Attribute):
                continue
            before = first.setdefault(item.name.name, item)
            if before is not item:
                message = f"the attribute `{item.name.name}` is declared twice"
                hint = f"it stands in line {before.span.line} already"
                self.say("LACE110", message, item.name, hint)
                continue
            attribute = self._attribute(item)
            if attribute is not None:
                result.append(attribute)
        return result

    def _attribute(self, node: nodes.Attribute) -> ir.Attribute | None:
        name, kind = node.name.name, node.kind
        layers = self._layers(node)
        if node.points and not isinstance(kind, nodes.RangeKind):
            message = f"only a measured attribute has named points; `{name}` has none"
            self.say("LACE402", message, node.points[0], "leave the braces out")
        if isinstance(kind, nodes.RangeKind):
            return self._continuous(node, kind, layers)
        if isinstance(kind, nodes.ChoiceKind):
            return self._choice(name, kind, layers)
        if kind.word.name == "binary":
            return ir.BinaryAttribute(name, layers)
        hint = did_you_mean(kind.word.name, ("binary",))
        if kind.word.name.lower() in _YES_OR_NO:
            hint = "for yes or no, write `binary`"
        hint = hint or "write `binary`, `one of a, b` or a range such as `0..70 years`"
        self.say("LACE402", f"there is no kind `{kind.word.name}`", kind, hint)
        return None

    def _choice(
        self, name: str, kind: nodes.ChoiceKind, layers: tuple[int, ...] | None
    ) -> ir.Attribute | None:
        if kind.word.name != "one":
            self.say("LACE402", f"`{kind.word.name} of` is no kind", kind.word, "write `one of`")
            return None
        values: list[str] = []
        for word in kind.values:
            if word.name in values:
                self.say("LACE110", f"`{name}` has the value `{word.name}` twice", word)
            values.append(word.name)
        if len(values) < 2:
            message = f"`{name}` needs two values or more to choose from"
            self.say("LACE402", message, kind, "for yes or no, write `binary`")
            return None
        return ir.ChoiceAttribute(name, tuple(values), layers)

    def _continuous(
        self, node: nodes.Attribute, kind: nodes.RangeKind, layers: tuple[int, ...] | None
    ) -> ir.Attribute | None:
        low, high = kind.low.number, kind.high.number
        unit = self._unit(kind.high) or self._unit(kind.low)
        if not (math.isfinite(low) and math.isfinite(high)):
            self.say("LACE402", "the range has no end", kind)
            return None
        if low >= high:
            message = f"the range {kind.low.text}..{kind.high.text} is empty"
            hint = f"write `{kind.high.text}..{kind.low.text}`" if low > high else None
            self.say("LACE402", message, kind, hint)
            return None
        largest = max(abs(low), abs(high))
        if largest > _LARGEST or high - low < max(_NARROWEST, largest * _NARROWEST):
            message = f"float32 cannot tell values of the range {kind.low.text}..{kind.high.text}"
            hint = f"it lies within ±{_LARGEST:g}, and is {_NARROWEST:g} wide or more"
            self.say("LACE402", message, kind, hint)
            return None
        points: dict[str, float] = {}
        for point in node.points:
            value = point.value.number
            written = self._unit(point.value)
            if point.name.name in points:
                self.say("LACE110", f"the point `{point.name.name}` is given twice", point.name)
            elif written not in (None, unit):
                message = f"`{node.name.name}` is {f'in {unit}' if unit else 'without a unit'}"
                self.say("LACE202", message, point.value, "leave the unit out")
            elif not low <= value <= high:
                message = f"`{point.name.name}` lies outside {kind.low.text}..{kind.high.text}"
                self.say("LACE404", message, point.value)
            points[point.name.name] = value
        return ir.ContinuousAttribute(node.name.name, low, high, unit, points, layers)

    def _unit(self, quantity: nodes.Quantity) -> ir.Unit | None:
        if quantity.unit is None:
            return None
        if quantity.unit.name == "deg":
            return "deg"
        if quantity.unit.name == "years":
            return "years"
        hint = unit_hint(quantity.unit.name)
        self.say("LACE105", f"there is no unit `{quantity.unit.name}`", quantity.unit, hint)
        return None

    def _layers(self, node: nodes.Attribute) -> tuple[int, ...] | None:
        return layers_of(node.layers, self.say) or None


def layers_of(layers: Sequence[nodes.Layer], say: Callable[..., None]) -> tuple[int, ...]:
    """Return the numbers of style layers written as `4..5, 10`, in rising order.

    Args:
        layers: as written; wrong ones are reported and left out.
        say: reports (code, message, node).
    """
    numbers: set[int] = set()
    for layer in layers:
        first = layer.first.number
        last = layer.last.number if layer.last is not None else first
        limit = STYLE_LAYERS - 1
        if first.is_integer() and last.is_integer() and 0 <= first <= last <= limit:
            numbers.update(range(int(first), int(last) + 1))
        else:
            message = f"layers are whole numbers from 0 to {limit}, in rising order"
            say("LACE405", message, layer)
    return tuple(sorted(numbers))
