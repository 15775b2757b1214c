"""Painted eyes: their colour, as two classifiers see it."""

from lacelang.annotators.declaration import YES_OR_NO, Annotator

COLORS = ("amber", "blue", "brown", "gray", "grayscale", "green", "hazel", "red", "none")
"""The classes, in the order of their numbers; `none` where no iris is seen, or no eye."""

EYES = Annotator(
    "eyes",
    "the colour of a painted eye, and whether there is one with an iris, by the published "
    "classifier of OmniArt's eyes",
    "lacelang.annotators.eyes.annotator:load_eyes",
    {"color": COLORS, "eye": YES_OR_NO},
    size=224,
    reading="lacelang.annotators.eyes.annotator:values",
    features="eye_features",
)
SECOND = Annotator(
    "second_eyes",
    "the colour again, from general image features; for evaluation only, so that no label and no "
    "verdict comes from it",
    "lacelang.annotators.eyes.annotator:load_second",
    {},
    size=224,
)
DECLARED = (EYES, SECOND)
