"""Names that also name something of the model: allowed, and easily misread."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from lacelang import ir
from lacelang.semantics.report import Report
from lacelang.semantics.scope import Module
from lacelang.syntax import nodes


def warn_of_shadowing(module: Module, models: Collection[ir.ModelSpec], report: Report) -> None:
    """Warn of definitions, parameters and loop variables named as an attribute or a value is."""
    for model in models:
        attributes = {attribute.name for attribute in model.attributes}
        values = {value: a.name for a in reversed(model.attributes) for value in a.named}
        for definition in module.definitions.values():
            word, message = definition.node.name, None
            if word.name in attributes:
                message = f"`{word.name}` is an attribute of {model.name} too"
            elif word.name in values and isinstance(definition.body, nodes.Quantity):
                of = values[word.name]
                message = f"`{word.name}` is a value of `{of}` too, and means that behind `{of}=`"
            if message is not None:
                report.say("LACE512", message, word, module, "another name is easier to read")
        for word in _bound(module.program.statements):
            hidden = f"the value of `{values[word.name]}`" if word.name in values else None
            hidden = f"the attribute of {model.name}" if word.name in attributes else hidden
            if hidden is not None:
                message = f"`{word.name}` hides {hidden}"
                report.say("LACE512", message, word, module, "give it another name")


def _bound(statements: Sequence[nodes.Statement]) -> Iterator[nodes.Word]:
    """Yield the parameters and loop variables."""
    for statement in statements:
        if isinstance(statement, nodes.Def):
            yield from statement.parameters
        elif isinstance(statement, nodes.For):
            yield statement.variable
            yield from _bound(statement.body)
