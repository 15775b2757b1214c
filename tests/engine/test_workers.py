"""Workers: the same bytes as one process makes, whatever dies. Ray starts once for all tests."""

from __future__ import annotations

import errno
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import lacelang
from lacelang.engine import ray_session, units, workers
from lacelang.engine.result import Run
from lacelang.errors import ResourceError, UsageError
from lacelang.storage.datasets.index import read_index
from lacelang.storage.datasets.place import place_of

SOURCE = """
sample 300 from digits where digit = each {three: 1, seven: 3} seed 1 as drawn
pick 3, 1, 270 of drawn as some
sample 5 from digits as plain
"""
EDITED = """
sample 10 from digits where digit=three seed 1 as drawn
edit drawn { digit = eight } as edited
"""
SMALL: dict[str, Any] = {"format": "webdataset", "shard_size": 64}


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """Ray as a run starts it, for all tests of the module."""
    imported = ray_session.imported()
    with ray_session.started(imported, 2):
        yield imported


def files(out: Path) -> dict[str, bytes]:
    names = (".lock", "index.json", "README.md", "run.json")
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in names
    }


def same(one: Run, other: Run) -> None:
    assert list(one) == list(other)
    for name in one:
        assert one[name].record == other[name].record
        rows, others = (run[name].rows.rows(slice(None)) for run in (one, other))
        assert np.array_equal(rows.w, others.w)
        assert (rows.z is None) == (others.z is None)


@pytest.mark.parametrize("source", [SOURCE, EDITED], ids=["picked", "edited"])
def test_in_memory(ray: Any, source: str) -> None:
    program = lacelang.compile(source)
    same(program.run(workers=2), program.run())


def test_a_run_folder(ray: Any, tmp_path: Path) -> None:
    program = lacelang.compile(EDITED)
    program.run(out=tmp_path / "one")
    program.run(out=tmp_path / "two", workers=2)
    assert files(tmp_path / "two") == files(tmp_path / "one")


def _kill_at_random(stop: threading.Event, killed: list[int], most: int) -> None:
    chance = random.Random(0)
    while not stop.wait(chance.uniform(0.3, 1.0)) and len(killed) < most:
        found = []
        for process in psutil.process_iter(["cmdline"]):
            line = " ".join(process.info["cmdline"] or ())
            if line.startswith("ray::") and "unit" in line and _ours(process):
                found.append(process)
        if found:
            victim = chance.choice(found)
            with suppress(psutil.Error):
                victim.kill()
                killed.append(victim.pid)


def _ours(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return any(parent.pid == os.getpid() for parent in process.parents())
    return False


@pytest.mark.slow
@pytest.mark.parametrize("kills", [2, 20])
def test_workers_that_are_killed(ray: Any, tmp_path: Path, kills: int) -> None:
    program = lacelang.compile(SOURCE.replace("300", str(150 * kills)))
    program.run(out=tmp_path / "one", **SMALL)
    stop, killed = threading.Event(), list[int]()
    killer = threading.Thread(target=_kill_at_random, args=(stop, killed, kills))
    killer.start()
    try:
        program.run(out=tmp_path / "two", workers=2, log=tmp_path / "log", **SMALL)
    finally:
        stop.set()
        killer.join()
    assert killed
    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    repeated = [each for each in events if each["event"] == "repeated"]
    assert repeated
    assert all(each["attempt"] >= 1 and ":" in each["worker"] for each in repeated)
    assert files(tmp_path / "two") == files(tmp_path / "one")


def test_an_error_of_a_worker_is_the_run_s(ray: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    program = lacelang.compile("sample 3 from digits as plain")
    monkeypatch.setattr(workers, "_job", _another_job)
    with pytest.raises(ResourceError, match="other samples of plain"):
        program.run(workers=2)


_real_job = workers._job


def _another_job(program: Any, planned: Any, options: Any, threads: int) -> Any:
    other = lacelang.compile("sample 3 from digits seed 9 as plain")
    return _real_job(other.checked, planned, options, threads)


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ResourceError, match=r"pip install 'lacelang\[ray\]'"):
        lacelang.compile("sample 1 from digits").run(workers=2)
    assert len(lacelang.compile("sample 1 from digits as x").run(workers=1)["x"]) == 1


def test_what_python_defined_inside_a_function_is_refused(ray: Any) -> None:
    small = lacelang.term(lambda w: w.square().sum(dim=1), on="w", version=1)
    program = lacelang.compile("sample 2 from digits where small", definitions={"small": small})
    with pytest.raises(UsageError, match=r"`workers` cannot have[^\0]*top of a module") as raised:
        program.run(workers=2)
    assert raised.value.argument == "workers"


def test_what_workers_cannot_import_is_refused() -> None:
    told = b"cno_such_module\nterm\n."  # a pickle of something in a module that is not there
    answer = pickle.loads(units.draw_unit(told, "x", "f", range(1), None, False))
    answer, attempt, _ = answer
    assert attempt == 0
    assert isinstance(answer, UsageError)
    assert "no_such_module" in str(answer)


@pytest.mark.skipif(os.name == "nt", reason="Ray has no sockets with a path there")
def test_a_folder_whose_path_is_too_long_for_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("long" * 8)
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    imported = ray_session.imported()
    with (
        pytest.raises(ResourceError, match=r"too long for Ray's sockets[^\0]*TMPDIR"),
        ray_session.started(imported, 2),
    ):
        pass
    assert not list(folder.iterdir())


@pytest.mark.slow
def test_a_driver_that_is_killed(tmp_path: Path) -> None:
    source = tmp_path / "many.lace"
    source.write_text("sample 1500 from digits where digit=three seed 1 as threes\n")
    command = [sys.executable, "-m", "lacelang", "run", str(source), "--format", "webdataset"]
    command += ["--shard-size", "100", "--workers", "2", "--out"]
    subprocess.run([*command, str(tmp_path / "one")], check=True, capture_output=True)
    out = tmp_path / "two"
    for shards in (2, 5, 11):
        process = subprocess.Popen(
            [*command, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and len(list(out.glob("threes/*.tar"))) < shards:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(list(out.glob("threes/*.tar"))) >= shards
    subprocess.run([*command, str(out)], check=True, capture_output=True)
    assert files(out) == files(tmp_path / "one")


@pytest.mark.slow
def test_ctrl_c_leaves_no_process_behind(tmp_path: Path) -> None:
    source = tmp_path / "many.lace"
    source.write_text("sample 3000 from digits where digit=three seed 1 as threes\n")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "lacelang", "run", str(source), "--format", "webdataset"]
    command += ["--shard-size", "100", "--workers", "2", "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not list(out.glob("threes/*.tar")):
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


SHARED = """
for s in 1..2 { sample 3 from digits where digit=three seed s as "three {s}" }
sample 70 from digits where digit=eight verified(3) seed 4 as sure
sample 3 from digits as prior
pick 2, 0 of sure as some
edit some { digit = three } as edited
measure digit=three from digits
"""


@pytest.mark.slow
@pytest.mark.parametrize("images", [True, False], ids=["images", "latents"])
def test_every_kind_of_group_and_another_number_of_workers(
    ray: Any, tmp_path: Path, images: bool
) -> None:
    """Several groups, shards that do not divide, and a run that goes on with fewer workers."""
    program = lacelang.compile(SHARED)
    how: dict[str, Any] = {"format": "parquet", "shard_size": 19, "images": images}
    program.run(out=tmp_path / "one", **how)
    program.run(out=tmp_path / "two", workers=2, only=["sure"], **how)
    program.run(out=tmp_path / "two", only=["three 1"], **how)
    program.run(out=tmp_path / "two", workers=5, **how)
    assert files(tmp_path / "two") == files(tmp_path / "one")
    assert read_index(place_of(tmp_path / "two")) == read_index(place_of(tmp_path / "one"))


@pytest.mark.slow
def test_a_disk_that_is_full_while_workers_work(ray: Any, tmp_path: Path) -> None:
    """Every write fails from some shard on; afterwards the same command goes on."""
    program = lacelang.compile("sample 400 from digits where digit=three seed 1 as threes")
    program.run(out=tmp_path / "one", **SMALL)
    real, left = os.fsync, [4]

    def fsync(file: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", fsync)
        with pytest.raises(ResourceError, match="no space left"):
            program.run(out=tmp_path / "two", workers=2, **SMALL)
    program.run(out=tmp_path / "two", workers=2, **SMALL)
    assert files(tmp_path / "two") == files(tmp_path / "one")
