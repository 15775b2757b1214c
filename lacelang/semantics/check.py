"""The checker: from a program's text to a `CheckedProgram`, or to all that is wrong with it."""

from __future__ import annotations

from pathlib import Path

from lacelang.errors import Diagnostic, ProgramError, Span
from lacelang.ir import CheckedProgram
from lacelang.semantics.lints import warn_of_shadowing, warn_of_unused
from lacelang.semantics.modules import Library
from lacelang.semantics.notations import with_notations
from lacelang.semantics.report import Report
from lacelang.semantics.scope import Module
from lacelang.semantics.statements import DEFINITIONS, Statements
from lacelang.syntax import nodes

_START = Span(1, 1, 1, 2)


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
    written = module.program.statements
    statements = Statements(module, library)
    statements.run()
    if not written and not report.errors(None):
        hint = "write one, such as `sample 4 from ffhq where glasses=1`"
        report.say("LACE313", "there is no statement in this program", _START, module, hint)
    runs = any(not isinstance(node, DEFINITIONS) for node in written)
    if runs and not report.errors(None):
        # Where something is wrong, what seems unused may only be misspelt.
        warn_of_unused(module, statements.models, report)
        warn_of_shadowing(module, statements.models, report)
    return CheckedProgram(
        statements=tuple(statements.result),
        warnings=without_errors(module, report, pedantic),
        path=path,
        models=tuple(model for model in module.models.values() if model is not None),
        source=source,
    )


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
