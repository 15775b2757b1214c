"""The cells of a notebook: each a program, which may use what earlier cells define and make.

A cell that is run again replaces what it defined and made. Groups of one cell have names of their
own; those of earlier cells may be used by it, and made anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from lacelang import ir
from lacelang.api import Program
from lacelang.engine.result import Group, Run
from lacelang.errors import Diagnostic, ProgramError, UsageError
from lacelang.progress import Progress
from lacelang.semantics.check import PATH, Known, Piece, check_piece, nothing_known
from lacelang.semantics.groups import Groups


class Cells:
    """What the cells so far define and make.

    Attributes:
        groups: the groups by name, each as it was made last.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.groups: dict[str, Group] = {}
        self._known = nothing_known(folder)
        self._makers: dict[str, ir.Statement] = {}
        self._sources: dict[str, ir.Statement | None] = {}  # what a group's source was made by

    def read(self, text: str) -> Piece:
        """Check a cell.

        Raises:
            ProgramError: it is wrong; spans are of the cell's lines.
        """
        groups = self._known.groups
        earlier = Groups(dict(groups.models), dict(groups.counts))
        try:
            return check_piece(text, Known(self._known.module, earlier))
        except ProgramError as error:
            raise ProgramError([_named(found) for found in error.diagnostics]) from None

    def run(
        self,
        piece: Piece,
        text: str,
        progress: Progress,
        only: tuple[str, ...] = (),
        seed: int | None = None,
        out: Path | None = None,
    ) -> Run | None:
        """Run a cell and keep what it defines and makes; None if there is nothing to run."""
        made: Run | None = None
        if piece.statements:
            program = self.program(piece, text)
            wanted = only or tuple(s.name for s in piece.statements if s.makes is not None)
            kept = self.groups if out is None else None
            made = program.run(seed, out=out, progress=progress, only=wanted, kept=kept)
            self._keep(piece, made)
        self._known = piece.known
        return made

    def program(self, piece: Piece, text: str) -> Program:
        """Return the cell's statements, after those of earlier cells that they begin from.

        Raises:
            UsageError: a group that it needs was made from one that has been made anew since.
        """
        own = {s.name for s in piece.statements if s.makes == "group"}
        before: list[ir.Statement] = []
        seen: set[str] = set()
        done: set[str] = set()
        for statement in piece.statements:
            if statement.needs is not None and statement.needs not in done:
                self._add(statement.needs, before, seen, own)
            if statement.makes == "group":
                done.add(statement.name)
        statements = (*before, *piece.statements)
        return Program(ir.CheckedProgram(statements, source=text))

    def _add(self, name: str, before: list[ir.Statement], seen: set[str], own: set[str]) -> None:
        if name in seen:
            return
        if name in own:
            raise UsageError(
                f"this cell begins from the group `{name}` of an earlier cell and makes one of that"
                " name\ngive it another name with `as`"
            )
        statement = self._makers[name]
        if statement.needs is not None:
            if self._makers.get(statement.needs) is not self._sources[name]:
                raise UsageError(
                    f"`{name}` was made from a group `{statement.needs}` that has been made anew"
                    f" since\nrun the cell that makes `{name}` again"
                )
            self._add(statement.needs, before, seen, own)
        seen.add(name)
        before.append(statement)

    def _keep(self, piece: Piece, made: Run) -> None:
        for statement in piece.statements:
            if statement.makes == "group" and statement.name in made.groups:
                need = statement.needs
                self._sources[statement.name] = None if need is None else self._makers.get(need)
                self._makers[statement.name] = statement
                self.groups[statement.name] = made.groups[statement.name]


def own_groups(piece: Piece, made: Run) -> Mapping[str, Group]:
    """Return the groups that a cell itself makes, without those that they begin from."""
    names = [s.name for s in piece.statements if s.makes == "group"]
    return {name: made.groups[name] for name in names if name in made.groups}


def _named(diagnostic: Diagnostic) -> Diagnostic:
    """Return a diagnostic about the cell as such; one about an imported file stays."""
    return evolve(diagnostic, path="cell") if diagnostic.path == PATH else diagnostic
