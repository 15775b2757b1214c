"""A folder of one group in the place of another: what a run wrote goes, what people added stays."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from lacelang.storage.files import sweep_parts
from lacelang.storage.group_folder import FILMS, own_files


def hidden(folder: Path, ending: str) -> Path:
    """Return where a group's folder is kept, or made, while another takes its place."""
    return folder.with_name(f".{folder.name}.{ending}")


def clear(folder: Path) -> None:
    """Remove what a run has written into `folder`, and the folder if nothing else is in it."""
    for path in list(own_files(folder)):
        path.unlink(missing_ok=True)
    for each in (folder / FILMS, folder):
        sweep_parts(each)
        with contextlib.suppress(OSError):
            each.rmdir()


def retire(old: Path, place: Path) -> None:
    """Remove a group that has been replaced; what somebody put beside it goes to the new one."""
    with contextlib.suppress(OSError):
        clear(old)
        for part in ("", FILMS):
            for path in list((old / part).iterdir()) if (old / part).is_dir() else []:
                target = place / part / path.name
                if path.name != FILMS and not os.path.lexists(target):
                    target.parent.mkdir(exist_ok=True)
                    path.rename(target)
        clear(old)
