"""A model's weights, loaded in the background while a person types."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from lacelang.ir import ModelSpec
from lacelang.system.threads import checkpoint, in_background


class Warming:
    """Loads one model in a thread of its own.

    What goes wrong there is forgotten: the run that needs the model will meet it again, and say
    so. Weights that are not in the cache, ready for use, are left to that run too, which shows how
    they arrive.
    """

    def __init__(self, load: Callable[[ModelSpec], None] | None = None) -> None:
        self._load = load or _load
        self._done = threading.Event()
        self._done.set()

    def begin(self, model: ModelSpec) -> None:
        """Begin to load `model`."""
        self._done.clear()
        in_background(partial(self._work, model), "warming")

    @property
    def busy(self) -> bool:
        """Whether the model is not there yet."""
        return not self._done.is_set()

    def wait(self) -> None:
        """Wait until the thread has ended; Ctrl-C ends the waiting and not the thread."""
        while not self._done.wait(0.1):
            pass

    def _work(self, model: ModelSpec) -> None:
        try:
            self._load(model)
        except Exception:
            # Said by the run that needs it; here it would be printed over what is being typed.
            return
        finally:
            self._done.set()


def _load(model: ModelSpec) -> None:
    from lacelang.engine.loading import load, weights_of
    from lacelang.generators import ARCHITECTURES
    from lacelang.progress import Silent

    checkpoint()
    known = ARCHITECTURES.get(model.generator)
    if known is not None and known.is_ready(weights_of(model)):
        loaded = load(model, "auto", Silent())
        checkpoint()
        loaded.prepare()
        _ = loaded.heads
