"""A program from Python: compile its text, run it, take its energies into one's own loop."""

from __future__ import annotations

import operator
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from lacelang.errors import Diagnostic, ProgramError, Span, UsageError
from lacelang.threads import working

if TYPE_CHECKING:
    from lacelang.embedding.programs import Definition
    from lacelang.energy import ConditionalEnergy
    from lacelang.output.progress import Progress
    from lacelang.runtime.result import Group, Run
    from lacelang.semantics.ir import CheckedProgram, SampleStatement

Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda", "mps")


def compile(
    source: str,
    path: str | Path | None = None,
    definitions: Mapping[str, Definition] | None = None,
) -> Program:
    """Check a program.

    Args:
        source: its text.
        path: the file it comes from, for messages and for imports beside it.
        definitions: what further names stand for in it: conditions, as such or as text, and
            numbers. They become `let` statements below the program.

    Raises:
        LaceError: the program is wrong; `diagnostics` says where and why, all of it at once.
            Nothing else, whatever is passed.
    """
    from lacelang.semantics.check import check

    if not isinstance(source, str):
        raise UsageError(f"a program is text, not {type(source).__name__}")
    if path is not None and not isinstance(path, str | os.PathLike):
        raise UsageError(f"`path` is a string or a Path, not {type(path).__name__}")
    if definitions:
        from lacelang.embedding.programs import with_definitions

        source = with_definitions(source, definitions)
    return Program(check(source, None if path is None else Path(path)), source)


class Program:
    """A checked program. Nothing is loaded until it runs.

    Attributes:
        checked: its statements, everything resolved.
        source: its text.
    """

    def __init__(self, checked: CheckedProgram, source: str) -> None:
        self.checked = checked
        self.source = source

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What a person would want to hear about it, in the order of the source."""
        return tuple(self.checked.warnings)

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups that it makes, in the order of the source."""
        from lacelang.semantics.ir import EditStatement, SampleStatement

        makes = SampleStatement | EditStatement
        return tuple(s.name for s in self.checked.statements if isinstance(s, makes))

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of its `measure` statements, in the order of the source."""
        from lacelang.semantics.ir import MeasureStatement

        statements = self.checked.statements
        return tuple(s.name for s in statements if isinstance(s, MeasureStatement))

    def run(
        self,
        seed: int | None = None,
        device: Device = "auto",
        out: str | Path | None = None,
        progress: bool | Progress = False,
        *,
        only: str | Collection[str] | None = None,
        metadata: bool = True,
        images: bool = True,
        replace: bool = False,
        shared: bool = False,
        kept: Mapping[str, Group] | None = None,
    ) -> Run:
        """Run all statements of the program.

        Args:
            seed: stands in place of every seed in the program; None leaves those, and takes 0
                where the program names none.
            device: where to compute; `auto` takes a GPU if there is one.
            out: folder for images, sheets and run.json; None writes nothing, and decodes images
                when they are asked for. A second run into the same folder goes on from the first.
            progress: show bars on standard error, if it is a terminal; or where to show them.
            only: names of groups and measures; None means all statements.
            metadata: let each image carry the program it comes from.
            images: write images and sheets into `out`; False leaves latents and records alone.
            replace: let groups in `out` be replaced that another program made. Those that this
                program made are replaced anyway once it makes them anew.
            shared: `out` is a folder that no one chose for this program. A program without a
                path then replaces no group in it.
            kept: groups of earlier runs, by name; one that would come out the same is not made
                again. For runs without `out`, which keeps its own.

        Returns:
            The groups by name, and beside them what was measured and what was expected.

        Raises:
            ProgramError: there is nothing to run, or it expects what no annotator sees.
            UsageError: no such group, measure or device.
            ResourceError: weights or annotators cannot be had, or `out` not written.
        """
        from lacelang.output.files import make_folder
        from lacelang.output.progress import Silent, shown

        self._refuse_nothing()
        folder = _folder(out)
        seed, device, names = _seed(seed), _device(device), self._named(only)
        if folder is not None:
            # Before anything heavy is imported or fetched: a wrong folder costs nobody's time.
            make_folder(folder)

        # Libraries in C++ are imported here. Modules too, some of which hold tensors, are loaded
        # apart from the caller's modes.
        with working():
            from lacelang.isolation import isolated

            with isolated():
                from lacelang.runtime.execute import execute
                from lacelang.runtime.plan import Options

                options = Options(
                    seed, device, folder, names, metadata, images, replace, shared, kept or {}
                )
                if not isinstance(progress, bool):
                    return execute(self, options, progress)
                if not progress:
                    return execute(self, options, Silent())
                with shown() as display:
                    return execute(self, options, display)

    def energy(self, name: str, device: Device = "auto") -> ConditionalEnergy:
        """Return the conditional energy of the group `name`.

        It maps latents z, float32 (N, d), to energies (N,) in nats, differentiable in z and
        without the prior, which `.prior(z)` gives apart (LACE eq. 5).

        Raises:
            UsageError: no such group, or it has no condition.
            ResourceError: weights cannot be had.
        """
        from lacelang.isolation import isolated
        from lacelang.output.progress import Silent

        statement = next((s for s in self.samples if s.name == name), None)
        if statement is None:
            known = ", ".join(s.name for s in self.samples) or "none"
            raise UsageError(f"the program samples no group {name!r}; it samples: {known}")
        with isolated():
            from lacelang.runtime.loading import load
            from lacelang.runtime.sampling import energy_of

            return energy_of(statement, load(statement.model, _device(device), Silent()))

    def _refuse_nothing(self) -> None:
        if self.checked.statements:
            return
        path = self.checked.path
        raise ProgramError(
            [
                Diagnostic(
                    "LACE314",
                    "this program has definitions only: there is nothing to run",
                    Span(1, 1, 1, 2),
                    hint="add a `sample`, or import it into a program that has one",
                    path=None if path is None else str(path),
                    source=self.source,
                )
            ]
        )

    @property
    def samples(self) -> tuple[SampleStatement, ...]:
        """Its `sample` statements, resolved, in the order of the source."""
        from lacelang.semantics.ir import SampleStatement

        return tuple(s for s in self.checked.statements if isinstance(s, SampleStatement))

    def _named(self, only: str | Collection[str] | None) -> tuple[str, ...]:
        names = (*self.groups, *self.measures)
        if only is None:
            return names
        try:
            wanted = (only,) if isinstance(only, str) else tuple(only)
        except TypeError:
            raise UsageError(f"`only` is a name or several, not {only!r}") from None
        for name in wanted:
            if name not in names:
                known = f"its groups: {', '.join(self.groups) or 'none'}"
                if self.measures:
                    known += f"; its measures: {', '.join(self.measures)}"
                raise UsageError(f"the program makes no group {name!r}; {known}")
        return tuple(name for name in names if name in wanted)


def _seed(seed: object) -> int | None:
    if seed is None:
        return None
    try:
        # Whole numbers of numpy and torch too; True and False are none.
        number = None if type(seed).__name__.startswith("bool") else operator.index(seed)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = None
    if number is None or not 0 <= number < 2**63:
        raise UsageError(f"`seed` is a whole number from 0 to 2^63 - 1, not {seed!r}")
    return number


def _device(device: object) -> Device:
    # A `torch.device` has its name in `type`.
    name = getattr(device, "type", device)
    for known in DEVICES:
        if name == known:
            return known
    raise UsageError(f"no device {device!r}; `device` is one of: {', '.join(DEVICES)}")


def _folder(out: object) -> Path | None:
    if out is None:
        return None
    if isinstance(out, str | os.PathLike) and isinstance(os.fspath(out), str) and os.fspath(out):
        return Path(out)
    raise UsageError(f"`out` is the path of a folder, not {out!r}")
