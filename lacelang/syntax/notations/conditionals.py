"""One condition that depends on another: `if a then b`, `a -> b`, `b unless a`, `a ? b : c`."""

from __future__ import annotations

from lacelang.syntax.notations.table import Found, Notation, Remedy

_IF = "{} is not how a condition depends on another"
_STATEMENT = "{} makes a statement depend on a condition, which none does"
_SAME = "{} is not how two conditions are said to hold together or not at all"


def _implies(found: Found, first: str, second: str) -> Remedy:
    operands = [_operand(found, first), _operand(found, second)]
    return Remedy(found.joined(" implies ".join(operands)))


def _operand(found: Found, part: str) -> str:
    """Return a part as an operand of `implies`, which binds less than any other word."""
    text = found[part]
    return f"({text})" if " implies " in text else text


def _if_then(found: Found) -> Remedy:
    return _implies(found, "a", "b")


def _if_behind(found: Found) -> Remedy:
    return _implies(found, "b", "a")


def _unless(found: Found) -> Remedy:
    """`b` holds wherever `a` does not."""
    return Remedy(found.joined(f"not {found.group('a')} implies {_operand(found, 'b')}"))


def _if_else(found: Found) -> Remedy:
    return Remedy(f"if_else({found['a']}, {found['b']}, {found['c']})", module="logic")


def _same(found: Found) -> Remedy:
    return Remedy(f"iff({found['a']}, {found['b']})", module="logic")


def _arrow(found: Found) -> Remedy | None:
    """`smile=1 => glasses=1`; `age => 20` compares, `smile -> 1` gives a value."""
    if found.bare("a") and found.bare("b"):
        fact = found.facts.get(found.raw("a"))
        if fact is not None and found.raw("b") in fact.values:
            return None
    return _implies(found, "a", "b")


def _gets(found: Found) -> Remedy:
    """`smile -> 1`, `smile <- 1`."""
    return Remedy(f"{found['x']}={found['v']}")


def _becomes(found: Found) -> Remedy:
    """`smile=0 -> 1`, as an edit might be written."""
    return Remedy(f"{found['x']}={found['w']}", "an edit says only what is to become")


def _no_condition(found: Found) -> Remedy:
    return Remedy(None, "what the samples are to be stands behind `where`", meanwhile="sample")


def _changed(found: Found) -> Remedy:
    example = f"{found['x']}={found['n']}"
    hint = f"an edit says what a sample is to be, like `{example}`"
    return Remedy(None, hint, meanwhile=example)


CONDITIONALS: tuple[Notation, ...] = (
    Notation("if,when,unless {a:predicate} then,:,,? sample", _STATEMENT, _no_condition),
    Notation(
        "if,when {a:predicate} then,:,,? {b:predicate} else,otherwise :? {c:predicate}",
        _IF,
        _if_else,
    ),
    Notation("{a:predicate} ? {b:predicate} : {c:predicate}", _IF, _if_else, starts=True),
    Notation("{b:predicate} if {a:predicate} else {c:predicate}", _IF, _if_else, starts=True),
    Notation(
        "if,when,whenever {a:predicate} then,:,,,implies,=>,->,→,⇒ {b:predicate}", _IF, _if_then
    ),
    Notation("if,when,whenever {a:predicate} { {b:predicate} }", _IF, _if_then),
    Notation("if,when,whenever {a:predicate} {b:predicate}", _IF, _if_then),
    Notation("implies that", "{} has a word too many", "implies"),
    Notation("unless {a:predicate} then,:,,? {b:predicate}", _IF, _unless),
    Notation("{b:predicate} unless {a:predicate}", _IF, _unless, starts=True),
    Notation("{a:predicate} iff {b:predicate}", _SAME, _same, starts=True),
    Notation("{a:predicate} if and only if {b:predicate}", _SAME, _same, starts=True),
    Notation("{a:predicate} exactly,just if,when {b:predicate}", _SAME, _same, starts=True),
    Notation("{a:predicate} only if,when {b:predicate}", _IF, _if_then, starts=True),
    Notation("{a:predicate} if,when,whenever {b:predicate}", _IF, _if_behind, starts=True),
    Notation("{a:predicate} <->,<-->,<=>,↔,⇔,≡,xnor {b:predicate}", _SAME, _same, starts=True),
    Notation("{a:condition} == {b:comparison}", _SAME, _same),
    Notation("{x:name} +=,-= {n:number}", "{} adds to a value", _changed),
    Notation("{x:name} ->,<-,→,⇒ {v:literal}", "{} is not how a value is asked for", _gets),
    Notation("{x:name} = {v:literal} ->,→,=>,⇒ {w:literal}", "{} has a value too many", _becomes),
    Notation("{a:predicate} ->,-->,=>,==>,→,⇒,⟶,⟹,⊃ {b:predicate}", _IF, _arrow, starts=True),
)
