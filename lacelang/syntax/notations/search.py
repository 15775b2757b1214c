"""Looks for notations in a text, and puts what is written here in their place."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator

from attrs import define, frozen

from lacelang.errors import Diagnostic, Span
from lacelang.syntax.notations.conditionals import CONDITIONALS
from lacelang.syntax.notations.conditions import COMPARING, STRANGERS
from lacelang.syntax.notations.counting import COUNTING
from lacelang.syntax.notations.facts import Facts
from lacelang.syntax.notations.joints import JOINING
from lacelang.syntax.notations.pieces import pieces_of, words_of
from lacelang.syntax.notations.reading import Reader
from lacelang.syntax.notations.schedules import SCHEDULES
from lacelang.syntax.notations.statements import STATEMENTS
from lacelang.syntax.notations.table import Found, Notation, Remedy
from lacelang.syntax.notations.tolerances import TOLERANCES
from lacelang.syntax.notations.weights import WEIGHTS
from lacelang.syntax.tokens import MAX_PROBLEMS

NOTATIONS: tuple[Notation, ...] = (
    *STATEMENTS,
    *CONDITIONALS,
    *COUNTING,
    *SCHEDULES,
    *TOLERANCES,
    *WEIGHTS,
    *JOINING,
)
"""All entries; of several that fit at one place the first is heard."""

LONGEST = 100_000
"""Characters of a text that is searched."""

_ROUNDS = 6
_SHOWN = 300  # characters of what to write; hints are cut short
_BEFORE_A_CONDITION = words_of(
    "where given measure expect and or xor implies not if then else unless ( [ { , : && || & | ! ¬"
)

_BEFORE_A_NAME = words_of("let def model from as edit for import with of attribute on generator")
_OF_CONDITIONS = words_of("condition predicate conjoined_list disjoined_list")


@frozen
class Place:
    """A notation that has been found.

    Attributes:
        start, end: offsets in the text.
        diagnostic: what is said of it.
        key: tells it apart from others, for `besides`.
        modules: of the standard library, that what is written instead needs.
        mended: what is read in its place is what its hint says.
    """

    start: int
    end: int
    diagnostic: Diagnostic
    key: tuple[str, int]
    modules: frozenset[str]
    mended: bool


@define
class Mended:
    """A text with what is written here in place of notations.

    Attributes:
        text: as it is now.
        places: what was found, with offsets in the text as it was.
        starts, ends: by character of `text`, where in the text as it was it begins and ends.
    """

    text: str
    places: list[Place]
    starts: list[int]
    ends: list[int]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the text as it was a stretch of this one comes from."""
        last = len(self.starts) - 1
        first = self.starts[min(start, last)]
        return first, max(self.ends[min(max(end - 1, start), last)], first)


def notations_in(text: str, facts: Facts, parsing: bool) -> list[Place]:
    """Return the notations of a text, not one inside another.

    Args:
        text: with LF for every line end.
        facts: what is known of attributes.
        parsing: whether to look for those too that the grammar may read as something else.
    """
    return _mend(text, facts, (), parsing).places


def mend(text: str, facts: Facts, besides: Collection[tuple[str, int]] = ()) -> Mended:
    """Put what is written here in place of every notation but those of `besides`."""
    return _mend(text, facts, besides, False)


def _mend(text: str, facts: Facts, besides: Collection[tuple[str, int]], parsing: bool) -> Mended:
    identity = list(range(len(text) + 1))
    mended = Mended(text, [], identity, [i + 1 for i in identity])
    if len(text) > LONGEST:
        return mended
    lines = _line_starts(text)
    imported = _imported(Reader(pieces_of(text)))
    for _ in range(_ROUNDS):
        found = list(_scan(mended.text, facts, parsing))
        changed = False
        for notation, where, remedy in reversed(found):
            changed |= _replace(mended, notation, where, remedy, lines, besides, text, imported)
        if not changed or len(mended.places) >= MAX_PROBLEMS:
            break
    mended.places.sort(key=lambda place: place.start)
    _import(mended, imported)
    return mended


def _scan(text: str, facts: Facts, parsing: bool) -> Iterator[tuple[Notation, Found, Remedy]]:
    reader = Reader(pieces_of(text))
    starts = _Starts(reader)
    place = 0
    left = MAX_PROBLEMS
    while place < len(reader.pieces) and left:
        if reader.low(place) == "model" and reader.low(place + 2) == "{":
            # Its braces hold names and numbers of their own, `{ child: 10 }`.
            place = reader.closing(place + 2, len(reader.pieces)) or len(reader.pieces)
            continue
        read: dict[str, int | None] = {}
        for notation in _beginning_with(reader.low(place)):
            first = notation.elements[0].method
            if first and not notation.elements[0].optional:
                if first not in read:
                    read[first] = getattr(reader, first)(place)
                if read[first] is None:
                    continue
            if notation.parses and not parsing:
                continue
            if not starts.allows(notation, place):
                continue
            found = notation.match(reader, place, facts)
            if found is not None and starts.parts(found):
                continue
            remedy = notation.answer(found) if found is not None else None
            if found is not None and remedy is not None:
                left -= 1
                yield notation, found, remedy
                place = max(found.end, place + 1) - 1
                break
        place += 1


class _Starts:
    """Where a condition may begin: behind certain words, and at every step of an edit."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._edit: list[bool] = []
        edit = inside = False
        for piece in reader.pieces:
            self._edit.append(inside)
            if piece.low == "edit":
                edit = True
            elif piece.text in "{}":
                inside = edit and piece.text == "{"
                edit = inside

    def allows(self, notation: Notation, i: int) -> bool:
        """Whether a notation may begin with the piece at `i`."""
        if notation.starts:
            return self.at(i)
        method = notation.elements[0].method
        before = self._reader.low(i - 1)
        if method and before in _BEFORE_A_NAME:
            return False
        if method == "name":
            if self._reader.low(i) in STRANGERS:
                return False
            return (before not in COMPARING and before != "..") or self._defines(i)
        if method in _OF_CONDITIONS and self._reader.name(i) == self._reader.condition(i):
            return self.at(i)
        return True

    def _defines(self, i: int) -> bool:
        """Whether a definition begins with the piece at `i`."""
        before, named = self._reader.low(i - 1), self._reader.low(i - 3)
        return before == "=" and (named in ("let", "var") or self._reader.low(i - 2) == ")")

    def parts(self, found: Found) -> bool:
        """Whether it would join two steps of an edit."""
        end = min((end for _, end in found.parts.values()), default=0)
        first = found.reader.begins(end) and end < found.end
        return first and self._edit[found.start] and found.start in dict(found.parts.values())

    def at(self, i: int) -> bool:
        """Whether a condition may begin with the piece at `i`."""
        before = self._reader.low(i - 1)
        step = self._edit[i] and (self._reader.pieces[i].begins or before == "{")
        return before in _BEFORE_A_CONDITION or step or self._defines(i)


def _indexed() -> tuple[dict[str, list[Notation]], list[Notation]]:
    by_word: dict[str, list[tuple[int, Notation]]] = {}
    others: list[tuple[int, Notation]] = []
    for rank, notation in enumerate(NOTATIONS):
        first = notation.elements[0]
        if first.method or first.optional:
            others.append((rank, notation))
        for word in first.words if not first.optional else ():
            by_word.setdefault(word, []).append((rank, notation))
    ranked = {
        word: [n for _, n in sorted([*entries, *others], key=lambda e: e[0])]
        for word, entries in by_word.items()
    }
    return ranked, [notation for _, notation in others]


_BY_WORD, _OTHERS = _indexed()


def _beginning_with(word: str) -> list[Notation]:
    return _BY_WORD.get(word, _OTHERS)


def _replace(
    mended: Mended,
    notation: Notation,
    found: Found,
    remedy: Remedy,
    lines: list[int],
    besides: Collection[tuple[str, int]],
    text: str,
    imported: set[str],
) -> bool:
    pieces = found.reader.pieces
    start, end = pieces[found.start].start, pieces[found.end - 1].end
    at, until = mended.origin(start, end)
    key = (notation.shape, at)
    if key in besides:
        return False
    new = remedy.fix if remedy.fix is not None else remedy.meanwhile
    if remedy.fix is None and not new and (notation.starts or notation.elements[0].name == "x"):
        # A condition is due here, whatever it is.
        new = found.example()
    old = mended.text[start:end]
    if new == old and remedy.fix is not None:
        return False
    shown = text[at:until]
    shown = shown if len(shown) <= 40 else shown[:37] + "…"
    message = notation.message.replace("{}", f"`{' '.join(shown.split())}`")
    span = Span(*_line_column(lines, at), *_line_column(lines, until))
    inside = [p for p in mended.places if at <= p.start and p.end <= until]
    modules = frozenset([remedy.module] if remedy.module else []).union(
        *(p.modules for p in inside)
    )
    hint = hint_of(remedy, modules - imported)
    diagnostic = Diagnostic(notation.code, message, span, hint)
    mended.places[:] = [p for p in mended.places if p not in inside]
    mended.places.append(Place(at, until, diagnostic, key, modules, remedy.fix is not None))
    # Behind a joint or a bracket nothing may be missing; a space keeps words apart.
    padded = f" {new} " if new else " "
    starts, ends = _aligned(padded, found, at, until, mended)
    mended.text = mended.text[:start] + padded + mended.text[end:]
    mended.starts[start:end] = starts
    mended.ends[start:end] = ends
    return True


def hint_of(remedy: Remedy, modules: Collection[str]) -> str:
    """Return the hint that says what to write, and which modules to import for it."""
    if remedy.fix is None:
        return remedy.hint
    if len(remedy.fix) > _SHOWN:
        return "give its parts names with `let`; then what is written here can be shown"
    parts = ["leave it out" if not remedy.fix else f"write `{remedy.fix}`"]
    parts += [f", with `import {module}` above" for module in sorted(modules)]
    if remedy.hint:
        parts.append(f"; {remedy.hint}")
    return "".join(parts)


def _imported(reader: Reader) -> set[str]:
    pieces = reader.pieces
    return {reader.low(i + 1) for i, piece in enumerate(pieces) if piece.text == "import"}


def _aligned(
    new: str, found: Found, at: int, until: int, mended: Mended
) -> tuple[list[int], list[int]]:
    """Return where the characters of `new` come from: a piece that stays keeps its place."""
    starts, ends = [at] * len(new), [until] * len(new)
    old = found.reader.pieces[found.start : found.end]
    place = 0
    for piece in pieces_of(new):
        for i in range(place, len(old)):
            if old[i].text == piece.text and piece.kind != "sign":
                first, last = mended.origin(old[i].start, old[i].end)
                starts[piece.start : piece.end] = [first] * len(piece.text)
                ends[piece.start : piece.end] = [last] * len(piece.text)
                place = i + 1
                break
    return starts, ends


def _import(mended: Mended, imported: set[str]) -> None:
    """Put the modules above the text that what was put in needs."""
    for place in mended.places:
        for module in sorted(place.modules - imported):
            line = f"import {module}\n"
            mended.text = line + mended.text
            mended.starts[:0] = [place.start] * len(line)
            mended.ends[:0] = [place.end] * len(line)
            imported.add(module)


def _line_starts(text: str) -> list[int]:
    return [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]


def _line_column(lines: list[int], offset: int) -> tuple[int, int]:
    line = bisect_right(lines, offset)
    return line, offset - lines[line - 1] + 1
