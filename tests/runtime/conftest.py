from __future__ import annotations

import pytest
from tiny import TinyModel

from lacelang.runtime import execute


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> TinyModel:
    """A small model that stands for every declared one."""
    tiny = TinyModel()
    monkeypatch.setattr(execute, "load", lambda spec, device, progress: tiny)
    return tiny
