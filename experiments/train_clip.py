"""Train a tiny CLIP on digits and their names, to try `lacelang label --annotator clip` with.

    python -m experiments.train_clip --out DIR

The images are MNIST's, the captions the names of the digits in several templates. It is a CLIP of
open_clip's with two small transformers: each image is compared with one caption of each digit. It
knows nothing but digits; for anything else users take published weights.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch.nn import functional as F

from experiments.command_line import add_steps
from experiments.idx import images as read
from lacelang.annotators.prompted.clip.network import CONFIG as FILE
from lacelang.annotators.prompted.clip.network import open_clip
from lacelang.progress import Progress, shown
from lacelang.storage.files import make_folder, write_atomic

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEMPLATES = (
    "{}",
    "a photo of the digit {}",
    "a handwritten {}",
    "the number {}",
    "a scan of the number {}",
    "someone wrote {}",
)
SIDE = 28
CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 32,
        "vision_cfg": {
            "image_size": SIDE,
            "layers": 2,
            "width": 64,
            "head_width": 32,
            "patch_size": 7,
        },
        "text_cfg": {
            "context_length": 16,
            "vocab_size": 49408,
            "width": 32,
            "heads": 2,
            "layers": 1,
        },
    },
    "preprocess_cfg": {"mean": [0.13, 0.13, 0.13], "std": [0.31, 0.31, 0.31]},
}
_BATCH = 64
_RATE = 3e-3


def train(
    images: NDArray[np.uint8], digits: NDArray[np.uint8], steps: int, progress: Progress
) -> Any:
    """Train on images (N, 28, 28) and their digits (N,); return the network of open_clip."""
    clip = open_clip()
    random = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = clip.CLIP(**CONFIG["model_cfg"])
    tokenise = clip.SimpleTokenizer(
        context_length=CONFIG["model_cfg"]["text_cfg"]["context_length"]
    )
    captions = torch.stack([tokenise([t.format(name) for t in TEMPLATES]) for name in NAMES])
    mean, std = (CONFIG["preprocess_cfg"][name][0] for name in ("mean", "std"))
    x = torch.from_numpy(np.array(images))
    y = torch.from_numpy(digits.astype(np.int64))
    optimiser = torch.optim.AdamW(model.parameters(), lr=_RATE, weight_decay=0.01, fused=True)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps)
    with progress.stage("training", total=steps) as stage:
        for _ in range(steps):
            rows = torch.randint(len(x), (_BATCH,), generator=random)
            chosen = torch.randint(len(TEMPLATES), (len(NAMES),), generator=random)
            pixels = (x[rows, None].float() / 255 - mean) / std
            seen, said, scale = model(
                pixels.expand(-1, 3, -1, -1), captions[torch.arange(len(NAMES)), chosen]
            )
            loss = F.cross_entropy(scale * seen @ said.T, y[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            plan.step()
            stage.advance()
    return model.eval()


def write(model: Any, folder: Path) -> None:
    """Write the weights and the description of the network, as open_clip has them."""
    make_folder(folder)
    state = {name: each.contiguous() for name, each in model.state_dict().items()}
    write_atomic(folder / FILE, json.dumps(CONFIG, indent=1).encode())
    write_atomic(folder / "open_clip_model.safetensors", save(state))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m experiments.train_clip", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="a folder for the network")
    add_steps(parser, 2000)
    parser.add_argument("--data", type=Path, help="a folder of IDX files; default: MNIST, fetched")
    parsed = parser.parse_args()
    with shown() as progress:
        data = read("train", parsed.data, progress)
        write(train(data.pixels, data.classes, parsed.steps, progress), parsed.out)


if __name__ == "__main__":
    main()
