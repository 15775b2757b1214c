"""What a program's models say of their attributes, so that what is proposed is right for them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from attrs import frozen

from lacelang.resources import shipped
from lacelang.syntax import nodes


@frozen
class Fact:
    """One attribute: a measured one has a range, and its values are named points."""

    kind: str  # `binary`, `choice` or `measured`
    values: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0

    @property
    def example(self) -> str:
        """A value of it."""
        return f"{self.low:g}" if self.kind == "measured" else self.values[-1]

    def clip(self, number: float) -> float:
        """Return the number of the range that is nearest."""
        return min(max(number, self.low), self.high)


Facts = dict[str, Fact]


def facts_of(program: nodes.Program, named: Iterable[str]) -> Facts:
    """Return the attributes of the models that `program` declares and of those that it names.

    Where it names none, as a lexeme of a program may, all of the standard library's count.
    """
    own = _models(program)
    others = set(named) - own.keys()
    shared = [f for name, f in _library().items() if name in others or not (others or own)]
    return {name: fact for facts in (*shared, *own.values()) for name, fact in facts.items()}


def _models(program: nodes.Program) -> dict[str, Facts]:
    return {
        model.name.name: {
            item.name.name: _fact(item) for item in model.items if isinstance(item, nodes.Attribute)
        }
        for model in program.statements
        if isinstance(model, nodes.Model)
    }


def _fact(item: nodes.Attribute) -> Fact:
    match item.kind:
        case nodes.RangeKind(low, high):
            points = tuple(point.name.name for point in item.points)
            return Fact("measured", points, low.number, high.number)
        case nodes.ChoiceKind(_, values):
            return Fact("choice", tuple(word.name for word in values))
    return Fact("binary", ("0", "1"))


@cache
def _library() -> dict[str, Facts]:
    from lacelang.syntax.parser import read

    models: dict[str, Facts] = {}
    for file in sorted(shipped("stdlib").glob("*.lace")):
        models.update(_models(read(file.read_text(encoding="utf-8-sig")).program))
    return models
