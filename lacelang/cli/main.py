"""`lacelang`: its commands, and how each of them ends.

Nothing here imports torch or numpy; a command imports what it needs when it runs. Results go to
standard output, messages and progress to standard error. Exit codes: 0 fine, 1 the program is
wrong or an `expect` failed, 2 the command line is wrong, 3 the environment failed, 130 interrupted;
143 and 129 ended by SIGTERM and SIGHUP.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lacelang import threads
from lacelang.cli import signals, streams
from lacelang.errors import LaceError

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    Commands = _SubParsersAction[ArgumentParser]

COMMANDS = (
    "run",
    "repl",
    "check",
    "fmt",
    "explain",
    "models",
    "label",
    "train",
    "card",
    "evaluate",
)
"""The commands, in the order of the help; each is the module of `lacelang.cli` of its name."""

INTERRUPTED = 130
FAILED = 3
DEBUG = "LACELANG_DEBUG"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the code to exit with; only its own `--help` exits by itself.

    Args:
        arguments: the command line without the program's name; None takes the process's own, and
            ends the process here where a thread in the background has not ended.
    """
    with streams.usable(), signals.heeded():
        code = _run(arguments)
        ended = signals.received()
        if ended is not None:
            # Whatever went wrong on the way out, where the terminal may be gone.
            code = signals.exit_code(ended)
    if arguments is None:
        _leave(code)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt as stop:
        _say(f"lacelang: {stop}" if str(stop) else "lacelang: interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _close_quietly()
        return 0
    except LaceError as error:
        _show(error)
        return error.exit_code
    except OSError as error:
        # Every file has its own messages; what is left is standard output.
        _close_quietly()
        where = error.filename or "the output"
        _say(f"lacelang: cannot write {where}: {(error.strerror or str(error)).lower()}")
        return FAILED
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        _say(unexpected(error))
        return FAILED


def build_parser(commands: Sequence[str] = COMMANDS) -> ArgumentParser:
    """Return the parser of the command line; each command adds its own part.

    Args:
        commands: those to add. One that is not asked for need not be imported.
    """
    parser = ArgumentParser(
        prog="lacelang",
        description="Say what a generator's samples must be like, and sample them.",
        epilog="Exit codes: 0 fine, 1 the program is wrong or an `expect` failed, "
        "2 the command line is wrong, 3 the environment failed (no weights, no space), "
        "130 interrupted, 143 and 129 ended by SIGTERM and SIGHUP.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    group = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in commands:
        import_module(f"lacelang.cli.{command}").add_to(group)
    return parser


class _Version(Action):
    """`--version`; looking it up takes longer than checking a program, so it waits until asked."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Any, option: str | None = None
    ) -> None:
        from lacelang import __version__

        parser.exit(message=f"lacelang {__version__}\n")


def _dispatch(arguments: Sequence[str] | None) -> int:
    given = sys.argv[1:] if arguments is None else list(arguments)
    if not given and sys.stdin.isatty() and sys.stdout.isatty():
        given = ["repl"]
    commands = given[:1] if given[:1] and given[0] in COMMANDS else COMMANDS
    parsed = build_parser(commands).parse_args(given)
    code: int = parsed.command(parsed)
    return code


def _show(error: LaceError) -> None:
    if error.diagnostics:
        from lacelang.syntax.render import render_all

        _say(render_all(error.diagnostics))
    else:
        first, *rest = str(error).split("\n")
        _say("\n".join([f"lacelang: {first}", *(f"  {line}" for line in rest)]))


def unexpected(error: Exception) -> str:
    """Return what is said of an error that nobody foresaw."""
    what = " ".join(str(error).split())[:300]
    return (
        f"lacelang: unexpected {type(error).__name__}{': ' if what else ''}{what}\n"
        f"  this is a fault of lacelang: please report it, with the output of the same command "
        f"under {DEBUG}=1"
    )


def _leave(code: int) -> None:
    """End the process if a thread is still at work: nobody waits for what nobody needs."""
    if threading.current_thread() is threading.main_thread():
        # Ctrl-C while threads wind up must end the process, not print a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if threads.busy():
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, AttributeError, ValueError):
                stream.flush()
        os._exit(code)


def _close_quietly() -> None:
    """Send what is left for a reader that has gone (`| head`) to nowhere, as Unix tools do."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    # Streams that somebody put in place have no number.
    with suppress(OSError, AttributeError, ValueError):
        os.dup2(nowhere, sys.stdout.fileno())


def _say(message: str) -> None:
    try:
        print(message, file=sys.stderr, flush=True)
    except OSError:
        _close_quietly()


if __name__ == "__main__":
    sys.exit(main())
