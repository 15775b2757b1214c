"""The one grammar, loaded once: Lark's parser of `grammars/lace.lark`."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import get_args

from lark import Lark, Token

from lacelang.resources import shipped
from lacelang.syntax import nodes
from lacelang.text.names import is_name


def _kinds(names: str) -> frozenset[str]:
    return frozenset(names.split())


OPERATORS = _kinds("EQUAL UNEQUAL LESSTHAN AT_MOST MORETHAN AT_LEAST TILDE")
"""Terminals that compare an attribute with one value."""

COMPARISONS = OPERATORS | {"IN"}

JOINTS = _kinds("AND OR XOR IMPLIES NOT")
"""Terminals that make a condition out of others."""

UNITS = ("deg", "years")
"""The units there are; other words after a number are reported by the checker."""

STATEMENTS = frozenset(kind.__name__.upper() for kind in get_args(nodes.Statement))
"""Terminals that begin a statement, and nothing else."""

CLAUSES = _kinds(
    "FROM WHERE GIVEN TEMP TRUNCATION SEED WITH AS NEGATION DISJUNCTION SIGMA STAY HOLD LAYERS "
    "REWEIGHT VERIFIED FACE FAST PASTE KEEP"
)
"""Terminals that begin a clause."""

ITEMS = frozenset(kind.__name__.upper() for kind in get_args(nodes.Item))
"""Terminals that begin an item of a model."""

_BEYOND_A_JOINT = _kinds("NAME NUMBER STRING LPAR NOT")
_LOWERED = {"and", "or", "xor", "implies", "not", *(kind.lower() for kind in STATEMENTS | CLAUSES)}
"""Words of the language that follow a number: `1 AND` is shouted, not a unit."""

CLOSER = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
"""By opening bracket, the one that closes it."""

CLOSERS = frozenset(CLOSER.values())


def retype(tokens: list[Token]) -> None:
    """Tell apart, in place, what one character of lookahead cannot: UNIT, IN_SHARE, IN_LAYERS.

    A name after a number is its unit unless a comparison follows (`{ age = 10  smile = 0 }` has
    two steps); in the block of an edit only a known unit is one. An `in` before a percentage
    belongs to `expect`, one before `layers` to the step of an edit.
    """
    last = len(tokens) - 1
    braces: int | None = None  # open in an edit; None outside
    for i, token in enumerate(tokens):
        kind = token.type
        if kind in STATEMENTS:
            braces = 0 if kind == "EDIT" else None
        elif kind == "LAYERS":
            if i and tokens[i - 1].type == "IN":
                tokens[i - 1].type = "IN_LAYERS"
        elif braces is not None and kind in ("LBRACE", "RBRACE"):
            braces += 1 if kind == "LBRACE" else -1
        if kind != "NUMBER" or i == last:
            continue
        after = tokens[i + 1]
        if after.type == "PERCENT":
            if i and tokens[i - 1].type == "IN":
                tokens[i - 1].type = "IN_SHARE"
        elif after.type == "NAME" and not _compares(tokens, i + 2):
            if braces and after not in UNITS:
                continue
            # `15 adn smile=1` is a slip of the keyboard rather than a unit called `adn`.
            beyond = tokens[i + 2].type if i + 2 <= last else None
            slip = beyond in _BEYOND_A_JOINT or after.lower() in _LOWERED
            if after in UNITS or not slip:
                after.type = "UNIT"


def _compares(tokens: list[Token], i: int) -> bool:
    """Whether token i continues a comparison; `in` before a percentage or `layers` does not."""
    if i >= len(tokens) or tokens[i].type not in COMPARISONS:
        return False
    if tokens[i].type != "IN" or i + 1 >= len(tokens):
        return True
    if tokens[i + 1].type == "LAYERS":
        return False
    return not (
        i + 2 < len(tokens) and tokens[i + 1].type == "NUMBER" and tokens[i + 2].type == "PERCENT"
    )


def grammar_text() -> str:
    """Return the text of the shipped grammar."""
    return (shipped("grammars") / "lace.lark").read_text(encoding="utf-8")


@cache
def spellings() -> dict[str, str]:
    """Return the terminals that have one spelling, with that, read off the grammar."""
    own = {t.name: t.pattern.value for t in loaded().terminals if t.pattern.type == "str"}
    return {"IN_SHARE": "in", "IN_LAYERS": "in", **own}


@cache
def keywords() -> frozenset[str]:
    """Return the reserved words."""
    return frozenset(word for word in spellings().values() if word.isalnum())


def quoted(name: str) -> str:
    """Return the name of a group as programs write it: in quotes where it needs them."""
    return name if is_name(name) and name not in keywords() else f'"{name}"'


def kind_of(text: str) -> str:
    """Return the terminal that a word, sign, text or number is; a name if it is no other."""
    if text[0] == '"':
        return "STRING"
    return "NUMBER" if text[0].isdigit() else _terminals().get(text, "NAME")


@cache
def _terminals() -> dict[str, str]:
    return {spelling: kind for kind, spelling in spellings().items()}


@cache
def asking() -> frozenset[str]:
    """Return the terminals of the words that a condition follows, `WHERE` for one."""
    expansions = ([symbol.name for symbol in rule.expansion] for rule in loaded().rules)
    words = {word.upper() for word in keywords()}
    return frozenset(
        before
        for expansion in expansions
        for before, after in pairwise(expansion)
        if after == "predicate" and before in words
    )


@cache
def loaded() -> Lark:
    """Return the parser that makes `lacelang.syntax.nodes`."""
    from lacelang.syntax.tables import parser_of

    return parser_of(grammar_text())
