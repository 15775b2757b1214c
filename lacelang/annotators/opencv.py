"""OpenCV, which comes with an extra: without it a sentence says how to install it."""

from lacelang.errors import ResourceError

try:
    import cv2 as cv2
except ImportError as error:
    raise ResourceError(
        "image annotators need OpenCV, which is not installed",
        "install it: pip install 'lacelang[annotate]'",
    ) from error
