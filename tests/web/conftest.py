from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from studio_serving import Served, served


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder below which a studio reads and saves."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def studio(root: Path) -> Iterator[Served]:
    """A studio of digits that the tests of a module share."""
    with served(root) as made:
        yield made
