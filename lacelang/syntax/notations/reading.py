"""Words and signs of other tools among the pieces of a text, each as far as it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from lacelang.syntax.notations.conditions import CLOSER, COMPARING, JOINTS, REACH, Conditions
from lacelang.syntax.notations.pieces import Piece, words_of

TRUTHS = {"true": "1", "yes": "1", "on": "1", "false": "0", "no": "0", "off": "0"}
"""What is written for 1 and 0 elsewhere."""

COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
"""Numbers as words."""


_MORE = ("greater", "more", "larger", "bigger", "higher", "older")
_LESS = ("less", "smaller", "fewer", "lower", "younger")
COMPARATIVES = {
    **{f"{word} than": ">" for word in _MORE},
    **{f"{word} than": "<" for word in _LESS},
    **{f"{word} than or equal to": ">=" for word in _MORE},
    **{f"{word} than or equal to": "<=" for word in _LESS},
    **dict.fromkeys(("above", "over", "exceeds", "beyond", "greater", "more"), ">"),
    **dict.fromkeys(("below", "under", "less"), "<"),
    **dict.fromkeys(("at least", "no less than", "not less than", "not below"), ">="),
    **dict.fromkeys(("at most", "up to", "no more than", "not more than", "not above"), "<="),
    **dict.fromkeys(("equal to", "equals", "exactly"), "="),
    **dict.fromkeys(("not equal to", "other than", "different from"), "!="),
}
"""How people say what an operator says."""


class Reader(Conditions):
    """Reads what the elements of shapes stand for; see `table`."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        super().__init__(pieces)
        self._chains: dict[str, dict[int, int | None]] = {}

    def words(self, i: int, phrases: Iterable[str]) -> int | None:
        """The longest of some phrases of words."""
        return max((end for p in phrases if (end := self._phrase(i, p))), default=None)

    def _phrase(self, i: int, phrase: str) -> int:
        """Return the place behind a phrase, 0 if it does not stand there."""
        if not phrase.startswith(self.low(i)) or not self.low(i):
            return 0
        for word in phrase.split():
            if self.low(i) != word:
                return 0
            i += 1
        return i

    def comparative(self, i: int) -> int | None:
        """`greater than`, `at least`."""
        return self.words(i, COMPARATIVES)

    def quantity(self, i: int) -> int | None:
        """`at least`, `no more than`."""
        return self.words(i, _QUANTITIES)

    def quantor(self, i: int) -> int | None:
        """`any`, `all`, `none`."""
        return self.words(i, _QUANTORS)

    def joiner(self, i: int) -> int | None:
        """A word of the language in front of its operands."""
        return self.words(i, ("and", "or", "xor"))

    def counter(self, i: int) -> int | None:
        """A function that counts, as others have it."""
        return self.words(i, _COUNTERS)

    def count(self, i: int) -> int | None:
        """A whole number, in digits or as a word."""
        digits = self.kind(i) == "number" and self.pieces[i].text.isdigit()
        return i + 1 if digits or self.low(i) in COUNTS else None

    def pluses(self, i: int) -> int | None:
        """`++`, `--`."""
        return i + 1 if set(self.low(i)) in ({"+"}, {"-"}) else None

    def times(self, i: int) -> int | None:
        """`x2`."""
        text = self.low(i)
        return i + 1 if text[:1] == "x" and text[1:].isdigit() else None

    def word(self, i: int) -> int | None:
        """Any word, those of the language too."""
        return i + 1 if self.kind(i) == "word" else None

    def wildcard(self, i: int) -> int | None:
        """`__hair__`."""
        text = self.low(i)
        return i + 1 if len(text) > 4 and text[:2] == text[-2:] == "__" else None

    def percent(self, i: int) -> int | None:
        """`%`."""
        return i + 1 if self.low(i) == "%" else None

    def literal(self, i: int) -> int | None:
        """A value that is no name."""
        return self.value(i) if self.kind(i) != "word" else None

    def equal(self, i: int) -> int | None:
        """What says that an attribute has a value."""
        return self.words(i, ("=", "==", ":", ":=", "is", "equals"))

    def among(self, i: int) -> int | None:
        """What says that an attribute has one of several values."""
        return self.words(
            i, ("=", "==", ":", "is", "in", "∈", "is in", "= in", "among", "is among")
        )

    def approximately(self, i: int) -> int | None:
        """What says that a value is met closely."""
        return self.nearly(i, _NEARLY)

    def nearly(self, i: int, among: frozenset[str] = frozenset()) -> int | None:
        """What stands before a value, said to be met closely or not.

        Args:
            among: one of these must be there, where it is not empty.
        """
        end = i
        while end < i + 4 and self.low(end) in _NEARLY | _PLAIN:
            end += 1
        said = {self.low(k) for k in range(i, end)}
        if ("~" in said and len(said) > 1) or end - i > len(said):
            said |= among
        return end if end > i and (not among or said & among) else None

    def alternatives(self, i: int) -> int | None:
        """Several values with `or`, a comma, a bar or a slash between."""
        end = self.value(i)
        several = False
        while end is not None and self.low(end) in ("or", ",", "|", "||", "/"):
            further = self.value(end + 1)
            if further is None or self.low(further) in (*COMPARING, "in", "(", ":", "is", "%"):
                break
            if self._decimal_comma(end):
                return None
            end, several = further, True
        return end if several else None

    def _decimal_comma(self, i: int) -> bool:
        """Whether a comma parts two numbers that it touches: `15,5` is one number."""
        numbers = self.kind(i - 1) == self.kind(i + 1) == "number"
        return self.low(i) == "," and numbers and self.touches(i) and self.touches(i + 1)

    def comparing(self, i: int) -> int | None:
        """A sign that compares."""
        return i + 1 if self.low(i) in COMPARING else None

    def comparison(self, i: int) -> int | None:
        """A condition that begins with an attribute and what it is compared with."""
        return self.condition(i) if self.low(i + 1) in (*COMPARING, "in") else None

    def truth(self, i: int) -> int | None:
        """`true`, `no`."""
        return i + 1 if self.low(i).strip("\"'") in TRUTHS else None

    def asking(self, i: int) -> int | None:
        """A word that a condition follows."""
        return i + 1 if self.low(i) in ("where", "given", "measure", "expect") else None

    def flag(self, i: int) -> int | None:
        """The value of an option: `4`, `1:1`, `heun`."""
        end = self.value(i) if not self.begins(i) and self.low(i) != "--" else None
        if end is not None and self.low(end) in (":", "/", "x") and self.kind(end + 1) == "number":
            return end + 2
        return end

    def begins(self, i: int) -> bool:
        """Whether the piece at `i` is the first of its line."""
        return i < len(self.pieces) and self.pieces[i].begins

    def unspaced(self, i: int) -> int | None:
        """Conditions that signs join which touch them: `a&b`."""
        end = self.predicate(i) or i
        signs = (k for k in range(i + 1, end) if self.low(k) in JOINTS and self.kind(k) == "sign")
        return end if any(self.touches(k) and self.comparison(k + 1) for k in signs) else None

    def conjoined(self, i: int) -> int | None:
        """What says `and` elsewhere."""
        return self.words(i, _CONJOINING)

    def disjoined(self, i: int) -> int | None:
        """What says `or` elsewhere."""
        return self.words(i, _DISJOINING)

    def conjoined_list(self, i: int) -> int | None:
        """Conditions with what says `and` elsewhere between."""
        return self._chain(i, self.conjoined)

    def disjoined_list(self, i: int) -> int | None:
        """Conditions with what says `or` elsewhere between."""
        return self._chain(i, self.disjoined)

    def _chain(self, i: int, joint: Callable[[int], int | None]) -> int | None:
        known = self._chains.setdefault(joint.__name__, {})
        if i not in known:
            starts, end = [i], self.condition(i)
            while end is not None and end < i + REACH:
                beyond = joint(end)
                further = self.condition(beyond) if beyond is not None else None
                if beyond is None or further is None or self.low(further) in ("=", "%"):
                    break
                starts.append(beyond)
                end = further
            known.update(dict.fromkeys(starts[:-1], end))
            known[starts[-1]] = None  # one condition is no chain
        return known[i]

    def mapping(self, i: int) -> int | None:
        """Names and values with colons, as data are written."""
        opened = self.low(i) == "{"
        place, several = i + opened, opened or self.kind(i) == "text"
        while True:
            name = self.kind(place) == "text" or self.name(place)
            end = self.value(place + 2) if name and self.low(place + 1) == ":" else None
            if end is None:
                return None
            if self.low(end) != ",":
                break
            place, several = end + 1, True
        if opened:
            return end + 1 if self.low(end) == "}" else None
        return end if several else None

    def braces(self, i: int) -> int | None:
        """Anything in brackets."""
        return self.closing(i) if self.low(i) in CLOSER else None

    def parens(self, i: int) -> int | None:
        """Anything in round brackets that touch the word before."""
        return self.closing(i) if self.low(i) == "(" and self.touches(i) else None

    def bracketed(self, i: int) -> int | None:
        """A list of conditions in brackets."""
        return self.list_end(i) if self.low(i) in CLOSER else None


_NEARLY = words_of(
    "≈ ≅ ≃ ∼ ~= =~ about around approximately approx roughly circa ca near nearly close almost"
)
_PLAIN = frozenset({"=", "==", ":", "is", "in", "to", "at", "~"})
_CONJOINING = (
    "+", "*", "**", "∩", "⋅", "plus", "also", "and also", "as well as", "and furthermore",
    "along with", "together with", "break", "and then",
)  # fmt: skip
_DISJOINING = ("∪", "or else", "and / or", "/", "or alternatively", "alternatively")
_QUANTITIES = (
    "at least", "atleast", "minimum", "min", "no fewer than", "no less than", "not less than",
    "at most", "atmost", "maximum", "max", "up to", "no more than", "not more than", "more than",
    "over", "less than", "fewer than", "exactly", "just", "only", "precisely", "any",
)  # fmt: skip
_QUANTORS = words_of("all every each both any some none neither one either nand nor")
_COUNTERS = ("at_least", "atleast", "at_most", "atmost", "exactly", "n_of", "any_of", "nof")
