"""Samples of one statement: prior draws, moved by its sampler until they meet its condition."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from attrs import evolve
from torch import Tensor

from lacelang import ir
from lacelang.compiler import Settings, balance, lower, spread_of
from lacelang.energy import (
    ConditionalEnergy,
    Features,
    Node,
    Outputs,
    bounded,
    relaxed,
)
from lacelang.engine.atoms import atoms_of, read_atoms
from lacelang.engine.components import by_component, components_of
from lacelang.engine.drawn import named, relative, values_of
from lacelang.engine.fingerprint import condition_text, fingerprint, loop_of, settings_of
from lacelang.engine.loading import Model
from lacelang.engine.tasks import Available, Batch, Draw, GroupTask
from lacelang.engine.verified import Verification, annotators_of
from lacelang.errors import UsageError
from lacelang.ir import ConditionOptions, ModelSpec, Predicate, SampleStatement
from lacelang.progress import Progress, Silent, Stage
from lacelang.rows import named_in_blocks
from lacelang.samplers import SAMPLERS
from lacelang.samplers.declaration import SLACK, TYPICAL
from lacelang.samplers.problem import OnStep, Target
from lacelang.samplers.solution import Solution, Status, unmoved
from lacelang.samplers.streams import Streams, prior
from lacelang.storage.files import folder_name
from lacelang.storage.latents import Float32, Latents
from lacelang.storage.records import GroupRecord, SampleRecord, TraceRecord, rounded
from lacelang.system.threads import checkpoint
from lacelang.system.torch_state import isolated

PRIOR_DRAWS = 4096
PRIOR_SEED = 0

MOST_TRACED = 400
"""Of so many samples of a group, the first ones, records keep the sampler's trace."""
# Beside the texts of comparisons, none of which is empty or a blank.
_STYLES, _ENERGY = "", " "


def sample_task(
    statement: SampleStatement, model: Model, seed: int, progress: Progress | None = None
) -> GroupTask:
    """Return the group of a statement, with its model and the seed in force.

    `progress` shows downloads of annotators that a verified statement needs.
    """
    progress = progress or Silent()
    where = statement.where
    sigma = {} if where is None else spread_of(statement.options, statement.model, model.sigma)
    weights = model.weights(conditioned=where is not None) | annotators_of(statement)
    record = GroupRecord(
        name=statement.name,
        folder=folder_name(statement.name),
        condition=condition_text(where),
        fingerprint=fingerprint(statement, seed, weights),
        seed=seed,
        count=statement.count,
        settings=settings_of(statement, weights, statement.truncation),
        atoms=() if where is None else atoms_of(where, sigma),
        loop=loop_of(statement),
    )

    def prepared(_: Available) -> Draw:
        condition = None if where is None else compile_condition(statement, model)
        drawn = partial(_draw, statement, model, seed, condition)
        if statement.verified is None:
            return drawn
        judged = Verification.of(statement, model, seed, progress)
        return partial(judged.draw, lambda indices, part: drawn(indices, Stage(), part))

    judged = () if where is None or statement.verified is None else tuple(ir.attributes(where))
    failed = partial(_failed, statement, model, seed)
    return GroupTask(model, record, prepared, _frames, judged=judged, failed=failed)


def _frames(latents: Latents) -> Float32:
    return latents.w[:, None]


def compile_condition(statement: SampleStatement, model: Model) -> Node:
    """Return the energy of a statement's condition, with all clauses; a UsageError without one."""
    if statement.where is None:
        raise UsageError(f"the group {statement.name!r} has no condition, so it has no energy")
    meaning = meaning_of(statement.options, statement.model, model, statement.truncation)
    return meaning(statement.where)


def meaning_of(
    options: ConditionOptions, spec: ModelSpec, model: Model, truncation: float
) -> Callable[[Predicate], Node]:
    """Return the function from conditions to energies that a statement's clauses make.

    `spec` is the model as declared, `model` the same, loaded; `truncation` is of the samples.
    """
    settings = Settings(spread_of(options, spec, model.sigma), options)
    if options.disjunction != "balanced":
        return lambda predicate: lower(predicate, settings)

    outputs = outputs_of_prior(model, truncation)
    return lambda predicate: balance(lower(predicate, settings), outputs)


def outputs_of_prior(model: Model, truncation: float) -> Outputs:
    """Return what the classifiers say of `PRIOR_DRAWS` draws; the model remembers it.

    Statements, prompts and reports share them: the networks' pass is all that they cost.
    """

    def make() -> Outputs:
        z = prior(PRIOR_SEED, range(PRIOR_DRAWS), model.generator.latent_dim)
        with isolated(), torch.no_grad():
            return named_in_blocks(model.features(truncation), z.to(model.latents_device))

    return model.remembered(("prior draws", truncation), make)


def energy_of(statement: SampleStatement, model: Model) -> ConditionalEnergy:
    """Return the conditional energy of a statement on the latents of its model.

    Where `each` draws values, they are its argument, (N, m): classes by their number.
    """
    of_any = partial(_features_of_any, model, statement.truncation)
    features = _compared(statement.where, of_any)
    node = compile_condition(statement, model)
    return ConditionalEnergy(features, node, model.generator.latent_dim)


def _features_of_any(model: Model, truncation: float, z: Tensor) -> Outputs:
    """Latents of another type or device are computed as the model's own, gradients come back."""
    return model.features(truncation)(z.to(model.latents_device, torch.float32))


def aims_of(statement: SampleStatement, model: Model) -> Callable[..., Target]:
    """Return the function from conditions to targets that a statement's sampler needs.

    Where `each` draws values, they are its second argument, (N, m).

    A gradient flow has no prior term (LACE eq. 7), and left alone it descends to latents that no
    draw from the prior resembles: there the classifiers are satisfied and the eye is not. Its
    regulariser is a one-sided term that holds the atypicality of w, 1 on average under the prior,
    at the option `typical` or below; within it does next to nothing. For the same reason the flow
    stops where every term holds well enough, by the option `slack` (`relaxed`).
    """
    where = statement.where
    features = _compared(where, model.features(statement.truncation))
    options = statement.sampler.options
    typical, slack = (float(options.get(each.name, 0.0)) for each in (TYPICAL, SLACK))
    beside = features
    if typical:
        beside = _compared(where, partial(model.flow_features, truncation=statement.truncation))

    def aim(node: Node, *values: Tensor) -> Target:
        eased = relaxed(node, slack)
        regularised = ConditionalEnergy(beside, bounded(eased, typical) if typical else eased)
        return Target(ConditionalEnergy(features, node), regularised, values)

    return aim


def _compared(where: Predicate | None, features: Features) -> Features:
    """Features of latents and, where `each` draws some, of the values (N, m) wanted of them."""
    return partial(_features_compared, where, features) if ir.drawn(where) else features


def _features_compared(
    where: Predicate | None, features: Features, z: Tensor, values: Tensor
) -> Outputs:
    return relative(where, features(z), values)


def _draw(
    statement: SampleStatement,
    model: Model,
    seed: int,
    condition: Node | None,
    indices: Sequence[int],
    stage: Stage,
    part: int = 0,
) -> Batch:
    """Draw candidate `part` of the samples of some indices."""
    begun = time.perf_counter()
    z0 = prior(seed, indices, model.generator.latent_dim, part).to(model.latents_device)
    drawn = values_of(statement.where, seed, indices)
    values = torch.from_numpy(drawn).to(model.latents_device)
    if condition is None:
        solution = unmoved(z0)
        stage.advance(len(indices))
    else:
        chosen, aim = statement.sampler, aims_of(statement, model)
        sampler = SAMPLERS[chosen.name]
        wanted = (values,) if values.shape[1] else ()

        def solve(node: Node, rows: list[int]) -> Solution:
            streams = Streams(seed, [indices[row] for row in rows], part=part)
            target = aim(node, *(each[rows] for each in wanted))
            with shown_on(stage, len(rows)) as shown:
                return sampler(target, z0[rows], **chosen.options, streams=streams, on_step=shown)

        disjuncts = components_of([condition], chosen.name, seed, indices)
        apart = drawn.tolist() if sampler.pilots else None
        solution = by_component(condition, disjuncts, solve, apart)
    found = named_in_blocks(partial(_look, statement, model, condition), solution.z, values)
    w, reached = found.pop(_STYLES), solution.energy
    if condition is not None:
        reached = torch.where(reached.isfinite(), found.pop(_ENERGY), reached)
    energies, readings, extra = numbers(reached), by_row(found), by_row(solution.extra)
    named_values = named(statement.where, drawn)
    records = tuple(
        SampleRecord(
            index=index,
            drawn=named_values[row],
            energy=energies[row],
            readings=readings(row),
            extra=extra(row),
            **outcome(solution, row),
            trace=traced(solution, row, index),
        )
        for row, index in enumerate(indices)
    )
    latents = Latents(array(solution.z), array(w))
    return Batch(records, latents, time.perf_counter() - begun)


def _failed(
    statement: SampleStatement, model: Model, seed: int, indices: Sequence[int], _: Available
) -> Batch:
    """What stands in place of samples that errors ended."""
    drawn = named(statement.where, values_of(statement.where, seed, indices))
    records = tuple(
        SampleRecord(index, None, Status.failed.name, 0, {}, drawn=values)
        for index, values in zip(indices, drawn, strict=True)
    )
    generator = model.generator
    widths = generator.latent_dim, generator.w_mean.shape[0]
    z, w = (np.full((len(records), width), np.nan, np.float32) for width in widths)
    return Batch(records, Latents(z, w), 0.0)


def _look(
    statement: SampleStatement, model: Model, condition: Node | None, z: Tensor, values: Tensor
) -> dict[str, Tensor]:
    """What latents (N, d) are: their styles, and what they cost and read under a condition.

    `values` (N, m) are those that `each` drew for them.
    """
    with torch.no_grad():
        w = model.styles(z, statement.truncation)
        if condition is None:
            return {_STYLES: w}
        outputs = relative(statement.where, model.judge(z, w), values)
        cost = condition(outputs)
        return {**read_atoms(statement.where, outputs), _STYLES: w, _ENERGY: cost}


def candidate(
    statement: SampleStatement, model: Model, seed: int, index: int, number: int
) -> Batch:
    """Draw one candidate of one sample of a `verified` statement, without asking annotators."""
    condition = None if statement.where is None else compile_condition(statement, model)
    batch = _draw(statement, model, seed, condition, [index], Stage(), number)
    records = tuple(evolve(record, tries=number + 1) for record in batch.records)
    return evolve(batch, records=records)


@contextmanager
def shown_on(stage: Stage, count: float) -> Iterator[OnStep]:
    """Advance `stage` by `count` over the course of a sampler's run."""
    shown = 0.0

    def advance(share: float) -> None:
        nonlocal shown
        checkpoint()
        if share > shown:
            stage.advance((share - shown) * count)
            shown = share

    yield advance
    advance(1.0)


def outcome(solution: Solution, row: int) -> dict[str, Any]:
    """How one sample of a solution ended and what it cost, as records keep it."""
    stats = solution.stats
    costs = {"nfe": stats.nfe, "accepted": stats.accepted, "rejected": stats.rejected}
    spent = {name: int(values[row]) for name, values in costs.items()}
    return {"status": solution.status[row].name, **spent}


def traced(solution: Solution, row: int, index: int) -> TraceRecord | None:
    """The way of one sample of a solution; None of later ones, of which a run may have many."""
    if index >= MOST_TRACED:
        return None
    energy, nfe, accepted, rejected = solution.trace.of_row(row)
    # Two points and more: one alone is the end, which the record has.
    if len(energy) < 2:
        return None
    short = tuple(float(f"{e:.4g}") if math.isfinite(e) else None for e in energy)
    return TraceRecord(short, tuple(nfe), tuple(accepted), tuple(rejected))


def by_row(values: Mapping[str, Tensor]) -> Callable[[int], dict[str, float | None]]:
    """Return the function from a row to its values by name, of values (N,) by name."""
    lists = {name: numbers(each) for name, each in values.items()}
    return lambda row: {name: each[row] for name, each in lists.items()}


def numbers(values: Tensor) -> list[float | None]:
    """Values (N,) as run.json keeps them."""
    return [rounded(value) for value in values.tolist()]


def array(tensor: Tensor) -> Float32:
    """A tensor as float32 on the CPU."""
    array: Float32 = tensor.detach().float().cpu().numpy()
    return array
