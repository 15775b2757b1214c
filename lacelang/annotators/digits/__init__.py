"""Digits as two networks of this project read them, each trained on its own half of MNIST."""

from lacelang.annotators.declaration import Annotator

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
"""The classes, in the order of their numbers."""

READER = Annotator(
    "digits",
    "the digit in an image of 28 x 28, by a network trained on one half of MNIST's images",
    "lacelang.annotators.digits.annotator:load_reader",
    {"digit": DIGITS},
    size=28,
    features="digit_features",
)
SECOND = Annotator(
    "second_digits",
    "the digit again, by another network trained on the other half; for evaluation only, so that "
    "no label and no verdict comes from it",
    "lacelang.annotators.digits.annotator:load_second",
    {},
    size=28,
)
DECLARED = (READER, SECOND)
