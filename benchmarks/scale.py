"""What runs at scale cost here: `python benchmarks/scale.py bookkeeping|faces|latents [--count N]`.

    bookkeeping  the index of a million samples: shards read and summed up, batches planned
    faces        faces end to end with a worker a core, beside the decoder alone; memory
    latents      `glasses=1` without images, in one process

Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from pathlib import Path

import psutil
from attrs import evolve

import lacelang
from lacelang.engine.tasks import batches
from lacelang.storage.datasets.folder import DatasetGroup
from lacelang.storage.datasets.index import (
    SHARD_SIZE,
    File,
    GroupIndex,
    Layout,
    Shard,
    Tally,
    shard_name,
    write_shard,
)
from lacelang.storage.datasets.place import Local
from lacelang.storage.records import GroupRecord

FACES = "sample {} from ffhq where glasses=1 as faces"


def rss() -> float:
    """Resident memory of this process in MB."""
    return psutil.Process().memory_info().rss / 1e6


def bookkeeping(count: int) -> None:
    record = GroupRecord("kids", "kids", "glasses=1", "f", 0, count, {}, ())
    layout = Layout("webdataset", images=None)
    with tempfile.TemporaryDirectory() as folder:
        place, root = Local(Path(folder)), Path(folder) / "kids"
        root.mkdir()
        begun = time.perf_counter()
        for first in range(0, count, SHARD_SIZE):
            name = f"{shard_name(first)}.tar"
            (root / name).touch()
            tally = Tally(min(SHARD_SIZE, count - first), {"converged": SHARD_SIZE})
            write_shard(place, "kids", Shard("f", layout, first, (File(name, 0, "0" * 64),), tally))
        print(f"writing what is said of the shards: {time.perf_counter() - begun:.2f} s")
        begun = time.perf_counter()
        group = DatasetGroup(place, record, layout)
        group.load()
        index = GroupIndex.of(evolve(record), group.shards)
        took = time.perf_counter() - begun
        print(f"resuming {index.tally.count} samples in {index.shards} shards: {took:.2f} s")
    begun = time.perf_counter()
    planned = sum(1 for _ in batches(0, count))
    print(f"planning {planned} batches: {time.perf_counter() - begun:.2f} s; {rss():.0f} MB")


def faces(count: int) -> None:
    program = lacelang.compile(FACES.format(count))
    cores = os.cpu_count() or 1
    w = lacelang.compile(FACES.format(32)).run()["faces"]
    list(w.each_image())
    begun = time.perf_counter()
    number = sum(1 for _ in w._decode(w.w))
    alone = number / (time.perf_counter() - begun)
    most = [0.0, 0.0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(1.0):
            children = psutil.Process().children(recursive=True)
            found = [0.0]
            for child in children:
                try:
                    found.append(child.memory_info().rss / 1e6)
                except psutil.Error:
                    continue
            most[:] = [max(most[0], rss()), max(most[1], *found)]

    watcher = threading.Thread(target=watch)
    watcher.start()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        run = program.run(out=folder, format="webdataset", image_format="jpeg", workers=cores)
        rate = count / (time.perf_counter() - begun)
    done.set()
    watcher.join()
    assert run.dataset is not None
    size = run.dataset.groups[0].bytes / count / 1e6
    print(f"decoder alone {alone:.2f} faces/s; end to end {rate:.2f}, ratio {rate / alone:.3f}")
    print(f"{size:.2f} MB a face; memory: driver {most[0]:.0f} MB, largest worker {most[1]:.0f} MB")


def latents(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        lacelang.compile(FACES.format(count)).run(out=folder, format="parquet", images=False)
        took = time.perf_counter() - begun
    hours = took / count * 1e6 / 3600
    print(f"{count} latents: {took:.1f} s; a million: {hours:.1f} h; {rss():.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["bookkeeping", "faces", "latents"])
    parser.add_argument("--count", type=int)
    given = parser.parse_args()
    whole = {"bookkeeping": 10**6, "faces": 2000, "latents": 100_000}
    {"bookkeeping": bookkeeping, "faces": faces, "latents": latents}[given.what](
        given.count or whole[given.what]
    )


if __name__ == "__main__":
    main()
