"""Commands of the prompt that show something: groups, sheets, grids, and the system's viewer."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from PIL import Image

from lacelang.errors import ResourceError, UsageError
from lacelang.language.completion import Offer
from lacelang.language.scope import Scope
from lacelang.repl.themes import THEMES
from lacelang.semantics.context import did_you_mean
from lacelang.storage.files import disk_errors, write_atomic
from lacelang.system.filenames import on_disk
from lacelang.text.names import nfc

if TYPE_CHECKING:
    from lacelang.engine.result import Group
    from lacelang.render.grid import Grid
    from lacelang.repl.loop import Loop

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
"""What is handed to the system's viewer, beside folders: other files might be run."""


def named_group(loop: Loop, name: str) -> Group:
    """Return a group of the session, the last one if the name is empty; a UsageError if none."""
    names = list(loop.session.known.groups.models)
    if not names:
        raise UsageError("there are no samples yet")
    name = nfc(name.strip('"')) or names[-1]
    if name not in names:
        raise UsageError(f"there is no group `{name}`\n{did_you_mean(name, names, 'there are:')}")
    return loop.groups[name]


def typed_path(typed: str) -> Path:
    """Return the path that somebody typed; a UsageError if it cannot be one."""
    try:
        if "\0" in typed:
            raise ValueError
        return Path(on_disk(typed)).expanduser()
    except (ValueError, RuntimeError):
        # No name of a file can hold it, or `~` is nobody here.
        raise UsageError(f"`{typed}` cannot be the path of a file") from None


def show(loop: Loop, argument: str) -> None:
    """Draw a group again."""
    loop.draw(named_group(loop, argument))


def sheet(loop: Loop, argument: str) -> None:
    """Draw the contact sheet of a group, or write it into a file."""
    name, file = _with_file(argument)
    group = named_group(loop, name)
    hint = "`:sheet faces.png`; or `:open`"
    _shown_or_written(loop, _sheet_of(group), file, group.record.of_photo, hint)


def grid(loop: Loop, argument: str) -> None:
    """Draw the groups of the last `for` as one grid, or write it into a file."""
    name, file = _with_file(argument)
    if name:
        raise UsageError("`:grid` takes the name of a file at most\nlike `:grid beards.png`")
    drawn, picture = _grid_of(loop)
    of_photo = any(loop.groups[each].record.of_photo for each in drawn.groups)
    _shown_or_written(loop, picture, file, of_photo, "`:grid faces.png`")


def open_in_viewer(loop: Loop, argument: str) -> None:
    """Open a group's sheet, one of its samples, or a picture or folder, in the system's viewer."""
    name, _, number = argument.rpartition(" ")
    if not number.isdecimal():
        name, number = argument, ""
    names = loop.session.known.groups.models
    is_group = not argument or nfc(name.strip().strip('"')) in names or bool(number and not name)
    path = typed_path(argument.strip('"'))
    with disk_errors(path):
        there = bool(argument) and path.exists()
    if not is_group and there:
        if not (path.is_dir() or path.suffix.lower() in PICTURES):
            raise UsageError(f"`{path}` is neither a folder nor a picture")
        view(path)
        return
    group = named_group(loop, name.strip())
    if number:
        if int(number) >= len(group):
            raise UsageError(f"`{group.name}` has the samples 0 to {len(group) - 1}")
        picture = group.images[int(number)]
    else:
        picture = _sheet_of(group)
    label = f"{group.record.folder}{f'-{number}' if number else ''}.png"
    view(_write(picture, loop.pictures_folder / label, group.record.of_photo))


def view(path: Path) -> None:
    """Open a picture or a folder in the system's viewer; no shell reads its name."""
    path = path.absolute()
    if sys.platform == "win32":
        os.startfile(path)
        return
    viewer = which("open" if sys.platform == "darwin" else "xdg-open")
    if viewer is None:
        raise ResourceError(
            f"there is no viewer here: `xdg-open` is not installed; the file is {path}"
        )
    try:
        subprocess.Popen(
            [viewer, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise ResourceError(f"{viewer} cannot be started: {error.strerror}") from error


def theme(loop: Loop, argument: str) -> None:
    """Say the colours in use, or take others."""
    if argument:
        if argument not in THEMES:
            hint = did_you_mean(argument, THEMES, "there are:")
            raise UsageError(f"there is no theme `{argument}`\n{hint}")
        loop.theme = THEMES[argument]
    loop.say(loop.theme.name)


def theme_offers(scope: Scope) -> Iterator[Offer]:
    """Offer the themes."""
    yield from map(Offer, THEMES)


def scratch() -> tempfile.TemporaryDirectory[str]:
    """Return a folder for pictures that are opened in a viewer, removed when the prompt ends."""
    return tempfile.TemporaryDirectory(prefix="lacelang-", ignore_cleanup_errors=True)


def _with_file(argument: str) -> tuple[str, Path | None]:
    """Return the name of a group, and the file that stands behind it."""
    name, _, last = argument.rpartition(" ")
    if last.strip('"').lower().endswith(PICTURES):
        return name.strip(), typed_path(last.strip('"'))
    return argument, None


def _sheet_of(group: Group) -> Image.Image:
    from lacelang.render.sheet import MOST_FACES, draw_sheet
    from lacelang.render.sheet_cells import thumbnail

    faces = zip(group.record.samples[:MOST_FACES], group.each_image(), strict=False)
    return draw_sheet(group.record, {sample.index: thumbnail(face) for sample, face in faces})


def _grid_of(loop: Loop) -> tuple[Grid, Image.Image]:
    """Return the grid of the last loop that made several groups, and its picture."""
    from lacelang.render.grid import draw_grid
    from lacelang.render.group_grids import MOST_SAMPLES, loop_grids

    for entry in reversed(loop.session.entries):
        names = [s.name for s in entry.piece.statements if s.makes == "group"]
        grids = loop_grids(loop.groups[name].record for name in names)
        if grids:
            faces = {
                name: list(islice(loop.groups[name].each_image(), MOST_SAMPLES)) for name in names
            }
            return grids[-1].grid, draw_grid(grids[-1].grid, partial(_face, faces))
    raise UsageError(
        "there is no loop with several groups yet\n"
        'like `for t in 1, 0.5 { sample 4 from ffhq where beard=1 temp t as "at {t}" }`'
    )


def _face(faces: Mapping[str, Sequence[Image.Image]], group: str, index: int) -> Image.Image | None:
    return faces[group][index] if index < len(faces[group]) else None


def _shown_or_written(
    loop: Loop, picture: Image.Image, file: Path | None, of_photo: bool, hint: str
) -> None:
    if file is not None:
        loop.say(f"written to {_write(picture, file, of_photo)}")
    elif loop.graphics == "none":
        raise UsageError(f"this terminal shows no pictures\nname a file: {hint}")
    else:
        from lacelang.repl.show import show_picture

        show_picture(picture, loop.console, loop.graphics)


def _write(picture: Image.Image, file: Path, of_photo: bool) -> Path:
    """Write a picture, which says that it is synthetic if its format has room for that."""
    from lacelang.render.sheet import encoded
    from lacelang.storage.provenance import synthetic

    kind = Image.registered_extensions()[file.suffix.lower()]
    write_atomic(file, encoded(picture.convert("RGB"), kind, texts=synthetic(of_photo)))
    return file
