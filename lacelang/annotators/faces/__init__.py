"""Aligned faces: the paper's twelve attributes, and a descriptor of identity."""

from lacelang.annotators.declaration import YES_OR_NO, Annotator

COLOURS = ("black", "brown", "blond", "gray", "red")
"""Hair colours, in the order of their class numbers."""

FACES = Annotator(
    "faces",
    "the twelve attributes of an aligned face, from its mesh, its parsing and image features",
    "lacelang.annotators.faces.annotator:load_faces",
    # In the paper's order.
    {
        "smile": YES_OR_NO,
        "glasses": YES_OR_NO,
        "gender": ("female", "male"),
        "beard": YES_OR_NO,
        "haircolor": COLOURS,
        "yaw": (),
        "age": (),
        "pitch": (),
        "bald": (),
        "width": (),
        "light0": (),
        "light3": (),
    },
    size=512,  # at 256 the parsing misses most spectacle frames
    reading="lacelang.annotators.faces.annotation:values",
    features="embedding",
)
IDENTITY = Annotator(
    "identity",
    "a descriptor of identity, similar for pictures of the same person; it judges no attribute",
    "lacelang.annotators.faces.annotator:load_identity",
    {},
    size=512,
    identity="identity",
    beside="faces",
)
DECLARED = (FACES, IDENTITY)

BINARY = tuple(name for name, classes in FACES.attributes.items() if len(classes) == 2)
"""Attributes of two classes, for which there are scores 0..1, the second class from 0.5 up."""
