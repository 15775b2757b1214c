"""The sampler's traces of a group as plots: energies, acceptance, and what samples cost."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from lacelang.report.charts import Histogram, Plot, Series, of_series, of_values
from lacelang.storage.records import GroupRecord, SampleRecord, TraceRecord

_NOT_RECORDED = (
    "Steps of the sampler are not in this folder: it was made by a version that did not record "
    "them, or by a sampler that notes none."
)


@frozen(eq=False)
class Traces:
    """Plots of a group's traces, and of what its samples cost.

    Attributes:
        text: what the plots show.
        missing: why there are none; empty where there are some, or where nothing was sampled.
    """

    plots: tuple[Plot, ...]
    costs: tuple[Histogram, ...]
    text: str
    missing: str


def traces_of(group: GroupRecord) -> Traces:
    """Return the traces of a group, whole or not."""
    ways = [way for sample in group.samples if (way := _way(sample)) is not None]
    sampled = [sample for sample in group.samples if sample.nfe]
    energy = of_series("Energy, nats", [_energy(way) for way in ways], "evaluations", log=True)
    steps = of_series("Accepted steps", [_acceptance(way) for way in ways], "steps", unit=True)
    plots = tuple(plot for plot in (energy, steps) if plot is not None)
    costs: tuple[Histogram, ...] = ()
    if sampled:
        nfe = np.array([sample.nfe for sample in sampled], float)
        costs = (of_values("Evaluations per sample", nfe, None),)
    text = f"{len(ways)} samples; the thick line is their median. Energies are those that the "
    text += "sampler descends or walks on, on an axis that is logarithmic beyond 1."
    return Traces(
        plots, costs, text if plots else "", _NOT_RECORDED if sampled and not plots else ""
    )


def _way(sample: SampleRecord) -> TraceRecord | None:
    """The points of a sample, those of an edit's lines one after another."""
    if not sample.steps:
        return sample.trace
    parts = [(step, step.trace) for step in sample.steps]
    if not any(trace for _, trace in parts):
        return None
    energy: list[float | None] = []
    nfe: list[int] = []
    accepted: list[int] = []
    rejected: list[int] = []
    spent = [0, 0, 0]
    for step, trace in parts:
        if trace is not None:
            energy += trace.energy
            nfe += [spent[0] + each for each in trace.nfe]
            accepted += [spent[1] + each for each in trace.accepted]
            rejected += [spent[2] + each for each in trace.rejected]
        spent = [spent[0] + step.nfe, spent[1] + step.accepted, spent[2] + step.rejected]
    return TraceRecord(tuple(energy), tuple(nfe), tuple(accepted), tuple(rejected))


def _energy(way: TraceRecord) -> Series:
    # A record may come from anywhere: lists of different lengths are cut to the shortest.
    pairs = list(zip(way.nfe, way.energy, strict=False))
    return [x for x, _ in pairs], [y for _, y in pairs]


def _acceptance(way: TraceRecord) -> Series:
    """The share of steps so far that were accepted, by the number of steps."""
    counts = [(a, a + r) for a, r in zip(way.accepted, way.rejected, strict=False) if a + r]
    return [steps for _, steps in counts], [accepted / steps for accepted, steps in counts]
