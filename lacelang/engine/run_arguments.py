"""What Python asks of a run, as plain values: its data set, its workers, earlier groups.

Nothing that holds tensors is imported unless such a thing is passed. Each function raises a
UsageError that names the argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from lacelang import arguments
from lacelang.errors import UsageError
from lacelang.text.names import nfc

if TYPE_CHECKING:
    from lacelang.engine.result import Group
    from lacelang.storage.datasets.index import DatasetOptions


def dataset_of(
    out: str | PathLike[str] | None,
    format_: str,
    image_format: str,
    quality: int | None,
    shard_size: int | None,
    images: bool,
    on_image: object,
) -> tuple[str | PathLike[str] | None, DatasetOptions | None]:
    """Return the folder of a run, and the data set that is written in its place."""
    from lacelang.storage.datasets.index import (
        FORMATS,
        IMAGE_FORMATS,
        QUALITY,
        SHARD_SIZE,
        DatasetOptions,
        Layout,
    )
    from lacelang.storage.datasets.place import is_url

    kind = _one_of(format_, "format", ("folder", *FORMATS))
    encoding = _one_of(image_format, "image_format", IMAGE_FORMATS)
    if quality is not None:
        quality = arguments.whole(quality, "quality", 1, 100, "from 1 to 100")
    if shard_size is not None:
        shard_size = arguments.whole(shard_size, "shard_size", 1, 10**6, "from 1 to a million")
    url = isinstance(out, str) and is_url(out)
    if kind == "folder":
        for given, name in (
            (encoding != "png", "image_format"),
            (quality is not None, "quality"),
            (shard_size is not None, "shard_size"),
        ):
            if given:
                raise UsageError(
                    f"`{name}` is of a data set; choose the format webdataset or parquet", name
                )
        if url:
            raise UsageError("`out`, a URL, is for the formats webdataset and parquet", "out")
        return out, None
    if out is None:
        raise UsageError("`out` names the folder or the URL of a data set", "out")
    if on_image is not None:
        raise UsageError("`on_image` is told of images in a folder, not of a data set", "on_image")
    if quality is not None and (encoding == "png" or not images):
        raise UsageError("`quality` is of JPEG and WebP; PNG has none", "quality")
    if encoding != "png" and quality is None:
        quality = QUALITY
    place = str(out) if url else arguments.path(out, "out", "a folder")
    layout = Layout(kind, shard_size or SHARD_SIZE, encoding if images else None, quality)
    return None, DatasetOptions(place, layout)


def workers_of(workers: object) -> int | str | None:
    """Return how many workers share a run, or the address of a cluster; None for this process."""
    if workers is None:
        return None
    if isinstance(arguments.item(workers), str):
        address = arguments.text(workers, "workers", "a number or an address")
        if not arguments.CLUSTER.fullmatch(address):
            arguments.refuse(workers, "workers", "is a number, or an address: ray://HOST:PORT")
        return address
    number = arguments.whole(workers, "workers", 1, 10**4, "from 1 to 10 000")
    return None if number == 1 else number


def kept_of(kept: object) -> Mapping[str, Group]:
    """Return groups of earlier runs by name."""
    if kept is None:
        return {}
    from lacelang.system.torch_state import isolated

    with isolated():
        from lacelang.engine.result import Group, Run

    groups = kept.groups if isinstance(kept, Run) else kept
    groups = arguments.mapping(groups, "kept", "names to groups of earlier runs")
    for name, group in groups.items():
        if not isinstance(group, Group) or not isinstance(name, str) or group.name != nfc(name):
            arguments.refuse({name: group}, "kept", "is a mapping of names to groups so called")
    return {nfc(name): group for name, group in groups.items()}


def _one_of(value: object, name: str, known: Sequence[Any]) -> Any:
    plain = arguments.text(value, name, f"one of: {', '.join(known)}")
    if plain not in known:
        arguments.refuse(value, name, f"is one of: {', '.join(known)}")
    return plain
