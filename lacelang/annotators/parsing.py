"""Face-parsing classes, numbered as in CelebAMask-HQ, and the sizes of the parsing network."""

from __future__ import annotations

BACKGROUND, SKIN, EYEGLASSES, NOSE, HAIR, HAT = 0, 1, 6, 10, 17, 18
CLASSES = 19

#: Side in pixels of the image the network reads; at 256 it misses most spectacle frames.
INPUT_SIZE = 512
#: Side in pixels of the class map it returns.
OUTPUT_SIZE = 256
