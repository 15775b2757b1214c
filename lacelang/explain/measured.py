"""Figures of the terms of a condition on prior draws, through a model's classifiers.

The conditional energy E is a function of the head outputs o_k that its comparisons k read. With
u_k = dE/do_k, the chain rule splits its gradient in z into one part for each comparison, weights,
temperatures, odds and negations above it included:

    grad E = sum over k of c_k,    c_k = (do_k/dz)^T u_k.

Its share of the gradient, with means over the draws, is

    share_k = mean <c_k, grad E> / mean |grad E|^2.

Under `disjunction exact`, comparisons of one attribute are no separate terms of the energy. Their
attribute has a share then, that of its head, and so has what contains all that is said of it.

Along the gradient flow dz/dtau = -grad E (LACE eq. 7), <c_k, grad E> is the rate at which k lowers
the energy. Shares of all comparisons sum to 1, and a connective has the sum of those below it; a
negative share belongs to a term that the flow moves away from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import torch
from attrs import evolve, frozen
from torch import Tensor

from lacelang import ir
from lacelang.compiler import spread_of
from lacelang.energy import Atom, Features, Key, Node, Or, Outputs, Wanted, map_atoms
from lacelang.engine.atoms import read
from lacelang.engine.drawn import relative, values_of
from lacelang.engine.loading import Model, load
from lacelang.engine.sampling import meaning_of
from lacelang.errors import UsageError
from lacelang.explain.outline import (
    MOST_TERMS,
    Figures,
    Outline,
    Term,
    Totals,
    Tree,
    disjunct_weights,
)
from lacelang.progress import shown
from lacelang.samplers.streams import prior
from lacelang.system.torch_state import isolated

DRAWS = 64
"""How many draws from the prior are looked at: those that the samples would start from."""


def with_figures(outline: Outline) -> Outline:
    """Load a statement's model, and return its outline with figures of every term."""
    with shown() as progress:
        return measured(outline, load(outline.statement.model, "auto", progress))


def measured(outline: Outline, model: Model) -> Outline:
    """Return a statement's outline with figures, given its loaded model."""
    with isolated():
        return evolve(outline, trees=tuple(_tree(tree, outline, model) for tree in outline.trees))


def _tree(tree: Tree, outline: Outline, model: Model) -> Tree:
    if tree.root is None:
        return tree
    spec, options, truncation = outline.statement.model, outline.options, outline.truncation
    seed, exact = outline.seed, options.disjunction == "exact"
    if not exact and any(isinstance(each, ir.Xor) for each in ir.walk(tree.root.predicate)):
        message = f"written out, the condition has more than {MOST_TERMS} comparisons"
        raise UsageError(f"{message}: that is too many for figures of each")
    z = prior(seed, range(DRAWS), model.generator.latent_dim).to(model.latents_device)
    # Of what `each` draws, the values that the samples at these draws would have.
    where = tree.root.predicate
    values = torch.from_numpy(values_of(where, seed, range(DRAWS))).to(z.device)
    heads = model.features(truncation)

    def features(z: Tensor) -> Outputs:
        return relative(where, heads(z), values)

    meaning = meaning_of(options, spec, model, truncation)
    split = split_gradient(meaning(tree.root.predicate), features, z)
    with torch.no_grad():
        sigma = spread_of(options, spec, model.sigma)
        absent = 0.0 if split.norm.any() else None
        shares = iter(split.shares)
        named = Counter(_counted(tree.root.predicate))
        of_heads = _OfHeads(split.of_heads, named) if exact else None
        filling = _Measuring(meaning, features(z), sigma, shares, absent, of_heads)
        root = filling.term(tree.root)
    totals = Totals(DRAWS, seed, *_moments(split.energy), split.norm.mean().item())
    return evolve(tree, root=root, totals=totals)


@frozen(eq=False)
class Split:
    """An energy (N,) in nats, the norm of its gradient (N,), and shares of that.

    Comparisons have shares from left to right, each of its head; None where the gradient vanishes
    everywhere.
    """

    energy: Tensor
    norm: Tensor
    shares: tuple[float | None, ...]
    heads: tuple[Key, ...]

    @property
    def of_heads(self) -> dict[Key, float | None]:
        """The share of all comparisons of each head, also of those with values that are drawn."""
        result: dict[Key, float | None] = {}
        for key, share in zip(self.heads, self.shares, strict=True):
            head = key.attribute if isinstance(key, Wanted) else key
            result[head] = None if share is None else (result.get(head) or 0.0) + share
        return result


def split_gradient(node: Node, features: Features, z: Tensor) -> Split:
    """Split the gradient of node(features(z)) at latents z (N, d) by the comparisons of `node`.

    A few passes of the features, whatever the number of terms: with J the Jacobian of the outputs,
    <J^T u_k, grad E> is <u_k, J grad E>.
    """
    heads: list[Key] = []

    def apart(atom: Atom) -> Node:
        heads.append(atom.attribute)
        # Every atom is an attrs class, which `Atom` itself is not.
        renamed: Node = evolve(cast(Any, atom), attribute=_nth(len(heads) - 1))
        return renamed

    node = map_atoms(node, apart)
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        outputs = features(z)
        copies = {_nth(i): outputs[h].detach().requires_grad_() for i, h in enumerate(heads)}
        energy = node({**outputs, **copies})
        slopes = [torch.zeros_like(copy) for copy in copies.values()]
        if energy.requires_grad:
            slopes = list(
                torch.autograd.grad(
                    energy.sum(), list(copies.values()), allow_unused=True, materialize_grads=True
                )
            )
        pulls = {h: torch.zeros_like(outputs[h]) for h in heads}
        for head, slope in zip(heads, slopes, strict=True):
            pulls[head] += slope
        gradient, along = _gradient(z, {h: outputs[h] for h in pulls}, pulls)
    whole = gradient.double().square().sum()
    shares = tuple(
        ((slope * along[head]).double().sum() / whole).item() if whole else None
        for slope, head in zip(slopes, heads, strict=True)
    )
    return Split(energy.detach(), gradient.norm(dim=1), shares, tuple(heads))


@frozen(eq=False)
class _OfHeads:
    """The shares of heads, and how often a condition names each."""

    shares: Mapping[Key, float | None]
    named: Counter[str]

    def share(self, predicate: ir.Predicate) -> float | None:
        """The share of a part of the condition; None if its heads are named elsewhere too."""
        own = Counter(_counted(predicate))
        shares = [self.shares.get(head, 0.0) for head in own]
        if None in shares or any(self.named[head] > count for head, count in own.items()):
            return None
        return sum(share for share in shares if share is not None)


def _counted(predicate: ir.Predicate) -> Iterator[str]:
    """Yield the heads of a condition's comparisons that have a weight."""
    if predicate.weight > 0:
        if isinstance(predicate, ir.Comparison):
            yield predicate.attribute.name
        for child in predicate.children:
            yield from _counted(child)


@frozen(eq=False)
class _Measuring:
    """Computes the figures term by term from the heads' outputs at the draws.

    `shares` are those of the next comparisons, unless heads have them; `absent` is the share of one
    without weight.
    """

    meaning: Callable[[ir.Predicate], Node]
    outputs: Outputs
    sigma: Mapping[str, float]
    shares: Iterator[float | None]
    absent: float | None
    of_heads: _OfHeads | None

    def term(self, term: Term, counts: bool = True) -> Term:
        """Return `term` with its figures; `counts` is false below a weight of 0."""
        predicate = evolve(term.predicate, weight=1.0)
        node = self.meaning(predicate)
        counts = counts and term.predicate.weight > 0
        terms = tuple(self.term(below, counts) for below in term.terms)
        reading = None
        if isinstance(predicate, ir.Comparison):
            share = self.absent
            if counts and self.of_heads is None:
                share = next(self.shares)
            reading = read(predicate, self.outputs).mean().item()
            term = evolve(term, sigma=self.sigma.get(predicate.attribute.name))
        else:
            if isinstance(predicate, ir.Or) and self.of_heads is None:
                terms = self._with_odds(predicate, terms)
            known = [t.figures.share for t in terms if t.figures is not None]
            share = None if None in known else sum(s for s in known if s is not None)
        if counts and self.of_heads is not None:
            share = self.of_heads.share(predicate)
        figures = Figures(*_moments(node(self.outputs)), share, reading)
        return evolve(term, terms=terms, figures=figures)

    def _with_odds(self, predicate: ir.Or, terms: tuple[Term, ...]) -> tuple[Term, ...]:
        """The odds in force, which `disjunction balanced` takes from draws."""
        node = self.meaning(evolve(predicate, temp=None))
        counts = [sum(weight > 0 for weight in disjunct_weights(t)) for t in predicate.terms]
        weights = iter(node.weights if isinstance(node, Or) else (1.0,) * sum(counts))
        odds = [sum(next(weights) for _ in range(count)) for count in counts]
        return tuple(evolve(t, odds=o / sum(odds)) for t, o in zip(terms, odds, strict=True))


def _gradient(z: Tensor, outputs: Outputs, pulls: Outputs) -> tuple[Tensor, Outputs]:
    """The gradient J^T u (N, d) of pulls u on the outputs, and by head what J makes of it."""
    if not pulls:
        return torch.zeros_like(z), {}
    ends = [pull.requires_grad_() for pull in pulls.values()]
    (gradient,) = torch.autograd.grad(list(outputs.values()), z, ends, create_graph=True)
    # J^T u is linear in u, so that its own transpose is J: forward mode by two backward passes.
    along = torch.autograd.grad(gradient, ends, gradient.detach())
    return gradient.detach(), dict(zip(pulls, along, strict=True))


def _moments(values: Tensor) -> tuple[float, float]:
    """Mean and standard deviation of (N,)."""
    values = values.double()
    return values.mean().item(), values.std().item() if len(values) > 1 else 0.0


def _nth(number: int) -> str:
    """The name that the outputs of comparison `number` go by; no attribute has it."""
    return f"comparison {number}"
