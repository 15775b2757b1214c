"""A condition seen through the few numbers it reads: energy = reduced energy of k coordinates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from attrs import frozen
from torch import Tensor

from lacelang.energy.node import Atom, Node, Outputs
from lacelang.energy.readings import atoms


@frozen
class Reduced:
    """E(z) = node(coordinates(z)), where the k coordinates are all that the node reads.

    A continuous head is one coordinate, a head of two classes is one (the difference of its
    logits), any other is as many as it has classes. The Hessian of E in z is J^T A J plus what
    the coordinates' own curvature adds, which is nothing inside a linear piece of a ReLU network.

    Attributes:
        features: latents -> head outputs.
        node: the condition.
        widths: by head, the number of its coordinates: 0 stands for a continuous head.
    """

    features: Callable[[Tensor], Outputs]
    node: Node
    widths: Mapping[str, int]

    @property
    def size(self) -> int:
        """k."""
        return sum(max(width, 1) for width in self.widths.values())

    def linearise(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return coordinates and their Jacobian, at one pass of the features and k backward ones.

        Args:
            z: (N, d).

        Returns:
            o (N, k) and J (N, k, d), detached.
        """
        with torch.enable_grad():
            z = z.detach().requires_grad_()
            o = self._coordinates(z)
            jacobian = _rows_of_jacobian(o, z)
        return o.detach(), jacobian.detach()

    def slope(self, o: Tensor) -> tuple[Tensor, Tensor]:
        """Return the energy (N,) of coordinates (N, k) and its gradient (N, k), detached."""
        with torch.enable_grad():
            o = o.detach().requires_grad_()
            energy = self.node(self._heads(o))
            if not energy.requires_grad:
                return energy, torch.zeros_like(o)
            (gradient,) = torch.autograd.grad(energy.sum(), o)
        return energy.detach(), gradient

    def curvature(self, o: Tensor) -> Tensor:
        """Return the Hessian (N, k, k) by coordinates (N, k), symmetric and detached.

        Entries that are no numbers, far out in a tail, are zero.
        """
        with torch.enable_grad():
            o = o.detach().requires_grad_()
            energy = self.node(self._heads(o))
            if not energy.requires_grad:
                return o.new_zeros(*o.shape, o.shape[1])
            (gradient,) = torch.autograd.grad(energy.sum(), o, create_graph=True)
            if not gradient.requires_grad:
                return o.new_zeros(*o.shape, o.shape[1])
            hessian = _rows_of_jacobian(gradient, o).detach()
        hessian = torch.nan_to_num(hessian, nan=0.0, posinf=0.0, neginf=0.0)
        return 0.5 * (hessian + hessian.transpose(1, 2))

    def _coordinates(self, z: Tensor) -> Tensor:
        outputs = self.features(z)
        columns = []
        for name, width in self.widths.items():
            head = outputs[name]
            if width == 0:
                columns.append(head[:, None])
            else:
                columns.append(head[:, 1:] - head[:, :1] if width == 1 else head)
        return torch.cat(columns, dim=1)

    def _heads(self, o: Tensor) -> Outputs:
        heads: dict[str, Tensor] = {}
        start = 0
        for name, width in self.widths.items():
            columns = o[:, start : start + max(width, 1)]
            start += max(width, 1)
            if width == 0:
                heads[name] = columns[:, 0]
            elif width == 1:
                heads[name] = torch.cat([torch.zeros_like(columns), columns], dim=1)
            else:
                heads[name] = columns
        return heads


def reduce(features: Callable[[Tensor], Outputs], node: Node, z: Tensor) -> Reduced:
    """Find the coordinates of a condition by looking at the head outputs for some latents (n, d).

    Raises:
        UsageError: an atom's attribute has no fitting head.
    """
    with torch.no_grad():
        outputs = features(z)
        node(outputs)
    widths = {}
    for atom in sorted(atoms(node), key=_name):
        head = outputs[atom.attribute]
        widths[atom.attribute] = 0 if head.ndim == 1 else 1 if head.shape[1] == 2 else head.shape[1]
    return Reduced(features, node, widths)


def _rows_of_jacobian(outputs: Tensor, inputs: Tensor) -> Tensor:
    """The Jacobian (N, k, d) of outputs (N, k) by inputs (N, d), whose rows are independent."""
    ones = torch.eye(outputs.shape[1], dtype=outputs.dtype, device=outputs.device)
    ones = ones[:, None, :].expand(-1, len(outputs), -1)
    (rows,) = torch.autograd.grad(outputs, inputs, ones, is_grads_batched=True)
    return rows.transpose(0, 1).contiguous()


def _name(atom: Atom) -> str:
    return atom.attribute
