"""Schedules, alternations and wildcards of prompts: `[a:b:0.5]`, `[a|b]`, `{a|b}`, `__hair__`."""

from __future__ import annotations

from lacelang.syntax.notations.counting import counted
from lacelang.syntax.notations.table import Found, Notation, Remedy
from lacelang.syntax.notations.weights import condition_of

_NO_SCHEDULE = "{} is a schedule, and a condition holds all along"


def _one_then_other(found: Found) -> Remedy:
    hint = "sample with the first condition, then `edit` the group with the second"
    return Remedy(None, hint, meanwhile=f"({found['p']} or {found['q']})")


def _later(found: Found) -> Remedy | None:
    condition = condition_of(found, "p")
    return Remedy(condition) if condition is not None else None


def _alternatives(found: Found) -> Remedy | None:
    """`{a|b}` and `[a|b]`, whose bars have been read as joints."""
    start, end = found.parts["p"]
    reader = found.reader
    if not any(reader.low(i) in ("|", "||") for i in range(start, end)):
        return None
    return Remedy(f"({found['p']})", "with `disjunction balanced`, each is seen as often")


def _grouped(found: Found) -> Remedy:
    return Remedy(f"({found['p']})")


def _values(found: Found) -> Remedy | None:
    """`haircolor={black|blond}`, `haircolor in [black|blond]`."""
    start, end = found.parts["b"]
    reader = found.reader
    values: list[str] = []
    place = start + 1
    while place < end:
        after = reader.value(place)
        if after is None or reader.low(after) not in ("|", "||", "/", "}", "]", ")", ","):
            return None
        values.append(found.text(place, after))
        place = after + 1
    bars = any(reader.low(i) in ("|", "||", "/") for i in range(start, end))
    if len(values) < 2 or not bars:
        return None
    return Remedy(f"{found['x']} in {{{', '.join(values)}}}")


def _so_many(found: Found) -> Remedy | None:
    start, end = found.parts["p"]
    reader = found.reader
    items: list[str] = []
    place = start
    while place < end:
        after = reader.condition(place)
        if after is None or (after < end and reader.low(after) not in ("|", "||")):
            return None
        items.append(found.condition(place, after))
        place = after + 1
    many = int(found.number("n"))
    return counted(found, many, many, items)


def _wildcard(found: Found) -> Remedy:
    return Remedy(None, _WILDCARD, meanwhile=found["x"])


_WILDCARD = "leave the attribute out: what no condition names varies from sample to sample"

SCHEDULES: tuple[Notation, ...] = (
    Notation("[ {p:predicate} : {q:predicate} : {n:number} ]", _NO_SCHEDULE, _one_then_other),
    Notation("[ {p:predicate} : {q:predicate} : ]", _NO_SCHEDULE, _one_then_other),
    Notation("[ {p:predicate} : {n:number} ]", _NO_SCHEDULE, _later, starts=True),
    Notation("[ {p:predicate} :: {n:number} ]", _NO_SCHEDULE, _later, starts=True),
    Notation("{ {n:number} $$ {p:predicate} }", "{} is a wildcard of prompts", _so_many),
    Notation("{x:name} =,in {y:wildcard}", "{} is a wildcard of prompts", _wildcard, parses=True),
    Notation("{x:wildcard}", "{} is a wildcard of prompts", _wildcard, parses=True),
    Notation("{x:name} =,in,: {b:braces}", "{} is not how several values are written", _values),
    Notation("{ {p:predicate} }", "{} is a wildcard of prompts", _alternatives, starts=True),
    Notation(
        "{ {p:predicate} }", "conditions are grouped in round brackets", _grouped, starts=True
    ),
    Notation("[ {p:predicate} ]", "{} is an alternation of prompts", _alternatives, starts=True),
)
