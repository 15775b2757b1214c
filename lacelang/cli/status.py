"""`lacelang status`: what there is of a run or a data set."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lacelang.cli.streams import print_json
from lacelang.errors import UsageError
from lacelang.text.columns import columns_of, padded

if TYPE_CHECKING:
    from lacelang.storage.datasets.index import GroupIndex, Index
    from lacelang.storage.datasets.place import Place
    from lacelang.storage.records import GroupRecord, RunRecord


def show_status(arguments: Namespace) -> int:
    """Print what there is, group by group."""
    from lacelang.storage.datasets.index import read_index as read_dataset
    from lacelang.storage.datasets.place import place_of
    from lacelang.storage.records import read_index

    place = place_of(arguments.place)
    index = read_dataset(place)
    if index is not None:
        return _dataset(place, index, arguments)
    run = read_index(arguments.place) if isinstance(arguments.place, Path) else None
    if run is None:
        if isinstance(arguments.place, Path) and not arguments.place.is_dir():
            raise UsageError(f"there is no folder {arguments.place}")
        raise UsageError(f"{place.name} holds no run and no data set of lacelang")
    if arguments.verify:
        raise UsageError("`verify` is of a data set; a run checks its own files", "verify")
    return _run(arguments.place, run, arguments)


def group_lines(each: GroupIndex) -> Iterator[str]:
    """Yield what there is of a group of a data set, and its proportions."""
    from lacelang.render.data_card import shares, size_text

    count, shards = each.tally.count, each.shards
    yield (
        f"{each.group.name}: {count} of {each.group.count} samples in {shards} "
        f"shard{'' if shards == 1 else 's'}, {size_text(each.bytes)}"
    )
    rows = list(shares(each.tally))
    width = max((columns_of(name) for name, _ in rows), default=0)
    for name, said in rows:
        yield f"{padded(name, width)}  {said}"


def _dataset(place: Place, index: Index, arguments: Namespace) -> int:
    from lacelang.storage.datasets.folder import DatasetGroup, damaged
    from lacelang.storage.datasets.index import GroupIndex

    found, wrong = [], []
    for entry in index.groups:
        group = DatasetGroup(place, entry.group, index.layout)
        group.load()
        found.append(GroupIndex.of(entry.group, group.shards))
        if arguments.verify:
            wrong += [f"{entry.group.folder}/{name}" for name in damaged(group)]
    complete = not wrong and all(each.tally.count >= each.group.count for each in found)
    if arguments.json:
        print_json(
            {
                "complete": complete,
                "damaged": wrong,
                "groups": [
                    {
                        "name": each.group.name,
                        "samples": each.tally.count,
                        "of": each.group.count,
                        "shards": each.shards,
                        "bytes": each.bytes,
                        "digest": each.digest,
                    }
                    for each in found
                ],
            }
        )
    else:
        for each in found:
            print("\n  ".join(group_lines(each)))
        for name in wrong:
            print(f"{name}: damaged")
        print("complete" if complete else "not complete")
    return 0 if complete else 1


def _run(folder: Path, run: RunRecord, arguments: Namespace) -> int:
    found = [_counted(folder, group) for group in run.groups]
    complete = run.complete and not any(
        each["samples"] < each["of"] or each["missing"] for each in found
    )
    if arguments.json:
        print_json({"complete": complete, "groups": found})
    else:
        for each in found:
            images = f"{each['images']} image{'' if each['images'] == 1 else 's'}"
            lost = f", {each['missing']} missing" if each["missing"] else ""
            print(f"{each['name']}: {each['samples']} of {each['of']} samples, {images}{lost}")
        print("complete" if complete else "not complete")
    return 0 if complete else 1


def _counted(folder: Path, group: GroupRecord) -> dict[str, Any]:
    """Count what there is, without reading it whole: a run may be writing it."""
    from lacelang.storage.group_folder import SAMPLES, image_name
    from lacelang.storage.images import IMAGE, Images, files_of
    from lacelang.system.filenames import on_disk

    own = folder / on_disk(group.folder)
    lines = 0
    path = own / SAMPLES
    if path.is_file():
        with path.open("rb") as file:
            lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    images = sum(1 for _ in files_of(own, IMAGE))
    listed = Images(own).read()
    named = (image_name(index) for index in range(group.count))
    missing = sum(bool(listed.digest(name)) and not (own / name).is_file() for name in named)
    return {
        "name": group.name,
        "samples": lines,
        "of": group.count,
        "images": images,
        "missing": missing,
    }
