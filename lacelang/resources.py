"""Where the grammar and the standard library are, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

from lacelang.errors import ResourceError

_PACKAGE = Path(__file__).resolve().parent


def shipped(folder: str) -> Path:
    """Return the shipped folder `grammars` or `stdlib`.

    An installed wheel has both under `lacelang/_shipped`; an editable install finds them at the top
    of the checkout.
    """
    for parent in (_PACKAGE / "_shipped", _PACKAGE.parent):
        candidate = parent / folder
        if candidate.is_dir():
            return candidate
    raise ResourceError(
        f"this installation of lacelang has no {folder}/ folder",
        "reinstall it with pip",
    )
