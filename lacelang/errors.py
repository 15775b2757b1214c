"""What can go wrong, as values a front end can print.

A wrong program becomes a list of `Diagnostic`s, carried by `ProgramError`. A failed environment
(no weights, no space, no network) becomes a `ResourceError` with a remedy. Both are `LaceError`s
and each knows the exit code that the command line ends with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from attrs import field, frozen
from attrs.converters import optional

Severity = Literal["error", "warning"]


@frozen
class Span:
    """A stretch of source text. Lines and columns count from 1; `end_column` is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


LONGEST_MESSAGE = 400
"""Characters of a message; a name may be as long as the program, and nobody reads it twice."""


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"


@frozen
class Diagnostic:
    """One complaint about a program: a stable code, where, what, and a way out if one is known."""

    code: str
    message: str = field(converter=_cut)
    span: Span
    hint: str | None = field(default=None, converter=optional(_cut))
    severity: Severity = "error"
    path: str | None = None
    source: str = field(default="", repr=False, eq=False)


class LaceError(Exception):
    """Base of every error that lacelang raises on purpose.

    Attributes:
        diagnostics: the complaints about the program; empty where the environment failed.
        exit_code: what `lacelang` exits with.
    """

    exit_code = 1

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic] = ()) -> None:
        super().__init__(message)
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy without calling `__init__`, whose arguments differ from `args`."""
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(kind: type[LaceError], arguments: tuple[Any, ...], state: dict[str, Any]) -> LaceError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class ProgramError(LaceError):
    """The program is wrong; `diagnostics` says where and why."""

    exit_code = 1

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        first = diagnostics[0]
        more = f" (and {len(diagnostics) - 1} more)" if len(diagnostics) > 1 else ""
        super().__init__(f"{first.code}: {first.message}{more}", diagnostics)


class UsageError(LaceError):
    """The command line, or an argument to a public function, is wrong."""

    exit_code = 2


class ResourceError(LaceError):
    """The environment failed: weights, disk, network or device. `remedy` says what to do."""

    exit_code = 3

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message if remedy is None else f"{message}\n{remedy}")
        self.message = message
        self.remedy = remedy
