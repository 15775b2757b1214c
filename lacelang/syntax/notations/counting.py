"""How many conditions hold: `at least 2 of (a, b, c)`, `any(a, b)`, `neither a nor b`."""

from __future__ import annotations

from lacelang.syntax.notations.table import Found, Notation, Remedy, is_joined, rows
from lacelang.syntax.notations.words import COUNTS, QUANTITIES

_MESSAGE = "{} is not how conditions are counted"
_WORDS = {number: word for word, number in COUNTS.items()}
_MOST_WRITTEN_OUT = 6
_MOST_NAMED = 4  # conditions of which the module `logic` counts how many hold


def counted(found: Found, operator: str, number: float, items: list[str]) -> Remedy | None:
    """Return how to say that so many of `items` hold; `operator` compares that with `number`."""
    size, many = len(items), int(number)
    if size < 2 or many != number:
        return None
    low, high = {
        ">=": (many, size),
        ">": (many + 1, size),
        "<=": (0, many),
        "<": (0, many - 1),
    }.get(operator, (many, many))
    if size > _MOST_WRITTEN_OUT or low > high or low > size:
        hint = "`import logic` has definitions such as `at_least_two_of_3(a, b, c)`"
        return Remedy(None, hint, meanwhile=" and ".join(items))
    text = _formula(max(low, 0), min(high, size), items)
    if text is None:
        return Remedy(None, "this holds of every sample", meanwhile=" or ".join(items))
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
    name = _name(low, high, size)
    if name is not None:
        return f"{name}({', '.join(items)})"
    return f"({_formula(low, size, items)}) and ({_formula(0, high, items)})"


def _by_the_last(low: int, high: int, items: list[str], last: str) -> str:
    """Part the cases by whether the last item holds."""
    rest = items[:-1]
    cases = []
    for holds, text in ((1, last), (0, f"not {last}")):
        least, most = max(low - holds, 0), min(high - holds, len(rest))
        if least <= len(rest) and most >= 0:
            inner = _formula(least, most, rest)
            cases.append(text if inner is None else f"{text} and ({inner})")
    return "(" + " or ".join(cases) + ")"


def _name(low: int, high: int, size: int) -> str | None:
    """Return the definition of the module `logic` that says it, if there is one."""
    if low == high:
        kind, many = "exactly", low
    elif high == size:
        kind, many = "at_least", low
    elif low == 0:
        kind, many = "at_most", high
    else:
        return None
    return f"{kind}_{_WORDS[many]}" + (f"_of_{size}" if size > 2 else "")


def _so_many_of(found: Found) -> Remedy | None:
    """`at least 2 of a, b, c`, `2 or more of a, b, c`."""
    text = found["n"].lower()
    said = " ".join(found.get("w", "exactly").lower().split())
    operator = {"more": ">=", "fewer": "<=", "less": "<="}.get(said) or QUANTITIES[said]
    return counted(found, operator, COUNTS.get(text) or int(text), found.items("l"))


def _all_of(found: Found) -> Remedy | None:
    """`all of (a, b)`, `any(a, b)`, `or(a, b)`."""
    items = found.items("l")
    operator, many = {
        **dict.fromkeys(("any", "some", "or", "either"), (">=", 1)),
        **dict.fromkeys(("none", "neither", "nor"), ("<=", 0)),
        **dict.fromkeys(("one", "xor"), ("=", 1)),
        "nand": ("<", len(items)),
    }.get(found["q"].lower(), (">=", len(items)))
    return counted(found, operator, many, items)


def _called(found: Found) -> Remedy | None:
    """`at_least(2, a, b, c)`."""
    reader, start = found.reader, found.parts["b"][0]
    end = reader.number(start + 1)
    if end is None or reader.low(end) != ",":
        return None
    word = found["q"].lower().replace("_", "")
    operator = {"atleast": ">=", "nof": ">=", "atmost": "<="}.get(word, "=")
    items = [found.text(*where) for where in reader.split(end + 1, frozenset({","}))]
    return counted(found, operator, float(found.text(start + 1, end)), items)


COUNTING = (
    *rows(
        _MESSAGE,
        {
            "{w:quantity} {n:count} of? the? {l:listed}": _so_many_of,
            "{n:count} or,and {w:amount} of? the? {l:listed}": _so_many_of,
            "{n:count} of the? {l:listed}": _so_many_of,
            "{q:quantor} of the? {l:listed}": _all_of,
            "! {q:quantor} {l:bracketed}": _all_of,
            "{q:quantor} ( {l:bracketed} )": _all_of,
            # `a + b + c >= 2`
            "{l:conjoined_list} {o:comparing} {n:number}": lambda f: counted(
                f, f["o"], f.number("n"), f.chain("l")
            ),
            "| {q:joiner} {l:bracketed}": _all_of,
        },
    ),
    Notation("either {a:condition} or {b:predicate}", "{} needs no `either`", "{a} or {b}"),
    Notation("neither {a:condition} nor,or {b:condition}", _MESSAGE, "not ({a} or {b})"),
    Notation("both {a:condition} and {b:condition}", "{} needs no `both`", "{a} and {b}"),
    *rows(
        _MESSAGE,
        {
            "! {q:counter} {b:parens}": _called,
            "count,sum,len {l:bracketed} {o:comparing} {n:number}": lambda f: counted(
                f, f["o"], f.number("n"), f.items("l")
            ),
        },
    ),
)
