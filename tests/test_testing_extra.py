"""lacelang.testing without hypothesis says what to install."""

from __future__ import annotations

import sys

import pytest


def test_without_hypothesis(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("lacelang.testing")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ImportError, match=r"pip install 'lacelang\[testing\]'"):
        import lacelang.testing  # noqa: F401
