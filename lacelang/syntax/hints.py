"""What people know from other languages, as rules that rewrite tokens around a refused one.

A rule has two lines:

    shape => replacement  # conditions
    message :: hint

A shape is a row of elements, `|` before the token that the parser refuses. An element is a word or
sign, a terminal or a name of `_SETS`; several may be given with commas between, `,,` for a comma
itself. `VALUE`, a name of `_RUNS` and `(...)` take several tokens; of brackets the part is what is
inside. `x:` before an element gives it a name, `^` asks that it touch the token before, and `?`
allows that it is missing. The replacement is read in place of the refused token and those up to
`/`; without `=>`, nobody can tell what was meant. Names in braces stand for what has been read.

Conditions: `about a b` is where the diagnostic stands, from part `a` to part `b` or to the end
(`-`) instead of at the refused token; `expects KIND`: what could have come instead; `in KIND`:
the statement; `code` is the diagnostic's; `if` names a function of `_WHEN`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from attrs import frozen
from lark import Token

from lacelang.errors import Span
from lacelang.syntax.build import between
from lacelang.syntax.grammar import CLAUSES, CLOSER, CLOSERS, ITEMS, STATEMENTS, asking
from lacelang.syntax.parse_error import (
    JOINTS,
    OPERATORS,
    ParseError,
    Repair,
    kind_of,
    text_of,
)

NEED_NAME = {
    "FROM": "the name of a model",
    "AS": "a name for the group",
    "WITH": "the name of a sampler",
    "LET": "a name",
    "DEF": "a name",
    "MODEL": "a name",
    "FOR": "the name of a loop variable",
    "IMPORT": "the name of a module, or a file in quotes",
    "EDIT": "the name of a group",
    "OF": "a name",
    "ATTRIBUTE": "a name",
    "GENERATOR": "the name of an architecture",
    "NEGATION": "`complement` or `contrast(0.1)`",
    "DISJUNCTION": "`equal` or `balanced`",
    "SIGMA": "`residual` or `paper`",
    "REWEIGHT": "`on` or `off`",
    "LAYERS": "`all`, `declared` or numbers such as `0..5`",
    "ON": "`w`, `z` or `image`",
}
"""Keywords that a name follows, and what it names."""

ALWAYS_NAME = frozenset({"LET", "DEF", "MODEL", "FOR", "ATTRIBUTE"})
NEED_CONDITION = JOINTS | asking()
NEED_VALUE = frozenset(
    {*OPERATORS, "TRUNCATION", "SEED", "TEMP", "STAY", "HOLD", "WEIGHT", "RANGE", "IN"}
)
ENDS = STATEMENTS | CLAUSES | ITEMS | CLOSERS | {"$END", "IN_SHARE"}

_SETS = {
    "CLAUSE": CLAUSES,
    "CLOSER": CLOSERS,
    "CONDITION": frozenset({"NAME", "LPAR", "NOT"}),
    "JOINT": JOINTS,
    "OPEN": frozenset(CLOSER),
    "OPERATOR": OPERATORS,
    "TAKES": (NEED_VALUE - OPERATORS) | (NEED_NAME.keys() - ALWAYS_NAME),
    "TWO_SIDED": JOINTS - {"NOT"},
}
_RUNS = {
    "VALUES": frozenset({"NAME", "NUMBER", "UNIT", "STRING", "COMMA", "RANGE"}),
    "NAMES": frozenset({"NAME", "COMMA"}),
    "COMPARED": OPERATORS | {"NAME", "NUMBER", "UNIT", "STRING"},
}


_WHEN: dict[str, Callable[[ParseError], bool]] = {
    "repeated": lambda e: e.kind == e.previous,
    "has settings": lambda e: e.kind_at(1) in ("WEIGHT", "TEMP"),
    "option": lambda e: e.expected <= {"NAME", "RPAR"} and not e.in_statement("DEF"),
    "bracketed": lambda e: "EQUAL" not in e.expected and e.accepts(["LPAR", "NUMBER", "RPAR"]),
    "defines": lambda e: (
        e.kind_at(2) in ("NOT", "LPAR")
        or e.kind_at(3) in OPERATORS | {"IN"}
        or not e.accepts(["AND", "NAME"])
    ),
    "in brackets": lambda e: bool(e.opened) and e.opened[-1].type == "LPAR",
    "in braces": lambda e: bool(e.opened) and e.opened[-1].type == "LBRACE",
    "outside brackets": lambda e: not e.opened,
    "equals fits": lambda e: e.accepts(["EQUAL"]),
    "colon fits": lambda e: e.accepts(["COLON"]),
    "and fits": lambda e: "COMMA" not in e.expected and e.accepts(["AND", e.kind]),
    "and fits there": lambda e: e.accepts(["AND", e.kind_at(1)]),
    "next fits": lambda e: e.accepts([e.kind_at(1)]),
    "starts with comma": lambda e: e.kind == "COMMA",
    "compared": lambda e: e.previous != "NAME",
    "condition begins": lambda e: (
        e.previous in NEED_CONDITION or (e.previous == "LPAR" and "NOT" in e.expected)
    ),
}


@frozen
class Hint:
    """One rule, as the module says; called with an error, it returns its repair if it fits."""

    shape: str
    replacement: str | None
    conditions: Mapping[str, str]
    message: str
    hint: str | None

    def __call__(self, error: ParseError) -> Repair | None:
        """Return what is said of an error, and its repair, if this is it."""
        conditions = self.conditions
        if not {*conditions.get("expects", "").split()} <= error.expected:
            return None
        if "in" in conditions and not error.in_statement(conditions["in"]):
            return None
        before, _, after = f" {self.shape}".rpartition(" | ")
        parts: dict[str, list[Token]] = {}
        place = -len(before.split())
        count: int | None = None
        for element in (*before.split(), *after.split()):
            if element == "/":
                count = place
                continue
            end = _read(error, place, element, parts)
            if end is None:
                return None
            place = end
        if "if" in conditions and not _WHEN[conditions["if"]](error):
            return None
        at: Token | Span = error.token
        if "about" in conditions:
            first, _, last = conditions["about"].partition(" ")
            end_token = error.at(place - 1) if last == "-" else parts[last or first][-1]
            at = between(parts[first][0], end_token or error.token)
        texts = {name: text_of(tokens) for name, tokens in parts.items()}
        hint = None if self.hint is None else self.hint.format_map(texts)
        instead = None if self.replacement is None else _tokens(self.replacement, parts)
        code, message = conditions.get("code", "LACE003"), self.message.format_map(texts)
        return Repair(
            code, message, at, hint, instead=instead, count=place if count is None else count
        )


def rules(table: str) -> Iterator[Hint]:
    """Yield the rules of a table, as the module says."""
    lines = (line.strip() for line in table.strip().splitlines() if line.strip())
    for rewriting, said in zip(lines, lines, strict=True):
        rule, _, conditions = rewriting.partition("  # ")
        shape, arrow, replacement = f"{rule} ".partition(" => ")
        message, _, hint = said.partition(" :: ")
        named = (condition.partition(" ") for condition in conditions.split(", ") if condition)
        yield Hint(
            shape,
            replacement if arrow else None,
            {key: value for key, _, value in named},
            message,
            hint or None,
        )


def _tokens(replacement: str, parts: Mapping[str, list[Token]]) -> list[str | Token]:
    words = (
        [w] if not w.startswith("{") or w == "{" else parts[w[1:-1]] for w in replacement.split()
    )
    return [token for tokens in words for token in tokens]


def _read(error: ParseError, place: int, element: str, parts: dict[str, list[Token]]) -> int | None:
    """Return the place behind an element, None if it does not stand there."""
    name, _, kinds = element.partition(":") if element[1:2] == ":" else ("", "", element)
    optional, kinds = kinds[1:].endswith("?"), kinds[0] + kinds[1:].removesuffix("?")
    touching, kinds = kinds[1:] != "" and kinds.startswith("^"), kinds.removeprefix("^")
    token, before = error.at(place), error.at(place - 1)
    end, inside = place, 0
    if kinds == "VALUE":
        end += error.value_at(place)
    elif kinds in _RUNS:
        while error.kind_at(end) in _RUNS[kinds]:
            end += 1
        optional = optional or kinds != "VALUES"
    elif kinds[1:4] == "...":
        close = error.closing_at(place) if error.kind_at(place) == kind_of(kinds[0]) else None
        end, inside = (close + 1, 1) if close is not None else (place, 0)
    elif token is not None and _is_one(token, kinds):
        end += 1
    if touching and (token is None or before is None or before.end_pos != token.start_pos):
        end = place
    if end == place and not optional:
        return None
    if name:
        parts[name] = error.run(place + inside, end - inside)
    return end


def _is_one(token: Token, kinds: str) -> bool:
    """Whether a token is one of several terminals, words and signs."""
    options = {"," if ",," in kinds or kinds == "," else kinds, *kinds.split(",")} - {""}
    word = str(token).lower() if token.type in ("NAME", "UNIT") else ""
    return any(
        option in ("ANY", token.type)
        or token.type in _SETS.get(option, ())
        or (word == option if kind_of(option) == "NAME" else token.type == kind_of(option))
        for option in options
    )


def _no_attribute(e: ParseError) -> Repair | None:
    """`age > 10 and < 20`."""
    compares = OPERATORS | {"IN"}
    if e.kind not in compares or e.previous not in _SETS["TWO_SIDED"]:
        return None
    for back in range(2, 10):
        name = e.at(-back - 1)
        if e.kind_at(-back) in compares and name is not None and name.type == "NAME":
            message = f"`{e.token}` needs the name of an attribute before it"
            hint = f"write `{name} {e.text(0, 1 + e.value_at(1))}`"
            return Repair("LACE003", message, e.token, hint, instead=[name, e.token])
    return None


def _negative_end(e: ParseError) -> Repair | None:
    """`10-20`."""
    if e.kind != "NUMBER" or not e.token.startswith("-") or "RANGE" not in e.expected:
        return None
    if e.before is None or e.previous not in ("NUMBER", "UNIT"):
        return None
    end = Token("NUMBER", e.token[1:])
    at, hint = between(e.before, e.token), f"write `{e.before}..{end}`"
    return Repair("LACE003", "a range has two dots", at, hint, instead=["..", end])


def _percentage(e: ParseError) -> Repair | None:
    """`80%`."""
    before = e.before
    if e.kind != "PERCENT" or before is None or before.type != "NUMBER":
        return None
    share = f"{float(before) / 100:g}"
    hint = f"write `{share}`"
    if e.kind_at(-2) in ("EQUAL", "UNEQUAL"):
        hint = f"for a degree, write `{e.at(-3)} ~ {share}`"
    at = between(before, e.token)
    return Repair("LACE003", "a percentage stands in `expect` only", at, hint, instead=[])


HINTS: tuple[Callable[[ParseError], Repair | None], ...] = (
    *rules("""
TWO_SIDED,CLAUSE | b:TWO_SIDED,CLAUSE =>  # if repeated
    `{b}` stands here twice :: leave one of them out
a:TWO_SIDED | b:TWO_SIDED =>
    `{a}` and `{b}` stand side by side :: keep one of them

x:NAME | k:between,within a:VALUE and,to,, b:VALUE => in {a} .. {b}
    `{k}` is not how a range is written :: write `{x} in {a}..{b}`
x:NAME | k:between,within
    `{k}` is not how a range is written :: write `{x} in 10..20`
x:NAME from | NUMBER
    this is not how a range is written :: write `{x} in 10..20`
a:NUMBER,UNIT | to / b:VALUE => ..  # expects RANGE
    a range has two dots :: write `{a}..{b}`
"""),
    _negative_end,
    *rules("""
NAME | is / in =>  # expects EQUAL
    `is in` is one word too many :: write `in`
x:NAME | is? not / in =>  # expects EQUAL
    `not` stands before the whole condition :: write `not {x} in …`
x:NAME | not / v:VALUE => !=  # expects EQUAL
    `not` does not compare :: write `{x} != {v}`
x:NAME | is not / v:VALUE => !=  # expects EQUAL
    `is not` does not compare :: write `{x} != {v}`
"""),
    _no_attribute,
    *rules("""
in | o:OPEN v:VALUES CLOSER => {v}  # expects NUMBER, in FOR
    the values of a loop stand without `{o}` :: write `in {v}`
x:NAME =,!= | OPEN a:VALUE b:VALUES? CLOSER => {a}  # expects NUMBER
    several values are asked for with `in` :: write `{x} in {{{a}{b}}}`
in | OPEN a:VALUE .. b:VALUE CLOSER => {a} .. {b}  # expects NUMBER
    a range is written with two dots, and without brackets :: write `in {a}..{b}`
in | OPEN a:NUMBER u:UNIT? , b:NUMBER v:UNIT? CLOSER => {a} {u} .. {b} {v}  # expects NUMBER
    a range is written with two dots, and without brackets :: write `in {a}{u}..{b}{v}`
in | OPEN v:VALUES CLOSER => { {v} }  # expects NUMBER
    a set is written in braces :: write `in {{{v}}}`
a:NUMBER | ^, b:^NUMBER =>  # about a -
    a number has a decimal point, not a comma :: write `{a}.{b}`
"""),
    _percentage,
    *rules("""
[ | n:NUMBER => weight {n}  # expects WEIGHT
    say what this number is :: write `[weight {n}]`
] | [...] =>
    one pair of square brackets holds all settings :: like `smile=1 [weight 2, temp 0.5]`
| weight v:VALUE => [ weight {v} ]  # expects LSQB
    a weight stands in square brackets :: write `[weight {v}]`
| s:(...) => [ {s} ]  # expects LSQB, if has settings
    settings stand in square brackets :: like `smile=1 [weight 2, temp 0.5]`

w:with | c:CLAUSE  # about w
    `{c}` is a clause of its own :: leave `with` out
with s:NAME | o:OPERATOR v:VALUE  # about s o
    `with` names a sampler; a condition stands behind `where` :: write `where {s} {o} {v}`
with s:NAME | o:and,or,in  # about s o
    `with` names a sampler; a condition stands behind `where` :: write `where …`
| without => where not  # expects WHERE, code LACE010
    `without` is not a word that can stand here :: write `where not …`
(,, | NUMBER =>  # if option
    an option has a name :: like `tolerance=1e-3`
s:NAME | n:NUMBER => ( {n} )  # expects LPAR, if bracketed
    the number of `{s}` stands in round brackets :: write `{s}({n})`
with s:NAME | o:NAME =? v:VALUE => ( {o} = {v} )  # expects LPAR
    options stand in round brackets :: write `{s}({o}={v})`
with s:NAME | o:[...] => ( {o} )  # expects LPAR
    options stand in round brackets :: write `{s}(…)`
with s:NAME | o:{...} => ( {o} )  # expects LPAR
    options stand in round brackets :: write `{s}(…)`

from m:NAME | n:NUMBER =>  # expects WHERE, in SAMPLE
    the number of samples stands right after `sample` :: write `sample {n} from {m}`
| n:NUMBER NAME,UNIT? / CLAUSE => sample {n}  # expects SAMPLE
    a statement begins with its word :: write `sample {n}`
sample n:ANY | = v:VALUE =>  # about n -
    the number of samples stands alone :: write `sample {v}`

| f:NAME / p:(...) = => def {f}  # expects LET
    a definition begins with `def` :: write `def {f}({p}) = …`
| n:NAME / = => let {n}  # expects LET, if defines
    a definition begins with `let` :: write `let {n} = …`
| e:= VALUE COMPARED =>  # about e -, in DEF, if in brackets
    a parameter has no value of its own :: leave it out
= | NUMBER  # in DEF, if outside brackets
    `def` names a condition :: a number is named by `let`, `let limit = 60`

for | ( =>  # in FOR
    the head of a loop stands without brackets :: like `for t in 1, 2, 3 {{ … }}`
| = => in  # expects IN, in FOR
    a loop goes through its values with `in` :: like `for t in 1, 2, 3 {{ … }}`
| .. => ,  # expects LBRACE, in FOR
    a loop lists its values, one by one :: like `for t in 1, 2, 3 {{ … }}`
f:ANY | (...) =>  # about f -, expects LBRACE, in FOR
    a loop lists its values, one by one :: like `for t in 1, 2, 3 {{ … }}`
| : / { =>  # expects LBRACE, in FOR
    what a loop repeats stands in braces :: like `for t in 1, 2, 3 {{ … }}`
| :  # expects LBRACE, in FOR
    what a loop repeats stands in braces :: like `for t in 1, 2, 3 {{ … }}`

| from m:NAME import NAMES => import {m}
    an import brings in everything of a module :: write `import {m}`
import NAME,STRING | as n:NAME =>
    a module goes by its own name :: leave `as {n}` out
import NAME,STRING | , m:NAME,STRING => import {m}
    one `import` brings in one module :: write `import {m}` on a line of its own

| : => =  # if equals fits
    an equals sign is written here, not a colon :: write `=`
| = => :  # if colon fits
    a colon is written here, not an equals sign :: write `:`
% | from => of
    a share is `of` a group :: write `of`
: a:NAME | b:NAMES =>  # about a -, code LACE013, if starts with comma
    `one of` is missing before the choices :: write `one of {a}{b}`
"""),
)
"""The rules, those first that know their shape best."""
