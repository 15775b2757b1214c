"""Values with a tolerance, ranges, shares and sets: `age=30±5`, `20<age<30`, `30% smile`."""

from __future__ import annotations

from lacelang.syntax.notations.facts import Fact
from lacelang.syntax.notations.found import Found, Remedy, plain

_DEGREE = "a degree lies between 0 and 1, like `{} ~ 0.6`"
_SIGNS = (",", "|", "||", "/")


def _text(number: float) -> str:
    return f"{number:.10g}"


def _beyond(name: str, fact: Fact) -> Remedy:
    return Remedy(None, f"`{name}` goes from {_text(fact.low)} to {_text(fact.high)}")


def _ranged(found: Found, low: float, high: float) -> Remedy | str:
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
    unit = found["u"] or found["t"]
    return f" {unit.strip()}" if unit else ""


def range_of(found: Found, width: int = 0, above: float | None = None) -> Remedy | str | None:
    """Return the range from part `n` to `m`, or of a width.

    It is none if `m` is not larger, and `above` a number: `age=20:2` has a weight.
    """
    low = found.number("n")
    high = low + width if width else found.number("m")
    return _ranged(found, low, high) if above is None or high > max(low, above) else None


def tolerance(found: Found) -> Remedy | str | None:
    """Return the range for `age=30±5`."""
    middle = found.number("n") if "n" in found.parts else 0
    around = abs(found.number("m"))
    if "s" in found.parts:
        around = abs(middle) * around / 100
    if not around and "n" in found.parts:
        return _near(found, _text(middle))
    return _ranged(found, middle - around, middle + around)


def at_least(found: Found) -> str | None:
    """Return the comparison for `age=18+`; of a yes-or-no attribute it is a weight."""
    operator, end, reader = found["o"], found.end, found.reader
    if found.fact() is None and found.number("n") in (0, 1):
        return None
    goes_on = reader.kind(end) == "number" or reader.low(end) in ("-", "/", "+")
    if operator in ("<", "<=") or goes_on:
        return None
    if not (reader.touches(end - 1) or reader.begins(end)) and reader.condition(end) is not None:
        return None  # `age > 30 + smile=1` joins two conditions
    operator = operator if operator in (">", ">=") else ">="
    return f"{found['x']} {operator} {found['n']}{_unit(found)}"


def near(found: Found) -> Remedy | str | None:
    """Return how to ask for a value that is met closely."""
    return _near(found, found["v"])


def _near(found: Found, value: str) -> Remedy | str | None:
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


def share(found: Found) -> Remedy | str | None:
    """Return the degree for `30% smile`; behind `expect`, the share is a group's."""
    reader = found.reader
    if reader.number(found.start) and reader.low(found.start - 1) == "expect":
        return None
    name, part, fact = found["x"], found.number("n") / 100, found.fact()
    if found["v"] not in ("", "1", "true", "True", "yes"):
        condition = f"{name}={found['v']}"
        hint = f"how many of a group are so is judged by `expect {condition} in {found['n']}% of …`"
        return Remedy(None, hint, read=condition)
    if fact is not None and fact.kind == "choice":
        return Remedy(None, f"like `{name}={fact.values[0]}`")
    if fact is not None and fact.kind == "measured":
        return f"{name}={_text(part)}" if fact.clip(part) == part else _beyond(name, fact)
    if not 0 <= part <= 1:
        return Remedy(None, _DEGREE.format(name))
    if part in (0, 1):
        return f"{name}={_text(part)}"
    return Remedy(f"{name} ~ {_text(part)}", "this is a degree")


def values(found: Found, words: bool | None = None) -> str | None:
    """Return the set of the values of part `l`, if all are values of the attribute.

    `words` says whether they must be names with `or` between, which the grammar reads too.
    """
    fact = found.fact()
    given = found.values("l", ("or", *_SIGNS)) or []
    named = all(value[0].isalpha() or value[0] == "_" for value in given[1:])
    if words is not None and words != (named and not {*found.lows("l")} & {*_SIGNS}):
        return None
    numbers = fact is not None and fact.kind == "measured"
    known = (v in fact.values or (numbers and not v[0].isalpha()) for v in given) if fact else ()
    return f"{found['x']} in {{{', '.join(given)}}}" if all(known) else None


def set_of_values(found: Found, denied: bool = False, barred: bool = False) -> str | None:
    """Return the set for `haircolor in [gray, blond]`, or `{gray|blond}` with `barred`."""
    given = found.values("b", (*_SIGNS, ";", "or", "}", "]", ")"), first=1) or ()
    start, reader = found.parts["b"][0], found.reader
    written_so = reader.low(start) == "{" and reader.low(start - 1) == "in" and not denied
    bars = {"|", "||", "/"} & {*found.lows("b")}
    if not given or (written_so and not bars) or (barred and not (bars and given[1:])):
        return None
    return f"{'not ' * denied}{found['x']} in {{{', '.join(map(plain, given))}}}"


def mapping(found: Found) -> str | None:
    """Return the conditions for `{"smile": 1, "age": 30}` or `smile: 1, age: 30`."""
    reader = found.reader
    place, end = found.parts["l"]
    braces = reader.low(place) == "{"
    place, end = place + braces, end - braces
    items: list[str] = []
    while place < end:
        after = reader.value(place + 2) or end
        value = plain(found.text(place + 2, after, asked=False))
        items.append(f"{plain(reader.lexemes[place].text)}={value}")
        place = after + 1
    alone = len(items) == 1 and not braces and reader.kind(found.start) == "word"
    return found.joined(" and ".join(items)) if not alone else None
