"""A program as HTML, its words in spans by their kind."""

from __future__ import annotations

from markupsafe import Markup

from lacelang.language.highlighting import colored
from lacelang.syntax.lines import with_line_feeds
from lacelang.text.hidden import displayed

_CLASSES = {
    **{kind: kind for kind in ("statement", "clause", "logic", "string", "comment")},
    **{"keyword": "logic", "number": "number", "unit": "number"},
}
"""By kind of `colored`."""


def highlighted(source: str) -> Markup:
    """Return a program's text as HTML; text that is no program is shown as it is."""
    source = with_line_feeds(source)
    parts, end = [], 0
    for one in colored(source):
        kind = _CLASSES.get(one.kind)
        if kind is not None:
            parts.append(Markup("{}").format(displayed(source[end : one.start])))
            text = displayed(source[one.start : one.end])
            parts.append(Markup('<span class="{}">{}</span>').format(f"code-{kind}", text))
            end = one.end
    parts.append(Markup("{}").format(displayed(source[end:])))
    return Markup("").join(parts)
