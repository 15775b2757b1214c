"""How far the groups of a run have come: bars, a group at a time, and lines of its log."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Literal, Self

from lacelang.engine.run_log import Pace, RunLog
from lacelang.progress import Progress, Stage

MOST_BARS = 8
"""Groups that have bars of their own; more share one."""


class Advancing:
    """One kind of work on all groups: bars and the log say how much of each group is done.

    Args:
        word: what the bars say, such as `decoding`.
        event: what the log says of it.
        there: the samples of each group that are done already; `wanted`, of how many.
    """

    def __init__(
        self,
        progress: Progress,
        log: RunLog,
        word: Literal["sampling", "decoding"],
        event: Literal["drawn", "decoded"],
        there: Mapping[str, int],
        wanted: Mapping[str, int],
    ) -> None:
        self._progress, self._stack, self._log = progress, ExitStack(), log
        self._word, self._event = word, event
        self._left = {name: count - there[name] for name, count in wanted.items()}
        self._paces = {name: Pace(there[name], count) for name, count in wanted.items()}
        self._stages: dict[str, Stage] = {}
        self._shared: Stage | None = None

    def __enter__(self) -> Self:
        missing = [name for name, count in self._left.items() if count]
        if len(missing) < 2 or len(missing) > MOST_BARS:
            stage = self._progress.stage(self._word, sum(self._left.values()))
            self._shared = self._stack.enter_context(stage)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def stage(self, group: str) -> Stage:
        """The bar of a group, which begins when it is first asked for."""
        self._paces[group].begin()
        if self._shared is not None:
            return self._shared
        if group not in self._stages:
            stage = self._progress.stage(f"{self._word} {group}", self._left[group])
            self._stages[group] = self._stack.enter_context(stage)
        return self._stages[group]

    def done(self, group: str, first: int, count: int, seconds: float | None = None) -> None:
        """Have the log say that some samples of a group are done."""
        took = {} if seconds is None else {"seconds": round(seconds, 3)}
        pace = self._paces[group].advanced(count)
        self._log.write(self._event, group=group, first=first, count=count, **took, **pace)
