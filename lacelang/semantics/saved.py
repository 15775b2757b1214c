"""Samples on disk that an edit begins from: a group of an earlier run, or a file of latents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from lacelang.errors import ResourceError
from lacelang.output.records import GroupRecord
from lacelang.semantics import ir
from lacelang.semantics.clauses import DEFAULT_SEED, Clauses
from lacelang.semantics.report import did_you_mean
from lacelang.semantics.scope import Frame
from lacelang.storage.index import read_index
from lacelang.syntax import nodes

FindModel: TypeAlias = Callable[[nodes.Word, Frame], ir.ModelSpec | None]


def find_saved(
    text: nodes.Text, read: Clauses, find_model: FindModel
) -> tuple[ir.Saved, ir.ModelSpec] | None:
    """Return the samples that `text` names and their model; None if wrong, which is reported.

    Args:
        text: a group's folder in a run's, or a file of latents; from the current folder, as the
            folder that `--out` names is.
        read: the clauses of the edit: where no run.json is beside the latents, `from` says which
            model they are of, and `truncation` how they are truncated.
        find_model: of a name, None if there is none, which has been reported.
    """
    try:
        path = Path(text.value).expanduser()
        group = _recorded(path)
        if group is None and not path.is_file():
            _missing(path, text, read)
            return None
    except ResourceError as error:
        read.say("LACE120", error.message, text)
        return None
    except (OSError, RuntimeError, ValueError) as error:
        # No home of that name, a name too long for a file, a folder that is not ours to read.
        why = error.strerror if isinstance(error, OSError) else None
        read.say("LACE120", f"`{text.value}` cannot be read: {why or error}", text)
        return None
    named = read.get("from", nodes.FromClause)
    word = named.model if named is not None else None
    if group is not None:
        word = nodes.Word(str(group.settings.get("model", "")), span=text.span)
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
    if group is None:
        return ir.Saved(path, read.truncation(), DEFAULT_SEED), model
    return ir.Saved(path, float(group.settings["truncation"]), group.seed, group.fingerprint), model


def _recorded(path: Path) -> GroupRecord | None:
    """Return the group whose folder `path` is, as the run.json above it has it."""
    folder = path.resolve()
    run = read_index(folder.parent) if folder.is_dir() else None
    groups = run.groups if run is not None else ()
    return next((group for group in groups if group.folder == folder.name), None)


def _missing(path: Path, text: nodes.Text, read: Clauses) -> None:
    hint = "name the folder of a group that a run has made, or a file of latents"
    if path.is_dir():
        run = read_index(path)
        inside = [group.folder for group in run.groups] if run is not None else []
        if inside:
            hint = f"name one of its groups, such as `{text.value.rstrip('/')}/{inside[0]}`"
        read.say("LACE120", f"`{text.value}` holds no latents", text, hint)
        return
    if path.parent.is_dir():
        hint = did_you_mean(path.name, [other.name for other in path.parent.iterdir()]) or hint
    read.say("LACE120", f"there is no `{text.value}` here", text, hint)
