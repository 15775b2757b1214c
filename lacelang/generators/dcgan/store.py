"""The converted weights in the cache: read from the archive's checkpoint once, as data only."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from lacelang.errors import ResourceError
from lacelang.storage import fetch
from lacelang.storage.archives import member
from lacelang.storage.cache import MANIFEST, cache_dir, kept
from lacelang.storage.published import RefusedError, read_data
from lacelang.storage.published.states import entries, state

if TYPE_CHECKING:
    from torch import Tensor

    from lacelang.progress import Progress

# Raised whenever the conversion changes, so that no stale folder is read.
FORMAT = 1
_FILE = "network.safetensors"
# What torch adds to the variance of a batch normalisation.
_EPSILON = 1e-5


@frozen
class Checkpoint:
    """Where in an archive a checkpoint is, and under which key in it the network's state."""

    member: str
    key: str | None = None


def folder_for(archive: fetch.Archive) -> Path:
    """Where the converted weights of `archive` lie."""
    return cache_dir() / "models" / f"dcgan-{FORMAT}-{archive.sha256}"


def is_converted(archive: fetch.Archive) -> bool:
    """Whether the folder of converted weights is there."""
    return (folder_for(archive) / MANIFEST).is_file()


def converted(
    archive: fetch.Archive,
    checkpoint: Checkpoint,
    *,
    progress: Progress | None = None,
    help_: str = "",
) -> Path:
    """Return the file of the state of a `networks.DCGAN`, fetched and converted on first use.

    Raises:
        ResourceError: the archive cannot be had, or does not hold such a network.
    """

    def make(partial: Path) -> None:
        from safetensors.torch import save_file

        source = fetch.obtain(archive, progress, help_)
        with progress.stage(f"converting {archive}") if progress else nullcontext():
            try:
                save_file(_read(member(source, checkpoint.member), checkpoint.key), partial / _FILE)
            except (RefusedError, KeyError, IndexError, ValueError) as error:
                message = f"{checkpoint.member} of {archive} holds no DCGAN: {error}"
                remedy = "name the archive that stdlib names"
                raise ResourceError(message, remedy) from error

    return kept(folder_for(archive), f"converting {archive}", make, _FILE) / _FILE


def _read(data: bytes, key: str | None) -> dict[str, Tensor]:
    import torch

    found = read_data(memoryview(data))
    arrays = state(found if key is None else entries(found)[key])
    return folded({name: torch.from_numpy(each) for name, each in arrays.items()})


def folded(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state of a `networks.DCGAN`, from that of convolutions and normalisations in turn.

    A normalisation in evaluation is a scale and a shift of each channel; the convolution before it
    has neither a bias nor anything between.
    """
    import torch

    names = [name for name, tensor in published.items() if tensor.ndim == 4]
    norms = [name.removesuffix("running_var") for name in published if name.endswith("running_var")]
    if len(norms) != len(names) - 1:
        raise ValueError(f"it has {len(names)} convolutions and {len(norms)} normalisations")
    found: dict[str, Tensor] = {}
    for k, name in enumerate(names):
        weight = published[name]
        bias = torch.zeros(weight.shape[1])
        if k < len(norms):
            norm = norms[k]
            scale = (
                published[f"{norm}weight"] * (published[f"{norm}running_var"] + _EPSILON).rsqrt()
            )
            weight = weight * scale[None, :, None, None]
            bias = published[f"{norm}bias"] - published[f"{norm}running_mean"] * scale
        found[f"layers.{k}.weight"], found[f"layers.{k}.bias"] = weight.contiguous(), bias
    return found
