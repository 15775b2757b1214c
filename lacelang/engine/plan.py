"""What a run makes: a task for every statement of the program, in its order."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from lacelang.annotators import judging
from lacelang.engine.editing import edit_task
from lacelang.engine.expectations import judged_attributes
from lacelang.engine.loading import Model, load
from lacelang.engine.measures import MeasureTask
from lacelang.engine.own_terms import with_terms
from lacelang.engine.photographs import photo_task
from lacelang.engine.picking import pick_task
from lacelang.engine.run_log import RunLog
from lacelang.engine.sampling import sample_task
from lacelang.engine.sinks import OnImage
from lacelang.engine.tasks import GroupTask
from lacelang.errors import LaceError
from lacelang.ir import (
    EditStatement,
    ExpectStatement,
    MeasureStatement,
    PhotoStatement,
    PickStatement,
    SampleStatement,
    Seed,
)
from lacelang.progress import Progress
from lacelang.semantics import defaults
from lacelang.storage.datasets.index import DatasetOptions
from lacelang.storage.datasets.index import read_index as read_dataset
from lacelang.storage.datasets.place import place_of
from lacelang.storage.records import read_index

if TYPE_CHECKING:
    from lacelang.engine.result import Group
    from lacelang.generators.declaration import Device
    from lacelang.ir import CheckedProgram


@frozen
class Options:
    """How to run a program; see `Program.run`."""

    seed: int | None
    device: Device
    out: Path | None
    only: tuple[str, ...]
    metadata: bool = True
    images: bool = True
    replace: bool = False
    shared: bool = False  # `out` is the default folder, which programs without a file share
    kept: Mapping[str, Group] = field(factory=dict)
    on_image: OnImage | None = None  # called for each image in `out`, from another thread
    dataset: DatasetOptions | None = None  # in place of `out`
    workers: int | str | None = None  # processes, or the address of a cluster; None for this one
    log: RunLog = field(factory=RunLog)

    def seed_for(self, own: Seed) -> int:
        """The seed of a statement that names `own`; one that is drawn now for `random`."""
        seed = own if self.seed is None else self.seed
        if seed == "random":
            return secrets.randbelow(2**32)
        return defaults.SEED if seed is None else seed


@frozen(eq=False)
class Plan:
    """The tasks of a program, models loaded."""

    only: Collection[str]  # names of the groups and measures that are asked for
    groups: list[GroupTask] = field(factory=list)  # sources before what begins from them
    measures: list[MeasureTask] = field(factory=list)
    expectations: list[ExpectStatement] = field(factory=list)

    @property
    def chosen(self) -> tuple[GroupTask, ...]:
        """The groups to make now: those that are asked for, and those they begin from."""
        wanted = set(self.only)
        for task in reversed(self.groups):
            if task.record.name in wanted:
                wanted.update(task.sources)
        return tuple(task for task in self.groups if task.record.name in wanted)

    @property
    def due(self) -> tuple[ExpectStatement, ...]:
        """The expectations of groups that are made now."""
        names = {task.record.name for task in self.chosen}
        return tuple(expected for expected in self.expectations if expected.group in names)


def plan(program: CheckedProgram, options: Options, progress: Progress) -> Plan:
    """Load the models of a program, and return a task for each of its statements."""
    planned = Plan(options.only)
    for statement in program.statements:
        if isinstance(statement, ExpectStatement):
            planned.expectations.append(statement)
            continue
        if isinstance(statement, PickStatement):
            made = {task.record.name: task for task in planned.groups}
            planned.groups.append(pick_task(statement, made[statement.group]))
            continue
        model = load(statement.model, options.device, progress)
        model = with_terms(model, statement.conditions.values())
        match statement:
            case SampleStatement():
                planned.groups.append(_sample_task(statement, model, options, progress))
            case PhotoStatement():
                planned.groups.append(photo_task(statement, model, progress))
            case EditStatement():
                made = {task.record.name: task for task in planned.groups}
                planned.groups.append(edit_task(statement, model, made))
            case MeasureStatement(seed=seed):
                planned.measures.append(MeasureTask(statement, model, options.seed_for(seed)))
            case _:
                raise TypeError(f"nothing runs a {type(statement).__name__}")
    judged = judged_attributes(planned.due).union(*(task.judged for task in planned.chosen))
    for annotator in judging(judged):
        annotator.require()  # before anything is made for it to judge
    return planned


def _sample_task(
    statement: SampleStatement, model: Model, options: Options, progress: Progress
) -> GroupTask:
    """Return a statement's task; a random seed is that of the same group made before, if any."""
    if statement.seed != "random" or options.seed is not None:
        return sample_task(statement, model, options.seed_for(statement.seed), progress)
    known = [group.record for group in options.kept.values()]
    if options.out is not None and not options.replace:
        with suppress(LaceError):  # reported when the folder is opened
            before = read_index(options.out)
            known += () if before is None else before.groups
    if options.dataset is not None and not options.replace:
        with suppress(LaceError):
            there = read_dataset(place_of(options.dataset.out))
            known += () if there is None else (each.group for each in there.groups)
    for group in known:
        if group.name == statement.name:
            task = sample_task(statement, model, group.seed, progress)
            if task.record.fingerprint == group.fingerprint:
                return task
    task = sample_task(statement, model, options.seed_for("random"), progress)
    progress.note(f"{statement.name}: seed {task.record.seed}")
    return task
