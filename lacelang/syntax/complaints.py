"""Why the parser refused a token, in the words of somebody reading the program.

Each rule looks at the trouble and either passes or returns a complaint; the first that speaks is
heard. A complaint may carry a way to mend the text, so that reading goes on behind the mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen
from lark import Token

from lacelang.errors import Diagnostic, Span
from lacelang.syntax.build import span_of
from lacelang.syntax.grammar import CLAUSES, ITEMS, SHAPES, STATEMENTS, keywords
from lacelang.syntax.vocabulary import EXAMPLES, NEED_NAME, PHRASES, SYNONYMS


@frozen
class Trouble:
    """A token that the parser refuses, and its surroundings.

    Attributes:
        token: of type `$END` at the end of the text.
        before, after: its neighbours.
        expected: types of the tokens that could have come instead.
        opened: brackets that are open, outermost first.
        statement: the keyword that began the statement, if one has begun.
        accepts: whether tokens of the given types could come here, one after another.
    """

    token: Token
    before: Token | None
    after: Token | None
    expected: frozenset[str]
    opened: tuple[Token, ...]
    statement: Token | None
    accepts: Callable[[Sequence[str]], bool]

    @property
    def kind(self) -> str:
        """Type of the refused token."""
        return self.token.type

    @property
    def previous(self) -> str:
        """Type of the token before; empty at the start of the text."""
        return self.before.type if self.before is not None else ""


@frozen
class Complaint:
    """A diagnostic, and how the text could be mended.

    Attributes:
        insert: types of tokens to put before the refused one.
        retype: type to read the refused token as; `text` is its new text, if that changes too.
        drop: leave the refused token out.
    """

    diagnostic: Diagnostic
    insert: tuple[str, ...] = ()
    retype: str | None = None
    text: str | None = None
    drop: bool = False


_CLOSER = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
_CLOSERS = frozenset(_CLOSER.values())
_ENDS = STATEMENTS | CLAUSES | ITEMS | _CLOSERS | {"$END", "IN_SHARE"}
_CONDITION = frozenset({"NAME", "LPAR", "NOT"})
_OPERATORS = frozenset({"EQUAL", "UNEQUAL", "LESSTHAN", "AT_MOST", "MORETHAN", "AT_LEAST", "TILDE"})
_JOINTS = {"AND": "and", "OR": "or", "XOR": "xor", "IMPLIES": "implies", "NOT": "not"}
_NEED_CONDITION = frozenset({*_JOINTS, "WHERE", "GIVEN", "MEASURE", "EXPECT"})
_NEED_VALUE = frozenset(
    {*_OPERATORS, "TRUNCATION", "SEED", "TEMP", "STAY", "HOLD", "WEIGHT", "RANGE", "IN"}
)
_ALWAYS_NAME = frozenset({"LET", "DEF", "MODEL", "FOR", "ATTRIBUTE"})


def explain(trouble: Trouble) -> Complaint:
    """Return what to tell the reader about `trouble`."""
    for rule in _RULES:
        complaint = rule(trouble)
        if complaint is not None:
            return complaint
    return _unexpected(trouble)


def _say(
    code: str, message: str, at: Token | Span, hint: str | None = None, **mend: object
) -> Complaint:
    span = at if isinstance(at, Span) else span_of(at)
    return Complaint(Diagnostic(code, message, span, hint), **mend)  # type: ignore[arg-type]


def _closes_nothing(t: Trouble) -> Complaint | None:
    if t.kind not in _CLOSERS:
        return None
    if all(_CLOSER[bracket.type] != t.kind for bracket in t.opened):
        last = t.opened[-1] if t.opened else None
        if last is not None and last.line == t.token.line and t.accepts([_CLOSER[last.type]]):
            due = _CLOSER[last.type]
            message = f"`{t.token}` stands where `{SHAPES[due]}` is due"
            hint = f"close `{last}` with `{SHAPES[due]}`"
            return _say("LACE005", message, t.token, hint, retype=due, text=SHAPES[due])
        message = f"this `{t.token}` closes nothing"
        return _say("LACE005", message, t.token, "leave it out", drop=True)
    return None


def _never_closed(t: Trouble) -> Complaint | None:
    if t.kind not in _ENDS:
        return None
    closers: list[str] = []
    for bracket in reversed(t.opened):
        closers.append(_CLOSER[bracket.type])
        if t.accepts([*closers, t.kind]):
            shapes = "".join(SHAPES[c] for c in closers)
            many = "these brackets are" if len(closers) > 1 else f"this `{bracket}` is"
            message, hint = f"{many} never closed", f"add `{shapes}`"
            return _say("LACE004", message, bracket, hint, insert=tuple(closers))
    return None


def _misspelt(t: Trouble) -> Complaint | None:
    if t.kind not in ("NAME", "UNIT"):
        return None
    wanted = {SHAPES.get(k, k.lower()): k for k in t.expected if k not in ("NAME", "STRING")}
    written = str(t.token)
    meant = SYNONYMS.get(written.lower())
    if meant not in wanted and written.lower() in wanted:
        meant = written.lower()
    if meant not in wanted:
        from difflib import get_close_matches

        words = [word for word in wanted if word.isalnum()]
        swapped = [word for word in words if sorted(word) == sorted(written.lower())]
        close = swapped or get_close_matches(written.lower(), words, 1, 0.7)
        meant = close[0] if close else None
    if meant is None or meant not in wanted:
        return None
    message = f"`{written}` is not a word that can stand here"
    hint = f"did you mean `{meant}`?"
    return _say("LACE010", message, t.token, hint, retype=wanted[meant], text=meant)


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
    return _say("LACE007", message, t.token, hint, retype="NAME")


def _quotes(t: Trouble) -> Complaint | None:
    if t.kind == "STRING" and "NAME" in t.expected and t.previous in NEED_NAME:
        bare = str(t.token)[1:-1]
        if bare.isidentifier() and bare not in keywords():
            message = f"{NEED_NAME[t.previous]} stands without quotes"
            return _say("LACE003", message, t.token, f"write `{bare}`", retype="NAME", text=bare)
    if t.kind == "NAME" and "STRING" in t.expected and "NAME" not in t.expected:
        text = f'"{t.token}"'
        return _say(
            "LACE003",
            "this belongs in quotes",
            t.token,
            f"write `{text}`",
            retype="STRING",
            text=text,
        )
    return None


def _range_words(t: Trouble) -> Complaint | None:
    if t.kind == "NAME" and str(t.token) in ("between", "from", "within") and t.previous == "NAME":
        message = f"`{t.token}` is not how a range is written"
        return _say("LACE003", message, t.token, f"write `{t.before} in 10..20`")
    if (
        t.previous == "NUMBER"
        and (t.kind == "NAME" and str(t.token) == "to")
        and t.accepts(["RANGE"])
    ):
        message = "a range has two dots"
        return _say("LACE003", message, t.token, "write `10..20`", retype="RANGE", text="..")
    return None


def _chained(t: Trouble) -> Complaint | None:
    if t.kind in _OPERATORS and "AND" in t.expected:
        hint = "write a range, `age in 10..20`, or join two comparisons with `and`"
        return _say("LACE003", "comparisons do not chain", t.token, hint)
    return None


def _number_first(t: Trouble) -> Complaint | None:
    if (
        t.kind in ("NUMBER", "STRING")
        and "NAME" in t.expected
        and (t.previous in _NEED_CONDITION or (t.previous == "LPAR" and "NOT" in t.expected))
    ):
        message = "a condition begins with the name of an attribute"
        return _say("LACE003", message, t.token, "write `age > 10`, not `10 < age`")
    return None


def _needless_equals(t: Trouble) -> Complaint | None:
    if t.kind in ("EQUAL", "COLON") and (
        t.previous in _NEED_VALUE - _OPERATORS or t.previous in NEED_NAME.keys() - _ALWAYS_NAME
    ):
        message = f"`{t.before}` takes what follows without `{t.token}`"
        return _say("LACE003", message, t.token, "leave it out", drop=True)
    return None


def _comma(t: Trouble) -> Complaint | None:
    if t.kind == "COMMA" and t.after is not None and t.accepts([t.after.type]):
        return _say("LACE003", "no comma belongs here", t.token, "leave it out", drop=True)
    if t.kind in _CLOSERS and t.previous == "COMMA" and t.before is not None:
        message = f"the list ends with a comma before `{t.token}`"
        return _say("LACE003", message, t.before, "leave the comma out")
    return None


def _missing_joint(t: Trouble) -> Complaint | None:
    if t.kind in _CONDITION and "COMMA" not in t.expected and t.accepts(["AND", t.kind]):
        message = "a word is missing between two conditions"
        hint = "join them with `and` or `or`"
        return _say("LACE011", message, t.token, hint, insert=("AND",))
    return None


def _missing_sign(t: Trouble) -> Complaint | None:
    """One small token is missing, and all would be well with it."""
    if "RANGE" in t.expected and t.before is not None and t.previous in ("NUMBER", "UNIT", "NAME"):
        at = span_of(t.before)
        return _say("LACE013", "a range needs two dots and an end", at, "like `-45..45`")
    beyond = [t.after.type] if t.after is not None else []
    for kind in ("EQUAL", "COMMA", "COLON", "IN"):
        if kind in t.expected and t.accepts([kind, t.kind, *beyond]):
            message = f"`{SHAPES.get(kind, 'in')}` is missing before `{_shortened(str(t.token))}`"
            return _say("LACE013", message, t.token, insert=(kind,))
    return None


def _number_joined(t: Trouble) -> Complaint | None:
    if t.kind in _JOINTS and t.previous in ("NUMBER", "UNIT"):
        message = f"`{t.token}` joins conditions, and before it stands a number"
        return _say("LACE003", message, t.token, "a condition is like `age > 10`")
    return None


def _missing_share(t: Trouble) -> Complaint | None:
    if "IN_SHARE" in t.expected and t.kind in (*_ENDS, "IN", "NUMBER"):
        message = "`expect` needs a share and a group"
        at = t.token if t.kind in ("IN", "NUMBER") else t.before or t.token
        return _say("LACE003", message, at, f"like `{EXAMPLES['EXPECT']}`")
    return None


def _missing_part(t: Trouble) -> Complaint | None:
    """Something is due after the token before, and this is not it."""
    if t.before is None:
        return None
    if t.previous in _NEED_CONDITION and "NAME" in t.expected:
        side = " after it" if t.previous in _JOINTS else ""
        message = f"`{t.before}` needs a condition{side}, such as `smile=1`"
        return _say("LACE012", message, t.before)
    if t.previous in _NEED_VALUE and "NUMBER" in t.expected:
        values = "`10..20` or `{gray, blond}`" if t.previous == "IN" else "a value"
        return _say("LACE012", f"`{t.before}` needs {values} after it", t.before)
    if t.previous in NEED_NAME and "NAME" in t.expected:
        return _say("LACE012", f"`{t.before}` needs {NEED_NAME[t.previous]} after it", t.before)
    if t.previous == "LPAR" and t.kind == "RPAR":
        return _say("LACE012", "there is nothing between these brackets", t.before)
    return None


def _not_a_step(t: Trouble) -> Complaint | None:
    if t.statement is None or t.statement.type != "EDIT" or not t.opened:
        return None
    if t.opened[-1].type != "LBRACE":
        return None
    if t.kind == "COMMA":
        return _say("LACE003", "no comma stands between edits", t.token, "leave it out", drop=True)
    if t.kind in _JOINTS:
        message = f"an edit's line does not begin with `{t.token}`"
        return _say("LACE003", message, t.token, "each line is a condition, `smile=1 or glasses=1`")
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
    if t.statement is not None and not t.expected >= STATEMENTS:
        hint = f"like `{EXAMPLES[t.statement.type]}`"
    return _say("LACE003", message, at, hint)


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
        rest -= {"AND", "OR", "XOR", "IMPLIES"}
        parts.insert(0, "`and`, `or`")
    if len(parts) + len(rest) > 6:
        return ""
    named = sorted(rest, key=lambda k: (k not in PHRASES, k))
    parts = [PHRASES.get(k) or f"`{SHAPES.get(k, k.lower())}`" for k in named] + parts
    if parts == ["a statement"]:
        return "a statement, such as `sample`"
    return " or ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"


_RULES: tuple[Callable[[Trouble], Complaint | None], ...] = (
    _closes_nothing,
    _never_closed,
    _needless_equals,
    _not_a_step,
    _comma,
    _range_words,
    _quotes,
    _misspelt,
    _reserved,
    _chained,
    _number_first,
    _missing_share,
    _number_joined,
    _missing_joint,
    _missing_sign,
    _missing_part,
)
