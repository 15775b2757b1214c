"""dlib's network, from numbers in dlib's own format."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from lacelang.annotators.faces.face_recognition import FEATURES, INPUT_SIZE, FaceDescriptor


def integer(value: int) -> bytes:
    size = max(1, (value.bit_length() + 7) // 8)
    return bytes([size]) + value.to_bytes(size, "little")


def layer(name: str, values: NDArray[np.float32], shape: tuple[int, ...] = ()) -> bytes:
    sides = (*(shape or (values.size,)), 1, 1, 1)[:4]
    before = [integer(FEATURES), integer(values.size // FEATURES)] if name == "fc_2" else []
    head = [integer(len(name)), name.encode(), *before, integer(2), *map(integer, sides)]
    # After the weights, settings of the layer that are of no interest.
    return b"".join([*head, values.astype("<f4").tobytes(), integer(7), integer(0)])


def written(network: FaceDescriptor, gain: float) -> bytes:
    """The network as dlib would write it if its convolutions were `gain` times smaller."""
    parts = [b"\x01\x01"]
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            assert module.bias is not None
            filters = torch.cat([module.weight.flatten(), module.bias]).detach().numpy() / gain
            width = module.out_channels
            scales = np.concatenate([np.full(width, gain), np.zeros(width)]).astype(np.float32)
            parts += [layer("con_4", filters), layer("affine_", scales)]
    last = network.last.weight.detach().numpy().T
    return b"".join([*parts, layer("fc_2", np.ascontiguousarray(last), last.shape)])


def test_a_network_is_read_with_its_scales() -> None:
    torch.manual_seed(0)
    network = FaceDescriptor().eval()
    chips = torch.randint(0, 256, (2, INPUT_SIZE, INPUT_SIZE, 3), dtype=torch.uint8)
    with torch.no_grad():
        assert FaceDescriptor.load(written(network, 4.0))(chips) == pytest.approx(
            network(chips), abs=1e-5
        )


def test_weights_of_another_network_are_refused() -> None:
    data = written(FaceDescriptor(), 1.0)
    begin = data.index(b"con_4")
    with pytest.raises(ValueError, match="weights where"):
        FaceDescriptor.load(data[data.index(b"con_4", begin + 1) - 2 :])
