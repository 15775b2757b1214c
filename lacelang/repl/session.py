"""The session: a program that grows by entries, without a terminal and without torch."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

from attrs import frozen

from lacelang import ir
from lacelang.api import Program
from lacelang.errors import ProgramError, UsageError
from lacelang.language.scope import FIRST, Scope
from lacelang.semantics.check import PATH, Known, Piece, check_piece, nothing_known
from lacelang.semantics.modules import library_models
from lacelang.syntax import nodes
from lacelang.syntax.grammar import COMPARISONS, STATEMENTS
from lacelang.syntax.lines import a_line_up
from lacelang.syntax.parser import Outlook, outlook
from lacelang.syntax.rewriting import Patch, offsets, patched, words_used
from lacelang.syntax.tokens import tokenize
from lacelang.text.names import folded

FACES = 4
"""How many faces a `sample` without a number makes at the prompt; in a file they are more."""

_SIGNS = COMPARISONS | {"AND", "OR", "XOR", "IMPLIES", "LSQB"}
"""What follows a name in a condition."""
_NUMBERED = re.compile(r"(.*)_\d+")


@frozen(eq=False)
class Entry:
    """An input that was checked, and its text with what the prompt fills in."""

    text: str
    piece: Piece

    @property
    def defined(self) -> tuple[str, ...]:
        """Names that it defines."""
        tree = self.piece.tree.statements
        return tuple(s.name.name for s in tree if isinstance(s, nodes.Let | nodes.Def))


class Session:
    """The entries so far, and what they define and make.

    Attributes:
        seed: what a `sample` takes that names none, `random` included; None leaves it out.
    """

    def __init__(self, folder: Path | None = None, root: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self.seed: str | None = None
        self._start = nothing_known(folder, root)

    @property
    def root(self) -> Path:
        """The folder below which imported files lie."""
        return self._start.module.root

    @property
    def statements(self) -> tuple[ir.Statement, ...]:
        """The checked statements of the program so far."""
        return tuple(s for entry in self.entries for s in entry.piece.statements)

    @property
    def known(self) -> Known:
        """The names and groups of the program so far."""
        return self.entries[-1].piece.known if self.entries else self._start

    @property
    def model(self) -> ir.ModelSpec | None:
        """The model in use: that used or declared last, else `FIRST` of the library."""
        for entry in reversed(self.entries):
            for statement in reversed(entry.piece.statements):
                # A statement's own knows only those taught attributes that it uses.
                return self.models.get(statement.model.name, statement.model)
            for node in reversed(entry.piece.tree.statements):
                if isinstance(node, nodes.Model):
                    return entry.piece.known.models.get(node.name.name)
        return self.models.get(FIRST)

    @property
    def scope(self) -> Scope:
        """What names mean in what is typed next."""
        known = self.known
        return Scope(self.models, known.definitions, known.groups.models, self.model)

    @property
    def models(self) -> dict[str, ir.ModelSpec]:
        """Every model that `from` can name."""
        return {**{m.name: m for m in self._library}, **self.known.models}

    @cached_property
    def _library(self) -> tuple[ir.ModelSpec, ...]:
        return tuple(library_models().values())

    @property
    def _head(self) -> str:
        """What makes a statement of a condition that follows it."""
        return f"sample {FACES} from {self.model.name if self.model else FIRST} where"

    def outlook(self, typed: str) -> Outlook:
        """Return how `typed` may go on; a condition goes on like the `sample` it stands for."""
        return outlook(f"{self._head}\n{typed}" if self.is_condition(typed) else typed)

    def is_condition(self, typed: str) -> bool:
        """Whether `typed` is a condition, which is short for a `sample` with it."""
        tokens = tokenize(typed).tokens
        if not tokens or tokens[0].type in STATEMENTS:
            return False
        if tokens[0].type in ("NOT", "LPAR"):
            return True
        if tokens[0].type != "NAME":
            return False
        if len(tokens) == 1 or tokens[1].type in _SIGNS:
            return True
        return tokens[0] in self.known.definitions or tokens[0] in self.scope.attributes

    def read(self, typed: str) -> Entry:
        """Check what was typed, without adding it; diagnostics are about `typed` itself."""
        if self.is_condition(typed):
            try:
                check_piece(f"{self._head}\n{typed}", self.known, self.model)
            except ProgramError as error:
                raise ProgramError(a_line_up(error.diagnostics, typed)) from None
            text = f"{self._head} {typed.strip()}"
            if self.seed is not None:
                text = _completed(text, check_piece(text, self.known, self.model).tree, self.seed)
        else:
            piece = check_piece(typed, self.known, self.model)
            text = _completed(typed, piece.tree, self.seed)
            if text == typed:
                return Entry(text, piece)
        return Entry(text, check_piece(text, self.known, self.model))

    def program(self, entry: Entry) -> Program:
        """Return the statements of `entry`, after those that make the groups they need."""
        needed = {statement.needs for statement in entry.piece.statements}
        before: list[ir.Statement] = []
        for statement in reversed(self.statements):
            if statement.makes == "group" and statement.name in needed:
                before.append(statement)
                needed.add(statement.needs)
        statements = (*reversed(before), *entry.piece.statements)
        return Program(ir.CheckedProgram(statements, path=Path(PATH), source=entry.text))

    def undo(self) -> Entry:
        """Remove the last entry and return it."""
        if not self.entries:
            raise UsageError("there is nothing to undo")
        return self.entries.pop()

    def older_uses(self, entry: Entry) -> tuple[str, ...]:
        """Names of earlier definitions that still use what `entry` redefines."""
        before = self.known.own
        anew = {name for name in entry.defined if name in before}
        return tuple(
            name
            for name, definition in before.items()
            if name not in anew and anew & {w.name for w in words_used(definition.node)}
        )

    def again(self) -> str:
        """Return the last `sample` with the next seed, as text for `read`."""
        for entry in reversed(self.entries):
            made = [s for s in entry.piece.statements if isinstance(s, ir.SampleStatement)]
            if made:
                node = entry.piece.tree.statements[-1]
                if not isinstance(node, nodes.Sample):
                    raise UsageError(
                        "the last samples came from a loop; `:again` is for one `sample`"
                    )
                return self._again(entry.text, node, made[-1])
        raise UsageError("there is nothing to sample again")

    def _again(self, text: str, node: nodes.Sample, statement: ir.SampleStatement) -> str:
        begin, end = offsets(text, node.span)
        patches: dict[str, Patch] = {}
        # A random one is drawn anew.
        own = statement.seed
        seed = f"seed {own if own == 'random' else (own or 0) + 1}"
        patches["seed"] = (end, end, f" {seed}")
        for clause in node.clauses:
            if clause.keyword == "seed":
                patches["seed"] = (*offsets(text, clause.span), seed)
            elif isinstance(clause, nodes.AsClause):
                name = self._next_name(statement.name)
                quoted = f'"{name}"' if isinstance(clause.name, nodes.Text) else name
                patches["as"] = (*offsets(text, clause.name.span), quoted)
        return patched(text[:end], patches.values())[begin:]

    def _next_name(self, name: str) -> str:
        found = _NUMBERED.fullmatch(name)
        stem = found.group(1) if found else name
        taken = {folded(group) for group in self.known.groups.models}
        number = 2
        while folded(f"{stem}_{number}") in taken:
            number += 1
        return f"{stem}_{number}"


def _completed(text: str, tree: nodes.Program, seed: str | None) -> str:
    """Insert the number of faces, and a seed if there is one, into every `sample` without."""
    patches: list[Patch] = []
    pending: list[nodes.Statement] = list(tree.statements)
    while pending:
        node = pending.pop()
        if isinstance(node, nodes.For):
            pending.extend(node.body)
        elif isinstance(node, nodes.Sample):
            begin, end = offsets(text, node.span)
            if node.count is None:
                at = begin + len("sample")
                patches.append((at, at, f" {FACES}"))
            if seed is not None and not any(c.keyword == "seed" for c in node.clauses):
                patches.append((end, end, f" seed {seed}"))
    return patched(text, patches)
