"""MobileStyleGAN as a `Generator`, and its decoder on a CPU, by OpenVINO."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from lacelang.generators import openvino_runtime
from lacelang.generators.generator import Decoder, Generator, Image, to_pixels
from lacelang.generators.mobilestylegan import DIM, LAYOUT, store
from lacelang.generators.mobilestylegan.networks import STYLES, MappingNetwork, SynthesisNetwork
from lacelang.storage.fetch import Archive

if TYPE_CHECKING:
    from lacelang.progress import Progress


class MobileStyleGAN(Generator):
    """The generator of 1024 x 1024 faces; its converted weights are made on first use.

    Its arguments are those of `Architecture.load`.
    """

    def __init__(
        self,
        archive: Archive,
        device: torch.device,
        *,
        progress: Progress | None = None,
        help_: str = "",
        threads: int = 0,
    ) -> None:
        # Whatever is read later is made again without bars, if it is damaged.
        self._converted = partial(store.converted, archive, help_=help_)
        self._threads = threads
        name = "mapping.safetensors"
        state = load_file(store.converted(archive, name, progress=progress, help_=help_) / name)
        w_mean, whitening = state.pop("w_mean"), state.pop("w_whitening")
        mapping = MappingNetwork()
        mapping.load_state_dict(state)
        super().__init__(LAYOUT, mapping=mapping, w_mean=w_mean, whitening=whitening, device=device)

    def synthesis(self) -> SynthesisNetwork:
        """The differentiable synthesis network w+ → image on this generator's device."""
        network = SynthesisNetwork()
        folder = self._converted("synthesis.safetensors")
        network.load_state_dict(load_file(folder / "synthesis.safetensors"))
        return self._frozen(network)

    def prepare(self) -> None:
        """See `Generator`; refused in a process forked from one that had its decoder ready."""
        if self.device.type == "cpu":
            # Before the lock, which a thread of the parent may have held at the fork.
            openvino_runtime.refuse_after_fork()
        super().prepare()

    def decoder(self) -> Decoder:
        """Return what decodes styles (N, 23, 512), in order."""
        if self.device.type != "cpu":
            return super().decoder()
        folder = self._converted("painter.xml", "painter.bin")
        return openvino_decoder(folder / "painter.xml", self._threads)


class _Pixels(nn.Module):
    """The synthesis network with its last step: planes to pixels.

    The strength of the baked noise is an input, always 1: were it a constant, OpenVINO would add
    noise and bias up front into one plane per channel, nine times the size of the weights.
    """

    def __init__(self, synthesis: SynthesisNetwork) -> None:
        super().__init__()
        self.synthesis = synthesis

    def forward(self, styles: Tensor, strength: Tensor) -> Tensor:
        """Styles (N, 23, 512), noise strength (1,) → uint8 (N, 1024, 1024, 3) RGB."""
        return to_pixels(self.synthesis(styles, strength))


def export(synthesis: SynthesisNetwork, path: Path) -> None:
    """Write the decoder as OpenVINO IR, float32, one image a request, at `path` and its .bin."""
    shape = (1, STYLES, DIM)
    with torch.no_grad(), warnings.catch_warnings():
        # OpenVINO traces the module in a way that torch calls deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        model = openvino_runtime.convert(
            _Pixels(synthesis).eval(),
            example_input=(torch.zeros(shape), torch.ones(1)),
            input=[list(shape), [1]],
        )
    openvino_runtime.save(model, path)


def openvino_decoder(path: Path, threads: int = 0) -> Decoder:
    """Return what decodes styles (N, 23, 512) on a CPU, in order, with the IR that `export` wrote.

    There is a request per core, so that few images are held at once. Requests are waited for: a
    callback that runs in a thread of OpenVINO when the interpreter ends would abort the process.
    """
    compiled = openvino_runtime.compile_model(path, "THROUGHPUT", threads)
    jobs = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    def decode(styles: Tensor) -> Iterator[Image]:
        array = styles.detach().cpu().float().contiguous().numpy()
        strength = np.ones(1, np.float32)
        # One request more than run at once, so that a free core finds work waiting.
        count = min(jobs + 1, len(array))
        requests = [openvino_runtime.request(compiled) for _ in range(count)]
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

    return decode
