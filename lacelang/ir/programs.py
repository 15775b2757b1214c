"""The checked program: a list of statements.

Definitions and imports are expanded, loops unrolled, named points and units turned to numbers,
`xor` and `implies` rewritten with `and`, `or` and `not`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, field, frozen

from lacelang.errors import Diagnostic
from lacelang.ir.models import ModelSpec
from lacelang.ir.statements import EditStatement, PickStatement, SampleStatement, Statement
from lacelang.record import Record


@frozen(eq=False, repr=False)
class SourceFile(Record):
    """A file that a program imports, as it was read.

    Attributes:
        name: of the module.
        source: its text.
        folder: where it lies.
        library: whether it is one of the standard library, or of the user's folder of models.
        imports: what it imports itself, by the target as its text has it.
    """

    name: str
    source: str
    folder: Path
    library: bool = False
    imports: Mapping[str, SourceFile] = field(factory=dict, hash=False)


@frozen(eq=False, repr=False)
class CheckedProgram(Record):
    """A program without errors.

    Attributes:
        statements: in the order of the source, loops unrolled.
        models: those that the program itself declares.
        warnings: what a person would want to hear, in the order of the source.
        path: the file, None for a string.
        source: the text, for display beside spans.
        imports: what it imports, by the target as the text has it.
    """

    statements: tuple[Statement, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    path: Path | None = None
    models: tuple[ModelSpec, ...] = ()
    source: str = field(default="", repr=False, eq=False)
    imports: Mapping[str, SourceFile] = field(factory=dict, repr=False, eq=False)

    @property
    def samples(self) -> tuple[SampleStatement, ...]:
        """Its `sample` statements."""
        return tuple(each for each in self.statements if isinstance(each, SampleStatement))

    def at_most(self, count: int) -> CheckedProgram:
        """Return the program with at most so many samples of each group.

        Groups that others pick from keep all up to the last one that is picked.
        """
        needed: dict[str | None, int] = {}
        statements: list[Statement] = []
        for s in reversed(self.statements):
            if isinstance(s, SampleStatement):
                s = evolve(s, count=min(s.count, max(count, needed.get(s.name, 0))))
            elif isinstance(s, PickStatement):
                s = evolve(s, indices=s.indices[: max(count, needed.get(s.name, 0))])
                last = 1 + max(s.indices, default=0)
                needed[s.group] = max(last, needed.get(s.group, 0))
            elif isinstance(s, EditStatement):
                needed[s.group] = max(needed.get(s.name, 0), needed.get(s.group, 0))
            statements.append(s)
        return evolve(self, statements=tuple(reversed(statements)))
