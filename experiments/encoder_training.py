"""Train the head of the encoder of photographs: from maps of an image to whitened styles."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from attrs import frozen
from safetensors.torch import load_file
from torch import Tensor, nn

from lacelang.generators.mobilestylegan.generator import MobileStyleGAN
from lacelang.inversion.encoder import Head
from lacelang.inversion.features import Maps

#: So many of the last faces are for validation.
HELD_OUT = 400
BATCH, RATE = 64, 6e-4


@frozen(eq=False)
class Table:
    """Maps of two images of each face, as it is and like a photograph, and what is to be found."""

    maps: tuple[Maps, Maps]  # float16
    wanted: tuple[Tensor, Tensor]  # (N, 4, 512)

    def rows(self, rows: Tensor, photos: Tensor) -> tuple[Maps, Tensor]:
        """Of some faces, the images that `photos` (n,) says."""

        def chosen(plain: Tensor, photo: Tensor) -> Tensor:
            shape = (-1,) + (1,) * (plain.ndim - 1)
            return torch.where(photos.view(shape), photo[rows].float(), plain[rows].float())

        middle, deep, colours = (
            chosen(a, b) for a, b in zip(self.maps[0], self.maps[1], strict=True)
        )
        return (middle, deep, colours), chosen(*self.wanted)


_NAMES = ("middle", "deep", "colours")


def read_faces(folder: Path, generator: MobileStyleGAN) -> Table:
    """Read all faces in a folder, in their order."""
    files = [load_file(path) for path in sorted(folder.glob("faces-*.safetensors"))]

    def read(name: str) -> Tensor:
        return torch.cat([file[name] for file in files])

    plain, photo = (
        (read(f"{kind}middle"), read(f"{kind}deep"), read(f"{kind}colours"))
        for kind in ("", "photo.")
    )
    u = generator.whiten(read("groups"))
    return Table((plain, photo), (u, u))


def fit_head(
    head: Head, table: Table, weights: Tensor, epochs: int, seed: int
) -> dict[str, Tensor]:
    """Train a head on all but the last faces, on which it is measured after each epoch."""
    torch.manual_seed(seed)
    _standardise(head, table)
    count = len(table.wanted[0])
    train = count - HELD_OUT
    steps = epochs * (train // BATCH)
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=3e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, RATE, total_steps=steps, pct_start=0.1
    )
    # Coordinates that are hardly seen are told from the others' correlations at best.
    weights = weights / weights.sum() + 0.02 / weights.numel()
    held = torch.arange(train, count)
    for epoch in range(epochs):
        head.train()
        order = torch.randperm(train)[: train // BATCH * BATCH]
        for rows in torch.split(order, BATCH):
            maps, wanted = table.rows(rows, torch.rand(BATCH) < 0.6)
            loss = (weights * (head(maps) - wanted).square()).sum((1, 2)).mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(head.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        head.eval()
        missed = []
        for photos in (False, True):
            with torch.no_grad():
                maps, wanted = table.rows(held, torch.full((len(held),), photos))
                error = (weights * (head(maps) - wanted).square()).sum()
                missed.append(float(1 - error / (weights * wanted.square()).sum()))
        if epoch % 4 == 3 or epoch == epochs - 1:
            shares = ", ".join(f"{each:.3f}" for each in missed)
            print(
                f"epoch {epoch + 1}: explains {shares} (as they are, like photographs)",
                file=sys.stderr,
                flush=True,
            )
    return head.state_dict()


def _standardise(head: Head, table: Table) -> None:
    for name, each in zip(_NAMES, table.maps[1], strict=True):
        part = each[:1000].float()
        head.get_buffer(f"{name}_mean").copy_(part.mean((0, 2, 3), keepdim=True))
        head.get_buffer(f"{name}_scale").copy_(
            1 / part.std((0, 2, 3), keepdim=True).clamp_min(1e-3)
        )
