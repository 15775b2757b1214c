"""A generator of 16 × 16 pictures with two attributes, small enough to reason about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lacelang import ir
from lacelang.api import Program
from lacelang.engine.loading import Model
from lacelang.samplers import SAMPLERS
from lacelang.semantics import defaults

GLASSES = ir.BinaryAttribute("glasses")
AGE = ir.ContinuousAttribute("age", 0.0, 70.0, "years")
SPEC = ir.ModelSpec("tiny", "tiny", "tiny", "1", "0" * 64, attributes=(GLASSES, AGE))

GLASSES_1 = ir.Discrete(GLASSES, frozenset({1}), text="glasses=1")
AGE_40 = ir.Equals(AGE, 40.0, text="age=40")


class TinyGenerator:
    """w = z, a picture whose pixels are the first coordinates of w."""

    latent_dim = 8
    style_count = 3
    style_layers = (tuple(range(6)), tuple(range(6, 12)), tuple(range(12, 18)))
    resolution = 16

    def __init__(self) -> None:
        self.w_mean = torch.zeros(8)
        self.deviations = torch.ones(8)
        self.decoded = 0
        self.fail_at: int | None = None
        self.interrupt_at: int | None = None

    def mapping(self, z: Tensor) -> Tensor:
        return z

    def whiten(self, w: Tensor) -> Tensor:
        return (w - self.w_mean) / self.deviations

    def colour(self, u: Tensor) -> Tensor:
        return self.w_mean + u * self.deviations

    def truncate(self, w: Tensor, psi: float | Tensor) -> Tensor:
        return self.w_mean + psi * (w - self.w_mean)

    def untruncate(self, w: Tensor, psi: float) -> Tensor:
        return self.w_mean + (w - self.w_mean) / psi

    def prepare(self) -> None:
        pass

    def decode(self, w: Tensor) -> Iterator[NDArray[np.uint8]]:
        for row in w.numpy():
            if self.decoded == self.fail_at:
                raise RuntimeError("the decoder broke")
            self.decoded += 1
            styles = np.broadcast_to(row, (self.style_count, 8)).reshape(-1)
            flat = np.clip(128 + 40 * np.resize(styles, 16 * 16 * 3), 0, 255).astype(np.uint8)
            yield flat.reshape(16, 16, 3)


class TinyHeads(torch.nn.Module):
    """Glasses by the sign of the first coordinate, age by the second."""

    @property
    def sigma(self) -> dict[str, float]:
        return {"age": 4.0}

    def forward(self, w: Tensor) -> dict[str, Tensor]:
        logit = 6.0 * w[:, 0]
        return {"glasses": torch.stack([-logit, logit], dim=1), "age": 35.0 + 10.0 * w[:, 1]}


class TinyModel(Model):
    """The two of them as a loaded model."""

    heads: Any = TinyHeads()

    def __init__(self) -> None:
        super().__init__(SPEC, TinyGenerator(), torch.device("cpu"))  # type: ignore[arg-type]

    def weights(self, conditioned: bool) -> dict[str, str]:
        return {"generator": "tiny", "device": "cpu"}


def statement(name: str = "kids", count: int = 5, **fields: Any) -> ir.SampleStatement:
    values: dict[str, Any] = {
        "model": SPEC,
        "where": ir.And((GLASSES_1, AGE_40), text="glasses=1 and age=40"),
        "truncation": 0.7,
        "seed": 7,
        "sampler": ir.SamplerChoice("heun", {"tolerance": 1e-3, "time": 5.0, "max_steps": 1000}),
    }
    return ir.SampleStatement(name, count, **{**values, **_options(fields)})


def _options(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, those of a statement's condition options together."""
    own = {
        a.name: fields.pop(a.name) for a in attrs.fields(ir.ConditionOptions) if a.name in fields
    }
    return {"options": attrs.evolve(defaults.CONDITION_OPTIONS, **own), **fields}


def edit(group: str = "kids", name: str = "edited", **fields: Any) -> ir.EditStatement:
    sampler = ir.SamplerChoice("exponential", SAMPLERS["exponential"].complete({}))
    values: dict[str, Any] = {
        "model": SPEC,
        "steps": (ir.EditStep(GLASSES_1, (0, 5)), ir.EditStep(AGE_40, (4, 8))),
        "sampler": sampler,
        "stay": defaults.STAY,
        "hold": 0.1,
        "held": "all",
        "reweight": True,
    }
    return ir.EditStatement(name, group, **{**values, **_options(fields)})


def program(*statements: ir.Statement, source: str = "the source") -> Program:
    return Program(ir.CheckedProgram(tuple(statements), source=source))
