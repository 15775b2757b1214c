"""Places in a text as browsers count them, in UTF-16 code units, and as Python does."""

from __future__ import annotations

from itertools import accumulate


class Positions:
    """Offsets of one text, to and from UTF-16 code units."""

    def __init__(self, text: str) -> None:
        self._units: list[int] | None = None
        if text and max(text) > "\uffff":
            self._units = [0, *accumulate(1 + (each > "\uffff") for each in text)]
        self._length = len(text)

    def units(self, offset: int) -> int:
        """Return the place of a character as the browser counts it."""
        offset = max(0, min(offset, self._length))
        return offset if self._units is None else self._units[offset]

    def offset(self, units: int) -> int:
        """Return the character at a place of the browser's; one inside of a pair is its first."""
        if self._units is None:
            return max(0, min(units, self._length))
        from bisect import bisect_right

        return max(0, bisect_right(self._units, units) - 1)
