"""The linear baseline: moves along one direction in w per attribute until the classifier agrees.

A direction is the normal of a linear probe of labelled w: logistic regression for classes, ridge
regression for numbers. A face starts as a draw from the prior and moves along one straight line
after another. Each line is orthogonal to the probes of all other attributes (conditional
manipulation: Shen et al. 2020, section 3.3).

Normals and orthogonality are those of whitened w, in which the prior is isotropic. With those of w
itself, faces move three times as far from the prior for the same predictions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from torch import Tensor

from experiments import probes
from experiments.codes import Drawn
from experiments.faces import Styles
from experiments.statements import loaded_model, seed_of
from lacelang import ir
from lacelang.classifiers import labels
from lacelang.classifiers.labels import Examples
from lacelang.engine.loading import labels_of, load
from lacelang.errors import UsageError
from lacelang.evaluate.scores import conjuncts
from lacelang.ir import Attribute
from lacelang.progress import Progress
from lacelang.samplers.streams import prior
from lacelang.system.torch_state import one_thread

if TYPE_CHECKING:
    from lacelang.generators.generator import Generator

Classifiers: TypeAlias = Callable[[Tensor], Mapping[str, Tensor]]

#: Weight of the squared coefficients, per row, of the probes.
PENALTY = 0.01
#: The probability from which the classifier agrees with a class. At one half, faces would stop on
#: the decision boundary, and half of them would not have the class.
CERTAINTY = 0.95
#: Length of a step, in standard deviations of w, and the largest number of steps in a pass.
STEP = 0.2
STEPS = 30
#: Passes over the attributes: a later move can change an earlier attribute.
PASSES = 3


@frozen(eq=False)
class Directions:
    """Directions of all attributes, and the classifier that decides when to stop.

    Attributes:
        vectors: by attribute, unit vectors (K, d) in whitened coordinates: one, towards 1 or larger
            values, or one towards each value of a categorical attribute.
        space: the whitening of w and its inverse.
        classify: truncated w (N, d) → the classifiers' outputs.
    """

    vectors: Mapping[str, Tensor]
    space: Generator
    classify: Classifiers

    def move(self, w: Tensor, where: ir.Predicate, held: Iterable[str] = ()) -> Tensor:
        """Move truncated w (N, d) until the classifier agrees with a condition, or steps run out.

        Only `a=v` terms are used, in their order; a condition without any is a
        UsageError. Moves are also orthogonal to the directions of `held` attributes.
        """
        wanted = list(conjuncts(where))
        if not wanted:
            raise UsageError("a linear direction follows `a=v` and conjunctions of it only")
        names = dict.fromkeys([*(atom.attribute.name for atom in wanted), *held])
        with torch.inference_mode():
            u = self.space.whiten(w)
            for _ in range(PASSES):
                for atom in wanted:
                    others = [self.vectors[n] for n in names if n != atom.attribute.name]
                    u = self._follow(u, atom, clear_of(self._towards(atom), others))
            w = self.space.colour(u)
        return w.clone()

    def _towards(self, atom: ir.Comparison) -> Tensor:
        """The direction (d,) towards the value of a comparison, or towards larger numbers."""
        vectors = self.vectors[atom.attribute.name]
        if not isinstance(atom, ir.ClassComparison):
            return vectors[0]
        classes = sorted(atom.classes)
        if len(vectors) == 1:
            # There is no direction towards both values of a binary attribute.
            return vectors[0] * sum(1.0 if c else -1.0 for c in classes)
        return vectors[classes].mean(dim=0)

    def _follow(self, u: Tensor, atom: ir.Comparison, direction: Tensor) -> Tensor:
        signs, margin = self._aim(atom, u)
        unfinished = (margin < 0) & direction.any()
        along = torch.zeros_like(margin)
        for _ in range(STEPS):
            if not unfinished.any():
                break
            tried = u + ((along + STEP) * signs)[:, None] * direction
            reached = self._aim(atom, tried, signs)[1]
            # The last step ends where a linear interpolation of the classifier agrees.
            share = torch.where(reached >= 0, margin / (margin - reached).clamp_max(-1e-9), 1.0)
            along = torch.where(unfinished, along + STEP * share, along)
            margin = torch.where(unfinished, reached, margin)
            unfinished = unfinished & (reached < 0)
        return u + (along * signs)[:, None] * direction

    def _aim(
        self, atom: ir.Comparison, u: Tensor, signs: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the direction's sign, ±1 (N,), and a margin (N,), negative until agreement.

        `signs` are the signs of earlier steps, which do not change for a number.
        """
        output = self.classify(self.space.colour(u))[atom.attribute.name]
        if not isinstance(atom, ir.ClassComparison):
            over = output - atom.interval()[0]
            signs = torch.where(over > 0, -1.0, 1.0) if signs is None else signs
            return signs, over * signs
        kept = sorted(atom.classes)
        rest = [c for c in range(output.shape[1]) if c not in atom.classes]
        ones = torch.ones(len(output))
        if not rest:
            return ones, ones
        odds = torch.logsumexp(output[:, kept], dim=1) - torch.logsumexp(output[:, rest], dim=1)
        return ones, odds - math.log(CERTAINTY / (1 - CERTAINTY))


def fit(spec: ir.ModelSpec, progress: Progress) -> Directions:
    """Fit the directions of a declared model to its labels; takes some seconds."""
    model = load(spec, "cpu", progress)
    with progress.stage("fitting linear directions", total=None) as stage:
        examples = labels.load(labels_of(spec)).examples(model.generator)
        found = fit_examples(examples, spec.attributes, model.generator, model.heads)
        stage.advance()
    return found


def fit_examples(
    examples: Examples, attributes: Iterable[Attribute], space: Generator, classify: Classifiers
) -> Directions:
    """Fit a direction for each attribute to labelled w; a missing label is skipped."""
    u = space.whiten(torch.from_numpy(examples.w)).double().numpy()
    vectors = {a.name: _vectors(u, examples.columns[a.name], a) for a in attributes}
    return Directions(vectors, space, classify)


def draw(statement: ir.SampleStatement, directions: Directions) -> Drawn:
    """Move a statement's draws from the prior along linear directions."""
    model = loaded_model(statement, "cpu")
    assert statement.where is not None
    with one_thread(), torch.inference_mode():
        z = prior(seed_of(statement), range(statement.count), model.generator.latent_dim)
        moved = directions.move(model.styles(z, statement.truncation), statement.where)
        return Drawn(Styles(moved.numpy()))


def clear_of(direction: Tensor, others: Iterable[Tensor]) -> Tensor:
    """Return the part of a direction (d,) orthogonal to all others (K, d), at unit length.

    Zero if the direction is in their span.
    """
    rows = torch.cat([direction.new_zeros(1, len(direction)), *others]).double()
    whole = direction.double()
    rest = whole - torch.linalg.pinv(rows) @ (rows @ whole)
    length = rest.norm()
    gone = length <= 1e-6 * whole.norm()
    return torch.zeros_like(direction) if gone else (rest / length).to(direction)


def _vectors(u: NDArray[np.float64], column: NDArray[np.float32], attribute: Attribute) -> Tensor:
    seen = ~np.isnan(column)
    x, y = u[seen], column[seen]
    if attribute.discrete:
        rows = probes.fit(x, y.astype(np.int64), attribute.width, PENALTY).weight.T
        rows = rows - rows.mean(axis=0) if len(rows) > 1 else rows
    else:
        rows = _ridge(x, y.astype(np.float64))[None]
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return torch.from_numpy(rows).float()


def _ridge(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return coefficients (d,) of a ridge regression on standardised columns, in their units."""
    scale = x.std(axis=0) + 1e-6
    s, t = (x - x.mean(axis=0)) / scale, (y - y.mean()) / y.std()
    gram = s.T @ s / len(s) + PENALTY * np.eye(s.shape[1])
    coefficients: NDArray[np.float64] = np.linalg.solve(gram, s.T @ t / len(s)) / scale
    return coefficients
