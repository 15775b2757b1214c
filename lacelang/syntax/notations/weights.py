"""Weights as prompts have them: `(a:1.3)`, `a::2`, `a++`, `[a]`."""

from __future__ import annotations

from lacelang.syntax.notations.pieces import words_of
from lacelang.syntax.notations.table import Found, Notation, Remedy

_MESSAGE = "{} is not how a weight is written"
_UP, _DOWN = 1.1, 0.9  # what a `+` and a `-` stand for in compel
_BRACKET = 1.1  # what a square bracket divides by in web UIs


def _weighed(found: Found, part: str, weight: float) -> str:
    """Return a part with its weight behind it."""
    shown = f"{weight:.6g}"
    text = found[part] if found.single(part) else f"({found[part]})"
    return f"{text} [weight {shown}]"


def condition_of(found: Found, part: str) -> str | None:
    """Return a part as a condition; None if it is the bare name of another attribute."""
    fact = found.facts.get(found.raw(part)) if found.bare(part) else None
    return found[part] if fact is None or fact.kind == "binary" else None


def weigh(found: Found, part: str, weight: float) -> Remedy | None:
    """Return how a part is given a weight, where it may have one."""
    if _is_idle(found) and weight >= 0:
        condition = condition_of(found, part)
        text = None if condition is None else found.group(part)
        return Remedy(text, "a weight has a meaning under `and` and `or` only")
    if found.bare(part):
        condition = condition_of(found, part)
        if condition is None:
            return Remedy(None, "like `age > 30 [weight 2]`", meanwhile=found.raw(part))
        if weight >= 0:
            return Remedy(f"{condition} [weight {weight:.6g}]")
    if weight < 0:
        group = f"({found[part]})"
        if found.bare(part):
            group = condition_of(found, part) or group
        elif found.single(part):
            group = found[part]
        return Remedy(f"not {group}", "a weight is never negative")
    return Remedy(_weighed(found, part, weight))


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


def _number(found: Found) -> Remedy | None:
    return weigh(found, "p", found.number("n"))


def _times(found: Found) -> Remedy | None:
    """`smile=1 x2`."""
    return weigh(found, "p", float(found["t"][1:])) if not found.bare("p") else None


def _behind(found: Found) -> Remedy | None:
    """`smile=1 * 2`; `smile: 1` is a value rather than a weight, and `age = 2*3` arithmetic."""
    fact = found.facts.get(found.reader.pieces[found.start].text)
    sign = found.reader.low(found.parts["p"][1])
    if sign.startswith(("*", "^", "x")) and fact is not None and fact.kind == "measured":
        return None
    return _colon(found)


def _colon(found: Found) -> Remedy | None:
    """`(smile: 1)` is a value rather than a weight."""
    if found.bare("p"):
        fact = found.facts.get(found.raw("p"))
        if fact is not None and fact.kind == "choice":
            return None
        measured = fact is not None and fact.kind == "measured"
        if measured or found.number("n") in (0, 1):
            return None
        if found.reader.low(found.start) != "(" and fact is None:
            return None
    return _number(found)


def _pluses(found: Found) -> Remedy | None:
    sign = found["s"]
    if set(sign) == {"-"} and (not _ends(found) or _option(found)):
        return None
    if sign == "+" and (found.reader.value(found.end) is not None and not _ends(found)):
        return None
    if len(sign) == 1 and not found.reader.touches(found.end - 1):
        return None
    step = _UP if sign[0] == "+" else _DOWN
    return weigh(found, "p", round(step ** len(sign), 4))


def _option(found: Found) -> bool:
    """Whether a word touches what is behind: `--seed`."""
    return found.reader.touches(found.end) and found.reader.kind(found.end) == "word"


def _ends(found: Found) -> bool:
    """Whether nothing follows on the line that the sign could belong to."""
    reader, i = found.reader, found.end
    if i >= len(reader.pieces) or reader.pieces[i].begins:
        return True
    return reader.low(i) in (")", "}", "]", ",", ";", *_GOES_ON)


_GOES_ON = words_of(
    "and or xor implies from where given temp seed with as stay hold layers in "
    "negation disjunction truncation sigma reweight"
)


def _brackets(found: Found) -> Remedy | None:
    if found.bare("p") and condition_of(found, "p") is None:
        return None
    return weigh(found, "p", round(1 / _BRACKET, 2))


def _double_brackets(found: Found) -> Remedy | None:
    return weigh(found, "p", round(1 / _BRACKET**2, 2))


def _bracketed_number(found: Found) -> Remedy | None:
    """`[smile=1:0.5]` is a schedule where the number is a share of the steps."""
    if found.number("n") <= 1:
        return None
    return _number(found)


WEIGHTS: tuple[Notation, ...] = (
    Notation("( {p:predicate} :,::,* {n:number} )", _MESSAGE, _colon),
    Notation("( {p:predicate} , {n:number} )", _MESSAGE, _number, starts=True),
    Notation("( {p:predicate} ) :,::,*,**,^,@,x {n:number}", _MESSAGE, _number),
    Notation("( {p:predicate} ) {n:number}", _MESSAGE, _number),
    Notation("( {p:predicate} ) {s:pluses}", _MESSAGE, _pluses),
    Notation("[ [ {p:predicate} ] ]", _MESSAGE, _double_brackets, starts=True),
    Notation("[ {p:predicate} : {n:number} ]", _MESSAGE, _bracketed_number, starts=True),
    Notation("[ {p:predicate} ]", _MESSAGE, _brackets, starts=True),
    Notation("{n:number} *,x {p:condition}", _MESSAGE, _number, starts=True),
    Notation("{p:condition} :,::,*,**,^,@,x {n:number}", _MESSAGE, _behind),
    Notation("{p:condition} {t:times}", _MESSAGE, _times, parses=True),
    Notation("{p:condition} [ {n:number} ]", _MESSAGE, _colon),
    Notation("{p:condition} { {n:number} }", _MESSAGE, _number),
    Notation("{p:condition} ( {n:number} )", _MESSAGE, _number),
    Notation("{p:condition} (?weight =,: {n:number} )?", _MESSAGE, _number),
    Notation("{p:condition} {s:pluses}", _MESSAGE, _pluses),
)
