"""Changes to the text of a program: the offsets of its nodes, and the words that they use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from attrs import evolve, fields_dict

from lacelang.errors import Span
from lacelang.syntax import nodes
from lacelang.syntax.lines import Lines, with_line_feeds
from lacelang.text.names import nfc

Patch = tuple[int, int, str]
"""Begin and end as offsets, and the text that replaces what is there."""

# Fields whose words do not name a definition, except in references and calls.
_OTHER_NAMES = frozenset(
    {"attribute", "form", "group", "items", "model", "name", "sampler", "target", "unit", "word"}
)

_HOLE = re.compile(r"\{\s*([^{}\s]*)\s*\}")


def offsets(text: str, span: Span) -> tuple[int, int]:
    """Return the offsets in `text` at which `span` begins and ends."""
    return Lines(with_line_feeds(text)).offsets(span)


def patched(text: str, patches: Iterable[Patch]) -> str:
    """Return `text` with the patches made; they may not overlap."""
    pieces, place = [], 0
    for begin, end, new in sorted(patches):
        pieces += [text[place:begin], new]
        place = end
    return "".join([*pieces, text[place:]])


def words_used(node: nodes.Node, bound: frozenset[str] = frozenset()) -> Iterator[nodes.Word]:
    """Yield the words of `node` that may name definitions: not `bound` by a `def` or `for`."""
    if isinstance(node, nodes.Word):
        if node.name not in bound:
            yield node
        return
    if isinstance(node, nodes.Reference | nodes.Call):
        yield from words_used(node.name, bound)
    inner = bound
    if isinstance(node, nodes.Def):
        inner = bound | {word.name for word in node.parameters}
    elif isinstance(node, nodes.For):
        inner = bound | {node.variable.name}
    for field, part in _parts(node):
        if field not in _OTHER_NAMES:
            yield from words_used(part, bound if field == "values" else inner)


def target_text(node: nodes.Import) -> str:
    """Return what an `import` names as it is written, in quotes or without."""
    target = node.target
    return f'"{target.value}"' if isinstance(target, nodes.Text) else target.name


def holes(text: nodes.Text) -> Iterator[nodes.Word]:
    """Yield the names in braces in the quoted name of a group: `t` of `"beard at {t}"`."""
    for hole in _HOLE.finditer(text.value):
        begin, end = (text.span.column + 1 + at for at in hole.span(1))
        yield nodes.Word(nfc(hole[1]), span=evolve(text.span, column=begin, end_column=end))


def words_in_quotes(node: nodes.Node) -> Iterator[nodes.Word]:
    """Yield the names in braces in the quoted names of groups in `node`."""
    for field, part in _parts(node):
        if isinstance(part, nodes.Text) and field in ("name", "group"):
            yield from holes(part)
        else:
            yield from words_in_quotes(part)


def _parts(node: nodes.Node) -> Iterator[tuple[str, nodes.Node]]:
    for name in fields_dict(type(node)):
        value = getattr(node, name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, nodes.Node):
                yield name, part
