"""What people write out of habit in conditions: SQL, Python, prose and mathematics.

Rules like those of `lacelang.syntax.diagnostics`, of which these come first: each knows one shape
that is written elsewhere, says how it is written here, and reads it as meant.
"""

from __future__ import annotations

from collections.abc import Callable

from lark import Token

from lacelang.syntax.build import between
from lacelang.syntax.grammar import CLAUSES
from lacelang.syntax.parse_error import CLOSER, OPERATORS, Complaint, Trouble, complain, named

_TWO_SIDED = frozenset({"AND", "OR", "XOR", "IMPLIES"})
_VALUES = frozenset({"NAME", "NUMBER", "UNIT", "STRING"})
_LISTED = _VALUES | {"COMMA", "RANGE"}


def _side_by_side(t: Trouble) -> Complaint | None:
    """`where where`, `and or`."""
    if t.before is None or t.kind not in _TWO_SIDED | CLAUSES:
        return None
    if t.kind == t.previous:
        message = f"`{t.token}` stands here twice"
        return complain("LACE003", message, t.token, "leave one of them out", instead=[])
    if t.kind in _TWO_SIDED and t.previous in _TWO_SIDED:
        message = f"`{t.before}` and `{t.token}` stand side by side"
        return complain("LACE003", message, t.token, "keep one of them", instead=[])
    return None


# Comparisons


def _range_in_words(t: Trouble) -> Complaint | None:
    """`between 10 and 20`, `10 to 20`, `10-20`."""
    word = str(t.token).lower()
    if t.kind == "NAME" and word in ("between", "within") and t.previous == "NAME":
        message = f"`{t.token}` is not how a range is written"
        first = t.value_at(1)
        second = t.value_at(first + 2)
        joined = t.kind_at(first + 1) in ("AND", "COMMA") or _is_to(t.at(first + 1))
        if not (first and second and joined):
            return complain("LACE003", message, t.token, f"write `{t.before} in 10..20`")
        low, high = t.run(1, first + 1), t.run(first + 2, first + 2 + second)
        shown = f"{t.text(1, first + 1)}..{t.text(first + 2, first + 2 + second)}"
        hint = f"write `{t.before} in {shown}`"
        instead = ["IN", *low, "RANGE", *high]
        count = first + second + 2
        return complain("LACE003", message, t.token, hint, instead=instead, count=count)
    if t.previous == "FROM" and t.kind == "NUMBER" and t.kind_at(-2) == "NAME":
        message = "this is not how a range is written"
        return complain("LACE003", message, t.token, f"write `{t.at(-2)} in 10..20`")
    if t.previous not in ("NUMBER", "UNIT") or "RANGE" not in t.expected:
        return None
    message = "a range has two dots"
    if _is_to(t.token):
        end = t.value_at(1)
        hint = f"write `{t.before}..{t.text(1, 1 + end)}`" if end else "like `10..20`"
        return complain("LACE003", message, t.token, hint, instead=["RANGE"])
    if t.kind == "NUMBER" and str(t.token).startswith("-"):
        end_ = Token("NUMBER", str(t.token)[1:])
        hint = f"write `{t.before}..{end_}`"
        at = between(t.before or t.token, t.token)
        return complain("LACE003", message, at, hint, instead=["RANGE", end_])
    return None


def _is_to(token: Token | None) -> bool:
    return token is not None and token.type in ("NAME", "UNIT") and str(token) == "to"


def _not_inside(t: Trouble) -> Complaint | None:
    """`smile not 1`, `smile is not 1`, `haircolor not in {gray}`."""
    if t.previous != "NAME" or "EQUAL" not in t.expected:
        return None
    if t.kind == "NAME" and str(t.token).lower() == "is" and t.kind_at(1) in ("NOT", "IN"):
        skipped = t.kind_at(1) == "NOT"
    elif t.kind == "NOT":
        skipped = False
    else:
        return None
    count = 2 if skipped else 1
    if t.kind != "NOT" and not skipped:
        message = "`is in` is one word too many"
        return complain("LACE003", message, t.token, "write `in`", instead=[])
    if t.kind_at(count) == "IN":
        message = "`not` stands before the whole condition"
        hint = f"write `not {t.before} in …`"
        return complain("LACE003", message, t.token, hint, instead=[], count=count)
    if t.value_at(count):
        message = f"`{t.text(0, count)}` does not compare"
        hint = f"write `{t.before} != {t.at(count)}`"
        return complain("LACE003", message, t.token, hint, instead=["UNEQUAL"], count=count)
    return None


def _no_attribute(t: Trouble) -> Complaint | None:
    """`age > 10 and < 20`."""
    if t.kind not in OPERATORS | {"IN"} or t.previous not in _TWO_SIDED:
        return None
    for back in range(2, 10):
        name = t.at(-back - 1)
        if t.kind_at(-back) in OPERATORS | {"IN"} and name is not None and name.type == "NAME":
            message = f"`{t.token}` needs the name of an attribute before it"
            shown = t.text(0, 1 + t.value_at(1))
            hint = f"write `{name} {shown}`"
            return complain("LACE003", message, t.token, hint, instead=[named(str(name)), t.token])
    return None


def _values_in_other_brackets(t: Trouble) -> Complaint | None:
    """`in (gray, blond)`, `in [10, 20]`, `= {gray, red}`, `for t in {1, 2}`."""
    if t.kind not in CLOSER or t.previous not in ("IN", "EQUAL", "UNEQUAL"):
        return None
    close = t.closing_at(0)
    if close is None or close == 1 or "NUMBER" not in t.expected:
        return None
    inner = t.run(1, close)
    kinds = [t.kind_at(i) for i in range(1, close)]
    if not set(kinds) <= _LISTED:
        return None
    if t.statement is not None and t.statement.type == "FOR":
        message = f"the values of a loop stand without `{t.token}`"
        hint = f"write `in {t.text(1, close)}`"
        return complain("LACE003", message, t.token, hint, instead=inner, count=close + 1)
    if t.previous != "IN":
        message = "several values are asked for with `in`"
        hint = f"write `{t.at(-2)} in {{{t.text(1, close)}}}`"
        first = inner[: t.value_at(1)]
        return complain("LACE003", message, t.token, hint, instead=first, count=close + 1)
    commas = [i for i, kind in enumerate(kinds) if kind == "COMMA"]
    numbers = all(kind in ("NUMBER", "UNIT", "COMMA", "RANGE") for kind in kinds)
    if "RANGE" in kinds or (numbers and len(commas) == 1):
        two = commas[0] if commas else kinds.index("RANGE")
        message = "a range is written with two dots, and without brackets"
        hint = f"write `in {t.text(1, 1 + two)}..{t.text(2 + two, close)}`"
        instead = [*inner[:two], "RANGE", *inner[two + 1 :]]
        return complain("LACE003", message, t.token, hint, instead=instead, count=close + 1)
    message = "a set is written in braces"
    hint = f"write `in {{{t.text(1, close)}}}`"
    instead = ["LBRACE", *inner, "RBRACE"]
    return complain("LACE003", message, t.token, hint, instead=instead, count=close + 1)


def _other_numbers(t: Trouble) -> Complaint | None:
    """`15,5`, `80%`."""
    before, after = t.before, t.after
    if before is None or before.type != "NUMBER":
        return None
    if (
        t.kind == "COMMA"
        and after is not None
        and after.type == "NUMBER"
        and before.end_pos == t.token.start_pos
        and t.token.end_pos == after.start_pos
    ):
        at = between(before, after)
        hint = f"write `{before}.{after}`"
        message = "a number has a decimal point, not a comma"
        return complain("LACE003", message, at, hint, instead=[], count=2)
    if t.kind == "PERCENT":
        share = f"{float(before) / 100:g}"
        hint = f"write `{share}`"
        if t.kind_at(-2) in ("EQUAL", "UNEQUAL"):
            hint = f"for a degree, write `{t.at(-3)} ~ {share}`"
        at = between(before, t.token)
        message = "a percentage stands in `expect` only"
        return complain("LACE003", message, at, hint, instead=[])
    return None


def _settings(t: Trouble) -> Complaint | None:
    """`smile=1 weight 2`, `smile=1 (weight 2)`, `smile=1 [2]`, `[weight 2] [temp 3]`."""
    example = "like `smile=1 [weight 2, temp 0.5]`"
    if t.kind == "NUMBER" and t.previous == "LSQB" and "WEIGHT" in t.expected:
        message = "say what this number is"
        hint = f"write `[weight {t.token}]`"
        return complain("LACE003", message, t.token, hint, instead=["WEIGHT", t.token])
    if t.kind == "LSQB" and t.previous == "RSQB":
        close = t.closing_at(0)
        if close is not None:
            message = "one pair of square brackets holds all settings"
            return complain("LACE003", message, t.token, example, instead=[], count=close + 1)
    if "LSQB" not in t.expected:
        return None
    message = "a weight stands in square brackets"
    if t.kind == "WEIGHT" and t.value_at(1):
        end = 1 + t.value_at(1)
        hint = f"write `[{t.text(0, end)}]`"
        instead = ["LSQB", *t.run(0, end), "RSQB"]
        return complain("LACE003", message, t.token, hint, instead=instead, count=end)
    if t.kind == "LPAR" and t.kind_at(1) in ("WEIGHT", "TEMP"):
        close = t.closing_at(0)
        if close is not None:
            message = "settings stand in square brackets"
            instead = ["LSQB", *t.run(1, close), "RSQB"]
            count = close + 1
            return complain("LACE003", message, t.token, example, instead=instead, count=count)
    return None


HABITS: tuple[Callable[[Trouble], Complaint | None], ...] = (
    _side_by_side,
    _range_in_words,
    _not_inside,
    _no_attribute,
    _values_in_other_brackets,
    _other_numbers,
    _settings,
)
"""The rules, those first that know their shape best."""
