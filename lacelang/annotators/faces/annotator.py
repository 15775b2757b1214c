"""From an image of a face to raw measures and an embedding, or to a descriptor of identity."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from lacelang.annotators.declaration import Measure
from lacelang.annotators.faces import chips, light, mesh, parsing
from lacelang.annotators.faces.annotation import MEASURES
from lacelang.annotators.images import Image, resize
from lacelang.annotators.networks import Network
from lacelang.progress import Progress
from lacelang.resources import shipped

_FEATURE_SIDE = 224
#: Shipped file with the mean frontal mesh.
FRONTAL = "face.mesh.safetensors"

Array = NDArray[np.float64]


def load_faces(threads: int = 1, progress: Progress | None = None) -> Measure:
    """Load the annotator of the twelve attributes of aligned faces.

    Of an image, uint8 (512, 512, 3) RGB, it returns `raw`, the measures float32 (24,) that
    `MEASURES` names, and `embedding`, float16 (2680,). `annotation.values` turns them into values,
    so that cached measures remain valid when it changes.
    """
    find_mesh, parse, features, age, gender = (
        Network(__package__, name, threads, progress)
        for name in ("face_mesh", "face_parsing", "image_features", "age", "gender")
    )
    frontal = load_file(shipped("stdlib") / FRONTAL)["frontal"].astype(np.float64)
    lips = mesh.lip_shape(frontal)
    near = light.neighbours(frontal)

    def measure(image: Image) -> Mapping[str, NDArray[np.floating]]:
        points, presence = mesh.find(find_mesh, image)
        classes = parse(image[None])[0][0]
        # Colours are read from a small copy, in which pores and hairs are averaged.
        small = resize(image, parsing.OUTPUT_SIZE)
        scaled = points * (parsing.OUTPUT_SIZE / image.shape[0])
        measures = {
            "presence": presence,
            **mesh.distances(points),
            **dict(zip(("yaw", "pitch", "roll"), mesh.head_pose(points, frontal), strict=True)),
            "age": chips.years(age, image, points),
            "male": chips.male(gender, image, points),
            **parsing.shares(classes),
            **parsing.colours(small, classes),
            "scalp_share": parsing.scalp_share(classes, scaled),
            **light.measure(small, classes, scaled, near),
        }
        views = np.stack([resize(image, _FEATURE_SIDE), chips.lower_face(image, points)])
        return {
            "raw": np.array([measures[name] for name in MEASURES], np.float32),
            "embedding": np.concatenate([features(views)[0].reshape(-1), lips(points)]).astype(
                np.float16
            ),
        }

    return measure


def load_identity(threads: int = 1, progress: Progress | None = None) -> Measure:
    """Load the annotator that measures `identity`, a descriptor float32 (128,)."""
    find_mesh = Network(__package__, "face_mesh", threads, progress)
    describe = Network(__package__, "face_descriptor", threads, progress)

    def measure(image: Image) -> Mapping[str, NDArray[np.float32]]:
        points, _ = mesh.find(find_mesh, image)
        cut = chips.chip(image, points, *chips.IDENTITY)
        return {"identity": describe(cut[None])[0][0]}

    return measure
