"""A program from Python: compile its text, run it, take its energies into one's own loop."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from os import PathLike
from typing import TYPE_CHECKING, Literal

from attrs import evolve

from lacelang import arguments
from lacelang.engine.run_arguments import dataset_of, kept_of, workers_of
from lacelang.errors import Diagnostic, ProgramError, Span, UsageError
from lacelang.generators.declaration import DEVICES, Device
from lacelang.system.threads import working
from lacelang.text.names import nfc

if TYPE_CHECKING:
    from lacelang.embedding.algebra import Condition
    from lacelang.embedding.program import Definition
    from lacelang.energy import ConditionalEnergy
    from lacelang.engine.result import Group, Run
    from lacelang.engine.sinks import OnImage
    from lacelang.ir import CheckedProgram, SampleStatement
    from lacelang.progress import Progress


def compile(
    source: str,
    path: str | PathLike[str] | None = None,
    definitions: Mapping[str, Definition] | None = None,
    root: str | PathLike[str] | None = None,
) -> Program:
    """Check a program.

    Args:
        source: its text.
        path: the file it comes from, for messages and for imports beside it.
        definitions: what further names stand for in it: conditions, as such or as text, and
            numbers. They become `let` statements below the program.
        root: the folder below which imported files lie; that of `path`, or the current one, if
            none is given.

    Raises:
        LaceError: the program is wrong; `diagnostics` says where and why, all of it at once.
            Nothing else, whatever is passed.
    """
    if not isinstance(arguments.item(source), str):
        raise UsageError(f"`source` is a program's text, not {type(source).__name__}")
    source = arguments.text(source, "source", "text")
    file = None if path is None else arguments.path(path, "path")
    below = None if root is None else arguments.path(root, "root", "a folder")
    definitions = arguments.mapping(definitions, "definitions", "names to conditions and numbers")
    if definitions:
        from lacelang.embedding.program import with_definitions

        return Program(with_definitions(source, file, definitions, below))
    from lacelang.semantics.check import check

    return Program(check(source, file, root=below))


def sampling(
    model: str,
    where: Condition | str | None = None,
    *,
    count: int | None = None,
    name: str | None = None,
    seed: int | None = None,
    truncation: float | None = None,
    temp: float | None = None,
    logit_temp: float | None = None,
    sampler: str | None = None,
    options: Mapping[str, float | str] | None = None,
    contrast: float | None = None,
    disjunction: Literal["equal", "balanced", "exact"] | None = None,
    sigma: Literal["residual", "paper"] | None = None,
    verified: bool | int = False,
    imports: str | PathLike[str] | Sequence[str | PathLike[str]] = (),
    path: str | PathLike[str] | None = None,
) -> Program:
    """Return a program of one `sample` statement, checked like any other.

    What is left out is left out of the statement, whose defaults then hold.

    Args:
        model: whose samples, e.g. `ffhq`.
        where: what they must be like; None asks for draws from the prior.
        count: how many.
        name: of the group; `sample1` if none is given.
        seed: sample i depends on the program, the seed and i alone.
        truncation: psi, in (0, 1].
        temp, logit_temp: temperature of discrete comparisons; the second is the paper's form.
        sampler, options: its name, e.g. `heun`, and e.g. `{"tolerance": 1e-2}`.
        contrast: lambda of the paper's negation; None takes the complement.
        disjunction: how the disjuncts of an `or` are weighed, or `exact` for no mixture but the
            probability of the formula.
        sigma: where the spread of measured attributes comes from.
        verified: draw each sample anew until the annotators agree with its image; a number is the
            most candidates for one.
        imports: modules of the standard library by name, or files, wherever they are, that may be
            used.
        path: the file that relative imports count from.

    Raises:
        ProgramError: the program is wrong; its diagnostics show it as text.
        UsageError: an argument is not of its kind.
    """
    from lacelang.embedding.program import sample_program

    if temp is not None and logit_temp is not None:
        raise UsageError("`temp` and `logit_temp` are two forms of one setting; give one of them")
    given = arguments.mapping(options, "options", "names to numbers or words")
    if given and sampler is None:
        raise UsageError('options are of a sampler; name it: sampler="heun"')
    file = None if path is None else arguments.path(path, "path")
    clauses = {
        "where": where,
        "temp": temp,
        "logit_temp": logit_temp,
        "truncation": truncation,
        "seed": seed,
        "sampler": sampler,
        "contrast": contrast,
        "disjunction": disjunction,
        "sigma": sigma,
        "verified": verified if verified is not False else None,
        "name": name,
    }
    return Program(sample_program(imports, file, model, count, clauses, given))


def energy_of(
    where: Condition | str,
    model: str,
    *,
    truncation: float | None = None,
    temp: float | None = None,
    logit_temp: float | None = None,
    contrast: float | None = None,
    disjunction: Literal["equal", "balanced", "exact"] | None = None,
    sigma: Literal["residual", "paper"] | None = None,
    imports: str | PathLike[str] | Sequence[str | PathLike[str]] = (),
    path: str | PathLike[str] | None = None,
    device: Device = "auto",
) -> ConditionalEnergy:
    """Return the conditional energy of a condition on a model's latents; see `Program.energy`.

    Args:
        where: the condition.
        model: whose latents, e.g. `ffhq`.
        truncation, temp, logit_temp, contrast, disjunction, sigma, imports, path: as in `sampling`.
        device: where to compute; `auto` takes a GPU if there is one.

    Raises:
        ProgramError: the condition is wrong.
        UsageError: an argument is not of its kind.
        ResourceError: weights cannot be had.
    """
    if where is None:
        arguments.refuse(where, "where", "is a condition or the text of a condition")
    program = sampling(
        model,
        where,
        truncation=truncation,
        temp=temp,
        logit_temp=logit_temp,
        contrast=contrast,
        disjunction=disjunction,
        sigma=sigma,
        imports=imports,
        path=path,
    )
    return program.energy(program.groups[0], device)


def release() -> None:
    """Drop the models that this process has loaded, and what was computed for them.

    A group that was returned keeps its own model, as long as it is kept itself.
    """
    from lacelang.engine.loading import MODELS

    MODELS.release()


class Program:
    """A checked program. Nothing is loaded until it runs.

    Attributes:
        checked: its statements, everything resolved.
    """

    def __init__(self, checked: CheckedProgram) -> None:
        self.checked = checked

    @property
    def source(self) -> str:
        """Its text."""
        return self.checked.source

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """Its warnings, in the order of the source."""
        return tuple(self.checked.warnings)

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups that it makes, in the order of the source."""
        return tuple(s.name for s in self.checked.statements if s.makes == "group")

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of its `measure` statements, in the order of the source."""
        return tuple(s.name for s in self.checked.statements if s.makes == "measure")

    def run(
        self,
        seed: int | None = None,
        device: Device = "auto",
        out: str | PathLike[str] | None = None,
        progress: bool | Progress = False,
        *,
        only: str | Collection[str] | None = None,
        metadata: bool = True,
        images: bool = True,
        replace: bool = False,
        shared: bool = False,
        kept: Mapping[str, Group] | Run | None = None,
        on_image: OnImage | None = None,
        format: Literal["folder", "webdataset", "parquet"] = "folder",
        image_format: Literal["png", "jpeg", "webp"] = "png",
        quality: int | None = None,
        shard_size: int | None = None,
        workers: int | str | None = None,
        log: str | PathLike[str] | None = None,
    ) -> Run:
        """Run all statements of the program.

        Args:
            seed: in place of every seed in the program; None leaves those, and takes 0 for none.
            device: where to compute; `auto` takes a GPU if there is one.
            out: folder for images, sheets and run.json, where a second run goes on from the first.
                None writes nothing, and decodes images when they are asked for.
            progress: show bars on standard error, if it is a terminal; or where to show them.
            only: names of groups and measures; None means all statements.
            metadata: let each image carry the program it comes from.
            images: write images and sheets into `out`, beside latents and records.
            replace: let groups of other programs in `out` be replaced, as this program's own are.
            shared: `out` was not chosen for this program: without a path it replaces no group.
            kept: an earlier run, or groups of such by name; one that would come out the same is
                not made again. For runs without `out`, which keeps its own.
            on_image: called for each image as soon as it is in `out`, with the record of its group
                (without samples), that of its sample, and its file; from other threads than the
                caller's. What it raises ends the run.
            format: of `out`: a run folder, or a data set, of which `out` may be a URL that fsspec
                writes to. The run of a data set has no groups, and `dataset` instead.
            image_format: of a data set.
            quality: of JPEG and WebP, 1 to 100; 90 if none is given.
            shard_size: samples in each shard of a data set; 1000 if none is given.
            workers: processes that share the work, or the address `ray://HOST:PORT` of a cluster.
                None for this process alone. Samples are the same, to the bit.
            log: a file that grows by lines of JSON: batches, shards, rates, failures, units that
                were repeated because a worker died.

        Raises:
            ProgramError: there is nothing to run, or it expects what no annotator sees.
            UsageError: no such group, measure or device.
            ResourceError: weights or annotators cannot be had, or `out` not written.
        """
        from lacelang.progress import Silent, shown
        from lacelang.storage.files import make_folder

        if not self.checked.statements:
            path = self.checked.path
            nothing = Diagnostic(
                "LACE314",
                "this program has definitions only: there is nothing to run",
                Span(1, 1, 1, 2),
                hint="add a `sample`, or import it into a program that has one",
                path=None if path is None else str(path),
                source=self.source,
            )
            raise ProgramError([nothing])
        written, dataset = dataset_of(
            out, format, image_format, quality, shard_size, images, on_image
        )
        folder = None if written is None else arguments.path(written, "out", "a folder")
        workers = workers_of(workers)
        log_file = None if log is None else arguments.path(log, "log", "a file")
        if seed is not None:
            seed = arguments.whole(seed, "seed", 0, 2**63 - 1, "from 0 to 2^63 - 1")
        device, names = arguments.device(device, DEVICES), self._named(only)
        metadata, images = arguments.flag(metadata, "metadata"), arguments.flag(images, "images")
        replace, shared = arguments.flag(replace, "replace"), arguments.flag(shared, "shared")
        if not (hasattr(progress, "stage") and hasattr(progress, "note")):
            progress = arguments.flag(progress, "progress")
        kept = kept_of(kept)
        if folder is not None:
            # A wrong folder is refused before anything heavy is imported or fetched.
            make_folder(folder)

        # Modules, some of which hold tensors, are imported apart from the caller's modes.
        with working():
            from lacelang.system.torch_state import isolated

            with isolated(), ExitStack() as stack:
                from lacelang.engine.execute import execute
                from lacelang.engine.plan import Options
                from lacelang.engine.run_log import LogFile

                options = Options(
                    seed, device, folder, names, metadata, images, replace, shared, kept, on_image
                )
                if dataset is not None:
                    dataset = evolve(dataset, layout=evolve(dataset.layout, metadata=metadata))
                options = evolve(options, dataset=dataset, workers=workers)
                if log_file is not None:
                    options = evolve(options, log=LogFile(log_file))
                if isinstance(progress, bool):
                    progress = stack.enter_context(shown()) if progress else Silent()
                return execute(self.checked, options, progress)

    def fetch(self, progress: bool | Progress = False) -> None:
        """Fetch weights that the program names and the standard library does not.

        Without that they are not fetched: only call it for a program whose author you trust. What
        the standard library names is fetched when a run needs it.

        Raises:
            ResourceError: they cannot be had.
        """
        from lacelang.progress import Silent, shown

        with working(), ExitStack() as stack:
            from lacelang.engine.consent import fetch_foreign

            if isinstance(progress, bool):
                progress = stack.enter_context(shown()) if progress else Silent()
            fetch_foreign(self.checked, progress)

    def energy(self, name: str, device: Device = "auto") -> ConditionalEnergy:
        """Return the conditional energy of the group `name`.

        It maps latents z, float32 (N, d), to energies (N,) in nats, differentiable in z and
        without the prior, which `.prior(z)` gives apart (LACE eq. 5).

        Raises:
            UsageError: no such group, or it has no condition.
            ResourceError: weights cannot be had.
        """
        from lacelang.progress import Silent
        from lacelang.system.torch_state import isolated

        name = nfc(arguments.text(name, "name", "the name of a group"))
        device = arguments.device(device, DEVICES)
        statement = next((s for s in self.samples if s.name == name), None)
        if statement is None:
            known = ", ".join(s.name for s in self.samples) or "none"
            raise UsageError(f"`name`: the program samples no group {name!r}; it samples: {known}")
        with isolated():
            from lacelang.engine.loading import load
            from lacelang.engine.own_terms import with_terms
            from lacelang.engine.sampling import energy_of

            model = load(statement.model, device, Silent())
            return energy_of(statement, with_terms(model, [statement.where]))

    @property
    def samples(self) -> tuple[SampleStatement, ...]:
        """Its `sample` statements, resolved, in the order of the source."""
        return self.checked.samples

    def _repr_html_(self) -> str:
        """Show its text in a notebook, and what it makes; nothing is loaded for that."""
        from lacelang.render.html import program_html

        facts = [("groups", ", ".join(self.groups)), ("measures", ", ".join(self.measures))]
        return program_html(self.source, facts)

    def _named(self, only: str | Collection[str] | None) -> tuple[str, ...]:
        names = (*self.groups, *self.measures)
        if only is None:
            return names
        given = arguments.texts(only, "only", "the name of a group or a measure")
        wanted = [nfc(name) for name in given]
        for name in wanted:
            if name not in names:
                known = f"its groups: {', '.join(self.groups) or 'none'}"
                if self.measures:
                    known += f"; its measures: {', '.join(self.measures)}"
                raise UsageError(f"`only`: the program makes no group {name!r}; {known}", "only")
        return tuple(name for name in names if name in wanted)
