"""Read the published OpenVINO IR of the two networks into state dicts of our modules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lacelang.errors import ResourceError
from lacelang.generators.mobilestylegan.networks import HAAR, IN_CHANNELS
from lacelang.generators.openvino_runtime import core

State = dict[str, Tensor]


class _Graph:
    """An IR's operations by name, with the constants that feed them."""

    def __init__(self, xml: Path) -> None:
        self.ops: list[Any] = core().read_model(str(xml)).get_ordered_ops()
        self.by_name = {op.get_friendly_name(): op for op in self.ops}

    def constant(self, op: Any, port: int) -> Tensor:
        source = op.input_value(port).get_node()
        if source.get_type_name() != "Constant":
            raise ResourceError(f"unexpected graph: input {port} of {op.get_friendly_name()}")
        return _tensor(source)

    def named(self, name: str) -> Tensor:
        return _tensor(self.by_name[name])

    def consumer(self, op: Any) -> Any:
        (only,) = op.output(0).get_target_inputs()
        return only.get_node()


def _tensor(constant: Any) -> Tensor:
    return torch.tensor(np.asarray(constant.get_data(), dtype=np.float32))


def mapping_state(xml: Path) -> State:
    """State dict of `MappingNetwork` from the IR at `xml`."""
    graph = _Graph(xml)
    state: State = {}
    products = [op for op in graph.ops if op.get_type_name() == "MatMul"]
    for k, matmul in enumerate(products):
        state[f"layers.{k}.weight"] = graph.constant(matmul, 1)
        state[f"layers.{k}.bias"] = graph.constant(graph.consumer(matmul), 1).reshape(-1)
    return state


def synthesis_state(xml: Path) -> State:
    """State dict of `SynthesisNetwork` from the IR at `xml`.

    Modulation weights keep their names in the IR. The convolution weights do not: they are found
    behind the multiplication that each modulation feeds.
    """
    graph = _Graph(xml)
    state: State = {"input": graph.named("m.input.input")}
    _conv(graph, state, "first", "m.conv1", separable=False)
    for k in range(len(IN_CHANNELS)):
        _modulation(graph, state, f"ups.{k}.modulation", f"m.layers.{k}.up.modulation")
        for name in ("conv1", "conv2"):
            _conv(graph, state, f"{name}.{k}", f"m.layers.{k}.{name}", separable=True)
    last = f"m.layers.{len(IN_CHANNELS) - 1}.to_img"
    _modulation(graph, state, "to_image", f"{last}.conv.modulation")
    state["image_weight"] = _to_pixels(graph.named(f"{last}.conv.weight"))
    state["image_bias"] = _to_pixels(graph.named(f"{last}.bias").reshape(12, 1))[:, 0]
    return state


def _to_pixels(bands: Tensor) -> Tensor:
    """Fold the inverse Haar transform into the 12 rows of the image convolution."""
    low, detail = bands[:3], bands[3:].reshape(3, 3, *bands.shape[1:])
    stacked = torch.cat((low[:, None], detail), dim=1)  # (3 colours, 4 bands, ...)
    pixels = 0.5 * torch.einsum("bp,cb...->cp...", HAAR, stacked)
    return pixels.reshape(12, *bands.shape[1:])


def _modulation(graph: _Graph, state: State, ours: str, theirs: str) -> Any:
    """Read weight and bias, times the constant that scales them; return the scaled operation."""
    matmul = graph.consumer(graph.by_name[f"{theirs}.weight"])
    multiply = graph.consumer(graph.consumer(graph.consumer(matmul)))
    sources = [multiply.input_value(port).get_node() for port in (0, 1)]
    scales = [_tensor(source) for source in sources if source.get_type_name() == "Constant"]
    scale = scales[0].item() if scales else 1.0
    state[f"{ours}.weight"] = graph.named(f"{theirs}.weight") * scale
    state[f"{ours}.bias"] = graph.named(f"{theirs}.bias").reshape(-1) * scale
    return multiply


def _conv(graph: _Graph, state: State, ours: str, theirs: str, *, separable: bool) -> None:
    scaled = _modulation(graph, state, f"{ours}.modulation", f"{theirs}.conv.modulation")
    conv = graph.consumer(graph.consumer(scaled))
    if separable:
        # (C, 1, 1, 3, 3): groups, out, in, kernel
        state[f"{ours}.depthwise"] = graph.constant(conv, 1)[:, 0]
        conv = graph.consumer(conv)
    state[f"{ours}.weight"] = graph.constant(conv, 1)
    state[f"{ours}.noise"] = graph.constant(graph.consumer(conv), 1)
    state[f"{ours}.bias"] = graph.named(f"{theirs}.bias").reshape(-1)
