"""Many solvers that each know one sample, their evaluations made together.

A solver that somebody else wrote keeps the control flow to itself: it calls the energy and waits.
Run in a thread of its own, every sample's solver steps as it would alone, and yet one batched
evaluation serves all that are waiting. Only the calling thread evaluates.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import TypeAlias

import torch
from torch import Tensor

from lacelang.samplers.problem import Energy, OnStep
from lacelang.system.threads import checkpoint, owned

AT_ONCE = 64

Answer: TypeAlias = tuple[Tensor, Tensor]


class StoppedError(Exception):
    """Another solver, the energy or the user has stopped the run."""


class Client:
    """The energy as one solver sees it: it answers when all solvers have asked."""

    def __init__(self, place: int, inbox: SimpleQueue[_Message]) -> None:
        self._place = place
        self._inbox = inbox
        self.answers: SimpleQueue[Answer | None] = SimpleQueue()

    def __call__(self, z: Tensor) -> Tensor:
        """Return the energies (n,)."""
        return self.value_and_grad(z)[0]

    def value_and_grad(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the energies (n,) and their gradients (n, d).

        Raises:
            StoppedError: the run is being stopped.
        """
        self._inbox.put((self._place, z))
        answer = self.answers.get()
        if answer is None:
            raise StoppedError
        return answer


_Message: TypeAlias = tuple[int, Tensor | BaseException | None]
"""A place, and what it asks for; the error it left with; or None where it is done."""


def in_one_batch(
    energy: Energy, count: int, solve: Callable[[int, Energy], None], on_step: OnStep | None
) -> None:
    """Run solve(i, its energy) for i in 0 .. count - 1, up to `AT_ONCE` of them side by side.

    Args:
        energy: asked for all waiting samples at once.
        count: of the samples.
        solve: solves sample i; it must touch nothing of another one's.
        on_step: called with the share of the samples solved.

    Raises:
        Exception: whatever a solver, the energy or `on_step` raised first.
    """
    for start in range(0, count, AT_ONCE):
        stop = min(start + AT_ONCE, count)
        inbox: SimpleQueue[_Message] = SimpleQueue()
        seats = {place: Client(place, inbox) for place in range(start, stop)}
        threads = [
            owned(_work, "solver", solve, place, seat, inbox) for place, seat in seats.items()
        ]
        for thread in threads:
            thread.start()
        try:
            _serve(energy, seats, inbox, partial(_tell, on_step, start, count))
        finally:
            for seat in seats.values():
                seat.answers.put(None)
            for thread in threads:
                thread.join()


def _work(
    solve: Callable[[int, Energy], None], place: int, seat: Client, inbox: SimpleQueue[_Message]
) -> None:
    try:
        solve(place, seat)
    except StoppedError:
        return
    except BaseException as error:
        inbox.put((place, error))
    else:
        inbox.put((place, None))


def _serve(
    energy: Energy,
    seats: dict[int, Client],
    inbox: SimpleQueue[_Message],
    tell: Callable[[int], None],
) -> None:
    """Answer the solvers, all at once, until the last has left."""
    present = len(seats)
    asked: dict[int, Tensor] = {}
    while present:
        checkpoint()
        place, message = inbox.get()
        if isinstance(message, BaseException):
            raise message
        if message is None:
            present -= 1
            tell(len(seats) - present)
        else:
            asked[place] = message
        if asked and len(asked) == present:
            asking = sorted(asked)
            energies, gradients = energy.value_and_grad(torch.cat([asked[p] for p in asking]))
            start = 0
            for place in asking:
                rows = slice(start, start + len(asked[place]))
                seats[place].answers.put((energies[rows], gradients[rows]))
                start = rows.stop
            asked.clear()


def _tell(on_step: OnStep | None, before: int, count: int, solved: int) -> None:
    if on_step is not None:
        on_step((before + solved) / count)
