"""A model's weights, loaded in the background while a person types."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from lacelang.system.threads import checkpoint, in_background

if TYPE_CHECKING:
    from lacelang.ir import ModelSpec


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


def rehearse(model: ModelSpec) -> None:
    """Sample once from a loaded model: what is imported and traced at that time is ready then."""
    from lacelang import ir
    from lacelang.engine.execute import execute
    from lacelang.engine.plan import Options
    from lacelang.progress import Silent
    from lacelang.semantics import defaults
    from lacelang.system.torch_state import isolated

    checkpoint()
    asked = next((a for a in model.attributes if isinstance(a, ir.BinaryAttribute)), None)
    if asked is None:
        return
    where = ir.Discrete(attribute=asked, classes=frozenset({1}))
    psi, sampler = defaults.truncation(model), defaults.sampler(model)
    name, options = "rehearsal", defaults.CONDITION_OPTIONS
    statement = ir.SampleStatement(name, 1, model, where, options, psi, 0, sampler)
    with isolated():
        program = ir.CheckedProgram((statement,))
        execute(program, Options(None, "auto", None, (name,)), Silent())


class Warming:
    """Loads one model in a thread of its own, and then tries it once unless it is wanted already.

    An error there is ignored, as are weights that are not ready: the run that needs the model
    reports the error and shows how weights are fetched.
    """

    def __init__(
        self,
        load: Callable[[ModelSpec], None] = load,
        rehearse: Callable[[ModelSpec], None] = rehearse,
    ) -> None:
        self._load, self._rehearse = load, rehearse
        self._wanted = False
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
            if not self._wanted:
                with contextlib.suppress(Exception):
                    self._rehearse(model.using(()))

        self._done.clear()
        in_background(work, "warming")

    def wait(self) -> None:
        """Wait until the thread has ended; Ctrl-C ends the waiting and not the thread."""
        self._wanted = True
        while not self._done.wait(0.1):
            pass
