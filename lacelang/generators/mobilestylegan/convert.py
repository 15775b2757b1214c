"""Read the published OpenVINO IR of the two networks into state dicts of our modules."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lacelang.generators.mobilestylegan.networks import DEPTH, HAAR, IN_CHANNELS
from lacelang.generators.openvino_ir import Array, Graph, Layer, read

State = dict[str, Tensor]

_LATER = {"Broadcast": "opset3", "ShapeOf": "opset3", "Gather": "opset7"}
_FIRST = (
    *("Add", "Concat", "Const", "Convolution", "GroupConvolution", "GroupConvolutionBackpropData"),
    *("MatMul", "Multiply", "PReLU", "Parameter", "Power", "ReduceMean", "Reshape", "Result"),
    *("Squeeze", "Tile", "Unsqueeze", "VariadicSplit"),
)
#: Types of the layers in both networks, with their versions.
LAYERS = {**_LATER, **dict.fromkeys(_FIRST, "opset1")}


def _read(xml: bytes, data: bytes) -> Graph:
    return read(xml, data, LAYERS.items())


def _tensor(value: Array) -> Tensor:
    tensor = torch.tensor(np.asarray(value, dtype=np.float32))
    if not tensor.isfinite().all():
        raise ValueError("a weight is not finite")
    return tensor


def mapping_state(xml: bytes, data: bytes) -> State:
    """State dict of `MappingNetwork` from an IR; call it in a `reading` block."""
    graph = _read(xml, data)
    state: State = {}
    products = [layer for layer in graph.layers if layer.type == "MatMul"]
    if len(products) != DEPTH:
        raise ValueError(f"it multiplies {len(products)} matrices, and not {DEPTH}")
    for k, matmul in enumerate(products):
        state[f"layers.{k}.weight"] = _tensor(graph.constant(matmul, 1))
        bias = _tensor(graph.constant(graph.consumer(matmul), 1))
        state[f"layers.{k}.bias"] = bias.reshape(-1)
    return state


def synthesis_state(xml: bytes, data: bytes) -> State:
    """State dict of `SynthesisNetwork` from an IR; call it in a `reading` block.

    Modulation weights keep their names in the IR. The convolution weights do not: they are found
    behind the multiplication that each modulation feeds.
    """
    graph = _read(xml, data)
    state: State = {"input": _tensor(graph.named("m.input.input"))}
    _conv(graph, state, "first", "m.conv1", separable=False)
    for k in range(len(IN_CHANNELS)):
        _modulation(graph, state, f"ups.{k}.modulation", f"m.layers.{k}.up.modulation")
        for name in ("conv1", "conv2"):
            _conv(graph, state, f"{name}.{k}", f"m.layers.{k}.{name}", separable=True)
    last = f"m.layers.{len(IN_CHANNELS) - 1}.to_img"
    _modulation(graph, state, "to_image", f"{last}.conv.modulation")
    state["image_weight"] = _to_pixels(_tensor(graph.named(f"{last}.conv.weight")))
    bias = _tensor(graph.named(f"{last}.bias"))
    state["image_bias"] = _to_pixels(bias.reshape(12, 1))[:, 0]
    return state


def _to_pixels(bands: Tensor) -> Tensor:
    """Fold the inverse Haar transform into the 12 rows of the image convolution."""
    low, detail = bands[:3], bands[3:].reshape(3, 3, *bands.shape[1:])
    stacked = torch.cat((low[:, None], detail), dim=1)  # (3 colours, 4 bands, ...)
    pixels = 0.5 * torch.einsum("bp,cb...->cp...", HAAR, stacked)
    return pixels.reshape(12, *bands.shape[1:])


def _modulation(graph: Graph, state: State, ours: str, theirs: str) -> Layer:
    """Read weight and bias, times the constant that scales them; return the scaled operation."""
    matmul = graph.consumer(graph.layer(f"{theirs}.weight"))
    multiply = graph.consumer(graph.consumer(graph.consumer(matmul)))
    scales = [_tensor(graph.value(each)) for each in graph.inputs(multiply) if each.type == "Const"]
    scale = scales[0].item() if scales else 1.0
    state[f"{ours}.weight"] = _tensor(graph.named(f"{theirs}.weight")) * scale
    state[f"{ours}.bias"] = _tensor(graph.named(f"{theirs}.bias")).reshape(-1) * scale
    return multiply


def _conv(graph: Graph, state: State, ours: str, theirs: str, *, separable: bool) -> None:
    scaled = _modulation(graph, state, f"{ours}.modulation", f"{theirs}.conv.modulation")
    conv = graph.consumer(graph.consumer(scaled))
    if separable:
        # (C, 1, 1, 3, 3): groups, out, in, kernel
        state[f"{ours}.depthwise"] = _tensor(graph.constant(conv, 1))[:, 0]
        conv = graph.consumer(conv)
    state[f"{ours}.weight"] = _tensor(graph.constant(conv, 1))
    state[f"{ours}.noise"] = _tensor(graph.constant(graph.consumer(conv), 1))
    state[f"{ours}.bias"] = _tensor(graph.named(f"{theirs}.bias")).reshape(-1)
