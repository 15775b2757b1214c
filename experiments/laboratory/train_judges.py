"""Train the judges of a data set: `python -m experiments.laboratory.train_judges fashion`.

Both learn from all training images, shifted by up to two pixels and, where classes have no
handedness, mirrored. Their accuracy on the test images is printed, and kept with the weights.
"""

from __future__ import annotations

import math
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.command_line import exit_code_of
from experiments.laboratory.data import CLASSES, Pictures, pictures
from experiments.laboratory.judges import Judge, Reader
from experiments.laboratory.loop import half_precision
from lacelang.progress import Progress, shown
from lacelang.storage.cache import cache_dir
from lacelang.storage.files import make_folder, write_atomic

SEED = 11
BATCH = 128
EPOCHS = 4
RATE = 2e-3
_SHIFT = 2


def train(
    network: nn.Module, data: Pictures, epochs: int, mirrored: bool, progress: Progress
) -> None:
    """Fit a network to labelled images by cross-entropy."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=5e-2)
    steps = epochs * math.ceil(len(data) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    with progress.stage("training a judge", total=epochs) as stage:
        for _ in range(epochs):
            for rows in torch.split(torch.randperm(len(data)), BATCH):
                x, y = augmented(data.at(rows), mirrored), data.classes[rows]
                with half_precision():
                    logits = network(x.contiguous(memory_format=torch.channels_last))
                loss = F.cross_entropy(logits.float(), y, label_smoothing=0.05)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
            stage.advance()
    network.eval()


def augmented(images: Tensor, mirrored: bool) -> Tensor:
    """Shift all images of a batch alike, and mirror half of them."""
    shift = torch.randint(-_SHIFT, _SHIFT + 1, (2,)).tolist()
    images = torch.roll(images, shift, (2, 3))
    if not mirrored:
        return images
    flip = torch.rand(len(images), 1, 1, 1) < 0.5
    return torch.where(flip, images.flip(3), images)


def accuracy(network: nn.Module, data: Pictures) -> float:
    """Share of images of which the network names the class."""
    with torch.inference_mode():
        rows = torch.split(torch.arange(len(data)), 500)
        found = torch.cat([network(data.at(part)).argmax(1) for part in rows])
    return float((found == data.classes).float().mean())


def make(name: str, epochs: int, progress: Progress, size: int | None = None) -> bytes:
    """Train both, and return their weights in half precision as a safetensors file.

    At most `size` images of each part are used.
    """
    data = pictures(name, "train", progress).take(slice(size))
    test = pictures(name, "test", progress).take(slice(size))
    state: dict[str, Tensor] = {}
    said: dict[str, str] = {}
    for number, kind in enumerate((Judge, Reader)):
        torch.manual_seed(SEED + number)
        network = kind(data.channels)
        part = kind.__name__.lower()
        train(network, data, epochs, name != "mnist", progress)
        half = {
            k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()
        }
        network.load_state_dict(half)
        said[part] = f"{accuracy(network, test):.4f}"
        state |= {f"{part}.{key}": value.contiguous() for key, value in half.items()}
    return to_bytes(state, metadata=said)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = ArgumentParser("python -m experiments.laboratory.train_judges")
    parser.add_argument("name", choices=tuple(CLASSES), help="the data set")
    parser.add_argument("--out", type=Path, help="folder for the weights; default: the cache")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help=f"default: {EPOCHS}")
    parsed = parser.parse_args(arguments)

    def work() -> int:
        out = parsed.out or cache_dir() / "laboratory"
        make_folder(out)
        with shown() as progress:
            content = make(parsed.name, parsed.epochs, progress)
        path = out / f"judges-{parsed.name}.safetensors"
        write_atomic(path, content)
        print(path)
        return 0

    return exit_code_of(work)


if __name__ == "__main__":
    sys.exit(main())
