"""What the annotators say about one image, and how it follows from what they measured."""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import NDArray

from lacelang.annotators import hair, probe
from lacelang.annotators.seen import SEEN

#: Names of the raw measures, in the order of the vector that `Annotators.measure` returns.
MEASURES = (
    "presence",  # probability that a face is there
    "smile_ratio",  # mouth width over face width
    "mouth_open",  # gap between the lips over face width
    "corner_lift",  # corners of the mouth above its middle, over face width
    "width_ratio",  # face width over face height
    "yaw",  # degrees, > 0 to the viewer's right
    "pitch",  # degrees, > 0 up
    "roll",  # degrees, > 0 clockwise
    "age",  # years
    "male",  # probability
    "glasses_share",  # share of the image that is spectacles
    "hair_share",
    "hat_share",
    "hair_l",  # median CIELAB of the hair, NaN when hidden
    "hair_a",
    "hair_b",
    "skin_l",  # median CIELAB of the skin
    "skin_a",
    "skin_b",
    "scalp_share",  # bare share of the head above the brows
    "light_0",  # linear luminance: constant term
    "light_y",
    "light_z",
    "light_x",  # > 0 when the light comes from the viewer's right
)

# The parts of an embedding.
WHOLE = slice(0, 1280)  # image features of the whole picture
LOWER = slice(1280, 2560)  # image features of the lower face
LIPS = slice(2560, 2680)  # offsets of the lip outline, 40 points in 3-D
#: Length of an embedding.
EMBEDDING = LIPS.stop

#: The twelve attributes, in the paper's order.
ATTRIBUTES = tuple(SEEN)
#: Attributes of two classes; an annotation holds a score 0..1 for each, the second from 0.5 up.
BINARY = tuple(name for name, classes in SEEN.items() if len(classes) == 2)

# Share of the image from which spectacles are worn. Of 1290 faces none lies between 0.004, where
# misjudged pixels end, and 0.010, where thin rims begin.
_GLASSES = 0.006
# What is 0 and 1 of the normalised attributes: almost all faces lie between.
_WIDTH = (0.76, 0.98)
_BALD = (0.0, 1.0)
_LIGHT0 = (0.0, 0.6)
_LIGHT3 = (-1.2, 1.2)


@attrs.frozen(eq=False)
class Annotation:
    """The twelve attributes of one image.

    When no face is found all values are NaN or hidden; light0 and light3 are NaN as well when too
    little skin is seen.

    Attributes:
        found: whether there is a face.
        smile, glasses, gender, beard: scores 0..1, yes (or male) from 0.5 up.
        haircolor: index into `hair.COLOURS`, −1 when hidden or too little.
        yaw, pitch: degrees; the viewer's right and up are positive.
        age: years.
        bald, width, light0, light3: 0..1 over the generator's faces.
        raw: float32, the measures named in `MEASURES`.
        embedding: float16 (2680,), in the parts `WHOLE`, `LOWER` and `LIPS`.
    """

    found: bool
    smile: float
    glasses: float
    gender: float
    beard: float
    haircolor: int
    yaw: float
    pitch: float
    age: float
    bald: float
    width: float
    light0: float
    light3: float
    raw: NDArray[np.float32]
    embedding: NDArray[np.float16]

    def value(self, attribute: str) -> float:
        """Return 0 or 1 of a binary attribute, the class of hair colour, else the quantity."""
        score = float(getattr(self, attribute))
        if attribute in BINARY and not math.isnan(score):
            return float(score >= 0.5)
        return score

    def values(self) -> dict[str, float]:
        """Return the value of every attribute; NaN, of hidden hair too, for what cannot be seen."""
        values = {name: self.value(name) for name in ATTRIBUTES}
        if self.haircolor == hair.HIDDEN:
            values["haircolor"] = float("nan")
        return values

    def measure(self, name: str) -> float:
        """Return one raw measure by its name in `MEASURES`."""
        return float(self.raw[MEASURES.index(name)])


def derive(raw: NDArray[np.float32], embedding: NDArray[np.float16]) -> Annotation:
    """Turn what `Annotators.measure` returns, raw measures and embedding, into an annotation."""
    m = {name: float(value) for name, value in zip(MEASURES, raw, strict=True)}
    found = m["presence"] >= 0.5
    if not found:
        nan = float("nan")
        return Annotation(
            False, *(nan,) * 4, hair.HIDDEN, *(nan,) * 7, raw=raw, embedding=embedding
        )
    share = m["glasses_share"]
    return Annotation(
        found=True,
        smile=_chance("smile", embedding[LIPS]),
        glasses=share / (share + _GLASSES),
        gender=m["male"],
        beard=_chance("beard", embedding[LOWER]),
        haircolor=_colour(m),
        yaw=m["yaw"],
        pitch=m["pitch"],
        age=m["age"],
        bald=_unit(m["scalp_share"], _BALD),
        width=_unit(m["width_ratio"] - _width_bias(m["yaw"], m["pitch"]), _WIDTH),
        light0=_unit(m["light_0"], _LIGHT0),
        light3=_unit(m["light_x"] / max(m["light_0"], 1e-3), _LIGHT3),
        raw=raw,
        embedding=embedding,
    )


def _chance(name: str, features: NDArray[np.float16]) -> float:
    """The probability that a yes-or-no probe gives."""
    logit = float(probe.shipped_probe(name)(features)[0])
    return 1 / (1 + math.exp(-min(60.0, max(-60.0, logit))))


def _colour(m: dict[str, float]) -> int:
    lab = np.array([m["hair_l"], m["hair_a"], m["hair_b"]])
    skin = np.array([m["skin_l"], m["skin_a"], m["skin_b"]])
    if not (np.isfinite(lab).all() and np.isfinite(skin).all()):
        return hair.HIDDEN
    return int(probe.shipped_probe("haircolor")(hair.colour_features(lab, skin)).argmax())


def _width_bias(yaw: float, pitch: float) -> float:
    """How much wider the mesh makes a face for its pose alone.

    The mesh guesses depth poorly. Least squares over 600 faces, on the ground that the shape of
    a face does not depend on where it looks.
    """
    y, p = (yaw / 30) ** 2, pitch / 15
    return 0.0308 * y + 0.0017 * y * y + 0.0263 * p - 0.0201 * p * p


def _unit(value: float, ends: tuple[float, float]) -> float:
    """Map `ends` to 0 and 1 and cut off what lies beyond; NaN stays NaN."""
    if math.isnan(value):
        return value
    return min(1.0, max(0.0, (value - ends[0]) / (ends[1] - ends[0])))
