"""Small changes of a Python file by mutmut's operators, leaving out those that cannot matter.

Not changed are docstrings, types, `__all__`, decorators, first arguments of `cast`, and `strict=`
of `zip`, which guards against mistakes in the code itself. The case of a text with spaces is kept:
that it is changed at all is one change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Mutant:
    """A module with one change: its file, lines of the statement and the function, and its text."""

    path: Path
    statement: range
    function: range
    change: str
    source: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.change}"


def _named(node: cst.CSTNode, *names: str) -> bool:
    return isinstance(node, cst.Name) and node.value in names


def _untouched(node: cst.CSTNode) -> bool:
    """Whether changes of a node, or below it, cannot matter to a running program."""
    if isinstance(node, cst.If):
        return _named(node.test, "TYPE_CHECKING")
    if isinstance(node, cst.Expr):
        return isinstance(node.value, cst.SimpleString | cst.ConcatenatedString)
    if isinstance(node, cst.AnnAssign):
        return _named(node.annotation.annotation, "TypeAlias")
    if isinstance(node, cst.Assign) and isinstance(node.targets[0].target, cst.Name):
        name = node.targets[0].target.value
        # A type, or what `import *` takes.
        alias = isinstance(node.value, cst.Subscript | cst.BinaryOperation) and name.istitle()
        return alias or name == "__all__"
    if isinstance(node, cst.Call):
        return _named(node.func, "len", "isinstance", "TypeVar", "cast")
    if isinstance(node, cst.Arg):
        return node.keyword is not None and node.keyword.value == "strict"
    return isinstance(node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom)


class _Changes(cst.CSTVisitor):
    """Collects (node, its replacement, lines of the statement, lines of the function)."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[cst.CSTNode, cst.CSTNode, range, range]] = []
        self._statements: list[cst.CSTNode] = []
        self._functions: list[range] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _untouched(node):
            if isinstance(node, cst.Call) and _named(node.func, "cast"):
                node.args[1].visit(self)
            return False
        if isinstance(node, cst.FunctionDef):
            self._functions.append(self._lines(node))
        if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            self._statements.append(node)
        for kind, operator in mutation_operators:
            if isinstance(node, kind) and self._statements:
                for other in operator(node):
                    if self._matters(node, other):
                        where = self._statement()
                        function = self._functions[0] if self._functions else where
                        self.found.append((node, other, where, function))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self._statements and self._statements[-1] is original_node:
            self._statements.pop()
        if isinstance(original_node, cst.FunctionDef):
            self._functions.pop()

    def _lines(self, node: cst.CSTNode) -> range:
        place = self.get_metadata(PositionProvider, node)
        return range(place.start.line, place.end.line + 1)

    def _statement(self) -> range:
        """The innermost statement's lines; of a compound one, those above its block."""
        statement = self._statements[-1]
        lines = self._lines(statement)
        if isinstance(statement, cst.SimpleStatementLine) or not hasattr(statement, "body"):
            return lines
        return range(lines.start, max(self._lines(statement.body).start, lines.start + 1))

    @staticmethod
    def _matters(node: cst.CSTNode, other: cst.CSTNode) -> bool:
        if isinstance(node, cst.SimpleString) and isinstance(other, cst.SimpleString):
            return "XX" in other.value or " " not in node.value
        if isinstance(node, cst.Call) and _named(node.func, "zip") and isinstance(other, cst.Call):
            rest = [a for a in node.args if not (a.keyword and a.keyword.value == "strict")]
            kept = [a for a in other.args if not (a.keyword and a.keyword.value == "strict")]
            return len(rest) != len(kept) or any(
                a is not b for a, b in zip(rest, kept, strict=True)
            )
        return True


@dataclass(frozen=True)
class Change:
    """A change of a file that has not been made yet."""

    path: Path
    module: cst.Module
    node: cst.CSTNode
    other: cst.CSTNode
    statement: range
    function: range

    def mutant(self) -> Mutant | None:
        """Make it; None where what results is no program, or the same one."""
        source = self.module.deep_replace(self.node, self.other).code  # type: ignore[arg-type]
        try:
            if ast.dump(ast.parse(source)) == ast.dump(ast.parse(self.module.code)):
                return None
        except SyntaxError:
            return None
        old, new = [*self.module.code.splitlines(), ""], [*source.splitlines(), ""]
        line = next(k for k, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)
        text = f"{line + 1}: {old[line].strip()}  ->  {new[line].strip()}"
        return Mutant(self.path, self.statement, self.function, text, source)


def changes(path: Path) -> Iterator[Change]:
    """Every change of a file, in the order of the text."""
    wrapper = MetadataWrapper(cst.parse_module(path.read_text()))
    visitor = _Changes()
    wrapper.visit(visitor)
    for node, other, statement, function in visitor.found:
        yield Change(path, wrapper.module, node, other, statement, function)
