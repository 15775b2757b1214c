"""Words for diagnostics: what follows which keyword, what people write instead."""

from __future__ import annotations

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

_SYNONYMS = {
    "=": "is equals are",
    "and": "but",
    "where": "if when having such that",
    "with": "using sampler solver",
    "as": "named called",
    "for": "foreach loop repeat",
    "def": "define function",
    "temp": "temperature",
    "truncation": "psi",
    "sample": "generate draw select make create show give get samples",
    "measure": "probability",
    "expect": "check ensure assert",
    "edit": "change modify",
    "let": "set const var",
    "import": "include",
    "not": "no without",
}

SYNONYMS = {word: meant for meant, words in _SYNONYMS.items() for word in words.split()}
"""What people write instead, and the word or sign of the language that they mean."""

PHRASES = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": "text in quotes",
    "UNIT": "a unit",
    "$END": "the end of the program",
}
"""Terminals that have no one spelling."""
