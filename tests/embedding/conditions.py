"""Generated conditions, each in Python's operators and as text with every bracket written."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import strategies as st

from lacelang import Condition, attr

Pair: TypeAlias = tuple[Condition, str]

ATOMS: list[Pair] = [
    (attr("smile") == 1, "smile = 1"),
    (attr("glasses") != 1, "glasses != 1"),
    (attr("gender") == "male", "gender = male"),
    (attr("haircolor").isin(["gray", "blond"]), "haircolor in {gray, blond}"),
    (attr("smile").degree(0.6), "smile ~ 0.6"),
    (attr("yaw") == "left", "yaw = left"),
    (attr("yaw") > -10, "yaw > -10"),
    (attr("yaw") <= "10 deg", "yaw <= 10 deg"),
    (attr("age") >= 1e-05, "age >= 0.00001"),
    (attr("age") < 20.5, "age < 20.5"),
    (attr("age").between("30 years", 40), "age in 30 years..40"),
    (attr("yaw").isin({"right", "left"}), "yaw in {left, right}"),
]

atoms = st.sampled_from(ATOMS)
_settings = st.sampled_from(["", "", "weight", "temp", "both"])


def _tuned(pair: tuple[Pair, str]) -> Pair:
    (made, text), setting = pair
    if setting == "weight":
        return made.weight(2), f"({text}) [weight 2]"
    if setting == "temp":
        return made.temp(0.5), f"({text}) [temp 0.5]"
    if setting == "both":
        return made.weight(3).temp(2), f"({text}) [temp 2, weight 3]"
    return made, text


def _grow(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    pairs = st.tuples(inner, inner)
    # A weight has a meaning under `and` and `or` only.
    weighed = st.tuples(
        *[st.tuples(inner, _settings).map(_tuned) for _ in range(2)],
    )
    return st.one_of(
        weighed.map(lambda p: (p[0][0] & p[1][0], f"({p[0][1]}) and ({p[1][1]})")),
        weighed.map(lambda p: (p[0][0] | p[1][0], f"({p[0][1]}) or ({p[1][1]})")),
        pairs.map(lambda p: (p[0][0] ^ p[1][0], f"({p[0][1]}) xor ({p[1][1]})")),
        pairs.map(lambda p: (p[0][0].implies(p[1][0]), f"({p[0][1]}) implies ({p[1][1]})")),
        inner.map(lambda p: (~p[0], f"not ({p[1]})")),
    )


pairs = st.recursive(atoms, _grow, max_leaves=10)
"""Conditions that ffhq can be asked."""
