"""Values, conditions, lists and phrases among the lexemes of a text, each as far as it goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from lacelang.syntax.grammar import UNITS, keywords
from lacelang.syntax.notations.facts import Fact, Facts
from lacelang.syntax.notations.words import (
    CLOSER,
    COMPARING,
    DENIALS,
    JOINTS,
    PATTERNS,
    SETS,
    WORDS,
    Lexeme,
)

_DEEPEST = 24
_REACH = 400  # lexemes that a condition or a bracket may take
_BETWEEN = frozenset({",", ";", "and", "or"})


class Reader:
    """Reads what the elements of shapes stand for; see `table`.

    The methods whose result may be None return where what they are named after ends, if it begins
    with the lexeme at `i`.
    """

    def __init__(self, lexemes: Sequence[Lexeme], facts: Facts) -> None:
        self.lexemes = lexemes
        self.facts = facts
        self._lows = [lexeme.low for lexeme in lexemes]
        self._words = keywords()
        self._in_call = list(self._calls())
        self._read: dict[tuple[str, int], int | None] = {}
        self._conditions: dict[int, int | None] = {}
        self._chains: dict[str, dict[int, int | None]] = defaultdict(dict)

    def low(self, i: int) -> str:
        """Return the lexeme at `i` in small letters; empty beyond the text."""
        return self._lows[i] if 0 <= i < len(self._lows) else ""

    def _calls(self) -> Iterator[bool]:
        """Yield for each lexeme whether it stands in the brackets of a call."""
        inside: list[bool] = []
        for i, lexeme in enumerate(self.lexemes):
            if lexeme.text in CLOSER:
                inside.append(lexeme.text == "(" and self.name(i - 1) is not None)
            elif inside and lexeme.text in CLOSER.values():
                inside.pop()
            yield bool(inside) and inside[-1]

    def kind(self, i: int) -> str:
        """Return the kind of the lexeme at `i`; empty beyond the text."""
        return self.lexemes[i].kind if 0 <= i < len(self.lexemes) else ""

    def touches(self, i: int) -> bool:
        """Whether nothing stands between the lexeme at `i` and the one before."""
        return 0 < i < len(self.lexemes) and self.lexemes[i - 1].end == self.lexemes[i].start

    def begins(self, i: int) -> bool:
        """Whether the lexeme at `i` is the first of its line."""
        return i < len(self.lexemes) and self.lexemes[i].begins

    def fact(self, i: int) -> Fact | None:
        """Return what is known of the attribute that the lexeme at `i` names."""
        return self.facts.get(self.lexemes[i].text) if 0 <= i < len(self.lexemes) else None

    def read(self, element: str, i: int) -> int | None:
        """Return where an element ends: of one of the tables, or what a method here reads."""
        key = element, i
        if key not in self._read:
            self._read[key] = self._read_anew(element, i)
        return self._read[key]

    def _read_anew(self, element: str, i: int) -> int | None:
        low = self.low(i)
        if element in PATTERNS:
            return i + 1 if PATTERNS[element].fullmatch(low) else None
        if element not in WORDS:
            end: int | None = (_OTHERS.get(element) or getattr(Reader, element))(self, i)
            return end
        ends = (
            i + len(words)
            for words in map(str.split, WORDS[element])
            if words[0] == low and all(self.low(i + k) == word for k, word in enumerate(words))
        )
        return max(ends, default=None)

    # Values

    def of_kind(self, i: int, kind: str) -> int | None:
        """A name, unless its attribute is known not to be of a kind."""
        fact = self.fact(i)
        return self.name(i) if fact is None or fact.kind == kind else None

    def name(self, i: int) -> int | None:
        """A name, of an attribute for one."""
        return i + 1 if self.kind(i) == "word" and self.low(i) not in self._words else None

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
        return i + 1 if self.kind(i) == "text" else self.name(i)

    def flag(self, i: int) -> int | None:
        """The value of an option: `4`, `1:1`, `heun`."""
        end = self.value(i) if not self.begins(i) and self.low(i) != "--" else None
        if end is not None and self.low(end) in (":", "/", "x") and self.kind(end + 1) == "number":
            return end + 2
        return end

    def alternatives(self, i: int) -> int | None:
        """Several values with `or`, a comma, a bar or a slash between."""
        end = self.value(i)
        several = False
        while end is not None and self.low(end) in ("or", ",", "|", "||", "/"):
            if self.low(end) == "," and self._in_call[end]:
                break  # what follows is the next argument
            further = self.value(end + 1)
            if further is None or self.low(further) in (*COMPARING, "in", "(", ":", "is", "%"):
                break
            if self._decimal_comma(end):
                return None
            end, several = further, True
        return end if several else None

    def _decimal_comma(self, i: int) -> bool:
        """Whether the comma at `i` is part of a number: `15,5`."""
        numbers = self.kind(i - 1) == self.kind(i + 1) == "number"
        return self.low(i) == "," and numbers and self.touches(i) and self.touches(i + 1)

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

    # Words for values that are met closely

    def nearly(self, i: int) -> int | None:
        """What stands before a value, said to be met closely or not."""
        end = i
        while end < i + 4 and self.low(end) in SETS["nearly"] | SETS["before_nearly"]:
            end += 1
        return end if end > i else None

    def approximately(self, i: int) -> int | None:
        """What says that a value is met closely."""
        end = self.nearly(i) or i
        said = [self.low(k) for k in range(i, end)]
        # `= ~` and `= =` say it too.
        twice = len(set(said)) < len(said) or ("~" in said and len(said) > 1)
        return end if said and (twice or not SETS["nearly"].isdisjoint(said)) else None

    # Conditions

    def condition(self, i: int, depth: int = 0) -> int | None:
        """A comparison, a name, a call or a bracket, each perhaps denied or weighed."""
        if i not in self._conditions:
            self._conditions[i] = None
            end = self._condition(i, depth)
            if end is not None and self.low(end) == "[" and self.low(end + 1) in ("weight", "temp"):
                end = self.closing(end) or end
            self._conditions[i] = end
        return self._conditions[i]

    def _condition(self, i: int, depth: int) -> int | None:
        if depth > _DEEPEST:
            return None
        if self.low(i) in DENIALS:
            return self.condition(i + 1, depth + 1)
        if self.low(i) == "(":
            inner = self.predicate(i + 1, depth + 1)
            return inner + 1 if inner is not None and self.low(inner) == ")" else None
        end = self.name(i)
        if end is None or self.low(i) in SETS["stranger"]:
            return None
        if self.low(end) == "(":
            return self.closing(end)
        if self.low(end) in COMPARING:
            return self.value(end + 1)
        if self.low(end) != "in":
            return end
        if self.low(end + 1) == "{":
            return self.closing(end + 1)
        low = self.value(end + 1)
        return self.value(low + 1) if low and self.low(low) == ".." else None

    def comparison(self, i: int) -> int | None:
        """A condition that begins with an attribute and what it is compared with."""
        return self.condition(i) if self.low(i + 1) in (*COMPARING, "in") else None

    def predicate(self, i: int, depth: int = 0) -> int | None:
        """Conditions that are joined."""
        return self._chain(i, "joint", depth)

    def _chain(self, i: int, joint: str, depth: int = 0) -> int | None:
        """Conditions with such joints between; two at least if the joints are of elsewhere."""
        known, elsewhere = self._chains[joint], joint != "joint"
        if i not in known:
            starts, end = [i], self.condition(i, depth)
            while end is not None and end < i + _REACH:
                beyond = self.read(joint, end)
                further = self.condition(beyond, depth) if beyond is not None else None
                if beyond is None or further is None:
                    break
                if elsewhere and self.low(further) in ("=", "%"):
                    break
                starts.append(beyond)
                end = further
            # Whatever it is a part of, what begins at a joint ends where the whole does.
            known.update(dict.fromkeys(starts, end))
            if elsewhere:
                known[starts[-1]] = None
        return known[i]

    def unspaced(self, i: int) -> int | None:
        """Conditions that signs join which touch them: `a&b`."""
        end = self.predicate(i) or i
        signs = (k for k in range(i + 1, end) if self.low(k) in JOINTS and self.kind(k) == "sign")
        return end if any(self.touches(k) and self.comparison(k + 1) for k in signs) else None

    # Brackets and lists

    def closing(self, i: int) -> int | None:
        """The bracket at `i` and all in it, if it is closed and near."""
        opened: list[str] = []
        for place in range(i, min(i + _REACH, len(self.lexemes))):
            text = self.lexemes[place].text
            if text in CLOSER:
                opened.append(CLOSER[text])
            elif opened and text == opened[-1]:
                opened.pop()
                if not opened:
                    return place + 1
        return None

    def listed(self, i: int) -> int | None:
        """A list of conditions, its brackets included."""
        found = self.items(i)
        if not found:
            return None
        bracketed = self.low(i) in CLOSER and found[0][0] > i
        return self.closing(i) if bracketed else found[-1][1]

    def items(self, i: int) -> list[tuple[int, int]]:
        """Return where the conditions of a list begin and end, its brackets not counted."""
        closer = CLOSER.get(self.low(i))
        if closer == ")" and self.low(i + 1) in CLOSER:
            inner = self.items(i + 1)
            if inner and self.low(inner[-1][1] + 1) == ")":
                return inner
        if closer:
            found = self.split(i + 1, _BETWEEN)
            found = found if found and self.low(found[-1][1]) == closer else []
            # `(a and b), c`: the brackets are the first item's.
            first = len(found) == 1 and closer == ")" and self.low(found[0][1] + 1) in (",", ";")
            return (self._unbracketed(i) if first else []) or found
        return self._unbracketed(i)

    def _unbracketed(self, i: int) -> list[tuple[int, int]]:
        # Where words join the items, `a, b and c`, each is one condition.
        found = []
        while True:
            end = self.condition(i)
            if end is None:
                return []
            found.append((i, end))
            word = self.low(end)
            i = end + 1 + (self.low(end + 1) in ("and", "or"))
            if word in ("and", "or"):
                last = self.condition(end + 1)
                return [*found, (end + 1, last)] if last is not None else found
            if word not in _BETWEEN:
                return found

    def split(self, i: int, signs: frozenset[str]) -> list[tuple[int, int]]:
        """Return the conditions from `i` on with `signs` between; none if one is missing."""
        found = []
        while True:
            end = self.predicate(i)
            if end is None:
                return []
            found.append((i, end))
            if self.low(end) not in signs:
                return found
            i = end + 1 + (self.low(end + 1) in ("and", "or"))


_OTHERS: dict[str, Callable[[Reader, int], int | None]] = {
    "binary": lambda r, i: r.of_kind(i, "binary"),
    "measured": lambda r, i: r.of_kind(i, "measured"),
    "known": lambda r, i: r.name(i) if r.fact(i) is not None else None,
    "unmeasured": lambda r, i: None if r.fact(i) and r.of_kind(i, "measured") else r.condition(i),
    "stated": lambda r, i: end if (end := r.condition(i)) != r.name(i) else None,
    "literal": lambda r, i: r.value(i) if r.kind(i) != "word" else None,
    "conjoined_list": lambda r, i: r._chain(i, "conjoined"),
    "disjoined_list": lambda r, i: r._chain(i, "disjoined"),
    "barred_list": lambda r, i: r._chain(i, "barred"),
    "braces": lambda r, i: r.closing(i) if r.low(i) in CLOSER else None,
    "arguments": lambda r, i: next((end for _, end in r.split(i, frozenset(","))[-1:]), None),
    "bracketed": lambda r, i: r.listed(i) if r.low(i) in CLOSER else None,
}
"""Elements of shapes that are those of others on a condition."""
