"""Conditional samples and sequential edits by StyleFlow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.codes import Drawn
from experiments.faces import Styles
from experiments.statements import seed_of
from experiments.styleflow.train import Flow
from lacelang import ir
from lacelang.errors import UsageError
from lacelang.evaluate.scores import conjuncts
from lacelang.samplers.streams import prior
from lacelang.system.torch_state import one_thread

#: Layers of the 18-layer StyleGAN2 that an edit of an attribute replaces, as published.
LAYERS: Mapping[str, tuple[int, ...]] = {
    "smile": (4, 5),
    "yaw": (0, 1, 2, 3),
    "pitch": (0, 1, 2, 3),
    "age": (4, 5, 6, 7),
    "gender": (0, 1, 2, 3, 4, 5, 6, 7),
    "glasses": (0, 1, 2, 3, 4, 5),
    "bald": (0, 1, 2, 3, 4, 5),
    "beard": (5, 6, 7, 10),
    "light0": (7, 8, 9, 10, 11),
    "light3": (7, 8, 9, 10, 11),
}


def sampled(statement: ir.SampleStatement, flow: Flow) -> Drawn:
    """Faces of a statement: z ~ N(0, I) solved backwards under what its condition asks for.

    Attributes that the condition does not mention are those of faces drawn from the labels.

    Raises:
        UsageError: the condition is no `a=v`, nor a conjunction of them.
    """
    wanted = _wanted(statement.where)
    seed, count = seed_of(statement), statement.count
    chosen = np.random.default_rng(np.random.Philox(key=seed)).integers(len(flow.train), size=count)
    rows = flow.attributes.asked(flow.train.rows[torch.from_numpy(chosen)], wanted)
    z = prior(seed, range(count), flow.train.u.shape[1]).float()
    with one_thread(), torch.inference_mode():
        w = flow.model.generator.colour(flow.network.backwards(z, rows))
    return Drawn(Styles(w.numpy()))


def edited(
    flow: Flow, statement: ir.EditStatement, begun: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Edit faces w+ (N, styles, d) line by line; return w+ after every line, (N, lines, styles, d).

    Every style goes forwards under the attributes of the face, which are first those that the
    latent classifiers see, and backwards under the edited ones; then `LAYERS` of it are replaced.
    """
    generator = flow.model.generator
    styles = torch.from_numpy(begun).clone()
    rows = flow.attributes.rows(seen(flow, styles.mean(dim=1)))
    found = []
    with one_thread(), torch.inference_mode():
        for step in statement.steps:
            wanted = _wanted(step.predicate)
            after = flow.attributes.asked(rows, wanted)
            u = generator.whiten(styles.flatten(0, 1)).float()
            repeated = (each.repeat_interleave(styles.shape[1], dim=0) for each in (rows, after))
            before_rows, after_rows = repeated
            z = flow.network.forwards(u, before_rows)
            moved = generator.colour(flow.network.backwards(z, after_rows)).view_as(styles)
            taken = replaced(generator.style_layers, (atom.attribute.name for atom in wanted))
            styles = torch.where(taken[None, :, None], moved.to(styles.dtype), styles)
            rows = after
            found.append(styles.numpy().copy())
    return np.stack(found, axis=1)


def seen(flow: Flow, w: Tensor) -> dict[str, Tensor]:
    """What latent classifiers see in w (N, d): classes, and values of numbers, (N,) each."""
    with torch.inference_mode():
        outputs = flow.model.heads(w)
    return {
        each.name: outputs[each.name].argmax(1).float() if each.discrete else outputs[each.name]
        for each in flow.attributes.attributes
    }


def replaced(style_layers: Iterable[Iterable[int]], names: Iterable[str]) -> Tensor:
    """Which styles (S,) stand for a published layer of one of some attributes, all for others."""
    layers: set[int] = set()
    every = False
    for name in names:
        layers |= set(LAYERS.get(name, ()))
        every |= name not in LAYERS
    return torch.tensor([every or not layers.isdisjoint(each) for each in style_layers])


def _wanted(where: ir.Predicate | None) -> list[ir.Comparison]:
    wanted = list(conjuncts(where))
    if not wanted:
        raise UsageError("StyleFlow is asked for `a=v` and conjunctions of it only")
    return wanted
