"""Every generator keeps the contract; those of other packages are tried in test_extending.py."""

from __future__ import annotations

import pytest
from test_mobilestylegan import ARCHIVE

from lacelang.generators import ARCHITECTURES
from lacelang.generators.declaration import Weights
from lacelang.testing.generators import CONTRACT, with_weights

WEIGHTS: dict[str, Weights] = {"mobilestylegan": ARCHIVE}

#: Those of files that users have are tried on files that are made, in tests of their own.
IMPORTED = {"stylegan2"}


@pytest.mark.weights
@pytest.mark.parametrize("check", CONTRACT)
@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES.keys() - IMPORTED))
def test_contract(architecture: str, check: str) -> None:
    with_weights(WEIGHTS[architecture])[check](ARCHITECTURES[architecture])
