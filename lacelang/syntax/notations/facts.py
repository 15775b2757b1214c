"""What a program's models say of their attributes, so that what is proposed is right for them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from attrs import frozen

from lacelang.resources import shipped
from lacelang.syntax import nodes


@frozen
class Fact:
    """One attribute.

    Attributes:
        kind: `binary`, `choice` or `measured`.
        values: of a choice, or the named points of a measured one.
        low, high: the range of a measured one.
    """

    kind: str
    values: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0

    def clip(self, number: float) -> float:
        """Return the number of the range that is nearest."""
        return min(max(number, self.low), self.high)


Facts = dict[str, Fact]


def facts_of(program: nodes.Program, named: Iterable[str]) -> Facts:
    """Return the attributes of the models that `program` declares and of those that it names.

    Where it names none, as a piece of a program may, all of the standard library's count.
    """
    own = [s for s in program.statements if isinstance(s, nodes.Model)]
    named = set(named) - {model.name.name for model in own}
    shared = _library()
    found: Facts = {}
    for name, facts in shared.items():
        if name in named or not (named or own):
            found.update(facts)
    for model in own:
        found.update(_declared(model))
    return found


def _declared(model: nodes.Model) -> Facts:
    facts: Facts = {}
    for item in model.items:
        if isinstance(item, nodes.Attribute):
            facts[item.name.name] = _fact(item)
    return facts


def _fact(item: nodes.Attribute) -> Fact:
    kind = item.kind
    if isinstance(kind, nodes.RangeKind):
        points = tuple(point.name.name for point in item.points)
        return Fact("measured", points, kind.low.number, kind.high.number)
    if isinstance(kind, nodes.ChoiceKind):
        return Fact("choice", tuple(word.name for word in kind.values))
    return Fact("binary", ("0", "1"))


@cache
def _library() -> dict[str, Facts]:
    return {
        name: facts
        for file in sorted(shipped("stdlib").glob("*.lace"))
        for name, facts in _models(file).items()
    }


def _models(file: Path) -> dict[str, Facts]:
    from lacelang.syntax.parser import read

    program = read(file.read_text(encoding="utf-8-sig")).program
    return {s.name.name: _declared(s) for s in program.statements if isinstance(s, nodes.Model)}
