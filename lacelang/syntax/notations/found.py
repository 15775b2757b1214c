"""A notation where it stands in a text, and what is written instead of its parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from attrs import frozen

from lacelang.syntax.notations.facts import Fact
from lacelang.syntax.notations.reader import Reader
from lacelang.syntax.notations.words import COMPARING, DENIALS, HERE, JOINTS, WORDS

_CONDITIONS = ("condition", "predicate", "stated", "unmeasured", "barred_list")


@frozen
class Remedy:
    """What to write instead: `write`, empty if the notation is to be left out.

    It is None if that takes more than a change in its place.
    """

    write: str | None
    hint: str = ""  # what to say where there is nothing to write, or after it
    module: str = ""  # of the standard library, that the text needs
    read: str = ""  # what to read in its place if there is nothing to write


@frozen(slots=False)
class Found:
    """A notation where it stands, from lexeme `start` up to `end`."""

    reader: Reader
    start: int
    end: int
    parts: Mapping[str, tuple[int, int]]  # which lexemes its named elements read
    kinds: Mapping[str, str]  # what the named elements are

    def __getitem__(self, name: str) -> str:
        """Return the text of a part, as it is written in lacelang; empty if there is none."""
        if name not in self.parts:
            return ""
        return self.text(*self.parts[name], asked=self.kinds[name] in _CONDITIONS)

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

    def meaning(self, name: str) -> str:
        """Return what the phrase that a part is means here; empty if there is none."""
        return WORDS[self.kinds[name]][" ".join(self.lows(name))] if name in self.parts else ""

    def lows(self, name: str) -> list[str]:
        """Return the lexemes of a part in small letters."""
        return [self.reader.low(i) for i in range(*self.parts[name])]

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

    def items(self, name: str) -> list[str]:
        """Return the conditions of a list, whatever stands between them."""
        reader, kind = self.reader, self.kinds[name]
        start, end = self.parts[name]
        if kind == "arguments":
            return [self.text(*where) for where in reader.split(start, frozenset({","}))]
        if kind in ("listed", "bracketed"):
            return [self.text(*where) for where in reader.items(start)]
        items: list[str] = []
        while start < end:
            after = reader.condition(start) or end
            items.append(self.text(start, after))
            start = reader.read(kind.removesuffix("_list"), after) or end
        return items

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

    def filled(self, template: str, brackets: bool = True) -> str:
        """Return a template with the parts put in, in brackets if its place asks for them."""
        text = template.format_map({name: _Part(self, name) for name in self.kinds})
        needed = brackets and self.tight and is_joined(_FIELD.sub("x", template))
        return f"({text})" if needed else text


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
        found, name = self.found, self.name
        match form:
            case "raw":
                return found.raw(name)
            case "group":
                return found.group(name)
            case "operand":
                return f"({found[name]})" if " implies " in found[name] else found[name]
            case "and" | "or":
                return found.joined(f" {form} ".join(found.items(name)))
            case "op" | "turned":
                sign = found.meaning(name) or "="
                if form == "turned":
                    sign = sign.translate(str.maketrans("<>", "><"))
                return sign if sign == "=" else f" {sign} "
            case "plain":
                return plain(found[name])
        return found[name]


def plain(value: str) -> str:
    """Return a value, truth as a number and a name without its quotes."""
    return WORDS["truth"].get(value.lower(), value.strip("\"'"))
