"""Training that can be killed and resumed: the same weights as without a stop.

What is trained is kept in the cache, in half precision, with the seconds that it took; a few
networks are in the repository, in `weights`.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from time import process_time
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from lacelang.errors import ResourceError
from lacelang.progress import Progress
from lacelang.storage.cache import cache_dir, whole_file

#: Networks that are in the repository.
WEIGHTS = Path(__file__).parent / "weights"
#: Steps between checkpoints.
EVERY = 250


class Stateful(Protocol):
    """A network, an optimiser or a schedule."""

    def state_dict(self) -> dict[str, Any]:
        """What it has learned."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> object:
        """Take up what another has learned."""


class Training(Protocol):
    """A training under way."""

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """What a checkpoint keeps."""

    @property
    def result(self) -> nn.Module:
        """The network that is wanted of it."""

    def step(self, number: int, /) -> None:
        """Make one step; numbers count from 0."""


def kept_network(
    name: str, network: nn.Module, begin: Callable[[], Training], steps: int, progress: Progress
) -> float:
    """Fill a network with trained weights, and return the processor seconds of the training.

    Unless the repository or the cache has them, they are trained now, or the training is resumed.

    Raises:
        ResourceError: the file of weights is damaged.
    """
    file = f"{name}-{steps}.safetensors"
    path = WEIGHTS / file
    if not path.is_file():
        path = cache_dir() / "laboratory" / file
    checkpoint = path.with_suffix(".checkpoint")
    if not path.is_file():
        training = begin()
        seconds = resumable(checkpoint, training.parts, training.step, steps, progress)
        state = training.result.state_dict()
        half = {k: v.half().contiguous() if v.is_floating_point() else v for k, v in state.items()}
        with whole_file(path) as part:
            save_file(half, part, metadata={"seconds": f"{seconds:.1f}"})
        checkpoint.unlink()
    try:
        with safe_open(path, "pt") as file:
            found = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            seconds = float(file.metadata()["seconds"])
        network.load_state_dict(found)  # which copies half precision into single
    except (SafetensorError, OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ResourceError(f"{path} is damaged: {error}", "remove it") from error
    network.eval().requires_grad_(False)
    return seconds


def half_precision() -> torch.autocast:
    """Compute forward passes in bfloat16 where the processor has it: twice as fast."""
    able = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.autocast("cpu", torch.bfloat16, enabled=bool(able))


def average_into(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move an average of a network's weights a little; numbers that are whole are copied."""
    news = network.state_dict().values()
    with torch.no_grad():
        for kept, new in zip(average.state_dict().values(), news, strict=True):
            kept.copy_(kept.lerp(new, 1 - decay) if kept.is_floating_point() else new)


def resumable(
    path: Path,
    parts: Mapping[str, Stateful],
    step: Callable[[int], None],
    steps: int,
    progress: Progress,
    every: int = EVERY,
) -> float:
    """Call `step` with 0, 1, … `steps` − 1, from the checkpoint at `path` on if there is one.

    A checkpoint has the state of all parts and of torch's generator, which is the only source of
    randomness that a step may use. Returns the seconds of processor time, of all runs together.

    Raises:
        ResourceError: the checkpoint is damaged, or of other parts.
    """
    begun, seconds = _resumed(path, parts) if path.is_file() else (0, 0.0)
    started = process_time()

    def save(done: int) -> None:
        state: dict[str, Any] = {
            "parts": {name: part.state_dict() for name, part in parts.items()},
            "steps": done,
            "seconds": seconds + process_time() - started,
        }
        with whole_file(path) as part:
            torch.save({**state, "random": torch.get_rng_state()}, part)

    with progress.stage(path.stem, total=steps) as stage:
        stage.advance(begun)
        for number in range(begun, steps):
            step(number)
            stage.advance()
            if (number + 1) % every == 0 or number + 1 == steps:
                save(number + 1)
    return seconds + process_time() - started


def _resumed(path: Path, parts: Mapping[str, Stateful]) -> tuple[int, float]:
    try:
        state = torch.load(path, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state["parts"][name])
        torch.set_rng_state(state["random"])
        return int(state["steps"]), float(state["seconds"])
    except (
        OSError,
        RuntimeError,
        AttributeError,
        KeyError,
        ValueError,
        TypeError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        raise ResourceError(
            f"{path} is no checkpoint of this training: {error}", "remove it"
        ) from error
