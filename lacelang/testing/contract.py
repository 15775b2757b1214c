"""Checks by name, which a part's declaration is put to."""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[..., None]


class Contract(dict[str, Check]):
    """Checks by name; each takes a declaration and raises an AssertionError.

    It decorates a function to add it.
    """

    def __call__(self, check: Check) -> Check:
        """Add a check under its function's name."""
        self[check.__name__] = check
        return check
