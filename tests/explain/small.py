"""A model of four attributes with a curved, analytic judge, and generated conditions on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from attrs import evolve
from hypothesis import strategies as st
from torch import Tensor

from lacelang import ir
from lacelang.semantics import defaults

SMILE = ir.BinaryAttribute("smile")
GLASSES = ir.BinaryAttribute("glasses")
HAIR = ir.ChoiceAttribute("hair", ("black", "brown", "red"))
AGE = ir.ContinuousAttribute("age", 0.0, 70.0, "years")
MODEL = ir.ModelSpec("small", "none", attributes=(SMILE, GLASSES, HAIR, AGE))

smiling = ir.Discrete(SMILE, frozenset({1}), text="smile=1")
bespectacled = ir.Discrete(GLASSES, frozenset({1}), text="glasses=1")
red = ir.Discrete(HAIR, frozenset({2}), text="hair=red")
old = ir.AtLeast(AGE, 60.0, text="age > 60")


def statement(where: ir.Predicate | None, **clauses: object) -> ir.SampleStatement:
    options = evolve(defaults.CONDITION_OPTIONS, **clauses)
    return ir.SampleStatement("group", 8, MODEL, where, options, 0.7, 3, ir.SamplerChoice("heun"))


class Small:
    """Heads that bend with every latent coordinate; red hair is rare."""

    sigma: Mapping[str, float] = {"age": 5.0}
    latents_device = torch.device("cpu")
    latent_dim = 6

    @property
    def generator(self) -> Small:
        return self

    @staticmethod
    def remembered(key: object, make: Callable[[], object]) -> object:
        return make()

    def features(self, truncation: float) -> object:
        def judge(z: Tensor) -> dict[str, Tensor]:
            x = truncation * z + 0.1 * torch.sin(z.roll(1, dims=1))
            zero = torch.zeros_like(x[:, 0])
            return {
                "smile": torch.stack([zero, 3 * x[:, 0]], dim=1),
                "glasses": torch.stack([x[:, 1], 2 * x[:, 2]], dim=1),
                "hair": torch.stack([x[:, 3], x[:, 4], x[:, 3] * x[:, 4] - 6.0], dim=1),
                "age": 35 + 10 * x[:, 5] + x[:, 0],
            }

        return judge


_SETTINGS = st.fixed_dictionaries(
    {
        "weight": st.sampled_from([1.0, 1.0, 0.5, 3.0, 0.0]),
        "temp": st.sampled_from([None, None, 0.5, 2.0]),
    }
)
_ATOMS = st.sampled_from(
    [
        smiling,
        bespectacled,
        red,
        old,
        ir.Discrete(HAIR, frozenset({0, 2})),
        ir.Degree(SMILE, 1, 0.6),
        ir.Equals(AGE, 40.0),
        ir.AtMost(AGE, 20.0),
        ir.Between(AGE, 30.0, 40.0),
    ]
)


def _tuned(pair: tuple[ir.Predicate, dict[str, object]]) -> ir.Predicate:
    return evolve(pair[0], **pair[1])


def _grow(inner: st.SearchStrategy[ir.Predicate]) -> st.SearchStrategy[ir.Predicate]:
    terms = st.lists(st.tuples(inner, _SETTINGS).map(_tuned), min_size=2, max_size=3)
    weighed = terms.filter(lambda arms: any(arm.weight for arm in arms))
    return st.one_of(
        terms.map(lambda t: ir.And(tuple(t))),
        weighed.map(lambda t: ir.Or(tuple(t))),
        inner.map(ir.Not),
        inner.map(lambda p: ir.Not(ir.Not(p))),
    )


conditions = st.recursive(_ATOMS, _grow, max_leaves=6)
