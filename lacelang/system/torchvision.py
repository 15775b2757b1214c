"""Importing torchvision, also where its operators do not fit torch."""

from __future__ import annotations

import re
from typing import Any

import torch

_MOST_OPERATORS = 8
#: Operators are declared for as long as this holds them.
_DECLARED: list[Any] = []


def import_torchvision() -> None:
    """Import torchvision.

    pip installs a torchvision for CUDA beside a torch for the CPU. Its operators cannot be loaded
    then, and the import stops where one is described. Images need none of them: what is described
    is declared, without anything behind it.

    Raises:
        ImportError: it is not installed.
        RuntimeError: it does not fit torch.
    """
    for _ in range(_MOST_OPERATORS):
        try:
            import torchvision  # noqa: F401
        except RuntimeError as error:
            missing = re.search(r"operator torchvision::(\w+) does not exist", str(error))
            if missing is None:
                raise
            library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
            library.define(f"{missing[1]}(Tensor boxes, Tensor scores, float threshold) -> Tensor")
            _DECLARED.append(library)
        else:
            return
