"""Clauses and options of other tools: SQL's, prompts' flags, `<lora:x:0.8>`."""

from __future__ import annotations

from lacelang.syntax.notations.pieces import words_of
from lacelang.syntax.notations.table import Found, Notation, Remedy

_CLAUSE = "{} is no clause"
_FLAG = "{} is an option of other tools"
_NETWORK = "{} loads a network into another generator"
_NUMBER = "{} is not how the number of samples is written"

_AS_CLAUSES = {
    "seed": "seed",
    "temp": "temp",
    "temperature": "temp",
    "truncation": "truncation",
    "psi": "truncation",
    "trunc": "truncation",
    "sampler": "with",
    "name": "as",
}
_COUNTS = words_of("n num count samples number batch")
_OTHERS = words_of(
    "ar aspect w h width height size steps cfg scale s q quality v version style stylize chaos "
    "niji iw weird tile fast relax turbo raw out outdir only device replace format workers root "
    "report pedantic json allow no neg negative"
)
_VALUELESS = words_of("replace pedantic json tile fast relax turbo raw report")


def _flag(found: Found) -> Remedy | None:
    """`--seed 4`, `--n 4`, `--ar 1:1`."""
    word = found["x"].lower()
    value = found.get("v")
    if word in _AS_CLAUSES and value:
        return Remedy(f"{_AS_CLAUSES[word]} {value}")
    if word in _COUNTS and value:
        return _so_many(value)
    if word in ("no", "neg", "negative"):
        fact = found.facts.get(value)
        if fact is None or fact.kind != "binary":
            return Remedy("", "what a sample must not be is said with `not`")
        return Remedy(f"and {value}=0")
    if word in _OTHERS:
        return Remedy("", "a program holds conditions and clauses only")
    return None


def _so_many(number: str) -> Remedy:
    return Remedy(None, f"the number stands right after `sample`: `sample {number} from …`")


def _network(_: Found) -> Remedy:
    return Remedy("", "how much a condition counts is said with `[weight 2]`")


def _last(found: Found) -> Remedy | None:
    """With the joint before it, if no condition follows that needs the joint."""
    return _network(found) if found.reader.condition(found.end) is None else None


def _limit(found: Found) -> Remedy:
    return _so_many(found["n"])


def _measure(found: Found) -> Remedy:
    return Remedy(f"measure {found['p']} from {found['x']}")


STATEMENTS: tuple[Notation, ...] = (
    Notation("select count ( *,1 ) from {x:name} where {p:predicate}", "{} is SQL", _measure),
    Notation("select distinct? top? {n:number} * from", "{} is SQL", "sample {n} from"),
    Notation("select top? {n:number} from", "{} is SQL", "sample {n} from"),
    Notation("select distinct? * from", "{} is SQL", "sample from"),
    Notation("sample * from", "{} is SQL", "sample from"),
    Notation("sample top,first,about {n:number}", _NUMBER, "sample {n}"),
    Notation("sample ( {n:number} )", _NUMBER, "sample {n}"),
    Notation("limit,top,fetch {n:number}", _NUMBER, _limit),
    Notation(
        "order,sort by {x:name} asc,desc?", _CLAUSE, lambda _: Remedy("", "samples have no order")
    ),
    Notation("group by {x:name}", _CLAUSE, lambda _: Remedy("", "`as` names a group of samples")),
    Notation("-- ^{x:word} =? {v:flag}?", _FLAG, _flag),
    Notation("and,,,or < lora,lyco,lycoris,hypernet : {x:name} : {n:number} > ,?", _NETWORK, _last),
    Notation(
        "< lora,lyco,lycoris,hypernet : {x:name} : {n:number} > and,,",
        _NETWORK,
        _network,
        starts=True,
    ),
    Notation("< lora,lyco,lycoris,hypernet : {x:name} : {n:number} >", _NETWORK, _network),
    Notation(
        "{k:asking} :,=", "{} has a sign too many", lambda f: Remedy(f.text(f.start, f.start + 1))
    ),
)
