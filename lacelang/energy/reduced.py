"""A condition as a function of the few numbers it reads, its k coordinates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
from attrs import frozen
from torch import Tensor

from lacelang.energy.logic import And, atoms
from lacelang.energy.node import Key, Node, Outputs
from lacelang.system.torch_state import isolated, plain

Pull: TypeAlias = Callable[[Tensor], Tensor]
"""v (N, k) -> J^T v (N, d), one backward pass through a graph that it holds."""


@frozen
class Reduced:
    """E(z) = node(coordinates(z)), where the k coordinates are all that the node reads.

    A continuous head is one coordinate; a head of C classes is C - 1, the differences of its logits
    from the first one's. The Hessian of E in z is J^T A J, plus a term in the coordinates' second
    derivatives, which vanish inside a linear piece of a ReLU network.

    Attributes:
        widths: by head, the number of its coordinates: 0 stands for a continuous head.
        blocks: (k, k), 0 where no term of the condition reads both coordinates, else 1.
        places: (k,), each coordinate's number in its block.
        seeds: (m, k), row i is 1 at coordinate i of every block; m is the largest block's size.
    """

    features: Callable[..., Outputs]
    node: Node
    widths: Mapping[Key, int]
    blocks: Tensor
    places: Tensor
    seeds: Tensor

    def vjp(self, z: Tensor, *args: Tensor) -> tuple[Tensor, Pull]:
        """Return coordinates (N, k) of latents (N, d), detached, and how their slopes pull back."""
        with isolated(threads=False):
            z = plain(z).detach().requires_grad_()
            o = self._coordinates(z, *args)

        def pull(v: Tensor) -> Tensor:
            with isolated(threads=False):
                (gradient,) = torch.autograd.grad(o, z, v.to(o))
            return gradient

        return o.detach(), pull

    def linearise(self, z: Tensor, *args: Tensor) -> tuple[Tensor, Tensor]:
        """Return coordinates (N, k) and, by k backward passes, their Jacobian (N, k, d) at z."""
        with isolated(threads=False):
            z = plain(z).detach().requires_grad_()
            o = self._coordinates(z, *args)
            ones = torch.eye(len(self.blocks), dtype=o.dtype, device=o.device)
            jacobian = _pullbacks(o, z, ones)
        return o.detach(), jacobian.detach()

    def slope(self, o: Tensor) -> tuple[Tensor, Tensor]:
        """Return the energy (N,) of coordinates (N, k) and its gradient (N, k), detached."""
        with isolated(threads=False):
            o = plain(o).detach().requires_grad_()
            energy = self.node(self._heads(o))
            if not energy.requires_grad:
                return energy, torch.zeros_like(o)
            (gradient,) = torch.autograd.grad(energy.sum(), o)
        return energy.detach(), gradient

    def expand(self, o: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradient (N, k) and the Hessian (N, k, k) by coordinates (N, k), detached.

        Coordinates that no term reads together share a backward pass (Curtis, Powell and Reid
        1974). Entries of the Hessian that are no numbers, far out in a tail, are zero.
        """
        flat = o.new_zeros(*o.shape, o.shape[1])
        with isolated(threads=False):
            o = plain(o).detach().requires_grad_()
            energy = self.node(self._heads(o))
            if not energy.requires_grad:
                return torch.zeros_like(o), flat
            (gradient,) = torch.autograd.grad(energy.sum(), o, create_graph=True)
            if not gradient.requires_grad:
                return gradient, flat
            rows = _pullbacks(gradient, o, self.seeds.to(o)).detach()
        hessian = rows[:, self.places] * self.blocks.to(o)
        hessian = torch.nan_to_num(hessian, nan=0.0, posinf=0.0, neginf=0.0)
        return gradient.detach(), 0.5 * (hessian + hessian.transpose(1, 2))

    def _coordinates(self, z: Tensor, *args: Tensor) -> Tensor:
        outputs = self.features(z, *args)
        heads = ((outputs[name], width) for name, width in self.widths.items())
        columns = [o[:, 1:] - o[:, :1] if width else o[:, None] for o, width in heads]
        return torch.cat(columns, dim=1)

    def _heads(self, o: Tensor) -> Outputs:
        heads: dict[Key, Tensor] = {}
        start = 0
        for name, width in self.widths.items():
            columns = o[:, start : start + max(width, 1)]
            start += max(width, 1)
            first = torch.zeros_like(columns[:, :1])
            heads[name] = torch.cat([first, columns], dim=1) if width else columns[:, 0]
        return heads


def reduce(features: Callable[..., Outputs], node: Node, z: Tensor, *args: Tensor) -> Reduced:
    """Find the coordinates of a condition from the outputs for some latents (n, d)."""
    with torch.no_grad():
        outputs = features(z, *args)
        node(outputs)
    # A condition that reads nothing, all of its weights 0, takes any head.
    names = sorted({atom.attribute for atom in atoms(node)} or {min(outputs, key=str)}, key=str)
    widths = {name: 0 if outputs[name].ndim == 1 else outputs[name].shape[1] - 1 for name in names}
    owners = [name for name, width in widths.items() for _ in range(max(width, 1))]
    together = _read_together(node)
    group = {name: i for i, read in enumerate(together) for name in read}
    groups = torch.tensor([group.get(name, 0) for name in owners], device=z.device)
    blocks = (groups[:, None] == groups[None]).to(torch.float64)
    places = blocks.tril(-1).sum(dim=1).long()
    seeds = torch.nn.functional.one_hot(places).T.to(blocks)
    return Reduced(features, node, widths, blocks, places, seeds)


def _read_together(node: Node) -> list[set[Key]]:
    """The attributes of a condition in sets that no term of its outermost `and` crosses."""
    terms = node.terms if isinstance(node, And) else (node,)
    sets: list[set[Key]] = []
    for term in terms:
        read = {atom.attribute for atom in atoms(term)}
        crossed = [other for other in sets if other & read]
        sets = [other for other in sets if not other & read]
        sets.append(read.union(*crossed))
    return sets


def _pullbacks(outputs: Tensor, inputs: Tensor, seeds: Tensor) -> Tensor:
    """v^T J (N, m, d) for every row v of seeds (m, k), of outputs (N, k) by inputs (N, d)."""
    if len(seeds) == 1:  # without the costs of vmap
        (row,) = torch.autograd.grad(outputs, inputs, seeds.expand(len(outputs), -1))
        return row[:, None]
    spread = seeds[:, None, :].expand(-1, len(outputs), -1)
    (rows,) = torch.autograd.grad(outputs, inputs, spread, is_grads_batched=True)
    return rows.transpose(0, 1).contiguous()
