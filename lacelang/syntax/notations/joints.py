"""Words and signs between, before and in conditions: `a nand b`, `without a`, `age gt 3`."""

from __future__ import annotations

from lacelang.syntax.notations.reading import COMPARATIVES, TRUTHS
from lacelang.syntax.notations.table import Found, Notation, Remedy
from lacelang.syntax.notations.weights import weigh

_JOINS = "{} is not how conditions are joined"
_ASKS = "{} is not how a condition is written"
_COMPARES = "{} is not how a value is compared"
_SEVERAL = "{} is not how several values are written"
_HEAVY, _LIGHT = 2, 0.5  # weights in place of `very` and `slightly`


def _all(found: Found) -> Remedy:
    return _chain(found, "and")


def _any(found: Found) -> Remedy:
    return _chain(found, "or")


def _chain(found: Found, word: str) -> Remedy:
    return Remedy(found.joined(f" {word} ".join(found.chain("l"))))


def _asked(found: Found, given: bool) -> Remedy | None:
    """Return `p`, an attribute's name or a condition, as it is asked for or denied."""
    if not found.bare("p"):
        return Remedy(found["p"] if given else f"not {found['p']}")
    name = found.raw("p")
    fact = found.facts.get(name)
    if fact is None:
        return Remedy(name if given else f"not {name}")
    if fact.kind != "binary":
        value = fact.values[0] if fact.values else f"{fact.low:g}"
        return Remedy(None, f"say which value, like `{name}={value}`", meanwhile=f"{name}={value}")
    return Remedy(f"{name}={int(given)}")


def _has(found: Found) -> Remedy | None:
    return _asked(found, given=True)


def _lacks(found: Found) -> Remedy | None:
    return _asked(found, given=False)


def _behind(found: Found, given: bool) -> Remedy | None:
    remedy = _asked(found, given)
    if remedy is None or remedy.fix is None:
        return remedy
    return Remedy(found.joined(f"{found['a']} and {remedy.fix}"))


def _and_has(found: Found) -> Remedy | None:
    return _behind(found, given=True)


def _and_has_one(found: Found) -> Remedy | None:
    """`smile=1 with glasses`, unless a sampler is meant."""
    return _and_has(found) if found.raw("p") in found.facts else None


def _and_lacks(found: Found) -> Remedy | None:
    return _behind(found, given=False)


def _operator(operator: str, shape: str, parses: bool = False) -> Notation:
    """Return the entry for a comparison that is written in another way."""
    space = "" if operator == "=" else " "

    def remedy(found: Found) -> Remedy:
        return Remedy(f"{found['x']}{space}{operator}{space}{_value(found)}")

    return Notation(shape, _COMPARES, remedy, parses=parses)


def _in_words(found: Found) -> Remedy:
    """`age is greater than 15`, `age at least 15`."""
    operator = COMPARATIVES[" ".join(found["c"].lower().split())]
    space = "" if operator == "=" else " "
    return Remedy(f"{found['x']}{space}{operator}{space}{found['v']}")


def _value(found: Found) -> str:
    """Return the value, truth as a number and a name without its quotes."""
    value = found["v"]
    return TRUTHS.get(value.lower(), value.strip("\"'"))


def _set(found: Found, word: str) -> Remedy | None:
    start, end = found.parts["b"]
    reader = found.reader
    values: list[str] = []
    place = start + 1
    while place < end - 1:
        after = reader.value(place)
        if after is None or (after < end - 1 and reader.low(after) not in (",", ";", "|", "or")):
            return None
        values.append(found.text(place, after).strip("\"'"))
        place = after + 1
    if not values:
        return None
    if not word and reader.low(start) == "{" and reader.low(start - 1) == "in":
        return None
    return Remedy(f"{word}{found['x']} in {{{', '.join(values)}}}")


def _in_set(found: Found) -> Remedy | None:
    return _set(found, "")


def _out_of_set(found: Found) -> Remedy | None:
    return _set(found, "not ")


def _heavy(found: Found) -> Remedy | None:
    return _stressed(found, _HEAVY)


def _light(found: Found) -> Remedy | None:
    return _stressed(found, _LIGHT)


def _stressed(found: Found, weight: float) -> Remedy | None:
    if found.bare("p") and found.raw("p") not in found.facts:
        return None
    return weigh(found, "p", weight)


def _mapping(found: Found) -> Remedy | None:
    """`{"smile": 1, "age": 30}`, `smile: 1, age: 30`."""
    reader = found.reader
    place, end = found.parts["l"]
    braces = reader.low(place) == "{"
    if braces:
        place, end = place + 1, end - 1
    items: list[str] = []
    while place < end:
        name = found.text(place, place + 1).strip("\"'")
        after = reader.value(place + 2) or end
        value = found.text(place + 2, after)
        items.append(f"{name}={TRUTHS.get(value.lower(), value.strip(_QUOTES))}")
        place = after + 1
    if len(items) == 1 and not braces and reader.kind(found.start) == "word":
        return None
    return Remedy(found.joined(" and ".join(items)))


_QUOTES = "\"'"


def _truth(found: Found) -> Remedy | None:
    fact = found.facts.get(found["x"])
    if fact is not None and fact.kind != "binary":
        return None
    return Remedy(f"{found['x']}={TRUTHS[found['v'].lower()]}")


def _null(found: Found) -> Remedy:
    """`age is null`."""
    return Remedy(None, f"every sample has its `{found['x']}`; leave the condition out")


def _member(found: Found) -> Remedy | None:
    """`ffhq.smile`, `face.age`."""
    return Remedy(found["x"]) if found["x"] in found.facts else None


def _negated(found: Found) -> Remedy:
    return Remedy(f"not {found['p']}")


JOINING: tuple[Notation, ...] = (
    Notation("{a:condition} nand {b:condition}", _JOINS, "not ({a} and {b})"),
    Notation("{a:condition} nor {b:condition}", _JOINS, "not ({a} or {b})"),
    Notation("{p:unspaced}", _JOINS, "{p}"),
    Notation("{l:conjoined_list}", _JOINS, _all),
    Notation("{l:disjoined_list}", _JOINS, _any),
    Notation(
        "{a:condition} and,but? without,lacking,minus,except,excluding,no,- not? {p:condition}",
        _JOINS,
        _and_lacks,
    ),
    Notation("{a:condition} having,wearing,has {p:condition}", _JOINS, _and_has),
    Notation("{a:condition} with {p:comparison}", _JOINS, _and_has),
    Notation("{a:condition} with {p:name}", _JOINS, _and_has_one),
    Notation("without,lacking,no,non {p:condition}", _ASKS, _lacks, starts=True),
    Notation("has,have ( {p:name} )", _ASKS, _has, starts=True, parses=True),
    Notation("with,has,have,having,wearing {p:condition}", _ASKS, _has, starts=True),
    Notation("~,-,∼,!,¬ {p:condition}", _ASKS, _negated, starts=True),
    Notation("very,really,extremely,strongly {p:condition}", _ASKS, _heavy, starts=True),
    Notation("slightly,somewhat,barely {p:condition}", _ASKS, _light, starts=True),
    Notation("{l:mapping}", _ASKS, _mapping, starts=True),
    Notation("{x:name} is not? null,none,nan", _COMPARES, _null),
    Notation("{x:name} :,is,:=,== {v:truth}", _COMPARES, _truth),
    Notation("{x:name} is,are? {c:comparative} {v:value}", _COMPARES, _in_words),
    Notation("{x:name} =,==,===,is,are? not,!,! =? {v:value}", _COMPARES, "{x} != {v}"),
    Notation("{x:name} = - {v:name}", _COMPARES, "{x} != {v}"),
    Notation("{x:name} isn,aren ' t {v:value}", _COMPARES, "{x} != {v}"),
    _operator("!=", "{x:name} ne,neq,!==,∉ {v:value}"),
    _operator("=", "{x:name} eq,===,=:,like,ilike,matches,contains,equals {v:value}"),
    _operator(">", "{x:name} gt,>> {v:value}"),
    _operator("<", "{x:name} lt,<< {v:value}"),
    _operator(">=", "{x:name} ge,gte,geq {v:value}"),
    _operator("<=", "{x:name} le,lte,leq {v:value}"),
    _operator(">", "{x:name} . gt . {v:value}"),
    _operator("<", "{x:name} . lt . {v:value}"),
    _operator(">=", "{x:name} . ge . {v:value}"),
    _operator("<=", "{x:name} . le . {v:value}"),
    _operator("=", "{x:name} . eq . {v:value}"),
    _operator("!=", "{x:name} . ne . {v:value}"),
    Notation("{x:name} is? not in,among {b:braces}", _SEVERAL, _out_of_set),
    Notation("{x:name} ∉ {b:braces}", _SEVERAL, _out_of_set),
    Notation("{x:name} {k:among} {b:braces}", _SEVERAL, _in_set),
    Notation("{x:name} is? one,any of {b:braces}", _SEVERAL, _in_set),
    _operator("=", "{x:name} :,is,are {v:value}"),
    Notation("∈", "{} is not how it is written here", "in"),
    Notation("` {x:name} `", "a name stands without quotes", "{x}"),
    Notation("{y:name} ^. ^{x:name}", "an attribute is named alone", _member),
)
