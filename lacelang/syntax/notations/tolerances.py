"""Values with a tolerance, ranges and shares: `age=30±5`, `20<age<30`, `age=20s`, `30% smile`."""

from __future__ import annotations

from lacelang.syntax.notations.table import Found, Notation, Remedy

_RANGE = "{} is not how a range is written"
_NEAR = "{} is not how a value is written that is met closely"
_SEVERAL = "{} is not how several values are written"
_SHARE = "a percentage stands in `expect` only"


def _text(number: float) -> str:
    return f"{number:.10g}"


def ranged(found: Found, low: float, high: float, unit: str = "") -> Remedy | None:
    """Return the range for an attribute, which goes no further than its values do."""
    name = found["x"]
    low, high = min(low, high), max(low, high)
    fact = found.facts.get(name)
    if fact is not None:
        if fact.kind != "measured":
            return Remedy(None, f"`{name}` has no range; like `{name}={fact.values[-1]}`")
        if fact.clip(low) == fact.clip(high):
            return Remedy(None, f"`{name}` goes from {_text(fact.low)} to {_text(fact.high)}")
        low, high = fact.clip(low), fact.clip(high)
    unit = f" {unit}" if unit else ""
    return Remedy(f"{name} in {_text(low)}..{_text(high)}{unit}")


def _unit(found: Found) -> str:
    for part in ("u", "t"):
        if found.get(part):
            return found[part].strip()
    return ""


def _tolerance(found: Found) -> Remedy | None:
    middle, around = found.number("n"), abs(found.number("m"))
    if "s" in found and found["s"] == "%":
        around = abs(middle) * around / 100
    if not around:
        return near(found, _text(middle))
    return ranged(found, middle - around, middle + around, _unit(found))


def _around_zero(found: Found) -> Remedy | None:
    around = abs(found.number("m"))
    return ranged(found, -around, around, _unit(found))


def _from_to(found: Found) -> Remedy | None:
    return ranged(found, found.number("n"), found.number("m"), _unit(found))


def _named_range(found: Found) -> Remedy | None:
    fact = found.facts.get(found["x"])
    if fact is not None and fact.kind != "measured":
        return None
    return Remedy(f"{found['x']} in {found['v']}..{found['w']}")


def _sandwich(found: Found) -> Remedy | None:
    first, second = found["o"], found["r"]
    rising, falling = ("<", "<="), (">", ">=")
    if first in rising and second in rising:
        low, high = found["v"], found["w"]
    elif first in falling and second in falling:
        low, high = found["w"], found["v"]
    elif first == second == "=":
        return Remedy(f"{found['x']}={found['w']}")
    else:
        return None
    return Remedy(f"{found['x']} in {low}..{high}")


def _both_sides(found: Found) -> Remedy | None:
    """`age > 20 < 30`."""
    first, second = found["o"][0], found["r"][0]
    if (first, second) == (">", "<"):
        return Remedy(f"{found['x']} in {found['v']}..{found['w']}")
    if (first, second) == ("<", ">"):
        return Remedy(f"{found['x']} in {found['w']}..{found['v']}")
    return None


_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


def _turned(found: Found) -> Remedy | None:
    operator = _TURNED.get(found["o"])
    if operator is None or found.reader.low(found.end) in ("<", ">", "<=", ">=", "%"):
        return None
    space = "" if operator == "=" else " "
    return Remedy(f"{found['x']}{space}{operator}{space}{found['v']}")


def near(found: Found, value: str) -> Remedy | None:
    """Return how to ask for a value, or for a degree of a yes-or-no attribute."""
    name = found["x"]
    fact = found.facts.get(name)
    try:
        number = float(value.split()[0].replace(" ", ""))
    except ValueError:
        return Remedy(f"{name}={value}")
    if fact is not None and fact.kind == "measured":
        return Remedy(f"{name}={value}", "how closely it is met is up to the model")
    if fact is not None and fact.kind == "choice":
        return None
    if fact is None and number > 1:
        return Remedy(f"{name}={value}")
    if number in (0, 1):
        return Remedy(f"{name}={value}")
    if 0 < number < 1:
        return Remedy(f"{name} ~ {value}")
    return Remedy(None, f"a degree lies between 0 and 1, like `{name} ~ 0.6`")


def _near(found: Found) -> Remedy | None:
    return near(found, found["v"])


def _decade(found: Found) -> Remedy | None:
    start = found.number("n")
    if start % 10:
        return None
    return ranged(found, start, start + 10)


def _at_least(found: Found) -> Remedy | None:
    """`age=18+`; of a yes-or-no attribute it is a weight."""
    name, number = found["x"], found.number("n")
    fact = found.facts.get(name)
    if (fact.kind != "measured") if fact is not None else number in (0, 1):
        return None
    operator = found["o"] if "o" in found and found["o"] in (">", ">=") else ">="
    if "o" in found and found["o"] in ("<", "<="):
        return None
    if found.reader.kind(found.end) == "number" or found.reader.low(found.end) in ("-", "/", "+"):
        return None
    unit = f" {_unit(found)}" if _unit(found) else ""
    return Remedy(f"{name} {operator} {found['n']}{unit}")


def _share_of(found: Found) -> Remedy | None:
    """`30% smile`; behind `expect`, the share is a group's."""
    return _share(found) if found.reader.low(found.start - 1) != "expect" else None


def _share(found: Found) -> Remedy | None:
    if found.reader.low(found.end) == "of":
        return None
    name, share = found["x"], found.number("n") / 100
    fact = found.facts.get(name)
    if "v" in found and found["v"] not in ("1", "true", "True", "yes"):
        condition = f"{name}={found['v']}"
        hint = f"how many of a group are so is judged by `expect {condition} in {found['n']}% of …`"
        return Remedy(None, hint, meanwhile=condition)
    if fact is not None and fact.kind == "choice":
        return Remedy(None, f"like `{name}={fact.values[0]}`")
    if fact is not None and fact.kind == "measured":
        if fact.clip(share) != share:
            return Remedy(None, f"`{name}` goes from {_text(fact.low)} to {_text(fact.high)}")
        return Remedy(f"{name}={_text(share)}")
    if not 0 <= share <= 1:
        return Remedy(None, f"a degree lies between 0 and 1, like `{name} ~ 0.6`")
    if share in (0, 1):
        return Remedy(f"{name}={_text(share)}")
    return Remedy(f"{name} ~ {_text(share)}", "this is a degree")


def _values(found: Found, reads: bool | None = None) -> Remedy | None:
    """Return the set; `reads`: only what the grammar reads too (True), or only the rest."""
    reader = found.reader
    values: list[str] = []
    words_only = True
    place, end = found.parts["l"]
    while place < end:
        after = reader.value(place)
        if after is None:
            return None
        words_only &= not values or (reader.kind(place) == "word" and reader.low(place - 1) == "or")
        values.append(found.text(place, after))
        place = after + 1
    if (reads is not None and words_only != reads) or not _are_values(found, values):
        return None
    return Remedy(f"{found['x']} in {{{', '.join(values)}}}")


def _one_of(found: Found) -> Remedy | None:
    """`haircolor=gray/blond`, `haircolor in gray, blond`, `age=20 or 30`."""
    return _values(found, reads=False)


def _in_one_of(found: Found) -> Remedy | None:
    """`haircolor in gray or blond`."""
    return _values(found) if found.reader.low(found.start + 1) not in ("=", "==") else None


def _one_or_name(found: Found) -> Remedy | None:
    """`haircolor=gray or blond`, where `blond` might be the name of a condition.

    So it is one for attributes alone whose values are known.
    """
    return _values(found, reads=True) if found["x"] in found.facts else None


def _are_values(found: Found, values: list[str]) -> bool:
    """Whether all are values of the attribute rather than names of conditions."""
    fact = found.facts.get(found["x"])
    if fact is None:
        return True
    numbers = fact.kind == "measured"
    return all(value in fact.values or (numbers and not value[0].isalpha()) for value in values)


def _set_or_range(found: Found) -> Remedy | None:
    """`age in [20, 30]`, `age=(20, 30)`: two numbers in brackets."""
    fact = found.facts.get(found["x"])
    if fact is not None and fact.kind != "measured":
        return None
    return _from_to(found)


def _ends_of_range(found: Found) -> Remedy | None:
    """`age=20:30`, which is a weight if the second number is a small one."""
    low, high = found.number("n"), found.number("m")
    return _from_to(found) if high > low and high > 3 else None


def _old(found: Found) -> Remedy:
    operator = found.get("o", "=")
    space = "" if operator == "=" else " "
    return Remedy(f"{found['x']}{space}{operator}{space}{found['n']}")


TOLERANCES: tuple[Notation, ...] = (
    # Both sides of a value
    Notation(
        "{x:name} {k:nearly}? {n:number} {u:unit} ±,+-,+/- {m:number} {s:percent}? {t:unit}",
        _RANGE,
        _tolerance,
    ),
    Notation(
        "{x:name} {k:nearly}? {n:number} {u:unit} ( ±,+-,+/- {m:number} {t:unit} )",
        _RANGE,
        _tolerance,
    ),
    Notation("{x:name} {o:comparing} {v:value} {r:comparing} {w:value}", _RANGE, _both_sides),
    Notation("{x:name} {k:nearly}? ±,+-,+/- {m:number} {t:unit}", _RANGE, _around_zero),
    Notation(
        "{v:value} {o:comparing} {x:name} {r:comparing} {w:value}", _RANGE, _sandwich, starts=True
    ),
    # Shares
    Notation("{n:number} % of? {x:name} =,==,: {v:value}", _SHARE, _share_of, starts=True),
    Notation("{n:number} % of? {x:name}", _SHARE, _share_of, starts=True),
    Notation("{x:name} {k:nearly}? {n:number} %", _SHARE, _share),
    # Ranges
    Notation(
        "{x:name} {k:nearly}? from? {n:number} {u:unit}"
        " -,−,–,—,to,until,till,… {m:number} {t:unit}",
        _RANGE,
        _from_to,
    ),
    Notation("{x:name} {k:equal}? {n:number} {u:unit} .. {m:number} {t:unit}", _RANGE, _from_to),
    Notation("{x:name} in,∈ {n:number} {u:unit} : {m:number} {t:unit}", _RANGE, _from_to),
    Notation("{x:name} {k:equal} {n:number} : {m:number}", _RANGE, _ends_of_range),
    Notation(
        "{x:name} is? in? between,within,inside,from,range,interval {n:number} {u:unit}"
        " and,to,,,-,..,; {m:number} {t:unit}",
        _RANGE,
        _from_to,
    ),
    Notation(
        "{x:name} is? in? between,within,inside,range (,[ {n:number} {u:unit}"
        " and,to,,,-,..,; {m:number} {t:unit} ),]",
        _RANGE,
        _from_to,
    ),
    Notation("{x:name} is? in? between,from {v:name} and,to,..,- {w:name}", _RANGE, _named_range),
    Notation(
        "{x:name} {k:among} range,interval,linspace? [,(,],< {n:number} {u:unit}"
        " ;,..,:,to,-,,,| {m:number} {t:unit} ],),[,>",
        _RANGE,
        _set_or_range,
    ),
    Notation(
        "{x:name} {k:among} { {n:number} {u:unit} ..,:,to,- {m:number} {t:unit} }",
        _RANGE,
        _set_or_range,
    ),
    Notation("between,range ( {x:name} , {n:number} , {m:number} )", _RANGE, _from_to),
    # Ages in words
    Notation("{x:name} {k:among}? the,his,her,their? {n:number} ^s", _RANGE, _decade),
    Notation(
        "{x:name} {o:comparing}? {n:number} years,year,yrs,yr,y old", "{} has a word too many", _old
    ),
    Notation("{x:name} {o:comparing}? {n:number} {u:unit} +", _RANGE, _at_least),
    # Values that are met closely
    Notation("{x:name} {k:approximately} {v:value}", _NEAR, _near),
    # Several values
    Notation("{x:name} =,==,: {l:alternatives}", _SEVERAL, _one_of),
    Notation("{x:name} {k:among} {l:alternatives}", _SEVERAL, _in_one_of),
    Notation("{x:name} is? one,any,either of? {l:alternatives}", _SEVERAL, _in_one_of),
    Notation("{x:name} =,== {l:alternatives}", _SEVERAL, _one_or_name, parses=True),
    # The value first
    Notation(
        "{v:literal} {o:comparing} {x:name}", "{} begins with its value", _turned, starts=True
    ),
)
