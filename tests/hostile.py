"""Text that a terminal obeys or that is not seen as it is, and what of it no screen may show."""

from __future__ import annotations

import re

from hypothesis import strategies as st

PIECES = (
    *("\x1b[2J", "\x1b[31m", "\x1b]8;;h\x07", "\x1b]52;c\x07", "\x1bc", "\x9b2J", "\x9d8;;\x9c"),
    *("\x07", "\x08", "\r", "\x0b", "\x0c", "\x7f", "\x85", "\x00", "\x1f"),
    *("\u202a", "\u202b", "\u202d", "\u202e", "\u2066", "\u2067", "\u2069", "\u200e", "\u061c"),
    *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\xad", "\u034f", "\u3164", "\u115f"),
    *("\ufe0f", "\ufe00", "\U000e0100", "\U000e0041", "\U000e007f", "\u2028", "\u2029", "\ufff9"),
    *("\ud800", "\udc9b"),
)
MARKUP = ("[red]", "[/]", "[link=h]", ":smile:", "<b>", "&lt;", "%s", "{x}")

NEVER = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
COLOURS = re.compile("\x1b\\[[0-9;]*m")
"""What a terminal is sent for colours; rich's bars send more."""


def texts(pieces: tuple[str, ...] = PIECES) -> st.SearchStrategy[str]:
    """Texts with one or two of the pieces between letters that are to be seen."""
    return st.lists(st.sampled_from(pieces), min_size=1, max_size=2).map(
        lambda found: f"Qx{'y'.join(found)}xQ"
    )
