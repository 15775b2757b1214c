"""Train the generator and the readers of stdlib/digits.lace: `python -m experiments.train_digits`.

    python -m experiments.train_digits generator --out DIR      half an hour of one core
    python -m experiments.train_digits readers --out DIR        five minutes

The generator learns from all training images, without their labels; each reader from half of them,
with labels. `--data DIR` names a folder of IDX files, e.g. of Fashion-MNIST; by default MNIST is
fetched. Then declare the new checksum, which is printed, and run `lacelang label`, `train` and
`card`.
"""

from __future__ import annotations

import math
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save as to_bytes
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.command_line import exit_code_of
from experiments.idx import Images, images
from lacelang.annotators.digits.networks import Reader, SecondReader
from lacelang.generators.vae import DIM
from lacelang.generators.vae.networks import Decoder, Flow
from lacelang.progress import Progress, shown
from lacelang.storage.cache import sha256_of
from lacelang.storage.files import make_folder, write_atomic

SEED = 28
BATCH = 128
EPOCHS = 24
READER_EPOCHS = 20
RATE = 1e-3
#: Epochs in which the weight of the divergence rises to 1.
WARM_UP = 3


class Encoder(nn.Module):
    """Images (N, 1, 28, 28) in [0, 1] → mean and logarithm of the deviation of the code."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 24, 4, stride=2, padding=1), nn.SiLU(),
            nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.SiLU(),
            nn.Conv2d(48, 48, 3, padding=1), nn.SiLU(), nn.Flatten(),
            nn.Linear(48 * 49, 256), nn.SiLU(), nn.Linear(256, 2 * DIM),
        )  # fmt: skip

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return both, (N, 16) each."""
        mean, log_deviation = self.body(x).chunk(2, dim=1)
        return mean, log_deviation.clamp(-6.0, 3.0)


class Autoencoder(nn.Module):
    """Encoder, decoder and the flow that is the prior of the codes."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder, self.flow = Encoder(), Decoder(), Flow()

    def forward(self, x: Tensor, noise: Tensor, beta: float) -> tuple[Tensor, Tensor]:
        """Reconstruction error and divergence, in nats an image.

        The error is the cross-entropy of the brightness; the divergence is one draw of
        log q(code | x) − log p(code), with log p(code) = log N(z) + log |dz/dcode|.
        """
        mean, log_deviation = self.encoder(x)
        code = mean + log_deviation.exp() * noise
        logits = self.decoder(code)
        missed = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
        z, logarithm = self.flow.inverse(code)
        own = -0.5 * noise.square().sum(1) - log_deviation.sum(1)
        prior = -0.5 * z.square().sum(1) + logarithm
        return missed, (own - prior).mean()


def train_generator(data: Images, epochs: int, progress: Progress) -> dict[str, Tensor]:
    """Fit the autoencoder, and return the weights of its decoder and flow in half precision."""
    torch.manual_seed(SEED)
    network = Autoencoder()
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    x = torch.from_numpy(data.pixels.astype(np.float32) / 255.0)[:, None]
    steps = math.ceil(len(x) / BATCH)
    with progress.stage("training the generator", total=epochs) as stage:
        for epoch in range(epochs):
            sums = [0.0, 0.0]
            for step, rows in enumerate(torch.split(torch.randperm(len(x)), BATCH)):
                at = (epoch + step / steps) / epochs
                for group in optimiser.param_groups:
                    group["lr"] = RATE * 0.5 * (1.0 + math.cos(math.pi * at))
                beta = min(1.0, (epoch + step / steps + 0.1) / WARM_UP)
                missed, divergence = network(x[rows], torch.randn(len(rows), DIM), beta)
                optimiser.zero_grad()
                (missed + beta * divergence).backward()
                nn.utils.clip_grad_norm_(network.parameters(), 100.0)
                optimiser.step()
                for k, each in enumerate((missed, divergence)):
                    sums[k] += float(each.detach()) / steps
            print(f"epoch {epoch + 1}: {sums[0]:.1f} + {sums[1]:.1f} nats", file=sys.stderr)
            stage.advance()
    parts = {"flow": network.flow, "decoder": network.decoder}
    return {
        f"{part}.{name}": tensor.half().contiguous()
        for part, each in parts.items()
        for name, tensor in each.state_dict().items()
    }


def train_reader(
    network: nn.Module, data: Images, epochs: int, progress: Progress
) -> dict[str, Tensor]:
    """Fit a reader to labelled images, shifted by up to two pixels, and return its weights."""
    x = torch.from_numpy(data.pixels.astype(np.float32) / 255.0)[:, None]
    y = torch.from_numpy(data.classes.astype(np.int64))
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimiser, epochs * math.ceil(len(x) / BATCH)
    )
    network.train()
    with progress.stage("training a reader", total=epochs) as stage:
        for _ in range(epochs):
            for rows in torch.split(torch.randperm(len(x)), BATCH):
                shift = torch.randint(-2, 3, (2,)).tolist()
                loss = F.cross_entropy(network(torch.roll(x[rows], shift, (2, 3))), y[rows])
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
            stage.advance()
    network.eval()
    return {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in network.state_dict().items()
    }


def accuracy(network: nn.Module, data: Images) -> float:
    """Share of images whose class the reader names."""
    x = torch.from_numpy(data.pixels.astype(np.float32) / 255.0)[:, None]
    with torch.inference_mode():
        found = torch.cat([network(part).argmax(1) for part in torch.split(x, 500)])
    return float((found.numpy() == data.classes).mean())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = ArgumentParser("python -m experiments.train_digits", description="Train digits.")
    parser.add_argument("what", choices=("generator", "readers"))
    parser.add_argument("--data", type=Path, help="a folder of IDX files; default: MNIST, fetched")
    parser.add_argument("--out", type=Path, default=Path("stdlib"), help="where to write")
    parser.add_argument("--epochs", type=int, help="fewer for a try")
    parsed = parser.parse_args(arguments)

    def work() -> int:
        with shown() as progress:
            make_folder(parsed.out)
            return _train(parsed.what, parsed.data, parsed.out, parsed.epochs, progress)

    return exit_code_of(work)


def _train(
    what: str, folder: Path | None, out: Path, epochs: int | None, progress: Progress
) -> int:
    data = images("train", folder, progress)
    if what == "generator":
        state = train_generator(data, epochs or EPOCHS, progress)
        path = out / "digits.generator.safetensors"
        write_atomic(path, to_bytes(state))
        print(f"{path}, SHA-256 {sha256_of(path)}")
        return 0
    states: dict[str, Tensor] = {}
    for half, (name, kind) in enumerate((("reader", Reader), ("second", SecondReader))):
        torch.manual_seed(SEED + half)
        network = kind()
        part = Images(data.pixels[half::2], data.classes[half::2])
        state = train_reader(network, part, epochs or READER_EPOCHS, progress)
        network.load_state_dict({k: t.float() for k, t in state.items()})
        print(f"{name}: {accuracy(network, images('t10k', folder, progress)):.4f} of test images")
        states |= {f"{name}.{key}": tensor for key, tensor in state.items()}
    path = out / "digits.readers.safetensors"
    write_atomic(path, to_bytes(states))
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
