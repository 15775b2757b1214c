"""Values with a tolerance, ranges and shares: `age=30±5`, `20<age<30`, `age=20s`, `30% smile`."""

from __future__ import annotations

from lacelang.syntax.notations.facts import Fact
from lacelang.syntax.notations.table import Found, Notation, Remedy, rows

_RANGE = "{} is not how a range is written"
_SEVERAL = "{} is not how several values are written"
_SHARE = "a percentage stands in `expect` only"
_DEGREE = "a degree lies between 0 and 1, like `{} ~ 0.6`"


def compared(found: Found, operator: str, value: str) -> str:
    """Return how attribute `x` is compared with a value."""
    space = "" if operator == "=" else " "
    return f"{found['x']}{space}{operator}{space}{value}"


def _text(number: float) -> str:
    return f"{number:.10g}"


def _beyond(name: str, fact: Fact) -> Remedy:
    return Remedy(None, f"`{name}` goes from {_text(fact.low)} to {_text(fact.high)}")


def _ranged(found: Found, low: float, high: float) -> Remedy | str | None:
    """Return the range for an attribute, which goes no further than its values do."""
    name, fact = found["x"], found.fact()
    low, high = min(low, high), max(low, high)
    if fact is not None:
        if fact.kind != "measured":
            return Remedy(None, f"`{name}` has no range; like `{name}={fact.example}`")
        if fact.clip(low) == fact.clip(high):
            return _beyond(name, fact)
        low, high = fact.clip(low), fact.clip(high)
    return f"{name} in {_text(low)}..{_text(high)}{_unit(found)}"


def _unit(found: Found) -> str:
    """Return the unit behind the first number, or else behind the second, after a space."""
    unit = found.get("u") or found.get("t")
    return f" {unit.strip()}" if unit else ""


def _tolerance(found: Found) -> Remedy | str | None:
    middle = found.number("n") if "n" in found.parts else 0
    around = abs(found.number("m"))
    if "s" in found.parts:
        around = abs(middle) * around / 100
    if not around and "n" in found.parts:
        return near(found, _text(middle))
    return _ranged(found, middle - around, middle + around)


def _from_to(found: Found) -> Remedy | str | None:
    return _ranged(found, found.number("n"), found.number("m"))


def _sandwich(found: Found) -> str | None:
    """`20 < age < 30`."""
    signs = found["o"][0] + found["r"][0]
    if signs == "==":
        return f"{found['x']}={found['w']}"
    ends = {"<<": "{v}..{w}", ">>": "{w}..{v}"}.get(signs)
    return found.filled("{x} in " + ends) if ends else None


def _both_sides(found: Found) -> str | None:
    """`age > 20 < 30`."""
    ends = {"><": "{v}..{w}", "<>": "{w}..{v}"}.get(found["o"][0] + found["r"][0])
    return found.filled("{x} in " + ends) if ends else None


def _turned(found: Found) -> str | None:
    """`20 < age`."""
    if found["o"] == "~" or found.reader.low(found.end) in ("<", ">", "<=", ">=", "%"):
        return None
    return compared(found, found["o"].translate(str.maketrans("<>", "><")), found["v"])


def near(found: Found, value: str) -> Remedy | str | None:
    """Return how to ask for a value, or for a degree of a yes-or-no attribute."""
    name, fact = found["x"], found.fact()
    try:
        number = float(value.split()[0])
    except ValueError:
        return f"{name}={value}"
    if fact is not None and fact.kind == "measured":
        return Remedy(f"{name}={value}", "how closely it is met is up to the model")
    if fact is not None and fact.kind == "choice":
        return None
    if number in (0, 1) or (fact is None and number > 1):
        return f"{name}={value}"
    return f"{name} ~ {value}" if 0 < number < 1 else Remedy(None, _DEGREE.format(name))


def _decade(found: Found) -> Remedy | str | None:
    start = found.number("n")
    return _ranged(found, start, start + 10) if not start % 10 else None


def _at_least(found: Found) -> str | None:
    """`age=18+`; of a yes-or-no attribute it is a weight."""
    fact, operator, end = found.fact(), found.get("o"), found.end
    if fact is None and found.number("n") in (0, 1):
        return None
    reader = found.reader
    if (
        operator in ("<", "<=")
        or reader.kind(end) == "number"
        or reader.low(end) in ("-", "/", "+")
    ):
        return None
    if not (reader.touches(end - 1) or reader.begins(end)) and reader.condition(end) is not None:
        return None  # `age > 30 + smile=1` joins two conditions
    operator = operator if operator in (">", ">=") else ">="
    return f"{found['x']} {operator} {found['n']}{_unit(found)}"


def _share(found: Found) -> Remedy | str | None:
    """`30% smile`, `smile=30%`; behind `expect` and before `of`, the share is a group's."""
    reader = found.reader
    of_group = reader.number(found.start) and reader.low(found.start - 1) == "expect"
    if of_group or reader.low(found.end) == "of":
        return None
    name, share, fact = found["x"], found.number("n") / 100, found.fact()
    if found.get("v", "1") not in ("1", "true", "True", "yes"):
        condition = f"{name}={found['v']}"
        hint = f"how many of a group are so is judged by `expect {condition} in {found['n']}% of …`"
        return Remedy(None, hint, meanwhile=condition)
    if fact is not None and fact.kind == "choice":
        return Remedy(None, f"like `{name}={fact.values[0]}`")
    if fact is not None and fact.kind == "measured":
        return f"{name}={_text(share)}" if fact.clip(share) == share else _beyond(name, fact)
    if not 0 <= share <= 1:
        return Remedy(None, _DEGREE.format(name))
    if share in (0, 1):
        return f"{name}={_text(share)}"
    return Remedy(f"{name} ~ {_text(share)}", "this is a degree")


def _values(found: Found, words_only: bool | None = None) -> str | None:
    """Return the set of the values of part `l`, if all are values of the attribute.

    Where these are `words_only`, names with `or` between, the grammar reads them too.
    """
    fact = found.fact()
    values = found.values("l", ("or", ",", "|", "||", "/")) or []
    signs = {found.reader.low(i) for i in range(*found.parts["l"])} & {",", "|", "||", "/"}
    words = not signs and all(value[0].isalpha() or value[0] == "_" for value in values[1:])
    if words_only is not None and words != words_only:
        return None
    numbers = fact is not None and fact.kind == "measured"
    known = (v in fact.values or (numbers and not v[0].isalpha()) for v in values) if fact else ()
    return f"{found['x']} in {{{', '.join(values)}}}" if all(known) else None


def _ends_of_range(found: Found) -> Remedy | str | None:
    """`age=20:30`, which is a weight if the second number is a small one."""
    low, high = found.number("n"), found.number("m")
    return _from_to(found) if high > low and high > 3 else None


RANGES = (
    # Both sides of a value
    *rows(
        _RANGE,
        {
            "{x:name} {k:nearly}? {n:number} {u:unit} ±,+-,+/- {m:number}"
            " {s:percent}? {t:unit}": _tolerance,
            "{x:name} {k:nearly}? {n:number} {u:unit} ( ±,+-,+/- {m:number} {t:unit} )": _tolerance,
            "{x:name} {o:comparing} {v:value} {r:comparing} {w:value}": _both_sides,
            "{x:name} {k:nearly}? ±,+-,+/- {m:number} {t:unit}": _tolerance,
            "| {v:value} {o:comparing} {x:name} {r:comparing} {w:value}": _sandwich,
        },
    ),
    # Shares
    *rows(
        _SHARE,
        {
            "| {n:number} % of? {x:name} =,==,: {v:value}": _share,
            "| {n:number} % of? {x:name}": _share,
            "{x:name} {k:nearly}? {n:number} %": _share,
        },
    ),
    # Ranges
    *rows(
        _RANGE,
        {
            "{x:name} {k:nearly}? from? {n:number} {u:unit} -,−,–,—,to,until,till,…"
            " {m:number} {t:unit}": _from_to,
            "{x:name} {k:equal}? {n:number} {u:unit} .. {m:number} {t:unit}": _from_to,
            "{x:name} in,∈ {n:number} {u:unit} : {m:number} {t:unit}": _from_to,
            "{x:name} {k:equal} {n:number} : {m:number}": _ends_of_range,
            "{x:name} is? in? between,within,inside,from,range,interval {n:number} {u:unit}"
            " and,to,,,-,..,; {m:number} {t:unit}": _from_to,
            "{x:name} is? in? between,within,inside,range (,[ {n:number} {u:unit}"
            " and,to,,,-,..,; {m:number} {t:unit} ),]": _from_to,
            "{x:measured} is? in? between,from {v:name} and,to,..,- {w:name}": "{x} in {v}..{w}",
            "{x:measured} {k:among} range,interval,linspace? [,(,],< {n:number} {u:unit}"
            " ;,..,:,to,-,,,| {m:number} {t:unit} ],),[,>": _from_to,
            "{x:measured} {k:among} { {n:number} {u:unit}"
            " ..,:,to,- {m:number} {t:unit} }": _from_to,
            "between,range ( {x:name} , {n:number} , {m:number} )": _from_to,
            "{x:name} {k:among}? the,his,her,their? {n:number} ^s": _decade,
            "{x:measured} {o:comparing}? {n:number} {u:unit} +": _at_least,
        },
    ),
    Notation(
        "{x:name} {o:comparing}? {n:number} years,year,yrs,yr,y old",
        "{} has a word too many",
        lambda f: compared(f, f.get("o", "="), f["n"]),
    ),
    Notation(
        "{x:name} {k:approximately} {v:value}",
        "{} is not how a value is written that is met closely",
        lambda f: near(f, f["v"]),
    ),
    # Several values
    *rows(
        _SEVERAL,
        {
            "{x:name} =,==,: {l:alternatives}": lambda f: _values(f, words_only=False),
            "{x:name} {k:among} {l:alternatives}": lambda f: (
                _values(f) if f.reader.low(f.start + 1) not in ("=", "==") else None
            ),
            "{x:name} is? one,any,either of? {l:alternatives}": _values,
            # `haircolor=gray or blond`: unless it is known, `blond` is a condition.
            "! {x:known} =,== {l:alternatives}": lambda f: _values(f, words_only=True),
        },
    ),
    Notation(
        "{v:literal} {o:comparing} {x:name}", "{} begins with its value", _turned, starts=True
    ),
)
