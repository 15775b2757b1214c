"""Computing apart from the state of the program around.

Torch and numpy have settings that change what a computation gives: modes of the calling thread,
such as `torch.inference_mode`, and settings of the whole process, such as the default dtype. What
lacelang computes, it computes in `isolated()`, and leaves the settings as they were.

Settings of the process change for other threads too during a run. The first of concurrent runs sets
them, and the last one restores them, unless they were changed in the meantime.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, TypeAlias, TypeVar

import numpy as np
import torch

from lacelang.system.threads import working

Item = TypeVar("Item")
Setting: TypeAlias = tuple[Callable[[], Any], Callable[[Any], object], Any]
"""How a setting of the process is read and written, and what it is to be."""


def _precisions() -> list[Setting]:
    """How exact float32 products are; `none` means what the level above says."""
    if not hasattr(torch._C, "_get_fp32_precision_getter"):
        return [(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "highest")]
    read, write = torch._C._get_fp32_precision_getter, torch._C._set_fp32_precision_setter
    levels = [
        ("generic", "all", "none"),
        ("mkldnn", "all", "none"),
        ("mkldnn", "matmul", "ieee"),
        ("mkldnn", "conv", "ieee"),
        ("cuda", "all", "none"),
        ("cuda", "matmul", "ieee"),
        ("cuda", "conv", "tf32"),
    ]
    return [
        (partial(read, backend, operation), partial(write, backend, operation), wanted)
        for backend, operation, wanted in levels
    ]


# Torch's functions in Python for the same settings warn of other builds, or import a compiler.
_SETTINGS: list[Setting] = [
    (torch.get_default_dtype, torch.set_default_dtype, torch.float32),
    (
        lambda: (
            torch._C._get_deterministic_algorithms(),
            torch._C._get_deterministic_algorithms_warn_only(),
        ),
        lambda value: torch._C._set_deterministic_algorithms(value[0], warn_only=value[1]),
        (False, False),
    ),
    (
        lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        lambda value: torch.set_anomaly_enabled(*value),
        (False, True),
    ),
    (torch._C._get_mkldnn_enabled, torch._C._set_mkldnn_enabled, True),
    (torch._C._get_cudnn_enabled, torch._C._set_cudnn_enabled, True),
    (torch._C._get_cudnn_benchmark, torch._C._set_cudnn_benchmark, False),
    (torch._C._get_cudnn_deterministic, torch._C._set_cudnn_deterministic, False),
    *_precisions(),
]


_lock = threading.Lock()
_inside = 0
_changed: list[tuple[Setting, Any]] = []


@contextmanager
def _settings_held() -> Iterator[None]:
    """Hold the settings of the process while any run computes."""
    global _inside
    with _lock:
        _inside += 1
        if _inside == 1:
            for setting in _SETTINGS:
                read, write, wanted = setting
                before = read()
                if before != wanted:
                    _changed.append((setting, before))
                    write(wanted)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            while _changed and not _inside:
                (read, write, wanted), before = _changed.pop()
                if read() == wanted:
                    write(before)


_threads = threading.Lock()
_here = threading.local()


@contextmanager
def exact() -> Iterator[None]:
    """Hold the settings of the process, without autocast.

    Transforms of functions, and the recording of gradients, go on.
    """
    if getattr(_here, "isolated", False):
        yield
        return
    with ExitStack() as stack:
        stack.enter_context(_settings_held())
        for device in ("cpu", "cuda", "mps"):
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        yield


@contextmanager
def isolated(threads: bool = True) -> Iterator[None]:
    """Compute apart from all modes of this thread and all settings of the process.

    Gradients are recorded; no mode of torch sees what is done; numpy ignores what overflows. With
    `threads` torch computes in this thread alone. A batch is too small for two: they take the same
    time, and on a busy machine a hundred times as long.
    """
    with ExitStack() as stack:
        if threads:
            stack.enter_context(one_thread())
        if getattr(_here, "isolated", False):
            yield
            return
        stack.enter_context(np.errstate(all="ignore"))
        stack.enter_context(torch._C.DisableTorchFunction())
        if torch._C._len_torch_dispatch_stack():
            from torch.utils._python_dispatch import _disable_current_modes

            stack.enter_context(_disable_current_modes())
        if torch._C._functorch.peek_interpreter_stack() is not None:
            from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack

            stack.enter_context(temporarily_clear_interpreter_stack())
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        hooks = getattr(torch._C._autograd, "_top_saved_tensors_default_hooks", None)
        if hooks is not None and hooks(True) is not None:
            # What hooks pack, for example in half precision, is not what was saved.
            stack.enter_context(torch.autograd.graph.saved_tensors_hooks(_same, _same))
        stack.enter_context(exact())
        if not sys.float_info.min / 2.0:
            # Numbers near zero are flushed, which torch can set, but not read.
            torch.set_flush_denormal(False)
            stack.callback(torch.set_flush_denormal, True)
        _here.isolated = True
        stack.callback(setattr, _here, "isolated", False)
        yield


def _same(x: Item) -> Item:
    return x


def plain(x: torch.Tensor) -> torch.Tensor:
    """A tensor that gradients can be recorded of, whatever mode it was made in."""
    return x.clone() if x.is_inference() else x


def isolated_steps(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the items of an iterator, each made in `isolated()`, which ends where they are used."""
    while True:
        with working(), isolated():
            try:
                item = next(items)
            except StopIteration:
                return
        yield item


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute in this thread alone."""
    before = torch.get_num_threads()
    if before != 1:
        _set_threads(1)
    try:
        yield
    finally:
        if before != 1:
            _set_threads(before)


def _set_threads(count: int) -> None:
    """Set how many threads torch takes for what this one computes.

    A new thread takes the number that any thread set last, so another thread restores it.
    """
    with _threads:
        before = _elsewhere(torch.get_num_threads)
        torch.set_num_threads(count)
        _elsewhere(lambda: torch.set_num_threads(before))


def _elsewhere(function: Callable[[], Any]) -> Any:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]
