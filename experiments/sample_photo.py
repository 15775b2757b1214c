"""Make programs/me.jpg: `python -m experiments.sample_photo`.

A generated face, for a program about a photograph must not need one of a person: it stands tilted
and off the middle of a larger picture, as faces do in photographs, and is saved as a JPEG.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lacelang.api import compile
from lacelang.storage.files import write_atomic

#: The face: sample 1 of draws from the prior.
PROGRAM = "sample 2 from ffhq truncation 0.7 seed 77 as people"
INDEX = 1
#: Size of the photograph, and the side of the face's square in it.
SIZE, SIDE = (480, 540), 440
#: Degrees that the head is tilted by, and where the middle of the square is.
TILT, MIDDLE = 9.0, (246.0, 318.0)


def photograph(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Place a face, uint8 (S, S, 3), in a photograph; its border goes on mirrored and blurred."""
    side = len(face)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), -TILT, SIDE / side)
    matrix = np.asarray(turn, float)
    matrix[:, 2] += np.array(MIDDLE) - side / 2
    smooth = cv2.GaussianBlur(face, (0, 0), 0.7 * side / SIDE)
    placed = cv2.warpAffine(smooth, matrix, SIZE, borderMode=cv2.BORDER_REPLICATE)
    inside = np.full((side, side), 255, np.uint8)
    inside[:8] = inside[-8:] = inside[:, :8] = inside[:, -8:] = 0
    share = cv2.GaussianBlur(cv2.warpAffine(inside, matrix, SIZE), (0, 0), 4)[..., None] / 255.0
    blurred = cv2.GaussianBlur(placed, (0, 0), 14)
    return np.rint(placed * share + blurred * (1 - share)).astype(np.uint8)


def main(path: Path = Path("programs/me.jpg")) -> int:
    """Write the photograph."""
    face = np.asarray(compile(PROGRAM).run()["people"].images[INDEX])
    buffer = io.BytesIO()
    Image.fromarray(photograph(face)).save(buffer, "JPEG", quality=88, optimize=True)
    write_atomic(path, buffer.getvalue())
    print(f"{path}: {len(buffer.getvalue()) >> 10} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
