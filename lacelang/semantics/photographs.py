"""Photographs that a `photo`, or an edit of a file, begins from."""

from __future__ import annotations

from pathlib import Path

from lacelang.errors import ResourceError
from lacelang.generators import ARCHITECTURES
from lacelang.semantics.clauses import Clauses
from lacelang.semantics.context import Frame, LostError
from lacelang.semantics.saved import existing, unreadable
from lacelang.semantics.values import settle
from lacelang.storage.photos import check_photo
from lacelang.storage.suffixes import PHOTOS
from lacelang.syntax import nodes

_REMEDY = "name a photograph, from the folder of the program or the current one"


def file_named(named: nodes.Word | nodes.Text, frame: Frame) -> nodes.Text:
    """Return the text that names a file, which may be a loop variable's, or raise `LostError`."""
    if isinstance(named, nodes.Text):
        return named
    scalar = settle(named, frame)
    if scalar.word is not None and scalar.quoted:
        return nodes.Text(scalar.word, span=named.span)
    if frame.module.is_uncertain(named.name):
        raise LostError
    message = f"`photo` needs a file, and `{scalar.text}` is not text in quotes"
    raise frame.say("LACE122", message, named, f'write `photo "{named.name}.jpg"`')


def find_photo(text: nodes.Text, read: Clauses) -> Path:
    """Return the photograph that `text` names; of its file, the header is read.

    What is wrong with it is reported, and makes the statement wrong.
    """
    shown = text.value
    try:
        try:
            path = existing(shown, read.frame.module.folder, PHOTOS, _REMEDY)
            if path.is_dir():
                raise ResourceError(f"`{shown}` is a folder", _REMEDY)
        except (OSError, RuntimeError, ValueError) as error:
            raise unreadable(shown, error) from None
        check_photo(path, shown)
    except ResourceError as error:
        read.say("LACE122", error.message, text, error.remedy)
        return Path()
    return path


def refuse_uninvertible(read: Clauses, at: nodes.Node) -> None:
    """Report a model of which no photograph can be taken in."""
    model = read.model
    if model is None or read.wrong:
        return
    known = ARCHITECTURES.get(model.generator)
    if known is not None and not known.inverts:
        message = f"no photograph can be taken in by {model.name}: there is no encoder for its"
        able = [name for name, each in ARCHITECTURES.items() if each.inverts]
        hint = f"there is one for the generators {', '.join(able)}, such as that of ffhq"
        read.say("LACE319", f"{message} generator, a {model.generator}", at, hint)
