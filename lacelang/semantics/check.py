"""The checker: from a program's text to a `CheckedProgram`, or to all that is wrong with it.

A prompt gets a program piece by piece. Each piece is checked against what those before it defined
and made, at a cost of its own size. What is known is a value: a piece that is wrong leaves it as it
was, and going back to the state before a piece is keeping that state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from lacelang import ir
from lacelang.errors import Diagnostic, ProgramError, Span, with_end
from lacelang.ir import CheckedProgram
from lacelang.semantics.context import Definition, Module, Report
from lacelang.semantics.groups import Groups
from lacelang.semantics.lints import warn_of_shadowing, warn_of_unused
from lacelang.semantics.modules import Library, library_files
from lacelang.semantics.notations import with_notations
from lacelang.semantics.statements import DEFINITIONS, Statements
from lacelang.syntax import nodes
from lacelang.syntax.parser import Parsed, read
from lacelang.syntax.rewriting import target_text
from lacelang.system.filenames import resolved

if TYPE_CHECKING:
    from lacelang.storage.provenance import SavedSamples

_START = Span(1, 1, 1, 2)

PATH = "input"
"""How messages name the text that was typed."""


def check(
    source: str,
    path: Path | None = None,
    pedantic: bool = False,
    tree: nodes.Program | None = None,
    root: Path | None = None,
    terms: Mapping[str, ir.OwnTerm] | None = None,
    saved: Mapping[str, SavedSamples] | None = None,
) -> CheckedProgram:
    """Check a program.

    Args:
        source: its text.
        path: the file it comes from: named in messages, and quoted imports count from its folder.
        pedantic: also warn of what is merely odd, such as definitions that nothing uses.
        tree: what the text says, where that is known without reading it.
        root: the folder below which imported files lie; that of `path`, or the current one, if
            none is given.
        terms: of the user's own, that its conditions can name.
        saved: the samples on disk that edits begin from, by what the program calls them: then the
            disk is not asked.

    Raises:
        ProgramError: the program is wrong. It carries every error, and then the warnings.
    """
    found = examine(source.removeprefix("\ufeff"), path, pedantic, tree, root, terms, saved=saved)
    if found.errors:
        raise ProgramError([*found.errors, *found.warnings])
    return CheckedProgram(
        statements=found.statements,
        warnings=found.warnings,
        path=path,
        models=tuple(model for model in found.module.models.values() if model is not None),
        source=source,
        imports=_sources(found.module),
    )


def _sources(module: Module) -> dict[str, ir.SourceFile]:
    """Return the files that a module imports, by their targets, with what those import."""
    if not module.imports:
        return {}
    shared = {str(file) for file in library_files().values()}
    known: dict[int, ir.SourceFile] = {}

    def sources(module: Module) -> dict[str, ir.SourceFile]:
        for _, other in module.imports:
            if id(other) not in known:
                known[id(other)] = ir.SourceFile(
                    other.name,
                    other.source,
                    other.folder or Path(),
                    other.path in shared,
                    sources(other),
                )
        return {target_text(node): known[id(other)] for node, other in module.imports}

    return sources(module)


@frozen(eq=False)
class Examined:
    """What a program comes to, right or wrong.

    Attributes:
        module: its file, with what it defines and imports.
        modules: the files that were read for it, by their places.
        groups: those that its statements make.
        models: those that its statements are of, by name.
        statements: the statements without errors, checked.
        errors, warnings: in the order of the text.
    """

    module: Module
    modules: Mapping[Path, Module]
    groups: Groups
    models: Mapping[str, ir.ModelSpec]
    statements: tuple[ir.Statement, ...]
    errors: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]


def examine(
    source: str,
    path: Path | None = None,
    pedantic: bool = False,
    tree: nodes.Program | None = None,
    root: Path | None = None,
    terms: Mapping[str, ir.OwnTerm] | None = None,
    opened: Mapping[Path, str] | None = None,
    saved: Mapping[str, SavedSamples] | None = None,
    reader: Callable[[str, str | None], Parsed] = read,
) -> Examined:
    """Check a program, and return what is known of it even where it is wrong.

    `opened` are texts that stand for those of files, by their places, links followed: what an
    editor holds and has not saved. `reader` reads the text. The other arguments are those of
    `check`.
    """
    report = Report()
    library = Library(report, opened, reader)
    module = library.program(source, path, tree, root, terms)
    written = module.program.statements
    statements = Statements(module, library, saved=saved)
    statements.run()
    if not written and not report.errors(None):
        hint = "write one, such as `sample 4 from ffhq where glasses=1`"
        report.say("LACE313", "there is no statement in this program", _START, module, hint)
    runs = any(not isinstance(node, DEFINITIONS) for node in written)
    if runs and not report.errors(None):
        # Where something is wrong, what seems unused may only be misspelt.
        warn_of_unused(module, statements.models, report)
        warn_of_shadowing(module, statements.models, report)
    errors, warnings = _found(module, report, pedantic)
    return Examined(
        module,
        library.modules,
        statements.groups,
        statements.models,
        tuple(statements.result),
        errors,
        warnings,
    )


def _found(
    module: Module, report: Report, pedantic: bool
) -> tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]]:
    """Return the errors and the warnings."""
    errors = report.errors(module.path)
    if errors:
        errors = with_end(with_notations(errors, module))
    return tuple(errors), tuple(report.warnings(module.path, pedantic))


@frozen(eq=False)
class Known:
    """What the pieces so far come to: the names they define, and the groups they made."""

    module: Module
    groups: Groups

    @property
    def definitions(self) -> Mapping[str, Definition]:
        """Every `let` and `def` that a name can stand for."""
        return self.module.named

    @property
    def own(self) -> Mapping[str, Definition]:
        """The `let`s and `def`s of the pieces themselves, without imported ones."""
        return {**self.module.earlier, **self.module.definitions}

    @property
    def models(self) -> Mapping[str, ir.ModelSpec]:
        """The models that the pieces declare, import or use."""
        both = {**self.module.visible_models, **self.module.models}
        return {name: model for name, model in both.items() if model is not None}


@frozen(eq=False)
class Piece:
    """A piece without errors: as written, its statements resolved, and what is known after it."""

    tree: nodes.Program
    statements: tuple[ir.Statement, ...]
    warnings: tuple[Diagnostic, ...]
    known: Known


def nothing_known(folder: Path | None = None, root: Path | None = None) -> Known:
    """Return the state before the first piece; quoted imports count from `folder`.

    They lie below `root`, or below `folder` if none is given.
    """
    folder = folder or Path()
    module = Module("this session", PATH, folder, resolved(root or folder), "", nodes.Program())
    return Known(module, Groups())


def check_piece(source: str, known: Known, model: ir.ModelSpec | None = None) -> Piece:
    """Check a piece of a program, one statement or several, that goes on from `known`.

    `model` is what definitions are checked against where the piece itself uses no model.

    Raises:
        ProgramError: the piece is wrong; it carries every error, and then the warnings.
    """
    report = Report()
    library = Library(report)
    module = library.piece(source, known.module)
    groups = known.groups.continued()
    statements = Statements(module, library, groups)
    statements.run(model)
    errors, warnings = _found(module, report, pedantic=False)
    if errors:
        raise ProgramError([*errors, *warnings])
    # A model of the standard library that was named once need not be looked for again.
    module.visible_models.update(
        {name: m for name, m in statements.models.items() if name not in module.models}
    )
    return Piece(module.program, tuple(statements.result), warnings, Known(module, groups))
