"""`lacelang`: runs a command and turns errors into messages and exit codes.

Until it handles signals this module imports little: Ctrl-C would print a traceback. Nothing here
imports torch or numpy; a command imports what it needs when it runs. Results go to standard output,
messages and progress to standard error.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from lacelang.cli import streams
from lacelang.system import signals

if TYPE_CHECKING:
    from lacelang.errors import LaceError

# Exit codes besides those of `LaceError`: 0 fine, 1 the program is wrong or an `expect` failed,
# 2 the command line is wrong; 143 and 129 are those of SIGTERM and SIGHUP.
FAILED = 3
_BY_SIGNAL = 128
INTERRUPTED = _BY_SIGNAL + 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code; `--help` and the like raise SystemExit.

    `arguments` is the command line without the program's name; None takes the process's own, and
    ends the process here if a background thread still runs.
    """
    with streams.usable(), signals.heeded():
        code = _run(arguments)
        ended = signals.received()
        if ended is not None:
            # Whatever else went wrong then: the terminal may be gone.
            code = _BY_SIGNAL + ended
    if arguments is None:
        _leave(code)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        return _written(_dispatch(arguments))
    except SystemExit as stop:
        # argparse's help is output as well.
        raise SystemExit(_written(stop.code if isinstance(stop.code, int) else 0)) from None
    except KeyboardInterrupt as stop:
        _say(f"lacelang: {stop}" if str(stop) else "lacelang: interrupted")
        return INTERRUPTED
    except Exception as error:
        from lacelang.errors import DEBUG, LaceError, unexpected

        if isinstance(error, LaceError):
            _say(_shown(error))
            return _written(error.exit_code)
        if os.environ.get(DEBUG):
            if arguments is not None:
                raise
            # Printed here, where what is hidden in its text is shown.
            traceback.print_exc()
            return FAILED
        if isinstance(error, OSError):
            # One that nothing else has turned into a message: a disk that fails, for example.
            where = f"{error.filename}: " if error.filename else ""
            _say(f"lacelang: {where}{(error.strerror or str(error)).lower()}")
        else:
            _say(unexpected(error))
        return FAILED


def _dispatch(arguments: Sequence[str] | None) -> int:
    from lacelang.cli.parser import COMMANDS, build_parser
    from lacelang.errors import LaceError

    given = sys.argv[1:] if arguments is None else list(arguments)
    if not given and streams.is_terminal(sys.stdin) and streams.is_terminal(sys.stdout):
        given = ["repl"]
    commands = given[:1] if given[:1] and given[0] in COMMANDS else [*COMMANDS]
    parsed = build_parser(commands).parse_args(given)
    try:
        code: int = parsed.command(parsed)
        return code
    except LaceError as error:
        if getattr(parsed, "json", False):
            # Also on standard output, for the program that reads it.
            from lacelang.syntax.render import as_json, encodable

            found = [as_json(diagnostic) for diagnostic in error.diagnostics]
            streams.print_json({"error": encodable(str(error)), "diagnostics": found})
        raise


def _written(code: int) -> int:
    """Return the code, or `FAILED` for a result that could not be written."""
    sys.stdout.flush()
    failed: OSError | None = getattr(sys.stdout, "failure", None)
    if failed is None or code not in (0, 1):
        return code
    _say(f"lacelang: cannot write the output: {failed.strerror or failed}")
    return FAILED


def worded(error: LaceError) -> str:
    """Return an error's text, with options in place of arguments and ways out."""
    from lacelang.errors import ResourceError, UsageError, WayOut

    if isinstance(error, ResourceError):
        return error.worded(
            {
                WayOut.FOLDER: "--out names the folder",
                WayOut.REPLACE: "--replace replaces the group",
                WayOut.FILE: "--from names the file",
                WayOut.PHOTO: "--photo names it",
                WayOut.ALLOW: "--allow-fetch allows it",
                WayOut.IMPORT: "type `lacelang models import FILE --name {}`",
            }
        )
    text = str(error)
    if isinstance(error, UsageError) and error.argument is not None:
        text = text.replace(f"`{error.argument}`", f"--{error.argument.replace('_', '-')}", 1)
    return text


def _shown(error: LaceError) -> str:
    if not error.diagnostics:
        return "lacelang: " + worded(error).replace("\n", "\n  ")
    from lacelang.syntax.render import render_all

    return render_all(error.diagnostics)


def _leave(code: int) -> None:
    """End the process if a background thread still runs, whose result is not needed.

    An interrupted process ends here too: after an interruption inside of an `exec`, Python would
    end itself by SIGINT, with another exit code.
    """
    from lacelang.system import threads

    if threading.current_thread() is threading.main_thread():
        # Ctrl-C while threads end must end the process without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if threads.busy() or code > _BY_SIGNAL:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, AttributeError, ValueError):
                stream.flush()
        os._exit(code)


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
