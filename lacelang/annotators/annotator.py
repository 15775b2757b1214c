"""From an image of a face to the twelve attributes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from lacelang.annotators import chips, hair, light, mesh, parsing, pose
from lacelang.annotators.annotation import MEASURES, Annotation, derive
from lacelang.annotators.networks import Networks
from lacelang.annotators.opencv import cv2
from lacelang.annotators.smile import LipShape
from lacelang.progress import Progress
from lacelang.resources import shipped

# Side in pixels of the copy of the image that everything but the embedding is measured on.
_SIDE = parsing.INPUT_SIZE
_FEATURE_SIDE = 224
# The skin's brightness is read from a copy this small, which smooths pores and hairs away.
_SKIN_SIDE = parsing.OUTPUT_SIZE
#: Shipped file with the mean frontal mesh.
FRONTAL = "face.mesh.safetensors"


class Annotators:
    """Measures the twelve attributes of aligned faces. One instance per thread of work.

    Args:
        threads: CPU threads for the networks.
        folder: where converted networks are cached; the user's cache by default.
        progress: where to show downloads on first use.

    Raises:
        ResourceError: the weights cannot be fetched or are damaged.
    """

    def __init__(
        self, threads: int = 1, folder: Path | None = None, progress: Progress | None = None
    ) -> None:
        networks = Networks(threads, folder, progress)
        self._mesh = mesh.FaceMesh(networks.face_mesh())
        self._parsing = networks.face_parsing()
        self._chips = chips.AgeGender(networks.age(), networks.gender())
        self._features = networks.image_features()
        self._frontal = load_file(shipped("stdlib") / FRONTAL)["frontal"].astype(np.float64)
        self._lips = LipShape(self._frontal)
        self._near = light.neighbours(self._frontal)

    def annotate(self, image: NDArray[np.uint8]) -> Annotation:
        """Measure one aligned face, uint8 (S, S, 3) RGB with S at least 512.

        Raises:
            ValueError: the image is not square, too small or not uint8 RGB.
        """
        raw, embedding = self.measure(image)
        return derive(raw, embedding)

    def measure(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
        """Return the raw measures (named by `MEASURES`) and the embedding of one aligned face.

        `derive` turns them into an annotation; a label cache that keeps them can be judged anew
        without decoding the image again.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"expected uint8 (S, S, 3), got {image.dtype} {image.shape}")
        if image.shape[0] != image.shape[1] or image.shape[0] < _SIDE:
            raise ValueError(f"expected a square image of at least {_SIDE} px, got {image.shape}")
        scaled = mesh.resize(image, _SIDE) if image.shape[0] != _SIDE else image
        points, presence = self._mesh(scaled)
        classes = self._parsing(scaled[None])[0]
        small = mesh.resize(scaled, _SKIN_SIDE)
        shrink = _SKIN_SIDE / _SIDE
        yaw, pitch, roll = pose.head_pose(points, self._frontal)
        hair_lab = hair.median_lab(small, classes, parsing.HAIR)
        skin_lab = hair.median_lab(small, classes, parsing.SKIN)
        lights = self._light(small, classes, points * shrink)
        measures = {
            "presence": presence,
            "smile_ratio": mesh.smile_ratio(points),
            "mouth_open": mesh.mouth_open(points),
            "corner_lift": mesh.corner_lift(points),
            "width_ratio": mesh.width_ratio(points),
            "yaw": yaw,
            "pitch": pitch,
            "roll": roll,
            "age": self._chips.age(scaled, points),
            "male": self._chips.male(scaled, points),
            "glasses_share": float((classes == parsing.EYEGLASSES).mean()),
            "hair_share": float((classes == parsing.HAIR).mean()),
            "hat_share": float((classes == parsing.HAT).mean()),
            "hair_l": hair_lab[0],
            "hair_a": hair_lab[1],
            "hair_b": hair_lab[2],
            "skin_l": skin_lab[0],
            "skin_a": skin_lab[1],
            "skin_b": skin_lab[2],
            "scalp_share": hair.scalp_share(classes, points * shrink),
            "light_0": lights[0],
            "light_y": lights[1],
            "light_z": lights[2],
            "light_x": lights[3],
        }
        raw = np.array([measures[name] for name in MEASURES], dtype=np.float32)
        return raw, self._embed(scaled, points)

    def _light(
        self,
        image: NDArray[np.uint8],
        classes: NDArray[np.uint8],
        points: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        column, row = np.clip(np.rint(points[:, :2]).astype(int), 0, _SKIN_SIDE - 1).T
        skin = np.isin(classes[row, column], (parsing.SKIN, parsing.NOSE))
        normal = light.normals(pose.upright(points), self._near)
        return light.fit(normal[skin], light.linear_luminance(image[row, column])[skin])

    def _embed(self, image: NDArray[np.uint8], points: NDArray[np.float64]) -> NDArray[np.float16]:
        views = np.stack([mesh.resize(image, _FEATURE_SIDE), lower_face(image, points)])
        parts = (self._features(views).reshape(-1), self._lips(points))
        return np.concatenate(parts).astype(np.float16)


def lower_face(
    image: NDArray[np.uint8], points: NDArray[np.float64], side: int = _FEATURE_SIDE
) -> NDArray[np.uint8]:
    """Cut out nose base to under the chin, turned upright, as uint8 (side, side, 3).

    The square is centred between nose base and chin and as wide as 1.9 times their distance, so
    that it holds the moustache, the jaw on both sides and a beard's lower end.
    """
    nose, chin = points[mesh.NOSE_BASE, :2], points[mesh.CHIN, :2]
    eyes = points[mesh.EYE_RIGHT_OUTER, :2] - points[mesh.EYE_LEFT_OUTER, :2]
    angle = float(np.degrees(np.arctan2(eyes[1], eyes[0])))
    centre = (nose + chin) / 2
    scale = side / (1.9 * max(1.0, float(np.linalg.norm(chin - nose))))
    middle = (float(centre[0]), float(centre[1]))
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, angle, scale), dtype=np.float64)
    matrix[:, 2] += side / 2 - centre
    cut = cv2.warpAffine(
        image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cut, dtype=np.uint8)
