"""The group of an `edit` statement: another group's samples, changed one line after another.

Edits move in coordinates u of w that are halfway between its own and whitened ones; see `Model`.
What a step must not change differs from sample to sample: where the step began, and the outputs
before the first step, are arguments of the energy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from attrs import evolve, frozen
from numpy.typing import NDArray
from torch import Tensor

from lacelang import ir
from lacelang.compiler import changes, spread_of, standing, step_condition, step_energy
from lacelang.energy import (
    ATYPICALITY,
    DISPLACEMENT,
    TYPICAL_SIGMA,
    ConditionalEnergy,
    Node,
    Outputs,
    Penalty,
    conjunction,
)
from lacelang.engine.atoms import atoms_of, read_atoms
from lacelang.engine.components import by_component, components_of
from lacelang.engine.fingerprint import (
    condition_text,
    fingerprint,
    loop_of,
    settings_of,
)
from lacelang.engine.likeness import STEPS, resembling
from lacelang.engine.loading import Model
from lacelang.engine.photographs import pasting
from lacelang.engine.sampling import (
    array,
    by_row,
    meaning_of,
    numbers,
    outcome,
    shown_on,
    traced,
)
from lacelang.engine.sources import Source, source_in_program, source_on_disk
from lacelang.engine.tasks import Batch, GroupTask, Rows
from lacelang.generators.generator import atypicality
from lacelang.progress import Stage
from lacelang.rows import by_rows, named_in_blocks
from lacelang.samplers import SAMPLERS
from lacelang.samplers.declaration import TYPICAL
from lacelang.samplers.problem import Target
from lacelang.samplers.solution import Solution, Status, unmoved
from lacelang.storage.files import folder_name
from lacelang.storage.latents import EditPath, Float32, Latents
from lacelang.storage.records import GroupRecord, SampleRecord, StepPlan, StepRecord

# Beside the texts of comparisons, none of which is empty.
_ENERGY = ""


def edit_task(
    statement: ir.EditStatement,
    model: Model,
    groups: Mapping[str, GroupTask],
    begun: Source | None = None,
) -> GroupTask:
    """Return the group of a statement, given the groups before it by name.

    `begun` stands in place of samples on disk, which are not looked for then.
    """
    saved, weights = statement.saved, model.weights(conditioned=True)
    of_photo: dict[str, Any] = {}
    original = paste = None
    if statement.keep:
        weights["identity"] = model.identity_digest
    if saved is None:
        task = groups[statement.group]
        source, original, paste = source_in_program(task), task.original, task.paste
        if task.record.of_photo:
            of_photo["photo"] = task.record.settings["photo"]
    else:
        source = begun or source_on_disk(statement.group, saved, model)
        if saved.photo is not None:
            # Known by its digest; the file may be gone.
            of_photo["photo"] = {"sha256": saved.photo}
    plans = _plans(statement, spread_of(statement.options, statement.model, model.sigma))
    record = GroupRecord(
        name=statement.name,
        folder=folder_name(statement.name),
        condition=", then ".join(plan.text for plan in plans),
        fingerprint=fingerprint(statement, source.seed, weights, source.digest),
        seed=source.seed,
        count=source.count,
        settings={
            **settings_of(statement, weights, source.truncation),
            "edited": statement.group,
            "stay": statement.stay,
            "hold": {statement.held: statement.hold},
            "reweight": statement.reweight,
            **of_photo,
            **pasting(statement),
            **({"keep": {"identity": statement.keep}} if statement.keep else {}),
        },
        atoms=plans[-1].atoms,
        steps=plans,
        loop=loop_of(statement),
    )
    edit = _Edit(statement, model, record, source.truncation)
    return GroupTask(
        model,
        record,
        lambda available: partial(edit.draw, source.latents(available), edit.energies()),
        partial(_frames, len(plans) + 1),
        source.names,
        None if saved is None else saved.file,
        source.start,
        original,
        paste,
        failed=lambda indices, available: edit.failed(source.latents(available), indices),
    )


def _frames(count: int, latents: Latents) -> Float32:
    """Return w+ (N, steps + 1, styles, d), before the first step and after each."""
    assert latents.edit_path is not None
    return latents.edit_path.styles(count)


def _plans(statement: ir.EditStatement, sigma: Mapping[str, float]) -> tuple[StepPlan, ...]:
    plans = []
    for i, step in enumerate(statement.steps):
        wanted = [atom for term in standing(statement, i) for atom in atoms_of(term, sigma)]
        atoms = tuple({atom.wanted: atom for atom in wanted}.values())
        plans.append(StepPlan(condition_text(step.predicate), step.replaced, atoms))
    return tuple(plans)


@frozen(eq=False)
class _Edit:
    """The steps of a statement; `truncation` is psi of the samples."""

    statement: ir.EditStatement
    model: Model
    record: GroupRecord
    truncation: float

    def energies(self) -> list[tuple[Node, Node]]:
        """Return of every step the energy to descend, and the condition that is reported."""
        statement, model = self.statement, self.model
        meaning = meaning_of(statement.options, statement.model, model, self.truncation)
        sigma = spread_of(statement.options, statement.model, model.sigma)
        return [
            (step_energy(statement, i, meaning, sigma), step_condition(statement, i, meaning))
            for i in range(len(statement.steps))
        ]

    def draw(
        self,
        source: Rows,
        energies: Sequence[tuple[Node, Node]],
        indices: range,
        stage: Stage,
    ) -> Batch:
        """Take the samples of some indices through all steps."""
        begun = time.perf_counter()
        latents = source.rows(indices)
        edit_path = latents.edit_path or EditPath.begun(latents.w, self.model.generator.style_count)
        w = torch.tensor(edit_path.w[:, -1]).to(self.model.latents_device)
        u = by_rows(partial(self.model.to_edit_coordinates, truncation=self.truncation), w)
        start = self._outputs(u)
        records = [self._records(energies[0][1], start, unmoved(u), indices)]
        first = edit_path.styles()[:, 0]
        chosen = components_of(
            [energy for energy, _ in energies],
            self.statement.sampler.name,
            self.record.seed,
            indices,
            edit=len(edit_path.taken),
        )
        for i, (energy, condition) in enumerate(energies):
            moved = by_component(energy, chosen, partial(self._move, u, start, stage))
            move = array(by_rows(self._w, moved.z) - by_rows(self._w, u))
            u, replaced = moved.z, self._taking(i)
            # The difference, so that what has not moved is what it was to the last bit.
            reached = edit_path.gone(edit_path.w[:, -1] + move, replaced)
            if self._resembles(i):
                u, own = self._resembling(u, first, reached, replaced)
                reached = edit_path.spread(own, replaced)
                moved = evolve(moved, z=u, stats=evolve(moved.stats, nfe=moved.stats.nfe + STEPS))
            edit_path = reached
            records.append(self._records(condition, self._outputs(u), moved, indices))
        samples = tuple(map(self._sample, indices, zip(*records, strict=True)))
        edited = Latents(latents.z, edit_path.styles()[:, 0], edit_path)
        return Batch(samples, edited, time.perf_counter() - begun)

    def _move(
        self, u: Tensor, before: Outputs, stage: Stage, node: Node, rows: list[int]
    ) -> Solution:
        """Descend the energy of a step from the coordinates u (N, d) of some of the samples.

        `before` is what the classifiers said of all samples before the first step. The solution's
        z are the new coordinates (n, d).
        """
        sampler = self.statement.sampler
        energy, args = self._energy(u, before, node, rows)
        options: dict[str, Any] = dict(sampler.options)
        with shown_on(stage, len(rows) / len(self.statement.steps)) as shown:
            target = Target.of(energy, args)
            return SAMPLERS[sampler.name](target, u[rows], **options, on_step=shown)

    def _energy(
        self, u: Tensor, before: Outputs, node: Node, rows: list[int]
    ) -> tuple[ConditionalEnergy, tuple[Tensor, ...]]:
        """Return the energy of a step from u for some of the samples, and its arguments."""
        typical = float(self.statement.sampler.options.get(TYPICAL.name, 0.0))
        if typical:
            node = conjunction([node, Penalty(ATYPICALITY, 1.0)])
        energy = ConditionalEnergy(partial(self._features, list(before), typical), node)
        start = u[rows]
        args = (start, by_rows(self._w, start), *(head[rows] for head in before.values()))
        return energy, args

    def _resembling(
        self, u: Tensor, first: Float32, reached: EditPath, replaced: NDArray[np.bool_]
    ) -> tuple[Tensor, Float32]:
        """Go on from the end of the last step to where faces look more like themselves.

        `first` are the styles (N, styles, d) before the first step, `reached` leads to those after
        the last, of which the `replaced` ones move. Returns the mean coordinates, and the w that
        each of them takes, (N, replaced, d).
        """
        before, after = (
            torch.from_numpy(np.ascontiguousarray(each)).to(u.device)
            for each in (first, reached.styles()[:, 0])
        )
        places = torch.from_numpy(np.flatnonzero(replaced)).to(u.device)
        w = by_rows(self._w, u)

        def unlike(row: int) -> Callable[[Tensor], Tensor]:
            ends = before[row : row + 1], after[row : row + 1]
            of_styles = self.model.unlike(*ends, self._said_of)

            def of(at: Tensor) -> Tensor:
                move = (self._w(at) - w[row]).to(after.dtype)
                return of_styles(after[row : row + 1].index_add(1, places, move[None]))

            return of

        moved = resembling(u, len(places), self.statement.keep, self._said, unlike)
        move = torch.stack([self._w(each) - w[row] for row, each in enumerate(moved)])
        return moved.mean(dim=1), reached.w[:, reached.taken[-1][replaced]] + array(move)

    def _said(self, u: Tensor) -> Tensor:
        """What the classifiers say at coordinates (N, d), (N, K)."""
        return self._said_of(self._w(u))

    def _said_of(self, w: Tensor) -> Tensor:
        """What the classifiers say of w (N, d'): centred logits, and values in sigmas, (N, K)."""
        outputs, sigma = self.model.judge_styles(w), self.model.sigma
        parts = [
            head[:, None] / sigma[name]
            if head.ndim == 1
            # The last of the centred logits follows from the others.
            else (head - head.mean(dim=1, keepdim=True))[:, :-1]
            for name, head in outputs.items()
        ]
        return torch.cat(parts, dim=1)

    def _features(
        self,
        names: Sequence[str],
        typical: float,
        u: Tensor,
        start: Tensor,
        w_start: Tensor,
        *before: Tensor,
    ) -> Outputs:
        w = self._w(u)
        outputs = self.model.judge_styles(w)
        # A sample that is beyond the bound already may stay where it is, and go no further. Within
        # the bound there is no pull at all: where nothing is wanted, nothing moves.
        bound = atypicality(self.model.whitened(start)).clamp_min(typical)
        beyond = ((atypicality(self.model.whitened(u)) - bound) / TYPICAL_SIGMA).clamp_min(0.0)
        return {
            **outputs,
            **changes(outputs, dict(zip(names, before, strict=True))),
            ATYPICALITY: 0.5 * beyond.square(),
            DISPLACEMENT: (u - start).square().sum(dim=1) + (w - w_start).square().sum(dim=1),
        }

    def _w(self, u: Tensor) -> Tensor:
        return self.model.from_edit_coordinates(u, self.truncation)

    def _outputs(self, u: Tensor) -> Outputs:
        """What the classifiers say at coordinates (N, d)."""
        with torch.no_grad():
            return named_in_blocks(lambda block: self.model.judge_styles(self._w(block)), u)

    def _records(
        self, condition: Node, outputs: Outputs, moved: Solution, indices: Sequence[int]
    ) -> list[StepRecord]:
        """What every comparison of the edit reads after a step, and what it costs."""
        names = list(outputs)

        def look(*heads: Tensor) -> dict[str, Tensor]:
            block = dict(zip(names, heads, strict=True))
            read = {_ENERGY: condition(block)}
            for step in self.statement.steps:
                read |= read_atoms(step.predicate, block)
            return read

        found = named_in_blocks(look, *outputs.values())
        energies, readings = numbers(found.pop(_ENERGY)), by_row(found)
        return [
            StepRecord(
                energy=energy,
                readings=readings(row),
                **outcome(moved, row),
                trace=traced(moved, row, indices[row]),
            )
            for row, energy in enumerate(energies)
        ]

    def _sample(self, index: int, steps: tuple[StepRecord, ...]) -> SampleRecord:
        last = steps[-1]
        wrong = [step.status for step in steps if step.status != Status.converged.name]
        return SampleRecord(
            index=index,
            energy=last.energy,
            status=wrong[0] if wrong else last.status,
            nfe=sum(step.nfe for step in steps),
            readings={atom.text: last.readings[atom.text] for atom in self.record.atoms},
            accepted=sum(step.accepted for step in steps),
            rejected=sum(step.rejected for step in steps),
            steps=steps,
        )

    def failed(self, source: Rows, indices: Sequence[int]) -> Batch:
        """What stands in place of samples that errors ended."""
        latents = source.rows(indices)
        path = latents.edit_path or EditPath.begun(latents.w, self.model.generator.style_count)
        lost = np.full_like(path.w[:, -1], np.nan)
        for i in range(len(self.statement.steps)):
            taking = self._taking(i)
            if self._resembles(i):
                # As many w as other samples have.
                path = path.spread(np.repeat(lost[:, None], taking.sum(), axis=1), taking)
            else:
                path = path.gone(lost, taking)
        records = tuple(SampleRecord(i, None, Status.failed.name, 0, {}) for i in indices)
        w = np.full_like(path.styles()[:, 0], np.nan)
        return Batch(records, Latents(latents.z, w, path), 0.0)

    def _resembles(self, index: int) -> bool:
        """Whether step `index` ends in what makes faces look more like themselves."""
        return bool(self.statement.keep) and index == len(self.statement.steps) - 1

    def _taking(self, index: int) -> NDArray[np.bool_]:
        """Which of the styles (styles,) take what is reached at the end of step `index`."""
        steps = range(index + 1) if self._resembles(index) else (index,)
        found: NDArray[np.bool_] = np.logical_or.reduce([self._replaced(k) for k in steps])
        return found

    def _replaced(self, index: int) -> NDArray[np.bool_]:
        """Which of the styles (styles,) take what step `index` has reached."""
        replaced = self.statement.steps[index].replaced
        layers = self.model.generator.style_layers
        touched = [replaced is None or not set(replaced).isdisjoint(each) for each in layers]
        return np.array(touched)
