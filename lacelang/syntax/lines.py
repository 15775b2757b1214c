"""What ends a line: LF, CR, CRLF, and the further line ends of Unicode (UAX 14)."""

from __future__ import annotations

import re
from functools import lru_cache

_ENDS = re.compile("\r(?!\n)|[\x0b\x0c\x85\u2028\u2029]")


# The source of many diagnostics is one text.
@lru_cache(maxsize=4)
def with_line_feeds(text: str) -> str:
    """Return `text` with LF for every line end; it has as many characters as before.

    The CR of a CRLF stays, and is a space at the end of its line.
    """
    return _ENDS.sub("\n", text)
