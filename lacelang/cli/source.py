"""Programs from files and from standard input."""

from __future__ import annotations

import errno
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from lacelang.errors import Diagnostic, LaceError, ResourceError, Span, UsageError
from lacelang.system.sources import MOST, TooLongError, read_file, read_stream

if TYPE_CHECKING:
    from lacelang.api import Program

STDIN = "-"


@frozen
class Source:
    """A program's text and where it came from; `path` is None for standard input."""

    text: str
    path: Path | None

    @property
    def name(self) -> str:
        """What the run of it is called: the file's name without its ending."""
        return self.path.stem if self.path is not None else "stdin"


def compiled(source: Source) -> Program:
    """Compile a program, and print its warnings."""
    from lacelang.api import compile

    program = compile(source.text, source.path)
    if program.warnings:
        from lacelang.syntax.render import render_all

        print(render_all(program.warnings), file=sys.stderr)
    return program


def read_source(name: str) -> Source:
    """Read the file `name`, or standard input for `-`.

    Raises:
        UsageError: there is no such file, or it cannot be read.
        ResourceError: the disk fails.
        LaceError: it is not UTF-8 text, or too long for a program.
    """
    if not name:
        raise UsageError("a program's file has a name, not an empty one")
    shown = "standard input" if name == STDIN else name
    try:
        data = _standard_input() if name == STDIN else read_file(Path(name))
        text = data.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(f"no such file: {shown}") from error
    except IsADirectoryError as error:
        raise UsageError(f"{shown} is a folder, not a program") from error
    except TooLongError as error:
        raise LaceError(f"{shown} {error}, and no program is") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LaceError(f"{shown} is not UTF-8 text: byte {error.start}, line {line}") from error
    except ValueError as error:
        raise UsageError(f"cannot read {shown}: {error}") from error
    except OSError as error:
        kind = ResourceError if error.errno == errno.EIO else UsageError
        raise kind(f"cannot read {shown}: {(error.strerror or str(error)).lower()}") from error
    return Source(text, None if name == STDIN else Path(name))


def unreadable(name: str, error: LaceError) -> Diagnostic:
    """Return the diagnostic of a file that `read_source` did not read."""
    return Diagnostic("LACE014", str(error), Span(1, 1, 1, 2), path=name)


def _standard_input() -> bytes:
    # A stream that somebody put in place may hold text alone.
    buffer = getattr(sys.stdin, "buffer", None)
    if buffer is not None:
        return read_stream(buffer)
    return read_stream(io.BytesIO(sys.stdin.read(MOST + 1).encode("utf-8", "surrogateescape")))
