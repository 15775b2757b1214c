"""Notes what a process does that somebody might mind, and what its children do.

Python imports this module at its start where its folder is on PYTHONPATH. A line for each event is
appended to the file that GUARD_LOG names.
"""

import json
import os
import sys

_LOG = os.open(os.environ["GUARD_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
_WATCHED = {
    "socket.connect",
    "socket.getaddrinfo",
    "socket.sendto",
    "subprocess.Popen",
    "os.posix_spawn",
    "os.system",
    "os.exec",
    "os.fork",
}


def _note(event: str, *details: object) -> None:
    os.write(_LOG, json.dumps([event, *map(str, details)]).encode() + b"\n")


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    if event in _WATCHED:
        _note(event, *arguments[:2])


_note("start", *sys.orig_argv[1:])
sys.addaudithook(_guard)
