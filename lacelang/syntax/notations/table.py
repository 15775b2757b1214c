"""What an entry of the tables is: the shape of a notation, what is said of it, what to write.

A shape is a line of elements. An element is a sign or a word, or several with commas between,
any of which may stand there (`,,` among them is a comma); `?` behind it allows that it is missing.
One in braces is what `Reader.read` reads, and that is kept under a name: `{a:condition}`,
`{n:number}`. `^` asks that it touch the lexeme before.

What to write is a template in which `{a}` stands for a part as it is written in lacelang,
`{a:raw}` for its text, `{a:group}` for a part as the operand of any word and `{a:operand}` as one
of `implies`. Where the place of the notation asks for it, the text is put in brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from attrs import evolve, field, frozen

from lacelang.syntax.notations.facts import Fact
from lacelang.syntax.notations.reader import Reader
from lacelang.syntax.notations.words import COMPARING, DENIALS, HERE, JOINTS


@frozen
class Remedy:
    """What to write instead: `fix`, empty if the notation is to be left out.

    It is None if that takes more than a change in its place.
    """

    fix: str | None
    hint: str = ""  # what to say where there is no fix, or after it
    module: str = ""  # of the standard library, that the fix needs
    meanwhile: str = ""  # what to read in its place if there is no fix


@frozen(slots=False)
class Found:
    """A notation where it stands, from lexeme `start` up to `end`."""

    reader: Reader
    start: int
    end: int
    parts: Mapping[str, tuple[int, int]]  # which lexemes its named elements read
    conditions: frozenset[str]  # names of those parts that are conditions

    def __getitem__(self, name: str) -> str:
        """Return the text of a part, as it is written in lacelang."""
        return self.text(*self.parts[name], asked=name in self.conditions)

    def get(self, name: str, otherwise: str = "") -> str:
        """Return the text of a part, or `otherwise` if there is none."""
        return self[name] if name in self.parts else otherwise

    def text(self, start: int, end: int, asked: bool = True) -> str:
        """Return the lexemes from `start` up to `end` on one line, operators as they are here.

        If they are `asked` for, a yes-or-no attribute that stands alone becomes `smile=1`.
        """
        words: list[str] = []
        lexemes = self.reader.lexemes
        for i in range(start, end):
            lexeme = lexemes[i]
            word = HERE.get(lexeme.low, lexeme.text).replace("°", " deg")
            if i > start:
                before = lexemes[i - 1]
                apart = before.end < lexeme.start
                # `a|b` becomes two words and more.
                apart |= lexeme.kind == "sign" and word != lexeme.text and word.isalpha()
                apart |= before.kind == "sign" and words[-1].strip().isalpha()
                word = " " * apart + word
            words.append(word + "=1" * (asked and self._stands_alone(i, start)))
        return "".join(words)

    def _stands_alone(self, i: int, start: int) -> bool:
        """Whether the lexeme at `i` is the name of a yes-or-no attribute and no value is asked."""
        fact, reader = self.reader.fact(i), self.reader
        if fact is None or fact.kind != "binary":
            return False
        compared = i > start and reader.low(i - 1) in (*COMPARING, "in", "..")
        return not compared and reader.low(i + 1) not in (*COMPARING, "in")

    def raw(self, name: str) -> str:
        """Return the text of a part as it stands."""
        return self.text(*self.parts[name], asked=False)

    def fact(self, name: str = "x") -> Fact | None:
        """Return what is known of the attribute whose bare name a part is."""
        return self.reader.fact(self.parts[name][0]) if self.bare(name) else None

    def number(self, name: str) -> float:
        """Return the number that a part is."""
        return float(self[name].replace(" ", "").replace("−", "-"))

    def example(self) -> str:
        """Return a right condition on the attribute that is part `x`; empty if there is none."""
        if "x" not in self.parts:
            return ""
        fact = self.fact()
        return self.raw("x") + (f"={fact.example}" if fact is not None else "=1")

    def single(self, name: str) -> bool:
        """Whether a part is one condition, not denied and without settings."""
        start, end = self.parts[name]
        reader = self.reader
        plain = reader.low(start) not in DENIALS and reader.low(end - 1) != "]"
        return plain and reader.condition(start) == end

    def bare(self, name: str) -> bool:
        """Whether a part is a name and nothing else."""
        start, end = self.parts[name]
        return end == start + 1 and self.reader.kind(start) == "word"

    def group(self, name: str) -> str:
        """Return a part as one operand of any operator: in brackets unless it is one condition."""
        start, end = self.parts[name]
        return self[name] if self.reader.condition(start) == end else f"({self[name]})"

    def chain(self, name: str) -> list[str]:
        """Return the conditions of a part that are joined by words of other languages."""
        reader = self.reader
        start, end = self.parts[name]
        items: list[str] = []
        while start < end:
            after = reader.condition(start) or end
            items.append(self.text(start, after))
            start = reader.read("conjoined", after) or reader.read("disjoined", after) or end
        return items

    def items(self, name: str) -> list[str]:
        """Return the conditions of a list."""
        return [self.text(*where) for where in self.reader.items(self.parts[name][0])]

    def values(self, name: str, signs: tuple[str, ...], first: int = 0) -> list[str] | None:
        """Return the values of a part, from its lexeme `first` on; None if it holds anything else.

        `signs` stand between values, and close the brackets around them.
        """
        reader = self.reader
        place, end = self.parts[name]
        place += first
        values: list[str] = []
        while place < end:
            after = reader.value(place)
            if after is None or (after < end and reader.low(after) not in signs):
                return None
            values.append(self.text(place, after, asked=False))
            place = after + 1
        return values

    @cached_property
    def tight(self) -> bool:
        """Whether conditions in its place that any word joins need brackets."""
        before, after = self.reader.low(self.start - 1), self.reader.low(self.end)
        return before in JOINTS or before in DENIALS or after in JOINTS or after == "["

    def joined(self, text: str) -> str:
        """Return `text`, in brackets if its words bind less than what stands around it."""
        return f"({text})" if self.tight and is_joined(text) else text

    def filled(self, template: str) -> str:
        """Return a template with the parts put in."""
        text = template.format_map({name: _Part(self, name) for name in self.parts})
        return f"({text})" if self.tight and is_joined(_FIELD.sub("x", template)) else text


_FIELD = re.compile(r"\{[^{}]*\}")


def is_joined(text: str) -> bool:
    """Whether words join conditions in `text` outside of brackets."""
    while (inner := re.sub(r"\([^()]*\)", "", text)) != text:
        text = inner
    return any(f" {word} " in text for word in ("and", "or", "xor", "implies"))


@frozen
class _Part:
    """A part in a template."""

    found: Found
    name: str

    def __format__(self, form: str) -> str:
        if form == "raw":
            return self.found.raw(self.name)
        if form == "group":
            return self.found.group(self.name)
        text = self.found[self.name]
        return f"({text})" if form == "operand" and " implies " in text else text


Answer = str | Remedy | Callable[[Found], Remedy | str | None]


@frozen
class Notation:
    """One entry of a table.

    The answer is a template of what to write, a remedy made of such templates, or a function that
    returns text or a remedy; None says that this is not the notation after all.
    """

    shape: str
    message: str  # `{}` stands for the notation
    answer: Answer
    parses: bool = False  # the grammar may read it too: only a mistake there shows it is meant
    starts: bool = False  # it stands where a condition begins
    elements: tuple[Element, ...] = field(init=False, repr=False)

    @elements.default
    def _elements(self) -> tuple[Element, ...]:
        return tuple(_element(word) for word in self.shape.split())

    def match(self, reader: Reader, start: int) -> Found | None:
        """Return the notation if it begins with the lexeme at `start`."""
        parts: dict[str, tuple[int, int]] = {}
        place = start
        for element in self.elements:
            if element.touching and not reader.touches(place):
                return None
            if element.kind:
                end = reader.read(element.kind, place)
            else:
                end = place + 1 if reader.low(place) in element.words else None
            if end is None:
                if not element.optional:
                    return None
                continue
            if element.name:
                parts[element.name] = (place, end)
            place = end
        conditions = (e.name for e in self.elements if e.kind in ("condition", "predicate"))
        return Found(reader, start, place, parts, frozenset(conditions))

    def remedy(self, found: Found) -> Remedy | None:
        """Return what to write instead."""
        answer = self.answer
        if callable(answer):
            said = answer(found)
            return Remedy(said) if isinstance(said, str) else said
        if isinstance(answer, str):
            return Remedy(found.filled(answer))
        fix = None if answer.fix is None else found.filled(answer.fix)
        parts = {name: _Part(found, name) for name in found.parts}
        hint, meanwhile = (t.format_map(parts) for t in (answer.hint, answer.meanwhile))
        return evolve(answer, fix=fix, hint=hint, meanwhile=meanwhile)


def rows(message: str, table: Mapping[str, Answer]) -> Iterator[Notation]:
    """Yield the notations of which the same is said: what to write, by shape.

    `| ` before a shape says that it stands where a condition begins, `! ` that it `parses`.
    """
    for written, answer in table.items():
        shape = re.sub("^([!|] )+", "", written)
        marks = written.removesuffix(shape)
        yield Notation(shape, message, answer, "!" in marks, "|" in marks)


@frozen
class Element:
    """One element of a shape."""

    words: frozenset[str] = frozenset()
    kind: str = ""
    name: str = ""
    optional: bool = False
    touching: bool = False


_ELEMENT = re.compile(r"(\^(?=.))?(?:\{(\w+):(\w+)\}|(.+?))((?<=.)\?)?")


def _element(written: str) -> Element:
    found = _ELEMENT.fullmatch(written)
    assert found is not None, written
    touching, name, kind, words, optional = found.groups(default="")
    options = {*words.split(",")} - {""}
    if words == "," or ",," in words:
        options.add(",")
    return Element(frozenset(options), kind, name, bool(optional), bool(touching))
