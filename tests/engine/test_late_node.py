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


def _wait(log: Path, done: int, failed: threading.Event) -> None:
    while not failed.is_set() and not any(e["done"] >= done for e in _decoded(log)):
        time.sleep(0.1)


@pytest.mark.slow
def test_a_machine_joins_late_and_another_is_lost(tmp_path: Path) -> None:
    ray_session.imported()
    import ray
    from ray.cluster_utils import Cluster

    program = lacelang.compile("sample 1500 from digits where digit=three seed 1 as threes")
    program.run(out=tmp_path / "one", **SMALL)
    how: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100 << 20}
    cluster = Cluster(initialize_head=True, head_node_args={**how, "include_dashboard": False})
    nodes: list[Any] = []
    seen: set[int] = set()
    ended, log = threading.Event(), tmp_path / "log"

    def machines() -> None:
        """Have a second one join after some images, and lose it after some more."""
        _wait(log, 200, ended)
        nodes.append(cluster.add_node(**how))
        raylets = {
            each.process.pid
            for node in cluster.list_all_nodes()
            for each in node.all_processes["raylet"]
        }
        while not ended.is_set() and len(seen) < 2:
            for process in psutil.process_iter(["cmdline", "ppid"]):
                line = " ".join(process.info["cmdline"] or ())
                if line.startswith("ray::") and "unit" in line and process.info["ppid"] in raylets:
                    seen.add(process.info["ppid"])
            time.sleep(0.1)
        cluster.remove_node(nodes[0], allow_graceful=False)

    try:
        ray.init(address=cluster.address, log_to_driver=False)
        thread = threading.Thread(target=machines)
        thread.start()
        try:
            program.run(out=tmp_path / "two", workers=2, log=log, **SMALL)
        finally:
            ended.set()
            thread.join()
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert len(seen) == 2  # both computed
    assert files(tmp_path / "two") == files(tmp_path / "one")
