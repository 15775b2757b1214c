"""How many conditions hold: `at least 2 of (a, b, c)`, `any(a, b)`, `neither a nor b`."""

from __future__ import annotations

from lacelang.syntax.notations.reading import COUNTS
from lacelang.syntax.notations.table import Found, Notation, Remedy

_MESSAGE = "{} is not how conditions are counted"
_WORDS = {number: word for word, number in COUNTS.items()}
_MOST_WRITTEN_OUT = 6
_HINT = "`import logic` has definitions such as `at_least_two_of_3(a, b, c)`"


def counted(found: Found, low: int, high: int, items: list[str]) -> Remedy | None:
    """Return how to say that at least `low` and at most `high` of `items` hold."""
    size = len(items)
    if size < 2:
        return None
    if size > _MOST_WRITTEN_OUT or low > high or low > size:
        return Remedy(None, _HINT, meanwhile=" and ".join(items) or "")
    text, named = _formula(max(low, 0), min(high, size), items)
    if text is None:
        return Remedy(None, "this holds of every sample", meanwhile=" or ".join(items))
    inner = text
    if not named and _joined(text):
        inner = found.joined(text)
    return Remedy(inner, module="logic" if named else "")


def _joined(text: str) -> bool:
    depth = 0
    for i, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if not depth and text.startswith((" and ", " or "), i):
            return True
    return False


def _formula(low: int, high: int, items: list[str]) -> tuple[str | None, bool]:
    """Return the condition, None if it always holds, and whether it uses the module `logic`."""
    size = len(items)
    operands = [item if _is_tight(item) else f"({item})" for item in items]
    if low == 0 and high == size:
        return None, False
    if low == size:
        return " and ".join(operands), False
    if high == 0:
        return f"not ({' or '.join(operands)})", False
    if low == 1 and high == size:
        return " or ".join(operands), False
    if low == 0 and high == size - 1:
        return f"not ({' and '.join(operands)})", False
    name = _name(low, high, size)
    if name is not None:
        return f"{name}({', '.join(items)})", True
    if size > 4:
        return _without_the_last(low, high, items, operands), True
    at_least, _ = _formula(low, size, items)
    at_most, _ = _formula(0, high, items)
    return f"({at_least}) and ({at_most})", True


def _without_the_last(low: int, high: int, items: list[str], operands: list[str]) -> str:
    """Part the cases by whether the last item holds."""
    rest, last = items[:-1], operands[-1]
    cases = []
    for is_last, text in ((1, last), (0, f"not {last}")):
        inner_low, inner_high = max(low - is_last, 0), min(high - is_last, len(rest))
        if inner_low > len(rest) or inner_high < 0:
            continue
        inner, _ = _formula(inner_low, inner_high, rest)
        cases.append(text if inner is None else f"{text} and ({inner})")
    return "(" + " or ".join(cases) + ")"


def _name(low: int, high: int, size: int) -> str | None:
    """Return the definition of the module `logic` that says it, if there is one."""
    if size == 2:
        return {(1, 1): "exactly_one", (0, 1): "at_most_one"}.get((low, high))
    if size > 4:
        return None
    if low == high:
        return f"exactly_{_WORDS[low]}_of_{size}"
    if high == size:
        return f"at_least_{_WORDS[low]}_of_{size}"
    if low == 0:
        return f"at_most_{_WORDS[high]}_of_{size}"
    return None


def _is_tight(item: str) -> bool:
    """Whether a condition is an operand of any word as it stands."""
    return not (_joined(item) or " xor " in item or " implies " in item)


def _items(found: Found) -> list[str]:
    return [found.condition(*where) for where in found.reader.items(found.parts["l"][0]) or ()]


def _bounds(found: Found, size: int) -> tuple[int, int] | None:
    words = found["w"].split() if "w" in found else []
    text = found["n"].lower() if "n" in found else "one"
    try:
        many = COUNTS[text] if text in COUNTS else int(text)
    except ValueError:
        return None
    said = " ".join(word.lower() for word in words)
    return {
        "at least": (many, size),
        "atleast": (many, size),
        "minimum": (many, size),
        "min": (many, size),
        "no fewer than": (many, size),
        "no less than": (many, size),
        "not less than": (many, size),
        "at most": (0, many),
        "atmost": (0, many),
        "maximum": (0, many),
        "max": (0, many),
        "up to": (0, many),
        "no more than": (0, many),
        "not more than": (0, many),
        "more than": (many + 1, size),
        "over": (many + 1, size),
        "less than": (0, many - 1),
        "fewer than": (0, many - 1),
        "any": (many, size),
    }.get(said, (many, many))


def _so_many_of(found: Found) -> Remedy | None:
    items = _items(found)
    bounds = _bounds(found, len(items))
    return counted(found, *bounds, items) if bounds is not None else None


def _or_more(found: Found) -> Remedy | None:
    items = _items(found)
    bounds = _bounds(found, len(items))
    return counted(found, bounds[0], len(items), items) if bounds is not None else None


def _or_fewer(found: Found) -> Remedy | None:
    items = _items(found)
    bounds = _bounds(found, len(items))
    return counted(found, 0, bounds[1], items) if bounds is not None else None


def _all_of(found: Found) -> Remedy | None:
    items = _items(found)
    word = found["q"].lower()
    size = len(items)
    low, high = {
        "all": (size, size),
        "every": (size, size),
        "each": (size, size),
        "both": (size, size),
        "any": (1, size),
        "some": (1, size),
        "none": (0, 0),
        "neither": (0, 0),
        "one": (1, 1),
        "and": (size, size),
        "or": (1, size),
        "nor": (0, 0),
        "xor": (1, 1),
        "nand": (0, size - 1),
        "either": (1, size),
    }[word]
    if size == 1:
        return None
    return counted(found, low, high, items)


def _called(found: Found) -> Remedy | None:
    """`at_least(2, a, b, c)`, `at_least_2(a, b, c)`."""
    start = found.parts["b"][0]
    reader = found.reader
    number = reader.number(start + 1)
    if number is None or reader.low(number) != ",":
        return None
    items = [found.condition(*where) for where in _after(found, number + 1)]
    if not items:
        return None
    many = int(float(found.text(start + 1, number)))
    word = found["q"].lower().replace("_", "")
    if word in ("atleast", "any", "nof"):
        return counted(found, many, len(items), items)
    if word == "atmost":
        return counted(found, 0, many, items)
    return counted(found, many, many, items)


def _after(found: Found, place: int) -> list[tuple[int, int]]:
    items: list[tuple[int, int]] = []
    while True:
        end = found.reader.predicate(place)
        if end is None:
            return []
        items.append((place, end))
        if found.reader.low(end) != ",":
            return items
        place = end + 1


def _summed(found: Found) -> Remedy | None:
    """`count(a, b, c) >= 2`."""
    return _compared(found, _items(found))


def _added(found: Found) -> Remedy | None:
    """`a + b + c >= 2`."""
    return _compared(found, found.chain("l"))


def _compared(found: Found, items: list[str]) -> Remedy | None:
    many, size = found.number("n"), len(items)
    if many != int(many):
        return None
    many = int(many)
    low, high = {
        ">=": (many, size),
        ">": (many + 1, size),
        "<=": (0, many),
        "<": (0, many - 1),
    }.get(found["o"], (many, many))
    return counted(found, low, high, items)


def _either(found: Found) -> Remedy:
    return Remedy(found.joined(f"{found['a']} or {found['b']}"))


def _neither(found: Found) -> Remedy:
    return Remedy(f"not ({found['a']} or {found['b']})")


def _both(found: Found) -> Remedy:
    return Remedy(found.joined(f"{found['a']} and {found['b']}"))


COUNTING: tuple[Notation, ...] = (
    Notation("{w:quantity} {n:count} of? the? {l:list}", _MESSAGE, _so_many_of),
    Notation("{n:count} or,and more of? the? {l:list}", _MESSAGE, _or_more),
    Notation("{n:count} or,and fewer,less of? the? {l:list}", _MESSAGE, _or_fewer),
    Notation("{n:count} of the? {l:list}", _MESSAGE, _so_many_of),
    Notation("{q:quantor} of the? {l:list}", _MESSAGE, _all_of),
    Notation("{q:quantor} {l:bracketed}", _MESSAGE, _all_of, parses=True),
    Notation("{q:quantor} ( {l:bracketed} )", _MESSAGE, _all_of),
    Notation("{l:conjoined_list} {o:comparing} {n:number}", _MESSAGE, _added),
    Notation("{q:joiner} {l:bracketed}", _MESSAGE, _all_of, starts=True),
    Notation("either {a:condition} or {b:predicate}", "{} needs no `either`", _either),
    Notation("neither {a:condition} nor,or {b:condition}", _MESSAGE, _neither),
    Notation("both {a:condition} and {b:condition}", "{} needs no `both`", _both),
    Notation("{q:counter} {b:parens}", _MESSAGE, _called, parses=True),
    Notation("count,sum,len {l:bracketed} {o:comparing} {n:number}", _MESSAGE, _summed),
)
