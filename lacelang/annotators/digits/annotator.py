"""From an image of a digit to the digit that each of two networks reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from lacelang.annotators.declaration import Measure
from lacelang.annotators.digits.networks import Reader, SecondReader
from lacelang.progress import Progress
from lacelang.resources import shipped
from lacelang.system.torch_state import one_thread

#: Shipped file with the weights of both.
WEIGHTS = "digits.readers.safetensors"


def load_reader(threads: int = 1, progress: Progress | None = None) -> Measure:
    """Load the annotator: `digit`, the number of a class, and `digit_features`, float32 (64,)."""
    network = Reader()
    fill(network, "reader")

    def seen(image: Tensor) -> Mapping[str, Any]:
        features = network.features(image)
        digit = network.head(features).argmax(dim=1)
        return {
            "digit": np.float32(digit.item()),
            "digit_features": features[0].numpy().copy(),
        }

    return _measure(seen)


def load_second(threads: int = 1, progress: Progress | None = None) -> Measure:
    """Load the second network; it returns `second_digit`, the number of a class."""
    network = SecondReader()
    fill(network, "second")
    return _measure(lambda image: {"second_digit": np.float32(network(image).argmax().item())})


def fill(network: nn.Module, name: str) -> None:
    """Give a network its shipped weights, those named `reader` or `second`."""
    state = load_file(shipped("stdlib") / WEIGHTS)
    own = {k.removeprefix(f"{name}."): v for k, v in state.items() if k.startswith(f"{name}.")}
    network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in own.items()})
    network.eval().requires_grad_(False)


def _measure(seen: Callable[[Tensor], Mapping[str, Any]]) -> Measure:
    def measure(image: NDArray[np.uint8]) -> Mapping[str, Any]:
        grey = torch.from_numpy(image.mean(axis=2, dtype=np.float32) / np.float32(255.0))
        with one_thread(), torch.inference_mode():
            return seen(grey[None, None])

    return measure
