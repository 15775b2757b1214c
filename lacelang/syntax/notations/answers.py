"""What is written for notations where a template does not say it, by the names in their table.

Each public function takes what has been found and the options of its row; it returns text, a
remedy, or None if this is not the notation after all.
"""

from __future__ import annotations

from lacelang.syntax.notations.facts import Fact
from lacelang.syntax.notations.found import Found, Remedy, is_joined, plain
from lacelang.syntax.notations.words import SETS, WORDS

_NAMES = {int(number): word for word, number in WORDS["numeral"].items()}
_MOST_WRITTEN_OUT = 6
_MOST_NAMED = 4  # conditions of which the module `logic` counts how many hold
_DEGREE = "a degree lies between 0 and 1, like `{} ~ 0.6`"
_SIGNS = (",", "|", "||", "/")
_UP, _DOWN = 1.1, 0.9  # what a `+` and a `-` stand for in compel


# How many conditions hold


def counted(found: Found) -> Remedy | None:
    """Return how to say how many conditions of the list `l` hold.

    The phrase `w`, exactly so many if there is none, means an operator and perhaps the number,
    which else is part `n`.
    """
    operator, _, said = (found.meaning("w") or "=").partition(" ")
    items = found.items("l")
    size = len(items)
    said = said or found["n"].lower()
    number = float(size if said == "all" else WORDS["numeral"].get(said, said))
    if size < 2 or not number.is_integer():
        return None
    many = int(number)
    low, high = {
        ">=": (many, size),
        ">": (many + 1, size),
        "<=": (0, many),
        "<": (0, many - 1),
    }.get(operator, (many, many))
    if size > _MOST_WRITTEN_OUT or low > high or low > size:
        hint = "`import logic` has definitions such as `at_least_two_of_3(a, b, c)`"
        return Remedy(None, hint, read=" and ".join(items))
    text = _formula(max(low, 0), min(high, size), items)
    if text is None:
        return Remedy(None, "this holds of every sample", read=" or ".join(items))
    named = "_" in (_formula(max(low, 0), min(high, size), ["x"] * size) or "")
    return Remedy(found.joined(text), module="logic" if named else "")


def _formula(low: int, high: int, items: list[str]) -> str | None:
    """Return the condition that from `low` to `high` of `items` hold; None if they always do."""
    size = len(items)
    operands = [f"({item})" if is_joined(item) else item for item in items]
    if (low, high) == (0, size):
        return None
    if low == size:
        return " and ".join(operands)
    if high == 0:
        return f"not ({' or '.join(operands)})"
    if (low, high) == (1, size):
        return " or ".join(operands)
    if (low, high) == (0, size - 1):
        return f"not ({' and '.join(operands)})"
    if size > _MOST_NAMED:
        return _by_the_last(low, high, items, operands[-1])
    # The definitions of the module `logic`
    of = f"_of_{size}" if size > 2 else ""
    if low == high:
        return f"exactly_{_NAMES[low]}{of}({', '.join(items)})"
    if high == size:
        return f"at_least_{_NAMES[low]}{of}({', '.join(items)})"
    if low == 0:
        return f"at_most_{_NAMES[high]}{of}({', '.join(items)})"
    return f"({_formula(low, size, items)}) and ({_formula(0, high, items)})"


def _by_the_last(low: int, high: int, items: list[str], last: str) -> str:
    """Distinguish whether the last item holds."""
    rest = items[:-1]
    cases = []
    for holds, text in ((1, last), (0, f"not {last}")):
        least, most = max(low - holds, 0), min(high - holds, len(rest))
        if least <= len(rest) and most >= 0:
            inner = _formula(least, most, rest)
            cases.append(text if inner is None else f"{text} and ({inner})")
    return "(" + " or ".join(cases) + ")"


# Values, ranges, shares and sets


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
        return near(found, _text(middle))
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


def near(found: Found, value: str = "") -> Remedy | str | None:
    """Return how to ask for a value, or for a degree of a yes-or-no attribute."""
    value = value or found["v"]
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


# Weights, words and options


def condition(found: Found) -> str | None:
    """Return part `p` as a condition; None if it is the bare name of another attribute."""
    fact = found.fact("p")
    return found["p"] if fact is None or fact.kind == "binary" else None


def weighed(found: Found, weight: float | None = None) -> Remedy | str | None:
    """Return how part `p` is given a weight, part `n` or `t` for one, where it may have one."""
    if weight is None:
        weight = float(found["t"][1:]) if "t" in found.parts else found.number("n")
    asked = condition(found)
    if weight >= 0 and _is_idle(found):
        write = None if asked is None else found.group("p")
        return Remedy(write, "a weight has a meaning under `and` and `or` only")
    if asked is None:
        return Remedy(None, "like `age > 30 [weight 2]`", read=found.raw("p"))
    text = asked if found.single("p") else f"({asked})"
    if weight < 0:
        return Remedy(f"not {text}", "a weight is never negative")
    return f"{text} [weight {weight:.6g}]"


def _is_idle(found: Found) -> bool:
    """Whether a weight would stand right under what has no use for one, brackets aside."""
    reader = found.reader
    before, after = found.start - 1, found.end
    while reader.low(before) == "(" and reader.low(after) == ")":
        before, after = before - 1, after + 1
    idle = SETS["idle_before"]
    return reader.low(after) in idle or reader.low(before) in idle | SETS["idle_behind"]


def weighed_or_value(found: Found) -> Remedy | str | None:
    """`(smile:1.3)`; but `(smile: 1)` is a value."""
    if found.bare("p"):
        fact = found.fact("p")
        in_brackets = found.reader.low(found.start) == "("
        named = in_brackets if fact is None else fact.kind == "binary"
        if not named or found.number("n") in (0, 1):
            return None
    return weighed(found)


def pluses(found: Found) -> Remedy | str | None:
    """`smile=1++`."""
    sign, reader, end = found["s"], found.reader, found.end
    last = end >= len(reader.lexemes) or reader.begins(end) or reader.low(end) in SETS["goes_on"]
    option = reader.touches(end) and reader.kind(end) == "word"
    if set(sign) == {"-"} and (not last or option):
        return None
    if sign == "+" and reader.value(end) is not None and not last:
        return None
    if len(sign) == 1 and not reader.touches(end - 1):
        return None
    return weighed(found, round((_UP if sign[0] == "+" else _DOWN) ** len(sign), 4))


def asked(found: Found, denied: bool = False) -> Remedy | str:
    """Return `p`, an attribute's name or a condition, as it is asked for or denied.

    If there is a condition `a` before it, both are joined.
    """
    fact = found.fact("p")
    if fact is None:
        text = f"not {found['p']}" if denied else found["p"]
    elif fact.kind == "binary":
        text = f"{found.raw('p')}={int(not denied)}"
    else:
        example = fact.values[0] if fact.values else f"{fact.low:g}"
        like = f"{found.raw('p')}={example}"
        return Remedy(None, f"say which value, like `{like}`", read=like)
    return found.joined(f"{found['a']} and {text}") if "a" in found.parts else text


def arrow(found: Found) -> str | None:
    """`smile=1 => glasses=1`; but `age => 20` compares, and `smile -> 1` gives a value."""
    fact = found.fact("a")
    gives = fact is not None and found.bare("b") and found.raw("b") in fact.values
    return found.filled("{a:operand} implies {b:operand}") if not gives else None


def option(found: Found) -> Remedy | str | None:
    """`--seed 4`, `--n 4`, `--ar 1:1`."""
    word, value = found["x"].lower(), found["v"]
    if word in WORDS["clause_flag"] and value:
        return f"{WORDS['clause_flag'][word]} {value}"
    if word in SETS["number_flags"] and value:
        return Remedy(None, f"the number stands right after `sample`: `sample {value} from …`")
    if word in SETS["denial_flags"]:
        fact = found.fact("v") if value else None
        if fact is not None and fact.kind == "binary":
            return f"and {value}=0"
        return Remedy("", "what a sample must not be is said with `not`")
    known = word in SETS["other_flags"]
    return Remedy("", "a program holds conditions and clauses only") if known else None
