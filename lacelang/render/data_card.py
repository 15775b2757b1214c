"""The card of a data set, as Markdown: what is in it, how to load it, how to make it again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lacelang.storage.datasets.index import GroupIndex, Index, Tally

_LOADING = {
    "webdataset": """\
import webdataset as wds

samples = wds.WebDataset("{folder}/000000000.tar", shardshuffle=False).decode("pil")
""",
    "parquet": """\
from pyarrow import dataset

table = dataset.dataset("{folder}", format="parquet", exclude_invalid_files=True).to_table()
""",
}


def card_of(index: Index) -> str:
    """Return the card of a data set."""
    return "\n".join(_lines(index)).rstrip() + "\n"


def shares(tally: Tally) -> Iterator[tuple[str, str]]:
    """Yield what `each` drew and what holds of some samples, as a name and what is said of it."""
    for name, classes in tally.classes.items():
        total = sum(classes.values())
        yield (
            f"{name} (drawn)",
            ", ".join(f"{each} {count} ({count / total:.1%})" for each, count in classes.items()),
        )
    for name, drawn in tally.numbers.items():
        yield (
            f"{name} (drawn)",
            f"mean {drawn.mean:.4g}, from {drawn.least:.4g} to {drawn.most:.4g}",
        )
    for name, held in tally.holds.items():
        yield name, f"predicted in {held} of {tally.count} ({held / max(tally.count, 1):.1%})"
    ends = {name: count for name, count in tally.status.items() if name != "converged"}
    if ends:
        yield "not converged", ", ".join(f"{count} {name}" for name, count in ends.items())
    if tally.failures:
        yield "failed", ", ".join(str(each.index) for each in tally.failures[:10])


def size_text(size: int) -> str:
    """A number of bytes for people."""
    number = float(size)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if number < 1000 or unit == "TB":
            break
        number /= 1000
    return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.3g} {unit}"


def _lines(index: Index) -> Iterator[str]:
    layout = index.layout
    count = sum(each.tally.count for each in index.groups)
    yield f"# {index.program.name}"
    yield ""
    yield f"{count} synthetic samples, which no camera took, made by lacelang from the program"
    yield "below."
    if not index.complete:
        yield "The data set is not complete: the same command goes on from there."
    yield ""
    images = "no images" if layout.images is None else f"images as {layout.images.upper()}"
    if layout.quality is not None:
        images += f", quality {layout.quality}"
    size = size_text(sum(each.bytes for each in index.groups))
    yield f"- format: {layout.format}, {layout.shard_size} samples a shard, {images}; {size}"
    yield "- labels: conditions that samples were steered to, and predictions of the classifiers of"
    yield "  latents that steered them. Neither is a judgement of the image."
    yield "- licence: that of the generator's weights, see its model's page, applies to the samples"
    yield ""
    for each in index.groups:
        yield from _group(each)
    yield "## Loading"
    yield ""
    folder = index.groups[0].group.folder if index.groups else "GROUP"
    yield f"```python\n{_LOADING[layout.format].format(folder=folder).rstrip()}\n```"
    yield ""
    yield "## Making it again"
    yield ""
    yield "Sample i depends on the program, the seed, the versions below and i alone. Saved as a"
    yield "file, the program makes the same data set again; a PNG image that carries its metadata"
    yield "is made again on its own by `lacelang replay`."
    yield ""
    # A fence that is longer than any in the text.
    fence = "`" * max(3, 1 + max(map(len, _ticks(index.program.source)), default=0))
    yield f"{fence}lace\n{index.program.source.rstrip()}\n{fence}"
    yield ""
    yield ", ".join(f"{name} {version}" for name, version in index.versions.items())


def _ticks(text: str) -> Iterator[str]:
    yield from re.findall("`+", text)


def _group(each: GroupIndex) -> Iterator[str]:
    group, tally = each.group, each.tally
    yield f"## {group.name}"
    yield ""
    yield f"`{group.condition or 'no condition'}`, seed {group.seed}, model"
    yield f"{group.settings.get('model', 'unknown')}; {tally.count} of {group.count} samples in"
    yield f"{each.shards} shards, {size_text(each.bytes)}; SHA-256 of the digests of its files:"
    yield f"`{each.digest or 'none'}`"
    yield ""
    rows = list(shares(tally))
    if rows:
        yield "| what | share |"
        yield "| --- | --- |"
        for name, said in rows:
            yield f"| {name.replace('|', chr(92) + '|')} | {said} |"
        yield ""
