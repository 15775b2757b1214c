"""Annotators of attributes that a user describes in words, in a file of prompts.

They are no annotators of their own: with a file of prompts, and weights if they need some, they
make one. Each is a folder here, with its declaration in `DECLARED`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import frozen

from lacelang.annotators.declaration import Annotator
from lacelang.annotators.prompted.prompts import Prompts, read
from lacelang.errors import UsageError
from lacelang.registry import Registry, imported
from lacelang.storage.checks import check_of

DECLARED = ()
"""No annotators: `lacelang.annotators` looks here for some."""


@frozen
class Prompted:
    """What makes an annotator from prompts.

    Attributes:
        name: what `--annotator` calls it.
        doc: how it judges, one line.
        code: `package.module:function` of a function of the prompts, a path of weights or None, the
            name of a network or None, and the classes of the model's attributes. It checks them and
            returns the code of an annotator, a function that can be pickled: see `Annotator.code`.
        weights: whether it needs weights of the user's.
    """

    name: str
    doc: str
    code: str
    weights: bool = False

    def annotator(
        self,
        prompts: Path,
        classes: Mapping[str, tuple[str, ...]],
        weights: Path | None = None,
        network: str | None = None,
    ) -> Annotator:
        """Make the annotator of the attributes in a file of prompts.

        Args:
            classes: of each attribute of the model, () of a number.

        Raises:
            UsageError: the prompts do not fit the attributes, or there are weights where none are
                needed, or none where some are.
            ResourceError: a file or a package is missing.
        """
        if self.weights and weights is None:
            raise UsageError(f"the annotator {self.name} needs weights, a file of yours")
        if not self.weights and not (weights is None and network is None):
            raise UsageError(f"the annotator {self.name} has its own weights: leave yours out")
        found = read(prompts, classes)
        make: Callable[..., Callable[..., object]] = imported(self.code)
        code = make(found, weights, network, classes)
        return Annotator(
            # What it measured is kept in the cache under its name.
            f"{self.name}_{check_of(repr(code).encode())}",
            self.doc,
            code,
            {attribute.name: classes[attribute.name] for attribute in found.attributes},
        )


PROMPTED = Registry("lacelang.annotators.prompted", Prompted, "clip")
"""All of them by name."""

__all__ = ["PROMPTED", "Prompted", "Prompts"]
