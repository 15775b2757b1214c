"""Samples on disk that an edit begins from: a group of an earlier run, or a file of latents."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from lacelang import ir
from lacelang.errors import ResourceError
from lacelang.generators import ARCHITECTURES, Layout
from lacelang.semantics import defaults
from lacelang.semantics.clauses import Clauses
from lacelang.semantics.report import nearest
from lacelang.semantics.scope import Frame
from lacelang.storage.arrays import SUFFIXES
from lacelang.storage.given import read_given
from lacelang.storage.index import read_index
from lacelang.storage.records import GroupRecord
from lacelang.storage.shards import Shards
from lacelang.syntax import nodes
from lacelang.system.filenames import as_text, on_disk
from lacelang.text.names import nfc, place_of

_GROUP = "name the folder of a group that a run has made, or a file of latents"
_MADE_AGAIN = "run the program that made it again"

FindModel: TypeAlias = Callable[[nodes.Word, Frame], ir.ModelSpec | None]


def find_saved(
    text: nodes.Text, read: Clauses, find_model: FindModel
) -> tuple[ir.Saved, ir.ModelSpec] | None:
    """Return the samples that `text` names and their model; None if wrong, which is reported.

    Args:
        text: a group's folder in a run's, or a file of latents; from the folder of the program or,
            if nothing is there, from the current one, as the folder that `--out` names is.
        read: the clauses of the edit: where no run.json is beside the latents, `from` says which
            model they are of, and `truncation` how they are truncated.
        find_model: of a name, None if there is none, which has been reported.
    """
    try:
        path = _place_of(text.value, read.frame.module.folder)
        group = _recorded(path)
        if group is None and path.is_dir():
            raise _no_group(path, text.value)
    except ResourceError as error:
        read.say("LACE120", error.message, text, error.remedy)
        return None
    except (OSError, RuntimeError, ValueError) as error:
        # No home of that name, a name too long for a file, a folder that is not ours to read.
        why = error.strerror if isinstance(error, OSError) else None
        read.say("LACE120", f"`{text.value}` cannot be read: {(why or str(error)).lower()}", text)
        return None
    named = read.get("from", nodes.FromClause)
    word = named.model if named is not None else None
    if group is not None:
        wrong = _wrong_settings(group, text.value)
        if wrong is not None:
            read.say("LACE120", wrong.message, text, wrong.remedy)
            return None
        word = nodes.Word(nfc(group.settings["model"]), span=text.span)
        for keyword in ("from", "truncation"):
            message = f"`{keyword}` is known from the run that `{text.value}` belongs to"
            read.refuse(keyword, message, "leave it out")
    if word is None:
        message = "no run.json says of which model these latents are"
        read.say("LACE302", message, text, "add `from ffhq`, and `truncation` if it is not 0.7")
        return None
    model = find_model(word, read.frame)
    if model is None:
        return None
    given = read.truncation() if group is None else defaults.TRUNCATION
    known = ARCHITECTURES.get(model.generator)  # an unknown one is reported elsewhere
    wrong = None if known is None else _wrong_with(path, group, known.layout, text.value)
    if wrong is not None:
        read.say("LACE120", wrong.message, text, wrong.remedy)
        return None
    if group is None:
        return ir.Saved(path, given, defaults.SEED), model
    return ir.Saved(path, float(group.settings["truncation"]), group.seed, group.fingerprint), model


def _wrong_settings(group: GroupRecord, shown: str) -> ResourceError | None:
    """Return what is missing in what run.json says of a group."""
    model, psi = group.settings.get("model"), group.settings.get("truncation")
    number = isinstance(psi, int | float) and not isinstance(psi, bool)
    if isinstance(model, str) and number and 0 < float(psi or 0) <= 1:
        return None
    return ResourceError(
        f"run.json does not say of which model `{shown}` is and how it is truncated",
        "run the program that made it again",
    )


def _wrong_with(
    path: Path, group: GroupRecord | None, layout: Layout, shown: str
) -> ResourceError | None:
    """Return why a model of that layout cannot take what is at `path`."""
    if group is not None:
        shards = Shards.open(path, group.fingerprint)
        if not len(shards):
            return ResourceError(f"`{shown}` holds no latents that are whole", _MADE_AGAIN)
        first = shards.rows([0])
        styles = len(layout.style_layers)
        if first.w.shape[1:] not in ((layout.w_dim,), (styles, layout.w_dim)):
            return ResourceError(f"`{shown}` holds latents of another model", _MADE_AGAIN)
        return None
    file = path
    try:
        state = file.stat()
    except OSError as error:
        return ResourceError(f"`{shown}` cannot be read: {(error.strerror or '').lower()}")
    return _looked_at(file, layout, shown, (state.st_mtime_ns, state.st_size, state.st_ino))


# An editor checks a program at every key; the samples that it names are seldom others by then.
@lru_cache(maxsize=64)
def _looked_at(
    file: Path, layout: Layout, shown: str, state: tuple[int, ...]
) -> ResourceError | None:
    try:
        read_given(file, layout, shown)
    except ResourceError as error:
        return ResourceError(error.message, error.remedy)
    return None


def _recorded(path: Path) -> GroupRecord | None:
    """Return the group whose folder `path` is, as the run.json above it has it."""
    folder = path.resolve()
    run = read_index(folder.parent) if folder.is_dir() else None
    groups = run.groups if run is not None else ()
    name = nfc(as_text(folder.name))
    return next((group for group in groups if group.folder == name), None)


def _place_of(written: str, folder: Path | None) -> Path:
    """Return the file of latents, or the folder of a group, that is meant.

    Raises:
        ResourceError: there is none.
        OSError, RuntimeError, ValueError: there can be none of that name.
    """
    path = Path(on_disk(written)).expanduser()
    places = list(dict.fromkeys([(folder or Path()) / path, path]))
    places = [place_of(place) for place in places]
    found = next((place for place in places if place.exists()), None)
    if found is None:
        if any(place.is_symlink() for place in places):
            raise ResourceError(f"`{written}` is a link to nothing", "mend the link, or remove it")
        near = [hint for place in places if (hint := _near(place, path, written))]
        hint = near[0] if near else _GROUP
        raise ResourceError(f"there is no `{written}` here", hint)
    if found.is_dir() or found.suffix.lower() in SUFFIXES:
        return found
    hint = "save the array with `numpy.save`; what is pickled is never read"
    if found.suffix.lower() in (".pt", ".pth"):
        hint = "save `torch.load(…, weights_only=True).cpu().numpy()` of it with `numpy.save`"
    ends = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
    raise ResourceError(f"`{written}` is not a file of latents: those end in {ends}", hint)


def _no_group(folder: Path, written: str) -> ResourceError:
    """Say that a folder is none of a group, and what is in it."""
    run = read_index(folder)
    inside = [group.folder for group in run.groups] if run is not None else []
    files = sorted(file.name for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    hint = _GROUP
    if inside or files:
        what = "one of its groups" if inside else "a file"
        hint = f"name {what}, such as `{written.rstrip('/')}/{(inside or files)[0]}`"
    return ResourceError(f"`{written}` holds no latents", hint)


def _near(place: Path, path: Path, written: str) -> str | None:
    """Return a hint at a place whose name is much like the first part of `place` that is not there.

    Args:
        place: where nothing is.
        path: the end of `place` that was written.
        written: as it was written.
    """
    missing = next(each for each in (*reversed(place.parents), place) if not each.exists())
    depth = len(place.parts) - len(missing.parts)
    if depth >= len(path.parts) or not missing.parent.is_dir():
        return None
    rest = path.parts[len(path.parts) - depth :]
    others = [
        other.name
        for other in missing.parent.iterdir()
        if other.is_dir() or (depth == 0 and other.suffix.lower() in SUFFIXES)
    ]
    close = nearest(missing.name, [name for name in others if not name.startswith(".")])
    if close is None:
        return None
    shown = Path(*path.parts[: len(path.parts) - depth - 1], close)
    whole = shown.joinpath(*rest)
    there = missing.with_name(close).joinpath(*rest).exists()
    prefix = "./" if written.startswith("./") else ""
    return f"did you mean `{prefix}{(whole if there else shown).as_posix()}`?"
