"""From the parser's reductions to nodes, by the rules that their classes name.

Lark calls these while it parses, bottom-up, so that no intermediate tree is made and no depth of
nesting can exhaust the stack. (Lark's own `ast_utils` gives no positions to nodes made so.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from lark import Lark, Token, Tree

from lacelang.errors import Span
from lacelang.syntax import nodes
from lacelang.syntax.node import RULES

_LISTS = frozenset({"layers", "parameters", "points", "settings", "steps", "values"})
"""Rules that make lists of nodes."""

_SIGNS = frozenset({"LPAR", "RPAR", "RANGE", "IN_SHARE", "IN_LAYERS"})


def span_of(item: Token | nodes.Node) -> Span:
    """Return where a token or a node stands."""
    if isinstance(item, Token):
        return Span(item.line or 1, item.column or 1, item.end_line or 1, item.end_column or 1)
    return item.span


def between(first: Token | nodes.Node, last: Token | nodes.Node) -> Span:
    """Return the stretch from the start of `first` to the end of `last`."""
    start, end = span_of(first), span_of(last)
    return Span(start.line, start.column, end.end_line, end.end_column)


class _Nodes(list[Any]):
    """The nodes of a rule of `_LISTS`."""

    def __init__(self, nodes: Iterable[Any], span: Span) -> None:
        super().__init__(node for node in nodes if node is not None)
        self.span = span


class Builder:
    """Lark's transformer: for each rule, what makes its node as soon as its span is known."""

    def __getattr__(self, rule: str) -> Callable[[list[Any]], partial[Any]]:
        if rule not in _LISTS and rule not in RULES:
            raise AttributeError(rule)
        make = _Nodes if rule in _LISTS else RULES[rule].read
        return lambda children: partial(make, [_part(c) for c in children if not _is_sign(c)])


def _is_sign(child: Any) -> bool:
    return isinstance(child, Token) and child.type in _SIGNS


def _part(child: Any) -> Any:
    """Turn a token to a node, one of the language's own words or signs to text."""
    if not isinstance(child, Token):
        return child
    text, span = str(child), span_of(child)
    match child.type:
        case "NAME" | "UNIT" | "ON":
            return nodes.Word(text, span=span)
        case "STRING":
            return nodes.Text(text[1:-1], span=span)
        case "NUMBER":
            return nodes.Quantity(text, span=span)
    return text


def with_spans(parser: Lark) -> Lark:
    """Have a parser with a `Builder` make its nodes, with all that their rules read as spans."""
    callbacks: dict[Any, Any] = parser.parse_interactive().parser_state.parse_conf.callbacks
    for rule, make in callbacks.items():
        if (rule.alias or rule.origin.name) in RULES.keys() | _LISTS:
            callbacks[rule] = partial(_reduced, make)
    return parser


def _reduced(make: Callable[[list[Any]], Any], children: list[Any]) -> Any:
    made = make(children)
    if not isinstance(made, partial):
        return made  # the one child of a rule that makes no node of one
    first = _first(children)
    if first is None:
        return made(span=Span(1, 1, 1, 1))
    return made(span=between(first, _first(reversed(children), -1)))


def _first(children: Iterable[Any], step: int = 1) -> Any:
    """Return the first child that has a place, going into those of helper rules."""
    for child in children:
        if isinstance(child, Tree):
            return _first(child.children[::step], step)
        if not isinstance(child, list) or child:
            return child
    return None
