"""Faces to compare the variety of a group with: exact draws of its condition that show it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from attrs import evolve, frozen

from lacelang import ir
from lacelang.engine.loading import Model, load
from lacelang.engine.sampling import compile_condition
from lacelang.evaluate import variety
from lacelang.evaluate.judged import Judged
from lacelang.evaluate.report import Row, Table
from lacelang.progress import Progress
from lacelang.rows import named_in_blocks
from lacelang.samplers import SAMPLERS
from lacelang.samplers.streams import prior
from lacelang.semantics import defaults

SEED = 990_001
"""Of the references: other draws than a program's own."""

FEWEST = 8
"""Faces, of a group and of its reference, from which variety is told."""

CENTRE = 64
"""Draws from the prior whose mean descriptor of identity is the origin."""

_SPARE = 1.5
_TRIED = 4096
_RARE = 1e-3
_PARTICLES = 64


@frozen(eq=False)
class Compared:
    """Groups of one condition, the faces to compare them with, and draws from the prior."""

    groups: Sequence[Judged]
    reference: Judged
    centre: Judged


def statements(
    samples: Sequence[ir.SampleStatement], progress: Progress
) -> list[ir.SampleStatement]:
    """Return for each statement one whose samples are its reference, and one of prior draws.

    The condition has no weights and no temperatures in a reference, which says only what is to be
    seen. Rejection draws it, or `smc` where it is too rare for that.
    """
    found = []
    for k, statement in enumerate(samples):
        plain = evolve(statement, where=_plain(statement.where), options=defaults.CONDITION_OPTIONS)
        model = load(statement.model, "auto", progress)
        count = round(_SPARE * statement.count)
        sampler = statement.sampler if plain.where is None else _exact(plain, model)
        found.append(
            evolve(plain, name=f"reference {k + 1}", count=count, seed=SEED + k, sampler=sampler)
        )
    centre = evolve(samples[0], name="prior", where=None, count=CENTRE, seed=SEED - 1)
    return [*found, evolve(centre, sampler=defaults.sampler())]


def _plain(where: ir.Predicate | None) -> ir.Predicate | None:
    if where is None:
        return None
    inner: dict[str, object] = {}
    if isinstance(where, ir.Group):
        inner["terms"] = tuple(each for each in map(_plain, where.terms) if each is not None)
    elif isinstance(where, ir.Not):
        inner["term"] = _plain(where.term)
    return evolve(where, weight=1.0, temp=None, logit_temp=None, settings="", **inner)  # type: ignore[arg-type]


def _exact(statement: ir.SampleStatement, model: Model) -> ir.SamplerChoice:
    z = prior(SEED, range(_TRIED), model.generator.latent_dim).to(model.device)
    if ir.drawn(statement.where):
        share = 0.0  # it differs from sample to sample
    else:
        node = compile_condition(statement, model)
        with torch.no_grad():
            outputs = named_in_blocks(model.features(statement.truncation), z)
            share = float(torch.exp(-node(outputs).double()).mean())
    name, options = ("rejection", {"max_tries": 100_000})
    if share < _RARE:
        name, options = "smc", {"particles": _PARTICLES}
    return ir.SamplerChoice(name, SAMPLERS[name].complete(options))


def table(rows: Sequence[tuple[str, Compared]]) -> Table | None:
    """Return the variety of groups beside that of their references; None without descriptors."""
    if not rows or rows[0][1].centre.identity is None:
        return None
    return Table(
        "Variety",
        [{"group": name, **_figures(one)} for name, one in rows],
        "Vendi score over the number of faces and mean cosine between faces, from descriptors of "
        "identity that steer nothing; recall and coverage from image features. The reference are "
        "exact draws of the condition, of which those count that show it, in equal number.",
    )


def _figures(one: Compared) -> Row:
    assert one.centre.identity is not None
    mean = one.centre.identity.mean(axis=0)
    identities = np.concatenate([g.identity for g in one.groups if g.identity is not None]) - mean
    shown = one.reference.satisfied
    assert one.reference.identity is not None
    others = one.reference.identity[shown] - mean
    n = min(len(identities), len(others))
    row: dict[str, float | str | int | None] = {"faces": len(identities)}
    if len(identities) >= FEWEST:
        row |= {
            "Vendi / n": variety.vendi(identities),
            "cosine": variety.mean_cosine(identities),
        }
    row["reference"] = f"{int(shown.sum())} of {len(shown)}"
    if n < FEWEST:
        return row
    identities, others = identities[:n], others[:n]
    row |= {
        "its Vendi / n": variety.vendi(others),
        "its cosine": variety.mean_cosine(others),
        "ratio": variety.vendi(identities) / variety.vendi(others),
    }
    if one.reference.features is not None:
        features = np.concatenate([g.features for g in one.groups if g.features is not None])[:n]
        reference = one.reference.features[shown][:n]
        row |= {
            "recall": variety.recall(features, reference),
            "coverage": variety.coverage(features, reference),
        }
    return row
