"""How many conditions hold: `at least 2 of (a, b, c)`, `any(a, b)`, `neither a nor b`."""

from __future__ import annotations

from lacelang.syntax.notations.found import Found, Remedy, is_joined
from lacelang.syntax.notations.words import WORDS

_NAMES = {int(number): word for word, number in WORDS["numeral"].items()}
_MOST_WRITTEN_OUT = 6
_MOST_NAMED = 4  # conditions of which the module `logic` counts how many hold


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
