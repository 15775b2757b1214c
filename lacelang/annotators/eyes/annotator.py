"""From an image of an eye to the classes that two classifiers see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from lacelang.annotators import faces
from lacelang.annotators.declaration import Measure
from lacelang.annotators.eyes import COLORS
from lacelang.annotators.eyes.resnet import CLASSES
from lacelang.annotators.images import Image, resize
from lacelang.annotators.networks import Network
from lacelang.progress import Progress
from lacelang.resources import shipped

_COLOURS = 12
#: Shipped file with the second classifier: a linear layer on image features and colours.
SECOND = "eyes.second.safetensors"


def load_eyes(threads: int = 1, progress: Progress | None = None) -> Measure:
    """Load the annotator of the colour.

    Of an image, uint8 (224, 224, 3) RGB, it returns `eye_logits`, float32 (10,), and
    `eye_features`, float16 (1280,), of a network that was not trained on eyes.
    """
    classify = Network(__package__, "eye_colors", threads, progress)
    features = _features(threads, progress)

    def measure(image: Image) -> Mapping[str, Any]:
        return {"eye_logits": classify(image[None])[0][0], "eye_features": features(image)}

    return measure


def load_second(threads: int = 1, progress: Progress | None = None) -> Measure:
    """Load the second classifier; it returns `second_color`, the number of a class."""
    features = _features(threads, progress)
    head = load_file(shipped("stdlib") / SECOND)

    def measure(image: Image) -> Mapping[str, Any]:
        read = np.concatenate([features(image), colours(image)])
        return {"second_color": np.float32(second(read[None], head)[0])}

    return measure


def colours(image: Image) -> NDArray[np.float16]:
    """The colours of an image at 12 x 12 pixels, (432,) in 0..1."""
    return (resize(image, _COLOURS).reshape(-1) / 255).astype(np.float16)


def second(features: NDArray[np.floating], head: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Features and colours (N, 1712) → numbers of classes (N,)."""
    weight, bias = (head[name].astype(np.float64) for name in ("weight", "bias"))
    found: NDArray[np.int64] = (features.astype(np.float64) @ weight.T + bias).argmax(axis=1)
    return found


def values(measured: Mapping[str, Any]) -> dict[str, float]:
    """What was measured → the number of the colour, and 1 where there is an eye with an iris."""
    seen = CLASSES[int(np.argmax(measured["eye_logits"]))]
    color = COLORS.index(seen) if seen in COLORS else COLORS.index("none")
    return {"color": float(color), "eye": float(seen in COLORS)}


def _features(threads: int, progress: Progress | None) -> Callable[[Image], NDArray[np.float16]]:
    # Two views at once, as the network of the faces is compiled.
    network = Network(faces.__name__, "image_features", threads, progress)

    def features(image: Image) -> NDArray[np.float16]:
        found: NDArray[np.float16] = network(np.stack([image, image]))[0][0].astype(np.float16)
        return found

    return features
