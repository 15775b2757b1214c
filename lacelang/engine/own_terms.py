"""A model that also evaluates terms of the user's own, beside its classifiers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import torch
from torch import Tensor

from lacelang import ir
from lacelang.classifiers.classifier import SeveralHeads
from lacelang.energy import Outputs, own_key
from lacelang.engine.loading import Model
from lacelang.errors import LaceError, UsageError
from lacelang.samplers.streams import prior
from lacelang.semantics.taught import has_classifiers
from lacelang.system.torch_state import isolated

_ROWS = 5
#: Energies below 0 by less than this are rounding errors.
_ROUNDING = 1e-4
#: How far the energy of a row may depend on the rows beside it, of its size.
_APART = 1e-3


class ModelWithTerms(Model):
    """A model with terms of the user's own by name."""

    def __init__(self, model: Model, terms: Mapping[str, ir.OwnTerm]) -> None:
        self.__dict__.update(model.__getstate__())
        self.generator = model.generator
        self._begin()
        self._terms = dict(terms)
        spec = model._spec
        if has_classifiers(spec) or spec.taught:
            self.__dict__["heads"] = model.heads
        else:
            self.__dict__["heads"] = SeveralHeads(())
        for term in terms.values():
            _require_energy(term, self)

    def weights(self, conditioned: bool) -> dict[str, str]:
        """See `Model`; a model without classifiers depends on none."""
        return super().weights(conditioned and bool(self.heads.columns))

    def heads_at(self, x: Tensor) -> Outputs:
        """See `Model`; nothing where there are no classifiers."""
        return super().heads_at(x) if self.heads.columns else {}

    def judge(self, z: Tensor, w: Tensor) -> Outputs:
        """See `Model`; the terms are outputs like those of classifiers."""
        return {**super().judge(z, w), **self._own(z, w)}

    def judge_styles(self, w: Tensor) -> Outputs:
        """See `Model`; a term of z has no meaning here, which the checker knows."""
        return {**super().judge_styles(w), **self._own(None, w)}

    def _features(self, truncation: float, z: Tensor) -> Outputs:
        return self.judge(z, self.styles(z, truncation))

    def _own(self, z: Tensor | None, w: Tensor) -> Outputs:
        found = {}
        for name, term in self._terms.items():
            x = z if term.on == "z" else w
            assert x is not None
            found[own_key(name)] = self._of_rows(f"term {name}", partial(_energy, term), x)
        return found


def with_terms(model: Model, conditions: Iterable[ir.Predicate | None]) -> Model:
    """Return a model that evaluates the user's own terms in conditions, too.

    Raises:
        UsageError: a function is no energy of rows.
    """
    terms = ir.own_terms(*conditions)
    if not terms:
        return model
    key = "own terms", tuple((term, id(term.function)) for term in terms.values())
    made: Model = model.remembered(key, lambda: ModelWithTerms(model, terms))
    return made


def _energy(term: ir.OwnTerm, x: Tensor) -> Tensor:
    energy = _called(term.function, term.name, x)
    traced = torch.compiler.is_compiling() or torch._C._functorch.is_functorch_wrapped_tensor(
        energy
    )
    if not traced and bool((energy < -_ROUNDING).any()):
        raise UsageError(
            f"the term `{term.name}` gave the energy {energy.min().item():.4g}; an energy is "
            "-log of a probability, and at least 0"
        )
    return energy


def _called(function: Callable[..., Tensor], name: str, x: Tensor) -> Tensor:
    try:
        found = function(x)
    except LaceError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise UsageError(f"the term `{name}` failed at {tuple(x.shape)}: {what}") from error
    if not isinstance(found, Tensor) or found.shape != x.shape[:1]:
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise UsageError(
            f"the term `{name}` gave {shape} for rows {tuple(x.shape)}; it gives a tensor with a "
            f"number for each row, ({len(x)},)"
        )
    return found.to(x.dtype)


def _require_energy(term: ir.OwnTerm, model: Model) -> None:
    """Check a function at a few draws: its shape, its sign, its gradient, and its rows."""
    z = prior(0, range(_ROWS), model.generator.latent_dim).to(model.latents_device)
    with isolated():
        with torch.no_grad():
            x = z if term.on == "z" else model.styles(z, 1.0)
        x = x.to(model.device).clone().requires_grad_()
        energy = _energy(term, x)
        if not energy.requires_grad:
            raise UsageError(
                f"the term `{term.name}` has no gradient: compute it by torch from what it is given"
            )
        alone = torch.cat([_energy(term, row[None]) for row in x])
        apart = (energy - alone).abs() > _APART * (1 + energy.abs())
        if bool(apart.any()):
            raise UsageError(
                f"the term `{term.name}` gives a row another energy beside other rows; the energy "
                "of a row depends on that row alone"
            )
