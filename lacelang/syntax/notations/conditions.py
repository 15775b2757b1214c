"""Values, conditions and lists among the pieces of a text, each as far as it goes."""

from __future__ import annotations

from collections.abc import Sequence

from lacelang.syntax.grammar import UNITS, keywords
from lacelang.syntax.notations.pieces import Piece, words_of

JOINTS = {
    "and": "and",
    "or": "or",
    "xor": "xor",
    "implies": "implies",
    "&&": "and",
    "&": "and",
    "∧": "and",
    "||": "or",
    "|": "or",
    "∨": "or",
    "^": "xor",
    "⊕": "xor",
}
"""What joins conditions, here and elsewhere, and how it is written here."""

DENIALS = {"not": "not", "!": "not", "¬": "not"}
COMPARING = {"=": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "~": "~"}
COMPARING |= {"==": "=", "≤": "<=", "≥": ">=", "≠": "!=", "<>": "!="}

CLOSER = {"(": ")", "[": "]", "{": "}"}
_DEEPEST = 24
REACH = 400
"""Pieces that a condition or a bracket may take."""


STRANGERS = words_of(
    "if then else elif unless when whenever iff but without with has have wearing of except "
    "nand nor xnor plus minus no is are isn either neither both at least most exactly only "
    "just any all none every some one two three between limit order group also"
)
"""Words that join or begin something elsewhere, so that they are no names of conditions."""


class Conditions:
    """Reads what stands at a place as lacelang does; every method returns where it ends, or None.

    Attributes:
        pieces: of the whole text.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        self._low = [piece.low for piece in pieces]
        self._words = keywords()
        self._conditions: dict[int, int | None] = {}
        self._predicates: dict[int, int | None] = {}

    def low(self, i: int) -> str:
        """Return the piece at `i` in small letters; empty beyond the text."""
        return self._low[i] if 0 <= i < len(self._low) else ""

    def kind(self, i: int) -> str:
        """Return the kind of the piece at `i`; empty beyond the text."""
        return self.pieces[i].kind if 0 <= i < len(self.pieces) else ""

    def touches(self, i: int) -> bool:
        """Whether nothing stands between the piece at `i` and the one before."""
        return 0 < i < len(self.pieces) and self.pieces[i - 1].end == self.pieces[i].start

    def name(self, i: int) -> int | None:
        """A name, of an attribute for one."""
        is_name = self.kind(i) == "word" and self.pieces[i].text.lower() not in self._words
        return i + 1 if is_name else None

    def number(self, i: int) -> int | None:
        """A number, its sign included."""
        if self.low(i) in ("-", "+", "−") and self.touches(i + 1):
            i += 1
        return i + 1 if self.kind(i) == "number" else None

    def unit(self, i: int) -> int | None:
        """A unit, or nothing."""
        return i + 1 if self.low(i) in (*UNITS, "°") else i

    def value(self, i: int) -> int | None:
        """A number with its unit, a name or a text."""
        end = self.number(i)
        if end is not None:
            return self.unit(end)
        if self.kind(i) == "text":
            return i + 1
        return self.name(i)

    def condition(self, i: int, depth: int = 0) -> int | None:
        """A comparison, a name, a call or a bracket, each perhaps denied or weighed."""
        if i not in self._conditions:
            self._conditions[i] = None
            self._conditions[i] = self._condition(i, depth)
        return self._conditions[i]

    def _condition(self, i: int, depth: int) -> int | None:
        if depth > _DEEPEST:
            return None
        if self.low(i) in DENIALS:
            return self.condition(i + 1, depth + 1)
        if self.low(i) == "(":
            inner = self.predicate(i + 1, depth + 1)
            if inner is None or self.low(inner) != ")":
                return None
            return self._settings(inner + 1)
        end = self.name(i)
        if end is None or self.low(i) in STRANGERS:
            return None
        if self.low(end) == "(":
            close = self.closing(end)
            return self._settings(close) if close is not None else None
        if self.low(end) in COMPARING:
            value = self.value(end + 1)
            return self._settings(value) if value is not None else None
        if self.low(end) == "in":
            if self.low(end + 1) == "{":
                values = self.closing(end + 1)
            else:
                low = self.value(end + 1)
                values = self.value(low + 1) if low and self.low(low) == ".." else None
            return self._settings(values) if values is not None else None
        return self._settings(end)

    def _settings(self, i: int) -> int:
        if self.low(i) == "[" and self.low(i + 1) in ("weight", "temp"):
            return self.closing(i) or i
        return i

    def predicate(self, i: int, depth: int = 0) -> int | None:
        """Conditions that are joined."""
        if i not in self._predicates:
            starts, end = [i], self.condition(i, depth)
            while end is not None and end < i + REACH and self.low(end) in JOINTS:
                further = self.condition(end + 1, depth)
                if further is None:
                    break
                starts.append(end + 1)
                end = further
            # Whatever it is a part of, what begins at a joint ends where the whole does.
            self._predicates.update(dict.fromkeys(starts, end))
        return self._predicates[i]

    def closing(self, i: int, reach: int = REACH) -> int | None:
        """Return the place behind the bracket that closes the one at `i`, if it is near."""
        opened: list[str] = []
        for place in range(i, min(i + reach, len(self.pieces))):
            text = self.pieces[place].text
            if text in CLOSER:
                opened.append(CLOSER[text])
            elif opened and text == opened[-1]:
                opened.pop()
                if not opened:
                    return place + 1
        return None

    def items(self, i: int) -> list[tuple[int, int]] | None:
        """Return where the conditions of a list begin and end, its brackets not counted."""
        opener = self.low(i) if self.low(i) in CLOSER else ""
        if opener == "(" and self.low(i + 1) in ("[", "{", "("):
            inner = self.items(i + 1)
            if inner and self.low(inner[-1][1] + 1) == ")":
                return inner
        found: list[tuple[int, int]] = []
        place = i + 1 if opener else i
        while True:
            # Where words join the items, `a, b and c`, each is one condition.
            end = self.predicate(place) if opener else self.condition(place)
            if end is None:
                return None
            found.append((place, end))
            if self.low(end) not in _BETWEEN or (not opener and self.low(end) in ("and", "or")):
                break
            place = end + 1 + (self.low(end + 1) in ("and", "or"))
        if opener and self.low(end) != CLOSER[opener]:
            return None
        if not opener:
            found += self._last_item(end)
        return found

    def _last_item(self, end: int) -> list[tuple[int, int]]:
        if self.low(end) in ("and", "or"):
            last = self.condition(end + 1)
            if last is not None:
                return [(end + 1, last)]
        return []

    def list_end(self, i: int) -> int | None:
        """Return the place behind a list of conditions, its brackets included."""
        found = self.items(i)
        if found is None:
            return None
        end = found[-1][1]
        return self.closing(i) if self.low(i) in CLOSER else end


_BETWEEN = frozenset({",", ";", "and", "or"})
