"""Conditions in other words: `if a then b`, `a nand b`, `without a`, `age gt 3`."""

from __future__ import annotations

from lacelang.syntax.notations.prompts import STRESSES
from lacelang.syntax.notations.ranges import compared
from lacelang.syntax.notations.table import Answer, Found, Notation, Remedy, rows
from lacelang.syntax.notations.words import ABBREVIATIONS, COMPARATIVES, TRUTHS

_QUOTES = "\"'"

# Conditions that depend on others

_IF = "{} is not how a condition depends on another"
_SAME = "{} is not how two conditions are said to hold together or not at all"
_IF_THEN = "{a:operand} implies {b:operand}"
_IF_BEHIND = "{b:operand} implies {a:operand}"
_IF_ELSE = Remedy("if_else({a}, {b}, {c})", module="logic")
_UNLESS = "not {a:group} implies {b:operand}"
_IFF = Remedy("iff({a}, {b})", module="logic")
_CHANGED = Remedy(None, "an edit says what a sample is to be, like `{x}={n}`", meanwhile="{x}={n}")


def _arrow(found: Found) -> str | None:
    """`smile=1 => glasses=1`; `age => 20` compares, `smile -> 1` gives a value."""
    fact = found.fact("a")
    gives = fact is not None and found.bare("b") and found.raw("b") in fact.values
    return found.filled(_IF_THEN) if not gives else None


CONDITIONALS = (
    Notation(
        "if,when,unless {a:predicate} then,:,,? sample",
        "{} makes a statement depend on a condition, which none does",
        Remedy(None, "what the samples are to be stands behind `where`", meanwhile="sample"),
    ),
    *rows(
        _IF,
        {
            "if,when {a:predicate} then,:,,? {b:predicate} else,otherwise :?"
            " {c:predicate}": _IF_ELSE,
            "| {a:predicate} ? {b:predicate} : {c:predicate}": _IF_ELSE,
            "| {b:predicate} if {a:predicate} else {c:predicate}": _IF_ELSE,
            "if,when,whenever {a:predicate} then,:,,,implies,=>,->,→,⇒? {b:predicate}": _IF_THEN,
            "if,when,whenever {a:predicate} { {b:predicate} }": _IF_THEN,
            "unless {a:predicate} then,:,,? {b:predicate}": _UNLESS,
        },
    ),
    Notation("implies that", "{} has a word too many", "implies"),
    Notation("{b:predicate} unless {a:predicate}", _IF, _UNLESS, starts=True),
    *rows(
        _SAME,
        {
            "| {a:predicate} iff,<->,<-->,<=>,↔,⇔,≡,xnor {b:predicate}": _IFF,
            "| {a:predicate} if and only if {b:predicate}": _IFF,
            "| {a:predicate} exactly,just if,when {b:predicate}": _IFF,
        },
    ),
    *rows(
        _IF,
        {
            "| {a:predicate} only if,when {b:predicate}": _IF_THEN,
            "| {a:predicate} if,when,whenever {b:predicate}": _IF_BEHIND,
        },
    ),
    Notation("{a:condition} == {b:comparison}", _SAME, _IFF),
    Notation("{x:name} +=,-= {n:number}", "{} adds to a value", _CHANGED),
    Notation("{x:name} ->,<-,→,⇒ {v:literal}", "{} is not how a value is asked for", "{x}={v}"),
    Notation(
        "{x:name} = {v:literal} ->,→,=>,⇒ {w:literal}",
        "{} has a value too many",
        Remedy("{x}={w}", "an edit says only what is to become"),
    ),
    Notation("{a:predicate} ->,-->,=>,==>,→,⇒,⟶,⟹,⊃ {b:predicate}", _IF, _arrow, starts=True),
)

# Words between and before conditions

_JOINS = "{} is not how conditions are joined"
_ASKS = "{} is not how a condition is written"


def _chained(word: str) -> Answer:
    return lambda found: found.joined(f" {word} ".join(found.chain("l")))


def _asked(found: Found, given: bool = True) -> Remedy | str:
    """Return `p`, an attribute's name or a condition, as it is asked for or denied."""
    fact = found.fact("p")
    if fact is None:
        return found["p"] if given else f"not {found['p']}"
    name = found.raw("p")
    if fact.kind == "binary":
        return f"{name}={int(given)}"
    condition = f"{name}={fact.values[0] if fact.values else f'{fact.low:g}'}"
    return Remedy(None, f"say which value, like `{condition}`", meanwhile=condition)


def _lacks(found: Found) -> Remedy | str:
    return _asked(found, given=False)


def _behind(found: Found, given: bool = True) -> Remedy | str:
    answer = _asked(found, given)
    return found.joined(f"{found['a']} and {answer}") if isinstance(answer, str) else answer


JOINS = (
    *rows(
        _JOINS,
        {
            "{a:condition} nand {b:condition}": "not ({a} and {b})",
            "{a:condition} nor {b:condition}": "not ({a} or {b})",
            "{p:unspaced}": "{p}",
            "{l:conjoined_list}": _chained("and"),
            "{l:disjoined_list}": _chained("or"),
            "{a:condition} and,but? without,lacking,minus,except,excluding,no,- not?"
            " {p:condition}": lambda f: _behind(f, given=False),
            "{a:condition} having,wearing,has {p:condition}": _behind,
            "{a:condition} with {p:comparison}": _behind,
            # Of another name it may be a sampler's.
            "{a:condition} with {p:known}": _behind,
        },
    ),
    *rows(
        _ASKS,
        {
            "| without,lacking,no,non {p:condition}": _lacks,
            "! | has,have ( {p:name} )": _asked,
            "| with,has,have,having,wearing {p:condition}": _asked,
            "| ~,-,∼,!,¬ {p:condition}": "not {p}",
        },
    ),
    *STRESSES,
)

# Comparisons

_COMPARES = "{} is not how a value is compared"


def _mapping(found: Found) -> str | None:
    """`{"smile": 1, "age": 30}`, `smile: 1, age: 30`."""
    reader = found.reader
    place, end = found.parts["l"]
    braces = reader.low(place) == "{"
    place, end = place + braces, end - braces
    items: list[str] = []
    while place < end:
        after = reader.value(place + 2) or end
        name = reader.lexemes[place].text.strip(_QUOTES)
        items.append(f"{name}={_plain(found.text(place + 2, after, asked=False))}")
        place = after + 1
    alone = len(items) == 1 and not braces and reader.kind(found.start) == "word"
    return found.joined(" and ".join(items)) if not alone else None


def _plain(value: str) -> str:
    """Return a value, truth as a number and a name without its quotes."""
    return TRUTHS.get(value.lower(), value.strip(_QUOTES))


def _in_set(found: Found, denial: str = "") -> str | None:
    values = found.values("b", (",", ";", "|", "or", "}", "]", ")"), first=1)
    start, reader = found.parts["b"][0], found.reader
    written_so = reader.low(start) == "{" and reader.low(start - 1) == "in" and not denial
    if not values or written_so:
        return None
    shown = ", ".join(value.strip(_QUOTES) for value in values)
    return f"{denial}{found['x']} in {{{shown}}}"


def _out_of_set(found: Found) -> str | None:
    return _in_set(found, "not ")


def _in_words(found: Found) -> str:
    """`age is greater than 15`, `age at least 15`."""
    return compared(found, COMPARATIVES[" ".join(found["c"].lower().split())], found["v"])


def _abbreviated(found: Found) -> str:
    """`age gt 3`, `age .lt. 3`."""
    operator = found.reader.low(found.parts["o"][0])
    return compared(found, ABBREVIATIONS[operator], _plain(found["v"]))


def _equal(found: Found) -> str:
    return compared(found, "=", _plain(found["v"]))


COMPARISONS = (
    Notation("{l:mapping}", _ASKS, _mapping, starts=True),
    *rows(
        _COMPARES,
        {
            "{x:name} is not? null,none,nan": Remedy(
                None, "every sample has its `{x}`; leave the condition out"
            ),
            "{x:binary} :,is,:=,== {v:truth}": _equal,
            "{x:name} is,are? {c:comparative} {v:value}": _in_words,
            "{x:name} =,==,===,is,are? not,!,! =? {v:value}": "{x} != {v}",
            "{x:name} = - {v:name}": "{x} != {v}",
            "{x:name} isn,aren ' t {v:value}": "{x} != {v}",
            "{x:name} {o:abbreviation} {v:value}": _abbreviated,
            "{x:name} . {o:abbreviation} . {v:value}": _abbreviated,
        },
    ),
    *rows(
        "{} is not how several values are written",
        {
            "{x:name} is? not in,among {b:braces}": _out_of_set,
            "{x:name} ∉ {b:braces}": _out_of_set,
            "{x:name} {k:among} {b:braces}": _in_set,
            "{x:name} is? one,any of {b:braces}": _in_set,
        },
    ),
    Notation("{x:name} :,is,are {v:value}", _COMPARES, _equal),
    Notation("∈", "{} is not how it is written here", "in"),
    Notation("` {x:name} `", "a name stands without quotes", "{x}"),
    Notation("{y:name} ^. ^{x:known}", "an attribute is named alone", "{x}"),
)
