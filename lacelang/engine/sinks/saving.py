"""What sinks that write to a disk do when an error or Ctrl-C ends a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from lacelang.errors import LaceError


@contextmanager
def saving(
    where: object, finished: Callable[[], int], save: Callable[[], object]
) -> Iterator[None]:
    """Call `save` at an error; after Ctrl-C the error says how many samples are `finished`."""
    try:
        yield
    except BaseException as error:
        # The first error matters more than one of saving.
        with suppress(LaceError):
            save()
        if isinstance(error, KeyboardInterrupt):
            # The same error, which may be that of a signal.
            kept = f"{finished()} finished samples are kept in {where}"
            error.args = (f"interrupted: {kept}\n  the same command goes on from there",)
        raise
