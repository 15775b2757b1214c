"""The card of a data set, as Markdown: what is in it, how to load it, how to make it again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from urllib.parse import quote

from lacelang.render.licences import licence_of
from lacelang.render.markdown import markdown_text
from lacelang.storage.datasets.index import GroupIndex, Index, Tally
from lacelang.storage.datasets.judged import JudgedSet

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


def card_of(index: Index, judged: JudgedSet | None = None) -> str:
    """Return the card of a data set, with what annotators saw in it if that is known."""
    return "\n".join(_lines(index, judged)).rstrip() + "\n"


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


def _lines(index: Index, judged: JudgedSet | None) -> Iterator[str]:
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
    licences: dict[str, list[str]] = {}
    for each in index.groups:
        licences.setdefault(licence_of(each.group), []).append(each.group.name)
    for licence, names in licences.items():
        of = "" if len(licences) == 1 else f" of {', '.join(map(markdown_text, names))}"
        yield f"- licence of the weights that made the images{of}: {licence}"
    yield ""
    for each in index.groups:
        yield from _group(each)
    yield from _seen(index, judged)
    yield "## Loading"
    yield ""
    folder = index.groups[0].group.folder if index.groups else "GROUP"
    yield f"```python\n{_LOADING[layout.format].format(folder=folder).rstrip()}\n```"
    yield ""
    yield "## Making it again"
    yield ""
    yield "Sample i depends on the program, the seed, the versions below and i alone. Saved as a"
    yield "file, the program makes the same data set again. One sample is made again, and compared"
    yield "with what is here, by a command, run where this file is:"
    yield ""
    name = index.groups[0].group.name if index.groups else "GROUP"
    yield f"    lacelang replay . {shlex.quote(f'{name}/0')}"
    yield ""
    # A fence that is longer than any in the text.
    fence = "`" * max(3, 1 + max(map(len, _ticks(index.program.source)), default=0))
    yield f"{fence}lace\n{index.program.source.rstrip()}\n{fence}"
    yield ""
    yield ", ".join(f"{name} {version}" for name, version in index.versions.items())


def _seen(index: Index, judged: JudgedSet | None) -> Iterator[str]:
    yield "## Judged from the images"
    yield ""
    if judged is None or not judged.is_of(index):
        since = "" if judged is None else " since it grew"
        yield f"Not yet{since}. `lacelang evaluate .` judges some samples of every group by image"
        yield "annotators, and writes obedience, variety and contact sheets here."
        yield ""
        return
    yield "By image annotators, which play no part in sampling, on some samples of every group."
    yield "They err; values of gender and age are guesses about synthetic pictures."
    yield ""
    yield judged.text.strip()
    yield ""
    for sheet in judged.sheets:
        yield f"![{markdown_text(sheet.title)}]({quote(sheet.file)})"
        yield ""


def _ticks(text: str) -> Iterator[str]:
    yield from re.findall("`+", text)


def _group(each: GroupIndex) -> Iterator[str]:
    group, tally = each.group, each.tally
    yield f"## {group.name}"
    yield ""
    yield f"`{group.condition or 'no condition'}`, seed {group.seed}, model"
    yield f"{group.settings.get('model', 'unknown')}; {tally.count} of {group.count} samples in"
    shards = f"{each.shards} shard{'' if each.shards == 1 else 's'}"
    yield f"{shards}, {size_text(each.bytes)}; SHA-256 of the digests of its files:"
    yield f"`{each.digest or 'none'}`"
    yield ""
    rows = list(shares(tally))
    if rows:
        yield "| what | share |"
        yield "| --- | --- |"
        for name, said in rows:
            yield f"| {name.replace('|', chr(92) + '|')} | {said} |"
        yield ""
