"""OpenVINO without its usage reports: every module of the package imports it through this one.

Its conversion tools report each import and each conversion to an analytics host, keep an id of the
user under the home folder, and start a process for every report. Without the package
`openvino_telemetry` they do none of that, so they are not given it. The package itself, the user's
settings for it and the environment stay as they are.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakSet

from lacelang.errors import ResourceError
from lacelang.system.threads import THREADS, cores

_TELEMETRY = "openvino_telemetry"
_TOOLS = "openvino.tools.ovc"

_lock = threading.Lock()
_used_in: int | None = None
_core: Any = None
# The core, compiled models and requests.
_running: WeakSet[Any] = WeakSet()


def openvino() -> Any:
    """Import OpenVINO for use in this process; it may `refuse_after_fork`."""
    global _used_in
    # Before the lock, which a thread of the parent may have held at the fork.
    refuse_after_fork()
    _used_in = os.getpid()
    with _lock, _hidden():
        import openvino
    return openvino


def core() -> Any:
    """Return the one `openvino.Core` of this process, which stays for as long as it runs.

    The CPU plugin of a `Core` sets the signal stack of the thread that first compiles with it, and
    frees that stack with the `Core`: the next signal, be it Ctrl-C, would be a segmentation fault.
    """
    global _core
    ov = openvino()
    with _lock:
        if _core is None:
            _core = ov.Core()
            _running.add(_core)
        return _core


def refuse_after_fork() -> None:
    """Refuse to use OpenVINO in a process forked from one that uses it: it would hang."""
    if _used_in not in (None, os.getpid()):
        raise ResourceError(
            "no pictures in this process: it was forked from one in which OpenVINO runs",
            "fork before the first run, or start the process with multiprocessing's method `spawn`",
        )


def convert(network: Any, **options: Any) -> Any:
    """`openvino.convert_model`, not reported where the user had imported OpenVINO before either."""
    ov = openvino()
    with _lock, _silenced():
        return ov.convert_model(network, **options)


def compile_model(model: Path, hint: str = "LATENCY", threads: int = 0) -> Any:
    """Compile the file of a model for so many CPU threads, 0 for all, with a performance hint."""
    config: dict[str, Any] = {
        # The CPU's own default may be bfloat16, which moves landmarks and colours.
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": hint,
        # Pinned, two processes side by side would share one core.
        "ENABLE_CPU_PINNING": False,
    }
    if not threads and THREADS in os.environ:
        threads = cores()
    if threads:
        config["INFERENCE_NUM_THREADS"] = threads
    compiled = core().compile_model(model, "CPU", config)
    _running.add(compiled)
    return compiled


def request(compiled: Any) -> Any:
    """Create an inference request of a compiled model."""
    refuse_after_fork()
    made = compiled.create_infer_request()
    _running.add(made)
    return made


def save(model: Any, path: Path) -> None:
    """Write a model as IR, float32, at `path` and its .bin."""
    openvino().save_model(model, path, compress_to_fp16=False)


def _forked() -> None:
    """Never free what runs: its destructors would wait for threads that are missing here."""
    import ctypes

    for each in list(_running):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(each))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


@contextmanager
def _hidden() -> Iterator[None]:
    """Let the import of `openvino_telemetry` fail; OpenVINO then takes its own stand-in."""
    if _TOOLS in sys.modules:
        yield
        return
    kept = {_TELEMETRY: sys.modules[_TELEMETRY]} if _TELEMETRY in sys.modules else {}
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[_TELEMETRY]
        sys.modules.update(kept)


@contextmanager
def _silenced() -> Iterator[None]:
    """Put OpenVINO's own stand-in in place of the telemetry that its tools have imported."""
    from openvino.tools.ovc import telemetry_stub

    with ExitStack() as stack:
        for name, module in list(sys.modules.items()):
            if name.startswith(_TOOLS) and hasattr(module, "tm"):
                stack.callback(setattr, module, "tm", module.tm)
                module.tm = telemetry_stub  # type: ignore[attr-defined]
        yield
