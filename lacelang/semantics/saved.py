"""Samples on disk that an edit begins from: a group of an earlier run, or a file of latents.

The functions raise a `ResourceError` where there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang import ir
from lacelang.errors import ResourceError
from lacelang.generators import Layout
from lacelang.semantics import defaults
from lacelang.semantics.clauses import Clauses
from lacelang.semantics.context import Frame, nearest
from lacelang.storage.given import SUFFIXES, read_given
from lacelang.storage.latents import Shards
from lacelang.storage.records import GroupRecord, read_index
from lacelang.syntax import nodes
from lacelang.system.filenames import as_text, on_disk, resolved
from lacelang.text.names import nfc, place_of

if TYPE_CHECKING:
    from lacelang.storage.provenance import SavedSamples

_GROUP = "name the folder of a group that a run has made, or a file of latents"
_MADE_AGAIN = "run the program that made it again"


def find_saved(
    text: nodes.Text,
    read: Clauses,
    find_model: Callable[[nodes.Word, Frame], ir.ModelSpec | None],
) -> ir.Saved | None:
    """Return the samples that `text` names; None if they are wrong, which is reported.

    It is a group's folder in a run's, or a file of latents; from the folder of the program or, if
    nothing is there, from the current one, as the folder that `--out` names is. Where no run.json
    is beside the latents, `from` says which model they are of, and `truncation` how they are
    truncated. The model is noted in `read`.
    """
    shown = text.value
    try:
        path, group = _found(shown, read.frame.module.folder)
        word = _model_named(text, group, read)
        model = None if word is None else find_model(word, read.frame)
        if model is None:
            return None
        read.model = model  # the default of `truncation` is the model's
        if group is None:
            saved = ir.Saved(path, read.value("truncation"), defaults.SEED)
        else:
            truncation = float(group.settings["truncation"])
            photo = group.settings.get("photo")
            digest = str(photo.get("sha256")) if isinstance(photo, dict) else None
            saved = ir.Saved(path, truncation, group.seed, group.fingerprint, digest)
        layout = model.layout  # what an unknown generator is, is reported elsewhere
        if layout is not None and group is None:
            read_given(path, layout, shown)
        elif layout is not None and group is not None:
            _refuse_other_models(Shards.open(path, group.fingerprint), layout, shown)
    except ResourceError as error:
        read.model = None
        read.say("LACE120", error.message, text, error.remedy)
        return None
    return saved


def known_saved(
    text: nodes.Text,
    known: SavedSamples,
    read: Clauses,
    find_model: Callable[[nodes.Word, Frame], ir.ModelSpec | None],
) -> ir.Saved | None:
    """Return the samples that `text` names, of which everything is `known`; see `find_saved`."""
    model = find_model(nodes.Word(nfc(known.model), span=text.span), read.frame)
    if model is None:
        return None
    read.model = model
    fingerprint = "" if known.of_run else None
    return ir.Saved(Path(text.value), known.truncation, known.seed, fingerprint, known.photo)


def _model_named(text: nodes.Text, group: GroupRecord | None, read: Clauses) -> nodes.Word | None:
    """Return the name of the samples' model; None if nothing has it, which is reported."""
    if group is not None:
        read.refuse(f"is known from the run that `{text.value}` belongs to", "leave it out")
        return nodes.Word(nfc(group.settings["model"]), span=text.span)
    clause = read.get("from", nodes.FromClause)
    if clause is not None:
        return clause.model
    message = "no run.json says of which model these latents are"
    read.say(
        "LACE302",
        message,
        text,
        "add `from ffhq`, and `truncation` if it is another",
    )
    return None


def _refuse_other_models(shards: Shards, layout: Layout, shown: str) -> None:
    """Raise a `ResourceError` if a model of that layout cannot take a group's latents."""
    if not len(shards):
        raise ResourceError(f"`{shown}` holds no latents that are whole", _MADE_AGAIN)
    first, styles = shards.rows([0]), len(layout.style_layers)
    fits = first.w.shape[1:] in ((layout.w_dim,), (styles, layout.w_dim))
    if not fits or (first.z is not None and first.z.shape[1:] != (layout.latent_dim,)):
        raise ResourceError(f"`{shown}` holds latents of another model", _MADE_AGAIN)


def _found(shown: str, folder: Path | None) -> tuple[Path, GroupRecord | None]:
    """Return where the samples are, and the record of their group if they are one of a run."""
    try:
        path = _place_of(shown, folder)
        group = _recorded(path)
        if group is None and path.is_dir():
            raise ResourceError(
                f"`{shown}` holds no latents", _hint_inside(path, shown, resolved(folder or Path()))
            )
    except (OSError, RuntimeError, ValueError) as error:
        raise unreadable(shown, error) from None
    if group is not None:
        model, psi = group.settings.get("model"), group.settings.get("truncation")
        number = isinstance(psi, int | float) and not isinstance(psi, bool)
        if not (isinstance(model, str) and number and 0 < float(psi or 0) <= 1):
            message = f"run.json does not say of which model `{shown}` is and how it is truncated"
            raise ResourceError(message, _MADE_AGAIN)
    return path, group


def unreadable(shown: str, error: Exception) -> ResourceError:
    """What is said where there is no home of that name, or a name is too long for a file."""
    why = error.strerror if isinstance(error, OSError) else None
    return ResourceError(f"`{shown}` cannot be read: {(why or str(error)).lower()}")


def _recorded(path: Path) -> GroupRecord | None:
    """Return the group whose folder `path` is, as the run.json above it has it."""
    folder = path.resolve()
    run = read_index(folder.parent) if folder.is_dir() else None
    groups = run.groups if run is not None else ()
    name = nfc(as_text(folder.name))
    return next((group for group in groups if group.folder == name), None)


def existing(shown: str, folder: Path | None, suffixes: Sequence[str], remedy: str) -> Path:
    """Return the file or folder that is meant: from `folder`, or else from the current one.

    Where there is none, the error has a hint at a file of these suffixes with a similar name, or
    `remedy`.
    """
    path = Path(on_disk(shown)).expanduser()
    home = resolved(folder or Path())
    places = [place_of(place) for place in dict.fromkeys([(folder or Path()) / path, path])]
    found = next((place for place in places if place.exists()), None)
    if found is None:
        if any(place.is_symlink() for place in places):
            raise ResourceError(f"`{shown}` is a link to nothing", "mend the link, or remove it")
        hints = (_hint_near(place, path, shown, home, suffixes) for place in places)
        raise ResourceError(f"there is no `{shown}` here", next(filter(None, hints), remedy))
    return found


def _place_of(shown: str, folder: Path | None) -> Path:
    """Return the file of latents, or the folder of a group, that is meant."""
    found = existing(shown, folder, SUFFIXES, _GROUP)
    suffix = found.suffix.lower()
    if found.is_dir() or suffix in SUFFIXES:
        return found
    hint = "save the array with `numpy.save`; what is pickled is never read"
    if suffix in (".pt", ".pth"):
        hint = "save `torch.load(…, weights_only=True).cpu().numpy()` of it with `numpy.save`"
    ends = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
    raise ResourceError(f"`{shown}` is not a file of latents: those end in {ends}", hint)


def _is_below(folder: Path, home: Path) -> bool:
    place = resolved(folder)
    return place.is_relative_to(home) or place.is_relative_to(resolved(Path()))


def _hint_inside(folder: Path, shown: str, home: Path) -> str:
    """Return a hint at the samples that are in a folder which is none of a group."""
    if not _is_below(folder, home):
        return _GROUP
    run = read_index(folder)
    inside = [group.folder for group in run.groups] if run is not None else []
    files = sorted(file.name for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    if not inside and not files:
        return _GROUP
    what = "one of its groups" if inside else "a file"
    return f"name {what}, such as `{shown.rstrip('/')}/{(inside or files)[0]}`"


def _hint_near(
    place: Path, path: Path, shown: str, home: Path, suffixes: Sequence[str]
) -> str | None:
    """Return a hint at a place whose name is much like the first missing part of `place`.

    `path` is the end of `place` that was written, and `shown` how. What lies neither below `home`,
    the program's folder, nor below the current one is not listed: the program may be a stranger's.
    """
    missing = next(each for each in (*reversed(place.parents), place) if not each.exists())
    behind = place.parts[len(missing.parts) :]
    before = path.parts[: len(path.parts) - len(behind) - 1]
    if len(behind) >= len(path.parts) or not missing.parent.is_dir():
        return None
    if not _is_below(missing.parent, home):
        return None
    beside = [each for each in missing.parent.iterdir() if not each.name.startswith(".")]
    fit = [e for e in beside if e.is_dir() or (not behind and e.suffix.lower() in suffixes)]
    close = nearest(missing.name, [each.name for each in fit])
    if close is None:
        return None
    there = missing.with_name(close).joinpath(*behind).exists()
    whole = Path(*before, close, *(behind if there else ()))
    return f"did you mean `{'./' if shown.startswith('./') else ''}{whole.as_posix()}`?"
