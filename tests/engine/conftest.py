from __future__ import annotations

import pytest
from tiny import TinyModel

from lacelang.engine import plan


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> TinyModel:
    """A small model that stands for every declared one."""
    tiny = TinyModel()
    monkeypatch.setattr(plan, "load", lambda spec, device, progress: tiny)
    return tiny
