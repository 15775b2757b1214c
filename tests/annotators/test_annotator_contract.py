"""Every annotator keeps the contract; those of other packages are tried in test_extending.py."""

from __future__ import annotations

import pytest

from lacelang.annotators import ANNOTATORS
from lacelang.testing import Check
from lacelang.testing.annotators import CONTRACT


@pytest.mark.weights
@pytest.mark.parametrize("check", CONTRACT.values(), ids=CONTRACT)
@pytest.mark.parametrize("annotator", ANNOTATORS)
def test_contract(annotator: str, check: Check) -> None:
    check(ANNOTATORS[annotator])
