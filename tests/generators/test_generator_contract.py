"""Every generator keeps the contract; those of other packages are tried in test_extending.py."""

from __future__ import annotations

import pytest

from lacelang.generators import ARCHITECTURES
from lacelang.semantics.modules import library_models
from lacelang.semantics.weights import weights_of
from lacelang.testing.generators import CONTRACT, with_weights

#: The weights that the standard library declares, by architecture.
WEIGHTS = {spec.generator: weights_of(spec) for spec in library_models().values()}

#: Those of files that users have are tried on files that are made, in tests of their own.
IMPORTED = {"stylegan2", "stylegan3"}


@pytest.mark.weights
@pytest.mark.parametrize("check", CONTRACT)
@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES.keys() - IMPORTED))
def test_contract(architecture: str, check: str) -> None:
    with_weights(WEIGHTS[architecture])[check](ARCHITECTURES[architecture])
