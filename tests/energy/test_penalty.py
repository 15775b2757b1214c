from __future__ import annotations

import math

import pytest
import torch

from lacelang.energy import Penalty, Scope, conjunction
from lacelang.errors import UsageError

OUTPUTS = {"moved": torch.tensor([0.0, 1.0, 4.0])}


def test_it_grows_with_its_head() -> None:
    penalty = Penalty("moved", 0.5)
    assert penalty(OUTPUTS).tolist() == [0.0, 0.5, 2.0]
    assert conjunction([penalty, penalty], [1.0, 3.0])(OUTPUTS).tolist() == [0.0, 2.0, 8.0]


def test_it_cannot_be_denied() -> None:
    penalty = Penalty("moved", 0.5)
    assert not penalty.closed
    with pytest.raises(UsageError, match="no complement"):
        Scope(OUTPUTS).energy(penalty, holds=False)
    with pytest.raises(UsageError, match="no complement"):
        Scope(OUTPUTS).energy(penalty, complement=True)


@pytest.mark.parametrize("weight", [-1.0, math.inf, math.nan])
def test_its_weight_is_no_reward(weight: float) -> None:
    with pytest.raises(UsageError, match="0 or more"):
        Penalty("moved", weight)
