"""A face cut out of a photograph as the faces of FFHQ were (Karras et al. 2019, appendix A)."""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang.annotators.faces import detection, mesh
from lacelang.annotators.faces.chips import similarity
from lacelang.annotators.faces.detection import Detector, Face
from lacelang.annotators.images import Image, cv2
from lacelang.annotators.networks import Network
from lacelang.errors import ResourceError
from lacelang.progress import Progress
from lacelang.storage.photos import Photo

Array = NDArray[np.float64]

# Points of the mesh near the 68 of dlib's that FFHQ was aligned by: rings of the eyes, and the
# corners of the mouth. Left and right are the viewer's.
_EYE_LEFT = (33, 160, 158, 133, 153, 144)
_EYE_RIGHT = (362, 385, 387, 263, 373, 380)
_MOUTH = (mesh.MOUTH_LEFT, mesh.MOUTH_RIGHT)

# Where eyes and mouth are in an aligned face, as shares of the side, for a first cut.
_FIRST = np.array([[0.38, 0.475], [0.62, 0.475], [0.5, 0.70]])
_FIRST_SIDE = 512
# The mesh says with less than this probability that there is a face.
_FEWEST = 0.5
# What being upright counts for, beside the probability that there is a face.
_UPRIGHT = 0.05
# A face smaller than this, in pixels of the square that is cut, is too coarse to be anyone's.
LEAST = 48


@frozen(eq=False)
class AlignedFace:
    """A face as FFHQ has it.

    Attributes:
        image: uint8 (side, side, 3) RGB; what lies outside the photograph mirrors it.
        known: float32 (side, side), 1 where the photograph shows something, 0 where it does not.
        square: (3, 2), the top left, top right and bottom left corners, in pixels of the
            photograph as it lies.
        faces: how many faces the photograph has.
    """

    image: Image
    known: NDArray[np.float32]
    square: Array
    faces: int


class Aligner:
    """Finds faces and cuts them out; it is not shared between threads."""

    def __init__(self, threads: int = 1, progress: Progress | None = None) -> None:
        self._detect = Detector(threads, progress)
        self._mesh = Network(detection.__package__, "face_mesh", threads, progress)

    def __call__(self, photo: Photo, shown: str, number: int = 1, side: int = 1024) -> AlignedFace:
        """Cut out the face of this number, from 1, the largest first; messages call it `shown`.

        Raises:
            ResourceError: there is no such face, or it is too small.
        """
        squares, turned = self._squares(photo, number)
        if not squares:
            raise ResourceError(
                f"no face is seen in `{shown}`",
                "give a photograph in which a face is seen from the front, large and upright",
            )
        if number > len(squares):
            count = f"{len(squares)} face{'s' * (len(squares) > 1)}"
            known = (
                f"write `face 1` to `face {len(squares)}`"
                if len(squares) > 1
                else "leave `face` out"
            )
            raise ResourceError(
                f"`{shown}` has {count}, and no face {number}", f"{known}: the largest is 1"
            )
        square = squares[number - 1]
        size = float(np.linalg.norm(square[1] - square[0]))
        if size < LEAST:
            raise ResourceError(
                f"the face in `{shown}` is too small: {round(size)} pixels with hair and chin",
                f"give a photograph in which it has {LEAST} or more, better 256",
            )
        pixels = np.rot90(photo.pixels, turned)
        opaque = None if photo.opaque is None else np.rot90(photo.opaque, turned)
        image, known_ = cut(np.ascontiguousarray(pixels), opaque, square, side)
        place = _turned_back(square, turned, photo.pixels.shape)
        return AlignedFace(image, known_, place, len(squares))

    def _squares(self, photo: Photo, number: int) -> tuple[list[Array], int]:
        """The squares of all faces, the largest first, and by how many quarters it is turned."""
        turns = {turn: np.ascontiguousarray(np.rot90(photo.pixels, turn)) for turn in (0, 1, 3, 2)}
        seen = {turn: self._detect(image) for turn, image in turns.items()}
        # A face that lies on its side is seen too, but with less certainty and less exactly.
        sure = {turn: max((f.sure for f in faces), default=0.0) for turn, faces in seen.items()}
        for turn in sorted(turns, key=lambda turn: -sure[turn] - _UPRIGHT * (turn == 0)):
            found = [self._square(turns[turn], face) for face in seen[turn]]
            squares = [square for square in found if square is not None]
            if squares:
                return squares, turn
        return [], 0

    def _square(self, image: Image, face: Face) -> Array | None:
        """The square of one face; None where the mesh sees no face."""
        seen = face.points[[detection.EYE_LEFT, detection.EYE_RIGHT, detection.MOUTH]]
        square = _corners(similarity(_FIRST, seen))
        # The mesh is most exact on a face that is aligned already.
        for _ in range(2):
            patch, _ = cut(image, None, square, _FIRST_SIDE)
            points, presence = mesh.find(self._mesh, patch)
            if presence < _FEWEST:
                return None
            inside = square_of(points[:, :2]) / _FIRST_SIDE
            across, down = square[1] - square[0], square[2] - square[0]
            square = square[0] + inside @ np.stack((across, down))
        return np.asarray(square)


def _corners(matrix: Array) -> Array:
    """Where a (2, 3) matrix takes three corners of the unit square."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    return np.asarray(corners @ matrix[:, :2].T + matrix[:, 2])


def _turned_back(points: Array, turned: int, shape: tuple[int, ...]) -> Array:
    """Where points (N, 2) of a picture, which is another of that shape turned, are in the other.

    `turned` counts quarters, anticlockwise, as for `numpy.rot90`.
    """
    height, width = shape[:2]
    x, y = points[:, 0], points[:, 1]
    places = ((x, y), (width - y, x), (width - x, height - y), (y, height - x))
    return np.stack(places[turned], axis=1)


def square_of(points: Array) -> Array:
    """The square of FFHQ's alignment around a mesh (468, 2), as `AlignedFace.square`."""
    left, right = points[list(_EYE_LEFT)].mean(0), points[list(_EYE_RIGHT)].mean(0)
    eyes, apart = (left + right) / 2, right - left
    down = points[list(_MOUTH)].mean(0) - eyes
    x = apart - down[::-1] * (-1.0, 1.0)
    x *= max(2.0 * np.hypot(*apart), 1.8 * np.hypot(*down)) / np.hypot(*x)
    y = x[::-1] * (-1.0, 1.0)
    centre = eyes + 0.1 * down
    return np.array([centre - x - y, centre + x - y, centre - x + y])


def cut(
    image: Image, opaque: NDArray[np.bool_] | None, square: Array, side: int
) -> tuple[Image, NDArray[np.float32]]:
    """Cut a square out of a picture, and where the picture shows something."""
    target = np.array([[0.0, 0.0], [side, 0.0], [0.0, side]])
    scale = side / float(np.linalg.norm(square[1] - square[0]))
    known = np.ones(image.shape[:2], np.float32) if opaque is None else opaque.astype(np.float32)
    if scale < 0.5:
        # Averaged down first, so that detail does not alias.
        smaller = max(2.0 * scale, 1e-3)
        size = max(1, round(image.shape[1] * smaller)), max(1, round(image.shape[0] * smaller))
        ratio = np.array([size[0] / image.shape[1], size[1] / image.shape[0]])
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        known = np.asarray(cv2.resize(known, size, interpolation=cv2.INTER_AREA), np.float32)
        square = square * ratio
    # Pixel centres, not corners, hold the colours.
    matrix = cv2.getAffineTransform(
        (square - 0.5).astype(np.float32), (target - 0.5).astype(np.float32)
    )
    way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    mirrored = cv2.warpAffine(
        image, matrix, (side, side), flags=way, borderMode=cv2.BORDER_REFLECT_101
    )
    inside = cv2.warpAffine(known, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=0.0)
    inside = np.clip(inside, 0.0, 1.0)
    # What is mirrored is blurred, and the more so the farther it is from the photograph.
    if inside.min() < 1.0:
        soft = cv2.GaussianBlur(inside, (0, 0), 0.02 * side)
        blurred = cv2.GaussianBlur(mirrored, (0, 0), 0.02 * side)
        share = np.clip(3.0 * (1.0 - soft), 0.0, 1.0)[..., None] * (1.0 - inside)[..., None]
        mirrored = np.rint(mirrored * (1 - share) + blurred * share)
    return np.asarray(mirrored, np.uint8), np.asarray(inside, np.float32)
