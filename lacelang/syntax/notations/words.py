"""Words and signs of other tools, and a text in lexemes, whatever signs it has."""

from __future__ import annotations

import re

from attrs import field, frozen

from lacelang.syntax.grammar import asking


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, for the tables."""
    return frozenset(text.split())


CLOSER = {"(": ")", "[": "]", "{": "}"}
TRUTHS = {"true": "1", "yes": "1", "on": "1", "false": "0", "no": "0", "off": "0"}
COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}

JOINTS = {word: word for word in ("and", "or", "xor", "implies")}
JOINTS |= {"&&": "and", "&": "and", "∧": "and", "||": "or", "|": "or", "∨": "or"}
JOINTS |= {"^": "xor", "⊕": "xor"}
"""What joins conditions, here and elsewhere, and how it is written here."""

DENIALS = {"not": "not", "!": "not", "¬": "not"}
COMPARING = {sign: sign for sign in ("=", "!=", "<", "<=", ">", ">=", "~")}
COMPARING |= {"==": "=", "≤": "<=", "≥": ">=", "≠": "!=", "<>": "!="}
HERE = {**JOINTS, **DENIALS, **COMPARING}

_MORE = ("greater", "more", "larger", "bigger", "higher", "older")
_LESS = ("less", "smaller", "fewer", "lower", "younger")
COMPARATIVES = {
    **{f"{word} than": ">" for word in _MORE},
    **{f"{word} than": "<" for word in _LESS},
    **{f"{word} than or equal to": ">=" for word in _MORE},
    **{f"{word} than or equal to": "<=" for word in _LESS},
    **dict.fromkeys(("above", "over", "exceeds", "beyond", "greater", "more"), ">"),
    **dict.fromkeys(("below", "under", "less"), "<"),
    **dict.fromkeys(("at least", "no less than", "not less than", "not below"), ">="),
    **dict.fromkeys(("at most", "up to", "no more than", "not more than", "not above"), "<="),
    **dict.fromkeys(("equal to", "equals", "exactly"), "="),
    **dict.fromkeys(("not equal to", "other than", "different from"), "!="),
}
"""How people say what an operator says."""

QUANTITIES = {
    **dict.fromkeys(("at least", "atleast", "minimum", "min", "no fewer than"), ">="),
    **dict.fromkeys(("no less than", "not less than", "any"), ">="),
    **dict.fromkeys(("at most", "atmost", "maximum", "max", "up to"), "<="),
    **dict.fromkeys(("no more than", "not more than"), "<="),
    **dict.fromkeys(("more than", "over"), ">"),
    **dict.fromkeys(("less than", "fewer than"), "<"),
    **dict.fromkeys(("exactly", "just", "only", "precisely"), "="),
}
"""How people say how many conditions hold, and the operator that says it."""

NEARLY = words_of(
    "≈ ≅ ≃ ∼ ~= =~ about around approximately approx roughly circa ca near nearly close almost"
)

ASKING = tuple(kind.lower() for kind in asking())
"""Words of the language that a condition follows."""

ABBREVIATIONS = {
    **{"ne": "!=", "neq": "!=", "!==": "!=", "∉": "!=", "gt": ">", ">>": ">", "lt": "<", "<<": "<"},
    **{"ge": ">=", "gte": ">=", "geq": ">=", "le": "<=", "lte": "<=", "leq": "<="},
    **dict.fromkeys(("eq", "===", "=:", "like", "ilike", "matches", "contains", "equals"), "="),
}
"""Operators of other languages."""

PHRASES = {
    "abbreviation": tuple(ABBREVIATIONS),
    "comparative": tuple(COMPARATIVES),
    "quantity": tuple(QUANTITIES),
    "amount": ("more", "fewer", "less"),
    "quantor": (
        *("all", "every", "each", "both", "any", "some", "none", "neither", "one", "either"),
        *("nand", "nor"),
    ),
    "joiner": ("and", "or", "xor"),
    "counter": ("at_least", "atleast", "at_most", "atmost", "exactly", "n_of", "any_of", "nof"),
    "comparing": tuple(COMPARING),
    "equal": ("=", "==", ":", ":=", "is", "equals"),
    "among": ("=", "==", ":", "is", "in", "∈", "is in", "= in", "among", "is among"),
    "asking": ASKING,
    "percent": ("%",),
    "joint": tuple(JOINTS),
    "conjoined": (
        *("+", "*", "**", "∩", "⋅", "plus", "also", "and also", "as well as", "and furthermore"),
        *("along with", "together with", "break", "and then"),
    ),
    "disjoined": ("∪", "or else", "and / or", "/", "or alternatively", "alternatively"),
}
"""Elements of shapes that are one of several phrases; the longest that fits is read."""

PATTERNS = {
    "count": re.compile(rf"\d+|{'|'.join(COUNTS)}"),
    "pluses": re.compile(r"\++|-+"),
    "times": re.compile(r"x\d+"),
    "truth": re.compile(rf"[\"']*({'|'.join(TRUTHS)})[\"']*"),
    "wildcard": re.compile(r"__.+__"),
    "word": re.compile(r"[^\W\d]\w*"),
}
"""Elements of shapes that are one lexeme, by its text in small letters."""

STRANGERS = words_of(
    "if then else elif unless when whenever iff but without with has have wearing of except "
    "nand nor xnor plus minus no is are isn either neither both at least most exactly only "
    "just any all none every some one two three between limit order group also"
)
"""Words that join or begin something elsewhere, so that they are no names of conditions."""


@frozen
class Lexeme:
    """A word, a number, a text in quotes or a sign, with its offsets in the text."""

    kind: str  # `word`, `number`, `text` or `sign`
    text: str
    start: int
    end: int
    begins: bool  # it is the first of its line
    low: str = field(init=False, repr=False)  # in small letters

    @low.default
    def _low(self) -> str:
        return self.text.lower()


# The longer sign before the shorter one that it begins with.
_SIGNS = (
    r"<=>|<->|<-->|==>|-->|===|!==|=>|->|<=|>=|!=|==|&&|\|\||::|:=|=:|\.\.|\+/-|\+-|\+=|-="
    r"|\*\*|\$\$|<>|~=|=~|>>|<<|\++(?![-/])|-{2,}(?![>\d])|\S"
)
_LEXEME = re.compile(
    r"(?P<skip>\s+|\#[^\n]*|//[^\n]*|/\*(?s:.*?)\*/|(?<=\s)--\s[^\n]*)"
    r"|(?P<text>\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<word>[^\W\d]\w*)"
    rf"|(?P<sign>{_SIGNS})"
)


def lexemes_of(text: str) -> list[Lexeme]:
    """Take `text` apart; comments and white space are left out."""
    lexemes: list[Lexeme] = []
    line_end = -1
    for found in _LEXEME.finditer(text):
        kind = found.lastgroup or "sign"
        if kind == "skip":
            if "\n" in found.group():
                line_end = found.end()
            continue
        begins = not lexemes or line_end > lexemes[-1].start
        lexemes.append(Lexeme(kind, found.group(), found.start(), found.end(), begins))
    return lexemes
