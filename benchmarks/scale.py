"""What runs at scale cost here: `python benchmarks/scale.py bookkeeping|faces|latents [--count N]`.

    bookkeeping  a run of a million samples of which all but a thousand are there: how long it takes
                 to plan, to resume and to index, and the memory of the process that was started
    faces        faces end to end with a worker a core, beside the decoder alone; memory over time
    latents      `glasses=1` without images, in one process, and where the time goes

Run it on an idle machine. `faces` takes about 11 minutes on two cores, `latents` about as long as
it says for a million, times a tenth; `--count` makes either shorter.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil

import lacelang
from lacelang.storage.datasets.index import (
    File,
    Shard,
    Tally,
    read_index,
    shard_name,
    write_shard,
)
from lacelang.storage.datasets.place import Local

FACES = "sample {} from ffhq where glasses=1 seed 1 as faces"
DIGITS = "sample {} from digits where digit=three seed 1 as threes"
SHARD = 1000


def megabytes(process: psutil.Process) -> float:
    """Resident memory of a process; 0 once it has ended."""
    try:
        return float(process.memory_info().rss) / 1e6
    except psutil.Error:
        return 0.0


def bookkeeping(count: int) -> None:
    """Pretend all shards but the last one, and let a process of its own go on from there."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        options: dict[str, Any] = {"format": "webdataset", "images": False}
        lacelang.compile(DIGITS.format(1)).run(out=out, **options)
        place = Local(out)
        index = read_index(place)
        assert index is not None
        group = index.groups[0].group
        root = out / group.folder
        begun = time.perf_counter()
        for first in range(0, count - SHARD, SHARD):
            name = f"{shard_name(first)}.tar"
            (root / name).write_bytes(b"")
            tally = Tally(SHARD, {"converged": SHARD}, holds={"digit=three": SHARD})
            files = (File(name, 0, "0" * 64),)
            shard = Shard(group.fingerprint, index.layout, first, files, tally)
            write_shard(place, group.folder, shard)
        print(f"pretending {count - SHARD} samples: {time.perf_counter() - begun:.1f} s")
        program = out / "many.lace"
        program.write_text(DIGITS.format(count))
        code = (
            "import resource, sys, time, lacelang, pathlib; b = time.perf_counter();"
            "p = lacelang.compile(pathlib.Path(sys.argv[1]).read_text());"
            "r = p.run(out=sys.argv[2], format='webdataset', images=False, log=sys.argv[3]);"
            "print(r.dataset.groups[0].tally.count, r.dataset.complete,"
            " time.perf_counter() - b, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)"
        )
        log = out / "log"
        command = [sys.executable, "-c", code, str(program), str(out), str(log)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        drawn = sum(each["seconds"] for each in events(log) if each["event"] == "drawn")
        print(f"{said[0]} samples, complete: {said[1]}; a run that makes the last {SHARD}:")
        print(f"  {float(said[2]):.1f} s, of which {drawn:.1f} s drew samples")
        print(f"  most memory of the process {float(said[3]):.0f} MB; limit 500 MB")


def events(log: Path) -> list[dict[str, Any]]:
    """The lines of a log."""
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


class Watcher(threading.Thread):
    """Watches the memory and the processor time of a process and its workers."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.done = threading.Event()
        self.driver: list[float] = []
        self.workers: dict[int, list[float]] = defaultdict(list)
        self._process = psutil.Process(pid)
        self._computed: dict[int, float] = {}

    @property
    def computed(self) -> float:
        """Processor seconds of all of them, Ray's own processes included."""
        return sum(self._computed.values())

    def run(self) -> None:
        """See `Thread`."""
        while not self.done.wait(0.25):
            self.driver.append(megabytes(self._process))
            try:
                found = [self._process, *self._process.children(recursive=True)]
            except psutil.Error:
                return
            for each in found:
                try:
                    times, line = each.cpu_times(), " ".join(each.cmdline())
                except psutil.Error:
                    continue
                self._computed[each.pid] = times.user + times.system
                if line.startswith("ray::") and "IDLE" not in line:
                    self.workers[each.pid].append(megabytes(each))

    def said(self) -> None:
        """Print the means of the second and of the last quarter, and the largest."""
        print("memory in MB       second quarter  last quarter  ratio  largest")
        rows = {"driver": self.driver, **{f"worker {k}": v for k, v in self.workers.items()}}
        for name, values in rows.items():
            quarter = len(values) // 4
            if quarter < 4:
                continue
            early, late = values[quarter : 2 * quarter], values[-quarter:]
            a, b = sum(early) / len(early), sum(late) / len(late)
            print(f"  {name:16} {a:14.0f} {b:13.0f} {b / a:6.2f} {max(values):8.0f}")


def faces(count: int) -> None:
    """Decode alone on all cores, then run end to end; print both, and their ratio."""
    cores = os.cpu_count() or 1
    group = lacelang.compile(FACES.format(min(count, 128))).run()["faces"]
    for _ in group._decode(group.w[:8]):
        pass  # compiled by now
    begun, computed = time.perf_counter(), time.process_time()
    number = sum(1 for _ in group._decode(group.w))
    alone = number / (time.perf_counter() - begun)
    each = (time.process_time() - computed) / number
    print(f"decoder alone, {cores} cores: {alone:.3f} faces/s, {each:.3f} processor seconds each")
    with tempfile.TemporaryDirectory() as folder:
        program, out, log = (Path(folder) / name for name in ("faces.lace", "out", "log"))
        program.write_text(FACES.format(count))
        command = [sys.executable, "-m", "lacelang", "run", str(program), "--out", str(out)]
        command += ["--format", "webdataset", "--image-format", "jpeg", "--log", str(log)]
        begun = time.perf_counter()
        process = subprocess.Popen([*command, "--workers", str(cores)])
        watcher = Watcher(process.pid)
        watcher.start()
        if process.wait():
            raise SystemExit("the run failed")
        rate = count / (time.perf_counter() - begun)
        watcher.done.set()
        watcher.join()
        found, index = events(log), read_index(Local(out))
    said = f"{rate:.3f} faces/s, {watcher.computed / count:.3f} processor seconds each"
    print(f"end to end, {count} faces: {said}; ratio {rate / alone:.3f}")
    units = [e for e in found if e["event"] == "decoded"]
    since = seconds_between(units[0]["time"], units[-1]["time"])
    if since > 0:
        steady = (units[-1]["done"] - units[0]["done"]) / since
        print(f"after the first unit: {steady:.3f} faces/s; ratio {steady / alone:.3f}")
    drawn = sum(e["seconds"] for e in found if e["event"] == "drawn")
    print(f"drawing: {drawn / count:.4f} s of one core each")
    assert index is not None
    print(f"{index.groups[0].bytes / count / 1e6:.3f} MB each, JPEG and latents")
    watcher.said()


def seconds_between(one: str, other: str) -> float:
    """Seconds from one time of a log to another."""
    from datetime import datetime

    return (datetime.fromisoformat(other) - datetime.fromisoformat(one)).total_seconds()


def latents(count: int) -> None:
    """Draw latents alone, and say what takes the time."""
    from torch.profiler import ProfilerActivity, profile

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        program = lacelang.compile(FACES.format(count))
        begun = time.perf_counter()
        run = program.run(out=Path(folder) / "out", format="parquet", images=False, log=log)
        took = time.perf_counter() - begun
        drawn = sum(e["seconds"] for e in events(log) if e["event"] == "drawn")
        assert run.dataset is not None
        size = run.dataset.groups[0].bytes / count / 1e3
    print(f"{count} latents: {took:.1f} s; a million: {took / count * 1e6 / 3600:.2f} h")
    print(f"  drawing {drawn / took:.1%}; records, files and loading {1 - drawn / took:.1%}")
    print(f"  {size:.2f} kB a sample; memory {megabytes(psutil.Process()):.0f} MB")
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        lacelang.compile(FACES.format(512)).run()
    print("where drawing spends its time, of 512:")
    print(seen.key_averages().table(sort_by="self_cpu_time_total", row_limit=8))


def main() -> None:
    """Run one of the measurements."""
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
