"""The converted weights in the cache: made once from the archive, checked whenever they are read.

One folder holds `mapping.safetensors`, `synthesis.safetensors`, and for a CPU the OpenVINO IR
`painter.xml` and `.bin`, with `manifest.json` giving the SHA-256 of each.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.storage import fetch
from lacelang.storage.archives import member
from lacelang.storage.cache import MANIFEST, cache_dir, kept

if TYPE_CHECKING:
    from lacelang.progress import Progress

# Raised whenever the layout or the conversion changes, so that no stale folder is read.
FORMAT = 2


def folder_for(archive: fetch.Archive) -> Path:
    """Where the converted weights of `archive` lie."""
    return cache_dir() / "models" / f"mobilestylegan-{FORMAT}-{archive.sha256}"


def is_converted(archive: fetch.Archive) -> bool:
    """Whether the folder of converted weights is there."""
    return (folder_for(archive) / MANIFEST).is_file()


def converted(
    archive: fetch.Archive, *names: str, progress: Progress | None = None, help_: str = ""
) -> Path:
    """Return the folder of converted weights in which these files are verified.

    The weights are fetched and converted on first use, and again if a file is damaged.
    """

    def make(partial: Path) -> None:
        source = fetch.obtain(archive, progress, help_)
        with progress.stage(f"converting {archive}") if progress else nullcontext():
            _convert(source, partial)

    return kept(folder_for(archive), f"converting {archive}", make, *names)


def _convert(source: Path, folder: Path) -> None:
    from safetensors.torch import save_file

    from lacelang.generators.mobilestylegan import DIM, convert
    from lacelang.generators.mobilestylegan.generator import export
    from lacelang.generators.mobilestylegan.networks import MappingNetwork, SynthesisNetwork
    from lacelang.generators.openvino_ir import reading
    from lacelang.generators.statistics import of_prior

    def files(network: str) -> list[bytes]:
        return [member(source, f"random_face/data/{network}.{end}") for end in ("xml", "bin")]

    mapping, synthesis = MappingNetwork(), SynthesisNetwork()
    with reading(f"MappingNetwork.xml in {source}"):
        mapping_state = convert.mapping_state(*files("MappingNetwork"))
        mapping.load_state_dict(mapping_state)
    with reading(f"SynthesisNetwork.xml in {source}"):
        synthesis_state = convert.synthesis_state(*files("SynthesisNetwork"))
        synthesis.load_state_dict(synthesis_state)
    mean, whitening = of_prior(mapping, DIM)
    statistics = {"w_mean": mean, "w_whitening": whitening}
    states = {"mapping": mapping_state | statistics, "synthesis": synthesis_state}
    for name, state in states.items():
        contiguous = {key: each.contiguous() for key, each in state.items()}
        save_file(contiguous, folder / f"{name}.safetensors")
    export(synthesis, folder / "painter.xml")
