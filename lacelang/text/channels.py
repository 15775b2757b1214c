"""What leads to a reader's screen: streams, and rich's consoles. Both show what is hidden in texts.

Escape sequences that the program itself writes, for colours, bars and pictures, are none of a text:
rich and prompt_toolkit write them to `styled(stream)`, after their texts were displayed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from lacelang.text.hidden import displayed

if TYPE_CHECKING:
    from rich.console import Console


class Displaying:
    """A stream to write texts to, that shows what is hidden in them; all else is the stream's own.

    Attributes:
        stream: any object with a `write`, or None to discard all.
    """

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        if name in ("buffer", "stream"):
            # What is written to the one would not pass through here.
            raise AttributeError(name)
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write text as `displayed` returns it."""
        if self.stream is not None:
            self.stream.write(displayed(text))
        return len(text)


def say(text: str, stream: Any = None, end: str = "\n") -> None:
    """Print to a stream, which is standard error if none is given, as `displayed` returns it."""
    print(displayed(text), file=stream or sys.stderr, end=end, flush=True)


def say_styled(text: str) -> None:
    """Print text that was displayed already, with the program's own colours."""
    print(text, file=styled(sys.stdout), flush=True)


def styled(stream: Any) -> Any:
    """Return the stream that takes the program's own escape sequences, for texts already shown."""
    return getattr(stream, "styled", stream)


def console(stream: Any = None, **options: Any) -> Console:
    """Return a rich console on a stream, which is standard output if none is given.

    It takes no markup: `[red]`, `[link=…]` and `:smile:` are text. Options are those of rich.
    """
    from lacelang.text.screen import Screen

    options = {"markup": False, "emoji": False, "highlight": False, **options}
    return Screen(file=styled(stream or sys.stdout), **options)
