"""What an entry of the tables is: the shape of a notation, what is said of it, what to write.

A shape is a line of elements. An element is a sign or a word, or several with commas between,
any of which may stand there (`,,` among them is a comma); `?` behind it allows that it is missing.
One in braces is a method of `Reader`, and what it reads is kept under a name: `{a:condition}`,
`{n:number}`. `^` asks that it touch the piece before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import field, frozen

from lacelang.syntax.notations.conditions import COMPARING, DENIALS, JOINTS
from lacelang.syntax.notations.facts import Facts
from lacelang.syntax.notations.reading import Reader

_HERE = {**JOINTS, **DENIALS, **COMPARING}


@frozen
class Found:
    """A notation where it stands.

    Attributes:
        reader: of the whole text.
        start, end: the pieces that it takes.
        parts: what its named elements read: from which piece up to which.
        conditions: names of those parts that are conditions.
        facts: what is known of the attributes.
    """

    reader: Reader
    start: int
    end: int
    parts: Mapping[str, tuple[int, int]]
    conditions: frozenset[str]
    facts: Facts

    def __getitem__(self, name: str) -> str:
        """Return the text of a part, as it is written in lacelang."""
        start, end = self.parts[name]
        return self.condition(start, end) if name in self.conditions else self.text(start, end)

    def __contains__(self, name: str) -> bool:
        """Whether a part has been read."""
        return name in self.parts

    def get(self, name: str, otherwise: str = "") -> str:
        """Return the text of a part, or `otherwise` if there is none."""
        return self[name] if name in self.parts else otherwise

    def condition(self, start: int, end: int) -> str:
        """Return the pieces as a condition; a yes-or-no attribute alone is asked to be 1."""
        return self.text(start, end, asked=True)

    def text(self, start: int, end: int, asked: bool = False) -> str:
        """Return the pieces from `start` up to `end` on one line, operators as they are here."""
        words: list[str] = []
        pieces = self.reader.pieces
        for i in range(start, end):
            piece = pieces[i]
            meant = _HERE.get(piece.low, piece.text)
            before = pieces[i - 1] if i > start else None
            apart = before is not None and before.end < piece.start
            # `a|b` becomes two words and more.
            replaced = meant != piece.text and piece.kind == "sign" and meant.isalpha()
            behind = before is not None and before.kind == "sign" and words[-1].strip().isalpha()
            apart = apart or replaced or behind
            words.append((" " if apart and words else "") + meant)
            words[-1] = words[-1].replace("°", " deg")
            if asked and self._stands_alone(i, start):
                words[-1] += "=1"
        return "".join(words)

    def _stands_alone(self, i: int, start: int) -> bool:
        """Whether the piece at `i` is the name of a yes-or-no attribute and no value is asked."""
        fact = self.facts.get(self.reader.pieces[i].text)
        if fact is None or fact.kind != "binary":
            return False
        compared = i > start and self.reader.low(i - 1) in (*COMPARING, "in", "..")
        return not compared and self.reader.low(i + 1) not in (*COMPARING, "in")

    def raw(self, name: str) -> str:
        """Return the text of a part as it stands."""
        return self.text(*self.parts[name])

    def number(self, name: str) -> float:
        """Return the number that a part is."""
        return float(self[name].replace(" ", "").replace("−", "-"))

    def example(self) -> str:
        """Return a right condition on the attribute that is part `x`; empty if there is none."""
        fact = self.facts.get(self.raw("x")) if "x" in self else None
        if fact is None:
            return self.raw("x") + "=1" if "x" in self else ""
        value = f"{fact.low:g}" if fact.kind == "measured" else fact.values[-1]
        return f"{self.raw('x')}={value}"

    def single(self, name: str) -> bool:
        """Whether a part is one condition, not denied and without settings."""
        start, end = self.parts[name]
        reader = self.reader
        last = reader.low(end - 1)
        return reader.low(start) not in DENIALS and last != "]" and reader.condition(start) == end

    def bare(self, name: str) -> bool:
        """Whether a part is a name and nothing else."""
        start, end = self.parts[name]
        return end == start + 1 and self.reader.kind(start) == "word"

    def group(self, name: str) -> str:
        """Return a part as one operand of any operator: in brackets unless it is one condition."""
        start, end = self.parts[name]
        whole = self.reader.condition(start) == end
        return self[name] if whole else f"({self[name]})"

    def chain(self, name: str) -> list[str]:
        """Return the conditions of a part that are joined by words of other languages."""
        reader = self.reader
        start, end = self.parts[name]
        items: list[str] = []
        while start < end:
            after = reader.condition(start) or end
            items.append(self.condition(start, after))
            start = reader.conjoined(after) or reader.disjoined(after) or end
        return items

    def joined(self, text: str) -> str:
        """Return `text`, conditions joined by any word, in brackets if its place needs them."""
        before, after = self.reader.low(self.start - 1), self.reader.low(self.end)
        tight = before in JOINTS or before in DENIALS or after in JOINTS or after == "["
        return f"({text})" if tight else text


@frozen
class Remedy:
    """What to write instead.

    Attributes:
        fix: in place of the notation, empty if it is to be left out; None if that takes more
            than a change in its place.
        hint: what to say where there is no fix, or after it.
        module: of the standard library, that the fix needs.
        meanwhile: what to read in its place if there is no fix.
    """

    fix: str | None
    hint: str = ""
    module: str = ""
    meanwhile: str = ""


@frozen
class Notation:
    """One entry of a table.

    Attributes:
        shape: as the module says.
        message: of the diagnostic; `{}` stands for the notation.
        remedy: what to write instead: a text in which `{a}` stands for a part, or a function;
            one that returns None says that this is not the notation after all.
        code: of the diagnostic.
        parses: the grammar may read it as something else; then only a mistake there shows that
            it is meant.
        starts: it stands where a condition begins.
    """

    shape: str
    message: str
    remedy: str | Callable[[Found], Remedy | None]
    code: str = "LACE008"
    parses: bool = False
    starts: bool = False
    elements: tuple[Element, ...] = field(init=False, repr=False)

    @elements.default
    def _elements(self) -> tuple[Element, ...]:
        return tuple(_element(word) for word in self.shape.split())

    @property
    def conditions(self) -> frozenset[str]:
        """Names of the parts that are conditions."""
        return frozenset(e.name for e in self.elements if e.method in ("condition", "predicate"))

    def match(self, reader: Reader, start: int, facts: Facts) -> Found | None:
        """Return the notation if it begins with the piece at `start`."""
        parts: dict[str, tuple[int, int]] = {}
        place = start
        for element in self.elements:
            if element.touching and not reader.touches(place):
                return None
            if element.method:
                end = getattr(reader, element.method)(place)
            else:
                end = place + 1 if reader.low(place) in element.words else None
            if end is None:
                if not element.optional:
                    return None
                continue
            if element.name:
                parts[element.name] = (place, end)
            place = end
        return Found(reader, start, place, parts, self.conditions, facts)

    def answer(self, found: Found) -> Remedy | None:
        """Return what to write instead."""
        if isinstance(self.remedy, str):
            return Remedy(self.remedy.format_map(_Texts(found)))
        return self.remedy(found)


class _Texts(dict[str, str]):
    """The parts' texts, for `format_map`."""

    def __init__(self, found: Found) -> None:
        super().__init__({name: found[name] for name in found.parts})


@frozen
class Element:
    """One element of a shape."""

    words: frozenset[str] = frozenset()
    method: str = ""
    name: str = ""
    optional: bool = False
    touching: bool = False


_METHODS = {"list": "list_end"}


def _element(word: str) -> Element:
    touching = len(word) > 1 and word.startswith("^") and word != "^"
    if touching:
        word = word[1:]
    optional = len(word) > 1 and word.endswith("?")
    if optional:
        word = word[:-1]
    if len(word) > 2 and word.startswith("{") and word.endswith("}"):
        name, kind = word[1:-1].split(":")
        method = _METHODS.get(kind, kind)
        return Element(method=method, name=name, optional=optional, touching=touching)
    words = set(word.split(",")) - {""} if len(word) > 1 else {word}
    if ",," in word:
        words.add(",")
    return Element(words=frozenset(words), optional=optional, touching=touching)
