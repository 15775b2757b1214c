"""A folder of one group in the place of another: what a run wrote goes, what people added stays.

The new group is made in `.NAME.new`. Once it has samples the old one is renamed to `.NAME.old` and
the new one takes its place; then what a run wrote into the old one is removed. A process that is
killed in between leaves `.NAME.old`, which `recover` takes back, or removes.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from lacelang.storage.files import disk_error, sweep_parts
from lacelang.storage.group_folder import FILMS, own_files
from lacelang.storage.shards import Shards


def hidden(folder: Path, ending: str) -> Path:
    """Return where a group's folder is kept, or made, while another takes its place."""
    return folder.with_name(f".{folder.name}.{ending}")


def put_aside(place: Path) -> None:
    """Make room at `place` for a new group.

    Raises:
        ResourceError: the system refuses.
    """
    old = hidden(place, "old")
    try:
        clear(old)
        if place.exists():
            place.rename(old)
    except OSError as error:
        raise disk_error(error, place) from error


def clear(folder: Path) -> None:
    """Remove what a run has written into `folder`, and the folder if nothing else is in it."""
    for path in list(own_files(folder)):
        path.unlink(missing_ok=True)
    for each in (folder / FILMS, folder):
        if each.is_dir() and not each.is_symlink():
            sweep_parts(each)
            with contextlib.suppress(OSError):
                each.rmdir()


def retire(place: Path) -> None:
    """Remove the group that was at `place`; what somebody put beside it goes to the new one."""
    old = hidden(place, "old")
    with contextlib.suppress(OSError):
        clear(old)
        for part in ("", FILMS):
            for path in list((old / part).iterdir()) if (old / part).is_dir() else []:
                target = place / part / path.name
                if path.name != FILMS and not os.path.lexists(target):
                    target.parent.mkdir(exist_ok=True)
                    path.rename(target)
        clear(old)


def recover(place: Path, fingerprint: str) -> None:
    """Bring to an end what a killed run began: at `place` is the group of this fingerprint."""
    old, new = hidden(place, "old"), hidden(place, "new")
    if not old.is_dir() or old.is_symlink():
        return
    if len(Shards.open(place, fingerprint)):
        retire(place)
    elif len(Shards.open(old, fingerprint)):
        with contextlib.suppress(OSError):
            clear(new)
            if place.exists():
                place.rename(new)
            old.rename(place)
