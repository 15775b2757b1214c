from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browsers
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless browser; while it runs, no other test of the process can run an event loop."""
    path = browsers.found()
    assert path is not None
    with browsers.launched(path) as running:
        yield running
