"""The converted weights in the cache: made once from the archive, checked whenever they are read.

One folder holds `mapping.safetensors`, `synthesis.safetensors`, and for a CPU the OpenVINO IR
`painter.xml` and `.bin`, with `manifest.json` giving the SHA-256 of each.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.errors import ResourceError
from lacelang.storage import fetch
from lacelang.storage.archives import member
from lacelang.storage.cache import cache_dir, made_once, sha256_of

if TYPE_CHECKING:
    from lacelang.progress import Progress

# Raised whenever the layout or the conversion changes, so that no stale folder is read.
FORMAT = 2
MANIFEST = "manifest.json"
# Draws that mean and covariance of w are taken over: the mean's standard error is 0.4 % of w's
# spread.
PRIOR_DRAWS = 65_536
PRIOR_SEED = 0
# Directions in which w hardly varies count as if they varied by this share of the mean variance.
VARIANCE_FLOOR = 1e-3


def folder_for(archive: fetch.Archive) -> Path:
    """Where the converted weights of `archive` lie."""
    return cache_dir() / "models" / f"mobilestylegan-{FORMAT}-{archive.sha256[:12]}"


def is_converted(archive: fetch.Archive) -> bool:
    """Whether the folder of converted weights is there."""
    return (folder_for(archive) / MANIFEST).is_file()


def converted(archive: fetch.Archive, progress: Progress | None = None, help_: str = "") -> Path:
    """Return the folder of converted weights, fetching and converting on first use."""
    folder = folder_for(archive)
    if is_converted(archive):
        return folder
    source = fetch.obtain(archive, progress, help_)

    def make(partial: Path) -> None:
        with progress.stage(f"converting {archive}") if progress else nullcontext():
            _convert(source, partial)
            digests = {path.name: sha256_of(path) for path in sorted(partial.iterdir())}
            manifest = json.dumps({"format": FORMAT, "sha256": digests}, indent=1)
            (partial / MANIFEST).write_text(manifest)

    made_once(folder, f"converting {archive}", make, MANIFEST)
    return folder


def verify(folder: Path, name: str) -> Path:
    """Return the path of a converted file, unless its SHA-256 has changed since it was made."""
    path = folder / name
    try:
        expected = json.loads((folder / MANIFEST).read_text())["sha256"][name]
        if sha256_of(path) == expected:
            return path
    except (OSError, ValueError, KeyError):
        pass
    raise ResourceError(
        f"the converted weights {path} are damaged", f"delete the folder {folder} and run again"
    )


def _convert(source: Path, folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    from lacelang.generators.mobilestylegan import DIM, convert
    from lacelang.generators.mobilestylegan.generator import export
    from lacelang.generators.mobilestylegan.networks import MappingNetwork, SynthesisNetwork

    with tempfile.TemporaryDirectory() as scratch:
        for network in ("MappingNetwork", "SynthesisNetwork"):
            for ending in ("xml", "bin"):
                data = member(source, f"random_face/data/{network}.{ending}")
                (Path(scratch) / f"{network}.{ending}").write_bytes(data)
        mapping_state = convert.mapping_state(Path(scratch) / "MappingNetwork.xml")
        synthesis_state = convert.synthesis_state(Path(scratch) / "SynthesisNetwork.xml")
    mapping = MappingNetwork()
    mapping.load_state_dict(mapping_state)
    synthesis = SynthesisNetwork()
    synthesis.load_state_dict(synthesis_state)
    with torch.inference_mode():
        z = torch.randn(PRIOR_DRAWS, DIM, generator=torch.Generator().manual_seed(PRIOR_SEED))
        w = torch.cat([mapping(part) for part in torch.split(z, 4096)]).double()
        variance, axes = torch.linalg.eigh(torch.cov(w.T))
        whitening = axes * (variance + VARIANCE_FLOOR * variance.mean()).rsqrt()
    statistics = {"w_mean": w.mean(0).float(), "w_whitening": whitening.float()}
    states = {"mapping": mapping_state | statistics, "synthesis": synthesis_state}
    for name, state in states.items():
        contiguous = {key: each.contiguous() for key, each in state.items()}
        save_file(contiguous, folder / f"{name}.safetensors")
    export(synthesis, folder / "painter.xml")
