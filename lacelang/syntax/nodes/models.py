"""What a model's declaration is made of."""

from __future__ import annotations

from typing import TypeAlias

from lacelang.syntax.node import Node
from lacelang.syntax.nodes.clauses import Layer
from lacelang.syntax.nodes.values import Quantity, Text, Word


class Generator(Node, rules="generator"):
    """`generator mobilestylegan from "random-face==2021.7.21.1" sha256 "…"`."""

    architecture: Word
    source: Text | None = None
    sha256: Text | None = None


class Classifiers(Node, rules="classifiers"):
    """`classifiers "ffhq.safetensors" on w`."""

    file: Text
    space: Word | None = None


class WordKind(Node, rules="word_kind"):
    """A kind that is one word, such as `binary`."""

    word: Word


class ChoiceKind(Node, rules="choice_kind"):
    """`one of female, male`; `word` should be `one`."""

    word: Word
    values: tuple[Word, ...]


class RangeKind(Node, rules="range_kind"):
    """`-45..45 deg`."""

    low: Quantity
    high: Quantity


class Point(Node, rules="point"):
    """`left = -25`."""

    name: Word
    value: Quantity


class Attribute(Node, rules="attribute"):
    """`attribute yaw : -45..45 deg  layers 0..3  { left = -25, front = 0 }`."""

    name: Word
    kind: WordKind | ChoiceKind | RangeKind
    layers: tuple[Layer, ...] = ()
    points: tuple[Point, ...] = ()


Item: TypeAlias = Generator | Classifiers | Attribute
