"""Weights, schedules, alternations and wildcards of prompts: `(a:1.3)`, `[a:b:0.5]`, `{a|b}`."""

from __future__ import annotations

from lacelang.syntax.notations.counting import counted
from lacelang.syntax.notations.table import Found, Notation, Remedy, rows
from lacelang.syntax.notations.words import words_of

_WEIGHT = "{} is not how a weight is written"
_UP, _DOWN = 1.1, 0.9  # what a `+` and a `-` stand for in compel
_BRACKET = 1.1  # what a square bracket divides by in web UIs
_HEAVY, _LIGHT = 2, 0.5  # weights in place of `very` and `slightly`


def _condition(found: Found) -> str | None:
    """Return part `p` as a condition; None if it is the bare name of another attribute."""
    fact = found.fact("p")
    return found["p"] if fact is None or fact.kind == "binary" else None


def weighed(found: Found, weight: float) -> Remedy | str | None:
    """Return how part `p` is given a weight, where it may have one."""
    condition = _condition(found)
    if weight >= 0 and _is_idle(found):
        fix = None if condition is None else found.group("p")
        return Remedy(fix, "a weight has a meaning under `and` and `or` only")
    if condition is None:
        return Remedy(None, "like `age > 30 [weight 2]`", meanwhile=found.raw("p"))
    text = condition if found.single("p") else f"({condition})"
    if weight < 0:
        return Remedy(f"not {text}", "a weight is never negative")
    return f"{text} [weight {weight:.6g}]"


def _is_idle(found: Found) -> bool:
    """Whether a weight would stand right under what has no use for one, brackets aside."""
    reader = found.reader
    before, after = found.start - 1, found.end
    while reader.low(before) == "(" and reader.low(after) == ")":
        before, after = before - 1, after + 1
    return reader.low(before) in _IDLE_BEHIND or reader.low(after) in _IDLE_BEFORE


_IDLE_BEFORE = words_of(
    "xor implies then else ? : -> => → ⇒ ^ ⊕ <-> <=> iff if unless when nand nor"
)
_IDLE_BEHIND = _IDLE_BEFORE | words_of("not ! ¬ ~")


def _number(found: Found) -> Remedy | str | None:
    return weighed(found, found.number("n"))


def _behind(found: Found) -> Remedy | str | None:
    """`smile=1 * 2`; `smile: 1` is a value rather than a weight, and `age = 2*3` arithmetic."""
    fact = found.reader.fact(found.start)
    sign = found.reader.low(found.parts["p"][1])
    measured = fact is not None and fact.kind == "measured"
    return None if measured and sign.startswith(("*", "^", "x")) else _colon(found)


def _colon(found: Found) -> Remedy | str | None:
    """`(smile: 1)` is a value rather than a weight."""
    if found.bare("p"):
        fact = found.fact("p")
        in_brackets = found.reader.low(found.start) == "("
        named = in_brackets if fact is None else fact.kind == "binary"
        if not named or found.number("n") in (0, 1):
            return None
    return _number(found)


def _pluses(found: Found) -> Remedy | str | None:
    sign, reader, end = found["s"], found.reader, found.end
    last = end >= len(reader.lexemes) or reader.begins(end) or reader.low(end) in _GOES_ON
    option = reader.touches(end) and reader.kind(end) == "word"
    if set(sign) == {"-"} and (not last or option):
        return None
    if sign == "+" and reader.value(end) is not None and not last:
        return None
    if len(sign) == 1 and not reader.touches(end - 1):
        return None
    return weighed(found, round((_UP if sign[0] == "+" else _DOWN) ** len(sign), 4))


_GOES_ON = words_of(
    ") } ] , ; and or xor implies from where given temp seed with as stay hold layers in "
    "negation disjunction truncation sigma reweight"
)


def _stressed(found: Found, weight: float) -> Remedy | str | None:
    return weighed(found, weight) if not found.bare("p") or found.fact("p") is not None else None


WEIGHTS = (
    *rows(
        _WEIGHT,
        {
            "( {p:predicate} :,::,* {n:number} )": _colon,
            "( {p:predicate} ) :,::,*,**,^,@,x? {n:number}": _number,
            "( {p:predicate} ) {s:pluses}": _pluses,
            "| ( {p:predicate} , {n:number} )": _number,
            "| [ [ {p:predicate} ] ]": lambda f: weighed(f, round(1 / _BRACKET**2, 2)),
            # Where the number is a share of the steps, it is a schedule.
            "| [ {p:predicate} : {n:number} ]": lambda f: _number(f) if f.number("n") > 1 else None,
            "| [ {p:predicate} ]": lambda f: (
                weighed(f, round(1 / _BRACKET, 2)) if _condition(f) is not None else None
            ),
            "| {n:number} *,x {p:condition}": _number,
            "{p:condition} :,::,*,**,^,@,x {n:number}": _behind,
            "! {p:condition} {t:times}": lambda f: (
                weighed(f, float(f["t"][1:])) if not f.bare("p") else None
            ),
            "{p:condition} [ {n:number} ]": _colon,
            "{p:condition} { {n:number} }": _number,
            "{p:condition} ( {n:number} )": _number,
            "{p:condition} (?weight =,: {n:number} )?": _number,
            "{p:condition} {s:pluses}": _pluses,
        },
    ),
)

STRESSES = (
    *rows(
        "{} is not how a condition is written",
        {
            "| very,really,extremely,strongly {p:condition}": lambda f: _stressed(f, _HEAVY),
            "| slightly,somewhat,barely {p:condition}": lambda f: _stressed(f, _LIGHT),
        },
    ),
)


# Schedules, alternations and wildcards

_ONE_THEN_OTHER = Remedy(
    None,
    "sample with the first condition, then `edit` the group with the second",
    meanwhile="({p} or {q})",
)
_WILDCARD = Remedy(
    None,
    "leave the attribute out: what no condition names varies from sample to sample",
    meanwhile="{x}",
)


def _alternatives(found: Found) -> Remedy | None:
    """`{a|b}` and `[a|b]`, whose bars have been read as joints."""
    if not any(found.reader.low(i) in ("|", "||") for i in range(*found.parts["p"])):
        return None
    return Remedy(f"({found['p']})", "with `disjunction balanced`, each is seen as often")


def _values(found: Found) -> str | None:
    """`haircolor={black|blond}`, `haircolor in [black|blond]`."""
    values = found.values("b", ("|", "||", "/", "}", "]", ")", ","), first=1)
    bars = any(found.reader.low(i) in ("|", "||", "/") for i in range(*found.parts["b"]))
    several = values is not None and len(values) > 1 and bars
    return f"{found['x']} in {{{', '.join(values or ())}}}" if several else None


def _so_many(found: Found) -> Remedy | None:
    """`{2$$a|b|c}`, whose bars have been read as joints."""
    place, end = found.parts["p"]
    items: list[str] = []
    while place < end:
        after = found.reader.condition(place) or end
        if after < end and found.reader.low(after) not in ("|", "||"):
            return None
        items.append(found.text(place, after))
        place = after + 1
    return counted(found, "=", found.number("n"), items)


SCHEDULES = (
    *rows(
        "{} is a schedule, and a condition holds all along",
        {
            "[ {p:predicate} : {q:predicate} : {n:number} ]": _ONE_THEN_OTHER,
            "[ {p:predicate} : {q:predicate} : ]": _ONE_THEN_OTHER,
            "| [ {p:predicate} :,:: {n:number} ]": _condition,
        },
    ),
    *rows(
        "{} is a wildcard of prompts",
        {
            "{ {n:number} $$ {p:predicate} }": _so_many,
            "! {x:name} =,in {y:wildcard}": _WILDCARD,
            "! {x:wildcard}": _WILDCARD,
        },
    ),
    Notation("{x:name} =,in,: {b:braces}", "{} is not how several values are written", _values),
    Notation("{ {p:predicate} }", "{} is a wildcard of prompts", _alternatives, starts=True),
    Notation("{ {p:predicate} }", "conditions are grouped in round brackets", "({p})", starts=True),
    Notation("[ {p:predicate} ]", "{} is an alternation of prompts", _alternatives, starts=True),
)
