"""A program as HTML, its words in spans by their kind."""

from __future__ import annotations

from markupsafe import Markup

from lacelang.syntax.grammar import CLAUSES, ITEMS, STATEMENTS, keywords
from lacelang.syntax.lines import with_line_feeds
from lacelang.syntax.tokens import tokenize
from lacelang.text.hidden import displayed

_CLASSES = {
    **dict.fromkeys(STATEMENTS | ITEMS, "statement"),
    **dict.fromkeys(CLAUSES, "clause"),
    **dict.fromkeys(("NUMBER", "UNIT"), "number"),
    **{"STRING": "string", "COMMENT": "comment"},
}


def highlighted(source: str) -> Markup:
    """Return a program's text as HTML; text that is no program is shown as it is."""
    source = with_line_feeds(source)
    taken = tokenize(source)
    parts, end = [], 0
    for token in sorted([*taken.tokens, *taken.comments], key=lambda each: each.start_pos or 0):
        begin, stop = token.start_pos or 0, token.end_pos or 0
        kind = _CLASSES.get(token.type)
        if kind is None and token.type == str(token).upper() and str(token) in keywords():
            kind = "logic"
        if kind is not None and begin >= end:
            parts.append(Markup("{}").format(displayed(source[end:begin])))
            text = displayed(source[begin:stop])
            parts.append(Markup('<span class="{}">{}</span>').format(f"code-{kind}", text))
            end = stop
    parts.append(Markup("{}").format(displayed(source[end:])))
    return Markup("").join(parts)
