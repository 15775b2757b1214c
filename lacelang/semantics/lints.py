"""Unused names, and names that are also those of attributes or values of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lacelang import ir
from lacelang.semantics.context import Module, Report
from lacelang.syntax import nodes
from lacelang.text.names import nfc


def warn_of_unused(module: Module, models: Mapping[str, ir.ModelSpec], report: Report) -> None:
    """Warn of definitions and imports that no statement uses; `models` are those in use."""
    for definition in module.definitions.values():
        if not definition.used:
            word = definition.node.name
            report.say("LACE511", f"nothing uses `{word.name}`", word, module)
    if any(name in models for name in module.visible_models):
        return
    used = {nfc(d.module.name) for d in module.visible.values() if d.used}
    for node in module.program.statements:
        if isinstance(node, nodes.Import):
            target = node.target
            name = target.name if isinstance(target, nodes.Word) else Path(target.name).stem
            if name not in used:
                report.say("LACE511", f"nothing of {name} is used", node, module)


def warn_of_shadowing(module: Module, models: Mapping[str, ir.ModelSpec], report: Report) -> None:
    """Warn of definitions, parameters and loop variables named as an attribute or a value is."""
    for model in models.values():
        attributes = {attribute.name for attribute in model.attributes}
        values = {value: a.name for a in reversed(model.attributes) for value in a.named}
        for definition in module.definitions.values():
            word, of = definition.node.name, values.get(definition.node.name.name)
            message = f"`{word.name}` is a value of `{of}` too, and means that behind `{of}=`"
            if word.name in attributes:
                message = f"`{word.name}` is an attribute of {model.name} too"
            elif of is None or not isinstance(definition.body, nodes.Quantity):
                continue
            report.say("LACE512", message, word, module, "another name is easier to read")
        for word in _bound(module.program.statements):
            hidden = f"the attribute of {model.name}"
            if word.name not in attributes:
                hidden = f"the value of `{values.get(word.name)}`"
            if word.name in attributes or word.name in values:
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
