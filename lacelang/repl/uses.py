"""Which words of a statement may stand for definitions."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import fields_dict

from lacelang.syntax import nodes


def words_used(node: nodes.Node, bound: frozenset[str] = frozenset()) -> Iterator[nodes.Word]:
    """Yield the words of `node` that may stand for definitions: not `bound` by a `def` or `for`."""
    match node:
        case nodes.Def(parameters=parameters, body=body):
            yield from words_used(body, bound | {p.name for p in parameters})
            return
        case nodes.For(variable=variable, values=values, body=statements):
            for value in values:
                yield from words_used(value, bound)
            for statement in statements:
                yield from words_used(statement, bound | {variable.name})
            return
        case nodes.Word(name=name):
            if name not in bound:
                yield node
            return
    for name, part in _parts(node):
        if name not in _NO_USE.get(type(node), ()):
            yield from words_used(part, bound)


_NO_USE: dict[type[nodes.Node], tuple[str, ...]] = {
    nodes.Comparison: ("attribute",),
    nodes.InRange: ("attribute",),
    nodes.InSet: ("attribute",),
    nodes.Quantity: ("unit",),
    nodes.Setting: ("form",),
    nodes.WordClause: ("word",),
    nodes.FromClause: ("model",),
    nodes.WithClause: ("sampler",),
    nodes.Option: ("name",),
    nodes.AsClause: ("name",),
    nodes.Edit: ("group",),
    nodes.Expect: ("group",),
    nodes.Let: ("name",),
    nodes.Import: ("target",),
    nodes.Model: ("name", "items"),
}
"""By node, the fields whose words stand for something else than a definition."""


def _parts(node: nodes.Node) -> Iterator[tuple[str, nodes.Node]]:
    for name in fields_dict(type(node)):
        value = getattr(node, name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, nodes.Node):
                yield name, part
