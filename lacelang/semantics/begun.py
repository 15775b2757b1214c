"""What an edit begins from: a group of the program, a photograph, or samples on disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from lacelang import ir
from lacelang.errors import Span
from lacelang.semantics.clauses import Clauses
from lacelang.semantics.context import Frame, LostError
from lacelang.semantics.fitness import refuse_unfit
from lacelang.semantics.groups import Groups
from lacelang.semantics.taught import using
from lacelang.storage.suffixes import PHOTOS
from lacelang.syntax import nodes
from lacelang.text.names import place_of

if TYPE_CHECKING:
    from lacelang.storage.provenance import SavedSamples

# Suffixes of files of latents, also of kinds that cannot be read.
_FILES = (".safetensors", ".npy", ".npz", ".pt", ".pth", ".pkl", ".pickle")


@frozen
class Begun:
    """The group that an edit begins from.

    Attributes:
        group: its name.
        saved: where it is, if it is on disk.
        photo: the statement that makes it, if it is that of a photograph.
    """

    group: str
    saved: ir.Saved | None = None
    photo: ir.PhotoStatement | None = None


@frozen(eq=False)
class Beginnings:
    """Finds what edits begin from, and takes in photographs.

    Attributes:
        groups: those of the program so far.
        saved: samples on disk, by name, where the disk is not asked; None asks it.
        find_model: returns the model that a word names, or reports that there is none.
    """

    groups: Groups
    saved: Mapping[str, SavedSamples] | None
    find_model: Callable[[nodes.Word, Frame], ir.ModelSpec | None]

    def of(
        self, named: nodes.Word | nodes.Text, read: Clauses, turns: tuple[ir.Turn, ...]
    ) -> Begun:
        """Return what an edit begins from; its model is noted in `read`."""
        if isinstance(named, nodes.Text) and named.name not in self.groups.models:
            if named.name.lower().endswith(PHOTOS):
                return self._edited_photo(named, read, turns)
            if self._names_a_file(named, read.frame):
                return Begun(named.value, self._on_disk(named, read))
        hint = "leave it out; it is for latents from a file"
        read.refuse("is known of a group of this program", hint)
        name, read.model = self.groups.model_of(named, read.frame) or ("", None)
        return Begun(name)

    def photo(
        self,
        file: nodes.Word | nodes.Text,
        read: Clauses,
        span: Span,
        turns: tuple[ir.Turn, ...],
    ) -> ir.PhotoStatement:
        """Return the group of a photograph; its name is that of the clauses, or made up."""
        # What reads pictures is imported for those who have one.
        from lacelang.semantics.photographs import file_named, find_photo, refuse_uninvertible

        text = file_named(file, read.frame)
        # An image that is made again needs no photograph: it carries the styles.
        path = find_photo(text, read) if self.saved is None else Path(text.value)
        face, fast, paste = (read.value(each) for each in ("face", "fast", "paste"))
        refuse_unfit(read, judged=None)
        refuse_uninvertible(read, text)
        name, model = self.groups.add(read), using(read.checked_model())
        self.groups.counts[name] = 1
        self.groups.photographed.add(name)
        return ir.PhotoStatement(name, path, text.value, model, face, fast, paste, span, turns)

    def pasted(self, begun: Begun, named: nodes.Word | nodes.Text, read: Clauses) -> bool:
        """Return whether an edit puts faces back; one of no photograph is reported."""
        clause = read.get("paste", nodes.FlagClause)
        known = begun.group in self.groups.photographed
        if clause is not None and not known and read.model is not None:
            message = f"`{named.name}` was not made of a photograph of this program"
            hint = 'begin with one: `photo "me.jpg" from ffhq as me`, then `edit me { … } paste`'
            if begun.saved is not None and begun.saved.photo is not None:
                message = f"`{named.name}` has the styles of a photograph, and not the photograph"
            read.say("LACE323", f"{message}: there is nothing to paste into", clause, hint)
        return clause is not None

    def _edited_photo(self, named: nodes.Text, read: Clauses, turns: tuple[ir.Turn, ...]) -> Begun:
        """Return the group of a photograph that is edited by its file's name."""
        clause = read.get("from", nodes.FromClause)
        if clause is None:
            message = "an edit of a photograph needs to know its model"
            raise read.say("LACE302", message, named, "add `from ffhq` behind the edit's lines")
        read.refuse_one("truncation", "does not belong to a photograph", "leave it out")
        photo = Clauses("photo", [clause], read.frame)
        photo.model = read.model = self.find_model(clause.model, read.frame)
        try:
            made = self.photo(named, photo, named.span, turns)
        except LostError:
            read.wrong, read.model = True, None
            return Begun("")
        return Begun(made.name, photo=made)

    def _names_a_file(self, named: nodes.Text, frame: Frame) -> bool:
        """Whether quoted text, which is no group, means a place on disk."""
        if self.saved is not None:
            return named.value in self.saved
        name = named.name
        if "/" in name or "\\" in name or name.lower().endswith(_FILES):
            return True
        places = (frame.module.folder or Path(), Path())
        # A file of another kind is not taken for a group that does not exist.
        return "." in name and any(os.path.isfile(place_of(place / name)) for place in places)

    def _on_disk(self, named: nodes.Text, read: Clauses) -> ir.Saved | None:
        # What reads runs is imported for those who begin from one.
        from lacelang.semantics.saved import find_saved, known_saved

        if self.saved is None:
            return find_saved(named, read, self.find_model)
        return known_saved(named, self.saved[named.value], read, self.find_model)
