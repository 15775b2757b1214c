"""A text with what is written here in place of notations, and where everything stood before."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import pairwise

from attrs import evolve, frozen
from lark import Token

from lacelang.errors import Change, Diagnostic, Span
from lacelang.syntax import nodes
from lacelang.syntax.lines import Lines, top_of
from lacelang.syntax.notations.found import Found, Remedy
from lacelang.syntax.notations.table import Notation
from lacelang.syntax.notations.words import Lexeme, lexemes_of
from lacelang.syntax.tokens import Tokens, apart

_SHOWN = 300  # characters of what to write; hints are cut short


@frozen
class Place:
    """A notation that has been found, with its offsets in the text."""

    start: int
    end: int
    diagnostic: Diagnostic
    key: tuple[str, int]  # tells it apart from others
    modules: frozenset[str]  # of the standard library, that what is written instead needs
    mended: bool  # what is read in its place is what its hint says


@frozen(slots=False)
class Surroundings:
    """The text that one is a part of, the statements of the rest, and the lines above the part."""

    text: str
    statements: tuple[nodes.Statement, ...]
    lines: int

    @cached_property
    def imported(self) -> set[str]:
        """The modules that it imports."""
        return _imported(lexemes_of(self.text))

    @property
    def top(self) -> Span:
        """Where imports are put, as seen from the part."""
        top = top_of(self.text)
        return Span(top.line - self.lines, 1, top.line - self.lines, 1)


def _imported(lexemes: Sequence[Lexeme]) -> set[str]:
    return {after.low for before, after in pairwise(lexemes) if before.text == "import"}


class Mended:
    """A text with what is written here in place of notations; places are those it had before."""

    def __init__(
        self,
        text: str,
        besides: Collection[tuple[str, int]],
        around: Surroundings | None = None,
    ) -> None:
        self.text = text
        self._around = around
        self.places: list[Place] = []
        self._source = text
        self._lines = Lines(text)
        self._besides = besides
        # By character of the text, where in the text as it was it begins and ends.
        self._origins = [(at, at + 1) for at in range(len(text) + 1)]
        self._lexemes: list[Lexeme] | None = lexemes_of(text)
        self._imported = _imported(self._lexemes)
        if around is not None:
            self._imported |= around.imported

    @cached_property
    def _top(self) -> Span:
        """Where imports are put."""
        return top_of(self._source) if self._around is None else self._around.top

    def shifted(self, offsets: Sequence[int]) -> list[int]:
        """Return where offsets of the text as it was are now."""
        starts = [start for start, _ in self._origins]
        return [min(bisect_left(starts, offset), len(self.text)) for offset in offsets]

    @property
    def lexemes(self) -> list[Lexeme]:
        """Return the lexemes of the text as it is now."""
        if self._lexemes is None:
            self._lexemes = lexemes_of(self.text)
        return self._lexemes

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the text as it was a stretch of this one comes from."""
        origins = self._origins[start : max(end, start + 1)] or self._origins[-1:]
        return origins[0][0], max(origins[-1][1], origins[0][0])

    def agrees(self, start: int, end: int, at: int, until: int) -> bool:
        """Whether a stretch of this text is one of the text as it was."""
        return self.text[start:end] == self._source[at:until]

    def replace(self, notation: Notation, found: Found, remedy: Remedy) -> bool:
        """Put what is written here in place of a notation; say whether that changed anything."""
        old = found.reader.lexemes[found.start : found.end]
        start, end = old[0].start, old[-1].end
        at, until = self.origin(start, end)
        key = (notation.shape.written, at)
        new = remedy.read if remedy.write is None else remedy.write
        due = notation.starts or notation.first.name == "x"
        if remedy.write is None and not new and due:
            # A condition is due here, whatever it is.
            new = found.example()
        if key in self._besides or (remedy.write is not None and new == self.text[start:end]):
            return False
        inside = [p for p in self.places if at <= p.start and p.end <= until]
        modules = frozenset({remedy.module} - {""}).union(*(p.modules for p in inside))
        shown = self._source[at:until]
        shown = " ".join((shown if len(shown) <= 40 else shown[:37] + "…").split())
        message = notation.message.replace("{}", f"`{shown}`")
        hint = _hint(remedy, modules - self._imported)
        span = self._lines.span(at, until)
        fix: tuple[Change, ...] = ()
        if remedy.write is not None and len(remedy.write) <= _SHOWN:
            written = apart(remedy.write, self._source, at, until)
            brought = (Change(self._top, f"import {m}\n") for m in sorted(modules - self._imported))
            fix = (Change(span, written), *brought)
        diagnostic = Diagnostic("LACE008", message, span, hint, fix=fix)
        self.places = [p for p in self.places if p not in inside]
        self.places.append(Place(at, until, diagnostic, key, modules, remedy.write is not None))
        # Behind a joint or a bracket nothing may be missing; a space keeps words apart.
        new = f" {new} " if new else " "
        origins = [(at, until)] * len(new)
        for lexeme in lexemes_of(new):
            # A word that stays keeps its place.
            same = (i for i, p in enumerate(old) if p.text == lexeme.text and p.kind != "sign")
            i = next(same, None)
            if i is not None:
                place = self.origin(old[i].start, old[i].end)
                origins[lexeme.start : lexeme.end] = [place] * len(lexeme.text)
                old = old[i + 1 :]
        self._put(start, end, new, origins)
        return True

    def _put(self, start: int, end: int, new: str, origins: list[tuple[int, int]]) -> None:
        self.text, self._lexemes = self.text[:start] + new + self.text[end:], None
        self._origins[start:end] = origins

    def finish(self) -> None:
        """Sort the places, and put the modules above the text that what was put in needs."""
        self.places.sort(key=lambda place: place.start)
        for place in self.places:
            for module in sorted(place.modules - self._imported):
                line = f"import {module}\n"
                self._put(0, 0, line, [(place.start, place.end)] * len(line))
                self._imported.add(module)


def _hint(remedy: Remedy, modules: Collection[str]) -> str:
    """Return the hint that says what to write, and which modules to import for it."""
    if remedy.write is None:
        return remedy.hint
    if len(remedy.write) > _SHOWN:
        return "give its parts names with `let`; then what is written here can be shown"
    parts = ["leave it out" if not remedy.write else f"write `{remedy.write}`"]
    parts += [f", with `import {module}` above" for module in sorted(modules)]
    return "".join([*parts, f"; {remedy.hint}" if remedy.hint else ""])


def placed(tokens: Tokens, mended: Mended, lines: Lines) -> Tokens:
    """Give tokens and problems their places in the text as it was."""
    inner = Lines(mended.text)

    def moved(token: Token) -> Token:
        start, end = mended.origin(token.start_pos or 0, token.end_pos or 0)
        at = lines.span(start, end)
        place = (start, at.line, at.column, at.end_line, at.end_column, end)
        return Token(token.type, str(token), *place)

    def said(problem: Diagnostic) -> Diagnostic:
        span = lines.span(*mended.origin(*inner.offsets(problem.span)))
        return evolve(problem, span=span, fix=_moved(problem.fix, mended, inner, lines))

    return evolve(
        tokens,
        tokens=list(map(moved, tokens.tokens)),
        problems=list(map(said, tokens.problems)),
        gaps=sorted(mended.origin(gap, gap + 1)[0] for gap in tokens.gaps),
    )


def _moved(
    fix: tuple[Change, ...], mended: Mended, inner: Lines, lines: Lines
) -> tuple[Change, ...]:
    """Return changes to the mended text as changes to the text as it was; none if it differs."""
    moved = []
    for change in fix:
        start, end = inner.offsets(change.span)
        at, until = mended.origin(start, end)
        until = until if end > start else at
        if not mended.agrees(start, end, at, until):
            return ()
        moved.append(Change(lines.span(at, until), change.text))
    return tuple(moved)
