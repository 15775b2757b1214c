"""A sampler, generator, annotator or operator of one's own in; what all are held to, out.

docs/testing.md shows it: hypothesis strategies, laws of the operators, contracts of the parts.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

try:
    import hypothesis  # noqa: F401
except ImportError as error:
    raise ImportError(
        "lacelang.testing needs hypothesis, which is not installed: pip install 'lacelang[testing]'"
    ) from error

Check = Callable[..., None]


class Contract(dict[str, Check]):
    """Checks by name; each takes the declaration of a part and raises an AssertionError.

    It decorates a function to add it.
    """

    def __call__(self, check: Check) -> Check:
        """Add a check under its function's name."""
        self[check.__name__] = check
        return check


@contextmanager
def refused(error: type[BaseException], what: str) -> Iterator[None]:
    """Assert that the block raises an error."""
    try:
        yield
    except error:
        return
    raise AssertionError(f"{what}: no {error.__name__}")
