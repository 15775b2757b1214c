"""From a tree back to its text, for what Python makes: conditions, definitions, samples."""

from __future__ import annotations

from typing import TypeAlias

from lacelang.syntax import nodes

Unparsed: TypeAlias = (
    nodes.Predicate | nodes.Value | nodes.Clause | nodes.Import | nodes.Let | nodes.Sample
)


def unparse(node: Unparsed) -> str:
    """Return the text that the parser reads as `node`, on one line but for a sample's clauses.

    Brackets are written where the tree has a `Parenthesis`, and nowhere else.
    """
    match node:
        case nodes.Import():
            return f"import {unparse(node.target)}"
        case nodes.Let():
            return f"let {node.name.name} = {unparse(node.value)}"
        case nodes.Sample(clauses=(nodes.FromClause() as first, *others)):
            count = "" if node.count is None else f" {unparse(node.count)}"
            lines = [f"sample{count} {unparse(first)}", *map(unparse, others)]
            return "\n  ".join(lines)
        case nodes.Comparison(operator="="):
            return f"{node.attribute.name}={unparse(node.value)}"
        case nodes.Comparison():
            return f"{node.attribute.name} {node.operator} {unparse(node.value)}"
        case nodes.InRange():
            return f"{node.attribute.name} in {unparse(node.low)}..{unparse(node.high)}"
        case nodes.InSet():
            return f"{node.attribute.name} in {{{', '.join(map(unparse, node.values))}}}"
        case nodes.Reference():
            return node.name.name
        case nodes.Call():
            return f"{node.name.name}({', '.join(map(unparse, node.arguments))})"
        case nodes.Parenthesis():
            return f"({unparse(node.inner)})"
        case nodes.Tuned():
            return f"{unparse(node.term)} [{', '.join(map(_setting, node.settings))}]"
        case nodes.Not():
            return f"not {unparse(node.term)}"
        case nodes.And():
            return " and ".join(map(unparse, node.terms))
        case nodes.Or():
            return " or ".join(map(unparse, node.terms))
        case nodes.Xor():
            return " xor ".join(map(unparse, node.terms))
        case nodes.Implies():
            return " implies ".join(map(unparse, node.terms))
        case nodes.Quantity():
            return node.text if node.unit is None else f"{node.text} {node.unit.name}"
        case nodes.Word():
            return node.name
        case nodes.Text():
            return f'"{node.value}"'
        case nodes.FromClause():
            return f"from {node.model.name}"
        case nodes.PredicateClause():
            return f"{node.keyword} {unparse(node.predicate)}"
        case nodes.TempClause():
            return _setting(node.setting)
        case nodes.ValueClause():
            return f"{node.keyword} {unparse(node.value)}"
        case nodes.WordClause():
            argument = "" if node.argument is None else f"({unparse(node.argument)})"
            return f"{node.keyword} {node.word.name}{argument}"
        case nodes.AsClause():
            return f"as {unparse(node.name)}"
        case nodes.WithClause():
            options = ", ".join(f"{o.name.name}={unparse(o.value)}" for o in node.options)
            return f"with {node.sampler.name}{f'({options})' if options else ''}"
    raise TypeError(f"Python makes no {type(node).__name__}")


def _setting(setting: nodes.Setting) -> str:
    value = unparse(setting.value)
    if setting.form is not None:
        value = f"{setting.form.name}({value})"
    return f"{setting.keyword} {value}"
