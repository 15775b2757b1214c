"""The checker: from a program's text to a `CheckedProgram`, or to all that is wrong with it."""

from __future__ import annotations

from pathlib import Path

from lacelang.errors import Diagnostic, ProgramError, Span
from lacelang.ir import CheckedProgram, ModelSpec
from lacelang.semantics.conditions import Conditions
from lacelang.semantics.groups import Groups
from lacelang.semantics.modules import Library
from lacelang.semantics.notations import with_notations
from lacelang.semantics.report import Report
from lacelang.semantics.scope import Binding, Definition, Frame, Module
from lacelang.semantics.shadowing import warn_of_shadowing
from lacelang.semantics.statements import Statements
from lacelang.syntax import nodes
from lacelang.text.names import nfc

_START = Span(1, 1, 1, 2)
_RUNNING = nodes.Sample | nodes.Edit | nodes.Measure | nodes.Expect | nodes.For


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
    statements = checked_statements(module, library, report)
    if not module.program.statements and not report.errors(None):
        hint = "write one, such as `sample 4 from ffhq where glasses=1`"
        report.say("LACE313", "there is no statement in this program", _START, module, hint)
    if any(isinstance(s, _RUNNING) for s in module.program.statements) and not report.errors(None):
        # Where something is wrong, what seems unused may only be misspelt.
        _warn_of_unused(module, statements, report)
        warn_of_shadowing(module, statements.models.values(), report)
    return CheckedProgram(
        statements=tuple(statements.result),
        warnings=without_errors(module, report, pedantic),
        path=path,
        models=tuple(model for model in module.models.values() if model is not None),
        source=source,
    )


def checked_statements(
    module: Module,
    library: Library,
    report: Report,
    groups: Groups | None = None,
    model: ModelSpec | None = None,
) -> Statements:
    """Check the statements of a module, and the definitions that none of them uses.

    Args:
        module: as read.
        library: that it was read with.
        report: gets the diagnostics.
        groups: made before the module begins.
        model: what unused definitions are checked against where no statement has a model.
    """
    statements = Statements(module, library, report, groups)
    try:
        statements.run()
        used = list(statements.models.values())
        if used:
            model = used[0] if len(used) == 1 else None
        # Those that use others come first: what they use is then checked already.
        for definition in reversed(module.order):
            if not definition.seen:
                _check_alone(definition, model, report)
    except RecursionError:
        # Limits on nesting keep the stack shallow; a caller deep in its own may still run out.
        report.say("LACE307", "there is no room left to check this", module.program, module)
    return statements


def without_errors(module: Module, report: Report, pedantic: bool) -> tuple[Diagnostic, ...]:
    """Return the warnings.

    Raises:
        ProgramError: there are errors.
    """
    errors = report.errors(module.path)
    warnings = report.warnings(module.path, pedantic)
    if errors:
        raise ProgramError([*with_notations(errors, module), *warnings])
    return tuple(warnings)


def _check_alone(definition: Definition, model: ModelSpec | None, report: Report) -> None:
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


def _warn_of_unused(module: Module, statements: Statements, report: Report) -> None:
    for definition in module.definitions.values():
        if not definition.used:
            word = definition.node.name
            report.say("LACE511", f"nothing uses `{word.name}`", word, module)
    models = any(name in statements.models for name in module.visible_models)
    for node in module.program.statements:
        if isinstance(node, nodes.Import):
            target = node.target
            name = target.name if isinstance(target, nodes.Word) else Path(target.name).stem
            visible = module.visible.values()
            if not models and not any(d.used for d in visible if nfc(d.module.name) == name):
                report.say("LACE511", f"nothing of {name} is used", node, module)
