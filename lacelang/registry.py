"""Things that a package of lacelang's offers by name, and others' packages through entry points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Generic, Protocol, TypeVar

from lacelang.errors import ResourceError


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """What programs call it."""
        ...


T = TypeVar("T", bound=Named)


class Registry(Mapping[str, T], Generic[T]):
    """Declarations by name, read when one is first asked for.

    Every package in `package` lists its own in `DECLARED`; those of other distributions come from
    the entry points of the group that is called like `package`, and never replace one of these.

    Args:
        package: e.g. `lacelang.samplers`.
        kind: the class of a declaration.
        first: the name to list before all others.
    """

    def __init__(self, package: str, kind: type[T], first: str) -> None:
        self._package = package
        self._kind = kind
        self._first = first

    def __getitem__(self, name: str) -> T:
        if name in self._own:
            return self._own[name]
        return self._others[name]

    def __iter__(self) -> Iterator[str]:
        names = sorted({**self._others, **self._own})
        return iter(sorted(names, key=lambda name: name != self._first))

    def __len__(self) -> int:
        return len({**self._others, **self._own})

    @cached_property
    def _own(self) -> dict[str, T]:
        folders = import_module(self._package).__path__
        found: dict[str, T] = {}
        for info in iter_modules(folders):
            if info.ispkg:
                module = import_module(f"{self._package}.{info.name}")
                found |= {declared.name: declared for declared in module.DECLARED}
        return found

    @cached_property
    def _others(self) -> dict[str, T]:
        # Imported late: reading what is installed takes as long as checking a short program.
        from importlib.metadata import entry_points

        found: dict[str, T] = {}
        for point in entry_points(group=self._package):
            declared = self._loaded(point)
            found.setdefault(declared.name, declared)
        return found

    def _loaded(self, point: Any) -> T:
        remedy = f"mend or remove the package that offers it: {point.value}"
        try:
            declared = point.load()
        except Exception as error:
            what = f"the entry point {point.name!r} of {self._package} cannot be loaded"
            raise ResourceError(f"{what}: {error}", remedy) from error
        if not isinstance(declared, self._kind):
            what = f"the entry point {point.name!r} of {self._package} is no"
            raise ResourceError(f"{what} {self._kind.__name__}", remedy)
        return declared
