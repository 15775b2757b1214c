"""A model's weights, loaded in the background while a person types."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from lacelang.ir import ModelSpec
from lacelang.system.threads import checkpoint, in_background


def load(model: ModelSpec) -> None:
    """Load a model if its weights are ready for use in the cache."""
    from lacelang.engine import loading
    from lacelang.generators import ARCHITECTURES
    from lacelang.progress import Silent
    from lacelang.semantics.weights import weights_of

    checkpoint()
    model = model.using(())
    known = ARCHITECTURES.get(model.generator)
    if known is not None and known.is_ready(weights_of(model)):
        loaded = loading.load(model, "auto", Silent())
        checkpoint()
        loaded.prepare()
        _ = loaded.heads


class Warming:
    """Loads one model in a thread of its own.

    An error there is ignored, as are weights that are not ready: the run that needs the model
    reports the error and shows how weights are fetched.
    """

    def __init__(self, load: Callable[[ModelSpec], None] = load) -> None:
        self._load = load
        self._done = threading.Event()
        self._done.set()

    @property
    def busy(self) -> bool:
        """Whether the model is still being loaded."""
        return not self._done.is_set()

    def begin(self, model: ModelSpec) -> None:
        """Begin to load `model`."""

        def work() -> None:
            try:
                with contextlib.suppress(Exception):
                    self._load(model)
            finally:
                self._done.set()

        self._done.clear()
        in_background(work, "warming")

    def wait(self) -> None:
        """Wait until the thread has ended; Ctrl-C ends the waiting and not the thread."""
        while not self._done.wait(0.1):
            pass
