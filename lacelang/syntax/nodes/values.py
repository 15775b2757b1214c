"""Words, texts and quantities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, TypeAlias

from lacelang.errors import Span
from lacelang.syntax.node import Node
from lacelang.text.names import nfc


class Word(Node):
    """A name, wherever it stands, in NFC."""

    name: str


class Text(Node):
    """Something in double quotes; `value` is without them, as written."""

    value: str

    @property
    def name(self) -> str:
        """The text as a name, in NFC."""
        return nfc(self.value)


class Quantity(Node, rules="quantity share"):
    """A number with the unit that follows it, if any; `text` is the number as written."""

    text: str
    unit: Word | None = None

    @classmethod
    def read(cls, parts: Sequence[Any], span: Span) -> Self:
        """Return the node; its number is a node already."""
        number, *unit = parts
        return cls(number.text, *unit, span=span)

    @property
    def number(self) -> float:
        """The number; infinite if it is too large for a float."""
        return float(self.text)


Value: TypeAlias = Quantity | Word | Text
