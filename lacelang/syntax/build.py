"""From the parser's reductions to nodes, by the rules that their classes name.

Lark calls these while it parses, bottom-up, so that no tree is kept beside that of nodes and no
depth of nesting can exhaust the stack. (Lark's own `ast_utils` gives no positions to nodes.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from operator import itemgetter
from typing import Any

from lark import Lark, Token, Tree

from lacelang.errors import Span
from lacelang.syntax import nodes
from lacelang.syntax.node import RULES

_SIGNS = frozenset({"LPAR", "RPAR", "RANGE", "IN_SHARE", "IN_LAYERS"})


def span_of(item: Token | nodes.Node) -> Span:
    """Return where a token or a node stands."""
    return between(item, item) if isinstance(item, Token) else item.span


def between(first: Token | nodes.Node, last: Token | nodes.Node) -> Span:
    """Return the stretch from the start of `first` to the end of `last`."""
    start = first if isinstance(first, Token) else first.span
    end = last if isinstance(last, Token) else last.span
    return Span(start.line or 1, start.column or 1, end.end_line or 1, end.end_column or 1)


class _Nodes(list[Any]):
    """What a rule makes whose nodes are a list."""

    def __init__(self, nodes: Iterable[Any], span: Span) -> None:
        super().__init__(node for node in nodes if node is not None)
        self.span = span


_MAKERS: dict[str, Callable[[list[Any], Span], Any]] = {
    **{rule: kind.read for rule, kind in RULES.items()},
    **dict.fromkeys(("layers", "looped", "parameters", "points", "settings", "steps"), _Nodes),
}
_TERMINALS: dict[str, Callable[[Token], nodes.Node]] = {
    **dict.fromkeys(("NAME", "UNIT", "ON"), lambda t: nodes.Word(str(t), span=span_of(t))),
    "STRING": lambda token: nodes.Text(token[1:-1], span=span_of(token)),
    "NUMBER": lambda token: nodes.Quantity(str(token), span=span_of(token)),
}


def with_nodes(parser: Lark) -> Lark:
    """Have a parser make nodes as soon as it has read what they span."""
    callbacks: dict[Any, Any] = parser.parse_interactive().parser_state.parse_conf.callbacks
    for rule, make_tree in callbacks.items():
        make = _MAKERS.get(rule.alias or rule.origin.name)
        if make is not None:
            # A rule that only passes a node on, as each level of precedence does, makes none.
            passes_on = rule.options.expand1 and not rule.alias and len(rule.expansion) == 1
            callbacks[rule] = itemgetter(0) if passes_on else partial(_reduced, make_tree, make)
    callbacks.update(_TERMINALS)
    return parser


def _reduced(
    make_tree: Callable[[list[Any]], Any],
    make: Callable[[list[Any], Span], Any],
    children: list[Any],
) -> Any:
    made = make_tree(children)
    if made.__class__ is not Tree:
        return made  # the one child of a rule that makes no node of one
    first = _first(children)
    span = Span(1, 1, 1, 1) if first is None else between(first, _first(reversed(children), -1))
    parts = [
        str(part) if part.__class__ is Token else part
        for part in made.children
        if part.__class__ is not Token or part.type not in _SIGNS
    ]
    return make(parts, span)


def _first(children: Iterable[Any], step: int = 1) -> Any:
    """Return the first child that has a place, going into those of helper rules."""
    for child in children:
        if child.__class__ is Tree:
            return _first(child.children[::step], step)
        if child.__class__ is not _Nodes or child:
            return child
    return None
