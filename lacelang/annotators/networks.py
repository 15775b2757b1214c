"""The annotators' networks, converted once to OpenVINO IR, kept in the cache and run on the CPU."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lacelang.annotators import parsing, weights
from lacelang.annotators.weights import WeightFile
from lacelang.generators import openvino_runtime
from lacelang.progress import Progress
from lacelang.storage.cache import cache_dir, guarded, locked

# Part of every cached file's name: raise it when a conversion changes.
_CONVERSION = 1


class Network:
    """A compiled network with one input and one wanted output; not shared between threads."""

    def __init__(self, compiled: Any, output: int = 0) -> None:
        self._request = openvino_runtime.request(compiled)
        self._outputs = len(compiled.outputs)
        self._output = output

    def __call__(self, array: NDArray[Any]) -> NDArray[Any]:
        """Run the network; the result is a copy that the caller may keep."""
        openvino_runtime.refuse_after_fork()
        self._request.infer([np.ascontiguousarray(array)])
        return np.array(self._request.get_output_tensor(self._output).data)

    def all(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """Run the network and return copies of all its outputs."""
        openvino_runtime.refuse_after_fork()
        self._request.infer([np.ascontiguousarray(array)])
        return [np.array(self._request.get_output_tensor(i).data) for i in range(self._outputs)]


class Networks:
    """Compiles the annotators' networks.

    Args:
        threads: CPU threads of each network. Give every worker process one thread: the networks
            run one after another, so threads beyond the cores only wait.
        folder: where the converted networks are kept; the user's cache by default.
        progress: where to show downloads.
    """

    def __init__(
        self, threads: int = 1, folder: Path | None = None, progress: Progress | None = None
    ) -> None:
        self._folder = folder or cache_dir() / "annotators"
        self._progress = progress
        # The CPU default may be bfloat16, which moves landmarks and class borders. Pinning makes
        # two workers share one core.
        self._config = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,
        }

    def face_mesh(self) -> Network:
        """float32 (1, 192, 192, 3) RGB in 0..1 to (1, 1, 1, 1404) points and a presence logit."""
        return self._compile("face_mesh", lambda: self._read(weights.FACE_MESH))

    def age(self) -> Network:
        """float32 (2, 3, 64, 64) normalised chips to (2, 81) probabilities of each year."""
        return self._compile("age", lambda: self._read(weights.AGE, (2, 3, 64, 64)))

    def gender(self) -> Network:
        """float32 (2, 3, 32, 32) normalised chips to (2, 2) probabilities: female, male."""
        return self._compile("gender", lambda: self._read(weights.GENDER, (2, 3, 32, 32)))

    def face_parsing(self) -> Network:
        """uint8 (1, 512, 512, 3) RGB to uint8 (1, 256, 256) classes."""

        def build() -> Any:
            from lacelang.annotators import bisenet

            network = bisenet.FaceParsing.load(weights.FACE_PARSING.read(self._progress))
            return _from_torch(network, (1, parsing.INPUT_SIZE, parsing.INPUT_SIZE, 3))

        return self._compile("face_parsing", build)

    def image_features(self) -> Network:
        """uint8 (2, 224, 224, 3) RGB to float32 (2, 1280) embeddings."""

        def build() -> Any:
            from lacelang.annotators import efficientnet

            network = efficientnet.ImageFeatures.load(weights.IMAGE_FEATURES.read(self._progress))
            return _from_torch(network, (2, efficientnet.INPUT_SIZE, efficientnet.INPUT_SIZE, 3))

        return self._compile("image_features", build)

    def face_descriptor(self) -> Network:
        """uint8 (1, 150, 150, 3) RGB to float32 (1, 128) descriptors of who it is."""

        def build() -> Any:
            from lacelang.annotators import face_recognition as network

            loaded = network.FaceDescriptor.load(weights.FACE_RECOGNITION.read(self._progress))
            return _from_torch(loaded, (1, network.INPUT_SIZE, network.INPUT_SIZE, 3))

        return self._compile("face_descriptor", build)

    def _compile(self, name: str, build: Callable[[], Any]) -> Network:
        path = self._folder / f"{name}-{_CONVERSION}"
        if not path.is_dir():
            with locked(path, f"converting {name}"):
                if not path.is_dir():  # another process has just converted it
                    import torch

                    # Modules draw weights before they are given the published ones.
                    with torch.random.fork_rng(devices=[]):
                        self._store(path, build())
        return Network(openvino_runtime.compile_model(path / "network.xml", self._config))

    def _read(self, source: WeightFile, shape: tuple[int, ...] | None = None) -> Any:
        # OpenVINO reads TensorFlow Lite from a file only.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"network.{source.kind}"
            path.write_bytes(source.read(self._progress))
            model = openvino_runtime.core().read_model(path)
            if shape is not None:
                model.reshape(list(shape))
            return model.clone()

    @staticmethod
    def _store(path: Path, model: Any) -> None:
        """Write the network beside `path`, then move it there whole, so no reader sees a half."""
        with guarded(path.parent):
            scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
            try:
                openvino_runtime.save(model, scratch / "network.xml")
                os.rename(scratch, path)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)


def _from_torch(network: Any, shape: tuple[int, ...]) -> Any:
    import torch

    example = torch.zeros(shape, dtype=torch.uint8)
    with torch.no_grad():
        return openvino_runtime.convert(network, example_input=example, input=[list(shape)])
