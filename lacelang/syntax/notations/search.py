"""Looks for notations in a text, and reads it with what is written here in their place."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice

from attrs import define

from lacelang.errors import MOST_SHOWN, Diagnostic, Span
from lacelang.syntax import nodes
from lacelang.syntax.grammar import STATEMENTS, keywords
from lacelang.syntax.lines import Lines, with_line_feeds
from lacelang.syntax.notations.facts import Facts, facts_of
from lacelang.syntax.notations.found import Found, Remedy
from lacelang.syntax.notations.mended import Mended, Surroundings, placed
from lacelang.syntax.notations.reader import Reader
from lacelang.syntax.notations.table import NOTATIONS, Notation
from lacelang.syntax.notations.words import (
    COMPARING,
    DENIALS,
    JOINTS,
    SETS,
    WORDS,
    models_named,
)
from lacelang.syntax.tokens import Tokens, tokenize

LONGEST = 100_000
"""Characters of a text that is searched, and of what is read in its place, all tries together."""

_MOST_TRIED = 100_000  # notations at all places of a text, all rounds and tries together
_TRIED = 40  # at a lexeme, at most about
_LONG = 1000  # lexemes of a text that is searched around what is wrong alone
_ROUNDS = 6  # of notations inside one another
_BEFORE_A_CONDITION = {*WORDS["asking"], *JOINTS, *DENIALS, *SETS["before_a_condition"]}
_OF_CONDITIONS = ("condition", "predicate", "unmeasured", "conjoined_list", "disjoined_list")


@define
class Patience:
    """How many more notations are tried at places of a text."""

    left: int = _MOST_TRIED


def mend(
    text: str,
    facts: Facts,
    besides: Collection[tuple[str, int]] = (),
    parsing: bool = False,
    wrong: Sequence[int] = (0,),
    patience: Patience | None = None,
    around: Surroundings | None = None,
) -> Mended:
    """Put what is written here in place of every notation; none stays inside another.

    Places whose keys are in `besides` are left alone; with `parsing`, those are found too that
    the grammar may read as something else. A long text is searched in the statements in which the
    offsets `wrong` lie and the next ones, and for as long as there is `patience`. `around` is what
    the text is a part of.
    """
    if len(text) > LONGEST:
        return Mended("", ())
    patience = patience or Patience()
    mended = Mended(text, besides, around)
    for _ in range(_ROUNDS):
        reader = Reader(mended.lexemes, facts)
        stretches = [(0, len(reader.lexemes))]
        if len(reader.lexemes) > _LONG or len(reader.lexemes) * _TRIED > patience.left:
            stretches = _around(reader, mended.shifted(wrong))
        starts, candidates = _Starts(reader), _Candidates(reader, parsing)
        scanned = (_scan(reader, each, starts, candidates, patience) for each in stretches)
        found = list(islice(chain.from_iterable(scanned), MOST_SHOWN))
        changed = [mended.replace(*one) for one in reversed(found)]
        if not any(changed) or len(mended.places) >= MOST_SHOWN:
            break
    mended.finish()
    return mended


def reread(
    text: str,
    program: nodes.Program,
    read: Callable[[Tokens], tuple[nodes.Program, list[Diagnostic]]],
    wrong: Iterable[Span],
    around: Surroundings | None = None,
) -> tuple[nodes.Program, list[Diagnostic], list[Diagnostic]] | None:
    """Read a text, with LF for every line end, with what is written here in place of notations.

    Without that, the places in `wrong` cannot be read. A notation that cannot be read even so is
    left to other diagnostics. Returns the program, what is wrong with the text, and those
    diagnostics behind which the program is not what was meant; None if the text has no notations.
    `around` is what the text is a part of.
    """
    if len(text) > LONGEST:
        return None
    if around is None:
        facts = _facts(text, program)
    else:
        whole = nodes.Program((*around.statements, *program.statements))
        facts = _facts(around.text, whole)
    lines, patience = Lines(text), Patience()
    at = sorted({lines.offsets(span)[0] for span in wrong}) or [0]
    besides: set[tuple[str, int]] = set()
    for _ in range(max(LONGEST // max(len(text), 1), 2)):
        mended = mend(text, facts, besides, wrong=at, patience=patience, around=around)
        if not mended.places:
            break
        tokens = placed(tokenize(mended.text), mended, lines)
        result, found = read(tokens)
        problems = tokens.problems + found
        spans = [lines.offsets(problem.span) for problem in problems]
        unread = {p.key for p in mended.places if any(s < p.end and p.start < e for s, e in spans)}
        if not unread:
            said = [place.diagnostic for place in mended.places]
            lost = [place.diagnostic for place in mended.places if not place.mended]
            return result, [*said, *problems], [*lost, *problems]
        besides |= unread
    return None


def notations_read(
    source: str, program: nodes.Program, wrong: Sequence[int] = (0,)
) -> list[Diagnostic]:
    """Return what is said of the notations in a text that the grammar can read.

    A long text is searched in the statements in which the offsets `wrong` lie.
    """
    text = with_line_feeds(source)
    places = mend(text, _facts(text, program), parsing=True, wrong=wrong).places
    return [place.diagnostic for place in places]


def _facts(text: str, program: nodes.Program) -> Facts:
    return facts_of(program, models_named(text))


def _around(reader: Reader, offsets: Sequence[int]) -> list[tuple[int, int]]:
    """Return the lexemes of the statements in which offsets lie, each with the next statement."""
    lexemes = reader.lexemes
    starts = [
        i for i in range(len(lexemes)) if reader.begins(i) and reader.low(i).upper() in STATEMENTS
    ]
    stretches: list[tuple[int, int]] = []
    for offset in offsets:
        after = bisect_right(lexemes, offset, key=lambda lexeme: lexeme.start)
        own, following = bisect_right(starts, after - 1), bisect_left(starts, after)
        first = starts[own - 1] if own else 0
        last = starts[following + 1] if following + 1 < len(starts) else len(lexemes)
        if stretches and first <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(last, stretches[-1][1]))
        else:
            stretches.append((first, last))
    return stretches


def _scan(
    reader: Reader,
    stretch: tuple[int, int],
    starts: _Starts,
    candidates: _Candidates,
    patience: Patience,
) -> Iterator[tuple[Notation, Found, Remedy]]:
    place, end = stretch
    while place < end and patience.left > 0:
        if reader.low(place) == "model" and reader.low(place + 2) == "{":
            # Its braces hold names and numbers of their own, `{ child: 10 }`.
            place = reader.closing(place + 2) or len(reader.lexemes)
        elif reader.low(place) == "each" and reader.low(place + 1) == "{":
            # So do these, `{ blond: 3 }`.
            place = reader.closing(place + 1) or place + 1
        elif one := _at(reader, place, starts, candidates, patience):
            yield one
            place = max(one[1].end, place + 1)
        else:
            place += 1


def _at(
    reader: Reader, place: int, starts: _Starts, candidates: _Candidates, patience: Patience
) -> tuple[Notation, Found, Remedy] | None:
    for notation in candidates.at(place):
        if not starts.allows(notation, place):
            continue
        patience.left -= 1
        found = notation.match(reader, place)
        remedy = notation.remedy(found) if found is not None and starts.holds(found) else None
        if found is not None and remedy is not None:
            return notation, found, remedy
    return None


_TOLD_APART = frozenset({"(", "-", "+", "−", *keywords(), *DENIALS}).union(
    *(e.openings or e.words for notation in NOTATIONS for e in notation.shape)
)
"""Lexemes that notations begin with, or have behind their first."""


class _Candidates:
    """The notations that may be in a text: all that they need is there."""

    def __init__(self, reader: Reader, parsing: bool) -> None:
        self._reader = reader
        there = {lexeme.low for lexeme in reader.lexemes}
        self._all = {
            id(notation)
            for notation in NOTATIONS
            if (parsing or not notation.parses)
            and not any(map(there.isdisjoint, notation.shape.needed))
        }
        self._known: dict[tuple[str, str, str], list[Notation]] = {}

    def at(self, place: int) -> list[Notation]:
        """Return those that may begin with a lexeme, as far as it and the next one tell."""
        low, after = self._reader.low(place), self._reader.low(place + 1)
        key = (
            self._reader.kind(place),
            low if low in _TOLD_APART else "",
            after if after in _TOLD_APART else "",
        )
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = [n for n in _beginning(*key) if id(n) in self._all]
        return found


@lru_cache(maxsize=4096)
def _beginning(kind: str, low: str, after: str) -> list[Notation]:
    """Return the notations that may begin with a lexeme that has `after` behind it."""
    return [notation for notation in NOTATIONS if notation.shape.may_begin(kind, low, after)]


class _Starts:
    """Where a condition may begin: behind certain words, and at every step of an edit."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[int, bool] = {}
        self._edit: list[bool] = []
        edit, depth = False, 0
        for lexeme in reader.lexemes:
            self._edit.append(depth == 1)
            if lexeme.low == "edit":
                edit, depth = True, 0
            elif lexeme.text == "{" and edit:
                depth += 1
            elif lexeme.text == "}" and edit:
                depth -= 1
                edit = depth > 0

    def allows(self, notation: Notation, i: int) -> bool:
        """Whether a notation may begin with the lexeme at `i`."""
        if notation.starts:
            return self._at(i)
        kind = notation.first.kind
        reader, before = self._reader, self._reader.low(i - 1)
        if kind and before in SETS["before_a_name"]:
            return False
        value = (before in COMPARING or before == "..") and not self._defines(i)
        value = value or (reader.kind(i - 1) == "number" and reader.unit(i) == i + 1)
        if kind in ("name", "measured", "binary", "known"):
            return reader.low(i) not in SETS["stranger"] and not value
        if kind in _OF_CONDITIONS and reader.name(i) is not None:
            # A value is no condition, though a bracket in the next line may make it look a call.
            return not value and (reader.name(i) != reader.condition(i) or self._at(i))
        return True

    def _defines(self, i: int) -> bool:
        """Whether a definition begins with the lexeme at `i`."""
        low = self._reader.low
        return low(i - 1) == "=" and (low(i - 3) in ("let", "var") or low(i - 2) == ")")

    def _at(self, i: int) -> bool:
        """Whether a condition may begin with the lexeme at `i`."""
        if i not in self._known:
            self._known[i] = self._at_anew(i)
        return self._known[i]

    def _at_anew(self, i: int) -> bool:
        before = self._reader.low(i - 1)
        goes_on = before in COMPARING or before == "in"
        step = self._edit[i] and (before == "{" or (self._reader.begins(i) and not goes_on))
        return before in _BEFORE_A_CONDITION or step or self._defines(i)

    def holds(self, found: Found) -> bool:
        """Whether it does not join two steps of an edit."""
        end = min((end for _, end in found.parts.values()), default=0)
        next_step = found.reader.begins(end) and end < found.end
        first = found.start in dict(found.parts.values())
        return not (next_step and first and self._edit[found.start])
