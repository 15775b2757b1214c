from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lacelang.storage.records import Atom, GroupRecord

if TYPE_CHECKING:
    from index_server import Index

# No test sees the models of the person at the machine; none is here.
os.environ["LACELANG_MODELS"] = str(Path(__file__).with_name("no-models"))

if "PYTEST_XDIST_WORKER" in os.environ:
    # There is a worker for each core. Were each to compute with as many threads, these would wait
    # for one another most of the time. Tests of threads set their number.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So does a shell start what runs behind it, and processes of tests would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _never_skipped(report: Any) -> Any:
    """On Linux, with the extra `dev`, nothing is skipped: what is has lost its point unnoticed."""
    if report.skipped and sys.platform == "linux" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which no test is on Linux: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    return _never_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    return _never_skipped((yield))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a GPU or a browser where there is none."""
    for marker, is_there in (("gpu", _has_gpu), ("browser", _has_browser)):
        needing = [item for item in items if item.get_closest_marker(marker)]
        if needing and not is_there():
            items[:] = [item for item in items if item not in needing]
            config.hook.pytest_deselected(items=needing)


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()


def _has_browser() -> bool:
    import browsers

    return browsers.can_be_had()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless browser; while it runs, no other test of the process can run an event loop."""
    import browsers

    path = browsers.found()
    assert path is not None
    with browsers.launched(path) as running:
        yield running


ATOMS = (
    Atom("glasses=1", "glasses", "probability", 0.5, 1.0),
    Atom("age=15", "age", "value", 7.0, 23.0, unit="years"),
)


@pytest.fixture
def face() -> NDArray[np.uint8]:
    """A small picture with texture, uint8 (32, 32, 3)."""
    return np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


@pytest.fixture
def make_group() -> Callable[..., GroupRecord]:
    def make(
        name: str = "kids", fingerprint: str = "f0", count: int = 4, **fields: object
    ) -> GroupRecord:
        values: dict[str, object] = {
            "name": name,
            "folder": name,
            "condition": "glasses=1 and age=15",
            "fingerprint": fingerprint,
            "seed": 124,
            "count": count,
            "settings": {"model": "ffhq", "sampler": "heun", "truncation": 0.7},
            "atoms": ATOMS,
            "samples": (),
        }
        return GroupRecord(**{**values, **fields})  # type: ignore[arg-type]

    return make


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """A package index on the loopback, and an empty cache."""
    from index_server import serving

    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path / "cache"))
    with serving() as server:
        monkeypatch.setenv("LACELANG_INDEX_URL", server.url)
        yield server
