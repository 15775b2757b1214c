"""Groups that an earlier run of the studio made, taken into the folder of a new one.

A slider changes one statement. What the others make is not made again: its records are copied, and
its images are links to the same files, which no run changes in place.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from attrs import evolve, frozen

from lacelang import ir
from lacelang.storage.files import disk_errors, make_folder
from lacelang.storage.images import FILMS, IMAGE, SHEET
from lacelang.storage.records import GroupRecord, read_index, write_index


@frozen(eq=False)
class Made:
    """A group that is whole: the statements that it comes from, its own last, and its run."""

    name: str
    made_of: tuple[ir.Statement, ...]
    folder: Path


def origin_of(statement: ir.Statement, program: Sequence[ir.Statement]) -> tuple[ir.Statement, ...]:
    """Return a statement behind those that it begins from; the number of samples is left open."""
    chain: list[ir.Statement] = []
    needed: ir.Statement | None = statement
    while needed is not None:
        one = evolve(needed, count=1) if isinstance(needed, ir.SampleStatement) else needed
        chain.append(one)
        source = needed.needs
        groups = (s for s in program if s.makes == "group" and getattr(s, "name", "") == source)
        needed = next(groups, None) if source is not None else None
    return tuple(reversed(chain))


def carry(statements: Sequence[ir.Statement], made: Sequence[Made], folder: Path) -> list[str]:
    """Take the groups of some statements that are there into `folder`, the newest first.

    Returns their names. The run decides by their fingerprints whether they are what it would make.
    """
    taken: list[GroupRecord] = []
    index = None
    for statement in statements:
        if not isinstance(statement, ir.SampleStatement | ir.EditStatement):
            continue
        if isinstance(statement, ir.SampleStatement) and statement.seed == "random":
            continue
        origin = origin_of(statement, statements)
        if isinstance(origin[0], ir.SampleStatement) and origin[0].seed == "random":
            continue
        found = next((m for m in reversed(made) if _is(m, statement.name, origin)), None)
        before = read_index(found.folder) if found is not None else None
        if found is None or before is None:
            continue
        record = next((g for g in before.groups if g.name == statement.name), None)
        if record is None or any(each.folder == record.folder for each in taken):
            continue
        most = _count(statement, statements)
        with disk_errors(folder):
            _take(found.folder / record.folder, folder / record.folder, most)
        taken.append(record)
        index = index or before
    if index is not None:
        groups = tuple(evolve(record, samples=()) for record in taken)
        rest = evolve(index, groups=groups, measures=(), expectations=(), complete=False)
        write_index(folder, rest)
    return [record.name for record in taken]


def _is(made: Made, name: str, origin: tuple[ir.Statement, ...]) -> bool:
    return made.name == name and made.made_of == origin


def _count(statement: ir.Statement, program: Sequence[ir.Statement]) -> int | None:
    """How many samples a group has; None of an edit of samples on disk."""
    while not isinstance(statement, ir.SampleStatement):
        source = statement.needs
        found = (s for s in program if s.makes == "group" and getattr(s, "name", "") == source)
        above = next(found, None) if source is not None else None
        if above is None:
            return None
        statement = above
    return statement.count


def _take(source: Path, target: Path, most: int | None) -> None:
    make_folder(target)
    for file in sorted(source.iterdir()):
        if file.is_symlink() or file.name.startswith("."):
            continue
        if file.is_dir():
            if file.name == FILMS:
                _take(file, target / FILMS, most)
        elif IMAGE.fullmatch(file.name) or file.name == SHEET:
            if most is None or file.name == SHEET or int(file.stem) < most:
                _link(file, target / file.name)
        else:
            shutil.copyfile(file, target / file.name)


def _link(source: Path, target: Path) -> None:
    with suppress(OSError):
        os.link(source, target)
        return
    # A disk without hard links.
    shutil.copyfile(source, target)
