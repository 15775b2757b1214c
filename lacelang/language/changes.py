"""Changes to a text, made."""

from __future__ import annotations

from collections.abc import Iterable

from lacelang.errors import Change
from lacelang.language.positions import Text
from lacelang.syntax.rewriting import patched


def applied(text: str, changes: Iterable[Change]) -> str:
    """Return `text` with the changes made; they may not overlap."""
    places = Text(text)
    return patched(text, [(*places.offsets(change.span), change.text) for change in changes])
