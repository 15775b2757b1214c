"""How wide text is on a terminal: in columns, which are not characters in every script."""

from __future__ import annotations

from functools import lru_cache

from lacelang.text.hidden import displayed


def columns_of(text: str) -> int:
    """Return how many columns a terminal takes for `text`, displayed."""
    return cells_of(displayed(text))


def cells_of(text: str) -> int:
    """Return how many columns a terminal takes for a text that is displayed already."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


@lru_cache(maxsize=4096)
def _cells(character: str) -> int:
    import unicodedata

    from wcwidth import wcwidth

    # A spacing mark has a cell of its own by glibc's tables, which most terminals use.
    return 1 if unicodedata.category(character) == "Mc" else max(wcwidth(character), 0)


def padded(text: str, columns: int) -> str:
    """Return the text with spaces behind it, so that it takes so many columns or more."""
    return text + " " * (columns - columns_of(text))
