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

PRIOR = 256
"""Draws from the prior that descriptors of identity are standardised by."""

_SPARE = 1.5
_TRIED = 4096
_RARE = 1e-3
_PARTICLES = 64


@frozen(eq=False)
class Compared:
    """Groups of one condition, the faces to compare them with, and draws from the prior."""

    groups: Sequence[Judged]
    reference: Judged
    prior: Judged

    @property
    def name(self) -> str:
        """The name of the first group, and how many others there are."""
        more = f" and {len(self.groups) - 1} more" if len(self.groups) > 1 else ""
        return f"{self.groups[0].statement.name}{more}"


@frozen
class Asked:
    """A condition of some groups, by their places among the statements, and its reference."""

    groups: tuple[int, ...]
    reference: ir.SampleStatement


def asked(samples: Sequence[ir.SampleStatement], progress: Progress) -> list[Asked]:
    """Return the different conditions of statements, and a statement for the reference of each.

    A condition has no weights and no temperatures in a reference, which says only what is to be
    seen; what has weight 0 is not. Rejection draws it, or `smc` where it is too rare for that.
    """
    places: dict[tuple[ir.Predicate | None, float], list[int]] = {}
    for place, statement in enumerate(samples):
        key = _plain(statement.where), statement.truncation
        places.setdefault(key, []).append(place)
    return [
        Asked(tuple(some), _reference(samples, some, where, SEED + k, progress))
        for k, ((where, _), some) in enumerate(places.items())
    ]


def prior_of(samples: Sequence[ir.SampleStatement]) -> ir.SampleStatement:
    """Return a statement of draws from the prior of a model."""
    sampler = defaults.sampler()
    drawn = evolve(samples[0], where=None, verified=None, sampler=sampler)
    return evolve(drawn, name="prior", count=PRIOR, seed=SEED - 1)


def _reference(
    samples: Sequence[ir.SampleStatement],
    places: Sequence[int],
    where: ir.Predicate | None,
    seed: int,
    progress: Progress,
) -> ir.SampleStatement:
    first = samples[places[0]]
    plain = evolve(first, where=where, options=defaults.CONDITION_OPTIONS, verified=None)
    model = load(first.model, "auto", progress)
    sampler = defaults.sampler() if where is None else _exact(plain, model)
    count = round(_SPARE * sum(samples[place].count for place in places))
    return evolve(
        plain, name=f"reference {seed - SEED + 1}", count=count, seed=seed, sampler=sampler
    )


def _plain(where: ir.Predicate | None) -> ir.Predicate | None:
    if where is None:
        return None
    simple = ir.simplified(where)
    return None if simple == ir.And(()) else _unweighted(simple)


def _unweighted(where: ir.Predicate) -> ir.Predicate:
    inner: dict[str, object] = {}
    if isinstance(where, ir.Group):
        inner["terms"] = tuple(map(_unweighted, where.terms))
    elif isinstance(where, ir.Not):
        inner["term"] = _unweighted(where.term)
    return evolve(where, weight=1.0, temp=None, logit_temp=None, settings="", **inner)  # type: ignore[arg-type]


def _exact(statement: ir.SampleStatement, model: Model) -> ir.SamplerChoice:
    z = prior(SEED, range(_TRIED), model.generator.latent_dim).to(model.latents_device)
    if ir.drawn(statement.where):
        share = 0.0  # it differs from sample to sample
    else:
        node = compile_condition(statement, model)
        with torch.no_grad():
            outputs = named_in_blocks(model.features(statement.truncation), z)
            share = float(torch.exp(-node(outputs).double()).mean())
    name, options = "rejection", {"max_tries": 100_000}
    if share < _RARE:
        name, options = "smc", {"particles": _PARTICLES}
    return ir.SamplerChoice(name, SAMPLERS[name].complete(options))


def table(compared: Sequence[Compared]) -> Table | None:
    """Return the variety of groups beside that of their references; None without descriptors."""
    if not compared or compared[0].prior.identity is None:
        return None
    return Table(
        "Variety",
        [{"groups": one.name, **_figures(one)} for one in compared],
        "Vendi score over the number of samples and mean cosine between them, from descriptors of "
        "identity that steer nothing; recall and coverage from image features. The reference are "
        "exact draws of the condition, of which those count that show it, in equal number.",
    )


def _figures(one: Compared) -> Row:
    drawn = one.prior.identity
    assert drawn is not None
    own = np.concatenate([g.identity for g in one.groups if g.identity is not None])
    identities = variety.standardised(own, drawn)
    shown = one.reference.satisfied
    assert one.reference.identity is not None
    others = variety.standardised(one.reference.identity[shown], drawn)
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
