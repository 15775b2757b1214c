"""What a generator architecture says of itself: its name, and the module that has the rest."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from attrs import frozen

if TYPE_CHECKING:
    import torch

    from lacelang.generators.generator import Generator
    from lacelang.progress import Progress
    from lacelang.storage.fetch import Archive
    from lacelang.storage.given import Layout


class Module(Protocol):
    """What the module of an architecture has; it is imported when it is needed."""

    def layout(self) -> Layout:
        """What its latents look like; no weights are read for it."""
        ...

    def is_converted(self, archive: Archive) -> bool:
        """Whether loading it takes neither a network nor a conversion of its weights."""
        ...

    def load(
        self,
        archive: Archive,
        device: torch.device,
        progress: Progress | None,
        help_: str,
        threads: int,
    ) -> Generator:
        """Load it; see `lacelang.generators.generator.load_generator`."""
        ...


@frozen
class Architecture:
    """A generator architecture.

    Attributes:
        name: as `generator` in a `model` declaration calls it.
        doc: what it is, one line.
        module: the name of a `Module`.
    """

    name: str
    doc: str
    module: str

    def imported(self) -> Module:
        """Return the module."""
        return cast("Module", import_module(self.module))
