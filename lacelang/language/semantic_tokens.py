"""What each token of a document means, where a grammar alone cannot tell."""

from __future__ import annotations

from attrs import frozen

from lacelang.language.document import Document
from lacelang.language.highlighting import colored
from lacelang.language.names import names
from lacelang.resources import shipped

TYPES = (
    "keyword",
    "operator",
    "number",
    "string",
    "comment",
    "function",
    "variable",
    "parameter",
    "property",
    "enumMember",
    "class",
    "namespace",
    "type",
    "method",
)
"""Types of tokens, as the Language Server Protocol names them."""

MODIFIERS = ("declaration", "defaultLibrary")

_PLAIN = {
    **dict.fromkeys(("statement", "clause", "keyword", "logic", "unit"), "keyword"),
    "comparison": "operator",
    **{kind: kind for kind in ("number", "string", "comment")},
}
_OF_NAMES = {
    "definition": "function",
    "parameter": "parameter",
    "variable": "variable",
    "attribute": "property",
    "value": "enumMember",
    "model": "class",
    "architecture": "class",
    "module": "namespace",
    "group": "type",
    "sampler": "method",
    "option": "parameter",
    "unit": "keyword",
}


@frozen
class SemanticToken:
    """A stretch of a text by its offsets, one of `TYPES`, and some of `MODIFIERS`."""

    start: int
    end: int
    type: str
    modifiers: tuple[str, ...] = ()


def semantic_tokens(document: Document) -> tuple[SemanticToken, ...]:
    """Return the tokens of a document in order; none overlap, and none spans lines."""
    library = str(shipped("stdlib"))
    meant: dict[int, SemanticToken] = {}
    for name in names(document):
        start, end = document.places.offsets(name.span)
        target = name.target
        modifiers = ["declaration"] if name.defines else []
        if target.kind in ("sampler", "option") or (target.path or "").startswith(library):
            modifiers.append("defaultLibrary")
        meant[start] = SemanticToken(start, end, _OF_NAMES[target.kind], tuple(modifiers))
    found: list[SemanticToken] = []
    for one in colored(document.text):
        known = meant.get(one.start)
        if known is not None and known.end == one.end:
            found.append(known)
        elif one.kind in _PLAIN:
            found.append(SemanticToken(one.start, one.end, _PLAIN[one.kind]))
    return tuple(found)
