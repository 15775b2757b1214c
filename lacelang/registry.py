"""Things that a package of lacelang's offers by name, and others' packages through entry points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

from lacelang.errors import ResourceError, UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """What programs call it."""
        ...


T = TypeVar("T", bound=Named)

Place: TypeAlias = "str | Callable[..., Any]"
"""Where a function is: `package.module:name`, or the function itself."""


class Registry(Mapping[str, T], Generic[T]):
    """Declarations of class `kind` by name, `first` before all others.

    Every package in `package`, such as `lacelang.samplers`, lists its own in `DECLARED`. Those of
    other distributions come from the entry points of the group `package`, and never replace one of
    these; those that a process adds replace entry points. An entry point that cannot be used is in
    `broken`; asking for it is a ResourceError.

    Attributes:
        kind: the class of the declarations.
    """

    def __init__(self, package: str, kind: type[T], first: str) -> None:
        self._package = package
        self.kind = kind
        self._first = first
        self._added: dict[str, T] = {}

    def add(self, declared: T) -> None:
        """Add a declaration for this process, in place of an earlier one that was added.

        Raises:
            UsageError: lacelang has one of that name itself.
        """
        if declared.name in self._own:
            what = self.kind.__name__.lower()
            raise UsageError(
                f"lacelang has the {what} {declared.name!r} itself; give it another name"
            )
        self._added[declared.name] = declared

    def __getitem__(self, name: str) -> T:
        if name in self._own:
            return self._own[name]
        if name in self._added:
            return self._added[name]
        found, broken = self._others
        if name not in found and name in broken:
            raise broken[name]
        return found[name]

    def __iter__(self) -> Iterator[str]:
        names = sorted({**self._others[0], **self._added, **self._own})
        return iter(sorted(names, key=lambda name: name != self._first))

    def __len__(self) -> int:
        return len({**self._others[0], **self._added, **self._own})

    @property
    def broken(self) -> Mapping[str, ResourceError]:
        """By name, the entry points that cannot be used, each with what to say of it."""
        return self._others[1]

    @cached_property
    def _own(self) -> dict[str, T]:
        found: dict[str, T] = {}
        for info in iter_modules(import_module(self._package).__path__):
            if info.ispkg:
                module = import_module(f"{self._package}.{info.name}")
                found |= {declared.name: declared for declared in module.DECLARED}
        return found

    @cached_property
    def _others(self) -> tuple[dict[str, T], dict[str, ResourceError]]:
        # Imported late: reading what is installed takes as long as checking a short program.
        from importlib.metadata import entry_points

        found: dict[str, T] = {}
        broken: dict[str, ResourceError] = {}
        for point in entry_points(group=self._package):
            try:
                declared = point.load()
            except Exception as error:
                broken[point.name] = self._unusable(point, f"cannot be loaded: {error}")
                continue
            if isinstance(declared, self.kind):
                found.setdefault(declared.name, declared)
            else:
                broken[point.name] = self._unusable(point, f"is not a {self.kind.__name__}")
        return found, broken

    def _unusable(self, point: EntryPoint, why: str) -> ResourceError:
        what = f"the entry point {point.name!r} of {self._package} {why}"
        return ResourceError(what, f"mend or remove the package that offers it: {point.value}")


def imported(place: Place) -> Any:
    """Return what `package.module:name` says, importing the module when it is first asked for."""
    if not isinstance(place, str):
        return place
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
