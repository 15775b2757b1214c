"""Why the parser refused a token, in the words of somebody reading the program.

Each rule looks at the trouble and either passes or returns a complaint; the first that speaks is
heard. A complaint may carry a way to mend the text, so that reading goes on behind the mistake.
The rules here know the language; those of `habits` know what people bring from others.
"""

from __future__ import annotations

from collections.abc import Callable

from lark import Token

from lacelang.syntax.build import between, span_of
from lacelang.syntax.grammar import CLAUSES, ITEMS, SHAPES, STATEMENTS, keywords
from lacelang.syntax.hints import HABITS
from lacelang.syntax.parse_error import (
    CLOSER,
    CLOSERS,
    JOINTS,
    OPERATORS,
    Complaint,
    Trouble,
    complain,
    named,
    shape_of,
)
from lacelang.syntax.statement_hints import STATEMENT_HABITS, several_words
from lacelang.syntax.vocabulary import EXAMPLES, NEED_NAME, PHRASES, SYNONYMS
from lacelang.text.names import is_name, nfc

_ENDS = STATEMENTS | CLAUSES | ITEMS | CLOSERS | {"$END", "IN_SHARE"}
_CONDITION = frozenset({"NAME", "LPAR", "NOT"})
_NEED_CONDITION = frozenset({*JOINTS, "WHERE", "GIVEN", "MEASURE", "EXPECT"})
_NEED_VALUE = frozenset(
    {*OPERATORS, "TRUNCATION", "SEED", "TEMP", "STAY", "HOLD", "WEIGHT", "RANGE", "IN"}
)
_ALWAYS_NAME = frozenset({"LET", "DEF", "MODEL", "FOR", "ATTRIBUTE"})


def explain(trouble: Trouble) -> Complaint:
    """Return what to tell the reader about `trouble`."""
    for rule in _RULES:
        complaint = rule(trouble)
        if complaint is not None:
            return complaint
    return _unexpected(trouble)


def _closes_nothing(t: Trouble) -> Complaint | None:
    if t.kind not in CLOSERS or any(CLOSER[bracket.type] == t.kind for bracket in t.opened):
        return None
    last = t.opened[-1] if t.opened else None
    if last is not None and last.line == t.token.line and t.accepts([CLOSER[last.type]]):
        due = CLOSER[last.type]
        message = f"`{t.token}` stands where `{SHAPES[due]}` is due"
        hint = f"close `{last}` with `{SHAPES[due]}`"
        return complain("LACE005", message, t.token, hint, instead=[due])
    return complain(
        "LACE005", f"this `{t.token}` closes nothing", t.token, "leave it out", instead=[]
    )


def _never_closed(t: Trouble) -> Complaint | None:
    # A joint ends settings and sets; in round brackets it has its place.
    ends = t.kind in JOINTS and t.opened and t.opened[-1].type in ("LSQB", "LBRACE")
    if t.kind not in _ENDS and not ends:
        return None
    closers: list[str] = []
    for bracket in reversed(t.opened):
        closers.append(CLOSER[bracket.type])
        if t.accepts([*closers, t.kind]):
            shapes = "".join(SHAPES[c] for c in closers)
            many = "these brackets are" if len(closers) > 1 else f"this `{bracket}` is"
            message, hint = f"{many} never closed", f"add `{shapes}`"
            refused = [] if t.kind == "$END" else [t.token]
            return complain(
                "LACE004", message, bracket, hint, instead=[*closers, *refused], count=len(refused)
            )
    return None


def _misspelt(t: Trouble) -> Complaint | None:
    if t.kind not in ("NAME", "UNIT"):
        return None
    wanted = {shape_of(k): k for k in t.expected if k not in ("NAME", "STRING")}
    written = str(t.token)
    meant = _meant(written.lower(), wanted)
    if meant is None:
        return None
    message = f"`{written}` is not a word that can stand here"
    if written.lower() == meant:
        message = "the words of the language are written small"
        return complain("LACE010", message, t.token, f"write `{meant}`", instead=[wanted[meant]])
    hint = f"did you mean `{meant}`?"
    return complain("LACE010", message, t.token, hint, instead=[wanted[meant]])


def _shouted(t: Trouble) -> Complaint | None:
    """`sample FROM ffhq`, where `FROM` has been taken for a name."""
    if t.before is None or t.previous != "NAME":
        return None
    word = str(t.before).lower()
    if word not in keywords():
        return None
    # A `NOT` has been read as a condition already; any joint behind it lets reading go on.
    meant = "AND" if word == "not" else word.upper()
    if not t.accepts([meant, t.kind]):
        return None
    message = "the words of the language are written small"
    instead = [meant, t.token]
    return complain("LACE010", message, t.before, f"write `{word}`", instead=instead)


def _meant(written: str, wanted: dict[str, str]) -> str | None:
    """Return the word of the language, among those wanted, that `written` comes nearest to."""
    if SYNONYMS.get(written) in wanted:
        return SYNONYMS[written]
    if written in wanted:
        return written
    from difflib import get_close_matches

    words = [word for word in wanted if word.isalnum()]
    swapped = [word for word in words if sorted(word) == sorted(written)]
    begun = [word for word in words if len(written) >= 3 and word.startswith(written)]
    close = swapped or get_close_matches(written, words, 1, 0.7) or begun
    return close[0] if close else None


def _reserved(t: Trouble) -> Complaint | None:
    if str(t.token) not in keywords() or "NAME" not in t.expected or t.before is None:
        return None
    same_line = t.before.end_line == t.token.line
    last = t.after is None or t.after.line != t.token.line
    if not same_line or not (
        t.previous in _ALWAYS_NAME or (last and t.previous in (*NEED_NAME, "EQUAL"))
    ):
        return None
    message = f"`{t.token}` is a word of the language and cannot be a name"
    hint = f"choose another name, such as `{t.token}_1`"
    return complain("LACE007", message, t.token, hint, instead=[named(str(t.token))])


def _quotes(t: Trouble) -> Complaint | None:
    if t.kind == "STRING" and "NAME" in t.expected:
        bare = nfc(str(t.token)[1:-1])
        if is_name(bare) and bare not in keywords():
            what = NEED_NAME.get(t.previous)
            if what is None and t.kind_at(1) in (*OPERATORS, "IN"):
                what = "the name of an attribute"
            if what is not None:
                message = f"{what} stands without quotes"
                hint = f"write `{bare}`"
                return complain("LACE003", message, t.token, hint, instead=[named(bare)])
    if t.kind == "NAME" and "STRING" in t.expected and "NAME" not in t.expected:
        text = f'"{t.token}"'
        return complain(
            "LACE003",
            "this belongs in quotes",
            t.token,
            f"write `{text}`",
            instead=[Token("STRING", text)],
        )
    return None


def _chained(t: Trouble) -> Complaint | None:
    if t.kind in OPERATORS and "AND" in t.expected and t.previous != "NAME":
        hint = "write a range, `age in 10..20`, or join two comparisons with `and`"
        return complain("LACE003", "comparisons do not chain", t.token, hint)
    return None


def _number_first(t: Trouble) -> Complaint | None:
    begins = t.previous in _NEED_CONDITION or (t.previous == "LPAR" and "NOT" in t.expected)
    if t.kind not in ("NUMBER", "STRING") or "NAME" not in t.expected or not begins:
        return None
    message = "a condition begins with the name of an attribute"
    if t.previous == "EXPECT" and t.kind_at(1) == "PERCENT":
        message = "`expect` takes the condition first, and then its share"
        return complain("LACE003", message, t.token, f"like `{EXAMPLES['EXPECT']}`")
    return complain("LACE003", message, t.token, "write `age > 10`, not `10 < age`")


def _needless_equals(t: Trouble) -> Complaint | None:
    if t.kind in ("EQUAL", "COLON") and (
        t.previous in _NEED_VALUE - OPERATORS or t.previous in NEED_NAME.keys() - _ALWAYS_NAME
    ):
        message = f"`{t.before}` takes what follows without `{t.token}`"
        return complain("LACE003", message, t.token, "leave it out", instead=[])
    return None


def _comma(t: Trouble) -> Complaint | None:
    if t.kind == "COMMA" and t.after is not None:
        if t.kind_at(1) in _CONDITION and t.accepts(["AND", t.kind_at(1)]):
            message = "conditions are joined with a word, not with a comma"
            return complain("LACE011", message, t.token, "write `and` or `or`", instead=["AND"])
        if t.accepts([t.kind_at(1)]):
            message = "no comma belongs here"
            return complain("LACE003", message, t.token, "leave it out", instead=[])
    if t.kind in CLOSERS and t.previous == "COMMA" and t.before is not None:
        message = f"the list ends with a comma before `{t.token}`"
        return complain("LACE003", message, t.before, "leave the comma out")
    return None


def _missing_joint(t: Trouble) -> Complaint | None:
    if t.kind in _CONDITION and "COMMA" not in t.expected and t.accepts(["AND", t.kind]):
        message = "a word is missing between two conditions"
        hint = "join them with `and` or `or`"
        return complain("LACE011", message, t.token, hint, instead=["AND", t.token])
    return None


def _missing_sign(t: Trouble) -> Complaint | None:
    """One small token is missing, and all would be well with it."""
    if "RANGE" in t.expected and t.before is not None and t.previous in ("NUMBER", "UNIT", "NAME"):
        at, hint = span_of(t.before), "like `-45..45`"
        if t.kind_at(-2) == "IN" and t.kind_at(-3) == "NAME":
            hint = f"write `{t.at(-3)}={t.before}`, or a range such as `10..20`"
        return complain("LACE013", "a range needs two dots and an end", at, hint)
    beyond = [t.after.type] if t.after is not None else []
    for kind in ("EQUAL", "COMMA", "COLON", "IN"):
        if kind in t.expected and t.accepts([kind, t.kind, *beyond]):
            message = f"`{shape_of(kind)}` is missing before `{_shortened(str(t.token))}`"
            return complain("LACE013", message, t.token, instead=[kind, t.token])
    return None


def _number_joined(t: Trouble) -> Complaint | None:
    if t.kind in JOINTS and t.previous in ("NUMBER", "UNIT"):
        message = f"`{t.token}` joins conditions, and before it stands a number"
        return complain("LACE003", message, t.token, "a condition is like `age > 10`")
    return None


def _missing_share(t: Trouble) -> Complaint | None:
    if "IN_SHARE" not in t.expected or t.kind not in (*_ENDS, "IN", "NUMBER", "OF"):
        return None
    message = "`expect` needs a share and a group"
    at = span_of(t.token if t.kind in ("IN", "NUMBER", "OF") else t.before or t.token)
    if t.kind == "IN" and t.after is not None and t.kind_at(1) == "NUMBER":
        message, at = "a share is so many percent", span_of(t.after)
    return complain("LACE003", message, at, f"like `{EXAMPLES['EXPECT']}`")


def _missing_part(t: Trouble) -> Complaint | None:
    """Something is due after the token before, and this is not it."""
    if t.before is None:
        return None
    if t.previous in _NEED_CONDITION and "NAME" in t.expected:
        side = " after it" if t.previous in JOINTS else ""
        message = f"`{t.before}` needs a condition{side}, such as `smile=1`"
        return complain("LACE012", message, t.before)
    if t.previous in _NEED_VALUE and "NUMBER" in t.expected:
        values = "`10..20` or `{gray, blond}`" if t.previous == "IN" else "a value"
        return complain("LACE012", f"`{t.before}` needs {values} after it", t.before)
    if t.previous in NEED_NAME and "NAME" in t.expected:
        message = f"`{t.before}` needs {NEED_NAME[t.previous]} after it"
        return complain("LACE012", message, t.before)
    if t.previous == "LPAR" and t.kind == "RPAR":
        return complain("LACE012", "there is nothing between these brackets", t.before)
    if t.previous == "LBRACE" and t.kind == "RBRACE":
        at = between(t.before, t.token)
        return complain("LACE012", "there is nothing in these braces", at)
    return None


def _not_a_step(t: Trouble) -> Complaint | None:
    if t.statement is None or t.statement.type != "EDIT" or not t.opened:
        return None
    if t.opened[-1].type != "LBRACE":
        return None
    if t.kind == "COMMA":
        message = "no comma stands between edits"
        return complain("LACE003", message, t.token, "leave it out", instead=[])
    if t.kind in JOINTS:
        message = f"an edit's line does not begin with `{t.token}`"
        hint = "each line is a condition, `smile=1 or glasses=1`"
        return complain("LACE003", message, t.token, hint)
    return None


def _unexpected(t: Trouble) -> Complaint:
    """The complaint of last resort."""
    if t.kind == "$END":
        message, at = "the program ends in the middle of a statement", t.before or t.token
    else:
        message, at = f"`{_shortened(str(t.token))}` does not fit here", t.token
    wanted = _in_words(t.expected)
    if wanted:
        message += f"; expected {wanted}"
    hint = None
    in_value = any(bracket.type != "LBRACE" for bracket in t.opened)
    if t.statement is not None and not t.expected >= STATEMENTS and not in_value:
        hint = f"like `{EXAMPLES[t.statement.type]}`"
    return complain("LACE003", message, at, hint)


def _in_words(expected: frozenset[str]) -> str:
    """Return `a name, a number or `(``; groups of keywords by what they have in common."""
    rest = set(expected) - {"UNIT", "$END"}
    parts = []
    for group, phrase in (
        (STATEMENTS, "a statement"),
        (CLAUSES, "a clause"),
    ):
        if rest >= group:
            rest -= group
            parts.append(phrase)
    if rest >= {"AND", "OR"}:
        rest -= {"XOR", "IMPLIES"}
    if len(parts) + len(rest) > 6:
        return ""
    rank = {"AND": 1, "OR": 2}
    kinds = sorted(rest, key=lambda k: (k not in PHRASES, rank.get(k, 0), k))
    parts = [PHRASES.get(k) or f"`{shape_of(k)}`" for k in kinds] + parts
    if parts == ["a statement"]:
        return "a statement, such as `sample`"
    return " or ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"


_RULES: tuple[Callable[[Trouble], Complaint | None], ...] = (
    _closes_nothing,
    *HABITS,
    *STATEMENT_HABITS,
    _never_closed,
    _needless_equals,
    _not_a_step,
    _comma,
    _quotes,
    _shouted,
    _misspelt,
    several_words,
    _reserved,
    _chained,
    _number_first,
    _missing_share,
    _number_joined,
    _missing_joint,
    _missing_sign,
    _missing_part,
)
