"""Conditions with weights and in other words: `(a:1.3)`, `{a|b}`, `without a`, `--no a`."""

from __future__ import annotations

from lacelang.syntax.notations.found import Found, Remedy
from lacelang.syntax.notations.words import SETS, WORDS

_UP, _DOWN = 1.1, 0.9  # what a `+` and a `-` stand for in compel


def condition(found: Found) -> str | None:
    """Return part `p` as a condition; None if it is the bare name of another attribute."""
    fact = found.fact("p")
    return found["p"] if fact is None or fact.kind == "binary" else None


# Weights


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


def weighed_behind(found: Found) -> Remedy | str | None:
    """`smile=1 * 2`; but `age = 2*3` is arithmetic."""
    fact = found.reader.fact(found.start)
    sign = found.reader.low(found.parts["p"][1])
    measured = fact is not None and fact.kind == "measured"
    return None if measured and sign.startswith(("*", "^", "x")) else weighed_or_value(found)


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


# Words


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


# Options


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
