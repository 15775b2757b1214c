"""From the tree of a condition back to its text, in the one layout, on one line."""

from __future__ import annotations

from lacelang.syntax import nodes


def unparse(node: nodes.Predicate | nodes.Value) -> str:
    """Return the text that the parser reads as `node`.

    Brackets are written where the tree has a `Parenthesis`, and nowhere else.
    """
    match node:
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


def _setting(setting: nodes.Setting) -> str:
    value = unparse(setting.value)
    if setting.form is not None:
        value = f"{setting.form.name}({value})"
    return f"{setting.keyword} {value}"
