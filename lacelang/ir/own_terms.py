"""Terms of the user's own: energies that Python gives a program, and no text can say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from lacelang.ir.comparisons import Predicate
from lacelang.ir.conditions import walk

LatentSpace: TypeAlias = Literal["z", "w"]


@frozen(eq=False, repr=False)
class OwnTerm(Predicate):
    """A condition whose energy a function of latents gives; see `lacelang.term`.

    Two are equal by name, space and version: of a function nothing else can be said.

    Attributes:
        on: what the function reads, z or truncated w.
        version: another one where the function gives other numbers.
        function: rows (N, d) to energies (N,).
    """

    kind = "term"

    name: str
    on: LatentSpace
    version: str
    function: Callable[..., Any] = field(eq=False, repr=False, hash=False)

    def _spelled(self) -> str:
        return self.name


def own_terms(*predicates: Predicate | None) -> dict[str, OwnTerm]:
    """Return the terms of the user's own in conditions, by name."""
    found: Iterator[Predicate] = (
        each for predicate in predicates if predicate is not None for each in walk(predicate)
    )
    return {each.name: each for each in found if isinstance(each, OwnTerm)}
