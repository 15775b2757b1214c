"""The checker: from a program's text to a `CheckedProgram`, or to all that is wrong with it."""

from __future__ import annotations

from pathlib import Path

from lacelang.errors import ProgramError, Span
from lacelang.ir import CheckedProgram, ModelSpec
from lacelang.semantics.conditions import Conditions
from lacelang.semantics.modules import Library
from lacelang.semantics.notations import with_notations
from lacelang.semantics.report import Report
from lacelang.semantics.scope import Binding, Definition, Frame, Module
from lacelang.semantics.shadowing import warn_of_shadowing
from lacelang.semantics.statements import Statements
from lacelang.syntax import nodes
from lacelang.text.names import nfc


def check(
    source: str,
    path: Path | None = None,
    pedantic: bool = False,
    tree: nodes.Program | None = None,
) -> CheckedProgram:
    """Check a program.

    Args:
        source: its text.
        path: the file it comes from: named in messages, and quoted imports count from its folder.
        pedantic: also warn of what is merely odd, such as definitions that nothing uses.
        tree: what the text says, where that is known without reading it.

    Raises:
        ProgramError: the program is wrong. It carries every error, and then the warnings.
    """
    report = Report()
    library = Library(report)
    module = library.program(source.removeprefix("\ufeff"), path, tree)
    statements = Statements(module, library, report)
    try:
        statements.run()
        _look_at_the_rest(module, statements, report)
    except RecursionError:
        # Limits on nesting keep the stack shallow; a caller deep in its own may still run out.
        report.say("LACE307", "there is no room left to check this", module.program, module)
    shown = str(path) if path is not None else None
    if not module.program.statements and not report.errors(shown):
        hint = "write one, such as `sample 4 from ffhq where glasses=1`"
        report.say("LACE313", "there is no statement in this program", _START, module, hint)
    errors, warnings = report.errors(shown), report.warnings(shown, pedantic)
    if errors:
        raise ProgramError([*with_notations(errors, module), *warnings])
    return CheckedProgram(
        statements=tuple(statements.result),
        warnings=tuple(warnings),
        path=path,
        models=tuple(model for model in module.models.values() if model is not None),
        source=source,
    )


def _look_at_the_rest(module: Module, statements: Statements, report: Report) -> None:
    """Check the definitions that no statement uses, and say that they are not used."""
    models = list(statements.models.values())
    look_at_unseen(module, models[0] if len(models) == 1 else None, report)
    runs = any(isinstance(s, _RUNNING) for s in module.program.statements)
    # Where something is wrong, what seems unused may only be misspelt.
    fine = runs and not report.errors(None)
    if fine:
        for definition in module.definitions.values():
            if not definition.used:
                name = definition.node.name
                report.say("LACE511", f"nothing uses `{name.name}`", name, module)
        _unused_imports(module, statements, report)
        warn_of_shadowing(module, models, report)


_START = Span(1, 1, 1, 2)
_RUNNING = nodes.Sample | nodes.Edit | nodes.Measure | nodes.Expect | nodes.For


def look_at_unseen(module: Module, model: ModelSpec | None, report: Report) -> None:
    """Check the definitions that no statement uses: against `model`, if there is one to go by."""
    # Those that use others come first: what they use is then seen already.
    for definition in reversed(module.order):
        if not definition.seen:
            _look_at(definition, model, report)


def _look_at(definition: Definition, model: ModelSpec | None, report: Report) -> None:
    definition.seen = True
    body = definition.body
    if definition.circular or isinstance(body, nodes.Quantity):
        return
    if isinstance(body, nodes.Reference) and not definition.parameters:
        other = definition.module.find(body.name.name)
        if other is not None and isinstance(other.body, nodes.Quantity):
            return
    frame = Frame(definition.module)
    bindings = {p.name: Binding(None, frame) for p in definition.parameters}
    Conditions(model, report).resolve(body, Frame(definition.module, bindings))


def _unused_imports(module: Module, statements: Statements, report: Report) -> None:
    for node in module.program.statements:
        if not isinstance(node, nodes.Import):
            continue
        target = node.target
        name = target.name if isinstance(target, nodes.Word) else Path(target.name).stem
        used = any(d.used for d in module.visible.values() if nfc(d.module.name) == name)
        if not used and not any(m in statements.models for m in module.visible_models):
            report.say("LACE511", f"nothing of {name} is used", node, module)
