"""The folder of the user's own models: imported generators, and attributes that were taught."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from lacelang.resources import shipped
from lacelang.storage.files import read_regular
from lacelang.system.filenames import on_disk
from lacelang.text.names import place_of

#: Environment variable that moves the folder.
MODELS_VARIABLE = "LACELANG_MODELS"


def models_dir() -> Path:
    """The folder of the user's models; not created by asking."""
    named = os.environ.get(MODELS_VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("lacelang", appauthor=False) / "models"


def file_of(folder: Path | None, name: str) -> Path:
    """Where a file lies that a declaration in `folder` names.

    It is in that folder. What the standard library names and does not have is the user's.
    """
    path = place_of((folder or Path()) / on_disk(name))
    if folder == shipped("stdlib") and not path.exists():
        return place_of(models_dir() / on_disk(name))
    return path


def imported_file(name: str) -> Path:
    """Where the imported weights of a model lie, or would lie."""
    return models_dir() / f"{name}.generator.safetensors"


def digest_beside(path: Path) -> Path:
    """The file that says the SHA-256 of weights that the standard library cannot know."""
    return path.with_name(f"{path.name}.sha256")


def recorded_digest(path: Path) -> str | None:
    """Return the SHA-256 that was recorded beside imported weights; None if there is none."""
    said = (read_regular(digest_beside(path), 1024) or b"").decode("ascii", "replace")
    digest = said.split(" ")[0]
    is_digest = len(digest) == 64 and all(each in "0123456789abcdef" for each in digest)
    return digest if is_digest else None


def attributes_dir(model: str) -> Path:
    """The folder of the attributes that a model was taught; not created by asking."""
    return models_dir() / f"{model}.attributes"


_LONGEST_HEADER = 4 << 20


def header_of(path: Path) -> dict[str, Any]:
    """Return the metadata of a safetensors file, whose tensors are not read.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no such file, or shorter than its header says.
    """
    if not path.is_file():
        raise ValueError("no regular file")
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > _LONGEST_HEADER:
            raise ValueError("not a safetensors file")
        header = json.loads(file.read(size))
    tensors = [each for name, each in header.items() if name != "__metadata__"]
    end = max((each["data_offsets"][1] for each in tensors), default=0)
    if path.stat().st_size != 8 + size + end:
        raise ValueError("cut off")
    return dict(header["__metadata__"])
