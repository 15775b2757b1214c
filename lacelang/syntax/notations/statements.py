"""Clauses and options of other tools: SQL's, prompts' flags, `<lora:x:0.8>`."""

from __future__ import annotations

from lacelang.syntax.notations.table import Found, Notation, Remedy, rows
from lacelang.syntax.notations.words import words_of

_NETWORK = "{} loads a network into another generator"
_NO_NETWORK = Remedy("", "how much a condition counts is said with `[weight 2]`")
_SO_MANY = "the number stands right after `sample`: `sample {n} from …`"

_AS_CLAUSES = {
    **{"seed": "seed", "truncation": "truncation", "psi": "truncation", "trunc": "truncation"},
    **{"temp": "temp", "temperature": "temp", "sampler": "with", "name": "as"},
}
_COUNTS = words_of("n num count samples number batch")
_OTHERS = words_of(
    "ar aspect w h width height size steps cfg scale s q quality v version style stylize chaos "
    "niji iw weird tile fast relax turbo raw out outdir only device replace format workers root "
    "report pedantic json allow"
)


def _flag(found: Found) -> Remedy | str | None:
    """`--seed 4`, `--n 4`, `--ar 1:1`."""
    word, value = found["x"].lower(), found.get("v")
    if word in _AS_CLAUSES and value:
        return f"{_AS_CLAUSES[word]} {value}"
    if word in _COUNTS and value:
        return Remedy(None, _SO_MANY.format(n=value))
    if word in ("no", "neg", "negative"):
        fact = found.fact("v") if value else None
        if fact is not None and fact.kind == "binary":
            return f"and {value}=0"
        return Remedy("", "what a sample must not be is said with `not`")
    return Remedy("", "a program holds conditions and clauses only") if word in _OTHERS else None


STATEMENTS = (
    *rows(
        "{} is SQL",
        {
            "select count ( *,1 ) from {x:name} where {p:predicate}": "measure {p} from {x}",
            "select distinct? top? {n:number} * from": "sample {n} from",
            "select top? {n:number} from": "sample {n} from",
            "select distinct? * from": "sample from",
            "sample * from": "sample from",
        },
    ),
    *rows(
        "{} is not how the number of samples is written",
        {
            "sample top,first,about {n:number}": "sample {n}",
            "sample ( {n:number} )": "sample {n}",
            "limit,top,fetch {n:number}": Remedy(None, _SO_MANY),
        },
    ),
    *rows(
        "{} is no clause",
        {
            "order,sort by {x:name} asc,desc?": Remedy("", "samples have no order"),
            "group by {x:name}": Remedy("", "`as` names a group of samples"),
        },
    ),
    Notation("-- ^{x:word} =? {v:flag}?", "{} is an option of other tools", _flag),
    # With the word that joins it, unless another condition follows.
    *rows(
        _NETWORK,
        {
            "and,,,or < lora,lyco,lycoris,hypernet : {x:name} : {n:number} > ,?": lambda f: (
                _NO_NETWORK if f.reader.condition(f.end) is None else None
            ),
            "| < lora,lyco,lycoris,hypernet : {x:name} : {n:number} > and,,": _NO_NETWORK,
            "< lora,lyco,lycoris,hypernet : {x:name} : {n:number} >": _NO_NETWORK,
        },
    ),
    Notation("{k:asking} :,=", "{} has a sign too many", lambda f: f.text(f.start, f.start + 1)),
)
