"""The context in which a piece of syntax is checked, and the diagnostics about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Self, TypeAlias, TypeVar

from attrs import Factory, define, evolve, field, frozen

from lacelang.errors import MOST_SHOWN, Change, Diagnostic, Severity, Span
from lacelang.ir import ModelSpec, OwnTerm
from lacelang.syntax import nodes
from lacelang.syntax.lines import lines_of, top_of
from lacelang.text.names import folded, nfc

Hint: TypeAlias = str | Callable[[], str | None] | None
"""A hint, or what looks for one: that takes time, and of equal errors only one is kept."""

T = TypeVar("T")
R = TypeVar("R")


@define(eq=False)
class Module:
    """A file, read: the program itself or something that it imports.

    Attributes:
        name, path: for messages; no path for text without a file.
        folder: where quoted imports are looked for.
        root: the folder below which they lie.
        definitions, models: its own; None for a model whose declaration is wrong.
        order: the definitions, each behind those that it uses.
        earlier: definitions of the pieces before it, where a program is read piece by piece.
        visible, visible_models: what its imports bring in.
        imports: what each of its `import`s has read.
        terms: of the user's own, which Python defines.
        uncertain: names that its broken statements seem to define, so that their absence is not
            reported; None means any name.
        error_spans: where its syntax errors are.
        size: of how many tokens its text is, about.
    """

    name: str
    path: str | None
    folder: Path | None
    root: Path
    source: str
    program: nodes.Program
    definitions: dict[str, Definition] = Factory(dict)
    order: tuple[Definition, ...] = ()
    models: dict[str, ModelSpec | None] = Factory(dict)
    earlier: dict[str, Definition] = Factory(dict)
    visible: dict[str, Definition] = Factory(dict)
    visible_models: dict[str, ModelSpec | None] = Factory(dict)
    imports: list[tuple[nodes.Import, Module]] = Factory(list)
    terms: dict[str, OwnTerm] = Factory(dict)
    uncertain: frozenset[str] | None = frozenset()
    error_spans: tuple[Span, ...] = ()
    size: int = 0

    @property
    def broken(self) -> bool:
        """Whether it has syntax errors."""
        return bool(self.error_spans)

    def has_error_in(self, span: Span) -> bool:
        """Whether a syntax error overlaps `span` and may be the cause of other errors there."""
        start, end = (span.line, span.column), (span.end_line, span.end_column)
        spans = (((s.line, s.column), (s.end_line, s.end_column)) for s in self.error_spans)
        return any(first < end and start < last for first, last in spans)

    def has_error_on(self, line: int) -> bool:
        """Whether there is a syntax error on the line."""
        return any(s.line <= line <= s.end_line for s in self.error_spans)

    def is_uncertain(self, name: str) -> bool:
        """Whether a broken statement may define `name`."""
        return self.uncertain is None or name in self.uncertain

    def find(self, name: str) -> Definition | None:
        """Return the definition that `name` refers to here."""
        of = self.definitions, self.earlier, self.visible
        return next((known[name] for known in of if name in known), None)

    @property
    def named(self) -> dict[str, Definition]:
        """All definitions in scope, by name."""
        return {**self.visible, **self.earlier, **self.definitions}


@define(eq=False)
class Definition:
    """A `let` or a `def`, with the module whose names its body uses.

    It may be `circular`, which has been reported, `used` by something, and `seen` by the checker.
    """

    node: nodes.Let | nodes.Def
    module: Module
    circular: bool = False
    used: bool = False
    seen: bool = False

    @property
    def body(self) -> nodes.Predicate | nodes.Quantity:
        """What it defines."""
        return self.node.value if isinstance(self.node, nodes.Let) else self.node.body

    @property
    def parameters(self) -> tuple[nodes.Word, ...]:
        """The parameters of a `def`; none for a `let`."""
        return () if isinstance(self.node, nodes.Let) else self.node.parameters


@frozen
class Site:
    """The place in the program that uses an imported definition."""

    name: str
    span: Span
    module: Module


@define(eq=False)
class Binding:
    """The value of a parameter or a loop variable, and the frame that it is to be read in.

    `argument` is None for a parameter of a definition that is checked without being called.
    """

    argument: nodes.Predicate | nodes.Value | None
    frame: Frame
    used: bool = False


@frozen(eq=False)
class Frame:
    """The context of a piece of syntax: its module, the bindings in scope, the report of errors.

    `site` is set inside imported definitions: diagnostics are reported there.
    """

    module: Module
    report: Report
    bindings: dict[str, Binding] = field(factory=dict)
    site: Site | None = None

    def bind(self, name: str, argument: nodes.Value) -> Frame:
        """Return this frame with one more binding, as `for` makes it."""
        return evolve(self, bindings={**self.bindings, name: Binding(argument, self)})

    def span_of(self, node: nodes.Node) -> Span:
        """Return the node's span in the program, or that of the use of an imported definition."""
        return self.site.span if self.site is not None else node.span

    def say(self, code: str, message: str, at: nodes.Node | Span, hint: Hint = None) -> LostError:
        """Report what is wrong at `at`; return what to raise if there is no value to go on with.

        Inside an imported definition, it is reported where the program uses that.
        """
        span, module = at if isinstance(at, Span) else at.span, self.module
        if self.site is not None:
            message = f"in `{self.site.name}` of {module.name}: {message}"
            span, module = self.site.span, self.site.module
        return self.report.say(code, message, span, module, hint, fixable=self.site is None)

    def is_known_wrong(self, name: str) -> bool:
        """Whether a missing `name` need not be reported: the report is full, or it was broken."""
        return self.report.full or self.module.is_uncertain(name)


class Suggestion(str):
    """A hint that a machine can follow: to write `text` in place of the diagnostic's span.

    It is followed only where that span holds `word`, for what is reported at a name may be about
    what a loop or a definition puts there. A `span` of its own is taken as it is; `top` puts the
    text on a line of its own before the first statement.
    """

    text: str
    word: str
    span: Span | None
    top: bool

    def __new__(
        cls, hint: str, text: str, word: str = "", span: Span | None = None, top: bool = False
    ) -> Self:
        """Return the hint with what it says to write."""
        made = super().__new__(cls, hint)
        made.text, made.word, made.span, made.top = text, word, span, top
        return made

    def changes(self, at: Span, where: Module) -> tuple[Change, ...]:
        """Return the changes to a file in which a diagnostic stands `at` a span."""
        if self.top:
            return (Change(top_of(where.source), f"{self.text}\n"),)
        if self.span is not None:
            return (Change(self.span, self.text),)
        lines = lines_of(where.source)
        if at.line != at.end_line or at.line > len(lines):
            return ()
        here = lines[at.line - 1][at.column - 1 : at.end_column - 1]
        return (Change(at, self.text),) if nfc(here) == self.word else ()


_FIRST_WARNING = "LACE500"
_FIRST_PEDANTIC = "LACE510"
_LISTED = 12
_COMPARED = 200
_COMPARED_CLOSELY = 50  # of more names


def severity_of(code: str) -> Severity:
    """Return whether the code is an error or a warning."""
    return "warning" if code > _FIRST_WARNING else "error"


def is_pedantic(code: str) -> bool:
    """Whether the code is reported under `--pedantic` only."""
    return code > _FIRST_PEDANTIC


class LostError(Exception):
    """There is no value to return; the error has been reported, or needs no report."""


def all_of(read: Callable[[T], R], parts: Iterable[T]) -> list[R]:
    """Return what `read` makes of all parts; one mistake, a `LostError`, does not hide the next."""
    found, lost = [], False
    for part in parts:
        try:
            found.append(read(part))
        except LostError:
            lost = True
    if lost:
        raise LostError
    return found


class Report:
    """All diagnostics of one program, each once."""

    def __init__(self) -> None:
        # Counted apart: many warnings must not hide an error, nor pedantic ones the others.
        self._errors: dict[object, Diagnostic] = {}
        self._warnings: dict[object, Diagnostic] = {}
        self._pedantic: dict[object, Diagnostic] = {}

    def say(
        self,
        code: str,
        message: str,
        at: nodes.Node | Span,
        where: Module,
        hint: Hint = None,
        fixable: bool = True,
    ) -> LostError:
        """Add a diagnostic about the text at `at`; see `Frame.say`.

        One that is not `fixable` is about another text than that.
        """
        span = at if isinstance(at, Span) else at.span
        found, key = self._like(code), (code, message, where.path, span)
        if len(found) < MOST_SHOWN and key not in found and not where.has_error_in(span):
            shown, severity = hint() if callable(hint) else hint, severity_of(code)
            fix: tuple[Change, ...] = ()
            if fixable and isinstance(shown, Suggestion):
                fix = shown.changes(span, where)
            found[key] = Diagnostic(
                code, message, span, shown, severity, where.path, where.source, fix
            )
        return LostError()

    def _like(self, code: str) -> dict[object, Diagnostic]:
        if is_pedantic(code):
            return self._pedantic
        return self._errors if severity_of(code) == "error" else self._warnings

    def is_full_of(self, code: str) -> bool:
        """Whether there are so many of this kind already that more are dropped."""
        return len(self._like(code)) >= MOST_SHOWN

    @property
    def full(self) -> bool:
        """Whether further errors are dropped, so that none need be looked for."""
        return len(self._errors) >= MOST_SHOWN

    def add(self, diagnostic: Diagnostic) -> None:
        """Add a diagnostic unless it has been made before."""
        d, found = diagnostic, self._like(diagnostic.code)
        if len(found) < MOST_SHOWN:
            found.setdefault((d.code, d.message, d.path, d.span), d)

    def errors(self, path: str | None) -> list[Diagnostic]:
        """Return the errors in order: those of `path` first, then other files'."""
        return _sorted(self._errors.values(), path)

    def warnings(self, path: str | None, pedantic: bool) -> list[Diagnostic]:
        """Return the warnings in order, the pedantic ones only if asked for."""
        return _sorted(
            [*self._warnings.values(), *(self._pedantic.values() if pedantic else ())], path
        )


def did_you_mean(name: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """Return a hint: the nearest of `known`, else the list of them after `otherwise`."""
    names = list(dict.fromkeys(known))
    close = nearest(name, names)
    if close is not None:
        return Suggestion(f"did you mean `{close}`?", close, name)
    if otherwise is None or not names:
        return None
    listed = ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
    return f"{otherwise} {listed}"


def nearest(name: str, names: list[str]) -> str | None:
    """Return the one of `names` that is most like `name`, if one is much like it."""
    from difflib import get_close_matches

    if len(names) <= _COMPARED:
        same = [n for n in names if folded(n) == folded(name)]
    else:
        # Of many, only a few that begin alike and are as long are compared closely.
        by_folded, alike = _index(tuple(names))
        same = by_folded.get(folded(name), [])
        length = len(name)
        near = (alike.get((name[:1], length + by), []) for by in (0, -1, 1, -2, 2))
        names = list(islice(chain.from_iterable(near), _COMPARED_CLOSELY))
    close = same or get_close_matches(name, names, 1, 0.6)
    return close[0] if close else None


@lru_cache(maxsize=8)
def _index(
    names: tuple[str, ...],
) -> tuple[dict[str, list[str]], dict[tuple[str, int], list[str]]]:
    """Return many names by what `folded` makes of them, and by first character and length."""
    same: dict[str, list[str]] = {}
    alike: dict[tuple[str, int], list[str]] = {}
    for name in names:
        same.setdefault(folded(name), []).append(name)
        alike.setdefault((name[:1], len(name)), []).append(name)
    return same, alike


def _sorted(diagnostics: Iterable[Diagnostic], path: str | None) -> list[Diagnostic]:
    def place(found: Diagnostic) -> tuple[bool, str, int, int]:
        return found.path != path, found.path or "", found.span.line, found.span.column

    return sorted(diagnostics, key=place)
