"""Errors in the words of the command line: options in place of arguments and ways out."""

from __future__ import annotations

from lacelang.errors import LaceError, ResourceError, UsageError, WayOut

_WAYS = {
    WayOut.FOLDER: "--out names the folder",
    WayOut.REPLACE: "--replace replaces the group",
    WayOut.FILE: "--from names the file",
}


def worded(error: LaceError) -> str:
    """Return what to print of an error."""
    if isinstance(error, ResourceError):
        return error.worded(_WAYS)
    text = str(error)
    if isinstance(error, UsageError) and error.argument is not None:
        text = text.replace(f"`{error.argument}`", f"--{error.argument.replace('_', '-')}", 1)
    return text
