"""A program that is checked piece by piece, as a prompt gets it.

Each piece is checked against what the pieces before it defined and made, at a cost of its own
size. What it knows is a value: a piece that is wrong leaves it as it was, and going back to the
state before a piece is keeping that state.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from lacelang import ir
from lacelang.errors import Diagnostic
from lacelang.semantics.check import Statements, without_errors
from lacelang.semantics.context import Definition, Module, Report
from lacelang.semantics.groups import Groups
from lacelang.semantics.modules import Library
from lacelang.syntax import nodes

PATH = "input"
"""How messages name the text that was typed."""


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
    """A piece without errors.

    Attributes:
        tree: as written.
        statements: resolved, loops unrolled.
        warnings: in the order of the text.
        known: what is known after it.
    """

    tree: nodes.Program
    statements: tuple[ir.Statement, ...]
    warnings: tuple[Diagnostic, ...]
    known: Known


def nothing_known(folder: Path | None = None) -> Known:
    """Return the state before the first piece; quoted imports count from `folder`."""
    module = Module("this session", PATH, folder or Path(), "", nodes.Program(span=ir.NOWHERE))
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
    warnings = without_errors(module, report, pedantic=False)
    # A model of the standard library that was named once need not be looked for again.
    module.visible_models.update(
        {name: m for name, m in statements.models.items() if name not in module.models}
    )
    return Piece(module.program, tuple(statements.result), warnings, Known(module, groups))
