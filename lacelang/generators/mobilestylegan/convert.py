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

    def of_type(self, kind: str) -> list[Any]:
        return [op for op in self.ops if op.get_type_name() == kind]

    def constant(self, op: Any, port: int) -> np.ndarray:
        source = op.input_value(port).get_node()
        if source.get_type_name() != "Constant":
            raise ResourceError(f"unexpected graph: input {port} of {op.get_friendly_name()}")
        return np.asarray(source.get_data(), dtype=np.float32)

    def named(self, name: str) -> np.ndarray:
        return np.asarray(self.by_name[name].get_data(), dtype=np.float32)

    def consumers(self, op: Any) -> list[Any]:
        return [i.get_node() for i in op.output(0).get_target_inputs()]


def mapping_state(xml: Path) -> State:
    """State dict of `MappingNetwork` from the IR at `xml`."""
    graph = _Graph(xml)
    state: State = {}
    for k, matmul in enumerate(graph.of_type("MatMul")):
        (add,) = graph.consumers(matmul)
        state[f"layers.{k}.weight"] = torch.tensor(graph.constant(matmul, 1))
        state[f"layers.{k}.bias"] = torch.tensor(graph.constant(add, 1)).reshape(-1)
    return state


def synthesis_state(xml: Path) -> State:
    """State dict of `SynthesisNetwork` from the IR at `xml`.

    Modulation weights keep their names in the IR. The convolution weights do not: they are found
    behind the multiplication that each modulation feeds.
    """
    graph = _Graph(xml)
    state: State = {"input": torch.tensor(graph.named("m.input.input"))}
    _conv(graph, state, "first", "m.conv1", separable=False)
    for k in range(len(IN_CHANNELS)):
        weight, bias, _, _ = _modulation(graph, f"m.layers.{k}.up.modulation")
        state[f"ups.{k}.modulation.weight"], state[f"ups.{k}.modulation.bias"] = weight, bias
        for name in ("conv1", "conv2"):
            _conv(graph, state, f"{name}.{k}", f"m.layers.{k}.{name}", separable=True)
    last = f"m.layers.{len(IN_CHANNELS) - 1}.to_img"
    weight, bias, scale, _ = _modulation(graph, f"{last}.conv.modulation")
    state["to_image.weight"], state["to_image.bias"] = weight * scale, bias * scale
    state["image_weight"] = _to_pixels(torch.tensor(graph.named(f"{last}.conv.weight")))
    state["image_bias"] = _to_pixels(torch.tensor(graph.named(f"{last}.bias")).reshape(12, 1))[:, 0]
    return state


def _to_pixels(bands: Tensor) -> Tensor:
    """Fold the inverse Haar transform into the 12 rows of the image convolution."""
    low, detail = bands[:3], bands[3:].reshape(3, 3, *bands.shape[1:])
    stacked = torch.cat((low[:, None], detail), dim=1)  # (3 colours, 4 bands, ...)
    pixels = 0.5 * torch.einsum("bp,cb...->cp...", HAAR, stacked)
    return pixels.reshape(12, *bands.shape[1:])


def _modulation(graph: _Graph, name: str) -> tuple[Tensor, Tensor, float, Any]:
    """Weight and bias of a modulation, the constant it is scaled by, and the scaled operation."""
    weight = torch.tensor(graph.named(f"{name}.weight"))
    bias = torch.tensor(graph.named(f"{name}.bias")).reshape(-1)
    (matmul,) = graph.consumers(graph.by_name[f"{name}.weight"])
    (add,) = graph.consumers(matmul)
    (reshape,) = graph.consumers(add)
    (multiply,) = graph.consumers(reshape)
    for port in (0, 1):
        source = multiply.input_value(port).get_node()
        if source.get_type_name() == "Constant":
            return weight, bias, float(np.asarray(source.get_data()).item()), multiply
    return weight, bias, 1.0, multiply


def _conv(graph: _Graph, state: State, ours: str, theirs: str, *, separable: bool) -> None:
    weight, bias, scale, scaled = _modulation(graph, f"{theirs}.conv.modulation")
    state[f"{ours}.modulation.weight"] = weight * scale
    state[f"{ours}.modulation.bias"] = bias * scale
    (product,) = graph.consumers(scaled)
    (conv,) = graph.consumers(product)
    if separable:
        depthwise = graph.constant(conv, 1)  # (C, 1, 1, 3, 3): groups, out, in, kernel
        state[f"{ours}.depthwise"] = torch.tensor(depthwise[:, 0])
        (conv,) = graph.consumers(conv)
    state[f"{ours}.weight"] = torch.tensor(graph.constant(conv, 1))
    (noisy,) = graph.consumers(conv)
    state[f"{ours}.noise"] = torch.tensor(graph.constant(noisy, 1))
    state[f"{ours}.bias"] = torch.tensor(graph.named(f"{theirs}.bias")).reshape(-1)
