"""The converted weights in the cache: made once from the archive, checked whenever they are read.

One folder holds `mapping.safetensors`, `synthesis.safetensors`, and for a CPU the OpenVINO IR
`painter.xml` and `.bin`, with `manifest.json` giving the SHA-256 of each.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.errors import ResourceError
from lacelang.models import fetch
from lacelang.models.cache import cache_dir, guarded, locked, sha256_of

if TYPE_CHECKING:
    from lacelang.output.progress import Progress

# Raised whenever the layout or the conversion changes, so that no stale folder is read.
FORMAT = 1
MANIFEST = "manifest.json"
# Draws that the truncation mean is averaged over: its standard error is 0.4 % of w's spread.
MEAN_DRAWS = 65_536
MEAN_SEED = 0


def folder_for(archive: fetch.Archive) -> Path:
    """Where the converted weights of `archive` lie."""
    return cache_dir() / "models" / f"mobilestylegan-{FORMAT}-{archive.sha256[:12]}"


def converted(archive: fetch.Archive, progress: Progress | None = None, help_: str = "") -> Path:
    """Return the folder of converted weights, fetching and converting on first use.

    Raises:
        ResourceError: see `fetch.obtain`; or the folder cannot be written.
    """
    folder = folder_for(archive)
    if (folder / MANIFEST).is_file():
        return folder
    source = fetch.obtain(archive, progress, help_)
    with locked(folder, f"converting {archive}"):
        if (folder / MANIFEST).is_file():
            return folder
        shown = progress.stage(f"converting {archive}") if progress else nullcontext()
        with shown, guarded(folder.parent):
            partial = Path(tempfile.mkdtemp(prefix=f".partial-{folder.name}-", dir=folder.parent))
            try:
                _convert(source, partial)
                _write_manifest(partial)
                shutil.rmtree(folder, ignore_errors=True)
                os.replace(partial, folder)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    return folder


def verify(folder: Path, name: str) -> Path:
    """Return the path of one converted file after checking its SHA-256.

    Raises:
        ResourceError: the file changed since it was made.
    """
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


def _write_manifest(folder: Path) -> None:
    digests = {p.name: sha256_of(p) for p in sorted(folder.iterdir())}
    (folder / MANIFEST).write_text(json.dumps({"format": FORMAT, "sha256": digests}, indent=1))


def _convert(source: Path, folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    from lacelang.models.mobilestylegan import convert
    from lacelang.models.mobilestylegan.mapping import DIM, MappingNetwork
    from lacelang.models.mobilestylegan.painter import export
    from lacelang.models.mobilestylegan.synthesis import SynthesisNetwork

    with tempfile.TemporaryDirectory() as scratch:
        for network in ("MappingNetwork", "SynthesisNetwork"):
            for ending in ("xml", "bin"):
                data = fetch.member(source, f"random_face/data/{network}.{ending}")
                (Path(scratch) / f"{network}.{ending}").write_bytes(data)
        mapping_state = convert.mapping_state(Path(scratch) / "MappingNetwork.xml")
        synthesis_state = convert.synthesis_state(Path(scratch) / "SynthesisNetwork.xml")
    mapping = MappingNetwork()
    mapping.load_state_dict(mapping_state)
    synthesis = SynthesisNetwork()
    synthesis.load_state_dict(synthesis_state)
    with torch.inference_mode():
        z = torch.randn(MEAN_DRAWS, DIM, generator=torch.Generator().manual_seed(MEAN_SEED))
        mean = torch.stack([mapping(part).double().mean(0) for part in torch.split(z, 4096)]).mean(
            0
        )
    contiguous = {k: v.contiguous() for k, v in mapping_state.items()}
    save_file({**contiguous, "w_mean": mean.float()}, folder / "mapping.safetensors")
    save_file(
        {k: v.contiguous() for k, v in synthesis_state.items()}, folder / "synthesis.safetensors"
    )
    export(synthesis, folder / "painter.xml")
