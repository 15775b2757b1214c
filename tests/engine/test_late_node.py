"""Machines of a cluster that join late, and that are lost: the same bytes as one process makes."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from test_workers import SMALL, files

import lacelang
from lacelang.engine import ray_session


def _decoded(log: Path) -> list[dict[str, Any]]:
    if not log.exists():
        return []
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if line["event"] == "decoded"]


def _wait(log: Path, done: int, thread: threading.Thread) -> None:
    while thread.is_alive() and not any(e["done"] >= done for e in _decoded(log)):
        time.sleep(0.1)


@pytest.mark.slow
def test_a_machine_joins_late_and_is_lost_again(tmp_path: Path) -> None:
    ray_session.imported()
    import ray
    from ray.cluster_utils import Cluster

    program = lacelang.compile("sample 1500 from digits where digit=three seed 1 as threes")
    program.run(out=tmp_path / "one", **SMALL)
    how: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100 << 20}
    cluster = Cluster(initialize_head=True, head_node_args={**how, "include_dashboard": False})
    log, seen = tmp_path / "log", set[int]()
    # Ray starts nodes in the main thread alone.
    thread = threading.Thread(
        target=program.run, kwargs={"out": tmp_path / "two", "workers": 2, "log": log, **SMALL}
    )
    try:
        ray.init(address=cluster.address, log_to_driver=False)
        thread.start()
        _wait(log, 100, thread)
        node = cluster.add_node(**how)
        raylets = {
            each.process.pid
            for some in cluster.list_all_nodes()
            for each in some.all_processes["raylet"]
        }
        assert len(raylets) == 2
        while thread.is_alive() and len(seen) < 2:
            for process in psutil.process_iter(["cmdline", "ppid"]):
                line = " ".join(process.info["cmdline"] or ())
                if line.startswith("ray::") and "unit" in line and process.info["ppid"] in raylets:
                    seen.add(process.info["ppid"])
            time.sleep(0.1)
        still = thread.is_alive()
        cluster.remove_node(node, allow_graceful=False)
        thread.join()
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert len(seen) == 2  # both computed
    assert still
    assert files(tmp_path / "two") == files(tmp_path / "one")
