"""w+ → uint8 images: by OpenVINO on a CPU, by PyTorch on any other device."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lacelang.generators import openvino_runtime
from lacelang.generators.generator import Image
from lacelang.generators.mobilestylegan.synthesis import STYLE_DIM, STYLES, SynthesisNetwork
from lacelang.rows import filled


class DecodePipeline(nn.Module):
    """The synthesis network with its last step: [−1, 1] planes to uint8 pixels.

    The strength of the baked noise is an input, always 1: were it a constant, OpenVINO would add
    noise and bias up front into one plane per channel, nine times the size of the weights.
    """

    def __init__(self, synthesis: SynthesisNetwork) -> None:
        super().__init__()
        self.synthesis = synthesis

    def forward(self, styles: Tensor, strength: Tensor) -> Tensor:
        """Styles (N, 23, 512), noise strength (1,) → uint8 (N, 1024, 1024, 3) RGB."""
        image = self.synthesis(styles, strength)
        scaled: Tensor = ((image + 1.0) * 127.5).clamp(0.0, 255.0).round()
        return scaled.permute(0, 2, 3, 1).to(torch.uint8)


def export(synthesis: SynthesisNetwork, path: Path) -> None:
    """Write the painter as OpenVINO IR, float32, one image a request, at `path` and its .bin."""
    shape = (1, STYLES, STYLE_DIM)
    with torch.no_grad(), warnings.catch_warnings():
        # OpenVINO traces the module in a way that torch calls deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        model = openvino_runtime.convert(
            DecodePipeline(synthesis).eval(),
            example_input=(torch.zeros(shape), torch.ones(1)),
            input=[list(shape), [1]],
        )
    openvino_runtime.save(model, path)


class OpenVinoDecoder:
    """Decodes on a CPU, one request per core side by side, in order.

    Args:
        path: the IR that `export` wrote.
        threads: CPU threads to use; 0 means all.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        config: dict[str, Any] = {
            # The CPU's own default may be bfloat16.
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "THROUGHPUT",
            # Pinned, two processes side by side would share one core.
            "ENABLE_CPU_PINNING": False,
        }
        if threads:
            config["INFERENCE_NUM_THREADS"] = threads
        self._compiled = openvino_runtime.compile_model(path, config)
        self._jobs = int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    def __call__(self, styles: Tensor) -> Iterator[Image]:
        """Paint styles (N, 23, 512), in order; at most a few images are held at once.

        Requests are waited for, never called back from: a callback still holding Python objects
        in a thread of OpenVINO when the interpreter ends aborts the process.
        """
        array = styles.detach().cpu().float().contiguous().numpy()
        strength = np.ones(1, np.float32)
        # One request more than run at once, so that a free core finds work waiting.
        count = min(self._jobs + 1, len(array))
        requests = [openvino_runtime.request(self._compiled) for _ in range(count)]
        started = 0
        try:
            for wanted in range(len(array)):
                while started < min(len(array), wanted + count):
                    inputs = [array[started : started + 1], strength]
                    requests[started % count].start_async(inputs)
                    started += 1
                request = requests[wanted % count]
                request.wait()
                yield np.array(request.get_output_tensor(0).data[0])
        finally:
            for request in requests:
                request.wait()


class TorchDecoder:
    """Decodes on a torch device, a few images at a time: always as many, so that all are alike."""

    BATCH = 8

    def __init__(self, synthesis: SynthesisNetwork, device: torch.device) -> None:
        self._painter = DecodePipeline(synthesis).to(device).eval()
        self._device = device

    def __call__(self, styles: Tensor) -> Iterator[Image]:
        """Paint styles (N, 23, 512), in order."""
        for part in torch.split(styles.detach(), self.BATCH):
            with torch.no_grad():
                strength = torch.ones(1, device=self._device)
                block = filled(part.to(self._device), self.BATCH)
                images = self._painter(block, strength)[: len(part)].cpu().numpy()
            yield from images
