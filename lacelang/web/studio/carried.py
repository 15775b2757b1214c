"""Groups that an earlier run of the studio made, taken into the folder of a new one.

A slider changes one statement. What the others make is not made again: its records are copied, and
its images are links to the same files, which no run changes in place.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import evolve, frozen

from lacelang import ir
from lacelang.storage.files import disk_errors, make_folder
from lacelang.storage.images import IMAGE, INNER, SHEET
from lacelang.storage.records import GroupRecord, read_index, write_index

_GROUPS = (ir.SampleStatement, ir.EditStatement, ir.PickStatement)


@frozen(eq=False)
class Made:
    """A group that is whole: the statements that it comes from, its own last, and its run."""

    name: str
    made_of: tuple[ir.Statement, ...]
    folder: Path


def origin_of(statement: ir.Statement, program: Sequence[ir.Statement]) -> tuple[ir.Statement, ...]:
    """Return a statement behind those that it begins from; the number of samples is left open."""
    return tuple(reversed([_uncounted(each) for each in _chain(statement, program)]))


def _uncounted(statement: ir.Statement) -> ir.Statement:
    return evolve(statement, count=1) if isinstance(statement, ir.SampleStatement) else statement


def _chain(statement: ir.Statement, program: Sequence[ir.Statement]) -> Iterator[ir.Statement]:
    """Yield a statement, then the one that it begins from, and so on."""
    made = {each.name: each for each in program if isinstance(each, _GROUPS)}
    needed: ir.Statement | None = statement
    while needed is not None:
        yield needed
        needed = made.get(needed.needs or "")


def carry(statements: Sequence[ir.Statement], made: Sequence[Made], folder: Path) -> list[str]:
    """Take the groups of some statements that are there into `folder`, the newest first.

    Returns their names. The run decides by their fingerprints whether they are what it would make.
    """
    taken: list[GroupRecord] = []
    index = None
    for statement in statements:
        if not isinstance(statement, _GROUPS):
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
    for each in _chain(statement, program):
        if isinstance(each, ir.SampleStatement):
            return each.count
        if isinstance(each, ir.PickStatement):
            return len(each.indices)
    return None


def _take(source: Path, target: Path, most: int | None) -> None:
    make_folder(target)
    for file in sorted(source.iterdir()):
        if file.is_symlink() or file.name.startswith("."):
            continue
        if file.is_dir():
            if file.name in INNER:
                _take(file, target / file.name, most)
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
