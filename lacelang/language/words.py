"""What each word of the language is for, with an example."""

from __future__ import annotations

import tomllib
from pathlib import Path

from attrs import frozen


@frozen
class Word:
    """What a word is for, in a sentence without its stop, and a program that uses it."""

    says: str
    example: str


WORDS: dict[str, Word] = {
    word: Word(said["says"], said["example"].strip())
    for word, said in tomllib.loads(
        Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    ).items()
}
"""By word of the language."""
