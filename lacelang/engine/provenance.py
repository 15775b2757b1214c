"""What the images of a run say of how they were made."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray

from lacelang import ir
from lacelang.engine.tasks import GroupTask, Rows, Start
from lacelang.errors import LaceError
from lacelang.ir import CheckedProgram
from lacelang.semantics.check import PATH
from lacelang.semantics.resolved import resolved_text
from lacelang.storage.latents import Latents
from lacelang.storage.provenance import (
    NAMELESS,
    Began,
    Origin,
    Provenance,
    SavedSamples,
    TermUsed,
    What,
    digest_of_pixels,
)
from lacelang.storage.records import GroupRecord, SampleRecord
from lacelang.system.filenames import as_text
from lacelang.version import __version__

_LIBRARIES = ("torch", "openvino", "numpy")


def versions() -> dict[str, str]:
    """What the last bits of a sample depend on, beside the program: packages, and the processor."""
    known = {name: version(name) for name in _LIBRARIES}
    kind = f"{platform.system()} {platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
    return {"lacelang": __version__, **known, "platform": kind}


def name_of(program: CheckedProgram) -> str:
    """What a program's file is called, as text that a file can hold."""
    return NAMELESS if program.path is None else as_text(program.path.name)


@frozen(eq=False)
class _Made:
    """What is known of a group beside its record."""

    kind: str
    came_from: tuple[Origin, ...]
    start: Start | None
    versions: Mapping[str, str]
    picked: tuple[int, ...] | None  # the indices of its samples in the last of those, of a `pick`


class Provenances:
    """Makes the provenance of what shows the groups of a program; used by several threads."""

    def __init__(self, program: CheckedProgram, tasks: Mapping[str, GroupTask]) -> None:
        self._program = program
        statements = {s.name: s for s in program.statements if s.makes == "group"}
        self._made: dict[str, _Made] = {}
        self._starts: dict[str, Rows] = {}  # by the name of what is on disk
        for name, task in tasks.items():
            origins: tuple[Origin, ...] = ()
            for source in task.sources:
                before = self._made[source].came_from
                origins = (*before, Origin(source, tasks[source].record.fingerprint))
            own = statements[name]
            picked = own.indices if isinstance(own, ir.PickStatement) else None
            known = self._versions_of(task)
            self._made[name] = _Made(own.kind, origins, task.start, known, picked)

    def __getstate__(self) -> dict[str, object]:
        # What Python defined cannot always be pickled, and what follows from it can.
        for known in ("_text", "_saved", "_terms", "_name"):
            getattr(self, known)
        return {**self.__dict__, "_program": None, "_starts": {}}

    def _versions_of(self, task: GroupTask) -> dict[str, str]:
        if task.model.device.type != "cuda":
            return versions()
        return versions() | {"gpu": torch.cuda.get_device_name(task.model.device)}

    @cached_property
    def _name(self) -> str:
        return name_of(self._program)

    @cached_property
    def _text(self) -> tuple[str, str | None]:
        """The program with its imports in it, or as it is and why."""
        if self._program.path == Path(PATH):
            why = "it is a part of what was typed at the prompt: save that, and run it"
            return self._program.source, why
        try:
            return resolved_text(self._program), None
        except LaceError as error:
            return self._program.source, str(error)

    @cached_property
    def _saved(self) -> dict[str, SavedSamples]:
        return {
            s.group: SavedSamples(
                s.model.name,
                s.saved.truncation,
                s.saved.seed,
                s.saved.fingerprint is not None,
                s.saved.photo,
            )
            for s in self._program.statements
            if isinstance(s, ir.EditStatement) and s.saved is not None
        }

    @cached_property
    def _terms(self) -> dict[str, TermUsed]:
        conditions = (c for s in self._program.statements for c in s.conditions.values())
        terms = ir.own_terms(*conditions).values()
        return {term.name: TermUsed(term.on, term.version) for term in terms}

    def sheet(self, group: GroupRecord) -> Provenance:
        """Of the contact sheet of a group."""
        return self._of("sheet", group)

    def grid(self, group: GroupRecord) -> Provenance:
        """Of a grid of several groups, by the first of them."""
        return self.sheet(group).of_grid

    def film(self, group: GroupRecord, sample: SampleRecord) -> Provenance:
        """Of the film strip of an edited sample."""
        return self._of("film", group, sample)

    def image(
        self, group: GroupRecord, sample: SampleRecord, pixels: NDArray[np.uint8]
    ) -> Provenance:
        """Of the image of a sample, uint8 (H, W, 3)."""
        return self._of("image", group, sample, digest_of_pixels(pixels))

    def pasted(
        self, group: GroupRecord, sample: SampleRecord, pixels: NDArray[np.uint8]
    ) -> Provenance:
        """Of the photograph with the image of a sample in it, uint8 (H, W, 3) or (H, W, 4)."""
        return self._of("pasted", group, sample, digest_of_pixels(pixels[..., :3]))

    def _first(self, name: str, index: int) -> int:
        """The index that a sample has in the first of the groups that it came from."""
        for each in (name, *(origin.name for origin in self._made[name].came_from[:0:-1])):
            picked = self._made[each].picked
            index = index if picked is None else picked[index]
        return index

    def _row(self, start: Start, index: int) -> Latents:
        if start.name not in self._starts:
            self._starts[start.name] = start.latents()
        return self._starts[start.name].rows([index])

    def _of(
        self,
        what: What,
        group: GroupRecord,
        sample: SampleRecord | None = None,
        pixels: str | None = None,
    ) -> Provenance:
        made = self._made[group.name]
        text, unresolved = self._text
        began, start = None, None
        if made.start is not None:
            began = Began(made.start.name, made.start.digest)
            if sample is not None and what in ("image", "pasted"):
                start = self._row(made.start, self._first(group.name, sample.index))
        return Provenance(
            what,
            self._name,
            made.versions,
            group.name,
            made.kind,
            group.fingerprint,
            group.seed,
            text,
            group.condition,
            group.settings,
            unresolved,
            made.came_from,
            began,
            self._saved or None,
            self._terms,
            sample,
            pixels,
            start=start,
        )
