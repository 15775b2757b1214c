"""`lacelang.term`: a differentiable function of latents as a condition."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from attrs import evolve

from lacelang import arguments, ir
from lacelang.embedding.algebra import Condition
from lacelang.embedding.values import word_of
from lacelang.errors import UsageError
from lacelang.syntax import nodes


def term(
    function: Callable[..., Any],
    *,
    on: ir.LatentSpace = "w",
    name: str = "term",
    version: str | int | None = None,
) -> Condition:
    """Return a condition whose energy is a function of one's own.

    The function maps rows, a float tensor (N, d), to energies (N,) in nats: -log of the probability
    that a row meets the condition. So they are at least 0, and 0 where it is met; a value below is
    an error of the run. It is differentiable by torch, and the energy of a row depends on that row
    alone; both are checked when it is first used. Constants in it belong on the device of its rows.

    In text it is used by its name, like a definition, also under `not`, with weights and
    temperatures: `compile(text, definitions={"near": term(f)})`. In Python it is joined by `&`, `|`
    and `~` to other conditions. It cannot be judged in images, as `expect` and `verified` do.

    Args:
        function: the energy.
        on: what it reads, latents `z` or truncated styles `w`.
        name: as it is shown; under `definitions` it has the name that it is given there.
        version: of the function. Runs with the same version are taken to be the same, so that a
            folder goes on; None means that no other run is.

    Raises:
        UsageError: an argument is not of its kind.
    """
    if not callable(function):
        arguments.refuse(function, "function", "is a function of rows (N, d)")
    if on not in ("z", "w"):
        raise UsageError(f"`on` is z or w, not {arguments.shown(on)}")
    word = word_of(name, "the name of a term")
    said = f"once {secrets.token_hex(8)}" if version is None else str(version)
    own = ir.OwnTerm(word.name, on, said, function)
    return Condition(nodes.Reference(word), (own,))


def named(condition: Condition, name: str) -> ir.OwnTerm | None:
    """Return the term that a condition is, under another name; None if it is more than one term."""
    if isinstance(condition.node, nodes.Reference) and len(condition.terms) == 1:
        return evolve(condition.terms[0], name=name)
    return None
