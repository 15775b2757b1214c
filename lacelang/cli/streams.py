"""Standard streams that cannot make a command fail, whatever they are and wherever they lead.

`main` puts a `Safe` stream in place of standard output and of standard error, so that `print`,
rich and prompt_toolkit all write through it. What is hidden in a text is shown, but in the escape
sequences of rich and prompt_toolkit. A character that an encoding lacks is escaped. A
stream that is closed or missing, or whose reader has gone, discards what is written. A result that
could not be written for another reason (a full disk) is reported at the end of the command.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from lacelang.text.channels import Displaying
from lacelang.text.hidden import displayed, json_displayed

_FAILS = (None, "strict", "surrogateescape", "surrogatepass")
"""Error handlers with which a character without a code fails, or becomes bytes that are no text."""


class Safe(Displaying):
    """A stream to write to that never raises; what it does not define is the stream's own.

    Attributes:
        stream: any object with a `write`, or None to discard all.
        failure: why a write failed; None if all succeeded, or the reader went away.
    """

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self.failure: OSError | None = None
        self._open = not _is_gone(stream)
        self.styled = _Styled(self)

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._open and is_terminal(self.stream)

    def write(self, text: str) -> int:
        """Write text, what is hidden and what the encoding lacks as `\\x1b` or `\\u4e16`."""
        self.write_styled(displayed(text))
        return len(text)

    def write_styled(self, text: str) -> None:
        """Write text with escape sequences, what the encoding lacks as `\\xe9` or `\\u4e16`."""
        shown, encoding = text, getattr(self, "encoding", None)
        if encoding and not text.isascii() and getattr(self, "errors", None) in _FAILS:
            with suppress(LookupError):
                shown = text.encode(encoding, "backslashreplace").decode(encoding)
        self._try(lambda: self.stream.write(shown))

    def write_utf8(self, text: str) -> None:
        """Write text as it is, in UTF-8 whatever the stream's encoding is.

        Raises:
            ResourceError: the stream takes text alone, in an encoding that lacks a character.
        """
        buffer = getattr(self.stream, "buffer", None)
        if buffer is not None:
            # Written after what the text layer still holds.
            self.flush()
            self._try(lambda: buffer.write(text.encode("utf-8")))
            return
        try:
            self._try(lambda: self.stream.write(text))
        except UnicodeEncodeError as error:
            from lacelang.errors import ResourceError

            raise ResourceError(
                f"the output cannot hold {error.object[error.start]!a}", "write to a UTF-8 stream"
            ) from error

    def flush(self) -> None:
        """Write out what is buffered."""
        self._try(getattr(self.stream, "flush", lambda: None))

    def _try(self, write: Callable[[], object]) -> None:
        if not self._open:
            return
        try:
            write()
        except UnicodeError:
            raise
        except ValueError:
            # The stream was closed meanwhile.
            self._open = False
        except OSError as error:
            self._open = False
            if not isinstance(error, BrokenPipeError):
                self.failure = error
            self._drop()

    def _drop(self) -> None:
        """Discard what the stream has buffered: Python would try to write it again at exit."""
        with suppress(OSError, AttributeError, ValueError):
            number = self.fileno()
            kept = os.dup(number)
            try:
                with open(os.devnull, "wb") as nowhere:
                    os.dup2(nowhere.fileno(), number)
                    self.stream.flush()
            finally:
                os.dup2(kept, number)
                os.close(kept)


class _Styled:
    """The same stream, for those who write escape sequences around texts that are shown already."""

    def __init__(self, safe: Safe) -> None:
        self.safe = safe

    def __getattr__(self, name: str) -> Any:
        return getattr(self.safe, name)

    def write(self, text: str) -> int:
        self.safe.write_styled(text)
        return len(text)


@contextmanager
def usable() -> Iterator[None]:
    """Make the standard streams `Safe` within the block.

    A missing one is opened, so that no other file gets its file descriptor.
    """
    before = {name: getattr(sys, name) for name in ("stdin", "stdout", "stderr")}
    with ExitStack() as stack:
        for name, stream in before.items():
            mode = "r" if name == "stdin" else "w"
            if _is_gone(stream):
                stream = stack.enter_context(open(os.devnull, mode, encoding="utf-8"))
            setattr(sys, name, stream if mode == "r" else Safe(stream))
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for name, stream in before.items():
                setattr(sys, name, stream)


def is_terminal(stream: Any) -> bool:
    """Whether a stream, of any kind or None, is a terminal."""
    with suppress(AttributeError, OSError, ValueError):
        return bool(stream.isatty())
    return False


def print_json(value: Any) -> None:
    """Print a value as JSON, nothing hidden in it; where the encoding is not UTF-8, in ASCII."""
    import json

    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    print(json_displayed(json.dumps(value, indent=2, ensure_ascii=encoding != "utf8")))


def _is_gone(stream: Any) -> bool:
    return stream is None or bool(getattr(stream, "closed", False))
